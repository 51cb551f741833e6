//! Messages whose attachments are uploaded when they are sent.

use std::{fmt, future::IntoFuture, pin::Pin};

use super::{media::Media, request::Upload};
use crate::{
    api::{
        EditMessage, SendMessage,
        types::{AttachmentRequest, NewMessageBody, NewMessageLink, SendMessageResult},
    },
    client::bot::{Bot, Target},
    error::Result,
    id::MessageId,
};

/// A message with attachments that are uploaded when it is sent. Created by [`NewMessageBody::upload`] or
/// [`Upload::text`].
///
/// [`Bot::send`], [`Bot::reply`] and [`Bot::edit`] accept it like any other message.
#[must_use = "a message does nothing until it is sent"]
pub struct UploadMessage {
    body: NewMessageBody,
    uploads: Vec<Pin<Box<dyn Future<Output = Result<AttachmentRequest>> + Send>>>,
}

impl UploadMessage {
    /// Adds an attachment to upload, after the existing attachments.
    pub fn upload<M: Media>(mut self, upload: Upload<M>) -> Self {
        self.uploads.push(Box::pin(async { upload.send().await.map(Into::into) }));
        self
    }

    /// Uploads the attachments one after another, and returns the message.
    async fn body(self) -> Result<NewMessageBody> {
        let mut body = self.body;
        for upload in self.uploads {
            body = body.attach(upload.await?);
        }
        Ok(body)
    }
}

impl fmt::Debug for UploadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadMessage").field("body", &self.body).field("uploads", &self.uploads.len()).finish()
    }
}

impl NewMessageBody {
    /// Adds an attachment that is uploaded when the message is sent, after the existing attachments.
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
    /// let (front, back) = (vec![1], vec![2]);
    /// let both = NewMessageBody::markdown("**Both** sides")
    ///     .upload(bot.upload_photo(front))
    ///     .upload(bot.upload_photo(back));
    /// bot.send(alice.chat_id(), both).await?;
    /// # assert_eq!(alice.reads().await.attachments().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload<M: Media>(self, upload: Upload<M>) -> UploadMessage {
        UploadMessage { body: self, uploads: Vec::new() }.upload(upload)
    }
}

impl<M: Media> Upload<M> {
    /// Creates a message with a text and this upload. `text` can also be a [`Text`](crate::text::Text), or a
    /// [`NewMessageBody`], for example with a keyboard.
    pub fn text(self, text: impl Into<NewMessageBody>) -> UploadMessage {
        text.into().upload(self)
    }
}

/// A type that can be sent as a message. [`Bot::send`] and [`Bot::reply`] return its `Request`, and [`Bot::edit`]
/// returns its `Edit`:
///
/// - A type that converts into a [`NewMessageBody`], such as a text: [`SendMessage`] and [`EditMessage`].
/// - An [`Upload`] or an [`UploadMessage`]: [`SendUploads`] and [`EditUploads`].
///
/// This trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a message",
    note = "send a text, a `NewMessageBody`, or an upload such as `bot.upload_photo(..)`"
)]
pub trait Sendable: sealed::Sendable {}

mod sealed {
    use crate::{
        api::types::NewMessageLink,
        client::bot::{Bot, Target},
        id::MessageId,
    };

    pub trait Sendable {
        /// The request that sends the message.
        type Request;
        /// The request that edits an existing message.
        type Edit;

        /// Creates the request to a target, with a link to another message. Both are optional.
        fn request(self, bot: &Bot, target: Option<Target>, link: Option<NewMessageLink>) -> Self::Request;

        /// Creates the request that edits `message`.
        fn edit(self, bot: &Bot, message: MessageId) -> Self::Edit;
    }
}

impl<T: Into<NewMessageBody>> Sendable for T {}

impl<T: Into<NewMessageBody>> sealed::Sendable for T {
    type Request = SendMessage;
    type Edit = EditMessage;

