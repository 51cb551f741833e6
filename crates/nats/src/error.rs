//! The errors of this crate.

use std::{error::Error as StdError, fmt};

use async_nats::jetstream::{
    Error as ApiError, ErrorCode,
    context::{CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind},
    stream::{
        ConsumerError, ConsumerErrorKind, DeleteMessageError, DeleteMessageErrorKind, LastRawMessageErrorKind,
        PurgeError, PurgeErrorKind, RawMessageError,
    },
};

/// Servers of the cluster are missing. A retry may succeed, although the status is 400.
const NO_SUITABLE_PEERS: ErrorCode = ErrorCode::CLUSTER_NO_PEERS;
/// An earlier attempt to store the same update has not ended.
const DUPLICATE_IN_PROCESS: ErrorCode = ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT;

type BoxError = Box<dyn StdError + Send + Sync>;

/// A [`Result`](std::result::Result) with the [`Error`] of this crate.
///
#[doc = crate::doc_example!("
async fn is_behind(queue: &Queue) -> tamtam_nats::Result<bool> {
    Ok(queue.lag().await?.waiting > 1_000)
}

assert!(!is_behind(&queue).await?);
")]
pub type Result<T> = std::result::Result<T, Error>;

/// The error of an operation on a [`Queue`](crate::Queue). [`kind`](Self::kind) returns the kind of the error.
///
#[doc = crate::doc_example!("
use tamtam_nats::ErrorKind;

# let nats = async_nats::connect(&server).await?;
let error = Queue::open(nats, &bot).slots(0).await.unwrap_err();
assert_eq!(error.kind(), ErrorKind::Setting);
assert!(!error.is_temporary());
println!(\"{error}\");
")]
#[derive(thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Problem>);

/// The kind of an [`Error`]. Returned by [`Error::kind`].
///
#[doc = crate::doc_example!("
use tamtam_nats::ErrorKind;

let waiting = match queue.lag().await {
    Ok(lag) => Some(lag.waiting),
    Err(error) if error.kind() == ErrorKind::Unavailable => None,
    Err(error) => return Err(error.into()),
};
println!(\"waiting: {waiting:?}\");
")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// NATS does not respond, or cannot process the request now. For example, there is no connection, or NATS is
    /// electing a leader (the server that processes the requests). A retry may succeed.
    Unavailable,
    /// NATS refuses the request. The message of the error contains the reason.
    Refused,
    /// The queue has reached its maximum size ([`Open::max_bytes`](crate::Open::max_bytes)). A retry may succeed after
    /// workers have handled some updates.
    Full,
    /// The update is too large for NATS. The limit is `max_payload` of the NATS server (defaults to 1 MiB) minus 8 KiB.
    /// To store larger updates, increase `max_payload` in the configuration of the server.
    TooLarge,
    /// The existing queue belongs to another bot, or its number of slots differs from the number that you set with
    /// [`Open::slots`](crate::Open::slots). Exception: if the queue belongs to another
    /// bot, a [receiver](crate::Queue::receive) fails with [`ErrorKind::Bot`].
    Mismatch,
    /// A setting is invalid. The message of the error contains the setting and the reason.
    Setting,
    /// The queue contains invalid data. The message of the error contains the reason.
    Data,
    /// An operation of the bot failed, for example a call to the API of the messenger. The
    /// [source](std::error::Error::source) of the error is a [`tamtam::Error`].
    Bot,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("cannot {action}: {}", with_sources(&**source))]
    Nats { action: &'static str, source: BoxError },
    #[error(
        "cannot {action}: a NATS server cannot reserve {bytes} bytes; set a smaller `max_bytes`, or increase \
         `max_file_store` of the server"
    )]
    NoRoom { action: &'static str, bytes: i64 },
    #[error("the update has {bytes} bytes, but the limit is {most}: increase `max_payload` of the NATS server")]
    TooLarge { bytes: usize, most: usize },
    #[error(
        "stream `{stream}` has {has} slots, not {asked}: open it with {has} slots; or stop the receivers and \
         webhooks, wait until no update is waiting or in flight, stop the workers, and remove the streams `{stream}` \
         and `{stream}-dead`"
    )]
    Slots { stream: String, has: String, asked: u16 },
    #[error("stream `{stream}` belongs to {owner}, not to {bot}: give the queue another name with `name`")]
    Owner { stream: String, owner: String, bot: String },
    #[error("{0}")]
    Setting(String),
    #[error("{0}")]
    Data(String),
    #[error("the bot cannot be identified: {0}")]
    Bot(#[source] tamtam::Error),
    #[error("the updates cannot be received: {0}")]
    Updates(#[source] tamtam::Error),
    #[error("the updates cannot be handled: {0}")]
    Run(#[source] tamtam::Error),
}

impl Error {
    /// Creates an error of NATS. `action`: the action that failed.
    pub(crate) fn nats(action: &'static str, source: impl Into<BoxError>) -> Self {
        Problem::Nats { action, source: source.into() }.into()
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Problem::Nats { source, .. } => kind_of(&**source),
            Problem::NoRoom { .. } => ErrorKind::Refused,
            Problem::TooLarge { .. } => ErrorKind::TooLarge,
            Problem::Slots { .. } | Problem::Owner { .. } => ErrorKind::Mismatch,
            Problem::Setting(_) => ErrorKind::Setting,
            Problem::Data(_) => ErrorKind::Data,
            Problem::Bot(_) | Problem::Updates(_) | Problem::Run(_) => ErrorKind::Bot,
        }
    }

    /// Returns whether a retry may succeed. The result is `true` in these cases:
    ///
    /// - The kind is [`ErrorKind::Unavailable`] or [`ErrorKind::Full`].
    /// - [`Queue::open`](crate::Queue::open) could not get the id of the bot because of a
    ///   [retryable](tamtam::Error::is_retryable) error.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match &*self.0 {
            Problem::Bot(error) => error.is_retryable(),
            _ => matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::Full),
        }
    }
}

