//! The health of a bot that polls, for monitoring.

mod progress;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

#[cfg(feature = "journal")]
use crate::updates::journal::gauge::{Gauge, JournalHealth};
use crate::{
    api::types::Update,
    client::{
        bot::Bot,
        clock::Clock,
        pace::{Gate, PaceHealth},
    },
};
pub(crate) use progress::{InProgress, Moment, Progress};

/// A handle for monitoring the polls, the handlers and the failures of a bot. Returned by
/// [`Updates::health`](crate::updates::Updates::health), [`RawUpdates::health`](crate::updates::RawUpdates::health) and
/// [`Run::health`](crate::updates::Run::health). Clones share the same values.
///
/// Use the values for alerts, not for automatic restarts. If the server is down, the bot retries, and a restart does
/// not help. After a restart, all counts start at 0.
///
/// ```
/// # #[tokio::main]
/// # async fn main() {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// use std::time::Duration;
///
/// let run = bot.run(async |_, _| {});
/// let health = run.health();
/// // A poll takes up to 30 s, so 90 s without a successful poll indicate a failure.
/// let has_polled = health.last_poll().is_some_and(|ago| ago < Duration::from_secs(90));
/// // The bot does not poll while handlers are running.
/// let is_healthy = has_polled || health.in_flight() > 0;
/// # assert!(!is_healthy);
/// # }
/// ```
#[derive(Clone)]
pub struct Health {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    gate: Arc<Gate>,
    last_poll: Mutex<Option<Instant>>,
    progress: Arc<Progress>,
    failed_saves: AtomicU64,
    misfits: AtomicU64,
    #[cfg(feature = "journal")]
    journal: std::sync::OnceLock<Arc<Gauge>>,
}

impl Health {
    pub(crate) fn new(bot: &Bot) -> Self {
        Self::of(Arc::clone(&bot.transport().clock), Arc::clone(&bot.transport().gate))
    }

