//! The ledger of the server: the requests that it read and applied, by call. The results of the client are compared
//! with it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::faults::Fault;

/// The record of one call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Entry {
    /// Requests that were read.
    pub(crate) requests: u32,
    /// Requests that were applied.
    pub(crate) applied: u32,
    /// Whether a request met a fault after which the client cannot find out if it was applied.
    pub(crate) is_ambiguous: bool,
    /// Whether the last request met no fault that allows a message to be sent again.
    is_final: bool,
}

/// The records of all calls.
pub(crate) struct Ledger {
    entries: Vec<Mutex<Entry>>,
    faults: Mutex<BTreeMap<Fault, usize>>,
    sent_again: AtomicUsize,
    misled: AtomicUsize,
}

impl Ledger {
    pub(crate) fn new(calls: usize) -> Self {
        Self {
            entries: (0..calls).map(|_| Mutex::default()).collect(),
            faults: Mutex::default(),
            sent_again: AtomicUsize::new(0),
            misled: AtomicUsize::new(0),
        }
    }

    /// Records a request that was read, and its fault. Returns whether an earlier request of the same call was applied.
    pub(crate) fn request(&self, method: &str, call: usize, fault: Option<Fault>, chance: bool) -> bool {
        if let Some(fault) = fault {
            self.count(fault);
        }
        let mut entry = self.entries[call].lock().unwrap();
        if method == "POST" && entry.is_final {
            self.sent_again.fetch_add(1, Ordering::Relaxed);
        }
        let was_applied = entry.applied > 0;
        entry.requests += 1;
        entry.applied += u32::from(fault.is_none_or(|fault| fault.applies(chance)));
        entry.is_ambiguous |= fault.is_some_and(Fault::is_ambiguous);
        entry.is_final = !fault.is_some_and(Fault::allows_resending);
        was_applied
    }

    /// Records a frozen connection with these calls. It is unknown which answers were sent.
    pub(crate) fn frozen(&self, calls: &VecDeque<usize>) {
        for call in calls {
            self.entries[*call].lock().unwrap().is_ambiguous = true;
        }
    }

    /// Records a connection that was reset before a request was read, so its call is unknown.
    pub(crate) fn reset(&self) {
        self.count(Fault::ResetBeforeReading);
    }

    /// Records that a client has accepted a certificate that it should not trust.
    pub(crate) fn misled(&self) {
        self.misled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn of(&self, call: usize) -> Entry {
        *self.entries[call].lock().unwrap()
    }

    /// Returns the number of times that each fault has happened.
    pub(crate) fn faults(&self) -> BTreeMap<Fault, usize> {
        self.faults.lock().unwrap().clone()
    }

    /// Returns the number of messages that were sent again although no earlier fault allows it.
    pub(crate) fn times_sent_again(&self) -> usize {
        self.sent_again.load(Ordering::Relaxed)
    }

    pub(crate) fn times_misled(&self) -> usize {
        self.misled.load(Ordering::Relaxed)
    }

    fn count(&self, fault: Fault) {
        *self.faults.lock().unwrap().entry(fault).or_default() += 1;
    }
}
