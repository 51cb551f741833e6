//! The clock of a sandbox, which follows the wall clock or advances by steps.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// Unix time in milliseconds, UTC, as everywhere in the API.
pub(crate) type Millis = i64;

/// The end of the clock, in the year 6429. The `seq` of a message has no room for a later time.
const END: Millis = (1 << 47) - 1;

/// The time that is left to a clock that was moved as far as possible: 100 years, in milliseconds.
const RESERVE: Millis = 100 * 366 * 24 * 60 * 60 * 1_000;

/// The error of a clock that cannot be moved.
pub(crate) const TOO_FAR: &str = "the sandbox's clock cannot go beyond the year 6300";

/// The beginning of a stepped clock: 2025-01-01 00:00 UTC.
const BEGINNING: Millis = 1_735_689_600_000;
/// The step of a stepped clock, in milliseconds: 1 s per event, so that times are easy to read.
const STEP: Millis = 1_000;

/// A clock that dates every event differently, so that messages and updates always have an order. It can be moved
/// forward.
///
/// The clock follows the wall clock, and runs ahead of it with more than 1000 events per second. A stepped clock
/// advances only with events.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Clock {
    last: Millis,
    /// How far the clock was moved forward.
    ahead: Millis,
    /// Whether the clock advances only with events.
    is_stepped: bool,
}

impl Clock {
    /// Creates a stepped clock. It shows the same times in every run with the same events.
    pub(crate) const fn stepped() -> Self {
        Self { last: BEGINNING, ahead: 0, is_stepped: true }
    }

    /// Returns the time for a new event, which is later than the times of all earlier events.
    pub(crate) fn tick(&mut self) -> Millis {
        self.last = if self.is_stepped { self.last + STEP } else { self.shows().max(self.last + 1) };
        self.last
    }

    /// Returns the current time for the schedule of webhooks. Even on a stepped clock, it advances without events.
    pub(crate) fn now(&self) -> Millis {
        if self.is_stepped { self.shows() } else { self.shows().max(self.last) }
    }

    /// Returns the time that limits per second use. Unlike [`now`](Self::now), it never runs ahead of the wall clock.
    pub(crate) fn real_time(&self) -> Millis {
        self.shows()
    }

    /// Returns the current time as messages are dated. A stepped clock is not advanced.
    pub(crate) fn dated(&self) -> Millis {
        if self.is_stepped { self.last } else { self.now() }
    }

    /// Skips the time of this many events. Does nothing on a clock that is not stepped.
    pub(crate) fn skip(&mut self, happenings: i64) {
        if self.is_stepped {
            self.last = self.last.saturating_add(happenings.saturating_mul(STEP)).min(END - RESERVE);
        }
    }

    /// Moves the clock forward. Returns false, and changes nothing, if less than [`RESERVE`] would be left.
    #[must_use]
    pub(crate) fn advance(&mut self, by: Duration) -> bool {
        let ahead = self.ahead.saturating_add(millis(by));
        let last = if self.is_stepped { self.last.saturating_add(millis(by)) } else { self.last };
        let fits = ahead < END - RESERVE - wall() && last < END - RESERVE;
        if fits {
            (self.ahead, self.last) = (ahead, last);
        }
        fits
    }

    fn shows(&self) -> Millis {
        wall() + self.ahead
    }
}

/// Converts a duration to milliseconds.
pub(crate) fn millis(duration: Duration) -> Millis {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn wall() -> Millis {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    millis(elapsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_every_event_differently() {
        let mut clock = Clock::default();
        let mut last = clock.tick();
        for _ in 0..1_000 {
            let now = clock.tick();
            assert!(now > last);
            last = now;
        }
    }

    #[test]
    fn real_time_does_not_run_ahead() {
        let mut clock = Clock::default();
        let began = wall();
        for _ in 0..10_000 {
            clock.tick();
        }
        assert!(clock.real_time() - began < 5_000 && clock.now() - began >= 9_999);
    }

    #[test]
    fn moves_forward_and_continues_from_there() {
        let mut clock = Clock::default();
        let before = clock.tick();
        assert!(clock.advance(Duration::from_secs(3600)));
        let hour = before + 3_600_000;
        assert!(clock.now() >= hour && clock.tick() >= hour);
        assert!(clock.now() < hour + 60_000);
        assert!(clock.advance(Duration::ZERO));
    }

    #[test]
    fn a_stepped_clock_advances_only_with_events() {
        let mut clock = Clock::stepped();
        assert_eq!((clock.tick(), clock.tick()), (BEGINNING + STEP, BEGINNING + 2 * STEP));
        assert!(clock.advance(Duration::from_secs(3600)));
        assert_eq!(clock.tick(), BEGINNING + 3 * STEP + 3_600_000);
        assert!(!clock.advance(Duration::from_millis(END as u64)));
        assert_eq!(clock.tick(), BEGINNING + 4 * STEP + 3_600_000);
        let wall = Clock::default();
        assert!(clock.now() - wall.now() >= 3_600_000, "webhooks are scheduled in real time");
    }

    #[test]
    fn does_not_move_beyond_its_end() {
        let mut clock = Clock::default();
        let before = clock.now();
        assert!(!clock.advance(Duration::MAX));
        assert!(!clock.advance(Duration::from_millis(END as u64)));
        assert!(clock.now() < before + 60_000);
    }
}
