//! The one error of the crate: opaque, with what it carries behind methods, and predicates that say what to do.

mod code;
mod error_kind;
mod failure;
mod http;
mod kind;
mod refusal;
mod size_limit;

use std::{borrow::Cow, fmt, time::Duration};

use ::http::StatusCode;

pub use code::{ChatDenied, ErrorCode};
pub use error_kind::ErrorKind;
pub(crate) use failure::Failure;
pub(crate) use http::{HttpError, in_http2};
pub(crate) use kind::{BoxError, Kind};
pub(crate) use refusal::Refusal;
pub(crate) use size_limit::SizeLimit;

use crate::redaction::Printable;

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// [`kind`](Self::kind) says what failed. The predicates answer what callers decide by, above all
/// [`is_retryable`](Self::is_retryable) and [`may_have_been_applied`](Self::may_have_been_applied). The error also has the
/// operation, the HTTP status, and the API's `code` and `message`. It never contains the bot's token.
///
/// `Display` is one line with the cause: `sendMessage: cannot connect: Connection refused (os error 111)`. `Debug` has this
/// line once. `source()` does not repeat it: it is `None` unless a marker store or a chat store failed for a deeper
/// reason.
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
///     Err(error) if error.chat_denied() == Some(ChatDenied::BotStopped) => println!("she has stopped the bot"),
///     Err(error) if error.is_not_found() => println!("she has never started it"),
///     Err(error) if error.is_rate_limited() => println!("too fast; wait {:?}", error.retry_after()),
///     Err(error) if error.may_have_been_applied() => println!("nobody knows whether it was sent: {error}"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
pub struct Error(Box<Inner>);

/// What is known of a failed call.
#[derive(Debug)]
struct Inner {
    kind: Kind,
    operation: Option<Cow<'static, str>>,
    report: Report,
}

/// How a call went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// How often the request was sent, or tried to be.
    pub(crate) attempts: u32,
    /// How long the call took, waiting included.
    pub(crate) elapsed: Duration,
    /// The server may have done in one of the attempts what was asked.
    pub(crate) ambiguous: bool,
    /// "There is no such thing" may mean that an earlier attempt has removed it.
    pub(crate) may_be_gone: bool,
}

/// Returns whether a code means that the item does not exist.
fn is_not_found(code: &ErrorCode) -> bool {
    *code != ErrorCode::MethodNotFound && code.as_str().ends_with("not.found")
}

impl Error {
    pub(crate) fn new(kind: Kind) -> Self {
        Self(Box::new(Inner { kind, operation: None, report: Report::default() }))
    }

    pub(crate) fn build(problem: impl Into<String>) -> Self {
        Self::new(Kind::Build(problem.into()))
    }

    /// Names the operation, and how the call went.
    pub(crate) fn of(mut self, operation: impl Into<Cow<'static, str>>, report: Report) -> Self {
        self.0.operation = Some(operation.into());
        self.0.report = report;
        self
    }

    pub(crate) fn report(&self) -> &Report {
        &self.0.report
    }

    /// Whether "there is no such thing" means that an earlier attempt has removed it.
    pub(crate) fn is_already_gone(&self) -> bool {
        // By the API's own word: a proxy's 404 says nothing of it.
        let by_api = self.code().is_some_and(|code| *code != ErrorCode::MethodNotFound);
        // A refusal with another code does not mean that the item is gone.
        let by_refusal = self.is_refused() && self.code().is_none_or(is_not_found);
        self.0.report.may_be_gone && (by_refusal || self.is_not_found() && by_api)
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &self.0.kind {
            Kind::Build(_) => ErrorKind::Build,
            Kind::Invalid(_) | Kind::Unmade { .. } => ErrorKind::InvalidRequest,
            Kind::Unsupported(_) => ErrorKind::Unsupported,
            Kind::Connect { .. } | Kind::ConnectTimeout { .. } => ErrorKind::Connect,
            Kind::Timeout { .. } | Kind::Idle(_) => ErrorKind::Timeout,
            Kind::Cut { source, .. } if source.is_timeout() => ErrorKind::Timeout,
            Kind::Cut { .. } | Kind::Io { .. } | Kind::Unprocessed { .. } => ErrorKind::Connection,
            Kind::TooLarge { .. } => ErrorKind::TooLarge,
            Kind::Status { .. } | Kind::Refused(_) => self.kind_of_answer(),
            Kind::Decode { .. } => ErrorKind::Decode,
            Kind::Payload { .. } => ErrorKind::Payload,
            Kind::Pages(_) => ErrorKind::Pagination,
            Kind::Link(_) => ErrorKind::Link,
            Kind::Source { .. } => ErrorKind::Source,
            Kind::WebhookSubscribed(_) => ErrorKind::WebhookSubscribed,
            Kind::MarkerStore(_) => ErrorKind::MarkerStore,
            Kind::ChatBook { .. } => ErrorKind::ChatBook,
            #[cfg(feature = "journal")]
            Kind::Journal(_) => ErrorKind::Journal,
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
            _ => ErrorKind::Refused,
        }
    }

