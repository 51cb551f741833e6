//! Acts of people on a whole dialog, and voice messages.

use std::time::Duration;

use serde_json::json;

use super::{Actor, Done};
use crate::state::State;
use crate::state::clock;
use crate::state::dialogs::FOR_EVER;

impl Actor {
    pub(crate) fn clears(self, state: &mut State) -> Done<()> {
        self.check_max_dialog(state, "clear the history")?;
        state.clear(self.chat_id());
        Ok(())
    }

    pub(crate) fn removes_dialog(self, state: &mut State) -> Done<()> {
        self.check_max_dialog(state, "remove the dialog")?;
        state.remove_dialog(self.chat_id());
        Ok(())
    }

    /// Mutes the bot for `time`, or without end if it is `None`.
    pub(crate) fn mutes(self, state: &mut State, time: Option<Duration>) -> Done<()> {
        self.check_max_dialog(state, "mute the bot")?;
        let until = time.map_or(FOR_EVER, |time| state.clock.dated().saturating_add(clock::millis(time)));
        state.mute(self.chat_id(), until);
        Ok(())
    }

    pub(crate) fn unmutes(self, state: &mut State) -> Done<()> {
        self.check_max_dialog(state, "unmute the bot")?;
        let now = state.clock.dated();
        if self.chat(state)?.muted_until.is_none_or(|until| until <= now) {
            return Err("has not muted the bot".to_owned());
        }
        state.unmute(self.chat_id());
        Ok(())
    }

    /// Sends a voice message. The bot gets an update without a message.
    pub(crate) fn sends_voice(self, state: &mut State) -> Done<()> {
        self.check_max(state, "send a voice message")?;
        self.opens(state);
        self.check_writes(state)?;
        let (chat_id, user) = (self.chat_id(), self.user_id);
        state.record(chat_id, format!("{}: <voice>", state.name(user)));
        let now = state.happened(chat_id, user);
        let bots = state.bots_reading(chat_id, user);
        state.publish(&bots, "message_created", now, json!({}));
        Ok(())
    }

    fn check_max_dialog(self, state: &State, what: &str) -> Done<()> {
        self.check_max(state, what)?;
        self.check_dialog(what)?;
        let is_removed = self.chat(state)?.is_removed;
        if is_removed { Err("has removed the dialog".to_owned()) } else { Ok(()) }
    }
}
