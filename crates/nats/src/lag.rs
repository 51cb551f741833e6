//! How far the workers are behind.

use std::time::{Duration, SystemTime};

use crate::{
    error::{Error, Result},
    queue::Queue,
};

/// What is in a queue; returned by [`Queue::lag`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lag {
    /// Number of updates that no worker has.
    pub waiting: u64,
    /// Number of updates that workers have and have not acknowledged: they are in a handler, wait for a retry, or their
    /// worker has died.
    pub in_flight: u64,
    /// Number of dead letters.
    pub dead: u64,
    /// How long ago the oldest update was stored that is not handled, by the clocks of NATS and of this machine. `None` if all
    /// are handled.
    pub oldest: Option<Duration>,
}

impl Lag {
    pub(crate) async fn of(queue: &Queue) -> Result<Self> {
        const ACTION: &str = "read the lag";
        let slots = queue.slots().await?;
        let waiting = slots.iter().map(|slot| slot.num_pending).sum();
        let in_flight = slots.iter().map(|slot| slot.num_ack_pending as u64).sum();
        let dead = queue.0.dead.get_info().await.map_err(|error| Error::nats(ACTION, error))?.state.messages;
        let mut oldest: Option<SystemTime> = None;
        for (slot, info) in (0..).zip(&slots) {
            if info.num_pending == 0 && info.num_ack_pending == 0 {
                continue;
            }
            let first = queue
                .0
                .stream
                .raw_message_builder()
                .sequence(info.ack_floor.stream_sequence + 1)
                .next_by_subject(queue.0.names.slot(slot))
                .send()
                .await;
            // It may have been handled and removed since.
            if let Ok(message) = first {
                let stored = SystemTime::from(message.time);
                oldest = Some(oldest.map_or(stored, |oldest| oldest.min(stored)));
            }
        }
        let oldest = oldest.map(|stored| SystemTime::now().duration_since(stored).unwrap_or_default());
        Ok(Self { waiting, in_flight, dead, oldest })
    }
}
