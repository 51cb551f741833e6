//! Callbacks: the payload of a pressed button, and the answer to it.

use serde::de::DeserializeOwned;

use crate::{
    api::{
        AnswerOnCallback,
        types::{Callback, CallbackAnswer, MessageCallbackUpdate, NewMessageBody},
    },
    client::bot::Bot,
    compose::json_field,
    error::Result,
    id::CallbackId,
};

impl Callback {
    /// Returns the value that the bot passed to [`Button::callback_with`](crate::Button::callback_with). If the button
    /// may have no payload, use an `Option` as `T`.
    ///
    /// # Errors
    ///
    /// If the payload is not JSON of type `T` ([`Payload`](crate::ErrorKind::Payload)). For example, a user may press a
    /// button that an older version of the bot has sent.
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T> {
        json_field::read(self.payload.as_deref(), "payload")
    }
}

/// Returns the id of the callback.
impl From<&Callback> for CallbackId {
    fn from(callback: &Callback) -> Self {
        callback.callback_id.clone()
    }
}

/// Returns the id of the callback in the update.
impl From<&MessageCallbackUpdate> for CallbackId {
    fn from(update: &MessageCallbackUpdate) -> Self {
        (&update.callback).into()
    }
}

impl Bot {
    /// Answers a pressed button: shows a notification, edits the message that has the button, or both.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// use tamtam::{Button, Keyboard, Update};
    ///
    /// let keyboard = Keyboard::column(Button::callback("Yes", "yes"));
    /// bot.send(alice.chat_id(), "Coming?").keyboard(keyboard).await?;
    /// # alice.presses("Yes");
    ///
    /// # let mut updates = bot.updates();
    /// while let Some(update) = updates.try_next().await? {
    ///     if let Update::MessageCallback(pressed) = update {
    ///         bot.answer(&pressed).edit("You are coming.").notification("Noted").await?;
    /// #       break;
    ///     }
    /// }
    /// # assert_eq!(alice.sees(), ["You are coming."]);
    /// # assert_eq!(alice.reads_notification().await, "Noted");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Api::answer_on_callback`](crate::api::Api::answer_on_callback). An answer with neither a notification nor
    /// an edit is not sent, and fails.
    #[doc(alias = "answer_callback_query")]
    pub fn answer(&self, callback: impl Into<CallbackId>) -> AnswerOnCallback {
        self.api().answer_on_callback(callback, CallbackAnswer::new())
    }
}

impl AnswerOnCallback {
    /// Shows a short notification, once, to the user who pressed the button. The message with the button may already be
    /// deleted.
    #[doc(alias = "notify")]
    pub fn notification(mut self, text: impl Into<String>) -> Self {
        self.body = self.body.notification(text);
        self
    }

    /// Edits the message that has the button, as [`Bot::edit`] does. If `message` sets no attachments, the attachments
    /// of the old message stay, including the keyboard.
    pub fn edit(mut self, message: impl Into<NewMessageBody>) -> Self {
        self.body = self.body.message(message);
        self
    }
}
