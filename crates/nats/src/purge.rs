//! Removes handled updates from the stream that are older than the deduplication window.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::stream::LastRawMessageErrorKind;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::{
    error::{Error, Result},
    queue::Queue,
};

/// How many slots are read at the same time.
const AT_A_TIME: usize = 16;

/// The state of a slot. Its two values may come from different servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotState {
    /// All updates of the slot up to this sequence are acknowledged. It may be too low, but not too high.
    pub(crate) floor: u64,
    /// The sequence of the newest update of the slot, read from the leader of the stream. 0 if the slot has no update.
    pub(crate) newest: u64,
}

/// Returns the sequence up to which all updates are handled. `last` is the last sequence of the stream, read before the
/// slots. If the newest update of a slot is handled, all updates of the slot up to `last` are handled.
///
/// The number of pending updates of a slot is not used: a server that is behind the leader of the stream may report 0.
pub(crate) fn handled_up_to(last: u64, slots: impl IntoIterator<Item = SlotState>) -> u64 {
    let handled = |slot: SlotState| if slot.floor >= slot.newest { last } else { slot.floor.min(last) };
    slots.into_iter().map(handled).min().unwrap_or(0)
}

/// Removes handled updates that were stored longer ago than `window`. Returns how many.
///
/// Several processes may do this at the same time.
pub(crate) async fn purge(queue: &Queue, window: Duration) -> Result<u64> {
    const ACTION: &str = "remove handled updates";
    let stream = &queue.0.stream;
    let state = stream.get_info().await.map_err(|error| Error::nats(ACTION, error))?.state;
    if state.messages == 0 {
        return Ok(0);
    }
    let floors: Vec<(String, u64)> = (0..)
        .zip(queue.slots().await?)
        .map(|(slot, info)| (queue.0.names.slot(slot), info.ack_floor.stream_sequence))
        .collect();
    let slot = |(subject, floor): (String, u64)| async move {
        match stream.raw_message_builder().last_by_subject(subject).send().await {
            Ok(newest) => Ok(SlotState { floor, newest: newest.sequence }),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(SlotState { floor, newest: 0 }),
            Err(error) => Err(Error::nats(ACTION, error)),
        }
    };
    let slots: Vec<SlotState> =
        futures_util::stream::iter(floors.into_iter().map(slot)).buffer_unordered(AT_A_TIME).try_collect().await?;
    let handled = handled_up_to(state.last_sequence, slots);
    let before = SystemTime::now() - window;
    // The first sequence that stays, by binary search: sequences and times grow together.
    let (mut low, mut high) = (state.first_sequence, handled + 1);
    while low < high && !window.is_zero() {
        let middle = low + (high - low) / 2;
        let found = stream.raw_message_builder().sequence(middle).next_by_subject(queue.0.names.slots()).send().await;
        match found {
            Ok(message) if SystemTime::from(message.time) < before && message.sequence <= handled => {
                low = message.sequence + 1;
            }
            Ok(_) => high = middle,
            // Another process has removed these updates.
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => high = middle,
            Err(error) => return Err(Error::nats(ACTION, error)),
        }
    }
    let keep = if window.is_zero() { handled + 1 } else { low };
    if keep <= state.first_sequence {
        return Ok(0);
    }
    let purged = stream.purge().sequence(keep).await.map_err(|error| Error::nats(ACTION, error))?;
    Ok(purged.purged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SLOTS: usize = 4;

    /// A stream with its slots. A floor may be read from a server that is behind.
    #[derive(Debug, Default)]
    struct Model {
        /// The slot of each message; its sequence is its index + 1.
        messages: Vec<usize>,
        /// How many updates of each slot are handled.
        handled: [usize; SLOTS],
        /// The floors of each slot, now and before.
        floors: [Vec<u64>; SLOTS],
        purged_to: u64,
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Store(usize),
        Handle(usize),
        ReadLast,
        /// Reads an old floor of the next slot (the number is how many updates ago), then its newest update.
        ReadSlot(usize),
        Purge,
    }

    impl Model {
        fn sequences(&self, slot: usize) -> Vec<u64> {
            let of_slot = self.messages.iter().zip(1..).filter(|(of, _)| **of == slot);
            of_slot.map(|(_, sequence)| sequence).collect()
        }

        fn handle(&mut self, slot: usize) {
            if let Some(sequence) = self.sequences(slot).get(self.handled[slot]) {
                self.floors[slot].push(*sequence);
                self.handled[slot] += 1;
            }
        }

        fn state(&self, slot: usize, ago: usize) -> SlotState {
            let floor = self.floors[slot].iter().rev().nth(ago).copied().unwrap_or(0);
            SlotState { floor, newest: self.sequences(slot).last().copied().unwrap_or(0) }
        }

        fn unhandled(&self) -> impl Iterator<Item = u64> + '_ {
            (0..SLOTS).flat_map(|slot| self.sequences(slot).into_iter().skip(self.handled[slot]))
        }
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let slot = 0..SLOTS;
        let step = prop_oneof![
            4 => slot.clone().prop_map(Step::Store),
            6 => slot.prop_map(Step::Handle),
            1 => Just(Step::ReadLast),
            6 => (0..3_usize).prop_map(Step::ReadSlot),
            1 => Just(Step::Purge),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// A purge reads the last sequence, then each slot, then removes; anything may happen in between.
        #[test]
        fn a_purge_removes_no_update_that_is_not_handled(steps in steps()) {
            let mut model = Model::default();
            let (mut last, mut read) = (0, Vec::new());
            for step in steps {
                match step {
                    Step::Store(slot) => model.messages.push(slot),
                    Step::Handle(slot) => model.handle(slot),
                    Step::ReadLast => {
                        last = model.messages.len() as u64;
                        read.clear();
                    }
                    Step::ReadSlot(ago) if read.len() < SLOTS => read.push(model.state(read.len(), ago)),
                    Step::Purge if read.len() == SLOTS => {
                        model.purged_to = model.purged_to.max(handled_up_to(last, read.iter().copied()));
                    }
                    _ => {}
                }
                let first = model.unhandled().min().unwrap_or(u64::MAX);
                prop_assert!(first > model.purged_to, "{first} was removed: {model:?}");
            }
        }
    }

    #[test]
    fn idle_slots_do_not_keep_updates() {
        let (idle, busy) = (SlotState { floor: 3, newest: 3 }, SlotState { floor: 70, newest: 90 });
        assert_eq!(handled_up_to(100, [idle, busy]), 70);
        assert_eq!(handled_up_to(100, [idle, idle]), 100);
        assert_eq!(handled_up_to(100, [idle, SlotState { floor: 0, newest: 0 }]), 100, "a slot without updates");
        assert_eq!(handled_up_to(100, [idle, SlotState { floor: 0, newest: 5 }]), 0);
        assert_eq!(handled_up_to(100, []), 0);
    }
}
