//! Retries: whether a failed call is retried, and after which delay.
//!
//! The policy is a pure function of the class of the operation, the failure, the elapsed time and a random number. The
//! transport does the waiting.

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

/// A failed attempt of a request that will be retried. Passed to the function that you set with
/// [`BotBuilder::on_retry`](crate::BotBuilder::on_retry).
pub struct Retry<'a> {
    error: &'a Error,
    delay: Duration,
}

impl<'a> Retry<'a> {
    pub(crate) fn new(error: &'a Error, delay: Duration) -> Self {
        Self { error, delay }
    }

    /// Returns the error of the failed attempt. The error also contains the operation and the number of attempts so
    /// far.
    #[must_use]
    pub fn error(&self) -> &'a Error {
        self.error
    }

    /// Returns the delay between the failed attempt and the next attempt. The [`Pace`](crate::settings::Pace) of the
    /// bot can delay the next attempt further.
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
