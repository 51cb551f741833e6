//! The lane of an update: updates in one lane are handled in order.

use std::fmt;

use crate::{
    api::types::Update,
    id::{ChatId, SessionId, UserId},
};

/// The key of a lane, which is a group of updates that are handled in order. Returned by [`Update::lane`].
///
/// A [`Run`](crate::updates::Run) handles the updates of one lane one after the other, in the order of their arrival.
/// It handles updates of different lanes concurrently. A webhook without a journal (a queue of updates in a file)
/// ignores lanes.
///
/// The key is the first of these ids that the update contains:
///
/// 1. Id of the chat.
/// 2. Id of the constructor session, in which a user of TamTam composes a message with the help of the bot.
/// 3. Id of the user.
///
/// All updates without these ids share one lane.
///
/// `Display` writes the key as `chat:5`, `session:abc`, `user:7` or `other`. The format does not change between
/// versions of this crate. So you can use the text as the partition key of a message queue.
///
/// ```
/// use tamtam::Update;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let json = r#"{"update_type":"bot_started","timestamp":1,"chat_id":5,
///     "user":{"user_id":7,"name":"A"}}"#;
/// let update: Update = serde_json::from_str(json)?;
/// assert_eq!(update.lane().to_string(), "chat:5");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lane(Reason);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Reason {
    Chat(ChatId),
    Session(SessionId),
    User(UserId),
    Other,
}

impl Update {
    /// Returns the [`Lane`] of the update. A lane is a group of updates that are handled in order, usually the updates
    /// of one chat.
    #[must_use]
    pub fn lane(&self) -> Lane {
        let chat = self.chat_id().map(Reason::Chat);
        let kind = chat.or_else(|| self.session_id().map(Reason::Session)).or_else(|| self.user_id().map(Reason::User));
        Lane(kind.unwrap_or(Reason::Other))
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Reason::Chat(chat) => write!(f, "chat:{chat}"),
            Reason::Session(session) => write!(f, "session:{session}"),
            Reason::User(user) => write!(f, "user:{user}"),
            Reason::Other => f.write_str("other"),
        }
    }
}

#[cfg(feature = "journal")]
impl Lane {
    /// Returns the lane of updates without an id.
    pub(crate) fn other() -> Self {
        Self(Reason::Other)
    }

    pub(crate) fn is_other(&self) -> bool {
        self.0 == Reason::Other
    }

    /// Parses the text that `Display` writes. `None` for any other text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let kind = match text.split_once(':') {
            Some(("chat", id)) => Reason::Chat(id.parse().ok()?),
            Some(("session", id)) => Reason::Session(id.into()),
            Some(("user", id)) => Reason::User(id.parse().ok()?),
            None if text == "other" => Reason::Other,
            _ => return None,
        };
        Some(Self(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lane_is_the_chat_else_the_session_else_the_user() {
        for (json, lane) in [
            (r#"{"update_type":"weather","chat_id":-5,"session_id":"s","user":{"user_id":7}}"#, "chat:-5"),
            (r#"{"update_type":"weather","session_id":"a:b","user":{"user_id":7}}"#, "session:a:b"),
            (r#"{"update_type":"weather","user":{"user_id":7}}"#, "user:7"),
            (r#"{"update_type":"weather"}"#, "other"),
        ] {
            let update: Update = serde_json::from_str(json).unwrap();
            assert_eq!(update.lane().to_string(), lane);
            #[cfg(feature = "journal")]
            assert_eq!(Lane::parse(lane), Some(update.lane()));
        }
    }

    #[cfg(feature = "journal")]
    #[test]
    fn other_text_is_not_a_lane() {
        for text in ["", "chat", "chat:", "chat:x", "user:", "others", "room:5"] {
            assert_eq!(Lane::parse(text), None, "{text}");
        }
    }
}
