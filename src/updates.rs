//! Updates by long polling: the stream, handlers, marker stores and health.

pub(crate) mod atomic_write;
pub(crate) mod handler;
pub(crate) mod health;
pub(crate) mod marker;
pub(crate) mod raw_update;
pub(crate) mod run;
pub(crate) mod stream;
pub(crate) mod subscriptions;
