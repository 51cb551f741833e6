//! The message that another forwards or answers.

use super::said;
use crate::{
    UserId,
    types::{LinkedMessage, MessageLinkType},
};

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

    /// Who wrote it; `None` of a post in a channel.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        Some(self.sender.as_ref()?.user_id)
    }

    /// The name of who wrote it.
    #[must_use]
    pub fn sender_name(&self) -> Option<&str> {
        Some(&self.sender.as_ref()?.name)
    }

    /// The username of who wrote it, without the `@`.
    #[must_use]
    pub fn sender_username(&self) -> Option<&str> {
        self.sender.as_ref()?.username.as_deref()
    }

    /// Its text, if it has any.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        said(self.message.text.as_deref())
    }
}

/// The accessors of what has a `link()`.
macro_rules! link_accessors {
    () => {
        /// The chat from which its message is forwarded; often not told.
        #[must_use]
        pub fn link_chat_id(&self) -> Option<crate::ChatId> {
            self.link()?.chat_id
        }

        /// Who wrote the message that is forwarded or answered.
        #[must_use]
        pub fn link_user_id(&self) -> Option<crate::UserId> {
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
