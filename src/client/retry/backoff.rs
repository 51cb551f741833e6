//! The delay before the next attempt.

use std::time::Duration;

/// Delays that double from `first` to `most`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    pub(crate) first: Duration,
    pub(crate) most: Duration,
}

impl Backoff {
    /// Returns the delay after a number of failures, at least 1, without jitter.
    pub(crate) fn step(self, failures: u32) -> Duration {
        let doubled = 2_u32.checked_pow(failures.saturating_sub(1)).and_then(|factor| self.first.checked_mul(factor));
        doubled.map_or(self.most, |wait| wait.min(self.most))
    }

    /// Returns the delay with full jitter: a random part of the step, so that many clients do not retry at the same
    /// time. `chance`: random number from 0 to 1.
    pub(crate) fn jittered(self, failures: u32, chance: f64) -> Duration {
        let wait = self.step(failures);
        Duration::try_from_secs_f64(wait.as_secs_f64() * chance.clamp(0.0, 1.0)).unwrap_or(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), most: Duration::from_secs(8) };

    #[test]
    fn delays_double_up_to_the_maximum() {
        let waits: Vec<u128> = (1..=7).map(|failures| BACKOFF.step(failures).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(BACKOFF.step(u32::MAX), BACKOFF.most);
    }

    #[test]
    fn jitter_scales_the_whole_delay() {
        assert_eq!(BACKOFF.jittered(3, 0.0), Duration::ZERO);
        assert_eq!(BACKOFF.jittered(3, 0.5), Duration::from_secs(1));
        assert_eq!(BACKOFF.jittered(3, 1.0), Duration::from_secs(2));
        let endless = Backoff { first: Duration::MAX, most: Duration::MAX };
        assert_eq!(endless.jittered(3, 1.0), Duration::MAX);
    }
}