/// Writes the kind, and then the same message as `Display`, because `main` prints errors by `Debug`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind())
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

/// Returns the error of JetStream in an error or its sources. Some errors of the client have it as their kind.
pub(crate) fn api_error(error: &(dyn StdError + 'static)) -> Option<ApiError> {
    macro_rules! kinds {
        ($error:ident, $($ty:ty, $kind:path;)*) => {
            $(if let Some(error) = $error.downcast_ref::<$ty>()
                && let $kind(api) = error.kind()
            {
                return Some(api);
            })*
        };
    }
    let of_one = |error: &(dyn StdError + 'static)| {
        kinds! { error,
            GetStreamError, GetStreamErrorKind::JetStream;
            CreateStreamError, CreateStreamErrorKind::JetStream;
            ConsumerError, ConsumerErrorKind::JetStream;
            RawMessageError, LastRawMessageErrorKind::JetStream;
            PurgeError, PurgeErrorKind::JetStream;
            DeleteMessageError, DeleteMessageErrorKind::JetStream;
        }
        error.downcast_ref::<ApiError>().cloned()
    };
    sources(error).find_map(of_one)
}

fn kind_of(source: &(dyn StdError + 'static)) -> ErrorKind {
    let Some(error) = api_error(source) else {
        // JetStream has not answered.
        return ErrorKind::Unavailable;
    };
    match error.error_code() {
        // The stream is full. Other failures to write have the same code.
        ErrorCode::STREAM_STORE_FAILED => ErrorKind::Full,
        NO_SUITABLE_PEERS | DUPLICATE_IN_PROCESS => ErrorKind::Unavailable,
        ErrorCode::STREAM_REPLICAS_NOT_SUPPORTED => ErrorKind::Refused,
        _ if (400..500).contains(&error.code()) => ErrorKind::Refused,
        _ => ErrorKind::Unavailable,
    }
}

/// Returns an error and its sources.
fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Returns the message of an error, with the sources that it does not contain yet.
fn with_sources(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    for source in sources(error).skip(1) {
        let source = source.to_string();
        if !text.contains(&source) {
            text = format!("{text}: {source}");
        }
    }
    text
}
