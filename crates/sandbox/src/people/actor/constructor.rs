//! Acts of people in the constructor of a bot.

use tamtam::MessageId;

use super::{Actor, Done, button};
use crate::state::State;
use crate::state::message::Action;
use crate::state::prepared::Prepared;
use crate::state::session::Session;

impl Actor {
    /// Opens the constructor. Returns the id of its session.
    pub(crate) fn opens_constructor(self, state: &mut State) -> Done<String> {
        self.check_tamtam(state, "open a constructor")?;
        self.check_writes(state)?;
        Ok(state.open_constructor(self.user_id, self.bot, self.chat_id()))
    }

    pub(crate) fn types(self, state: &mut State, session_id: &str, text: &str) -> Done<()> {
        let session = self.session(state, session_id)?;
        if session.answer.as_ref().is_some_and(|answer| !answer.allows_input) {
            return Err("cannot type: the bot allows no input in its constructor".to_owned());
        }
        state.type_into(session_id, text);
        Ok(())
    }

    pub(crate) fn presses_in(self, state: &mut State, session_id: &str, label: &str) -> Done<()> {
        let answer = self.session(state, session_id)?.answer.as_ref();
        let rows = answer.map(|answer| answer.keyboard.as_slice()).unwrap_or_default();
        match button(rows, label)? {
            Action::Callback { payload, .. } => state.press_in_constructor(session_id, label, &payload),
            Action::Link { .. } => {}
            _ => return Err(format!("cannot press [{label}] in a constructor")),
        }
        Ok(())
    }

    /// Returns the next unread answer of the bot in the constructor.
    pub(crate) fn reads_prepared(self, state: &mut State, session_id: &str) -> Option<Prepared> {
        let session = state.sessions.get_mut(session_id)?;
        (session.user == self.user_id).then(|| session.unread.pop_front()).flatten()
    }

    pub(crate) fn posts(self, state: &mut State, session_id: &str) -> Done<Vec<MessageId>> {
        let session = self.session(state, session_id)?;
        if session.answer.as_ref().is_none_or(|answer| answer.messages.is_empty()) {
            return Err("cannot post: the bot has prepared no message".to_owned());
        }
        Self { group: Some(session.chat), ..self }.check_writes(state)?;
        Ok(state.post_constructed(session_id).into_iter().map(Into::into).collect())
    }

    fn session<'a>(self, state: &'a State, session_id: &str) -> Done<&'a Session> {
        let session = state.sessions.get(session_id).filter(|session| session.user == self.user_id);
        session.ok_or_else(|| "has posted this message already, or never had this constructor open".to_owned())
    }
}
