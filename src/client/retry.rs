//! What happens after a failure: whether the call is made again, when, and for how long this goes on.
//!
//! A policy is pure: the class of the operation, the failure, the time gone by and a random number go in, a verdict
//! comes out. The transport does the sleeping.

mod backoff;
mod classify;
mod policy;
mod retry_after;

use std::{fmt, time::Duration};

use crate::error::Error;

pub(crate) use backoff::Backoff;
pub(crate) use classify::Class;
pub use policy::RetryPolicy;
pub(crate) use policy::{Tries, Verdict};
pub(crate) use retry_after::retry_after;

/// A call or a poll that failed and will be tried again; [`BotBuilder::on_retry`](crate::BotBuilder::on_retry) is told of each.
pub struct Retry<'a> {
    error: &'a Error,
    delay: Duration,
}

impl<'a> Retry<'a> {
    pub(crate) fn new(error: &'a Error, delay: Duration) -> Self {
        Self { error, delay }
    }

    /// Why the last attempt failed; it also knows the operation and how many attempts there were.
    #[must_use]
    pub fn error(&self) -> &'a Error {
        self.error
    }

    /// How long the call waits before the next attempt.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

impl fmt::Debug for Retry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("error", self.error).field("delay", &self.delay).finish()
    }
}
