//! The queues of the lanes, and which lanes are ready. No time, tasks or locks here.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use crate::updates::{delivery::Delivery, lane::Lane};

/// Deliveries in order. The first has no need of memory of its own: mostly there is no other.
#[derive(Default)]
pub(super) struct Queue {
    first: Option<Delivery>,
    rest: VecDeque<Delivery>,
}

impl Queue {
    fn push(&mut self, delivery: Delivery) {
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some(delivery);
        } else {
            self.rest.push_back(delivery);
        }
    }

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }
}

impl Iterator for Queue {
    type Item = Delivery;

    fn next(&mut self) -> Option<Delivery> {
        self.first.take().or_else(|| self.rest.pop_front())
    }
}

/// A lane with deliveries.
struct Slot {
    lane: Lane,
    queue: Queue,
    /// How many deliveries a driver has claimed.
    claimed: usize,
}

/// The number of a lane while it has deliveries.
pub(super) type Number = usize;

/// A lane with its deliveries so far, for one driver.
pub(super) struct Claim {
    pub(super) number: Number,
    pub(super) deliveries: Queue,
}

/// All lanes that have deliveries.
///
/// A lane is ready or claimed. A lane is claimed by one driver at a time, which keeps its order. What comes meanwhile waits
/// in its queue until [`release`](Self::release).
pub(super) struct Lanes {
    numbers: HashMap<Lane, Number>,
    /// The lanes by their numbers. A claimed lane has a slot, too.
    slots: Vec<Option<Slot>>,
    /// Numbers that are free.
    free: Vec<Number>,
    /// Lanes with deliveries that are not claimed, oldest first.
    ready: VecDeque<Number>,
    /// How many lanes are claimed.
    claimed: usize,
    /// How many lanes may be claimed.
    concurrency: usize,
    /// How many deliveries are not settled.
    unsettled: usize,
    is_closed: bool,
}

impl Lanes {
    pub(super) fn new(concurrency: usize) -> Self {
        Self {
            numbers: HashMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            claimed: 0,
            concurrency,
            unsettled: 0,
            is_closed: false,
        }
    }

    pub(super) fn push(&mut self, delivery: Delivery) {
        if self.is_closed {
            return;
        }
        self.unsettled += 1;
        let number = match self.numbers.entry(delivery.lane.clone()) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                let slot = Some(Slot { lane: entry.key().clone(), queue: Queue::default(), claimed: 0 });
                let number = self.free.pop().unwrap_or(self.slots.len());
                match self.slots.get_mut(number) {
                    Some(free) => *free = slot,
                    None => self.slots.push(slot),
                }
                self.ready.push_back(number);
                *entry.insert(number)
            }
        };
        if let Some(Some(slot)) = self.slots.get_mut(number) {
            slot.queue.push(delivery);
        }
    }

    /// Claims lanes that are ready, at most `most`.
    pub(super) fn claim(&mut self, most: usize) -> Vec<Claim> {
        let count = most.min(self.concurrency - self.claimed).min(self.ready.len());
        self.claimed += count;
        let claim = |number: Number| {
            let Some(Some(slot)) = self.slots.get_mut(number) else {
                return Claim { number, deliveries: Queue::default() };
            };
            let deliveries = std::mem::take(&mut slot.queue);
            slot.claimed = deliveries.len();
            Claim { number, deliveries }
        };
        self.ready.drain(..count).map(claim).collect()
    }

    /// Releases a lane whose claimed deliveries are settled. If more have come, it is ready again, after the others.
    pub(super) fn release(&mut self, number: Number) {
        self.claimed -= 1;
        let Some(place) = self.slots.get_mut(number) else { return };
        let Some(slot) = place else { return };
        self.unsettled -= slot.claimed;
        if slot.queue.len() > 0 {
            self.ready.push_back(number);
        } else {
            self.numbers.remove(&slot.lane);
            *place = None;
            self.free.push(number);
        }
    }

    /// Takes no more deliveries, and returns those that wait.
    pub(super) fn close(&mut self) -> Vec<Queue> {
        self.is_closed = true;
        self.ready.clear();
        let queues = self.slots.iter_mut().flatten().map(|slot| std::mem::take(&mut slot.queue));
        let queues: Vec<_> = queues.collect();
        self.unsettled -= queues.iter().map(Queue::len).sum::<usize>();
        queues
    }

    /// How many lanes wait for a driver.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// How many lanes can be claimed at this moment.
    pub(super) fn claimable(&self) -> usize {
        self.ready.len().min(self.concurrency - self.claimed)
    }

    /// How many deliveries are not settled.
    pub(super) fn unsettled(&self) -> usize {
        self.unsettled
    }

    pub(super) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.claimed == 0
    }
}
