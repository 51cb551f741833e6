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

/// A message with attachments that have yet to be uploaded, made by [`NewMessageBody::upload`] or [`Upload::text`].
///
/// [`Bot::send`], [`Bot::reply`] and [`Bot::edit`] take it as any other message.
#[must_use = "a message does nothing until it is sent"]
pub struct UploadMessage {
    body: NewMessageBody,
    uploads: Vec<Pin<Box<dyn Future<Output = Result<AttachmentRequest>> + Send>>>,
}

impl UploadMessage {
    /// Adds another attachment to upload, behind those that are there.
    pub fn upload<M: Media>(mut self, upload: Upload<M>) -> Self {
        self.uploads.push(Box::pin(async { upload.send().await.map(Into::into) }));
        self
    }

    /// The message when all is uploaded, one after another.
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
    /// Adds an attachment that is uploaded when the message is sent, behind those that are there.
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
    /// let both = NewMessageBody::markdown("**Both** sides").upload(bot.upload_photo(front)).upload(bot.upload_photo(back));
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
    /// A message with this upload and a text, or whatever makes a message: a [`Text`](crate::text::Text), or a
    /// [`NewMessageBody`] with a keyboard, to which the upload is added.
    pub fn text(self, text: impl Into<NewMessageBody>) -> UploadMessage {
        text.into().upload(self)
    }
}

/// What can be sent as a message. Its `Request` is what [`Bot::send`] and [`Bot::reply`] return, its `Edit` what
/// [`Bot::edit`] does.
///
/// - Whatever makes a [`NewMessageBody`], such as a text: by a [`SendMessage`] or an [`EditMessage`].
/// - An [`Upload`], or an [`UploadMessage`]: by a [`SendUploads`] or an [`EditUploads`].
///
/// Nobody else implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent as a message",
    note = "texts, `NewMessageBody`, `bot.upload_photo(..)` and its like can"
)]
pub trait Sendable: sealed::Sendable {}

mod sealed {
    use crate::{
        api::types::NewMessageLink,
        client::bot::{Bot, Target},
        id::MessageId,
    };

    pub trait Sendable {
        /// The request that sends it: set what is optional, then `.await` or `.send()` it.
        type Request;
        /// The request that makes a message that is there into it.
        type Edit;

        /// The request, to a target if there is one, and as a link to another message if there is one.
        fn request(self, bot: &Bot, target: Option<Target>, link: Option<NewMessageLink>) -> Self::Request;

        /// The request that makes this message into it.
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
            // The check before sending says so.
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

/// Uploads what a message attaches, one after another, and sends it; made by [`Bot::send`] and [`Bot::reply`].
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct SendUploads {
    bot: Bot,
    target: Option<Target>,
    message: UploadMessage,
    disable_link_preview: Option<bool>,
}

impl SendUploads {
    /// Whether the members of the chat are notified of the message; `false` sends it silently.
    pub fn notify(mut self, notify: bool) -> Self {
        self.message.body.notify = Some(notify);
        self
    }

    /// `true` keeps the server from adding a preview of the links in the text.
    pub fn disable_link_preview(mut self, disable_link_preview: bool) -> Self {
        self.disable_link_preview = Some(disable_link_preview);
        self
    }

    /// Uploads and sends; `.await` on the request itself does the same. Until the media is processed, sending is repeated.
    ///
    /// # Errors
    ///
    /// As [`Upload::send`], and then nothing is sent; as [`Api::send_message`](crate::api::Api::send_message) when all is
    /// uploaded.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons it: what was uploaded is lost, and the message may have been sent already.
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

/// Uploads what a message is to have instead of its attachments, one after another, and edits it; made by [`Bot::edit`].
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct EditUploads {
    bot: Bot,
    message: MessageId,
    new: UploadMessage,
}

impl EditUploads {
    /// Uploads and edits; `.await` on the request itself does the same. Until the media is processed, the edit is
    /// repeated.
    ///
    /// # Errors
    ///
    /// As [`Upload::send`], and then nothing is edited; as [`Api::edit_message`](crate::api::Api::edit_message) when all is
    /// uploaded.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons it: what was uploaded is lost, and the message may have been edited already.
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
