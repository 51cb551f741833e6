//! How a bot that polls is doing: what a service shows to whoever watches it.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

use crate::{api::types::Update, client::clock::Clock};

/// How a bot that polls is doing; given by [`Updates::health`](crate::Updates::health) and
/// [`Run::health`](crate::Run::health). Clones show the same.
///
/// Raise an alarm by it, but do not have the bot restarted: a server that is down is waited for, and a restart would not
/// bring it back.
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
/// // In whatever watches the service: a poll takes 30 s when there is nothing new, and none is made during a page.
/// let polls = health.last_poll().is_some_and(|ago| ago < Duration::from_secs(90));
/// let well = polls || health.in_flight() > 0;
/// # assert!(!well);
/// # }
/// ```
#[derive(Clone)]
pub struct Health {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    last_poll: Mutex<Option<Instant>>,
    /// In ms; negative until there was an update.
    lag: AtomicI64,
    in_flight: AtomicUsize,
    handled: AtomicU64,
    skipped: AtomicU64,
    failed_saves: AtomicU64,
    misfits: AtomicU64,
}

impl Health {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            inner: Arc::new(Inner {
                clock,
                last_poll: Mutex::default(),
                lag: AtomicI64::new(-1),
                in_flight: AtomicUsize::new(0),
                handled: AtomicU64::new(0),
                skipped: AtomicU64::new(0),
                failed_saves: AtomicU64::new(0),
                misfits: AtomicU64::new(0),
            }),
        }
    }

    /// How long ago the last successful poll was answered, the look for webhooks at the start counted; `None` before that.
    ///
    /// Without news the server answers a poll after its hold, 30 s unless set; while a page of updates is being handled,
    /// there is no poll. Much longer than both together means that something is wrong.
    #[must_use]
    pub fn last_poll(&self) -> Option<Duration> {
        let last = *self.inner.last_poll.lock().unwrap_or_else(PoisonError::into_inner);
        last.map(|last| self.inner.clock.now().duration_since(last))
    }

    /// How old the update was that was handed out last, by its timestamp and this machine's clock; `None` before the
    /// first. It grows when the bot does not keep up.
    #[must_use]
    pub fn lag(&self) -> Option<Duration> {
        u64::try_from(self.inner.lag.load(Ordering::Relaxed)).ok().map(Duration::from_millis)
    }

    /// How many updates are being handled at this moment.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.inner.in_flight.load(Ordering::Relaxed)
    }

    /// How many updates were handled.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.inner.handled.load(Ordering::Relaxed)
    }

    /// How many updates were given up after their handler had failed.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.inner.skipped.load(Ordering::Relaxed)
    }

    /// How many saves of the marker have failed since the last that succeeded. While it is not 0, a bot that is killed gets
    /// updates again that it has dealt with.
    #[must_use]
    pub fn failed_saves(&self) -> u64 {
        self.inner.failed_saves.load(Ordering::Relaxed)
    }

    /// Returns how many values in the received updates did not fit the models.
    ///
    /// Each such value was left out or replaced by a default, or its update became [`Update::Unknown`]. The log event
    /// `value does not fit the model` says where it was and why: at `WARN` the first time, then at `DEBUG`.
    #[must_use]
    pub fn misfits(&self) -> u64 {
        self.inner.misfits.load(Ordering::Relaxed)
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

    pub(crate) fn handed_out(&self, update: &Update) {
        let Some(timestamp) = update.timestamp() else { return };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        // Clocks differ: an update from the future has no lag.
        self.inner.lag.store(now.saturating_sub(timestamp).max(0), Ordering::Relaxed);
    }

    /// Counts an update as being handled, until the guard is dropped.
    pub(crate) fn begin(&self) -> impl Drop + Send + use<> {
        struct InFlight(Arc<Inner>);
        impl Drop for InFlight {
            fn drop(&mut self) {
                self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.inner.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(&self.inner))
    }

    pub(crate) fn count_handled(&self) {
        self.inner.handled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_skipped(&self) {
        self.inner.skipped.fetch_add(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health")
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
