//! Messages with attachments that are uploaded when the message is sent.

use std::fmt;

use super::{media::Media, request::Upload};
use crate::{
    api::types::{AttachmentRequest, NewMessageBody},
    client::sync_future::{SyncFuture, sync_future},
    compose::message::message_setters,
    error::Result,
    id::IntoMessageId,
};

/// A message with attachments that are uploaded when the message is sent. Created by [`Upload::text`] and
/// [`NewMessageBody::upload`].
///
/// [`Bot::send`](crate::Bot::send), [`Bot::reply`](crate::Bot::reply) and [`Bot::edit`](crate::Bot::edit) take it like any
/// other message.
#[derive(Debug)]
#[must_use = "a message does nothing until it is sent"]
pub struct UploadMessage {
    pub(crate) body: NewMessageBody,
    pub(crate) uploads: Uploads,
}

impl UploadMessage {
    /// Wraps a message without uploads.
    pub(crate) fn from_body(body: NewMessageBody) -> Self {
        Self { body, uploads: Uploads::default() }
    }

    /// Adds an attachment that is uploaded when the message is sent, after the attachments of the message.
    pub fn upload<M: Media>(mut self, upload: Upload<M>) -> Self {
        self.uploads.push(upload);
        self
    }
}

message_setters!(UploadMessage, body);
message_setters!(UploadMessage, body, link);

/// The uploads of a message, in order.
#[derive(Default)]
pub(crate) struct Uploads(Vec<SyncFuture<Result<AttachmentRequest>>>);

impl Uploads {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push<M: Media>(&mut self, upload: Upload<M>) {
        self.0.push(sync_future(async { upload.send().await.map(Into::into) }));
    }

    /// Uploads the files, one after another, and attaches them to a message.
    pub(crate) async fn attach_to(self, mut body: NewMessageBody) -> Result<NewMessageBody> {
        for upload in self.0 {
            body = body.attach(upload.into_inner().await?);
        }
        Ok(body)
    }
}

impl fmt::Debug for Uploads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uploads({})", self.0.len())
    }
}

impl NewMessageBody {
    /// Adds an attachment after the other attachments. The crate uploads the file when it sends the message.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// use tamtam::NewMessageBody;
    ///
    /// let (front, back) = (bot.upload_photo(vec![1]), bot.upload_photo(vec![2]));
    /// let both = NewMessageBody::markdown("**Both** sides").upload(front).upload(back);
    /// bot.send(alice.chat_id(), both).await?;
    /// # assert_eq!(alice.reads().await.attachments().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload<M: Media>(self, upload: Upload<M>) -> UploadMessage {
        UploadMessage::from_body(self).upload(upload)
    }
}

impl<M: Media> Upload<M> {
    /// Makes a message of this upload and a text, or of anything that converts into a [`NewMessageBody`].
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// use tamtam::{Button, Keyboard};
    ///
    /// let keyboard = Keyboard::column(Button::callback("Like", "like"));
    /// let cat = bot.upload_photo(b"a picture").text("My cat").keyboard(keyboard);
    /// bot.send(alice.chat_id(), cat).await?;
    /// # alice.presses("Like");
    /// # Ok(())
    /// # }
    /// ```
    pub fn text(self, text: impl Into<NewMessageBody>) -> UploadMessage {
        text.into().upload(self)
    }
}