    /// The operation that failed, by the document's name (`sendMessage`), or method and path of a raw request.
    /// `None` for errors of [`BotBuilder::build`](crate::BotBuilder::build).
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// The HTTP status of the server's answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match &self.0.kind {
            Kind::Status { status, .. }
            | Kind::Cut { status, .. }
            | Kind::TooLarge { status, .. }
            | Kind::Decode { status, .. } => Some(*status),
            Kind::Refused(_) => Some(StatusCode::OK),
            _ => None,
        }
    }

    /// The API's own name of the failure, if the answer had one.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        match &self.0.kind {
            Kind::Status { code, .. } | Kind::Refused(Refusal { code, .. }) => code.as_ref(),
            _ => None,
        }
    }

    /// Returns the API's `message`, or the text of another response, such as a proxy's error page. Control
    /// characters are escaped (`\n`), and secrets are left out.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Status { message, .. } => Some(message),
            Kind::Refused(refusal) => refusal.message.as_deref(),
            _ => None,
        }
    }

    /// Returns what failed, without the operation.
    pub(crate) fn reason(&self) -> String {
        Printable(&self.0.kind).to_string()
    }

    /// Returns what failed, without the operation and the server's words: these may quote what was sent.
    pub(crate) fn reason_unquoted(&self) -> String {
        match &self.0.kind {
            Kind::Status { status, code, .. } => kind::status_line(*status, code.as_ref(), None, ""),
            Kind::Refused(Refusal { code: Some(code), .. }) => format!("refused: {code}"),
            Kind::Refused(_) => "refused".to_owned(),
            Kind::Decode { source, .. } if source.is_data() => "the answer does not fit the document".to_owned(),
            _ => self.reason(),
        }
    }

    /// How often the request was sent, or tried to be; 0 if it never was.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.report.attempts
    }

    /// How long the call took, waiting included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.report.elapsed
    }

    /// How long the server asked to wait (`Retry-After`).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.kind.retry_after()
    }

    /// The server is asked too often: status 429, or a refusal with such a code. Wait [`retry_after`](Self::retry_after) and call again: this attempt did
    /// nothing.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
            || self.is_refused_as(|code| *code == ErrorCode::TooManyRequests)
    }

    /// Returns whether the server refused with a 200 and a matching code.
    fn is_refused_as(&self, is_meant: impl Fn(&ErrorCode) -> bool) -> bool {
        self.is_refused() && self.code().is_some_and(is_meant)
    }

    /// The attached media is still being processed, for longer than the bot waits. Send the same message again a little
    /// later: this attempt posted nothing.
    #[must_use]
    pub fn is_attachment_not_ready(&self) -> bool {
        self.0.kind.failure() == Failure::AttachmentNotReady
    }

    /// Why the chat does not let the bot do this, if that is the failure (`chat.denied`).
    #[must_use]
    pub fn chat_denied(&self) -> Option<ChatDenied> {
        (self.code() == Some(&ErrorCode::ChatDenied)).then(|| ChatDenied::of(self.message().unwrap_or_default()))
    }

    /// The token is not valid (401, or the code `verify.token`). Stop, and get the right one: no call can succeed.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED) || self.code() == Some(&ErrorCode::VerifyToken)
    }

    /// The bot may not do this: status 403, or a refusal with such a code. It lacks the right, is no member, or the user has stopped it. Calling again does
    /// not help until somebody changes that; [`code`](Self::code) and [`message`](Self::message) tell the cases apart.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        let is_denied = |code: &ErrorCode| matches!(code, ErrorCode::AccessDenied | ErrorCode::ChatDenied);
        self.status() == Some(StatusCode::FORBIDDEN) && !self.is_unauthorized() || self.is_refused_as(is_denied)
    }

    /// There is no such chat, message or dialog: status 404, or a refusal with such a code. A dialog is missing until its user has started the bot.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND) || self.is_refused_as(is_not_found)
    }

    /// Returns whether the server answered with status 200 that it did not do it (`success: false`). The reason is in
    /// [`message`](Self::message) and [`code`](Self::code). Often harmless: a second unpin, or adding a member who is there
    /// already.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.0.kind, Kind::Refused(_))
    }

    /// No connection or no whole answer in time. Whether the server has done it,
    /// [`may_have_been_applied`](Self::may_have_been_applied) says.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match &self.0.kind {
            Kind::ConnectTimeout { .. } | Kind::Timeout { .. } | Kind::Idle(_) => true,
            Kind::Cut { source, .. } => source.is_timeout(),
            _ => false,
        }
    }

    /// Whether no waiting makes a poll that failed so succeed. The server's word counts only if it is the API's: a proxy's
    /// 403 passes.
    pub(crate) fn ends_polling(&self) -> bool {
        match &self.0.kind {
            Kind::Status { status, code, .. } => {
                status.is_client_error()
                    && !matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
                    && code.is_some()
            }
            Kind::Build(_)
            | Kind::Invalid(_)
            | Kind::Unsupported(_)
            | Kind::Unmade { .. }
            | Kind::TooLarge { .. }
            | Kind::WebhookSubscribed(_)
            | Kind::MarkerStore(_) => true,
            #[cfg(feature = "journal")]
            Kind::Journal(_) => true,
            _ => false,
        }
    }

    /// Whether the body of a success is JSON, but not what the document says, or is over the size limit.
    pub(crate) fn is_misfit(&self) -> bool {
        self.0.kind.failure() == Failure::Misfit
    }

    /// Whether the server, or whoever answers in its place, does not have the operation at all.
    pub(crate) fn knows_no_such_operation(&self) -> bool {
        matches!(
            self.status(),
            Some(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED)
        )
    }

    /// Whether the API itself says that it does not have the operation.
    pub(crate) fn is_method_not_found(&self) -> bool {
        self.is_not_found() && self.code() == Some(&ErrorCode::MethodNotFound)
    }

    pub(crate) fn is_method_not_allowed(&self) -> bool {
        self.status() == Some(StatusCode::METHOD_NOT_ALLOWED)
    }

    /// Says that it may be the stored marker which the server does not take.
    pub(crate) fn with_stored_marker(mut self, marker: i64) -> Self {
        if let Kind::Status { status: StatusCode::BAD_REQUEST, message, .. } = &mut self.0.kind {
            message.push_str(&format!(
                " (asked with the marker {marker} from the marker store: if the server was reset, remove it from there)"
            ));
        }
        self
    }

    /// The failure passes by itself: no connection, a timeout, a server or proxy in trouble, too many requests. Calling
    /// again may succeed; whether it may do the thing twice, [`may_have_been_applied`](Self::may_have_been_applied) says.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        !matches!(self.0.kind.failure(), Failure::Refused | Failure::Misfit)
    }

    /// The server may have done what was asked, although the call failed: in one of the attempts the connection broke, or
    /// time ran out, after the request was sent, or something between answered in the server's place. Look before doing
    /// it again. Never true of what changes nothing.
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

/// One line: control characters, which could forge a line of the log, are escaped.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = &self.0.operation {
            write!(f, "{}: ", Printable(operation))?;
        }
        Printable(&self.0.kind).fmt(f)
    }
}

impl std::error::Error for Error {
    /// Returns the cause of the error of a marker store or a chat store. Returns `None` for all other errors:
    /// [`Display`](fmt::Display) already has their cause.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            Kind::MarkerStore(error) | Kind::ChatBook { error, .. } => error.source(),
            _ => None,
        }
    }
}
