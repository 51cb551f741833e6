//! Updates in progress, and how many came to their end.

use std::{
    ops::Deref,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::api::types::Update;

/// The shards. More threads than shards share them.
const SHARDS: usize = 8;

/// Counts updates. Each thread has a shard of its own, as far as there are enough: a lock that two threads want for each update
/// costs more than a short handler.
#[derive(Default)]
pub(crate) struct Progress([Shard; SHARDS]);

/// The alignment keeps two shards out of one cache line.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    /// The ages of updates in progress.
    ages: Vec<Option<Aging>>,
    /// Where these are `None`.
    free: Vec<usize>,
    /// The age of the last update when it came.
    last: Option<Aging>,
    in_flight: usize,
    handled: u64,
    skipped: u64,
}

/// An update that had an age at a time.
#[derive(Clone, Copy)]
struct Aging {
    age: Duration,
    since: Instant,
}

/// What the clocks said at one time.
#[derive(Clone, Copy)]
pub(crate) struct Moment {
    pub(super) unix_time: Duration,
    pub(super) instant: Instant,
}

impl Shard {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    fn shard(&self, thread: usize) -> &Shard {
        &self.0[thread % SHARDS]
    }

    fn sum<T: std::iter::Sum>(&self, count: impl Fn(&Counts) -> T) -> T {
        self.0.iter().map(|shard| count(&shard.counts())).sum()
    }

    pub(super) fn in_flight(&self) -> usize {
        self.sum(|counts| counts.in_flight)
    }

    pub(super) fn handled(&self) -> u64 {
        self.sum(|counts| counts.handled)
    }

    pub(super) fn skipped(&self) -> u64 {
        self.sum(|counts| counts.skipped)
    }

    /// Returns the age of the oldest update in progress, or that of the last update when it came.
    pub(super) fn lag(&self, now: Instant) -> Option<Duration> {
        let age = |update: &Aging| update.age + now.duration_since(update.since);
        let oldest = |shard: &Shard| shard.counts().ages.iter().flatten().map(age).max();
        let last = |shard: &Shard| shard.counts().last;
        let oldest = self.0.iter().filter_map(oldest).max();
        oldest.or_else(|| self.0.iter().filter_map(last).max_by_key(|last| last.since).map(|last| last.age))
    }
}

/// An update that is in progress until this is dropped.
pub(crate) struct InProgress<P: Deref<Target = Progress>> {
    progress: P,
    thread: usize,
    /// Where its age is; `None` if it has no time.
    slot: Option<usize>,
    is_in_flight: bool,
}

impl<P: Deref<Target = Progress>> InProgress<P> {
    pub(super) fn new(progress: P, thread: usize, update: &Update, moment: Moment, is_in_flight: bool) -> Self {
        let timestamp = update.timestamp().and_then(|timestamp| u64::try_from(timestamp).ok()).filter(|at| *at > 0);
        // Clocks differ: an update from the future has the age 0.
        let age = |timestamp| moment.unix_time.saturating_sub(Duration::from_millis(timestamp));
        let aging = timestamp.map(|timestamp| Aging { age: age(timestamp), since: moment.instant });
        let mut counts = progress.shard(thread).counts();
        counts.in_flight += usize::from(is_in_flight);
        counts.last = aging.or(counts.last);
        let slot = aging.map(|_| {
            let slot = counts.free.pop().unwrap_or(counts.ages.len());
            match counts.ages.get_mut(slot) {
                Some(free) => *free = aging,
                None => counts.ages.push(aging),
            }
            slot
        });
        drop(counts);
        Self { progress, thread, slot, is_in_flight }
    }

    /// Counts whether its handler runs.
    pub(crate) fn set_in_flight(&mut self, is_in_flight: bool) {
        if self.is_in_flight != is_in_flight {
            self.is_in_flight = is_in_flight;
            let mut counts = self.progress.shard(self.thread).counts();
            if is_in_flight { counts.in_flight += 1 } else { counts.in_flight -= 1 }
        }
    }

    /// Ends it, and counts it as handled, or as skipped.
    pub(crate) fn end(mut self, is_handled: bool) {
        self.remove(|counts| if is_handled { counts.handled += 1 } else { counts.skipped += 1 });
    }

    fn remove(&mut self, count: impl FnOnce(&mut Counts)) {
        let mut counts = self.progress.shard(self.thread).counts();
        count(&mut counts);
        counts.in_flight -= usize::from(self.is_in_flight);
        self.is_in_flight = false;
        if let Some(slot) = self.slot.take()
            && let Some(age) = counts.ages.get_mut(slot)
        {
            *age = None;
            counts.free.push(slot);
        }
    }
}

impl<P: Deref<Target = Progress>> Drop for InProgress<P> {
    fn drop(&mut self) {
        if self.is_in_flight || self.slot.is_some() {
            self.remove(|_| {});
        }
    }
}
