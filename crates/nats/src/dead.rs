//! Dead letters: failed updates that the queue keeps for inspection.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_nats::jetstream::{
    message::{PublishMessage, StreamMessage},
    stream::LastRawMessageErrorKind,
};
use bytes::Bytes;
use tamtam::updates::RawUpdate;

use crate::{
    error::{Error, Problem, Result},
    queue::Queue,
};

/// The longest cause that is stored, in bytes.
const MOST_CAUSE: usize = 1024;
/// The headers of a dead letter. Its payload is the update.
const ATTEMPTS: &str = "Tamtam-Attempts";
/// A JSON string, because a header has only one line.
const CAUSE: &str = "Tamtam-Cause";
/// Unix time in milliseconds.
const STORED_AT: &str = "Tamtam-Stored-At";

impl Queue {
    /// Returns a handle to list, replay and discard dead letters. A dead letter is a failed update that the queue keeps
    /// for inspection.
    #[must_use]
    pub fn dead(&self) -> Dead {
        Dead::new(self.clone())
    }
}

/// A handle to list, replay and discard the dead letters of a queue. Returned by [`Queue::dead`].
///
/// A dead letter is a failed update that the queue keeps for inspection. An update becomes a dead letter in these
/// cases:
///
/// - The handler failed, and you have not passed a function to [`Work::on_error`](crate::Work::on_error).
/// - The handler failed, and the function that you passed to `Work::on_error` returned `DeadLetter`, panicked, or
///   exceeded the [time limit of a handler](crate::Work::handler_timeout).
/// - The number of attempts has reached [`Work::dead_letter_after`](crate::Work::dead_letter_after), and NATS has no
///   confirmation that an attempt succeeded.
/// - The stored bytes cannot be parsed as an update.
///
/// The queue keeps the newest 10,000 dead letters, and removes older dead letters.
///
#[doc = crate::doc_example!("
let dead = queue.dead();
for letter in dead.list().await? {
    // The stored bytes are not an update, so they cannot be replayed.
    if letter.update.is_none() {
        dead.discard(letter.id).await?;
    }
}
")]
#[derive(Clone)]
pub struct Dead {
    queue: Queue,
}

/// A failed update that the queue keeps for inspection. Returned by [`Dead::list`].
///
#[doc = crate::doc_example!("
use tamtam_nats::DeadLetter;

