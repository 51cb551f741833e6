//! Prints the figures of a run, and checks them.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    CALLS, TASKS,
    client::{METHODS, Notes, Outcome, method},
    faults::{CONNECTION_FAULTS, Fault},
    ledger::{Entry, Ledger},
    memory,
    network::Network,
};

/// The maximum growth of memory after the first tenth of the calls, including the results, in KiB.
const MOST_GROWTH_KIB: u64 = 16 * 1024;

/// A finished run.
pub(crate) struct Run<'a> {
    pub(crate) seed: u64,
    pub(crate) elapsed: Duration,
    /// Outcomes by the number of the call.
    pub(crate) results: BTreeMap<usize, Outcome>,
    /// The resident memory after a tenth of the calls, in KiB.
    pub(crate) early_memory: u64,
    pub(crate) network: &'a Network,
    pub(crate) ledger: &'a Ledger,
    pub(crate) notes: &'a Notes,
}

/// The results, compared with the ledger of the server.
#[derive(Default)]
struct Verdict {
    failed: usize,
    /// Requests that the server has read.
    requests: u32,
    /// Attempts with a connection whose request the server has not read.
    unread: u32,
    posted_twice: usize,
    /// Errors that say that the call may have been applied, although no fault of it leaves this open.
    unexplained: usize,
    /// The same after a timeout, which can happen without a fault on a busy machine.
    too_slow: usize,
    /// Calls for which the server has read more requests than there were attempts with a connection.
    sent_unconnected: Vec<String>,
    /// Results that do not agree with what the server did.
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

/// Prints the figures, then fails if one of them is wrong.
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
        println!("  {name:<20}noticed by {noticed} attempts: retried {tried_again}; given up {given_up}");
    }
    println!("  other reasons       {:?}", notes.other_reasons);
    println!("retries               {}", notes.retries);
    println!("attempts with a connection that the server never read {}", verdict.unread);
    println!("calls given up without a connection before the last attempt {}", notes.given_up_early);
    println!("calls that the server read without a connection {}", verdict.sent_unconnected.len());
    println!("foreign certificates trusted {}", ledger.times_misled());
    println!("messages posted twice {}", verdict.posted_twice);
    println!("messages sent again against the retry contract {}", ledger.times_sent_again());
    println!(
        "resident memory       {early_memory} KiB after a tenth, {resident} KiB at the end, {} KiB at its peak",
        memory::peak(),
    );
    println!(
        "errors that say \"may have been applied\" without such a fault {}, after a timeout {}; connections reset \
         unread {resets}, frozen {frozen}",
        verdict.unexplained, verdict.too_slow,
    );

    // The server has not read everything on a reset or frozen connection: at most one request, or one per task.
    let unseen = resets + frozen * TASKS;
    assert!(verdict.unexplained <= unseen, "errors say without a reason that the call may have been applied");
    assert!(frozen > 0, "no connection was frozen");
    let grown = resident.saturating_sub(*early_memory);
    assert!(grown < MOST_GROWTH_KIB, "memory has grown by {grown} KiB");
    assert_eq!(results.len(), CALLS, "a call was lost");
    assert_eq!(verdict.posted_twice, 0, "a message was posted twice");
    assert_eq!(ledger.times_sent_again(), 0, "a message was sent again");
    assert!(verdict.untrue.is_empty(), "results that do not agree with what the server did: {:?}", verdict.untrue);
    assert!(verdict.sent_unconnected.is_empty(), "sent without a connection: {:?}", verdict.sent_unconnected);
    assert_eq!(ledger.times_misled(), 0, "a foreign certificate was trusted");
    assert_eq!(notes.given_up_early, 0, "a call without a connection was not retried");
    for fault in CONNECTION_FAULTS {
        // No call notices a failed connection if another one is free first.
        let happened = connection_faults.get(&fault).copied().unwrap_or_default();
        assert!(notes.noticed(fault) <= happened, "{fault:?} was noticed more often than it happened");
        for method in METHODS {
            assert!(notes.tried_again(fault, method) > 0, "no {method} was retried after {fault:?}");
        }
    }
}
