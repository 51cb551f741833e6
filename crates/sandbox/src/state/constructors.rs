//! Acts in constructors: open, type, press a button, answer and post.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::State;
use super::acts::LOCALE;
use super::ids::{self, ChatId, UserId};
use super::message::Keyboard;
use super::prepared::Prepared;
use super::session::{ConstructorAnswer, Session};

impl State {
    /// Opens the constructor of a bot for a message in this chat.
    pub(crate) fn open_constructor(&mut self, user: UserId, bot: UserId, chat: ChatId) -> String {
        let id = self.secret("session");
        self.record(chat, format!("{} opens the constructor of {}", self.name(user), self.name(bot)));
        let session = Session { user, bot, chat, answer: None, unread: VecDeque::new() };
        self.sessions.insert(id.clone(), session);
        self.ask(&id, json!({ "messages": [], "input_type": "message" }));
        id
    }

    /// Types a message into the constructor.
    pub(crate) fn type_into(&mut self, id: &str, text: &str) {
        self.record_in(id, |name| format!("{name} types: {text}"));
        let message = json!({ "text": text, "attachments": null, "markup": null, "format": null });
        self.ask(id, json!({ "messages": [message], "input_type": "message" }));
    }

    /// Presses a button of the constructor.
    pub(crate) fn press_in_constructor(&mut self, id: &str, label: &str, payload: &str) {
        self.record_in(id, |name| format!("{name} presses [{label}]"));
        self.ask(id, json!({ "payload": payload, "input_type": "callback" }));
    }

    /// Sends an input to the bot, with the `data` of the bot's last answer.
    fn ask(&mut self, id: &str, input: Value) {
        let Some(session) = self.sessions.get(id) else { return };
        let (bot, user, chat) = (session.bot, session.user, session.chat);
        let data = session.answer.as_ref().and_then(|answer| answer.data.clone());
        let now = self.happened(chat, user);
        let fields = json!({
            "user": self.user_with_photo_json(user),
            "user_locale": LOCALE,
            "session_id": id,
            "data": data,
            "input": input,
        });
        self.publish(&[bot], "message_construction_request", now, fields);
    }

    /// Shows the answer of the bot to the person.
    pub(crate) fn construct(&mut self, id: &str, answer: ConstructorAnswer) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let labels = |rows: &Keyboard| -> Vec<Vec<String>> {
            rows.iter().map(|row| row.iter().map(|button| button.label.clone()).collect()).collect()
        };
        let texts: Vec<_> = answer.messages.iter().map(|one| one.text.clone().unwrap_or_default()).collect();
        let (bot, chat) = (session.bot, session.chat);
        let hint = answer.hint.clone().filter(|hint| !hint.is_empty());
        let buttons = labels(&answer.keyboard);
        let what: Vec<_> =
            texts.iter().cloned().chain(buttons.iter().flatten().map(|one| format!("[{one}]"))).collect();
        session.unread.push_back(Prepared {
            texts,
            buttons,
            hint: answer.hint.clone(),
            placeholder: answer.placeholder.clone(),
            allows_input: answer.allows_input,
        });
        session.answer = Some(answer);
        let hint = hint.map(|hint| format!("  (hint: {hint})")).unwrap_or_default();
        self.record(chat, format!("{} prepares: {}{hint}", self.name(bot), what.join(" ")));
        // Wakes the waiting tasks, even if the chat has no transcript.
        self.touched = true;
    }

    /// Posts the messages that the bot prepared, and ends the session. Returns the ids of the messages.
    pub(crate) fn post_constructed(&mut self, id: &str) -> Vec<String> {
        let Some(session) = self.sessions.remove(id) else { return Vec::new() };
        let (user, bot, chat) = (session.user, session.bot, session.chat);
        let mut mids = Vec::new();
        for content in session.answer.map(|answer| answer.messages).unwrap_or_default() {
            let seq = self.post_made_with(Some(bot), chat, user, content);
            let Some(message) = self.message(chat, seq) else { continue };
            let fields = json!({ "session_id": id, "message": self.constructed_json(message) });
            let now = self.clock.tick();
            self.publish(&[bot], "message_constructed", now, fields);
            mids.push(ids::mid(chat, seq));
        }
        mids
    }

    fn record_in(&mut self, id: &str, line: impl FnOnce(&str) -> String) {
        let Some(session) = self.sessions.get(id) else { return };
        let (chat, line) = (session.chat, line(self.name(session.user)));
        self.record(chat, line);
    }
}
