//! Sending of a long text as several messages, and the error if one of them fails.

use std::{collections::VecDeque, fmt, future::IntoFuture, pin::Pin};

use super::long::{LongMessage, OPERATION, not_sent};
use crate::{
    api::{
        SendMessage,
        types::{Message, NewMessageBody},
    },
    client::bot::{Bot, Target},
    error::{Error, Report, Result},
    validation::Invalid,
};

impl Bot {
    /// Sends a text of any length, as several messages if necessary. The response has all messages, in order.
    ///
    /// A plain text and a [`Text`](crate::text::Text) can be split anywhere, as [`split`](crate::text::split)
    /// describes. Formatting that spans two parts is applied to both. Markdown and HTML of your own
    /// ([`NewMessageBody::markdown`]) are split only between lines where no formatting can be open.
    ///
    /// An attachment, such as a keyboard, goes with the last part. A link to another message goes with the first part.
    /// See [`LongMessage`].
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// use tamtam::text::Text;
    ///
    /// let novel = "It was a dark and stormy night. ".repeat(200);
    /// let sent = bot.send_long(alice.chat_id(), Text::new("Read: ").italic(novel)).await?;
    /// assert_eq!(sent.len(), 2);
    /// # assert!(alice.sees()[1].ends_with("night. "));
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_long(&self, to: impl Into<Target>, message: impl Into<LongMessage>) -> SendLong {
        let parts = message.into().parts().map(VecDeque::from);
        SendLong { bot: self.clone(), target: to.into(), parts, disable_link_preview: None }
    }
}

/// A request that sends a text as several messages, one after another. Created by [`Bot::send_long`].
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct SendLong {
    bot: Bot,
    target: Target,
    /// The messages to send, or why the text cannot be split.
    parts: Result<VecDeque<NewMessageBody>, Invalid>,
    disable_link_preview: Option<bool>,
}

impl SendLong {
    /// Disables the preview of links in the text, if `true`.
    pub fn disable_link_preview(mut self, disable_link_preview: bool) -> Self {
        self.disable_link_preview = Some(disable_link_preview);
        self
    }

    /// Returns the messages to send, in order. Empty if the text cannot be split: then [`send`](Self::send) fails.
    pub fn parts(&self) -> impl Iterator<Item = &NewMessageBody> {
        self.parts.iter().flatten()
    }

    /// Removes the first message. Use it for [the rest](SendLongError::into_rest) if the failed message was posted
    /// after all.
    pub fn without_first(mut self) -> Self {
        if let Ok(parts) = &mut self.parts {
            parts.pop_front();
        }
        self
    }

    /// Sends the messages; `.await` on the request itself does the same. Each message is sent after the previous one is
    /// posted.
    ///
    /// # Errors
    ///
    /// If the text cannot be split ([`LongMessage::into_parts`]), nothing is sent. If a message fails, as
    /// [`Api::send_message`](crate::api::Api::send_message), the messages after it are not sent. The error has the
    /// posted messages and the rest.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the request. Some messages may be posted, and their number is lost. If you need it,
    /// send the [parts](LongMessage::into_parts) yourself, one by one.
    pub async fn send(self) -> Result<Vec<Message>, SendLongError> {
        let (mut rest, mut sent) = (self, Vec::new());
        loop {
            let part = match &rest.parts {
                Ok(parts) => parts.front().cloned(),
                Err(invalid) => {
                    let error = not_sent(invalid.clone());
                    return Err(SendLongError::new(sent, rest, error));
                }
            };
            let Some(part) = part else { return Ok(sent) };
            match rest.request(part).await {
                Ok(result) => sent.push(*result.message),
                Err(error) => return Err(SendLongError::new(sent, rest, error)),
            }
            rest = rest.without_first();
        }
    }

    /// Creates the request that sends a message.
    fn request(&self, part: NewMessageBody) -> SendMessage {
        let request = self.bot.send(self.target, part);
        match self.disable_link_preview {
            Some(disable) => request.disable_link_preview(disable),
            None => request,
        }
    }
}

impl IntoFuture for SendLong {
    type Output = Result<Vec<Message>, SendLongError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// The error of a long text that was not sent completely: has the posted messages, the cause, and the rest.
///
/// `?` converts it to an [`Error`]. If some messages are posted, [`Error::may_have_been_applied`] of that error is
/// `true`: sending the whole text again would post them twice.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # use tamtam_sandbox::{Fault, Sandbox};
/// # let tamtam = Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// # tamtam.fails("sendMessage", Fault::error(403, "chat.denied", "no"));
/// let novel = "It was a dark and stormy night. ".repeat(200);
/// if let Err(failed) = bot.send_long(alice.chat_id(), novel).await {
///     println!("{failed}; {} are posted", failed.sent().len());
///     if !failed.error().may_have_been_applied() {
///         // After the cause is fixed:
///         failed.into_rest().await?;
///     }
/// }
/// # assert_eq!(alice.sees().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SendLongError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    sent: Vec<Message>,
    rest: SendLong,
    error: Error,
}

impl SendLongError {
    fn new(sent: Vec<Message>, rest: SendLong, error: Error) -> Self {
        Self(Box::new(Inner { sent, rest, error }))
    }

    /// Returns the posted messages, in order.
    #[must_use]
    pub fn sent(&self) -> &[Message] {
        &self.0.sent
    }

    /// Returns the error of the message that failed. If that message
    /// [may have been posted](Error::may_have_been_applied), look for it in the chat before you send it again.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.0.error
    }

    /// Returns the rest, which begins with the failed message. Send the rest to continue. If the failed message was
    /// posted after all, send the rest [without it](SendLong::without_first).
    pub fn into_rest(self) -> SendLong {
        self.0.rest
    }
}

impl fmt::Display for SendLongError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { sent, rest, error } = &*self.0;
        match sent.len() + rest.parts().count() {
            0 | 1 => error.fmt(f),
            all => write!(f, "message {} of {all} of a long text: {error}", sent.len() + 1),
        }
    }
}

impl std::error::Error for SendLongError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.0.error)
    }
}

impl From<SendLongError> for Error {
    fn from(failed: SendLongError) -> Self {
        let Inner { sent, error, .. } = *failed.0;
        let report = Report { ambiguous: error.may_have_been_applied() || !sent.is_empty(), ..*error.report() };
        error.of(OPERATION, report)
    }
}
