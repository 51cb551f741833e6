//! Long messages: they are sent in parts.

use super::{
    builder::Text,
    split::{split, split_text},
    split_markup::split_source,
};
use crate::{
    api::types::{AttachmentRequest, Keyboard, NewMessageBody, NewMessageLink},
    error::{Error, Kind, Report, Result},
    id::MessageId,
    validation::{Invalid, Place},
};

/// The operation that sends a part.
pub(super) const OPERATION: &str = "sendMessage";

/// A message with a text of any length, for [`Bot::send_long`](crate::Bot::send_long).
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// use tamtam::{Button, Keyboard, text::{LongMessage, Text}};
///
/// let terms = Text::default().bold("Terms").line().plain("Be nice. ".repeat(1000));
/// let keyboard = Keyboard::column(Button::callback("I agree", "yes"));
/// let message = LongMessage::from(terms).keyboard(keyboard);
/// let sent = bot.send_long(alice.chat_id(), message).await?;
/// assert!(sent[0].body.as_ref().unwrap().attachments.is_none());
/// alice.presses("I agree");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a message does nothing until it is sent"]
pub struct LongMessage {
    text: LongText,
    /// Everything except the text.
    rest: NewMessageBody,
}

#[derive(Debug, Clone, PartialEq)]
enum LongText {
    /// A text that the crate renders itself.
    Own(Text),
    /// A text in the format of the message: Markdown, HTML or plain text.
    Body(String),
}

impl LongMessage {
    /// Adds an attachment to the last part.
    pub fn attach(mut self, attachment: impl Into<AttachmentRequest>) -> Self {
        self.rest = self.rest.attach(attachment);
        self
    }

    /// Adds a keyboard to the last part.
    pub fn keyboard(mut self, keyboard: impl Into<Keyboard>) -> Self {
        self.rest = self.rest.keyboard(keyboard);
        self
    }

    /// Sets the message that the first part replies to or forwards.
    pub fn link(mut self, link: impl Into<NewMessageLink>) -> Self {
        self.rest = self.rest.link(link);
        self
    }

    /// Makes the first part a reply to another message of the same chat.
    pub fn reply_to(mut self, message: impl Into<MessageId>) -> Self {
        self.rest = self.rest.reply_to(message);
        self
    }

    /// Sets whether the members of the chat are notified of each part. Defaults to `true`. `false` sends the parts
    /// silently.
    pub fn notify(mut self, notify: bool) -> Self {
        self.rest = self.rest.notify(notify);
        self
    }

    /// Returns the parts as messages, in the order in which to send them.
    ///
    /// # Errors
    ///
    /// If the message is empty. Also if a part cannot be made short enough: Markdown or HTML has no line end without
    /// open formatting, or the URL of a link leaves no room for text.
    pub fn into_parts(self) -> Result<Vec<NewMessageBody>> {
        self.parts().map_err(not_sent)
    }

    pub(super) fn parts(self) -> Result<Vec<NewMessageBody>, Invalid> {
        let Self { text, mut rest } = self;
        let part = |body: NewMessageBody| NewMessageBody { notify: rest.notify, ..body };
        let mut parts: Vec<NewMessageBody> = match (text, &rest.format) {
            (LongText::Own(text), _) => split_text(text)?.into_iter().map(|text| part(text.into())).collect(),
            (LongText::Body(text), None) => split(&text).into_iter().map(|text| part(text.into())).collect(),
            (LongText::Body(source), Some(format)) => {
                let sources = split_source(&source, format)?.into_iter();
                sources.map(|source| part(NewMessageBody::new().text(source).format(format.clone()))).collect()
            }
        };
        if parts.is_empty() {
            let is_nothing = rest.attachments.as_ref().is_none_or(Vec::is_empty) && rest.link.is_none();
            return if is_nothing { Err(nothing()) } else { Ok(vec![rest]) };
        }
        if let Some(first) = parts.first_mut() {
            first.link = rest.link.take();
        }
        if let Some(last) = parts.last_mut() {
            last.attachments = rest.attachments.take();
        }
        Ok(parts)
    }
}

fn nothing() -> Invalid {
    Invalid::new(
        &Place::root("body").field("text"),
        "has only white space, and nothing is attached: add a text or an attachment",
    )
}

impl From<Text> for LongMessage {
    fn from(text: Text) -> Self {
        Self { text: LongText::Own(text), rest: NewMessageBody::new() }
    }
}

impl From<NewMessageBody> for LongMessage {
    fn from(mut body: NewMessageBody) -> Self {
        Self { text: LongText::Body(body.text.take().unwrap_or_default()), rest: body }
    }
}

impl From<&str> for LongMessage {
    fn from(text: &str) -> Self {
        Text::from(text).into()
    }
}

impl From<&String> for LongMessage {
    fn from(text: &String) -> Self {
        Text::from(text).into()
    }
}

impl From<String> for LongMessage {
    fn from(text: String) -> Self {
        Text::from(text).into()
    }
}

pub(super) fn not_sent(invalid: Invalid) -> Error {
    Error::new(Kind::Invalid(invalid)).of(OPERATION, Report::default())
}
