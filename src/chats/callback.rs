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
    /// Deserializes the payload of the pressed button from JSON. `T` is the type of the value that was passed to
    /// [`Button::callback_with`](crate::Button::callback_with). A missing payload is deserialized as `null`, so use an
    /// `Option` as `T` if some of your buttons have no payload.
    ///
    /// # Errors
    ///
    /// Returns an error if the payload cannot be deserialized into `T`
    /// ([`ErrorKind::Payload`](crate::ErrorKind::Payload)). For example, this error occurs if an older version of the
    /// bot sent the button with a payload of another type.
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
    /// Answers a press of a [callback button](crate::Button::callback), which is a button that sends data to the bot.
    /// The answer can show a [notification](AnswerOnCallback::notification) to the user,
    /// [edit](AnswerOnCallback::edit) the message that contains the button, or do both.
    ///
    /// `callback`: The [`MessageCallbackUpdate`], the [`Callback`] in this update, or the id of the callback.
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
    /// let mut updates = bot.updates();
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
    /// Returns an error in these cases:
    ///
    /// - If the answer has neither a notification nor an edit
    ///   ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)). The answer is not sent.
    /// - If [`Api::answer_on_callback`](crate::api::Api::answer_on_callback) returns an error.
    #[doc(alias = "answer_callback_query")]
    pub fn answer(&self, callback: impl Into<CallbackId>) -> AnswerOnCallback {
        self.api().answer_on_callback(callback, CallbackAnswer::new())
    }
}

impl AnswerOnCallback {
    /// Sets a short notification for the user who pressed the button. The user sees the notification once. If the
    /// message that contains the button is already deleted, the user still sees the notification.
    #[doc(alias = "notify")]
    pub fn notification(mut self, text: impl Into<String>) -> Self {
        self.body = self.body.notification(text);
        self
    }

    /// Sets the new content of the message that contains the button. If `attachments` of the new content is `None`, the
    /// message keeps its current attachments, including the keyboard. For further rules, see [`Bot::edit`].
    pub fn edit(mut self, message: impl Into<NewMessageBody>) -> Self {
        self.body = self.body.message(message);
        self
    }
}
