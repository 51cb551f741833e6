//! What was handled: how far each chat has come, and what came again.

use crate::plan::Plan;

#[derive(Default)]
pub(crate) struct Ledger {
    /// The number that is next in each chat.
    next: Vec<u32>,
    handled: usize,
    out_of_order: usize,
    /// What came again, before the first kill and after each.
    again: Vec<usize>,
}

impl Ledger {
    pub(crate) fn new(chats: usize) -> Self {
        Self { next: vec![0; chats], again: vec![0], ..Self::default() }
    }

    pub(crate) fn take_down(&mut self, chat: u32, number: u32) {
        let next = &mut self.next[chat as usize];
        if number < *next {
            *self.again.last_mut().unwrap() += 1;
            return;
        }
        // A number that was passed over is lost, or will come out of order.
        self.out_of_order += usize::from(number > *next);
        *next = number + 1;
        self.handled += 1;
    }

    pub(crate) fn killed(&mut self) {
        self.again.push(0);
    }

    /// How many updates were handled, those that came again not counted.
    pub(crate) fn handled(&self) -> usize {
        self.handled
    }

    pub(crate) fn out_of_order(&self) -> usize {
        self.out_of_order
    }

    /// How many were never handled.
    pub(crate) fn lost(&self, plan: &Plan) -> usize {
        let ends: usize = self.next.iter().zip(plan.totals()).filter(|(next, total)| next != total).count();
        (plan.len() - self.handled).max(ends)
    }

    pub(crate) fn duplicates_without_kill(&self) -> usize {
        self.again[0]
    }

    pub(crate) fn duplicates_after_kills(&self) -> &[usize] {
        &self.again[1..]
    }
}
