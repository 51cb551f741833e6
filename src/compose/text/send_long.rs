//! Sending a text as several messages, and what becomes of it when one of them fails.

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
    /// Sends a text of any length, as several messages if it is too long for one. The answer has them all, in order.
    ///
    /// A plain text and a [`Text`](crate::text::Text) can be split anywhere: [`split`](crate::text::split) says where
    /// they are. What is formatted across two parts
    /// is formatted in both. Markdown and HTML of your own ([`NewMessageBody::markdown`]) are split only between lines
    /// where no formatting can be open. An attachment, such as a keyboard, goes with the last part, and the link to a
    /// message that is replied to with the first: see [`LongMessage`].
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

/// Sends a text as several messages, one after another; made by [`Bot::send_long`].
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct SendLong {
    bot: Bot,
    target: Target,
    /// What is to be sent, or why it cannot be.
    parts: Result<VecDeque<NewMessageBody>, Invalid>,
    disable_link_preview: Option<bool>,
}

impl SendLong {
    /// `true` keeps the server from adding a preview of the links in the text.
    pub fn disable_link_preview(mut self, disable_link_preview: bool) -> Self {
        self.disable_link_preview = Some(disable_link_preview);
        self
    }

    /// The messages that are to be sent, in order; none if the text cannot be split, which sending tells.
    pub fn parts(&self) -> impl Iterator<Item = &NewMessageBody> {
        self.parts.iter().flatten()
    }

    /// The same without the first message: of [what is left](SendLongError::into_rest), if that one turns out to be posted.
    pub fn without_first(mut self) -> Self {
        if let Ok(parts) = &mut self.parts {
            parts.pop_front();
        }
        self
    }

    /// Sends the messages; `.await` on the request itself does the same. Each is sent when the one before is posted.
    ///
    /// # Errors
    ///
    /// Before anything is sent, when the text cannot be split ([`LongMessage::into_parts`]). Otherwise as
    /// [`Api::send_message`](crate::api::Api::send_message) for one of the messages; then no more are sent, and the error
    /// tells which are posted and has the rest.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons it: some of the messages may be posted, and nobody knows which. Where that matters, send
    /// the [parts](LongMessage::into_parts) yourself, one by one.
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

    /// The request that sends one of the messages.
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

/// Why a long text was not sent whole: which of its messages are posted, and which are not.
///
/// `?` makes an [`Error`] of it. If some messages are posted, that one
/// [may have been applied](Error::may_have_been_applied): who sends the whole text again posts them twice.
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
///         // Once it is mended:
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

    /// The messages that are posted, in order.
    #[must_use]
    pub fn sent(&self) -> &[Message] {
        &self.0.sent
    }

    /// Why the message after them was not posted. If it
    /// [may have been](Error::may_have_been_applied), look into the chat before sending it again.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.0.error
    }

    /// What is not known to be posted, the message that failed first. Send it to go on; if that message turns out to be
    /// posted, [without it](SendLong::without_first).
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
