//! What every update and message can be asked, whatever its kind: where it happened, who did it, when, what it says.

use std::{borrow::Cow, collections::HashMap};

use serde_json::value::RawValue;

use crate::{ChatId, Message, SessionId, Unknown, Update, UserId};

impl Message {
    /// The text, if it has any.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.body.as_ref()?.text.as_deref()
    }
}

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
                number(unknown, &["/chat_id", "/message/recipient/chat_id", "/chat/chat_id"]).map(ChatId)
            }
        }
    }

    /// Who did it; `None` where that is not told (a post in a channel).
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::MessageCreated(update) => sender_of(update.message.as_deref()),
            Self::MessageCallback(update) => Some(update.callback.user.user_id),
            Self::MessageEdited(update) => sender_of(update.message.as_deref()),
            Self::MessageRemoved(update) => Some(update.user_id),
            Self::BotAdded(update) => Some(update.user.user_id),
            Self::BotRemoved(update) => Some(update.user.user_id),
            Self::UserAdded(update) => Some(update.user.user_id),
            Self::UserRemoved(update) => Some(update.user.user_id),
            Self::BotStarted(update) => Some(update.user.user_id),
            Self::ChatTitleChanged(update) => Some(update.user.user_id),
            Self::MessageConstructionRequest(update) => Some(update.user.user_id),
            Self::MessageConstructed(update) => update.message.sender.as_ref().map(|sender| sender.user_id),
            Self::MessageChatCreated(_) => None,
            Self::Unknown(unknown) => {
                let places = ["/user/user_id", "/callback/user/user_id", "/message/sender/user_id", "/user_id"];
                number(unknown, &places).map(UserId)
            }
        }
    }

    /// The constructor session that it belongs to.
    #[must_use]
    pub fn session_id(&self) -> Option<SessionId> {
        match self {
            Self::MessageConstructionRequest(update) => Some(update.session_id.clone()),
            Self::MessageConstructed(update) => Some(update.session_id.clone()),
            Self::Unknown(unknown) => {
                serde_json::from_str::<String>(at(unknown.raw.get(), "/session_id")?).ok().map(Into::into)
            }
            _ => None,
        }
    }

    /// When it happened, in Unix milliseconds (UTC); `None` only for an update that the crate does not know.
    #[must_use]
    pub fn timestamp(&self) -> Option<i64> {
        Some(match self {
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
            Self::Unknown(unknown) => return number(unknown, &["/timestamp"]),
        })
    }
}

fn chat_of(message: Option<&Message>) -> Option<ChatId> {
    message?.recipient.chat_id
}

fn sender_of(message: Option<&Message>) -> Option<UserId> {
    Some(message?.sender.as_ref()?.user_id)
}

/// The first number in these places: what is unknown may still look like the rest.
fn number(unknown: &Unknown, places: &[&str]) -> Option<i64> {
    places.iter().find_map(|place| at(unknown.raw.get(), place)?.parse().ok())
}

/// What stands in a place, as it came. Whatever is strange elsewhere does not matter.
fn at<'a>(json: &'a str, place: &str) -> Option<&'a str> {
    place.split('/').skip(1).try_fold(json, |json, name| {
        let members: HashMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(json).ok()?;
        members.get(name).map(|raw| raw.get())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(json: &str) -> (Option<i64>, Option<i64>, Option<String>, Option<i64>) {
        let update = Update::read(json).unwrap();
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
        for odd in ["5", "null", "[]", r#"{"chat_id":"x","user":7}"#] {
            assert_eq!(asked(odd), (None, None, None, None), "{odd}");
        }
    }
}
