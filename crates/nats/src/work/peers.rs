//! Asks the other workers whether an update was handled before.
//!
//! When a server dies, deliveries and acknowledgements are lost with it. The next leader then delivers updates that
//! were handled or are being handled. So a worker asks the others before it handles an update that may not be new.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_nats::Client;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::time::{Instant, sleep, timeout};

use crate::backoff::Backoff;

/// How many updates of a slot are remembered. More than one is delivered at a time only after a server has died.
const REMEMBERED: usize = 16;
/// How long an answer may take.
const ANSWER_TIME: Duration = Duration::from_millis(150);
/// How often a question is sent: after a server has died, messages between workers are lost, too.
const QUESTIONS: u32 = 2;

/// After a server did not answer, the others are asked about each update for this time.
const TROUBLE: Duration = Duration::from_secs(10);

/// An update in the stream: its sequence, and when it was stored, in Unix nanoseconds. A server that has lost what it
/// had stored uses a sequence again, but not the time.
pub(super) type Identity = (u64, u128);

/// The answer of a worker about an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Settled,
    /// Its handler runs there.
    InProgress,
    /// No worker has handled the update, or no worker answers.
    Unknown,
}

/// The connection of a worker to the other workers of its queue, and the updates that it remembers for them.
pub(super) struct Peers {
    client: Client,
    subject: String,
    /// A number that no other worker has.
    own: u64,
    slots: Vec<Mutex<Known>>,
    /// Until when updates may not be new, because a server has died.
    troubled_until: Mutex<Option<Instant>>,
}

/// The updates of a slot that this worker remembers.
#[derive(Debug, Default)]
struct Known {
    in_progress: Option<Identity>,
    /// The updates that were settled last.
    settled: VecDeque<Identity>,
}

impl Peers {
    pub(super) fn new(client: Client, subject: String, slots: u16) -> Self {
        let slots = (0..slots).map(|_| Mutex::default()).collect();
        Self { client, subject, own: fastrand::u64(..), slots, troubled_until: Mutex::default() }
    }

    /// Notes that a server did not answer.
    pub(super) fn note_trouble(&self, reason: &str) {
        let now = Instant::now();
        let before = lock(&self.troubled_until).replace(now + TROUBLE);
        if before.is_none_or(|until| until <= now) {
            tracing::warn!(reason, "NATS unavailable, retrying");
        }
    }

    /// Whether a server recently did not answer, so that updates may not be new.
    pub(super) fn are_in_trouble(&self) -> bool {
        lock(&self.troubled_until).is_some_and(|until| Instant::now() < until)
    }

    /// Notes that this worker handles an update.
    pub(super) fn begin(&self, slot: u16, update: Identity) {
        self.slot(slot).in_progress = Some(update);
    }

    /// Notes that this worker no longer handles an update of the slot.
    pub(super) fn end(&self, slot: u16) {
        self.slot(slot).in_progress = None;
    }

    /// Notes that this worker has settled an update.
    pub(super) fn settle(&self, slot: u16, update: Identity) {
        let mut known = self.slot(slot);
        if known.settled.len() == REMEMBERED {
            known.settled.pop_front();
        }
        known.settled.push_back(update);
    }

    /// Returns the answer of this worker about an update.
    pub(super) fn own_answer(&self, slot: u16, update: Identity) -> Answer {
        let known = self.slot(slot);
        if known.settled.contains(&update) {
            Answer::Settled
        } else if known.in_progress == Some(update) {
            Answer::InProgress
        } else {
            Answer::Unknown
        }
    }

    /// Asks the other workers about an update.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub(super) async fn ask(&self, slot: u16, update: Identity) -> Answer {
        let inbox = self.client.new_inbox();
        let Ok(mut answers) = self.client.subscribe(inbox.clone()).await else { return Answer::Unknown };
        for _ in 0..QUESTIONS {
            let question = Question { asker: self.own, slot, update }.write();
            let _ = self.client.publish_with_reply(self.subject.clone(), inbox.clone(), question).await;
            // The server may send a status without a payload. It is not an answer.
            let answer = timeout(ANSWER_TIME, async {
                loop {
                    match answers.next().await.as_ref().map(|answer| &*answer.payload) {
                        Some(b"settled") => return Answer::Settled,
                        Some(b"in progress") => return Answer::InProgress,
                        Some(_) => {}
                        None => return Answer::Unknown,
                    }
                }
            });
            if let Ok(answer) = answer.await {
                return answer;
            }
        }
        Answer::Unknown
    }

    /// Answers the questions of other workers.
    pub(super) async fn answer(&self) -> Infallible {
        let mut backoff = Backoff::default();
        loop {
            if let Ok(mut questions) = self.client.subscribe(self.subject.clone()).await {
                while let Some(message) = questions.next().await {
                    let (question, reply) = (Question::read(&message.payload), message.reply);
                    let (Some(question), Some(reply)) = (question, reply) else { continue };
                    if question.asker == self.own {
                        continue;
                    }
                    let answer: &[u8] = match self.own_answer(question.slot, question.update) {
                        Answer::Settled => b"settled",
                        Answer::InProgress => b"in progress",
                        Answer::Unknown => continue,
                    };
                    let _ = self.client.publish(reply, Bytes::from_static(answer)).await;
                }
            }
            sleep(backoff.next()).await;
        }
    }

    fn slot(&self, slot: u16) -> MutexGuard<'_, Known> {
        // The slot in a question may be out of range.
        let slot = usize::from(slot).min(self.slots.len() - 1);
        lock(&self.slots[slot])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Question {
    asker: u64,
    slot: u16,
    update: Identity,
}

impl Question {
    fn write(&self) -> Bytes {
        let Self { asker, slot, update: (sequence, stored_at) } = self;
        format!("{asker} {slot} {sequence} {stored_at}").into()
    }

    fn read(payload: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(payload).ok()?.split(' ');
        let (asker, slot) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { asker, slot, update: (words.next()?.parse().ok()?, words.next()?.parse().ok()?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn peers() -> Peers {
        let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
        Peers::new(options.connect("nats://127.0.0.1:1").await.unwrap(), "ask".to_owned(), 2)
    }

    #[tokio::test]
    async fn recognizes_only_the_same_update() {
        let peers = peers().await;
        peers.begin(1, (5, 700));
        assert_eq!(peers.own_answer(1, (5, 700)), Answer::InProgress);
        peers.settle(1, (5, 700));
        peers.end(1);
        assert_eq!(peers.own_answer(1, (5, 700)), Answer::Settled);
        for (slot, update, what) in [
            (0, (5, 700), "another slot"),
            (1, (5, 701), "another update with the same sequence"),
            (1, (4, 700), "an earlier update"),
        ] {
            assert_eq!(peers.own_answer(slot, update), Answer::Unknown, "{what}");
        }
    }

    #[tokio::test]
    async fn forgets_the_oldest_settled_update() {
        let peers = peers().await;
        (0..REMEMBERED as u64 + 1).for_each(|sequence| peers.settle(0, (sequence, 0)));
        assert_eq!(peers.own_answer(0, (0, 0)), Answer::Unknown);
        assert_eq!(peers.own_answer(0, (1, 0)), Answer::Settled);
    }

    #[test]
    fn a_question_is_read_as_it_was_written() {
        let question = Question { asker: 7, slot: 3, update: (5, 1_800_000_000_000_000_000) };
        assert_eq!(Question::read(&question.write()), Some(question));
        for odd in ["", "1", "1 2 3", "x 2 3 4", "1 2 -3 4"] {
            assert_eq!(Question::read(odd.as_bytes()), None, "{odd}");
        }
    }
}
