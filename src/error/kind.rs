//! The public classification of errors.

/// The kind of an [`Error`](crate::Error), such as `NotFound` or `Timeout`. Returned by
/// [`Error::kind`](crate::Error::kind).
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
///     Err(ErrorKind::Forbidden | ErrorKind::NotFound) => println!("Alice is unreachable"),
///     Err(kind) => println!("not sent: {kind:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The token is invalid: status 401, or any status with the code `verify.token`. All calls with this token fail.
    Unauthorized,
    /// The bot is not allowed to make the request. The error has status 403 without the code `verify.token`, or is a
    /// refusal with the code `access.denied` or `chat.denied`. A refusal is a response with status 200 and
    /// `success: false`.
    ///
    /// For example, the bot lacks an administrator right, the bot is not a member of the chat, or the user has stopped
    /// the bot. If the code is `chat.denied`, [`Error::chat_denied`](crate::Error::chat_denied) returns the reason.
    Forbidden,
    /// The chat, dialog, message or other item does not exist, or is not accessible to the bot. All errors with status
    /// 404 have this kind.
    ///
    /// A [refusal](crate::Error::is_refused) has this kind if the code ends with `not.found`, but is not
    /// `method.not.found`.
    ///
    /// A dialog is the chat of one user with the bot. The dialog exists only if the user has started the bot.
    NotFound,
    /// The bot sent too many requests: status 429, or a [refusal](crate::Error::is_refused) with the code
    /// `too.many.requests`.
    RateLimited,
    /// The server is still processing the attached media. The last attempt had no effect. For earlier attempts,
    /// see [`Error::may_have_been_applied`](crate::Error::may_have_been_applied).
    ///
    /// Retry the call later. To let each call wait longer, increase
    /// [`RetryPolicy::attachment_budget`](crate::settings::RetryPolicy::attachment_budget).
    AttachmentNotReady,
    /// The server refused the request with status 200 and `success: false`, and no other kind applies.
    /// [`Error::code`](crate::Error::code) and [`Error::message`](crate::Error::message) return the reason.
    Refused,
    /// The server responded with a redirect or a 4xx status, and no other kind applies.
    /// [`Error::code`](crate::Error::code) and [`Error::message`](crate::Error::message) return the reason.
    Rejected,
    /// The server or a proxy failed: status 408 or 5xx.
    Server,
    /// No connection could be opened. For example, the host is unreachable, TLS or the proxy failed, or
    /// [`connect_timeout`](crate::BotBuilder::connect_timeout) expired.
    ///
    /// The last attempt sent nothing. For earlier attempts, see
    /// [`Error::may_have_been_applied`](crate::Error::may_have_been_applied).
    Connect,
    /// A timeout expired before the complete response arrived, or an upload made no progress within
    /// [`Upload::idle_timeout`](crate::upload::Upload::idle_timeout).
    ///
    /// The server may have applied the request: see
    /// [`Error::may_have_been_applied`](crate::Error::may_have_been_applied).
    Timeout,
    /// The connection broke before the response was complete, or an HTTP/2 server did not process the request.
    ///
    /// If the connection broke, the server may have applied the request: see
    /// [`Error::may_have_been_applied`](crate::Error::may_have_been_applied).
    Connection,
    /// The body of a response with a success status is not JSON, or does not match the expected type.
    ///
    /// If the body is JSON, the server has applied the request. Please report the error, unless you called
    /// [`RawRequest::send_as`](crate::request::RawRequest::send_as) with your own type. If the body is not JSON, the
    /// response may be from a proxy.
    Decode,
    /// The body of a response with a success status exceeds the size limit. The server has applied the request. Request
    /// fewer items, or increase [`BotBuilder::max_response_bytes`](crate::BotBuilder::max_response_bytes). For updates,
    /// increase [`BotBuilder::max_page_bytes`](crate::BotBuilder::max_page_bytes).
    TooLarge,
    /// The request is invalid and was not sent. The `Display` text of the error contains the reason, and usually names
    /// the invalid field.
    InvalidRequest,
    /// The [`Service`](crate::Service) of the bot does not support the operation, a value in the request, or links to
    /// Mini Apps. No request was sent.
    ///
    /// A Mini App is a web page that belongs to a bot and opens inside the messenger.
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
    /// A setting is invalid, for example a setting of the bot or of a webhook. The `Display` text of the error names
    /// the setting.
    Build,
    /// The payload of a pressed button, or the state of a message constructor, does not have the requested type. For
    /// example, another version of the bot wrote the value.
    ///
    /// In a message constructor (TamTam only), a user composes a message with the help of the bot.
    Payload,
    /// The next page of a list cannot be read, so the list is incomplete. A page is the part of the list in one
    /// response. For example, the server repeats a page, or messages with the same timestamp fill a page.
    ///
    /// For messages, use the default [`page_size`](crate::pages::Messages::page_size), which is the maximum. If the
    /// error occurs again, create a new [`Messages`](crate::pages::Messages) stream, and pass a time before the shared
    /// timestamp to [`until`](crate::pages::Messages::until). The new stream skips the messages with the shared
    /// timestamp.
    Pagination,
    /// A text is not a link of the expected type, such as [`DeepLink`](crate::link::DeepLink), or a link cannot be
    /// created. For example, the payload of the link is too long.
    Link,
    /// The source of an upload, such as a file, cannot be read, or has changed during the upload.
    Source,
    /// The bot receives no updates by polling, because a webhook is subscribed. Call
    /// [`Bot::unsubscribe_all`](crate::Bot::unsubscribe_all), or set
    /// [`Updates::remove_webhooks`](crate::updates::Updates::remove_webhooks).
    WebhookSubscribed,
    /// The [`MarkerStore`](crate::updates::MarkerStore) cannot be read. A marker store keeps the position of the bot in
    /// the list of updates. The bot does not start, because it could lose updates without this position.
    ///
    /// Repair the store, or remove its content. If the store is empty, the bot starts with the oldest update that the
    /// server has kept. MAX can skip some of the kept updates.
    MarkerStore,
    /// The store of a [`ChatBook`](crate::updates::ChatBook) cannot be read or written. A chat book is a list of the
    /// chats that the bot is in.
    ///
    /// A change that cannot be written stays in memory until the next save: see
    /// [`ChatBook::observe`](crate::updates::ChatBook::observe).
    ChatBook,
    /// The journal (`updates::Journal`) cannot be used. For example, the journal is damaged, belongs to another bot, or
    /// is already open in this or another process. A journal is a queue of updates in a file.
    Journal,
}
