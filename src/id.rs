//! Typed ids, so that the id of a chat cannot be used as the id of a user.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl From<i64> for $name {
            fn from(id: i64) -> Self {
                Self(id)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Returns the id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                Self(id.to_owned())
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self(text.to_owned()))
            }
        }
    };
}

number_id! {
    /// The id of a chat: a dialog, a group or a channel. The id is positive for dialogs, and negative for groups and
    /// channels.
    ///
    /// A dialog is the chat of one user with the bot. The id of a dialog is not the [`UserId`] of the user.
    ///
    /// ```
    /// use tamtam::ChatId;
    ///
    /// let team: ChatId = "-1234567890".parse()?;
    /// assert_eq!(team, ChatId(-1_234_567_890));
    /// # Ok::<_, std::num::ParseIntError>(())
    /// ```
    ChatId
}

number_id! {
    /// The id of a user: a person or a bot. To send a message to a user, pass the id to
    /// [`Bot::send`](crate::Bot::send).
    ///
    /// ```
    /// use tamtam::UserId;
    ///
    /// let owner = UserId(42);
    /// assert_eq!(owner.to_string(), "42");
    /// assert_eq!(i64::from(owner), 42);
    /// ```
    UserId
}

text_id! {
    /// The id of a message (`mid` in the API), unique across all chats. Do not parse the id, because its format has
    /// changed before.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let (bot, alice) = (max.bot(), max.user("Alice"));
    /// # alice.starts();
    /// use tamtam::MessageId;
    ///
    /// let sent = bot.send(alice.user_id(), "Helo").await?;
    /// let mid = MessageId::from(&sent); // Store the id, for example in a database.
    /// bot.edit(&mid, "Hello").await?;
    /// # assert_eq!(alice.sees(), ["Hello"]);
    /// # Ok(())
    /// # }
    /// ```
    MessageId
}

text_id! {
    /// The id of a callback. A callback is a press of a callback button
    /// ([`CallbackButton`](crate::types::CallbackButton)). [`Bot::answer`](crate::Bot::answer) needs the id to answer
    /// the callback.
    CallbackId
}

text_id! {
    /// The id of a constructor session. A constructor is a window in which a user of TamTam composes a message with the
    /// help of the bot. To set the content of the constructor, pass the id to
    /// [`Bot::construct`](crate::Bot::construct).
    SessionId
}

/// A value that identifies a message. Methods such as [`Bot::edit`](crate::Bot::edit) and
/// [`Bot::delete`](crate::Bot::delete) accept this value.
///
/// Implemented for [`MessageId`], [`Message`](crate::Message), `Box<Message>` and
/// [`SendMessageResult`](crate::types::SendMessageResult) (the result of [`Bot::send`](crate::Bot::send)), by value
/// and by reference. Also implemented for a message id as `String`, `&String` or `&str`. This trait is sealed: other
/// crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a message",
    label = "expected the id of a message, a `&Message`, or the result of `bot.send(..)`",
    note = "the id of a message is a text, such as `mid.1`: see `Message::mid`"
)]
pub trait IntoMessageId: Into<MessageId> + sealed::MessageId {}

pub(crate) mod sealed {
    pub trait MessageId {}
}

macro_rules! into_message_id {
    ($($name:ty)*) => {
        $(
            impl $crate::id::IntoMessageId for $name {}
            impl $crate::id::sealed::MessageId for $name {}
        )*
    };
}
pub(crate) use into_message_id;

impl From<&String> for MessageId {
    fn from(id: &String) -> Self {
        Self(id.clone())
    }
}

into_message_id! { MessageId &MessageId String &String &str }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_format_of_the_api() {
        assert_eq!(serde_json::to_string(&ChatId(-7)).unwrap(), "-7");
        assert_eq!(serde_json::from_str::<MessageId>("\"mid.1\"").unwrap(), MessageId::from("mid.1"));
        assert_eq!("-9223372036854775808".parse::<ChatId>().unwrap(), ChatId(i64::MIN));
        assert_eq!(UserId(5).to_string(), "5");
        assert!("x".parse::<UserId>().is_err());
    }
}
