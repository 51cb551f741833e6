//! The bot and its calls: building, sending, retrying and reading them.

pub(crate) mod bot;
pub(crate) mod clock;
pub(crate) mod pace;
pub(crate) mod proxy;
pub(crate) mod raw_request;
pub(crate) mod request;
pub(crate) mod retry;
pub(crate) mod sync_future;
pub(crate) mod tls;
pub(crate) mod token;
pub(crate) mod transport;
