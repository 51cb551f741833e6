//! Writing messages: the few words around the generated [`NewMessageBody`].

use crate::{
    NewMessageBody,
    types::{
        AttachmentRequest, InlineKeyboardAttachmentRequest, InlineKeyboardAttachmentRequestPayload, Keyboard,
        TextFormat,
    },
};

impl From<&str> for NewMessageBody {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}

impl From<String> for NewMessageBody {
    fn from(text: String) -> Self {
        Self::new().text(text)
    }
}

impl NewMessageBody {
    /// A message in TamTam's Markdown: `**bold**`, `*italic*`, `~~struck~~`, `++underlined++`, `^^marked^^`.
    #[must_use]
    pub fn markdown(text: impl Into<String>) -> Self {
        Self::new().text(text).format(TextFormat::Markdown)
    }

    /// A message in HTML; TamTam knows a few tags and strips the others.
    #[must_use]
    pub fn html(text: impl Into<String>) -> Self {
        Self::new().text(text).format(TextFormat::Html)
    }

    /// Adds an attachment to those that are there.
    #[must_use]
    pub fn attach(mut self, attachment: impl Into<AttachmentRequest>) -> Self {
        self.attachments.get_or_insert_default().push(attachment.into());
        self
    }

    /// Adds a keyboard. A message has one at most.
    ///
    /// ```
    /// use tamtam::{NewMessageBody, types::{CallbackButton, Keyboard, LinkButton}};
    ///
    /// let question = NewMessageBody::from("Coming?").keyboard(Keyboard::new(vec![
    ///     vec![CallbackButton::new("Yes", "yes").into(), CallbackButton::new("No", "no").into()],
    ///     vec![LinkButton::new("Where is it?", "https://example.org/map").into()],
    /// ]));
    /// # let _ = question;
    /// ```
    #[must_use]
    pub fn keyboard(self, keyboard: Keyboard) -> Self {
        let payload = InlineKeyboardAttachmentRequestPayload::new(keyboard.buttons);
        self.attach(InlineKeyboardAttachmentRequest::new(payload))
    }
}
