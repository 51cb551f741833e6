//! The bot and its calls: how a call is made, sent, retried and read.

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
