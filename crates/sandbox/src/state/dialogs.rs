//! Acts of a user on a whole dialog: stop, clear, remove and mute.

use serde_json::{Value, json};

use super::State;
use super::acts::LOCALE;
use super::chat::ChatKind;
use super::clock::Millis;
use super::ids::ChatId;

/// The value of `muted_until` for a dialog that is muted without end, as MAX writes it.
pub(crate) const FOR_EVER: Millis = i64::MAX;

impl State {
    /// Stops the bot.
    pub(crate) fn stop(&mut self, chat_id: ChatId) {
        self.tell_dialog(chat_id, |user, bot| format!("{user} stops {bot}"));
        self.suspend(chat_id, true);
        self.publish_dialog(chat_id, "bot_stopped", json!({}));
    }

    /// Clears the history of the user. The bot can still read the messages.
    pub(crate) fn clear(&mut self, chat_id: ChatId) {
        self.tell_dialog(chat_id, |user, bot| format!("{user} clears the dialog with {bot}"));
        self.with_chat(chat_id, |chat| {
            if let (ChatKind::Dialog { user, .. }, Some((newest, _))) = (&chat.kind, chat.messages.last_key_value()) {
                chat.cleared.insert(*user, *newest);
            }
        });
        self.publish_dialog(chat_id, "dialog_cleared", json!({}));
    }

    /// Removes the dialog, and stops the bot. The bot no longer finds the dialog.
    pub(crate) fn remove_dialog(&mut self, chat_id: ChatId) {
        self.tell_dialog(chat_id, |user, bot| format!("{user} removes the dialog with {bot}"));
        self.suspend(chat_id, true);
        self.publish_dialog(chat_id, "dialog_removed", json!({}));
        self.publish_dialog(chat_id, "bot_stopped", json!({}));
        self.with_chat(chat_id, |chat| {
            chat.is_removed = true;
            chat.messages.clear();
        });
    }

    /// Mutes the dialog until `until`, or without end if it is [`FOR_EVER`].
    pub(crate) fn mute(&mut self, chat_id: ChatId, until: Millis) {
        self.tell_dialog(chat_id, |user, bot| format!("{user} mutes {bot}"));
        self.with_chat(chat_id, |chat| chat.muted_until = Some(until));
        self.publish_dialog(chat_id, "dialog_muted", json!({ "muted_until": until }));
    }

    pub(crate) fn unmute(&mut self, chat_id: ChatId) {
        self.tell_dialog(chat_id, |user, bot| format!("{user} unmutes {bot}"));
        self.with_chat(chat_id, |chat| chat.muted_until = None);
        self.publish_dialog(chat_id, "dialog_unmuted", json!({}));
    }

    fn tell_dialog(&mut self, chat_id: ChatId, line: impl FnOnce(&str, &str) -> String) {
        let Some(ChatKind::Dialog { user, bot, .. }) = self.chats.get(&chat_id).map(|chat| &chat.kind) else { return };
        let line = line(self.name(*user), self.name(*bot));
        self.record(chat_id, line);
    }

    /// Sends the bot an update about the dialog, even if the bot is stopped. Does nothing on TamTam.
    fn publish_dialog(&mut self, chat_id: ChatId, kind: &'static str, mut fields: Value) {
        let Some(ChatKind::Dialog { user, bot, .. }) = self.chats.get(&chat_id).map(|chat| &chat.kind) else { return };
        let (user, bot) = (*user, *bot);
        if !self.service.traits().has_dialog_updates {
            return;
        }
        let now = self.happened(chat_id, user);
        fields["chat_id"] = json!(chat_id);
        fields["user"] = self.user_json(user);
        fields["user_locale"] = json!(LOCALE);
        self.publish(&[bot], kind, now, fields);
    }
}
