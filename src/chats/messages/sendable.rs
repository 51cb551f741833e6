//! The trait of everything that can be sent as a message.

use crate::{
    api::types::NewMessageBody,
    upload::{Media, Upload, UploadMessage},
};

/// A value that can be sent as a message. [`Bot::send`](crate::Bot::send), [`Bot::reply`](crate::Bot::reply) and
/// [`Bot::edit`](crate::Bot::edit) accept this value.
///
/// This trait is sealed: other crates cannot implement it. The trait is implemented for these types:
///
/// - [`NewMessageBody`]
/// - types that convert into a `NewMessageBody`, such as `&str`, `String`, [`Text`](crate::text::Text) and
///   [`AttachmentRequest`](crate::AttachmentRequest)
/// - [`Upload`] and [`UploadMessage`], whose files are uploaded before the message is sent or edited
///
/// ```
/// use tamtam::{Bot, UserId, request::Sendable};
///
/// async fn send_to_owner(bot: &Bot, message: impl Sendable) -> tamtam::Result<()> {
///     bot.send(UserId(7), message).notify(false).await.map(drop)
/// }
/// # let _ = send_to_owner(&Bot::max("token").unwrap(), "Hello");
/// ```
pub trait Sendable: sealed::Sendable {}

pub(crate) mod sealed {
    use crate::upload::UploadMessage;

    pub trait Sendable {
        fn into_message(self) -> UploadMessage;
    }
}

impl<T: Into<NewMessageBody>> Sendable for T {}

impl<T: Into<NewMessageBody>> sealed::Sendable for T {
    fn into_message(self) -> UploadMessage {
        UploadMessage::from_body(self.into())
    }
}

impl Sendable for UploadMessage {}

impl sealed::Sendable for UploadMessage {
    fn into_message(self) -> UploadMessage {
        self
    }
}

impl<M: Media> Sendable for Upload<M> {}

impl<M: Media> sealed::Sendable for Upload<M> {
    fn into_message(self) -> UploadMessage {
        NewMessageBody::new().upload(self)
    }
}
