//! Messages with attachments that are uploaded when the message is sent.

use std::fmt;

use super::{media::Media, request::Upload};
use crate::{
    api::types::{AttachmentRequest, NewMessageBody},
    client::{
        bot::Bot,
        request::{Request, check_for},
        sync_future::{SyncFuture, sync_future},
    },
    compose::message::message_setters,
    error::Result,
    id::IntoMessageId,
};

/// A message with files to upload. The files are uploaded before the message is sent or edited. Created by
/// [`Upload::text`] and [`NewMessageBody::upload`].
///
/// [`Bot::send`](crate::Bot::send), [`Bot::reply`](crate::Bot::reply) and [`Bot::edit`](crate::Bot::edit) accept an
/// `UploadMessage` like any other message. The files are uploaded one after another. If an upload fails, no message is
/// sent or edited.
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

    /// Adds an upload. The file is uploaded before the message is sent. In the message, uploaded attachments come
    /// last. The order of the calls does not matter.
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

    /// Uploads the files, one after another, and attaches them to the message of a request. `body` returns this
    /// message.
    ///
    /// An invalid request fails before its files are uploaded.
    pub(crate) async fn attach_to<R: Request + Clone>(
        self,
        bot: &Bot,
        mut request: R,
        body: fn(&mut R) -> &mut NewMessageBody,
    ) -> Result<R> {
        let attach = |request: &mut R, attachment: AttachmentRequest| {
            body(request).attachments.get_or_insert_default().push(attachment);
        };
        if !self.is_empty() {
            let mut complete = request.clone();
            self.0.iter().for_each(|_| attach(&mut complete, AttachmentRequest::photo_token("placeholder")));
            check_for(complete, bot.service())?;
        }
        for upload in self.0 {
            attach(&mut request, upload.into_inner().await?);
        }
        Ok(request)
    }
}

impl fmt::Debug for Uploads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uploads({})", self.0.len())
    }
}

impl NewMessageBody {
    /// Adds an upload. When the message is sent, the file is uploaded first. In the message, uploaded attachments come
    /// after the other attachments.
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
    /// Returns a message with a text and this upload. `text`: A string, or another value that converts into a
    /// [`NewMessageBody`].
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
