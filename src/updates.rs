//! Updates: the stream by long polling, the engine that runs handlers, marker stores and health.

pub(crate) mod atomic_write;
mod delivery;
mod engine;
pub(crate) mod handler;
pub(crate) mod health;
mod lane;
pub(crate) mod marker;
mod pages;
pub(crate) mod raw_update;
pub(crate) mod run;
mod source;
pub(crate) mod stream;
pub(crate) mod subscriptions;

pub use delivery::{Delivery, Settled};
pub use lane::Lane;
