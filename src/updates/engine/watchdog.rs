//! The watchdog: keeps the runtime's timers and sockets going while a handler blocks a worker thread.
//!
//! One worker of tokio at a time waits for timers and sockets. If a handler blocks this worker, no other worker takes
//! over until one is woken. The watchdog is a thread that checks the drivers. It wakes a worker if a driver does not
//! return.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread::{self, Thread},
    time::Duration,
};

use tokio::runtime::Handle;

/// The time between two checks. A driver that is in the same turn at both checks is blocked.
const TICK: Duration = Duration::from_millis(10);
/// The number of checks with idle drivers after which the watchdog sleeps, until a driver wakes it.
const IDLE_TICKS: u32 = 10;

/// The turns of all drivers.
pub(super) struct Watched {
    turns: Vec<TurnCount>,
    watchdog: OnceLock<Thread>,
    is_asleep: AtomicBool,
    is_over: AtomicBool,
}

/// A count that is odd during a turn of the driver. The alignment gives each count its own cache line.
#[derive(Default)]
#[repr(align(128))]
struct TurnCount(AtomicUsize);

/// A guard for the turn of a driver. Dropping it ends the turn.
pub(super) struct Turn<'a>(&'a TurnCount);

/// A handle of the watchdog. Dropping it ends the thread.
pub(super) struct Watchdog(Arc<Watched>);

impl Watched {
    pub(super) fn new(drivers: usize) -> Self {
        let turns = (0..drivers).map(|_| TurnCount::default()).collect();
        Self { turns, watchdog: OnceLock::new(), is_asleep: AtomicBool::new(false), is_over: AtomicBool::new(false) }
    }

    /// Starts a turn of a driver.
    pub(super) fn begin(&self, driver: usize) -> Turn<'_> {
        let count = &self.turns[driver];
        count.0.fetch_add(1, SeqCst);
        // The watchdog sets `is_asleep` before it reads the counts, so one of the two threads sees the other's change.
        if self.is_asleep.load(SeqCst) && self.is_asleep.swap(false, SeqCst) {
            self.wake();
        }
        Turn(count)
    }

    fn wake(&self) {
        if let Some(watchdog) = self.watchdog.get() {
            watchdog.unpark();
        }
    }

    fn counts(&self) -> Vec<usize> {
        self.turns.iter().map(|turn| turn.0.load(SeqCst)).collect()
    }

    /// Checks the drivers until the handle is dropped.
    fn watch(&self, runtime: &Handle) {
        // Must be set before this thread first sleeps: a driver needs it to wake this thread.
        let _ = self.watchdog.set(thread::current());
        let (mut last, mut idle) = (self.counts(), 0);
        while !self.is_over.load(SeqCst) {
            thread::park_timeout(TICK);
            let counts = self.counts();
            let is_idle = counts == last && counts.iter().all(|count| count % 2 == 0);
            if counts.iter().zip(&last).any(|(count, last)| count == last && count % 2 == 1) {
                // Any task wakes a worker. When the worker is idle again, it waits for timers and sockets.
                drop(runtime.spawn(async {}));
            }
            idle = if is_idle { idle + 1 } else { 0 };
            if idle > IDLE_TICKS {
                self.sleep(&counts);
                idle = 0;
            }
            last = counts;
        }
    }

    /// Sleeps until a driver starts a turn. Returns at once if a driver has started one since `counts`.
    fn sleep(&self, counts: &[usize]) {
        self.is_asleep.store(true, SeqCst);
        while self.is_asleep.load(SeqCst) && !self.is_over.load(SeqCst) && self.counts() == counts {
            thread::park();
        }
        self.is_asleep.store(false, SeqCst);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, SeqCst);
    }
}

impl Watchdog {
    /// Starts the watchdog, if there are several drivers. With one driver, no other worker could take over.
    pub(super) fn start(watched: &Arc<Watched>, runtime: Handle) -> Option<Self> {
        if watched.turns.len() < 2 {
            return None;
        }
        let thread = thread::Builder::new().name("tamtam-watchdog".to_owned());
        let for_thread = Arc::clone(watched);
        match thread.spawn(move || for_thread.watch(&runtime)) {
            Ok(_) => Some(Self(Arc::clone(watched))),
            Err(error) => {
                tracing::warn!(%error, "watchdog not started");
                None
            }
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.0.is_over.store(true, SeqCst);
        self.0.wake();
    }
}
