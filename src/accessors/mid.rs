//! The id of a message, wherever it stands.

use crate::{
    api::types::{Message, SendMessageResult},
    id::MessageId,
};

impl Message {
    /// The id by which it is edited, deleted, forwarded and replied to; `None` if the server gave no body, as some do for
    /// a message that only forwards another.
    #[must_use]
    pub fn mid(&self) -> Option<&MessageId> {
        self.body.as_ref().map(|body| &body.mid)
    }
}

/// The message's id. Of a message [without one](Message::mid) it is empty, and no request with it is sent: the error
/// says so.
impl From<&Message> for MessageId {
    fn from(message: &Message) -> Self {
        message.mid().cloned().unwrap_or_else(|| Self(String::new()))
    }
}

/// As that of the [`Message`].
impl From<&Box<Message>> for MessageId {
    fn from(message: &Box<Message>) -> Self {
        (&**message).into()
    }
}

/// The id of the message that was sent.
impl From<&SendMessageResult> for MessageId {
    fn from(sent: &SendMessageResult) -> Self {
        (&sent.message).into()
    }
}
