//! What every update and message can be asked, whatever its kind: where it happened, who did it, when, what it says.
//!
//! Nothing here panics, whatever a server leaves out. Of an update that the crate does not know, or cannot read, the ids,
//! the time and the person are looked for in its JSON.

mod constructor;
mod key;
mod linked;
mod message;
mod person;
pub(crate) mod text;
mod unknown;
mod vcard;

use crate::{
    api::types::{Attachment, ChatType, ConstructorInput, LinkedMessage, Message, Update, UpdateType},
    id::{CallbackId, ChatId, MessageId, SessionId},
};

/// The accessors: none of them panics, whatever is missing.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// # alice.says("hi");
/// let mut updates = bot.updates();
/// while let Some(update) = updates.try_next().await? {
///     let (Some(chat), Some(name)) = (update.chat_id(), update.sender_name()) else { continue };
///     match update.text() {
///         Some(text) => println!("{name} in {chat}: {text}"),
///         None => println!("{name} in {chat}: {}", update.update_type()),
///     }
/// #   if update.text().is_some() { break }
/// }
/// # Ok(())
/// # }
/// ```
impl Update {
    /// The message that was written, edited or has the button that was pressed, if it is there.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        match self {
            Self::MessageCreated(update) => update.message.as_deref(),
            Self::MessageCallback(update) => update.message.as_deref(),
            Self::MessageEdited(update) => update.message.as_deref(),
            _ => None,
        }
    }

    /// The chat in which it happened; `None` where there is none (a constructor, a callback without its message).
    #[must_use]
    pub fn chat_id(&self) -> Option<ChatId> {
        match self {
            Self::MessageCreated(update) => chat_of(update.message.as_deref()),
            Self::MessageCallback(update) => chat_of(update.message.as_deref()),
            Self::MessageEdited(update) => chat_of(update.message.as_deref()),
            Self::MessageRemoved(update) => Some(update.chat_id),
            Self::BotAdded(update) => Some(update.chat_id),
            Self::BotRemoved(update) => Some(update.chat_id),
            Self::UserAdded(update) => Some(update.chat_id),
            Self::UserRemoved(update) => Some(update.chat_id),
            Self::BotStarted(update) => Some(update.chat_id),
            Self::ChatTitleChanged(update) => Some(update.chat_id),
            Self::MessageChatCreated(update) => Some(update.chat.chat_id),
            Self::MessageConstructionRequest(_) | Self::MessageConstructed(_) => None,
            Self::Unknown(unknown) => {
                unknown::find(unknown, &["/chat_id", "/message/recipient/chat_id", "/chat/chat_id"])
            }
        }
    }

    /// What kind of chat it happened in, as far as the update tells: those of a title or of a removed message do not.
    #[must_use]
    pub fn chat_type(&self) -> Option<ChatType> {
        let kind = |is_channel: Option<bool>| {
            is_channel.map(|is_channel| if is_channel { ChatType::Channel } else { ChatType::Chat })
        };
        let chat_type = match self {
            Self::BotAdded(update) => kind(update.is_channel),
            Self::BotRemoved(update) => kind(update.is_channel),
            Self::UserAdded(update) => kind(update.is_channel),
            Self::UserRemoved(update) => kind(update.is_channel),
            Self::BotStarted(_) => Some(ChatType::Dialog),
            Self::MessageChatCreated(update) => Some(update.chat.type_.clone()),
            Self::Unknown(unknown) => unknown::find(unknown, &["/message/recipient/chat_type", "/chat/type"]),
            _ => Some(self.message()?.recipient.chat_type.clone()),
        };
        // A missing one is empty.
        chat_type.filter(|chat_type| !chat_type.as_str().is_empty())
    }

    /// Whether it is known to have happened in a channel.
    #[must_use]
    pub fn is_channel(&self) -> bool {
        self.chat_type() == Some(ChatType::Channel)
    }

    /// The text of its message: the one that was written, edited or posted from the constructor, or that has the button
    /// which was pressed.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::MessageConstructed(update) => update.message.text(),
            _ => self.message()?.text(),
        }
    }

    /// What is attached to its message; empty if there is nothing.
    #[must_use]
    pub fn attachments(&self) -> &[Attachment] {
        match self {
            Self::MessageConstructed(update) => update.message.body.attachments.as_deref().unwrap_or_default(),
            _ => self.message().map_or(&[], Message::attachments),
        }
    }

    /// The URLs of what is attached to its message. Links within the text are none: they are in its markup.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.attachments().iter().filter_map(Attachment::url)
    }

    /// The message that its message forwards or answers.
    #[must_use]
    pub fn link(&self) -> Option<&LinkedMessage> {
        match self {
            Self::MessageConstructed(update) => update.message.link.as_ref(),
            _ => self.message()?.link.as_ref(),
        }
    }

    linked::link_accessors!();

    /// The id (`mid`) of the message that it is about: written, edited, deleted, with the button that was pressed, or posted
    /// from the constructor.
    #[must_use]
    pub fn message_id(&self) -> Option<MessageId> {
        match self {
            Self::MessageRemoved(update) => Some(update.message_id.clone()),
            Self::MessageChatCreated(update) => Some(update.message_id.clone()),
            Self::MessageConstructed(update) => Some(update.message.body.mid.clone()),
            Self::Unknown(unknown) => unknown::find(unknown, &["/message/body/mid", "/message_id"]),
            _ => self.message()?.mid().cloned(),
        }
    }

    /// The payload of the button that was pressed, in a message or in the constructor. That of a deep link is
    /// [`start_payload`](Self::start_payload).
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

    /// The press of a button, by which it is answered.
    #[must_use]
    pub fn callback_id(&self) -> Option<CallbackId> {
        match self {
            Self::MessageCallback(update) => Some(update.callback.callback_id.clone()),
            Self::Unknown(unknown) => unknown::find(unknown, &["/callback/callback_id"]),
            _ => None,
        }
    }

    /// The payload with which the bot was started by a [deep link](crate::DeepLink), or a chat by a chat button.
    #[must_use]
    pub fn start_payload(&self) -> Option<&str> {
        match self {
            Self::BotStarted(update) => update.payload.as_deref(),
            Self::MessageChatCreated(update) => update.start_payload.as_deref(),
            _ => None,
        }
    }

    /// The language of who did it, as a BCP 47 tag (`en`, `ru-RU`); told in dialogs only.
    #[must_use]
    pub fn user_locale(&self) -> Option<&str> {
        match self {
            Self::MessageCreated(update) => update.user_locale.as_deref(),
            Self::MessageCallback(update) => update.user_locale.as_deref(),
            Self::BotStarted(update) => update.user_locale.as_deref(),
            Self::MessageConstructionRequest(update) => update.user_locale.as_deref(),
            _ => None,
        }
    }

    /// What kind of update it is.
    #[must_use]
    pub fn update_type(&self) -> UpdateType {
        self.tag().into()
    }

    /// The constructor session that it belongs to.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::MessageConstructionRequest(update) => Some(update.session_id.clone()),
            Self::MessageConstructed(update) => Some(update.session_id.clone()),
            Self::Unknown(unknown) => unknown::find(unknown, &["/session_id"]),
            _ => None,
        }
    }

    /// Returns when it happened, in Unix milliseconds (UTC); `None` if the update has no time that can be read.
    #[must_use]
    pub fn timestamp(&self) -> Option<i64> {
        let timestamp = match self {
            Self::MessageCreated(update) => update.timestamp,
            Self::MessageCallback(update) => update.timestamp,
            Self::MessageEdited(update) => update.timestamp,
            Self::MessageRemoved(update) => update.timestamp,
            Self::BotAdded(update) => update.timestamp,
            Self::BotRemoved(update) => update.timestamp,
            Self::UserAdded(update) => update.timestamp,
            Self::UserRemoved(update) => update.timestamp,
            Self::BotStarted(update) => update.timestamp,
            Self::ChatTitleChanged(update) => update.timestamp,
            Self::MessageConstructionRequest(update) => update.timestamp,
            Self::MessageConstructed(update) => update.timestamp,
            Self::MessageChatCreated(update) => update.timestamp,
            Self::Unknown(unknown) => return unknown::find(unknown, &["/timestamp"]),
        };
        // What is missing is 0.
        Some(timestamp).filter(|timestamp| *timestamp != 0)
    }
}

fn chat_of(message: Option<&Message>) -> Option<ChatId> {
    message?.recipient.chat_id
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
    fn known_updates_tell_where_who_and_when() {
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
    fn unknown_updates_tell_what_they_have() {
        let dialog =
            r#"{"update_type":"dialog_muted","timestamp":1,"chat_id":2,"user":{"user_id":3},"session_id":"s"}"#;
        assert_eq!(asked(dialog), (Some(2), Some(3), Some("s".to_owned()), Some(1)));
        // A known kind that cannot be read still belongs to its chat.
        let broken = r#"{"update_type":"message_created","timestamp":"soon","message":{"recipient":{"chat_id":-2}}}"#;
        assert_eq!(asked(broken), (Some(-2), None, None, None));
        // Half an emoji, a number beyond all numbers: such a message keeps its place in its chat.
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
