//! The public classification of errors.

/// The kind of an [`Error`](crate::Error). Returned by [`Error::kind`](crate::Error::kind).
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let max = tamtam_sandbox::Sandbox::max().await;
/// # let (bot, alice) = (max.bot(), max.user("Alice"));
/// # alice.starts();
/// # alice.stops();
/// use tamtam::ErrorKind;
///
/// let result = bot.send(alice.user_id(), "Hello?").await;
/// match result.map_err(|error| error.kind()) {
///     Ok(_) => println!("sent"),
///     Err(ErrorKind::Forbidden | ErrorKind::NotFound) => println!("Alice gets no messages"),
///     Err(kind) => println!("not sent: {kind:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The token is invalid: status 401, or the code `verify.token`. No call can succeed.
    Unauthorized,
    /// The bot must not do this: status 403, or a refusal with such a code. The bot lacks a right, is not a member, or the
    /// user has stopped it. See [`Error::chat_denied`](crate::Error::chat_denied).
    Forbidden,
    /// The chat, message or dialog does not exist: status 404, or a refusal with such a code.
    NotFound,
    /// Too many requests: status 429, or a refusal with such a code.
    RateLimited,
    /// The server still processes the attached media, for longer than the bot waits. Nothing was posted. Send the same
    /// message again later.
    AttachmentNotReady,
    /// The server refused the request for another reason, with status 200 and `success: false`. See
    /// [`Error::code`](crate::Error::code) and [`Error::message`](crate::Error::message).
    Refused,
    /// The server rejected the request with another 4xx status, or answered with a redirect. See
    /// [`Error::code`](crate::Error::code) and [`Error::message`](crate::Error::message).
    Rejected,
    /// The server or a proxy failed: status 408 or 5xx.
    Server,
    /// No connection could be made: the address, TLS or the proxy is wrong, or the connection took too long. The last
    /// attempt sent nothing.
    Connect,
    /// The response did not arrive in time.
    Timeout,
    /// The connection broke before the response was complete.
    Connection,
    /// The response of a success does not fit the document. If it is JSON, the server has applied the request, and the
    /// crate needs an update: please report it. If not, a proxy may have answered.
    Decode,
    /// The body of a success exceeds the size limit. The server has applied the request. Increase
    /// [`BotBuilder::max_response_bytes`](crate::BotBuilder::max_response_bytes), or request less at a time.
    TooLarge,
    /// The request is invalid and was not sent. The message names the field.
    InvalidRequest,
    /// The [`Service`](crate::Service) of the bot does not have the operation, a value in the request, or the kind of
    /// link. Nothing was sent.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam::ErrorKind;
    ///
    /// // MAX cannot list the chats of a bot.
    /// let error = tamtam::Bot::max("token")?.api().get_chats().await.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Unsupported);
    /// # Ok(())
    /// # }
    /// ```
    Unsupported,
    /// A setting of the bot is invalid. The message names the setting.
    Build,
    /// A callback payload or the data of a constructor session does not have the requested type: usually, another version
    /// of the bot has written it.
    Payload,
    /// The pages of a list do not end: the server repeats pages, or more messages have one timestamp than fit into a page.
    /// The items before this error are all that can be read. For messages, increase the page size, or continue before that
    /// time with [`Messages::until`](crate::pages::Messages::until).
    Pagination,
    /// A text is not a link of the required kind, or a link cannot have a value.
    Link,
    /// The source of an upload cannot be read, or has changed during the upload.
    Source,
    /// Polling gets no updates, because a webhook is subscribed. Unsubscribe the webhook, or set
    /// [`Updates::remove_webhooks`](crate::updates::Updates::remove_webhooks).
    WebhookSubscribed,
    /// The marker store cannot be read. The bot does not start, because it might lose updates. Repair the store, or remove
    /// its content: then the bot starts with the updates that the server has kept.
    MarkerStore,
    /// The store of a [`ChatBook`](crate::updates::ChatBook) cannot be read or written. An unsaved change stays in the
    /// book, and is saved with the next change.
    ChatBook,
    /// The journal (`updates::Journal`) cannot be used: for example, it is damaged, in use, or belongs to another bot.
    Journal,
}
