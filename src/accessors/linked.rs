//! Accessors of linked messages: forwarded messages, and messages that were replied to.

use super::{non_empty::non_empty, sender::sender_accessors};
use crate::api::types::{LinkedMessage, MessageLinkType};

impl LinkedMessage {
    /// Returns whether the reference is a forward of the original message.
    #[must_use]
    pub fn is_forward(&self) -> bool {
        self.type_ == MessageLinkType::Forward
    }

    /// Returns whether the reference is a reply to the original message.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.type_ == MessageLinkType::Reply
    }

    sender_accessors!();

    /// Returns the text of the original message. `None` if the text is missing or empty.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        non_empty(self.message.text.as_deref())
    }
}

/// Implements the accessors of a type with a method `link`.
macro_rules! link_accessors {
    () => {
        /// Returns the id of the chat of the original message. `None` if the message is not a forward, or if the server
        /// omits the id. Servers often omit the id.
        #[must_use]
        pub fn link_chat_id(&self) -> Option<crate::id::ChatId> {
            self.link()?.chat_id
        }

        /// Returns the id of the sender of the original message. `None` if the message is neither a forward nor a
        /// reply, or if the id is missing.
        #[must_use]
        pub fn link_user_id(&self) -> Option<crate::id::UserId> {
            self.link()?.user_id()
        }

        /// Returns the display name of the sender of the original message. `None` if the message is neither a forward
        /// nor a reply, or if the name is missing or empty.
        #[must_use]
        pub fn link_name(&self) -> Option<&str> {
            self.link()?.sender_name()
        }

        /// Returns the username, without `@`, of the sender of the original message. `None` if the message is neither a
        /// forward nor a reply, or if the username is missing.
        #[must_use]
        pub fn link_username(&self) -> Option<&str> {
            self.link()?.sender_username()
        }

        /// Returns the text of the original message. `None` if the message is neither a forward nor a reply, or if the
        /// text is missing or empty.
        #[must_use]
        pub fn link_text(&self) -> Option<&str> {
            self.link()?.text()
        }
    };
}

pub(super) use link_accessors;
