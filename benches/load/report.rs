//! The figures of a run, and what has to be true of them.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    CALLS, TASKS,
    client::{METHODS, Notes, Outcome, method},
    faults::{CONNECTION_FAULTS, Fault},
    ledger::{Entry, Ledger},
    memory,
    network::Network,
};

/// By how much memory may grow after the first tenth of the calls, results and all, in KiB.
const MOST_GROWTH_KIB: u64 = 16 * 1024;

/// A run that is over.
pub(crate) struct Run<'a> {
    pub(crate) seed: u64,
    pub(crate) elapsed: Duration,
    /// By the number of the call.
    pub(crate) results: BTreeMap<usize, Outcome>,
    /// After a tenth of the calls.
    pub(crate) early_memory: u64,
    pub(crate) network: &'a Network,
    pub(crate) ledger: &'a Ledger,
    pub(crate) notes: &'a Notes,
}

/// The results held against the server's book.
#[derive(Default)]
struct Verdict {
    failed: usize,
    /// Requests that the server has read.
    requests: u32,
    /// Attempts that had a connection, and of which the server has read nothing.
    unread: u32,
    posted_twice: usize,
    /// Errors that say that the server may have done it, although it met no fault that leaves this open.
    unexplained: usize,
    /// The same where the client has waited long enough: on a busy machine that takes no fault.
    too_slow: usize,
    /// Calls of which the server has read more requests than there were attempts with a connection.
    sent_unconnected: Vec<String>,
    /// Results that are not true of what the server did.
    untrue: Vec<String>,
}

impl Verdict {
    fn add(&mut self, number: usize, outcome: Outcome, entry: Entry) {
        let (reads, once) = (method(number) == "GET", method(number) == "POST");
        let is_true = match outcome.error {
            None => entry.applied > 0,
            Some(false) => reads || entry.applied == 0,
            Some(true) => !reads,
        };
        let case = || format!("{} {number}: {outcome:?}, {entry:?}", method(number));
        if !is_true {
            self.untrue.push(case());
        }
        if entry.requests > outcome.times_sent() {
            self.sent_unconnected.push(case());
        }
        self.failed += usize::from(outcome.error.is_some());
        self.requests += entry.requests;
        self.unread += outcome.times_sent().saturating_sub(entry.requests);
        self.posted_twice += usize::from(once && entry.applied > 1);
        let without_fault = outcome.error == Some(true) && !entry.is_ambiguous;
        self.unexplained += usize::from(without_fault && !outcome.failures.timed_out);
        self.too_slow += usize::from(without_fault && outcome.failures.timed_out);
    }
}

/// Prints the figures, then fails if one of them must not be.
pub(crate) fn print_and_check(run: &Run<'_>) {
    let Run { seed, elapsed, results, early_memory, network, ledger, notes } = run;
    let mut verdict = Verdict::default();
    for (number, outcome) in results {
        verdict.add(*number, *outcome, ledger.of(*number));
    }
    let (faults, connection_faults) = (ledger.faults(), network.faults());
    let resident = memory::resident();
    let times = |fault| faults.get(&fault).copied().unwrap_or_default();
    let (resets, frozen) = (times(Fault::ResetBeforeReading), times(Fault::Frozen));

    println!("calls                 {CALLS} in {TASKS} tasks, {:.1} s, seed {seed}", elapsed.as_secs_f64());
    println!(
        "results               {} ({} succeeded, {} failed)",
        results.len(),
        results.len() - verdict.failed,
        verdict.failed
    );
    println!("requests              {}", verdict.requests);
    println!("requests failed       {} {faults:?}", faults.values().sum::<usize>());
    println!("connections failed    {} {connection_faults:?}", connection_faults.values().sum::<usize>());
    for fault in CONNECTION_FAULTS {
        let tried_again = METHODS.map(|method| format!("{method} {}", notes.tried_again(fault, method))).join(", ");
        let (name, noticed, given_up) = (format!("{fault:?}"), notes.noticed(fault), notes.given_up(fault));
        println!("  {name:<20}noticed by {noticed} attempts: tried again {tried_again}; given up {given_up}");
    }
    println!("  other reasons       {:?}", notes.other_reasons);
    println!("retries               {}", notes.retries);
    println!("attempts with a connection that the server never read {}", verdict.unread);
    println!("calls given up for want of a connection before the last attempt {}", notes.given_up_early);
    println!("calls that the server read although they had no connection {}", verdict.sent_unconnected.len());
    println!("certificates trusted that are not the server's {}", ledger.times_misled());
    println!("messages posted twice {}", verdict.posted_twice);
    println!("messages sent again against the contract {}", ledger.times_sent_again());
    println!(
        "resident memory       {early_memory} KiB after a tenth, {resident} KiB at the end, {} KiB at its peak",
        memory::peak(),
    );
    println!(
        "errors that say \"perhaps\" without such a fault {}, and {} for want of time; connections reset unread {resets}, \
         frozen {frozen}",
        verdict.unexplained, verdict.too_slow,
    );

    // The server has not read everything on a reset or frozen connection: at most one request, or one per task.
    let unseen = resets + frozen * TASKS;
    assert!(verdict.unexplained <= unseen, "errors say that the server may have done it, for no reason");
    assert!(frozen > 0, "no connection was frozen");
    let grown = resident.saturating_sub(*early_memory);
    assert!(grown < MOST_GROWTH_KIB, "memory has grown by {grown} KiB");
    assert_eq!(results.len(), CALLS, "a call was lost");
    assert_eq!(verdict.posted_twice, 0, "a message was posted twice");
    assert_eq!(ledger.times_sent_again(), 0, "a message was sent again");
    assert!(verdict.untrue.is_empty(), "results that are not true of what the server did: {:?}", verdict.untrue);
    assert!(verdict.sent_unconnected.is_empty(), "sent without a connection: {:?}", verdict.sent_unconnected);
    assert_eq!(ledger.times_misled(), 0, "a certificate was trusted that is not the server's");
    assert_eq!(notes.given_up_early, 0, "a call that got no connection was not tried again");
    for fault in CONNECTION_FAULTS {
        // Where another connection gets free before a new one has failed, nobody notices.
        let happened = connection_faults.get(&fault).copied().unwrap_or_default();
        assert!(notes.noticed(fault) <= happened, "{fault:?} was noticed oftener than it happened");
        for method in METHODS {
            assert!(notes.tried_again(fault, method) > 0, "no {method} was tried again after {fault:?}");
        }
    }
}