fn describe(letter: &DeadLetter) -> String {
    let kind = letter.update.as_ref().map_or(\"not an update\", |raw| raw.update.tag());
    format!(\"{kind}: {} attempts, {}\", letter.attempts, letter.cause)
}

for letter in queue.dead().list().await? {
    println!(\"{}\", describe(&letter));
}
")]
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The id of the dead letter, for [`Dead::replay`] and [`Dead::discard`].
    pub id: u64,
    /// The update. `None` if the stored bytes cannot be parsed as an update.
    pub update: Option<RawUpdate>,
    /// The number of attempts to handle the update. All attempts by a worker that died or shut down count as one
    /// attempt.
    pub attempts: u32,
    /// The reason why the update became a dead letter, for example the error of the last attempt. Cut to at most 1 KiB.
    pub cause: String,
    /// The time at which the update was stored in the queue.
    pub stored_at: SystemTime,
    /// The time at which the update became a dead letter.
    pub died_at: SystemTime,
}

impl Dead {
    pub(crate) fn new(queue: Queue) -> Self {
        Self { queue }
    }

    /// Returns all dead letters, the oldest first.
    ///
    #[doc = crate::doc_example!("
for letter in queue.dead().list().await? {
    println!(\"{}: {} after {} attempts\", letter.id, letter.cause, letter.attempts);
    queue.dead().replay(letter.id).await?;
}
")]
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
    pub async fn list(&self) -> Result<Vec<DeadLetter>> {
        let (mut letters, mut next) = (Vec::new(), 1);
        while let Some(message) = self.first_from(next).await? {
            next = message.sequence + 1;
            letters.push(DeadLetter::read(&message));
        }
        Ok(letters)
    }

    /// Stores the update of a dead letter in the queue again, and then removes the dead letter. Returns `false` if no
    /// dead letter has this `id`.
    ///
    /// `id`: Id of the dead letter ([`DeadLetter::id`]).
    ///
    /// The update is handled after all updates of its chat that are already in the queue. Its attempts are counted
    /// from 0 again.
    ///
    /// A second call within the [deduplication window](crate::Open::dedup_window) (by default 1 h) does not store the
    /// update twice.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If NATS does not respond ([`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable)). Call `replay` again.
    /// - If NATS refuses the request ([`ErrorKind::Refused`](crate::ErrorKind::Refused)).
    /// - If the queue is full ([`ErrorKind::Full`](crate::ErrorKind::Full)).
    /// - If the update is too large for NATS ([`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge)).
    /// - If [`DeadLetter::update`] is `None` ([`ErrorKind::Data`](crate::ErrorKind::Data)).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the update may be stored although the dead letter still exists. Call `replay` again to
    /// remove the dead letter.
    pub async fn replay(&self, id: u64) -> Result<bool> {
        let Some(message) = self.first_from(id).await?.filter(|message| message.sequence == id) else {
            return Ok(false);
        };
        let Some(update) = DeadLetter::read(&message).update else {
            let message = format!("dead letter {id} is not an update and cannot be replayed");
            return Err(Problem::Data(message).into());
        };
        self.queue.store_again(&update, id).await?;
        self.discard(id).await?;
        Ok(true)
    }

    /// Removes a dead letter permanently. Returns `false` if no dead letter has this `id`.
    ///
    /// `id`: Id of the dead letter ([`DeadLetter::id`]).
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
    /// If the future is dropped, the dead letter may already be removed.
    pub async fn discard(&self, id: u64) -> Result<bool> {
        if self.first_from(id).await?.is_none_or(|message| message.sequence != id) {
            return Ok(false);
        }
        self.queue.0.dead.delete_message(id).await.map_err(|error| Error::nats("remove the dead letter", error))
    }

    /// Stores a dead letter. `key` identifies it, so that it is stored once.
    pub(crate) async fn bury(
        &self,
        key: &str,
        payload: Bytes,
        stored_at: SystemTime,
        attempts: u32,
        cause: &str,
    ) -> Result<()> {
        const ACTION: &str = "store a dead letter";
        let cause = serde_json::to_string(cut(cause, MOST_CAUSE)).map_err(|error| Error::nats(ACTION, error))?;
        let message = PublishMessage::build()
            .payload(payload)
            .header(ATTEMPTS, attempts.to_string())
            .header(CAUSE, cause)
            .header(STORED_AT, unix_millis(stored_at).to_string())
            .message_id(key)
            .expected_stream(self.queue.0.names.dead_stream());
        let ack = self.queue.0.context.send_publish(self.queue.0.names.dead(), message).await;
        ack.map_err(|error| Error::nats(ACTION, error))?.await.map_err(|error| Error::nats(ACTION, error))?;
        Ok(())
    }

    /// Returns the first letter with this number or a higher one.
    async fn first_from(&self, id: u64) -> Result<Option<StreamMessage>> {
        let found = self
            .queue
            .0
            .dead
            .raw_message_builder()
            .sequence(id)
            .next_by_subject(self.queue.0.names.dead())
            .send()
            .await;
        match found {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(Error::nats("read the dead letters", error)),
        }
    }
}

impl fmt::Debug for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dead").field("queue", &self.queue.name()).finish()
    }
}

impl DeadLetter {
    fn read(message: &StreamMessage) -> Self {
        let header = |name: &str| message.headers.get(name).map(|value| value.as_str());
        let number = |name: &str| header(name).and_then(|value| value.parse::<u64>().ok());
        let died_at = SystemTime::from(message.time);
        Self {
            id: message.sequence,
            update: serde_json::from_slice(&message.payload).ok(),
            attempts: number(ATTEMPTS).and_then(|number| number.try_into().ok()).unwrap_or(0),
            cause: header(CAUSE).and_then(|cause| serde_json::from_str(cause).ok()).unwrap_or_default(),
            stored_at: number(STORED_AT).map_or(died_at, |millis| UNIX_EPOCH + Duration::from_millis(millis)),
            died_at,
        }
    }
}

fn unix_millis(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// Returns the beginning of a text, at most `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_cut_at_a_character() {
        assert_eq!(cut("жук", 3), "ж");
        assert_eq!(cut("жук", 100), "жук");
        assert_eq!(cut("", 3), "");
    }
}
