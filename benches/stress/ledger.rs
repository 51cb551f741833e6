//! The ledger of handled updates: the progress of each chat, and repeated updates.

use std::collections::HashSet;

use crate::{Way, bot::PAGE, plan::Plan};

/// The handled updates. Updates may be repeated only right after a kill: by polling, the page that was being handled,
/// and with a journal, the last update of each chat.
pub(crate) struct Ledger {
    way: Way,
    /// The next number of each chat.
    next: Vec<u32>,
    handled: usize,
    out_of_order: usize,
    /// Allowed repeated updates after each kill.
    again: Vec<usize>,
    /// Repeated updates at other times.
    again_without_kill: usize,
    /// Reports since the last kill.
    reports: usize,
    /// Chats with a report since the last kill.
    chats: HashSet<u32>,
}

impl Ledger {
    pub(crate) fn new(chats: usize, way: Way) -> Self {
        Self {
            way,
            next: vec![0; chats],
            handled: 0,
            out_of_order: 0,
            again: Vec::new(),
            again_without_kill: 0,
            reports: 0,
            chats: HashSet::new(),
        }
    }

    pub(crate) fn take_down(&mut self, chat: u32, number: u32) {
        self.reports += 1;
        let is_first = self.chats.insert(chat);
        let next = &mut self.next[chat as usize];
        if number < *next {
            let may_come_again = match self.way {
                Way::Polling => self.reports <= PAGE,
                Way::Journal | Way::Webhook => is_first && number + 1 == *next,
            };
            match self.again.last_mut() {
                Some(again) if may_come_again => *again += 1,
                _ => self.again_without_kill += 1,
            }
            return;
        }
        // A skipped number is lost, or will be out of order.
        self.out_of_order += usize::from(number > *next);
        *next = number + 1;
        self.handled += 1;
    }

    pub(crate) fn killed(&mut self) {
        self.again.push(0);
        self.reports = 0;
        self.chats.clear();
    }

    /// Returns the number of handled updates, without repeated ones.
    pub(crate) fn handled(&self) -> usize {
        self.handled
    }

    pub(crate) fn out_of_order(&self) -> usize {
        self.out_of_order
    }

    /// Returns the number of updates that were never handled.
    pub(crate) fn lost(&self, plan: &Plan) -> usize {
        let ends: usize = self.next.iter().zip(plan.totals()).filter(|(next, total)| next != total).count();
        (plan.len() - self.handled).max(ends)
    }

    pub(crate) fn duplicates_without_kill(&self) -> usize {
        self.again_without_kill
    }

    pub(crate) fn duplicates_after_kills(&self) -> &[usize] {
        &self.again
    }
}
