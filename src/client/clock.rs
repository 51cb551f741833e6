//! The source of time and random numbers. Tests replace it.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use tokio::time::Instant;

/// A source of time and random numbers.
pub(crate) trait Clock: fmt::Debug + Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Instant;

    /// Waits for a duration.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

    /// Returns a random number from 0 to 1.
    fn chance(&self) -> f64;
}

/// Returns whole milliseconds, for the log: `tracing` writes a `u128` as text.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The real clock: the time of tokio, and random numbers that are not cryptographically secure.
#[derive(Debug)]
pub(crate) struct Real;

impl Clock for Real {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn chance(&self) -> f64 {
        fastrand::f64()
    }
}

/// A clock that only waits move forward, without a delay. It records the waits.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Manual {
    start: Instant,
    pub(crate) chance: f64,
    waits: std::sync::Mutex<Vec<Duration>>,
}

#[cfg(test)]
impl Manual {
    pub(crate) fn new(chance: f64) -> Self {
        Self { start: Instant::now(), chance, waits: std::sync::Mutex::default() }
    }

    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }
}

#[cfg(test)]
impl Clock for Manual {
    fn now(&self) -> Instant {
        self.start + self.waits().iter().sum()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        self.waits.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }

    fn chance(&self) -> f64 {
        self.chance
    }
}
