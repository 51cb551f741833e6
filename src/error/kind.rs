//! What can go wrong, and what each failure means for another attempt.

use std::{io, time::Duration};

use ::http::StatusCode;

use super::{code::ErrorCode, failure::Failure, http::HttpError, refusal::Refusal, size_limit::SizeLimit};
use crate::validation::Invalid;

/// An error of any kind.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    /// The bot could not be set up.
    #[error("{0}")]
    Build(String),
    /// The request was not sent, because no server would take it.
    #[error("not sent: {0}")]
    Invalid(Invalid),
    /// The service does not have an operation, a value in a request, or a kind of link.
    #[error("{0}")]
    Unsupported(String),
    /// The request was not sent, because HTTP cannot carry it: its URL is too long, say.
    #[error("not sent: the request cannot be made: {}", source.root())]
    Unmade { source: HttpError },
    /// No connection, so nothing was sent.
    #[error("cannot connect: {}", source.root())]
    Connect { source: HttpError },
    /// No connection within the time for it, so nothing was sent.
    #[error("cannot connect in time")]
    ConnectTimeout { source: HttpError },
    /// An HTTP/2 server refused the request before it processed it.
    #[error("refused before it was processed: {}", source.root())]
    Unprocessed { source: HttpError },
    /// The body of a success is over the limit, unpacked.
    #[error("{status}, but the decompressed body exceeds the limit of {limit}")]
    TooLarge { status: StatusCode, limit: SizeLimit },
    /// The time was over before the answer began.
    #[error("no answer in time")]
    Timeout { source: HttpError },
    /// The connection failed after the request may have gone out, and before the answer began.
    #[error("the connection broke: {}", source.root())]
    Io { source: HttpError },
    /// The server answered with a success whose body did not arrive whole.
    #[error("{status}, but the answer did not arrive whole: {}", source.root())]
    Cut { status: StatusCode, source: HttpError },
    /// The server answered with an error status. `location` is where a redirect leads.
    #[error("{}", status_line(*status, code.as_ref(), location.as_deref(), message))]
    Status {
        status: StatusCode,
        code: Option<ErrorCode>,
        location: Option<String>,
        message: String,
        retry_after: Option<Duration>,
    },
    /// The server answered 200 and said that it did not do it.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// A webhook keeps updates from coming by polling; these are the origins of those that are subscribed.
    #[error(
        "updates go to a webhook ({}) and do not come by polling: unsubscribe it, or poll with `remove_webhooks(true)`",
        .0.join(", ")
    )]
    WebhookSubscribed(Vec<String>),
    /// Nobody knows how far the bot has come.
    #[error("the marker store cannot be read: {0}")]
    MarkerStore(BoxError),
    /// The store of a chat book failed.
    #[error("the chat book cannot be {verb}: {error}")]
    ChatBook { verb: &'static str, error: BoxError },
    /// The journal cannot be used.
    #[cfg(feature = "journal")]
    #[error("{0}")]
    Journal(BoxError),
    /// The server answered 200 with a body that is not what the document says.
    #[error("the answer does not fit the document: {source}")]
    Decode { status: StatusCode, source: serde_json::Error },
    /// What a field brought back is not the value that the bot put there.
    #[error("the {field} is not what was expected: {source}")]
    Payload { field: &'static str, source: serde_json::Error },
    /// A list whose pages lead nowhere.
    #[error("the list cannot be read on: {0}")]
    Pages(String),
    /// A text is not a link, or a link cannot have a value.
    #[error("{0}")]
    Link(String),
    /// What was to be uploaded could not be read, or changed while it was.
    #[error("{problem}")]
    Source { problem: String, source: Option<io::Error> },
    /// An upload stood still for so long.
    #[error("no byte moved for {0:?}")]
    Idle(Duration),
}

/// `403 Forbidden, chat.denied: error.dialog.suspended`, as far as there is something to say.
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

impl Kind {
    /// What kind of failure it is, for the decision whether to try again.
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

    /// How long the server asked to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Whether a 400, or a refusal, says that attached media is still being processed. Servers say it by the code or by the
/// message.
fn is_not_ready(code: Option<&ErrorCode>, message: &str) -> bool {
    code == Some(&ErrorCode::AttachmentNotReady)
        || message.contains(".not.processed")
        || message.contains(ErrorCode::AttachmentNotReady.as_str())
}
