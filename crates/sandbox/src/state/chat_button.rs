//! Chat buttons: the first press creates a chat about the message, later presses open it.

use serde_json::json;

use super::State;
use super::chat::Member;
use super::ids::{ChatId, Seq, UserId};
use super::json::View;
use super::message::ChatButton;

impl State {
    /// Presses a chat button. The message and the button's `uuid` identify the chat. After an edit that changes the
    /// `uuid`, the next press creates another chat.
    pub(crate) fn open_button_chat(&mut self, chat_id: ChatId, seq: Seq, user: UserId, button: &ChatButton) {
        self.happened(chat_id, user);
        let key = (chat_id, seq, button.uuid);
        if let Some(known) = self.button_chats.get(&key).copied() {
            self.take_in(known, user, None);
            return;
        }
        let Some(message) = self.message(chat_id, seq) else { return };
        let (owner, bot, mid) = (message.sender, message.button_bot(), message.mid());
        let created = self.found_group(button.title.clone(), owner, None);
        self.button_chats.insert(key, created);
        let (now, service) = (self.happened(created, user), self.service);
        self.with_chat(created, |chat| {
            chat.description.clone_from(&button.description);
            chat.button_mid = Some(mid.clone());
            if bot != owner {
                chat.enter(bot, Member::admin(now, service));
            }
            if user != owner {
                chat.enter(user, Member::new(now));
            }
        });
        let Some(chat) = self.chats.get(&created) else { return };
        let fields = json!({
            "chat": self.chat_json(chat, bot, View::Alone),
            "message_id": mid,
            "start_payload": button.start_payload,
        });
        self.publish(&[bot], "message_chat_created", now, fields);
    }
}
