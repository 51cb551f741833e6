//! The kinds of errors, and their [`Failure`] class, which decides about a retry.

use std::{io, time::Duration};

use ::http::StatusCode;

use super::{code::ErrorCode, failure::Failure, http::HttpError, refusal::Refusal, size_limit::SizeLimit};
use crate::validation::Invalid;

/// A boxed error of any type.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The kind of an error, with its details.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    /// The bot could not be set up.
    #[error("{0}")]
    Build(String),
    /// The request is invalid, and was not sent.
    #[error("not sent: {0}")]
    Invalid(Invalid),
    /// The service does not have an operation, a value in a request, or a kind of link.
    #[error("{0}")]
    Unsupported(String),
    /// The HTTP client rejected the request before it was sent, for example because its URL is too long.
    #[error("not sent: cannot build the request: {}", source.root())]
    Unmade { source: HttpError },
    /// The connection failed, so nothing was sent.
    #[error("cannot connect: {}", source.root())]
    Connect { source: HttpError },
    /// The connection took longer than `connect_timeout`, so nothing was sent.
    #[error("cannot connect in time")]
    ConnectTimeout { source: HttpError },
    /// An HTTP/2 server refused the request before it processed it.
    #[error("refused before it was processed: {}", source.root())]
    Unprocessed { source: HttpError },
    /// The decompressed body of a success is over the size limit.
    #[error("{status}, but the decompressed body exceeds the limit of {limit}")]
    TooLarge { status: StatusCode, limit: SizeLimit },
    /// The timeout expired before the response began.
    #[error("no response in time")]
    Timeout { source: HttpError },
    /// The connection broke before the response began. The request may have been sent.
    #[error("the connection broke: {}", source.root())]
    Io { source: HttpError },
    /// The body of a success is incomplete.
    #[error("{status}, but the response body is incomplete: {}", source.root())]
    Cut { status: StatusCode, source: HttpError },
    /// The server answered with an error status. `location`: destination of a redirect.
    #[error("{}", status_line(*status, code.as_ref(), location.as_deref(), message))]
    Status {
        status: StatusCode,
        code: Option<ErrorCode>,
        location: Option<String>,
        message: String,
        retry_after: Option<Duration>,
    },
    /// The server refused the request with status 200.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// Polling is impossible because webhooks are subscribed. Contains their origins.
    #[error(
        "cannot poll while a webhook receives the updates ({}): unsubscribe it, or poll with `remove_webhooks(true)`",
        .0.join(", ")
    )]
    WebhookSubscribed(Vec<String>),
    /// The marker store failed, so the position of the bot is unknown.
    #[error("the marker store cannot be read: {0}")]
    MarkerStore(BoxError),
    /// The store of a chat book failed.
    #[error("the chat book cannot be {verb}: {error}")]
    ChatBook { verb: &'static str, error: BoxError },
    /// The journal is damaged, in use, or belongs to another program or bot.
    #[cfg(feature = "journal")]
    #[error("{0}")]
    Journal(BoxError),
    /// The body of a success does not match the API document.
    #[error("the response does not fit the API document: {source}")]
    Decode { status: StatusCode, source: serde_json::Error },
    /// The payload or `data` of an update is not the expected value.
    #[error("the {field} is not what was expected: {source}")]
    Payload { field: &'static str, source: serde_json::Error },
    /// The next page of a list cannot be found.
    #[error("cannot read the next page of the list: {0}")]
    Pages(String),
    /// A text is not a link, or a link cannot contain a value.
    #[error("{0}")]
    Link(String),
    /// The source of an upload could not be read, or changed during the upload.
    #[error("{problem}")]
    Source { problem: String, source: Option<io::Error> },
    /// An upload made no progress for this time.
    #[error("upload stalled: no bytes transferred for {0:?}")]
    Idle(Duration),
}

/// Formats an error status: `403 Forbidden, chat.denied: error.dialog.suspended`. Empty parts are left out.
pub(super) fn status_line(
    status: StatusCode,
    code: Option<&ErrorCode>,
    location: Option<&str>,
    message: &str,
) -> String {
    let mut line = status.to_string();
    if let Some(code) = code {
        line.push_str(", ");
        line.push_str(code.as_str());
    }
    if let Some(location) = location {
        line.push_str(&format!(" (redirect to {location}, not followed)"));
    }
    if !message.is_empty() {
        line.push_str(": ");
        line.push_str(message);
    }
    line
}

impl Reason {
    /// Returns the class of the failure, which decides about a retry.
    pub(crate) fn failure(&self) -> Failure {
        match self {
            Self::Connect { .. } | Self::ConnectTimeout { .. } => Failure::NotSent,
            Self::Unprocessed { .. } => Failure::NotProcessed,
            Self::Timeout { .. } | Self::Io { .. } | Self::Idle(_) => Failure::Unknown,
            Self::Cut { .. } => Failure::Garbled,
            Self::TooLarge { .. } => Failure::Misfit,
            Self::Decode { source, .. } if source.is_data() => Failure::Misfit,
            Self::Decode { .. } => Failure::Garbled,
            Self::Refused(Refusal { code: Some(ErrorCode::TooManyRequests), .. }) => Failure::RateLimited,
            Self::Refused(Refusal { code, message })
                if is_not_ready(code.as_ref(), message.as_deref().unwrap_or_default()) =>
            {
                Failure::AttachmentNotReady
            }
            Self::Status { status, code, message, .. } => match *status {
                StatusCode::TOO_MANY_REQUESTS => Failure::RateLimited,
                StatusCode::BAD_REQUEST if is_not_ready(code.as_ref(), message) => Failure::AttachmentNotReady,
                // Only an API 503 means that nothing was done. A proxy may send 503, even with `Retry-After`, after it
                // has passed the request on.
                StatusCode::SERVICE_UNAVAILABLE if code.is_some() => Failure::NotProcessed,
                StatusCode::REQUEST_TIMEOUT => Failure::Unknown,
                status if status.is_server_error() => Failure::Unknown,
                _ => Failure::Refused,
            },
            Self::Build(_)
            | Self::Invalid(_)
            | Self::Unsupported(_)
            | Self::Unmade { .. }
            | Self::Refused(_)
            | Self::Payload { .. }
            | Self::Pages(_)
            | Self::Link(_)
            | Self::Source { .. }
            | Self::WebhookSubscribed(_)
            | Self::MarkerStore(_)
            | Self::ChatBook { .. } => Failure::Refused,
            #[cfg(feature = "journal")]
            Self::Journal(_) => Failure::Refused,
        }
    }

    /// Returns the time that the server asked to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Returns whether a 400, or a refusal, means that attached media is still being processed. Servers use either the code
/// or the message for it.
fn is_not_ready(code: Option<&ErrorCode>, message: &str) -> bool {
    code == Some(&ErrorCode::AttachmentNotReady)
        || message.contains(".not.processed")
        || message.contains(ErrorCode::AttachmentNotReady.as_str())
}
