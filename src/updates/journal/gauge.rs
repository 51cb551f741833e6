//! Counts the updates and dead letters in a journal, for [`Health`](crate::updates::Health).

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The state of a [`Journal`](crate::updates::Journal), which is a queue of updates in a file. Returned by
/// [`Journal::health`](crate::updates::Journal::health) and [`Health::journal`](crate::updates::Health::journal).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct JournalHealth {
    /// The number of stored updates that are not handled yet. Includes updates whose handler is running.
    pub depth: usize,
    /// The time since the oldest unhandled update was stored. `None` if `depth` is 0.
    pub oldest: Option<Duration>,
    /// The number of dead letters. A dead letter is an update that the journal keeps because the handler of the update
    /// failed permanently.
    pub dead_letters: usize,
    /// The number of failed writes since the last successful write.
    ///
    /// If the number is not 0, check the disk: the journal cannot store or remove updates at the moment.
    pub failed_writes: u64,
}

/// The last committed contents of a journal, and the count of failed writes.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    contents: Mutex<Contents>,
    failed_writes: AtomicU64,
}

/// The amounts in a journal.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Contents {
    /// The number of updates that are stored and not settled.
    pub(super) depth: usize,
    /// When the oldest of them was stored, in Unix milliseconds.
    pub(super) oldest: Option<i64>,
    /// The number of dead letters.
    pub(super) dead: usize,
}

impl Gauge {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, contents: Contents) {
        *self.contents() = contents;
    }

    /// Counts a failed write, or resets the count after a successful write.
    pub(super) fn wrote<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        match result {
            Ok(_) => self.failed_writes.store(0, Ordering::Relaxed),
            Err(_) => drop(self.failed_writes.fetch_add(1, Ordering::Relaxed)),
        }
        result
    }

    pub(super) fn depth(&self) -> usize {
        self.contents().depth
    }

    pub(crate) fn health(&self) -> JournalHealth {
        let Contents { depth, oldest, dead } = *self.contents();
        let age =
            |stored_at| Duration::from_millis(u64::try_from(unix_now().saturating_sub(stored_at)).unwrap_or_default());
        JournalHealth {
            depth,
            oldest: oldest.map(age),
            dead_letters: dead,
            failed_writes: self.failed_writes.load(Ordering::Relaxed),
        }
    }
}

/// Returns the current time in Unix milliseconds.
pub(super) fn unix_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
