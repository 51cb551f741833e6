//! The id of a message, and conversions into it.

use crate::{
    api::types::{Message, SendMessageResult},
    id::{MessageId, into_message_id},
};

impl Message {
    /// Returns the id of the message. Use the id to edit, delete, forward or reply to the message.
    ///
    /// `None` if the message has no body.
    #[must_use]
    pub fn mid(&self) -> Option<&MessageId> {
        self.body.as_ref().map(|body| &body.mid)
    }
}

/// Returns the id of the message. Empty if the message [has no id](Message::mid). A request with an empty id fails
/// before it is sent.
impl From<&Message> for MessageId {
    fn from(message: &Message) -> Self {
        message.mid().cloned().unwrap_or_else(|| Self(String::new()))
    }
}

/// Returns the id of the message. Empty if the message [has no id](Message::mid).
impl From<&Box<Message>> for MessageId {
    fn from(message: &Box<Message>) -> Self {
        (&**message).into()
    }
}

/// Returns the id of the sent message.
impl From<&SendMessageResult> for MessageId {
    fn from(sent: &SendMessageResult) -> Self {
        (&sent.message).into()
    }
}

/// Implements the conversions of values by the conversions of references.
macro_rules! by_value {
    ($($name:ty)*) => {
        $(
            impl From<$name> for MessageId {
                fn from(message: $name) -> Self {
                    (&message).into()
                }
            }
        )*
    };
}

by_value! { Message Box<Message> SendMessageResult }
into_message_id! {
    Message &Message Box<Message> &Box<Message> SendMessageResult &SendMessageResult
}
