//! The request that sends a message.

use std::{future::IntoFuture, pin::Pin};

use crate::{
    api::{
        SendMessage,
        types::{NewMessageBody, SendMessageResult},
    },
    chats::target::Target,
    client::{bot::Bot, request::call_options},
    compose::message::message_setters,
    error::Result,
    id::IntoMessageId,
    upload::{Media, Upload, UploadMessage, Uploads},
};

/// A request that sends a message. Created by [`Bot::send`], [`Bot::reply`] and [`Bot::forward`].
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let max = tamtam_sandbox::Sandbox::max().await;
/// # let (bot, alice) = (max.bot(), max.user("Alice"));
/// # alice.starts();
/// # let sent = bot.send(alice.user_id(), "A question").await?;
/// # let cat = b"a picture";
/// use tamtam::{Button, Keyboard};
///
/// bot.send(alice.user_id(), "My cat. Like it?")
///     .upload(bot.upload_photo(cat))
///     .keyboard(Keyboard::column(Button::callback("Yes", "yes")))
///     .reply_to(&sent)
///     .notify(false)
///     .await?;
/// # assert_eq!(alice.sees().len(), 2);
/// # alice.presses("Yes");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct SendRequest {
    request: SendMessage,
    uploads: Uploads,
}

/// Returns the request of a message to a target. Without a target, the check before sending reports it.
pub(super) fn request(bot: &Bot, target: Option<Target>, body: NewMessageBody) -> SendMessage {
    let request = bot.api().send_message(body);
    match target {
        Some(Target::Chat(chat)) => request.chat_id(chat),
        Some(Target::User(user)) => request.user_id(user),
        None => request,
    }
}

impl SendRequest {
    pub(crate) fn new(bot: &Bot, target: Option<Target>, message: UploadMessage) -> Self {
        let UploadMessage { body, uploads } = message;
        Self { request: request(bot, target, body), uploads }
    }

    /// Adds an attachment that is uploaded before the message is sent. In the message, uploaded attachments come after
    /// all other attachments.
    ///
    /// [`request_timeout`](Self::request_timeout), [`idempotent`](Self::idempotent) and [`no_retry`](Self::no_retry)
    /// apply to the request that sends the message, but not to the upload.
    pub fn upload<M: Media>(mut self, upload: Upload<M>) -> Self {
        self.uploads.push(upload);
        self
    }

    /// Sets whether to hide the previews of the links in the text. Defaults to `false`.
    pub fn disable_link_preview(mut self, disable_link_preview: bool) -> Self {
        self.request = self.request.disable_link_preview(disable_link_preview);
        self
    }

    /// Uploads the files, one after another, and then sends the message. `request.await` is a shorter form of
    /// `request.send().await`.
    ///
    /// The server processes the uploaded files before it posts the message. Until the files are ready, the bot retries
    /// the request, but not the uploads. The time limit of these retries is
    /// [`RetryPolicy::attachment_budget`](crate::settings::RetryPolicy::attachment_budget) (60 s by default). With
    /// [`no_retry`](Self::no_retry), the request fails if the files are not ready.
    ///
    /// # Errors
    ///
    /// If an upload fails, returns the errors of [`Upload::send`], and sends no message. If the message cannot be sent,
    /// returns the errors of [`Api::send_message`](crate::api::Api::send_message).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the server may already have posted the message. If you repeat the call, the
    /// files are uploaded again.
    pub async fn send(self) -> Result<SendMessageResult> {
        let Self { request, uploads } = self;
        let bot = request.bot.clone();
        uploads.attach_to(&bot, request, |request| &mut request.body).await?.send().await
    }
}

message_setters!(SendRequest, request.body);
message_setters!(SendRequest, request.body, link);
call_options!(SendRequest, request.options, "`false`. With `true`, the server may apply the request twice.");

impl IntoFuture for SendRequest {
    type Output = Result<SendMessageResult>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        // Without uploads, the future is smaller.
        if self.uploads.is_empty() { self.request.into_future() } else { Box::pin(self.send()) }
    }
}
