//! Sending a text of any length, as several messages.

use std::{future::IntoFuture, pin::Pin};

use crate::{
    api::{
        SendMessage,
        types::{Message, NewMessageBody},
    },
    chats::target::IntoTarget,
    client::{bot::Bot, request::call_options},
    compose::{
        message::message_setters,
        text::{LongMessage, LongText, Source},
    },
    error::{Error, Reason, Report, Result},
    id::IntoMessageId,
};

/// The operation that sends a part.
const OPERATION: &str = "sendMessage";

impl Bot {
    /// Sends a text of any length. If the text is too long for one message, the bot splits the text, and sends several
    /// messages. Returns the posted messages in order.
    ///
    /// If sending a message fails, the earlier messages stay posted. To continue after a failure, see
    /// [`SendLong::send`].
    ///
    /// [`split`](crate::text::split) describes where a plain text or a [`Text`](crate::text::Text) is split. A
    /// formatted range that is split keeps its formatting in each message.
    ///
    /// A Markdown or HTML text ([`NewMessageBody::markdown`], [`NewMessageBody::html`]) is split only at line ends
    /// outside all formatting. If a resulting message would still be too long, the call fails
    /// ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)) and sends no message.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`SendLong::send`].
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
    pub fn send_long(&self, to: impl IntoTarget, text: impl LongText) -> SendLong {
        let LongMessage { text, rest } = text.into_long();
        SendLong { request: super::send::request(self, Some(to.into()), rest), text, done: 0, sent: Vec::new() }
    }
}

/// A request that sends a long text as several messages, one after another. Created by [`Bot::send_long`].
///
/// Each message contains a part of the text. If sending a part fails, no further part is sent.
///
/// There are two ways to send the parts:
///
/// - `request.await` consumes the request, and returns the posted messages as a `Vec`. After a failure, you cannot
///   continue, and the list of posted messages is lost.
/// - [`send`](Self::send) keeps the request. After a failure, the next call of `send` begins with the part that
///   failed.
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
/// use tamtam::{Button, Keyboard};
///
/// // 9000 characters, for three messages of at most 4000 characters.
/// let terms = "Be nice. ".repeat(1000);
/// let keyboard = Keyboard::column(Button::callback("I agree", "yes"));
/// let mut long = bot.send_long(alice.chat_id(), terms).keyboard(keyboard);
/// if let Err(error) = long.send().await {
///     println!("{error}; {} messages are posted", long.sent().len());
///     if !error.may_have_been_applied() {
///         // Later, when the cause is removed:
///         long.send().await?;
///     }
/// }
/// assert_eq!(long.sent().len(), 3);
/// # alice.presses("I agree");
/// # Ok(())
/// # }
/// ```
///
/// The settings of the request apply to these parts:
///
/// | setting | parts |
/// |---|---|
/// | [`attach`](Self::attach), [`keyboard`](Self::keyboard) | the last part |
/// | [`reply_to`](Self::reply_to), or a forward in the `NewMessageBody` | the first part |
/// | all other settings, including the time limit and the retries | each part |
#[derive(Debug)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct SendLong {
    /// The request of each part, with the message without its text.
    request: SendMessage,
    text: Source,
    /// How many parts were posted or skipped.
    done: usize,
    sent: Vec<Message>,
}

message_setters!(SendLong, request.body);
message_setters!(SendLong, request.body, link);
call_options!(SendLong, request.options, "`false`. With `true`, a part may be posted twice.");

impl SendLong {
    /// Sets whether to hide the previews of the links in the text. Defaults to `false`.
    pub fn disable_link_preview(mut self, disable_link_preview: bool) -> Self {
        self.request = self.request.disable_link_preview(disable_link_preview);
        self
    }

    /// Returns the remaining parts in order: all parts that are neither posted nor skipped.
    ///
    /// # Errors
    ///
    /// Returns an error of the kind [`InvalidRequest`](crate::ErrorKind::InvalidRequest) in these cases:
    ///
    /// - If there is nothing to send: the text is empty, and the request has no attachment and is neither a reply nor a
    ///   forward.
    /// - If a text in Markdown or HTML is longer than [`LIMIT`](crate::text::LIMIT) (4000 UTF-16 code units), and
    ///   cannot be split at line ends that are outside all formatting.
    /// - If a [`Text`](crate::text::Text) cannot be split, for example because a very long link address leaves no room
    ///   for the link text.
    pub fn parts(&self) -> Result<Vec<NewMessageBody>> {
        let message = LongMessage { text: self.text.clone(), rest: self.request.body.clone() };
        let parts = message.parts();
        let mut parts =
            parts.map_err(|invalid| Error::new(Reason::Invalid(invalid)).of(OPERATION, Report::default()))?;
        parts.drain(..self.done.min(parts.len()));
        Ok(parts)
    }

    /// Returns the posted messages in order.
    #[must_use]
    pub fn sent(&self) -> &[Message] {
        &self.sent
    }

    /// Skips the next part. If [`send`](Self::send) failed, the next part is the part that failed.
    ///
    /// After `send` failed or was dropped, the chat may already contain the next part. In this case, call `skip_part`
    /// before you call `send` again. If [`Error::may_have_been_applied`](crate::Error::may_have_been_applied) returns
    /// `false`, the chat does not contain the part that failed.
    pub fn skip_part(&mut self) {
        self.done += 1;
    }

    /// Sends the remaining parts, one after another. Returns all posted messages.
    ///
    /// For an error of `send`, [`Error::may_have_been_applied`](crate::Error::may_have_been_applied) refers to the part
    /// that failed. For an error of `request.await`, `may_have_been_applied` returns `true` if any part may
    /// have been posted.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If the text cannot be sent as messages: the errors of [`parts`](Self::parts). No message is sent.
    /// - If a part cannot be sent: the errors of [`Api::send_message`](crate::api::Api::send_message).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, [`sent`](Self::sent) still returns the posted messages. The server may already have
    /// posted the next part: see [`skip_part`](Self::skip_part).
    pub async fn send(&mut self) -> Result<&[Message]> {
        for part in self.parts()? {
            let mut request = self.request.clone();
            request.body = part;
            let result = request.await?;
            self.sent.push(*result.message);
            self.done += 1;
        }
        Ok(&self.sent)
    }
}

impl IntoFuture for SendLong {
    type Output = Result<Vec<Message>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.send().await.map(drop) {
                Ok(()) => Ok(self.sent),
                Err(error) => {
                    let report = *error.report();
                    let ambiguous = report.ambiguous || self.done > 0;
                    Err(error.of(OPERATION, Report { ambiguous, ..report }))
                }
            }
        })
    }
}
