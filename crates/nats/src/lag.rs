//! The lag of a queue: how far its workers are behind.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::{consumer, stream::LastRawMessageErrorKind};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    error::{Error, Result},
    queue::Queue,
};

/// How many slots are read at the same time.
const AT_A_TIME: usize = 16;

impl Queue {
    /// Returns the numbers of unhandled updates and of dead letters, and the age of the oldest unhandled update.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If NATS does not respond ([`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable)).
    /// - If NATS refuses the request ([`ErrorKind::Refused`](crate::ErrorKind::Refused)).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the queue.
    pub async fn lag(&self) -> Result<Lag> {
        Lag::of(self).await
    }
}

/// The numbers of unhandled updates and of dead letters in a queue, and the age of the oldest unhandled update.
/// Returned by [`Queue::lag`].
///
/// A dead letter is a failed update that the queue keeps for inspection.
///
#[doc = crate::doc_example!("
use std::time::Duration;

let lag = queue.lag().await?;
let is_late = lag.oldest.is_some_and(|age| age > Duration::from_secs(60));
println!(\"{} wait, {} in flight, late: {is_late}\", lag.waiting, lag.in_flight);
")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lag {
    /// The number of updates that no worker has fetched yet.
    pub waiting: u64,
    /// The number of updates that a worker has fetched but not handled yet. Each of these updates is in a handler,
    /// waits for a retry, or belongs to a worker that has died or shut down.
    pub in_flight: u64,
    /// The number of dead letters. [`Queue::dead`] returns a handle to read them.
    pub dead: u64,
    /// The age of the oldest update that is waiting or in flight. `None` if there is no such update.
    ///
    /// The age is the current time of this machine minus the time at which NATS stored the update. A negative
    /// difference counts as 0.
    pub oldest: Option<Duration>,
}

impl Lag {
    pub(crate) async fn of(queue: &Queue) -> Result<Self> {
        const ACTION: &str = "read the lag";
        let slots = queue.slots().await?;
        let waiting = slots.iter().map(|slot| slot.num_pending).sum();
        let in_flight = slots.iter().map(|slot| slot.num_ack_pending as u64).sum();
        let dead = queue.0.dead.get_info().await.map_err(|error| Error::nats(ACTION, error))?.state.messages;
        let is_busy = |info: &consumer::Info| info.num_pending > 0 || info.num_ack_pending > 0;
        let busy: Vec<(String, u64)> = (0..)
            .zip(slots)
            .filter(|(_, info)| is_busy(info))
            .map(|(slot, info)| (queue.0.names.slot(slot), info.ack_floor.stream_sequence))
            .collect();
        let first = |(subject, floor): (String, u64)| {
            async move {
                let found =
                    queue.0.stream.raw_message_builder().sequence(floor + 1).next_by_subject(subject).send().await;
                match found {
                    Ok(message) => Ok(Some(SystemTime::from(message.time))),
                    // It was handled and removed since.
                    Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
                    Err(error) => Err(Error::nats(ACTION, error)),
                }
            }
        };
        let first: Vec<Option<SystemTime>> =
            stream::iter(busy.into_iter().map(first)).buffer_unordered(AT_A_TIME).try_collect().await?;
        let oldest = first.into_iter().flatten().min();
        let oldest = oldest.map(|stored| SystemTime::now().duration_since(stored).unwrap_or_default());
        Ok(Self { waiting, in_flight, dead, oldest })
    }
}
