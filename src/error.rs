//! The one error of the crate: opaque, with what it carries behind methods, and predicates that say what to do.

use std::{borrow::Cow, fmt, time::Duration};

use http::StatusCode;

use crate::check::Invalid;

/// Why a call failed.
///
/// Ask it what happened by its predicates: each says what to do about it. The error also carries the operation, and
/// what the server answered: HTTP status, the API's `code` and `message`. It never contains the bot's token.
pub struct Error(Box<Inner>);

/// What is known of a failed call.
#[derive(Debug)]
struct Inner {
    kind: Kind,
    operation: Option<Cow<'static, str>>,
    attempts: u32,
    elapsed: Duration,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    /// The bot could not be set up.
    #[error("{0}")]
    Build(String),
    /// The request was not sent, because no server would take it.
    #[error("not sent: {0}")]
    Invalid(Invalid),
    /// No connection, so nothing was sent.
    #[error("cannot connect: {}", root(source))]
    Connect { source: reqwest::Error },
    /// The time was over before the answer was there.
    #[error("{}", if *sent { "no answer in time" } else { "cannot connect in time" })]
    Timeout { source: reqwest::Error, sent: bool },
    /// The connection failed after the request may have gone out.
    #[error("the connection broke: {}", root(source))]
    Io { source: reqwest::Error },
    /// The server answered with an error status.
    #[error("{}", status_line(*status, code.as_deref(), message))]
    Status { status: StatusCode, code: Option<String>, message: String, retry_after: Option<Duration> },
    /// The server answered 200 and said that it did not do it.
    #[error("refused: {}", .0.as_deref().unwrap_or("the server gives no reason"))]
    Refused(Option<String>),
    /// The server answered 200 with a body that is not what the document says.
    #[error("the answer does not fit the document: {source}")]
    Decode { status: StatusCode, source: serde_json::Error },
}

/// The innermost source of an error, which says what the layers above only wrap.
pub(crate) fn root(error: &reqwest::Error) -> &dyn std::error::Error {
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}

/// `403 Forbidden, chat.denied: error.dialog.suspended`, as far as there is something to say.
fn status_line(status: StatusCode, code: Option<&str>, message: &str) -> String {
    let mut line = status.to_string();
    if let Some(code) = code {
        line.push_str(", ");
        line.push_str(code);
    }
    if !message.is_empty() {
        line.push_str(": ");
        line.push_str(message);
    }
    line
}

impl Error {
    pub(crate) fn new(kind: Kind) -> Self {
        Self(Box::new(Inner { kind, operation: None, attempts: 0, elapsed: Duration::ZERO }))
    }

    pub(crate) fn build(problem: impl Into<String>) -> Self {
        Self::new(Kind::Build(problem.into()))
    }

