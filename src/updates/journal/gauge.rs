//! Counts the updates and dead letters in a journal, for [`Health`](crate::Health).

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What a [`Journal`](crate::updates::Journal) holds; given by [`Health::journal`](crate::Health::journal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalHealth {
    /// The number of updates that are stored and not handled, those in a handler included.
    pub depth: usize,
    /// The time since the oldest of these updates was stored. `None` if `depth` is 0.
    pub oldest: Option<Duration>,
    /// The number of dead letters.
    pub dead_letters: usize,
    /// The number of writes that failed since the last one that succeeded. While it is not 0, updates are neither stored nor
    /// removed: look at the disk.
    pub failed_writes: u64,
}

/// Counts what is committed.
#[derive(Debug, Default)]
pub(crate) struct Gauge(Mutex<Contents>);

#[derive(Debug, Default)]
struct Contents {
    /// When each update was stored, by its number.
    stored: BTreeMap<i64, i64>,
    dead: usize,
    failed_writes: u64,
}

impl Gauge {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, seq: i64, stored_at: i64) {
        self.contents().stored.insert(seq, stored_at);
    }

    pub(super) fn remove(&self, seqs: &[i64]) {
        let mut contents = self.contents();
        for seq in seqs {
            contents.stored.remove(seq);
        }
    }

    pub(super) fn set_dead(&self, dead: usize) {
        self.contents().dead = dead;
    }

    /// Counts a write that failed, or that succeeded.
    pub(super) fn wrote<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        let mut contents = self.contents();
        contents.failed_writes = if result.is_ok() { 0 } else { contents.failed_writes + 1 };
        result
    }

    pub(super) fn depth(&self) -> usize {
        self.contents().stored.len()
    }

    pub(crate) fn health(&self) -> JournalHealth {
        let contents = self.contents();
        let age = |stored_at: &i64| Duration::from_millis(u64::try_from(unix_now() - stored_at).unwrap_or_default());
        JournalHealth {
            depth: contents.stored.len(),
            oldest: contents.stored.first_key_value().map(|(_, stored_at)| age(stored_at)),
            dead_letters: contents.dead,
            failed_writes: contents.failed_writes,
        }
    }
}

/// The time in Unix milliseconds.
pub(super) fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
