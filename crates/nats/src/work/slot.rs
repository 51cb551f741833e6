//! One slot in one worker: gets an update, passes it to the handler, and acknowledges it, one at a time.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_nats::{
    HeaderMap, StatusCode, Subject, Subscriber,
    connection::State,
    jetstream::{self, AckKind, consumer::pull::BatchConfig, message::Info},
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tamtam::{
    Update,
    updates::{self as delivery, Delivery},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
    time::{Instant, interval_at, sleep, timeout},
};

use super::peers::{Answer, Identity, Peers};
use crate::{backoff::Backoff, queue::Queue};

/// The interval of the server's heartbeats. Without a heartbeat for [`SILENCE`], the request is lost, for example with
/// its leader.
const HEARTBEAT: Duration = Duration::from_secs(2);
const SILENCE: Duration = Duration::from_secs(5);
/// How long an acknowledgement is retried. After that, the update may be delivered again.
const ACK_TIME: Duration = Duration::from_secs(30);
/// How long a confirmation of an acknowledgement may take.
const CONFIRM_TIME: Duration = Duration::from_secs(2);
/// The delay between questions about an update that another worker handles.
const IN_PROGRESS_WAIT: Duration = Duration::from_millis(500);
/// How long a stopped slot waits for an update that the server has already sent.
const DRAIN_TIME: Duration = Duration::from_secs(1);

pub(super) struct Slot {
    pub(super) queue: Queue,
    pub(super) number: u16,
    pub(super) deliveries: mpsc::Sender<Delivery>,
    /// Has a permit for each update that the worker may still take.
    pub(super) room: Arc<Semaphore>,
    /// After how many attempts an update becomes a dead letter.
    pub(super) attempts: u32,
    pub(super) peers: Arc<Peers>,
    pub(super) stopped: watch::Receiver<bool>,
    /// How long the server keeps a request for an update.
    pub(super) expires: Duration,
}

/// A guard that marks an update as being handled until it is dropped.
struct InProgress<'a> {
    peers: &'a Peers,
    slot: u16,
}

impl<'a> InProgress<'a> {
    fn begin(peers: &'a Peers, slot: u16, update: Identity) -> Self {
        peers.begin(slot, update);
        Self { peers, slot }
    }
}

impl Drop for InProgress<'_> {
    fn drop(&mut self) {
        self.peers.end(self.slot);
    }
}

/// The result of a request for an update.
enum Pulled {
    Message(Box<async_nats::Message>),
    /// There is no update now.
    Nothing,
    Failed(String),
    Stopped,
}

/// An update of the slot.
struct Message {
    payload: Bytes,
    headers: HeaderMap,
    /// The subject for acknowledgements.
    reply: Subject,
    sequence: u64,
    /// How often the update was delivered, including this time.
    delivered: u32,
    stored_at: SystemTime,
}