    /// Names the operation, and how much was tried.
    pub(crate) fn of(mut self, operation: impl Into<Cow<'static, str>>, attempts: u32, elapsed: Duration) -> Self {
        self.0.operation = Some(operation.into());
        self.0.attempts = attempts;
        self.0.elapsed = elapsed;
        self
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
            Kind::Status { status, .. } | Kind::Decode { status, .. } => Some(*status),
            Kind::Refused(_) => Some(StatusCode::OK),
            _ => None,
        }
    }

    /// The API's own name of the failure, such as `chat.denied`, if the answer had one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Status { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// The server's words: the API's `message`, or the text of an answer that is not the API's (a proxy's page).
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match &self.0.kind {
            Kind::Status { message, .. } => Some(message),
            Kind::Refused(message) => message.as_deref(),
            _ => None,
        }
    }

    /// How often the request was sent, or tried to be; 0 if it never was.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long the call took, waiting included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// How long the server asked to wait (`Retry-After`).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0.kind {
            Kind::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The server is asked too often (429). Wait [`retry_after`](Self::retry_after) and call again: nothing was done.
    #[must_use]
    pub fn is_rate_limited(&self) -> bool {
        self.status() == Some(StatusCode::TOO_MANY_REQUESTS)
    }

    /// The attached media is still being processed. Send the same message again a little later: nothing was posted.
    #[must_use]
    pub fn is_attachment_not_ready(&self) -> bool {
        let not_ready = |code: Option<&str>, message: &str| {
            code == Some("attachment.not.ready") || message.contains(".not.processed")
        };
        match &self.0.kind {
            Kind::Status { status, code, message, .. } => {
                *status == StatusCode::BAD_REQUEST && not_ready(code.as_deref(), message)
            }
            _ => false,
        }
    }

    /// The token is not valid (401, or the code `verify.token`). Stop, and get the right one: no call can succeed.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED) || self.code() == Some("verify.token")
    }

    /// The bot may not do this (403): it lacks the right, is no member, or the user has stopped it. Calling again does
    /// not help until somebody changes that; [`code`](Self::code) and [`message`](Self::message) tell the cases apart.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.status() == Some(StatusCode::FORBIDDEN)
    }

    /// There is no such chat, message or dialog (404). A dialog is missing until its user has started the bot.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(StatusCode::NOT_FOUND)
    }

    /// The server answered that it did not do it (`success: false`), for a reason in [`message`](Self::message). Often
    /// harmless: a second unpin, or adding a member who is there already.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.0.kind, Kind::Refused(_))
    }

    /// The request can never be right and was not sent; the error says which field, and how to mend it.
    #[must_use]
    pub fn is_invalid_request(&self) -> bool {
        matches!(self.0.kind, Kind::Invalid(_))
    }

    /// No answer in time. The server may have done it: see [`may_have_been_applied`](Self::may_have_been_applied).
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, Kind::Timeout { .. })
    }

    /// No connection could be made (address, refusal, TLS, proxy). Nothing was sent; calling again is safe.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        matches!(self.0.kind, Kind::Connect { .. } | Kind::Timeout { sent: false, .. })
    }

    /// The server's answer does not fit the document. The server has done what was asked; report it to this crate.
    #[must_use]
    pub fn is_decode(&self) -> bool {
        matches!(self.0.kind, Kind::Decode { .. })
    }

    /// The bot could not be set up: a setting is wrong, and the error says which.
    #[must_use]
    pub fn is_build(&self) -> bool {
        matches!(self.0.kind, Kind::Build(_))
    }

    /// The failure passes by itself: no connection, a timeout, a server or proxy in trouble, too many requests. Calling
    /// again may succeed; whether it may do the thing twice, [`may_have_been_applied`](Self::may_have_been_applied) says.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &self.0.kind {
            Kind::Connect { .. } | Kind::Timeout { .. } | Kind::Io { .. } => true,
            Kind::Status { status, .. } => {
                status.is_server_error()
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || *status == StatusCode::REQUEST_TIMEOUT
                    || self.is_attachment_not_ready()
            }
            _ => false,
        }
    }

    /// The server may have done what was asked, although the call failed: the connection broke, or time ran out, after
    /// the request was sent, or something between answered in the server's place. Look before doing it again.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        match &self.0.kind {
            Kind::Io { .. } | Kind::Timeout { sent: true, .. } | Kind::Decode { .. } => true,
            Kind::Status { status, code, retry_after, .. } => match *status {
                StatusCode::REQUEST_TIMEOUT => true,
                // The API itself says 503 before it does anything; a proxy may say it afterwards.
                StatusCode::SERVICE_UNAVAILABLE => code.is_none() && retry_after.is_none(),
                status => status.is_server_error(),
            },
            _ => false,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, operation, attempts, elapsed } = &*self.0;
        f.debug_struct("Error")
            .field("operation", operation)
            .field("kind", kind)
            .field("attempts", attempts)
            .field("elapsed", elapsed)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = &self.0.operation {
            write!(f, "{operation}: ")?;
        }
        self.0.kind.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.kind.source()
    }
}
