//! The request that edits a message.

use std::{future::IntoFuture, pin::Pin};

use crate::{
    api::EditMessage,
    client::{bot::Bot, request::forward_call_options},
    compose::message::message_setters,
    error::Result,
    id::MessageId,
    upload::{Media, Upload, UploadMessage, Uploads},
};

/// Edits a message. Created by [`Bot::edit`].
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

    /// Adds an attachment that is uploaded before the message is edited.
    pub fn upload<M: Media>(mut self, upload: Upload<M>) -> Self {
        self.uploads.push(upload);
        self
    }

    /// Removes all attachments of the message, including the keyboard.
    pub fn no_attachments(mut self) -> Self {
        self.request.body = self.request.body.no_attachments();
        self
    }

    /// Uploads the files, one after another, and edits the message. Awaiting the value does the same.
    ///
    /// While the server processes an uploaded file, the edit is retried.
    ///
    /// # Errors
    ///
    /// As [`Upload::send`]: then the message is not edited. Otherwise as
    /// [`Api::edit_message`](crate::api::Api::edit_message).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, finished uploads are lost, and the message may have been edited.
    pub async fn send(self) -> Result<()> {
        let Self { mut request, uploads } = self;
        request.body = uploads.attach_to(request.body).await?;
        request.send().await
    }
}

message_setters!(EditRequest, request.body);
forward_call_options!(EditRequest, "`true`");

impl IntoFuture for EditRequest {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        // Without uploads, the future is smaller.
        if self.uploads.is_empty() { self.request.into_future() } else { Box::pin(self.send()) }
    }
}
