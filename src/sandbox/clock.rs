//! The sandbox's clock: the one place that knows what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix time in milliseconds, UTC, as everywhere in the API.
pub(super) type Millis = i64;

/// A clock that never shows the same time twice, so that messages and updates always have an order.
///
/// A sandbox that does more than a thousand things a second runs ahead of the wall clock by the difference.
#[derive(Debug, Default)]
pub(super) struct Clock {
    last: Millis,
}

impl Clock {
    /// Now, and later than any time told before.
    pub(super) fn tick(&mut self) -> Millis {
        self.last = wall().max(self.last + 1);
        self.last
    }
}

fn wall() -> Millis {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
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
}
