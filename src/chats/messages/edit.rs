//! The request that edits a message.

use std::{future::IntoFuture, pin::Pin};

use crate::{
    api::EditMessage,
    client::{bot::Bot, request::call_options},
    compose::message::message_setters,
    error::Result,
    id::MessageId,
    upload::{Media, Upload, UploadMessage, Uploads},
};

/// A request that edits a message. Created by [`Bot::edit`].
///
/// If the request has attachments, uploads or a keyboard, they replace all attachments of the message, including its
/// keyboard. Otherwise, the message keeps its attachments. To remove all attachments, call
/// [`no_attachments`](Self::no_attachments). A keyboard without buttons is not added, but the old
/// attachments are still removed.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let max = tamtam_sandbox::Sandbox::max().await;
/// # let (bot, alice) = (max.bot(), max.user("Alice"));
/// # alice.starts();
/// use tamtam::{Button, Keyboard};
///
/// let sent = bot.send(alice.user_id(), "Tea?").await?;
/// let keyboard = Keyboard::column(Button::callback("Yes, please", "tea"));
/// bot.edit(&sent, "Tea or coffee?").keyboard(keyboard).await?;
/// # alice.presses("Yes, please");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct EditRequest {
    request: EditMessage,
    uploads: Uploads,
}

impl EditRequest {
    pub(crate) fn new(bot: &Bot, message: MessageId, new: UploadMessage) -> Self {
        let UploadMessage { body, uploads } = new;
        Self { request: bot.api().edit_message(message, body), uploads }
    }

    /// Adds an attachment that is uploaded before the message is edited. In the message, uploaded attachments come
    /// after all other attachments.
    ///
    /// [`request_timeout`](Self::request_timeout), [`idempotent`](Self::idempotent) and [`no_retry`](Self::no_retry)
    /// apply to the request that edits the message, but not to the upload.
    pub fn upload<M: Media>(mut self, upload: Upload<M>) -> Self {
        self.uploads.push(upload);
        self
    }

    /// Removes all attachments of the message, including the keyboard. Also removes the attachments and uploads that
    /// you have already added to this request.
    pub fn no_attachments(mut self) -> Self {
        self.request.body = self.request.body.no_attachments();
        self.uploads = Uploads::default();
        self
    }

    /// Uploads the files, one after another, and then edits the message. `request.await` is a shorter form of
    /// `request.send().await`.
    ///
    /// The server processes the uploaded files before it edits the message. Until the files are ready, the bot retries
    /// the request, but not the uploads. The time limit of these retries is
    /// [`RetryPolicy::attachment_budget`](crate::settings::RetryPolicy::attachment_budget) (60 s by default). With
    /// [`no_retry`](Self::no_retry), the request fails if the files are not ready.
    ///
    /// # Errors
    ///
    /// If an upload fails, returns the errors of [`Upload::send`], and does not edit the message. If the message cannot
    /// be edited, returns the errors of [`Api::edit_message`](crate::api::Api::edit_message).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the server may already have edited the message. If you repeat the call, the
    /// files are uploaded again.
    pub async fn send(self) -> Result<()> {
        let Self { request, uploads } = self;
        let bot = request.bot.clone();
        uploads.attach_to(&bot, request, |request| &mut request.body).await?.send().await
    }
}

message_setters!(EditRequest, request.body);
call_options!(
    EditRequest,
    request.options,
    "`true`, because applying the request twice has the same effect as applying it once."
);

impl IntoFuture for EditRequest {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        // Without uploads, the future is smaller.
        if self.uploads.is_empty() { self.request.into_future() } else { Box::pin(self.send()) }
    }
}
