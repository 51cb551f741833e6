//! The history of the updates, from the logs of the workers.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs,
    path::PathBuf,
};

/// A handler call.
#[derive(Debug, Clone, Copy)]
struct Call {
    begin: u64,
    /// The time at which the call or its process ended.
    end: u64,
    number: usize,
    is_done: bool,
}

/// All handler calls of a run.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The calls by chat, ordered by their begin.
    chats: BTreeMap<i64, Vec<Call>>,
    /// The begins of all calls, in order.
    pub(crate) begins: Vec<u64>,
    pub(crate) ends: Vec<u64>,
}

impl History {
    /// Reads logs. A log of a killed process has the time of the kill.
    pub(crate) fn read(logs: &[(PathBuf, Option<u64>)]) -> Self {
        let mut history = Self::default();
        for (path, killed) in logs {
            let mut open: HashMap<(i64, usize), u64> = HashMap::new();
            let text = fs::read_to_string(path).unwrap_or_default();
            for line in text.lines() {
                let words: Vec<&str> = line.split(' ').collect();
                let (kind, time) = (words[0], words[1].parse().unwrap());
                let of = (words[2].parse().unwrap(), words[3].parse().unwrap());
                if kind == "b" {
                    history.begins.push(time);
                    open.insert(of, time);
                } else if let Some(begin) = open.remove(&of) {
                    history.ends.push(time);
                    let call = Call { begin, end: time, number: of.1, is_done: true };
                    history.chats.entry(of.0).or_default().push(call);
                }
            }
            for ((chat, number), begin) in open {
                let call = Call { begin, end: killed.unwrap_or(u64::MAX), number, is_done: false };
                history.chats.entry(chat).or_default().push(call);
            }
        }
        for calls in history.chats.values_mut() {
            calls.sort_by_key(|call| call.begin);
        }
        history.begins.sort_unstable();
        history.ends.sort_unstable();
        history
    }

    /// Returns the number of updates without a completed handler call. The updates of a chat are numbered below `each`.
    pub(crate) fn lost(&self, chats: usize, each: usize) -> usize {
        let done = |calls: &Vec<Call>| {
            let numbers: HashSet<usize> = calls.iter().filter(|call| call.is_done).map(|call| call.number).collect();
            numbers.len()
        };
        chats * each - self.chats.values().map(done).sum::<usize>()
    }

    /// Returns the number of updates that first began after a later update of their chat.
    pub(crate) fn out_of_order(&self) -> usize {
        let late = |calls: &Vec<Call>| {
            let (mut seen, mut most, mut late) = (HashSet::new(), None, 0);
            for call in calls {
                if seen.insert(call.number) {
                    late += usize::from(most.is_some_and(|most| call.number < most));
                    most = most.max(Some(call.number));
                }
            }
            late
        };
        self.chats.values().map(late).sum()
    }

    /// Returns the number of handler calls that were running when another call of their chat began.
    pub(crate) fn overlaps(&self) -> usize {
        let overlaps = |calls: &Vec<Call>| calls.windows(2).filter(|pair| pair[1].begin < pair[0].end).count();
        self.chats.values().map(overlaps).sum()
    }

    /// Returns the number of handler calls for an update that had begun before.
    pub(crate) fn repeats(&self) -> usize {
        let repeats = |calls: &Vec<Call>| {
            let numbers: HashSet<usize> = calls.iter().map(|call| call.number).collect();
            calls.len() - numbers.len()
        };
        self.chats.values().map(repeats).sum()
    }

    /// Returns the pauses before repeated handler calls, in nanoseconds. During a pause, the slot is blocked.
    pub(crate) fn held_up(&self) -> Vec<u64> {
        let mut waits = Vec::new();
        for calls in self.chats.values() {
            let mut unfinished: HashMap<usize, u64> = HashMap::new();
            for call in calls {
                if let Some(end) = unfinished.remove(&call.number) {
                    waits.push(call.begin.saturating_sub(end));
                }
                if !call.is_done {
                    unfinished.insert(call.number, call.end);
                }
            }
        }
        waits
    }
}
