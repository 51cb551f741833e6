//! Wakes the thread that writes the state file.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A signal to the [`StateWriter`](super::state_writer::StateWriter) that the state may have changed.
#[derive(Default)]
pub(crate) struct SaveSignal {
    rung: Mutex<Rung>,
    heard: Condvar,
}

#[derive(Default)]
struct Rung {
    changed: bool,
    stopped: bool,
}

impl SaveSignal {
    /// Signals that the state may have changed.
    pub(super) fn ring(&self) {
        self.lock().changed = true;
        self.heard.notify_one();
    }

    pub(super) fn stop(&self) {
        self.lock().stopped = true;
        self.heard.notify_one();
    }

    /// Waits for a change or the end. Returns whether it is the end.
    pub(super) fn wait(&self) -> bool {
        let is_silent = |rung: &mut Rung| !rung.changed && !rung.stopped;
        let rung = self.heard.wait_while(self.lock(), is_silent);
        let mut rung = rung.unwrap_or_else(PoisonError::into_inner);
        rung.changed = false;
        rung.stopped
    }

    /// Waits for `time`, or until the end if it is earlier.
    pub(super) fn pause(&self, time: Duration) {
        drop(self.heard.wait_timeout_while(self.lock(), time, |rung| !rung.stopped));
    }

    fn lock(&self) -> MutexGuard<'_, Rung> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
