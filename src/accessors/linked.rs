//! Accessors of linked messages: forwarded messages, and messages that a reply answers.

use super::{non_empty::non_empty, sender::sender_accessors};
use crate::api::types::{LinkedMessage, MessageLinkType};

impl LinkedMessage {
    /// Returns whether the other message forwards this message.
    #[must_use]
    pub fn is_forward(&self) -> bool {
        self.type_ == MessageLinkType::Forward
    }

    /// Returns whether the other message replies to this message.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.type_ == MessageLinkType::Reply
    }

    sender_accessors!();

    /// Returns the text. `None` if the text is missing or empty.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        non_empty(self.message.text.as_deref())
    }
}

/// Implements the accessors of a type with a method `link`.
macro_rules! link_accessors {
    () => {
        /// Returns the id of the chat that contains the forwarded message. Servers often omit this id.
        #[must_use]
        pub fn link_chat_id(&self) -> Option<crate::id::ChatId> {
            self.link()?.chat_id
        }

        /// Returns the id of the author of the message in [`link`](Self::link), which was forwarded or replied to.
        #[must_use]
        pub fn link_user_id(&self) -> Option<crate::id::UserId> {
            self.link()?.user_id()
        }

        /// Returns the display name of the author of the message in [`link`](Self::link).
        #[must_use]
        pub fn link_name(&self) -> Option<&str> {
            self.link()?.sender_name()
        }

        /// Returns the username of the author of the message in [`link`](Self::link), without `@`.
        #[must_use]
        pub fn link_username(&self) -> Option<&str> {
            self.link()?.sender_username()
        }

        /// Returns the text of the message in [`link`](Self::link).
        #[must_use]
        pub fn link_text(&self) -> Option<&str> {
            self.link()?.text()
        }
    };
}

pub(super) use link_accessors;