    fn of(clock: Arc<dyn Clock>, gate: Arc<Gate>) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                gate,
                last_poll: Mutex::default(),
                progress: Arc::default(),
                failed_saves: AtomicU64::new(0),
                misfits: AtomicU64::new(0),
                #[cfg(feature = "journal")]
                journal: std::sync::OnceLock::new(),
            }),
        }
    }

    /// Returns the time since the last successful poll. `None` before the first successful poll. A successful check for
    /// webhooks at the start also counts as a poll.
    ///
    /// The returned time can be long even if the bot works normally:
    ///
    /// - If there are no new updates, the server responds to a poll after the
    ///   [`timeout`](crate::updates::Updates::timeout), by default 30 s.
    /// - If the bot has no journal, the bot does not poll while it handles the updates of the last poll.
    ///
    /// If the returned time is much longer than the `timeout` plus the usual duration of the handlers, the cause is
    /// one of these:
    ///
    /// - Polls fail.
    /// - A handler takes too long.
    /// - The journal is full or cannot be written, so polling pauses.
    #[must_use]
    pub fn last_poll(&self) -> Option<Duration> {
        let last = *self.inner.last_poll.lock().unwrap_or_else(PoisonError::into_inner);
        last.map(|last| self.inner.clock.now().duration_since(last))
    }

    /// Returns the lag of the bot, which is the current age of the oldest update in progress. If no update is in
    /// progress, returns the age that the last update had when its handling started. `None` before the first update.
    ///
    /// - For a [`Run`](crate::updates::Run), an update is in progress from the first call of its handler until the
    ///   update is handled or skipped. During a delay before a retry, the update stays in progress.
    /// - For [`Updates`](crate::updates::Updates) without a handler, an update is in progress from the return of
    ///   [`next`](crate::updates::Updates::next) until the following call of `next`, or until the stream is dropped.
    ///
    /// The age is the time of this machine minus the timestamp of the update, and at least 0. Updates without a
    /// positive timestamp do not count.
    #[must_use]
    pub fn lag(&self) -> Option<Duration> {
        self.inner.progress.lag(self.inner.clock.now())
    }

    /// Returns the number of updates whose handler is running. Updates that wait for a retry do not count. Always 0 for
    /// [`Updates`](crate::updates::Updates) without a handler.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.inner.progress.in_flight()
    }

    /// Returns the number of updates whose handler succeeded. Always 0 for [`Updates`](crate::updates::Updates) without
    /// a handler.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.inner.progress.handled()
    }

    /// Returns the number of updates whose handler failed and does not run again. The number includes dead letters,
    /// which are updates that a journal or your program keeps for inspection. Always 0 for
    /// [`Updates`](crate::updates::Updates) without a handler.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.inner.progress.skipped()
    }

    /// Returns the number of failed saves of the marker since the last successful save. The marker identifies a
    /// position in the updates of the bot: see [`MarkerStore`](crate::updates::MarkerStore). Always 0 if the bot has
    /// neither a marker store nor a journal.
    ///
    /// If the number is not 0 and the process is killed, the bot can receive handled updates again after a restart.
    #[must_use]
    pub fn failed_saves(&self) -> u64 {
        self.inner.failed_saves.load(Ordering::Relaxed)
    }

    /// Returns the number of values in polled updates that did not fit the types of this crate.
    ///
    /// A value that does not fit has one of these effects:
    ///
    /// - The crate leaves out the value.
    /// - The crate replaces the value by a default.
    /// - The update becomes [`Update::Unknown`].
    ///
    /// The log event `value does not fit the model` contains the path of the value and the reason. The first value
    /// at a path is logged at WARN, and later values are logged at DEBUG. Values in updates by webhook are logged, but
    /// not counted.
    #[must_use]
    pub fn misfits(&self) -> u64 {
        self.inner.misfits.load(Ordering::Relaxed)
    }

    /// Returns the state of the request limits ([`Pace`](crate::settings::Pace)) of the bot. The state contains the
    /// number of waiting requests and, after a response with status 429 (too many requests), the remaining time
    /// for which all requests are paused.
    #[must_use]
    pub fn pace(&self) -> PaceHealth {
        self.inner.gate.health()
    }

    /// Returns the state of the [`Journal`](crate::updates::Journal), which is a queue of updates in a file. `None` if
    /// the bot has no journal.
    #[cfg(feature = "journal")]
    #[must_use]
    pub fn journal(&self) -> Option<JournalHealth> {
        self.inner.journal.get().map(|gauge| gauge.health())
    }

    #[cfg(feature = "journal")]
    pub(crate) fn set_journal(&self, gauge: Arc<Gauge>) {
        let _ = self.inner.journal.set(gauge);
    }

    pub(crate) fn count_misfits(&self, misfits: usize) {
        self.inner.misfits.fetch_add(misfits.try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn saved(&self, ok: bool) {
        if ok {
            self.inner.failed_saves.store(0, Ordering::Relaxed);
        } else {
            self.inner.failed_saves.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn polled(&self, now: Instant) {
        *self.inner.last_poll.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Reads the clocks, for [`begin`](Self::begin).
    pub(crate) fn moment(&self) -> Moment {
        let unix_time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { unix_time, instant: self.inner.clock.now() }
    }

    /// Counts an update that the stream returned as in progress, until the guard is dropped.
    pub(crate) fn hand_out(&self, update: &Update) -> InProgress<Arc<Progress>> {
        InProgress::new(Arc::clone(&self.inner.progress), 0, update, self.moment(), false)
    }

    /// Counts an update as in flight on one of the threads, until the guard is dropped. `moment` can be a little old:
    /// reading the clocks for every update would cost more than the rest.
    pub(crate) fn begin(&self, thread: usize, update: &Update, moment: Moment) -> InProgress<&Progress> {
        InProgress::new(&*self.inner.progress, thread, update, moment, true)
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut health = f.debug_struct("Health");
        #[cfg(feature = "journal")]
        health.field("journal", &self.journal());
        health
            .field("last_poll", &self.last_poll())
            .field("lag", &self.lag())
            .field("in_flight", &self.in_flight())
            .field("handled", &self.handled())
            .field("skipped", &self.skipped())
            .field("failed_saves", &self.failed_saves())
            .field("misfits", &self.misfits())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{client::clock::Manual, service::Pace};

    const MINUTE: Duration = Duration::from_secs(60);

    /// Returns an update of this age.
    fn aged(age: Duration) -> Update {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() - age;
        at(i64::try_from(time.as_millis()).unwrap())
    }

    fn at(timestamp: i64) -> Update {
        serde_json::from_str(&format!(r#"{{"update_type":"weather","timestamp":{timestamp}}}"#)).unwrap()
    }

    fn health() -> (Health, Arc<Manual>) {
        let clock = Arc::new(Manual::new(0.0));
        {
            let gate = Gate::new(Pace::none(), Arc::clone(&clock) as _);
            (Health::of(Arc::clone(&clock) as _, Arc::new(gate)), clock)
        }
    }

    #[test]
    fn the_lag_grows_until_the_update_is_handled() {
        let (health, clock) = health();
        assert_eq!(health.lag(), None);
        let update = health.hand_out(&aged(MINUTE));
        let at_first = health.lag().unwrap();
        assert!(at_first >= MINUTE);
        drop(clock.sleep(MINUTE));
        assert_eq!(health.lag(), Some(at_first + MINUTE));
        drop(update);
        assert_eq!(health.lag(), Some(at_first), "the age when it was returned");
        drop(clock.sleep(MINUTE));
        assert_eq!(health.lag(), Some(at_first), "a bot that has nothing to do is not behind");
    }

    #[test]
    fn the_lag_is_the_age_of_the_oldest_update_in_progress() {
        let (health, clock) = health();
        let old = health.hand_out(&aged(10 * MINUTE));
        let older = health.hand_out(&aged(20 * MINUTE));
        let new = health.hand_out(&aged(Duration::ZERO));
        drop(clock.sleep(MINUTE));
        for (dealt_with, at_least) in [(older, 21 * MINUTE), (old, 11 * MINUTE), (new, MINUTE)] {
            let lag = health.lag().unwrap();
            assert!(lag >= at_least && lag < at_least + 5 * MINUTE, "{lag:?}");
            drop(dealt_with);
        }
        assert!(health.lag().unwrap() < MINUTE);
    }

    #[test]
    fn an_update_without_a_timestamp_does_not_count() {
        let (health, clock) = health();
        let strange: Update = serde_json::from_str(r#"{"update_type":"weather"}"#).unwrap();
        let handed_out = [&strange, &at(0), &at(-1)].map(|update| health.hand_out(update));
        drop(clock.sleep(MINUTE));
        assert_eq!(health.lag(), None);
        let update = health.hand_out(&aged(MINUTE));
        let at_first = health.lag();
        drop((update, health.hand_out(&at(0)), handed_out));
        assert_eq!(health.lag(), at_first, "it does not replace an update that counts");
    }

    #[test]
    fn an_update_from_the_future_has_an_age_of_zero() {
        let (health, clock) = health();
        let _update = health.hand_out(&at(i64::MAX));
        assert_eq!(health.lag(), Some(Duration::ZERO));
        drop(clock.sleep(MINUTE));
        assert_eq!(health.lag(), Some(MINUTE));
    }
}
