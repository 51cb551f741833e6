//! What can go wrong between a bot and NATS.

use std::error::Error as StdError;

use async_nats::jetstream::{
    Error as ApiError, ErrorCode,
    context::{CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind},
    stream::{
        ConsumerError, ConsumerErrorKind, DeleteMessageError, DeleteMessageErrorKind, LastRawMessageErrorKind,
        PurgeError, PurgeErrorKind, RawMessageError,
    },
};

type BoxError = Box<dyn StdError + Send + Sync>;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a queue cannot be opened or used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Problem>);

/// The kind of an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// NATS does not answer, or cannot do it now: no connection, no leader. The same may succeed later.
    Unavailable,
    /// NATS refuses the request. See the message of the error.
    Refused,
    /// The stream holds as many bytes as it may. Workers and purges make room.
    Full,
    /// The update is larger than a message of NATS may be.
    TooLarge,
    /// The stream on NATS has other settings: it has another number of slots, or is that of another bot.
    Mismatch,
    /// A setting is not possible.
    Setting,
    /// A call of the bot failed. The error is the [source](std::error::Error::source), a [`tamtam::Error`].
    Bot,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("cannot {action}: {}", with_sources(&**source))]
    Nats { action: &'static str, source: BoxError },
    #[error(
        "the update has {bytes} bytes, and a message of NATS may have {most}: set `max_payload` of the server higher"
    )]
    TooLarge { bytes: usize, most: usize },
    #[error(
        "stream `{stream}` has {has} slots, not {asked}: open it with {has} slots, or stop all processes once \
         `Queue::lag` is 0, and remove the streams `{stream}` and `{stream}-dead`"
    )]
    Slots { stream: String, has: String, asked: u16 },
    #[error("stream `{stream}` belongs to {owner}, not to {bot}: give the queue another name with `name`")]
    Owner { stream: String, owner: String, bot: String },
    #[error("{0}")]
    Setting(String),
    #[error("the bot cannot be identified: {0}")]
    Bot(#[source] tamtam::Error),
    #[error("the updates cannot be received: {0}")]
    Updates(#[source] tamtam::Error),
    #[error("the updates cannot be handled: {0}")]
    Run(#[source] tamtam::Error),
}

impl Error {
    /// An error of NATS, and what was tried.
    pub(crate) fn nats(action: &'static str, source: impl Into<BoxError>) -> Self {
        Problem::Nats { action, source: source.into() }.into()
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Problem::Nats { source, .. } => kind_of(&**source),
            Problem::TooLarge { .. } => ErrorKind::TooLarge,
            Problem::Slots { .. } | Problem::Owner { .. } => ErrorKind::Mismatch,
            Problem::Setting(_) => ErrorKind::Setting,
            Problem::Bot(_) | Problem::Updates(_) | Problem::Run(_) => ErrorKind::Bot,
        }
    }

    /// Whether the same may succeed later without a change: if NATS does not answer or is full, or if a call of the bot
    /// may be [retried](tamtam::Error::is_retryable).
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match &*self.0 {
            Problem::Bot(error) => error.is_retryable(),
            _ => matches!(self.kind(), ErrorKind::Unavailable | ErrorKind::Full),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

/// The error of JetStream in an error or its sources. Some errors of the client have it as their kind.
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
    match api_error(source) {
        // Without the code of another reason, a write that fails is one for which there is no room.
        Some(error) if error.error_code() == ErrorCode::STREAM_STORE_FAILED => ErrorKind::Full,
        Some(error) if (400..500).contains(&error.code()) => ErrorKind::Refused,
        // A status of 500 and above, and answers that did not come.
        _ => ErrorKind::Unavailable,
    }
}

/// An error, and its sources.
fn sources<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// An error and its sources that it does not quote.
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
