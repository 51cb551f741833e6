//! What the server saw and did, call by call: what the client's results are held against.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::faults::Fault;

/// What the server knows of one call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Entry {
    /// How many of its requests were read.
    pub(crate) requests: u32,
    /// How many of them were carried out.
    pub(crate) applied: u32,
    /// Whether one of them met a fault that leaves open if it was carried out.
    pub(crate) is_ambiguous: bool,
    /// Whether the last one met no fault that allows a message to be sent again.
    is_final: bool,
}

/// The server's book.
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

    /// A request was read, and met that fault. Returns whether an earlier one of the same call was carried out.
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

    /// A connection with these calls was frozen: whose answers have left it, is not known.
    pub(crate) fn frozen(&self, calls: &VecDeque<usize>) {
        for call in calls {
            self.entries[*call].lock().unwrap().is_ambiguous = true;
        }
    }

    /// A connection was reset before a request was read: nobody knows whose.
    pub(crate) fn reset(&self) {
        self.count(Fault::ResetBeforeReading);
    }

    /// A client has accepted a certificate that it should not trust.
    pub(crate) fn misled(&self) {
        self.misled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn of(&self, call: usize) -> Entry {
        *self.entries[call].lock().unwrap()
    }

    /// How often each fault has happened.
    pub(crate) fn faults(&self) -> BTreeMap<Fault, usize> {
        self.faults.lock().unwrap().clone()
    }

    /// How many messages came again although the faults before do not allow it.
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
