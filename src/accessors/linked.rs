//! The message that another forwards or answers.

use super::{sender::sender_accessors, text::non_empty};
use crate::api::types::{LinkedMessage, MessageLinkType};

impl LinkedMessage {
    /// Whether the message is forwarded.
    #[must_use]
    pub fn is_forward(&self) -> bool {
        self.type_ == MessageLinkType::Forward
    }

    /// Whether the message is answered.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.type_ == MessageLinkType::Reply
    }

    sender_accessors!();

    /// Its text, if it has any.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        non_empty(self.message.text.as_deref())
    }
}

/// The accessors of what has a `link()`.
macro_rules! link_accessors {
    () => {
        /// The chat from which its message is forwarded; often not told.
        #[must_use]
        pub fn link_chat_id(&self) -> Option<crate::id::ChatId> {
            self.link()?.chat_id
        }

        /// Who wrote the message that is forwarded or answered.
        #[must_use]
        pub fn link_user_id(&self) -> Option<crate::id::UserId> {
            self.link()?.user_id()
        }

        /// The name of who wrote the message that is forwarded or answered.
        #[must_use]
        pub fn link_name(&self) -> Option<&str> {
            self.link()?.sender_name()
        }

        /// The username of who wrote the message that is forwarded or answered, without the `@`.
        #[must_use]
        pub fn link_username(&self) -> Option<&str> {
            self.link()?.sender_username()
        }

        /// The text of the message that is forwarded or answered.
        #[must_use]
        pub fn link_text(&self) -> Option<&str> {
            self.link()?.text()
        }
    };
}

pub(super) use link_accessors;