impl Slot {
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            // Each request has a subject of its own, so that late answers to earlier ones are recognized.
            let inbox = self.queue.0.context.client().new_inbox();
            match self.queue.0.context.client().subscribe(format!("{inbox}.*")).await {
                Ok(subscriber) => return self.serve(subscriber, &inbox, &mut backoff).await,
                Err(error) => {
                    tracing::warn!(slot = self.number, error = %error, "slot cannot be opened, retrying");
                    tokio::select! {
                        () = sleep(backoff.next()) => {}
                        _ = self.stopped.wait_for(|stopped| *stopped) => return,
                    }
                }
            }
        }
    }

    async fn serve(&mut self, mut subscriber: Subscriber, inbox: &str, backoff: &mut Backoff) {
        for number in 0_u64.. {
            // Held until the update is settled.
            let Some(_permit) = self.permit().await else { break };
            match self.pull(&mut subscriber, format!("{inbox}.{number}").into()).await {
                Pulled::Message(message) => {
                    backoff.reset();
                    if let Some(message) = Message::read(*message, &self.queue.0.context) {
                        self.take(message).await;
                    }
                }
                Pulled::Nothing => backoff.reset(),
                Pulled::Failed(reason) => {
                    self.peers.note_trouble(&reason);
                    tracing::debug!(slot = self.number, reason, "no update, asking again");
                    tokio::select! {
                        () = sleep(backoff.next()) => {}
                        _ = self.stopped.wait_for(|stopped| *stopped) => {}
                    }
                }
                Pulled::Stopped => break,
            }
        }
        // An update that the server has already sent goes to another worker.
        if subscriber.drain().await.is_ok() {
            let rest = async {
                while let Some(message) = subscriber.next().await {
                    let message = Some(message).filter(is_update);
                    if let Some(message) = message.and_then(|message| Message::read(message, &self.queue.0.context)) {
                        self.give_back(&message).await;
                    }
                }
            };
            let _ = timeout(DRAIN_TIME, rest).await;
        }
    }

    /// Waits until the worker may take an update. Returns `None` if it is stopped.
    async fn permit(&mut self) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            biased;
            _ = self.stopped.wait_for(|stopped| *stopped) => None,
            permit = Arc::clone(&self.room).acquire_owned() => permit.ok(),
        }
    }

    /// Asks for an update, to be sent to `inbox`, and waits for it.
    async fn pull(&mut self, subscriber: &mut Subscriber, inbox: Subject) -> Pulled {
        // Requests made while there is no connection would all be sent later.
        if self.queue.0.context.client().connection_state() != State::Connected {
            return Pulled::Failed("not connected".to_owned());
        }
        let consumer = &self.queue.0.consumers[usize::from(self.number)];
        let heartbeat = if self.expires < 2 * SILENCE { Duration::ZERO } else { HEARTBEAT };
        let request =
            BatchConfig { batch: 1, expires: Some(self.expires), idle_heartbeat: heartbeat, ..BatchConfig::default() };
        if let Err(error) = consumer.request_batch(request, inbox.clone()).await {
            return Pulled::Failed(error.to_string());
        }
        let silence = if heartbeat.is_zero() { self.expires + SILENCE } else { SILENCE };
        loop {
            let message = tokio::select! {
                biased;
                message = timeout(silence, subscriber.next()) => message,
                _ = self.stopped.wait_for(|stopped| *stopped) => return Pulled::Stopped,
            };
            let message = match message {
                Ok(Some(message)) => message,
                Ok(None) => return Pulled::Failed("the subscription has ended".to_owned()),
                Err(_) => return Pulled::Failed("the server is silent".to_owned()),
            };
            match message.status {
                None | Some(StatusCode::OK) => return Pulled::Message(Box::new(message)),
                Some(StatusCode::IDLE_HEARTBEAT) => {}
                // About an earlier request.
                Some(_) if message.subject != inbox => {}
                Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => return Pulled::Nothing,
                Some(status) => {
                    let description = message.description.unwrap_or_default();
                    return Pulled::Failed(format!("{status}: {description}"));
                }
            }
        }
    }

    /// Handles and settles an update. Meanwhile, reports progress, so that no other worker gets the update.
    async fn take(&mut self, message: Message) {
        let progress = self.queue.0.ack_wait / 3;
        let mut ticks = interval_at(Instant::now() + progress, progress);
        let mut handle = pin!(self.handle(&message));
        loop {
            tokio::select! {
                biased;
                () = &mut handle => return,
                _ = ticks.tick() => self.tell(&message, AckKind::Progress).await,
            }
        }
    }

    /// Passes an update to the handler, and settles it. An update that is not settled goes to another worker.
    async fn handle(&self, message: &Message) {
        if self.is_settled(message).await {
            self.acknowledge(message).await;
            return;
        }
        let _in_progress = InProgress::begin(&self.peers, self.number, message.identity());
        let update = match serde_json::from_slice::<Update>(&message.payload) {
            Ok(update) => update,
            Err(error) => return self.bury(message, message.delivered, &format!("not an update: {error}")).await,
        };
        let (settle, is_settled) = oneshot::channel();
        let (acknowledged, is_acknowledged) = oneshot::channel::<()>();
        let delivery = Delivery::new(update, async move |result| {
            if settle.send(result).is_ok() {
                let _ = is_acknowledged.await;
            }
        });
        let earlier = self.earlier_attempts(message).await;
        let delivery = delivery.earlier_attempts(earlier).dead_letter_after(self.attempts);
        let is_stopped = *self.stopped.borrow();
        let result = match is_stopped {
            false if self.deliveries.send(delivery).await.is_ok() => is_settled.await.ok(),
            _ => None,
        };
        match result {
            Some(delivery::Settled::Dead { attempts, cause }) => self.bury(message, attempts, &cause).await,
            Some(_) => self.settle(message).await,
            None => self.give_back(message).await,
        }
        drop(acknowledged);
    }

    /// Whether a worker has settled the update. Waits while another worker handles the update.
    async fn is_settled(&self, message: &Message) -> bool {
        let update = message.identity();
        if self.peers.own_answer(self.number, update) == Answer::Settled {
            return true;
        }
        while message.delivered > 1 || self.peers.are_in_trouble() {
            match self.peers.ask(self.number, update).await {
                Answer::Settled => return true,
                Answer::InProgress => sleep(IN_PROGRESS_WAIT).await,
                Answer::Unknown => return false,
            }
        }
        false
    }

    /// Returns how often a handler of the update has begun, and notes that one begins now.
    ///
    /// NATS also counts deliveries without a handler, for example to a worker that was stopping. So handlers of updates
    /// that were delivered before are counted in the key-value bucket. Without a count, the first delivery counts as
    /// one.
    async fn earlier_attempts(&self, message: &Message) -> u32 {
        if message.delivered <= 1 {
            return 0;
        }
        let (state, key) = (&self.queue.0.state, format!("attempts.{}", self.number));
        let of_update = format!("{} {} ", message.sequence, message.identity().1);
        let count = state.get(&key).await.ok().flatten();
        let earlier = count.as_deref().and_then(|count| {
            let count = std::str::from_utf8(count).ok()?.strip_prefix(&of_update)?;
            count.parse::<u32>().ok()
        });
        let earlier = earlier.unwrap_or(1);
        if let Err(error) = state.put(&key, format!("{of_update}{}", earlier.saturating_add(1)).into()).await {
            tracing::debug!(slot = self.number, error = %error, "attempt not counted");
        }
        earlier
    }

    /// Acknowledges an update that is handled, skipped or a dead letter.
    async fn settle(&self, message: &Message) {
        self.peers.settle(self.number, message.identity());
        self.acknowledge(message).await;
    }

    /// Stores the update as a dead letter, with retries until this succeeds. Then acknowledges the update.
    async fn bury(&self, message: &Message, attempts: u32, cause: &str) {
        let key = message.headers.get(async_nats::header::NATS_MESSAGE_ID).map(|key| key.as_str()).unwrap_or_default();
        // With the sequence, because a replayed update may become a dead letter again.
        let key = format!("{key}/{}", message.sequence);
        let (dead, mut backoff) = (self.queue.dead(), Backoff::default());
        while let Err(error) = dead.bury(&key, message.payload.clone(), message.stored_at, attempts, cause).await {
            if !error.is_temporary() {
                tracing::error!(queue = self.queue.name(), error = %error, attempts, cause, "dead letter not stored");
                return self.settle(message).await;
            }
            tracing::warn!(slot = self.number, error = %error, "dead letter cannot be stored, retrying");
            sleep(backoff.next()).await;
        }
        tracing::warn!(queue = self.queue.name(), attempts, cause, "dead letter");
        self.settle(message).await;
    }

    /// Acknowledges an update. Retries for about [`ACK_TIME`] until the server confirms it.
    async fn acknowledge(&self, message: &Message) {
        let (client, began, mut backoff) = (self.queue.0.context.client(), Instant::now(), Backoff::default());
        loop {
            let request = client.request(message.reply.clone(), AckKind::Ack.into());
            let error = match timeout(CONFIRM_TIME, request).await {
                Ok(Ok(_)) => return,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the server does not answer".to_owned(),
            };
            self.peers.note_trouble(&error);
            if began.elapsed() > ACK_TIME {
                tracing::warn!(slot = self.number, error, "acknowledgement not confirmed");
                return;
            }
            sleep(backoff.next()).await;
        }
    }

    /// Returns an update, so that another worker gets it at once.
    async fn give_back(&self, message: &Message) {
        self.tell(message, AckKind::Nak(None)).await;
    }

    async fn tell(&self, message: &Message, kind: AckKind) {
        // If the message is lost, the update goes to another worker after `ack_wait`.
        let _ = self.queue.0.context.client().publish(message.reply.clone(), kind.into()).await;
    }
}

fn is_update(message: &async_nats::Message) -> bool {
    matches!(message.status, None | Some(StatusCode::OK))
}

impl Message {
    fn identity(&self) -> Identity {
        (self.sequence, self.stored_at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos())
    }

    /// Reads a message. Returns `None` if it is not a message of JetStream.
    fn read(message: async_nats::Message, context: &jetstream::Context) -> Option<Self> {
        let message = jetstream::Message { message, context: context.clone() };
        let Info { stream_sequence, delivered, published, .. } = message.info().ok()?;
        let (delivered, stored_at) = (u32::try_from(delivered).unwrap_or(u32::MAX).max(1), published.into());
        let reply = message.reply.clone()?;
        let async_nats::Message { payload, headers, .. } = message.message;
        let headers = headers.unwrap_or_default();
        Some(Self { payload, headers, reply, sequence: stream_sequence, delivered, stored_at })
    }
}
