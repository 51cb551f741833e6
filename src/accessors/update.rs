//! Accessors of updates that are not generated: chat type, URLs, payloads.

use super::linked::link_accessors;
use crate::api::types::{Attachment, ChatType, ConstructorInput, Update, UpdateType};

impl Update {
    /// Returns the type of the chat: dialog (private chat), group or channel. `None` if the type is unknown. For
    /// example, [`MessageRemoved`](Self::MessageRemoved) does not contain the type.
    #[must_use]
    pub fn chat_type(&self) -> Option<ChatType> {
        let of_channels = |is_channel: bool| if is_channel { ChatType::Channel } else { ChatType::Chat };
        let in_dialogs = matches!(
            self,
            Self::BotStarted(_)
                | Self::BotStopped(_)
                | Self::DialogCleared(_)
                | Self::DialogRemoved(_)
                | Self::DialogMuted(_)
                | Self::DialogUnmuted(_)
        );
        let own = self.own_chat_type().or_else(|| self.own_is_channel().map(of_channels));
        own.or_else(|| in_dialogs.then_some(ChatType::Dialog))
    }

    /// Returns whether the chat of the update is a channel. `false` if the type of the chat is unknown.
    #[must_use]
    pub fn is_channel(&self) -> bool {
        self.chat_type() == Some(ChatType::Channel)
    }

    /// Returns the URLs of the [`attachments`](Self::attachments). For the URLs of links in the text, see
    /// [`MessageBody::markup`](crate::api::types::MessageBody::markup).
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.attachments().iter().filter_map(Attachment::url)
    }

    link_accessors!();

    /// Returns the payload of the button that a user pressed below a message or in a constructor. A payload is a text
    /// that the bot has set. `None` if the button has no payload, and for all other updates.
    ///
    /// For the payload of a deep link (a link that starts the bot), use [`start_payload`](Self::start_payload).
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        match self {
            Self::MessageCallback(update) => update.callback.payload.as_deref(),
            Self::MessageConstructionRequest(update) => match &update.input {
                ConstructorInput::Callback(input) => Some(&input.payload),
                _ => None,
            },
            _ => None,
        }
    }

    /// Returns the payload of the [deep link](crate::link::DeepLink) that started the bot, or of the chat button that
    /// created the chat. `None` if the link or button has no payload, and for all other updates.
    #[must_use]
    pub fn start_payload(&self) -> Option<&str> {
        match self {
            Self::BotStarted(update) => update.payload.as_deref(),
            Self::MessageChatCreated(update) => update.start_payload.as_deref(),
            _ => None,
        }
    }

    /// Returns the kind of the update, as an enum.
    #[must_use]
    pub fn update_type(&self) -> UpdateType {
        self.tag().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(json: &str) -> (Option<i64>, Option<i64>, Option<String>, Option<i64>) {
        let update: Update = serde_json::from_str(json).unwrap();
        let session = update.session_id().map(|session| session.to_string());
        (update.chat_id().map(|chat| chat.0), update.user_id().map(|user| user.0), session, update.timestamp())
    }

    #[test]
    fn reads_chat_user_and_time_of_known_updates() {
        let started = r#"{"update_type":"bot_started","timestamp":1,"chat_id":2,"user":{"user_id":3,"name":"A"}}"#;
        assert_eq!(asked(started), (Some(2), Some(3), None, Some(1)));
        let pressed = r#"{"update_type":"message_callback","timestamp":1,"message":null,
            "callback":{"timestamp":1,"callback_id":"c","user":{"user_id":3,"name":"A"}}}"#;
        assert_eq!(asked(pressed), (None, Some(3), None, Some(1)));
        let message = r#"{"update_type":"message_created","timestamp":1,"message":{"timestamp":1,
            "recipient":{"chat_id":-2,"chat_type":"chat"},"sender":{"user_id":3,"name":"A"}}}"#;
        assert_eq!(asked(message), (Some(-2), Some(3), None, Some(1)));
        assert_eq!(asked(r#"{"update_type":"message_created","timestamp":1}"#), (None, None, None, Some(1)));
    }

    #[test]
    fn reads_the_available_properties_of_unknown_updates() {
        let dialog =
            r#"{"update_type":"dialog_archived","timestamp":1,"chat_id":2,"user":{"user_id":3},"session_id":"s"}"#;
        assert_eq!(asked(dialog), (Some(2), Some(3), Some("s".to_owned()), Some(1)));
        // A known kind that cannot be read still has its chat.
        let broken = r#"{"update_type":"message_created","timestamp":"soon","message":{"recipient":{"chat_id":-2}}}"#;
        assert_eq!(asked(broken), (Some(-2), None, None, None));
        // Half of a surrogate pair, and a number that overflows: the chat is still readable.
        for strange in [r#""\ud83d""#, "1e999"] {
            let json = format!(
                r#"{{"update_type":"message_created","timestamp":1,
                    "message":{{"recipient":{{"chat_id":-2}},"body":{{"text":{strange}}}}}}}"#
            );
            assert_eq!(asked(&json), (Some(-2), None, None, Some(1)), "{strange}");
        }
        let pressed = r#"{"update_type":"message_callback","timestamp":1,"message":{"timestamp":"?","body":{"mid":"m"}},
            "callback":{"callback_id":"c","user":{"user_id":3,"name":"A"},"timestamp":"?"}}"#;
        let update: Update = serde_json::from_str(pressed).unwrap();
        assert_eq!(update.callback_id(), Some("c".into()), "it can be answered");
        assert_eq!(update.message_id(), Some("m".into()));
        assert_eq!(update.user().map(|user| user.into_owned().name).as_deref(), Some("A"));
        assert_eq!(update.update_type(), UpdateType::MessageCallback);
        for odd in ["5", "null", "[]", r#"{"chat_id":"x","user":7}"#] {
            assert_eq!(asked(odd), (None, None, None, None), "{odd}");
        }
    }
}
