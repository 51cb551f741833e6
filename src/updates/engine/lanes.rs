//! The queues of the lanes, and which lanes are ready. No time, tasks or locks here.

use std::collections::{HashMap, VecDeque};

use crate::updates::{delivery::Delivery, lane::Lane};

/// A lane with its deliveries so far, for one driver.
pub(super) struct Claim {
    pub(super) lane: Lane,
    pub(super) deliveries: VecDeque<Delivery>,
}

/// All lanes that have deliveries.
///
/// A lane is ready or claimed. A lane is claimed by one driver at a time, which keeps its order. What comes meanwhile waits
/// in its queue until [`release`](Self::release).
pub(super) struct Lanes {
    /// What waits in each lane. A claimed lane has an entry, too.
    queues: HashMap<Lane, VecDeque<Delivery>>,
    /// Lanes with deliveries that are not claimed, oldest first.
    ready: VecDeque<Lane>,
    /// How many lanes are claimed.
    claimed: usize,
    /// How many lanes may be claimed.
    concurrency: usize,
    /// How many deliveries wait in the queues.
    waiting: usize,
    is_closed: bool,
}

impl Lanes {
    pub(super) fn new(concurrency: usize) -> Self {
        Self { queues: HashMap::new(), ready: VecDeque::new(), claimed: 0, concurrency, waiting: 0, is_closed: false }
    }

    pub(super) fn push(&mut self, delivery: Delivery) {
        if self.is_closed {
            return;
        }
        self.waiting += 1;
        if let Some(queue) = self.queues.get_mut(&delivery.lane) {
            queue.push_back(delivery);
        } else {
            let lane = delivery.lane.clone();
            self.ready.push_back(lane.clone());
            self.queues.insert(lane, VecDeque::from([delivery]));
        }
    }

    /// Claims lanes that are ready, at most `most`.
    pub(super) fn claim(&mut self, most: usize) -> Vec<Claim> {
        let number = most.min(self.concurrency - self.claimed).min(self.ready.len());
        self.claimed += number;
        let (queues, waiting) = (&mut self.queues, &mut self.waiting);
        let claim = |lane: Lane| {
            let deliveries = queues.get_mut(&lane).map(std::mem::take).unwrap_or_default();
            *waiting -= deliveries.len();
            Claim { lane, deliveries }
        };
        self.ready.drain(..number).map(claim).collect()
    }

    /// Releases a lane whose claimed deliveries are settled. If more have come, it is ready again, after the others.
    pub(super) fn release(&mut self, lane: Lane) {
        self.claimed -= 1;
        if self.queues.get(&lane).is_some_and(|queue| !queue.is_empty()) {
            self.ready.push_back(lane);
        } else {
            self.queues.remove(&lane);
        }
    }

    /// Takes no more deliveries, and returns those that wait.
    pub(super) fn close(&mut self) -> Vec<VecDeque<Delivery>> {
        (self.is_closed, self.waiting) = (true, 0);
        self.ready.clear();
        self.queues.drain().map(|(_, queue)| queue).collect()
    }

    /// How many lanes wait for a driver.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// How many deliveries wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.claimed == 0
    }
}
