//! The sandbox's clock: the one place that knows what time it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Unix time in milliseconds, UTC, as everywhere in the API.
pub(super) type Millis = i64;

/// The clock ends here, in the year 6429: a message's `seq` has no room for a later time.
const END: Millis = (1 << 47) - 1;

/// A clock that never shows the same time twice, so that messages and updates always have an order. It goes as fast as
/// the wall clock, and can be moved forward.
///
/// A sandbox that does more than a thousand things a second runs ahead of the wall clock by the difference.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Millis,
    /// How far it was moved forward.
    ahead: Millis,
}

impl Clock {
    /// Now, and later than any time told before.
    pub(super) fn tick(&mut self) -> Millis {
        self.last = self.shows().max(self.last + 1);
        self.last
    }

    /// Now, for a look that is no event.
    pub(super) fn now(&self) -> Millis {
        self.shows().max(self.last)
    }

    /// Moves the clock forward. False, and nothing else, if that is beyond its end.
    #[must_use]
    pub(super) fn advance(&mut self, by: Duration) -> bool {
        let ahead = self.ahead.saturating_add(millis(by));
        let fits = ahead < END - wall();
        if fits {
            self.ahead = ahead;
        }
        fits
    }

    fn shows(&self) -> Millis {
        wall() + self.ahead
    }
}

/// A length of time on this clock.
pub(super) fn millis(duration: Duration) -> Millis {
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
    fn never_tells_the_same_time_twice() {
        let mut clock = Clock::default();
        let mut last = clock.tick();
        for _ in 0..1_000 {
            let now = clock.tick();
            assert!(now > last);
            last = now;
        }
    }

    #[test]
    fn moves_forward_and_goes_on_from_there() {
        let mut clock = Clock::default();
        let before = clock.tick();
        assert!(clock.advance(Duration::from_secs(3600)));
        let hour = before + 3_600_000;
        assert!(clock.now() >= hour && clock.tick() >= hour);
        assert!(clock.now() < hour + 60_000);
        assert!(clock.advance(Duration::ZERO));
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
