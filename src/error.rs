//! The error type of the crate. It is opaque: methods return its details, and predicates classify the failure.

mod code;
mod failure;
mod http;
mod kind;
mod reason;
mod refusal;
mod size_limit;

use std::{borrow::Cow, fmt, time::Duration};

use ::http::StatusCode;

pub use code::{ChatDenied, ErrorCode};
pub(crate) use failure::Failure;
pub(crate) use http::{HttpError, in_http2};
pub use kind::ErrorKind;
pub(crate) use reason::{BoxError, Reason};
pub(crate) use refusal::Refusal;
pub(crate) use size_limit::SizeLimit;

use crate::redaction::{Printable, Secrets};

/// An alias of [`std::result::Result`]. The error type defaults to [`Error`].
///
/// ```
/// use tamtam::{Bot, Result, UserId};
///
/// async fn greet(bot: &Bot, user: UserId) -> Result<()> {
///     bot.send(user, "Hello!").await?;
///     Ok(())
/// }
/// # let _ = greet;
/// ```
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of this crate, such as a failed call or an invalid setting.
///
/// - [`kind`](Self::kind) returns the [`ErrorKind`], such as `Timeout`.
/// - [`is_retryable`](Self::is_retryable) returns whether a retry may succeed.
/// - [`may_have_been_applied`](Self::may_have_been_applied) returns whether the server may have applied the request
///   although the call failed.
///
/// An error response has a status other than 2xx, or is a refusal. A refusal is a response with status 200 and
/// `success: false`.
///
/// If the call had several attempts, the kind, the status, the `code` and the `message` are from the last attempt.
///
/// `Display` writes one line with the cause, such as `sendMessage: cannot connect: Connection refused (os error 111)`.
/// `Debug` contains the same line. The error never contains the token of the bot.
///
/// Because `Display` writes the cause, `source()` returns `None` for most errors. Only an error of a
/// [`MarkerStore`](crate::updates::MarkerStore) or a [`ChatStore`](crate::updates::ChatStore) can have a source.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// # alice.stops();
/// use tamtam::ChatDenied;
///
/// match bot.send(alice.chat_id(), "Hello?").await {
///     Ok(_) => println!("sent"),
///     Err(error) if error.chat_denied() == Some(ChatDenied::BotStopped) => {
///         println!("Alice has stopped the bot");
///     }
///     Err(error) if error.is_not_found() => println!("Alice has never started the bot"),
///     Err(error) if error.is_rate_limited() => {
///         println!("too many requests, retry later");
///     }
///     Err(error) if error.may_have_been_applied() => println!("the message may have been sent: {error}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Inner>);

/// The details of a failed call.
#[derive(Debug)]
struct Inner {
    kind: Reason,
    operation: Option<Cow<'static, str>>,
    report: Report,
}

/// The attempts of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// The number of attempts, including attempts that could not connect.
    pub(crate) attempts: u32,
    /// The duration of the call, including waits.
    pub(crate) elapsed: Duration,
    /// Whether the server may have applied the request in one of the attempts.
    pub(crate) ambiguous: bool,
    /// Whether a "not found" response may mean that an earlier attempt removed the item.
    pub(crate) may_be_gone: bool,
}

/// Returns whether a code means that the item does not exist.
fn is_not_found(code: &ErrorCode) -> bool {
    *code != ErrorCode::MethodNotFound && code.as_str().ends_with("not.found")
}

impl Error {
    pub(crate) fn new(kind: Reason) -> Self {
        Self(Box::new(Inner { kind, operation: None, report: Report::default() }))
    }

    pub(crate) fn build(problem: impl Into<String>) -> Self {
        Self::new(Reason::Build(problem.into()))
    }

    /// Adds the operation and the report of its attempts.
    pub(crate) fn of(mut self, operation: impl Into<Cow<'static, str>>, report: Report) -> Self {
        self.0.operation = Some(operation.into());
        self.0.report = report;
        self
    }

    /// Redacts the text of a source.
    pub(crate) fn without_secrets(mut self, secrets: &Secrets<'_>) -> Self {
        if let Reason::Source { problem, .. } = &mut self.0.kind {
            *problem = secrets.clean(problem).into_owned();
        }
        self
    }

    pub(crate) fn report(&self) -> &Report {
        &self.0.report
    }

