//! Removes updates from the stream that are handled and too old to come again.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::stream::LastRawMessageErrorKind;

use crate::{
    error::{Error, Result},
    queue::Queue,
};

/// What is known of a slot: a consumer, as the server describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotState {
    /// Updates that are not handed out.
    pub(crate) pending: u64,
    /// Updates that are handed out and not acknowledged.
    pub(crate) in_flight: u64,
    /// All updates of the slot up to this sequence are acknowledged.
    pub(crate) floor: u64,
}

/// The sequence up to which all updates are handled. `last` is the last sequence of the stream, read before the slots:
/// an idle slot has handled all of its updates up to that one, but perhaps not a later one.
pub(crate) fn handled_up_to(last: u64, slots: impl IntoIterator<Item = SlotState>) -> u64 {
    let handled = |slot: SlotState| if slot.pending == 0 && slot.in_flight == 0 { last } else { slot.floor.min(last) };
    slots.into_iter().map(handled).min().unwrap_or(0)
}

/// Removes handled updates that were stored longer ago than `window`. Returns how many.
///
/// Any process may do it at any time, also several at once.
pub(crate) async fn purge(queue: &Queue, window: Duration) -> Result<u64> {
    const ACTION: &str = "remove handled updates";
    let stream = &queue.0.stream;
    let state = stream.get_info().await.map_err(|error| Error::nats(ACTION, error))?.state;
    if state.messages == 0 {
        return Ok(0);
    }
    let slots = queue.slots().await?.into_iter().map(|info| SlotState {
        pending: info.num_pending,
        in_flight: info.num_ack_pending as u64,
        floor: info.ack_floor.stream_sequence,
    });
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
            // Another process has removed them.
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

    /// A stream with its slots, as the server keeps them.
    #[derive(Debug, Default)]
    struct Model {
        /// The slot of each message; its sequence is its index + 1.
        messages: Vec<usize>,
        /// How many updates of each slot are handled.
        handled: [usize; SLOTS],
        /// Whether the next update of the slot is handed out.
        is_out: [bool; SLOTS],
        purged_to: u64,
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Store(usize),
        HandOut(usize),
        Handle(usize),
        ReadLast,
        ReadSlot,
        Purge,
    }

    impl Model {
        fn sequences(&self, slot: usize) -> Vec<u64> {
            let of_slot = self.messages.iter().zip(1..).filter(|(of, _)| **of == slot);
            of_slot.map(|(_, sequence)| sequence).collect()
        }

        fn state(&self, slot: usize) -> SlotState {
            let (sequences, handled) = (self.sequences(slot), self.handled[slot]);
            let in_flight = u64::from(self.is_out[slot]);
            SlotState {
                pending: (sequences.len() - handled) as u64 - in_flight,
                in_flight,
                floor: handled.checked_sub(1).map_or(0, |last| sequences[last]),
            }
        }

        fn unhandled(&self) -> impl Iterator<Item = u64> + '_ {
            (0..SLOTS).flat_map(|slot| self.sequences(slot).into_iter().skip(self.handled[slot]))
        }
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let slot = 0..SLOTS;
        let step = prop_oneof![
            4 => slot.clone().prop_map(Step::Store),
            4 => slot.clone().prop_map(Step::HandOut),
            4 => slot.prop_map(Step::Handle),
            1 => Just(Step::ReadLast),
            6 => Just(Step::ReadSlot),
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
                    Step::HandOut(slot) if model.state(slot).pending > 0 => model.is_out[slot] = true,
                    Step::Handle(slot) if model.is_out[slot] => {
                        model.is_out[slot] = false;
                        model.handled[slot] += 1;
                    }
                    Step::ReadLast => {
                        last = model.messages.len() as u64;
                        read.clear();
                    }
                    Step::ReadSlot if read.len() < SLOTS => read.push(model.state(read.len())),
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
        let idle = SlotState { pending: 0, in_flight: 0, floor: 3 };
        let busy = SlotState { pending: 5, in_flight: 1, floor: 70 };
        assert_eq!(handled_up_to(100, [idle, busy]), 70);
        assert_eq!(handled_up_to(100, [idle, idle]), 100);
        assert_eq!(handled_up_to(100, [idle, SlotState { floor: 0, ..busy }]), 0);
        assert_eq!(handled_up_to(100, []), 0);
    }
}