    fn request(self, bot: &Bot, target: Option<Target>, link: Option<NewMessageLink>) -> SendMessage {
        let body = self.into();
        let request = bot.api().send_message(match link {
            Some(link) => body.link(link),
            None => body,
        });
        match target {
            Some(Target::Chat(chat)) => request.chat_id(chat),
            Some(Target::User(user)) => request.user_id(user),
            // Without a target, the check before sending fails.
            None => request,
        }
    }

    fn edit(self, bot: &Bot, message: MessageId) -> EditMessage {
        bot.api().edit_message(message, self)
    }
}

impl Sendable for UploadMessage {}

impl sealed::Sendable for UploadMessage {
    type Request = SendUploads;
    type Edit = EditUploads;

    fn request(mut self, bot: &Bot, target: Option<Target>, link: Option<NewMessageLink>) -> SendUploads {
        self.body.link = link.or(self.body.link);
        SendUploads { bot: bot.clone(), target, message: self, disable_link_preview: None }
    }

    fn edit(self, bot: &Bot, message: MessageId) -> EditUploads {
        EditUploads { bot: bot.clone(), message, new: self }
    }
}

impl<M: Media> Sendable for Upload<M> {}

impl<M: Media> sealed::Sendable for Upload<M> {
    type Request = SendUploads;
    type Edit = EditUploads;

    fn request(self, bot: &Bot, target: Option<Target>, link: Option<NewMessageLink>) -> SendUploads {
        NewMessageBody::new().upload(self).request(bot, target, link)
    }

    fn edit(self, bot: &Bot, message: MessageId) -> EditUploads {
        NewMessageBody::new().upload(self).edit(bot, message)
    }
}

/// A request that uploads the attachments of a message one after another, and sends the message. Created by
/// [`Bot::send`] and [`Bot::reply`].
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct SendUploads {
    bot: Bot,
    target: Option<Target>,
    message: UploadMessage,
    disable_link_preview: Option<bool>,
}

impl SendUploads {
    /// Sets whether the members of the chat are notified. Defaults to `true`. `false` sends the message silently.
    pub fn notify(mut self, notify: bool) -> Self {
        self.message.body.notify = Some(notify);
        self
    }

    /// Disables the preview of links in the text, if `true`.
    pub fn disable_link_preview(mut self, disable_link_preview: bool) -> Self {
        self.disable_link_preview = Some(disable_link_preview);
        self
    }

    /// Uploads the attachments and sends the message; `.await` on the request itself does the same. Sending is retried
    /// until the service has processed the media.
    ///
    /// # Errors
    ///
    /// As [`Upload::send`]: then no message is sent. After all uploads, as
    /// [`Api::send_message`](crate::api::Api::send_message).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the request: the uploaded files are lost, and the message may already be sent.
    pub async fn send(self) -> Result<SendMessageResult> {
        let body = self.message.body().await?;
        let request = sealed::Sendable::request(body, &self.bot, self.target, None);
        match self.disable_link_preview {
            Some(disable) => request.disable_link_preview(disable),
            None => request,
        }
        .await
    }
}

impl IntoFuture for SendUploads {
    type Output = Result<SendMessageResult>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// A request that uploads the new attachments of a message one after another, and edits the message. Created by
/// [`Bot::edit`].
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct EditUploads {
    bot: Bot,
    message: MessageId,
    new: UploadMessage,
}

impl EditUploads {
    /// Uploads the attachments and edits the message; `.await` on the request itself does the same. The edit is retried
    /// until the service has processed the media.
    ///
    /// # Errors
    ///
    /// As [`Upload::send`]: then the message is not edited. After all uploads, as
    /// [`Api::edit_message`](crate::api::Api::edit_message).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the request: the uploaded files are lost, and the message may already be edited.
    pub async fn send(self) -> Result<()> {
        let new = self.new.body().await?;
        self.bot.api().edit_message(self.message, new).await
    }
}

impl IntoFuture for EditUploads {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
