//! Callbacks: what a pressed button brought, and the answer to it.

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
    /// The payload as the value that [`Button::callback_with`](crate::Button::callback_with) was given. If the button may
    /// have none, ask for an `Option`.
    ///
    /// # Errors
    ///
    /// When the payload is no JSON of that type ([`Payload`](crate::ErrorKind::Payload)): people press buttons
    /// that an older version of the bot has sent, too.
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T> {
        json_field::read(self.payload.as_deref(), "payload")
    }
}

impl From<&Callback> for CallbackId {
    fn from(callback: &Callback) -> Self {
        callback.callback_id.clone()
    }
}

impl From<&MessageCallbackUpdate> for CallbackId {
    fn from(update: &MessageCallbackUpdate) -> Self {
        (&update.callback).into()
    }
}

impl Bot {
    /// Answers the press of a button: with a notice, with a change of the message that has the button, or with both.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// use tamtam::{Button, Keyboard, NewMessageBody, Update};
    ///
    /// let question = NewMessageBody::from("Coming?").keyboard(Keyboard::column(Button::callback("Yes", "yes")));
    /// bot.send(alice.chat_id(), question).await?;
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
    /// As [`Api::answer_on_callback`](crate::api::Api::answer_on_callback); and without asking the server when the answer
    /// is neither.
    pub fn answer(&self, callback: impl Into<CallbackId>) -> AnswerOnCallback {
        self.api().answer_on_callback(callback, CallbackAnswer::new())
    }
}

impl AnswerOnCallback {
    /// Shows a short notice, once, to the person who pressed the button. It needs no message: the one with the button may
    /// be gone.
    #[doc(alias = "notify")]
    pub fn notification(mut self, text: impl Into<String>) -> Self {
        self.body = self.body.notification(text);
        self
    }

    /// Changes the message that has the button, as [`Bot::edit`] does: attachments that are not given stay, and so does
    /// the keyboard.
    pub fn edit(mut self, message: impl Into<NewMessageBody>) -> Self {
        self.body = self.body.message(message);
        self
    }
}
