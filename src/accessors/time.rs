//! The times of updates and messages, as `std` times.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::api::types::{Message, Update};

/// Converts Unix milliseconds.
fn time(millis: i64) -> Option<SystemTime> {
    let distance = Duration::from_millis(millis.unsigned_abs());
    if millis < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) }
}

impl Update {
    /// Returns the time of the update, by the clock of the server. `None` if the time is missing or unreadable.
    ///
    /// [`timestamp`](Self::timestamp) returns the same time in Unix milliseconds.
    #[must_use]
    pub fn time(&self) -> Option<SystemTime> {
        time(self.timestamp()?)
    }

    /// Returns the age of the update: the time of this machine minus the [`time`](Self::time) of the update. Zero if
    /// the time of the update is in the future. `None` if the time of the update is missing or unreadable.
    ///
    /// After a long downtime, a bot receives old updates. This handler skips updates that are older than 10 minutes:
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use tamtam::{Bot, Update};
    ///
    /// async fn on_update(bot: Bot, update: Update) -> tamtam::Result<()> {
    ///     if update.age().is_some_and(|age| age > Duration::from_secs(600)) {
    ///         return Ok(());
    ///     }
    ///     // ...
    ///     # drop(bot);
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.time().map(age)
    }
}

/// Returns the time since `time`. Zero if it is in the future.
fn age(time: SystemTime) -> Duration {
    SystemTime::now().duration_since(time).unwrap_or_default()
}

impl Message {
    /// Returns the time at which the message was sent, by the clock of the server. `None` if the server did not send
    /// the time (`timestamp` is 0), or if the time is outside the range of [`SystemTime`].
    #[must_use]
    pub fn sent_at(&self) -> Option<SystemTime> {
        // 0 is the default of a missing time.
        if self.timestamp == 0 { None } else { time(self.timestamp) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(timestamp: &str) -> Update {
        serde_json::from_str(&format!(
            r#"{{"update_type":"bot_started","timestamp":{timestamp},"chat_id":1,
            "user":{{"user_id":2,"name":"A"}}}}"#
        ))
        .unwrap()
    }

    #[test]
    fn a_timestamp_is_unix_milliseconds() {
        assert_eq!(update("1700000000123").time(), Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_123)));
        assert_eq!(update("-1").time(), Some(UNIX_EPOCH - Duration::from_millis(1)));
        // Must not panic, even if the system cannot represent these times.
        let _ = (update(&i64::MIN.to_string()).age(), update(&i64::MAX.to_string()).age());
        let missing: Update = serde_json::from_str(r#"{"update_type":"bot_started","timestamp":"soon"}"#).unwrap();
        assert_eq!((missing.time(), missing.age()), (None, None));
    }

    #[test]
    fn an_update_from_the_future_has_the_age_zero() {
        assert_eq!(age(SystemTime::now() + Duration::from_secs(3_600)), Duration::ZERO);
        assert!(age(SystemTime::now() - Duration::from_secs(3_600)) >= Duration::from_secs(3_600));
    }

    #[test]
    fn a_message_without_a_time_has_none() {
        let message = |timestamp| -> Message {
            serde_json::from_str(&format!(r#"{{"recipient":{{"chat_type":"chat"}},"timestamp":{timestamp}}}"#)).unwrap()
        };
        assert_eq!(message(1_000).sent_at(), Some(UNIX_EPOCH + Duration::from_secs(1)));
        assert_eq!(message(0).sent_at(), None);
    }
}
