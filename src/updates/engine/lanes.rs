//! The queues and states of the lanes, without time, tasks and locks.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use crate::updates::{delivery::Delivery, lane::Lane};

/// Deliveries in order. The first is stored inline, because most queues have only one.
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

    /// Takes the first deliveries, at most `most` and at least one.
    fn take_first(&mut self, most: usize) -> Self {
        if self.len() <= most {
            return std::mem::take(self);
        }
        let first = self.next();
        Self { first, rest: self.rest.drain(..most.saturating_sub(1)).collect() }
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

/// The most deliveries of a lane that are claimed at a time, so that other lanes get their turn. Updates are then
/// handled soon after they were read, while they are still in the processor's cache.
const CLAIM: usize = 16;

/// A lane with deliveries.
struct Slot {
    lane: Lane,
    queue: Queue,
    /// The number of deliveries that a driver has claimed.
    claimed: usize,
}

/// The number of a lane while it has deliveries.
pub(super) type Number = usize;

/// A lane with its next deliveries, for one driver.
pub(super) struct Claim {
    pub(super) number: Number,
    pub(super) deliveries: Queue,
}

/// All lanes that have deliveries.
///
/// A lane is ready or claimed. Only one driver at a time claims a lane, which keeps its order. Its other deliveries
/// wait in the lane's queue until [`release`](Self::release).
pub(super) struct Lanes {
    numbers: HashMap<Lane, Number>,
    /// The lanes by their numbers. A claimed lane has a slot, too.
    slots: Vec<Option<Slot>>,
    /// Numbers that are free.
    free: Vec<Number>,
    /// Lanes with deliveries that are not claimed, oldest first.
    ready: VecDeque<Number>,
    /// The number of claimed lanes.
    claimed: usize,
    /// The maximum number of claimed lanes.
    concurrency: usize,
    /// The number of deliveries that are not settled.
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
            let deliveries = slot.queue.take_first(CLAIM);
            slot.claimed = deliveries.len();
            Claim { number, deliveries }
        };
        self.ready.drain(..count).map(claim).collect()
    }

    /// Releases a lane whose claimed deliveries are settled. If it has more, it is ready again, after the others.
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

    /// Closes the lanes, and returns the waiting deliveries. Later deliveries are dropped.
    pub(super) fn close(&mut self) -> Vec<Queue> {
        self.is_closed = true;
        self.ready.clear();
        let queues = self.slots.iter_mut().flatten().map(|slot| std::mem::take(&mut slot.queue));
        let queues: Vec<_> = queues.collect();
        self.unsettled -= queues.iter().map(Queue::len).sum::<usize>();
        queues
    }

    /// Returns the number of lanes that wait for a driver.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Returns the number of lanes that can be claimed now.
    pub(super) fn claimable(&self) -> usize {
        self.ready.len().min(self.concurrency - self.claimed)
    }

    /// Returns the number of deliveries that are not settled.
    pub(super) fn unsettled(&self) -> usize {
        self.unsettled
    }

    pub(super) fn is_idle(&self) -> bool {
        self.ready.is_empty() && self.claimed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::types::Update, updates::delivery::Content};

    fn delivery(chat: i64, number: i64) -> Delivery {
        let json = format!(r#"{{"update_type":"weather","chat_id":{chat},"timestamp":{number}}}"#);
        Delivery::new(serde_json::from_str::<Update>(&json).unwrap(), async |_| {})
    }

    fn timestamp(delivery: &Delivery) -> i64 {
        match &delivery.content {
            Content::Update(update) => update.timestamp().unwrap(),
            Content::Stored(_) => unreachable!("this test has no journal"),
        }
    }

    fn lanes(concurrency: usize, chats: &[i64]) -> Lanes {
        let mut lanes = Lanes::new(concurrency);
        for (chat, number) in chats.iter().zip(1..) {
            lanes.push(delivery(*chat, number));
        }
        lanes
    }

    fn names(claims: &[Claim], lanes: &Lanes) -> Vec<String> {
        let name = |claim: &Claim| lanes.slots[claim.number].as_ref().unwrap().lane.to_string();
        claims.iter().map(name).collect()
    }

    #[test]
    fn a_lane_is_claimed_once_with_all_waiting_deliveries() {
        let mut lanes = lanes(9, &[1, 2, 1, 1]);
        let claims = lanes.claim(9);
        assert_eq!(names(&claims, &lanes), ["chat:1", "chat:2"]);
        assert_eq!(claims.iter().map(|claim| claim.deliveries.len()).collect::<Vec<_>>(), [3, 1]);
        lanes.push(delivery(1, 5));
        assert!(lanes.claim(9).is_empty(), "the lane is claimed");
        assert_eq!(lanes.unsettled(), 5);
        lanes.release(claims[0].number);
        assert_eq!((lanes.unsettled(), lanes.ready(), lanes.is_idle()), (2, 1, false));
        assert_eq!(names(&lanes.claim(9), &lanes), ["chat:1"]);
    }

    #[test]
    fn a_lane_with_many_deliveries_leaves_other_lanes_their_turn() {
        let many: Vec<i64> = std::iter::repeat_n(1, 2 * CLAIM + 1).chain([2]).collect();
        let mut lanes = lanes(1, &many);
        let mut seen = Vec::new();
        while !lanes.is_idle() {
            let claim = lanes.claim(1).pop().unwrap();
            let name = names(std::slice::from_ref(&claim), &lanes).pop().unwrap();
            let number = claim.number;
            let times: Vec<i64> = claim.deliveries.map(|delivery| timestamp(&delivery)).collect();
            seen.push((name, times.len(), times.is_sorted()));
            lanes.release(number);
        }
        let expected = [("chat:1", CLAIM), ("chat:2", 1), ("chat:1", CLAIM), ("chat:1", 1)];
        assert_eq!(seen, expected.map(|(name, number)| (name.to_owned(), number, true)));
        assert_eq!(lanes.unsettled(), 0);
    }

    #[test]
    fn claims_at_most_as_many_lanes_as_the_concurrency() {
        let mut lanes = lanes(2, &[1, 2, 3]);
        assert_eq!(lanes.claimable(), 2);
        assert_eq!(lanes.claim(1).len(), 1);
        let second = lanes.claim(9);
        assert_eq!((second.len(), lanes.claimable(), lanes.ready()), (1, 0, 1));
        lanes.release(second[0].number);
        assert_eq!(lanes.claimable(), 1);
    }

    #[test]
    fn the_slot_of_a_finished_lane_is_reused() {
        let mut lanes = Lanes::new(9);
        for chat in 0..100 {
            lanes.push(delivery(chat, 1));
            let claims = lanes.claim(9);
            lanes.release(claims[0].number);
            assert!(lanes.is_idle() && lanes.unsettled() == 0);
        }
        assert_eq!((lanes.slots.len(), lanes.numbers.len()), (1, 0));
    }

    #[test]
    fn close_returns_waiting_deliveries_and_drops_later_ones() {
        let mut lanes = lanes(1, &[1, 2, 2, 1]);
        let claims = lanes.claim(1);
        lanes.push(delivery(1, 5));
        assert_eq!(lanes.close().iter().map(Queue::len).sum::<usize>(), 3);
        lanes.push(delivery(3, 1));
        assert_eq!((lanes.unsettled(), lanes.ready(), lanes.is_idle()), (2, 0, false));
        lanes.release(claims[0].number);
        assert!(lanes.is_idle());
    }
}