    /// Returns whether a "not found" response means that an earlier attempt removed the item.
    pub(crate) fn is_already_gone(&self) -> bool {
        // Only with a code of the API: the 404 may also be sent by a proxy.
        let by_api = self.code().is_some_and(|code| *code != ErrorCode::MethodNotFound);
        // A refusal with another code does not mean that the item is gone.
        let by_refusal = self.is_refused() && self.code().is_none_or(is_not_found);
        self.0.report.may_be_gone && (by_refusal || self.is_not_found() && by_api)
    }

    /// Returns the [`ErrorKind`] of the error, such as `Timeout`.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &self.0.kind {
            Reason::Build(_) => ErrorKind::Build,
            Reason::Invalid(_) | Reason::Unmade { .. } => ErrorKind::InvalidRequest,
            Reason::Unsupported(_) => ErrorKind::Unsupported,
            Reason::Connect { .. } | Reason::ConnectTimeout { .. } => ErrorKind::Connect,
            Reason::Timeout { .. } | Reason::Idle(_) => ErrorKind::Timeout,
            Reason::Cut { source, .. } if source.is_timeout() => ErrorKind::Timeout,
            Reason::Cut { .. } | Reason::Io { .. } | Reason::Unprocessed { .. } => ErrorKind::Connection,
            Reason::TooLarge { .. } => ErrorKind::TooLarge,
            Reason::Status { .. } | Reason::Refused(_) => self.kind_of_answer(),
            Reason::Decode { .. } => ErrorKind::Decode,
            Reason::Payload { .. } => ErrorKind::Payload,
            Reason::Pages(_) => ErrorKind::Pagination,
            Reason::Link(_) => ErrorKind::Link,
            Reason::Source { .. } => ErrorKind::Source,
            Reason::WebhookSubscribed(_) => ErrorKind::WebhookSubscribed,
            Reason::MarkerStore(_) => ErrorKind::MarkerStore,
            Reason::ChatBook { .. } => ErrorKind::ChatBook,
            #[cfg(feature = "journal")]
            Reason::Journal(_) => ErrorKind::Journal,
        }
    }

    /// Returns the kind of an error that the server reported.
    fn kind_of_answer(&self) -> ErrorKind {
        let is_server = |status: StatusCode| status == StatusCode::REQUEST_TIMEOUT || status.is_server_error();
        match self {
            _ if self.is_attachment_not_ready() => ErrorKind::AttachmentNotReady,
            _ if self.is_unauthorized() => ErrorKind::Unauthorized,
            _ if self.is_rate_limited() => ErrorKind::RateLimited,
            _ if self.is_forbidden() => ErrorKind::Forbidden,
            _ if self.is_not_found() => ErrorKind::NotFound,
            _ if self.status().is_some_and(is_server) => ErrorKind::Server,
            _ if self.is_refused() => ErrorKind::Refused,
            _ => ErrorKind::Rejected,
        }
    }

    /// Returns the name of the failed API operation, such as `sendMessage`. For a request created by
    /// [`Bot::request`](crate::Bot::request), returns the method and the path, such as `GET /chats`.
    ///
    /// Returns `None` if the error is not from a call, for example if it is from
    /// [`BotBuilder::build`](crate::BotBuilder::build).
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// Returns the HTTP status of the response that caused the error. `None` if no response caused the error.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match &self.0.kind {
            Reason::Status { status, .. }
            | Reason::Cut { status, .. }
            | Reason::TooLarge { status, .. }
            | Reason::Decode { status, .. } => Some(*status),
            Reason::Refused(_) => Some(StatusCode::OK),
            _ => None,
        }
    }

    /// Returns the `code` in the error response of the API. `None` if there was no error response, or if the response
    /// has no code.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        match &self.0.kind {
            Reason::Status { code, .. } | Reason::Refused(Refusal { code, .. }) => code.as_ref(),
            _ => None,
        }
    }

    /// Returns the error message of the API. If the error response is from a proxy, returns the text of the response.
    /// `None` if there was no error response. If an error response has no message, the result is `None` for a
    /// [refusal](Self::is_refused), and an empty string for all other responses.
    ///
    /// In the returned text, secrets are removed, and control characters are escaped: a line break becomes `\n`.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.0.kind {
            Reason::Status { message, .. } => Some(message),
            Reason::Refused(refusal) => refusal.message.as_deref(),
            _ => None,
        }
    }

    /// Returns what failed, without the operation.
    pub(crate) fn reason(&self) -> String {
        Printable(&self.0.kind).to_string()
    }

    /// Returns what failed, without the operation and without the text of the server, which may quote the request.
    pub(crate) fn reason_unquoted(&self) -> String {
        match &self.0.kind {
            Reason::Status { status, code, .. } => reason::status_line(*status, code.as_ref(), None, ""),
            Reason::Refused(Refusal { code: Some(code), .. }) => format!("refused: {code}"),
            Reason::Refused(_) => "refused".to_owned(),
            Reason::Decode { source, .. } if source.is_data() => {
                "the response does not fit the API document".to_owned()
            }
            _ => self.reason(),
        }
    }

    /// Returns the number of attempts of the call, including attempts that could not connect. Returns 0 if there was no
    /// attempt, for example because the request is invalid.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.report.attempts
    }

    /// Returns the duration of the call from its start to the error, including delays between attempts. Returns zero if
    /// the error is not from a call.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.report.elapsed
    }

    /// Returns the time that the server asks the bot to wait (the header `Retry-After`), but at most 1 h. `None` for a
    /// [refusal](Self::is_refused), or if there was no `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.kind.retry_after()
    }

    /// Returns whether the bot sent too many requests: status 429, or a [refusal](Self::is_refused) with the code
    /// `too.many.requests`.
    ///
    /// If this method returns `true`, the last attempt had no effect. Retry the call later. If
    /// [`retry_after`](Self::retry_after) returns a duration, wait at least that long.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
            || self.is_refused_as(|code| *code == ErrorCode::TooManyRequests)
    }

    /// Returns whether the server refused the request with status 200 and a matching code.
    fn is_refused_as(&self, is_meant: impl Fn(&ErrorCode) -> bool) -> bool {
        self.is_refused() && self.code().is_some_and(is_meant)
    }

    /// Returns whether the call failed because the server is still processing the attached media.
    ///
    /// If this method returns `true`, the last attempt had no effect. Retry the call later. To let each call wait
    /// longer, increase [`RetryPolicy::attachment_budget`](crate::settings::RetryPolicy::attachment_budget).
    #[must_use]
    pub fn is_attachment_not_ready(&self) -> bool {
        self.0.kind.failure() == Failure::AttachmentNotReady
    }

    /// Returns the reason why the chat does not allow the request. `None` if the code of the error is not
    /// `chat.denied`.
    #[must_use]
    pub fn chat_denied(&self) -> Option<ChatDenied> {
        (self.code() == Some(&ErrorCode::ChatDenied)).then(|| ChatDenied::of(self.message().unwrap_or_default()))
    }

    /// Returns whether the token is invalid: status 401, or any status with the code `verify.token`.
    ///
    /// If this method returns `true`, all further calls with this token also fail. Stop the bot, and get a valid token.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED) || self.code() == Some(&ErrorCode::VerifyToken)
    }

    /// Returns whether the bot is not allowed to make the request: status 403 without the code `verify.token`, or a
    /// [refusal](Self::is_refused) with the code `access.denied` or `chat.denied`.
    ///
    /// For example, the bot lacks an administrator right, the bot is not a member of the chat, or the user has stopped
    /// the bot. [`chat_denied`](Self::chat_denied), [`code`](Self::code) and [`message`](Self::message) return the
    /// reason. The same call keeps failing until the cause is fixed.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        let is_denied = |code: &ErrorCode| matches!(code, ErrorCode::AccessDenied | ErrorCode::ChatDenied);
        self.status() == Some(StatusCode::FORBIDDEN) && !self.is_unauthorized() || self.is_refused_as(is_denied)
    }

    /// Returns whether the chat, dialog, message or other item does not exist, or is not accessible to the bot.
    /// Returns `true` for each error with status 404. For a [refusal](Self::is_refused), returns `true` if the code
    /// ends with `not.found`, except `method.not.found`.
    ///
    /// A dialog is the chat of one user with the bot. The dialog exists only if the user has started the bot.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND) || self.is_refused_as(is_not_found)
    }

    /// Returns whether the server refused the request with status 200 and `success: false`. [`message`](Self::message)
    /// and [`code`](Self::code) return the reason.
    ///
    /// A refusal is often harmless. For example, the server refuses to unpin a message if no message is pinned, or to
    /// add a user who is already a member.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.0.kind, Reason::Refused(_))
    }

    /// Returns whether a timeout expired after the connection was opened, and before the complete response arrived
    /// ([`ErrorKind::Timeout`]). The server may
    /// still have applied the request: see [`may_have_been_applied`](Self::may_have_been_applied).
    ///
    /// If no connection could be opened in time, this method returns `false`, because the kind is
    /// [`ErrorKind::Connect`].
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.kind() == ErrorKind::Timeout
    }

    /// Returns whether polling must end, because no retry of the failed poll can succeed. A 4xx status counts only with
    /// a code of the API: a 403 from a proxy may be temporary.
    pub(crate) fn ends_polling(&self) -> bool {
        match &self.0.kind {
            Reason::Status { status, code, .. } => {
                status.is_client_error()
                    && !matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
                    && code.is_some()
            }
            Reason::Build(_)
            | Reason::Invalid(_)
            | Reason::Unsupported(_)
            | Reason::Unmade { .. }
            | Reason::TooLarge { .. }
            | Reason::WebhookSubscribed(_)
            | Reason::MarkerStore(_) => true,
            #[cfg(feature = "journal")]
            Reason::Journal(_) => true,
            _ => false,
        }
    }

    /// Returns whether the body of a success is JSON that does not match the document, or is over the size limit.
    pub(crate) fn is_misfit(&self) -> bool {
        self.0.kind.failure() == Failure::Misfit
    }

    /// Returns whether the server, or a proxy in front of it, does not have the operation.
    pub(crate) fn knows_no_such_operation(&self) -> bool {
        matches!(
            self.status(),
            Some(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED)
        )
    }

    /// Returns whether the API does not have the operation, by its own code.
    pub(crate) fn is_method_not_found(&self) -> bool {
        self.is_not_found() && self.code() == Some(&ErrorCode::MethodNotFound)
    }

    pub(crate) fn is_method_not_allowed(&self) -> bool {
        self.status() == Some(StatusCode::METHOD_NOT_ALLOWED)
    }

    /// Adds a hint to a 400: the server may have rejected the stored marker.
    pub(crate) fn with_stored_marker(mut self, marker: i64) -> Self {
        if let Reason::Status { status: StatusCode::BAD_REQUEST, message, .. } = &mut self.0.kind {
            message.push_str(&format!(
                " (the marker {marker} is from the marker store: if the server was reset, remove it from the store)"
            ));
        }
        self
    }

    /// Returns whether the failure is temporary, so that a retry may succeed.
    ///
    /// A failure is temporary in these cases:
    ///
    /// - The bot sent too many requests.
    /// - No connection could be opened, or the connection broke.
    /// - A timeout expired.
    /// - The server or a proxy failed (status 408 or 5xx).
    /// - The response was incomplete or was not JSON.
    /// - The server is still processing attached media.
    ///
    /// If [`may_have_been_applied`](Self::may_have_been_applied) returns `true`, a retry may apply the request a second
    /// time.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self.0.kind.failure(), Failure::Refused | Failure::Misfit)
    }

    /// Returns whether the server may have applied the request although the call failed.
    ///
    /// Returns `false` for all operations that only read. For all other operations, returns `true` if one of these
    /// failures occurred in at least one attempt:
    ///
    /// - The connection broke after the request was sent.
    /// - The response did not arrive in time, or could not be read.
    /// - The server or a proxy failed: status 408 or 5xx, except 503 with a [`code`](Self::code).
    ///
    /// If this method returns `true`, check the effect of the request before you retry it. For example, check whether
    /// the message is in the chat.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        self.0.report.ambiguous
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { attempts, elapsed, ambiguous, .. } = &self.0.report;
        f.debug_struct("Error")
            // `main` prints `Debug`, so it has the message. The message includes the kind, so `kind` is not repeated.
            .field("message", &format_args!("{self}"))
            .field("attempts", attempts)
            .field("elapsed", elapsed)
            .field("retry_after", &self.retry_after())
            .field("may_have_been_applied", ambiguous)
            .finish()
    }
}

/// Writes one line. Control characters are escaped, because they could forge a line of the log.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = &self.0.operation {
            write!(f, "{}: ", Printable(operation))?;
        }
        Printable(&self.0.kind).fmt(f)
    }
}

impl std::error::Error for Error {
    /// Returns the source of an error of a marker store or a chat store. Returns `None` for all other errors, because
    /// [`Display`](fmt::Display) writes their cause.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            Reason::MarkerStore(error) | Reason::ChatBook { error, .. } => error.source(),
            _ => None,
        }
    }
}
