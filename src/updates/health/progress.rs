//! Counts updates that are in progress, handled and skipped.

use std::{
    ops::Deref,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::api::types::Update;

/// The number of shards. More threads than this share the shards.
const SHARDS: usize = 8;

/// Counts of updates, in one shard per thread: a lock that two threads take for each update costs more than a short
/// handler.
#[derive(Default)]
pub(crate) struct Progress([Shard; SHARDS]);

/// The counts of a thread. The alignment keeps two shards out of one cache line.
#[derive(Default)]
#[repr(align(128))]
struct Shard(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    /// The ages of updates in progress.
    ages: Vec<Option<Aging>>,
    /// The places in `ages` that are `None`.
    free: Vec<usize>,
    /// The age of the last update when it arrived.
    last: Option<Aging>,
    in_flight: usize,
    handled: u64,
    skipped: u64,
}

/// The age that an update had at the time `since`.
#[derive(Clone, Copy)]
struct Aging {
    age: Duration,
    since: Instant,
}

/// The time of both clocks at one moment.
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

    /// Returns the age of the oldest update in progress. Without one, the age of the last update when it arrived.
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
    /// The place of its age in `ages`. `None` if the update has no timestamp.
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

    /// Sets whether its handler is running.
    pub(crate) fn set_in_flight(&mut self, is_in_flight: bool) {
        if self.is_in_flight != is_in_flight {
            self.is_in_flight = is_in_flight;
            let mut counts = self.progress.shard(self.thread).counts();
            if is_in_flight { counts.in_flight += 1 } else { counts.in_flight -= 1 }
        }
    }

    /// Ends the progress, and counts the update as handled or skipped.
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
