//! One slot in one worker: takes an update, has it handled, and acknowledges it, one at a time.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_nats::{
    HeaderMap, StatusCode, Subject, Subscriber,
    jetstream::{self, AckKind, consumer::pull::BatchConfig, message::Info},
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tamtam::{
    Update,
    updates::{self as delivery, Delivery},
};
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::{Instant, interval_at, sleep, timeout},
};

use super::peers::{Answer, Identity, Peers};
use crate::{backoff::Backoff, queue::Queue};

/// How long the server keeps a request for an update.
const EXPIRES: Duration = Duration::from_secs(30);
/// The server sends a sign of life this often. Without one for [`SILENCE`], the request was lost, with its leader for example.
const HEARTBEAT: Duration = Duration::from_secs(2);
const SILENCE: Duration = Duration::from_secs(5);
/// How long an acknowledgement is tried. After that the update will come again.
const ACK_TIME: Duration = Duration::from_secs(30);
/// How long a confirmation of an acknowledgement may take.
const CONFIRM_TIME: Duration = Duration::from_secs(2);
/// How long it waits before it asks again about an update that another worker handles.
const IN_PROGRESS_WAIT: Duration = Duration::from_millis(500);
/// How long it waits at the end for an update that is on its way.
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
}

/// An update that the worker handles, until this is dropped.
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

/// What came of asking for an update.
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
    /// Where it is acknowledged.
    reply: Subject,
    sequence: u64,
    /// How often it was handed out, this time included.
    delivered: u32,
    stored_at: SystemTime,
}

impl Slot {
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let inbox = Subject::from(self.queue.0.context.client().new_inbox());
            match self.queue.0.context.client().subscribe(inbox.clone()).await {
                Ok(subscriber) => {
                    self.serve(subscriber, inbox, &mut backoff).await;
                    return;
                }
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

    async fn serve(&mut self, mut subscriber: Subscriber, inbox: Subject, backoff: &mut Backoff) {
        loop {
            let pulled = match self.has_room().await {
                true => self.pull(&mut subscriber, &inbox).await,
                false => Pulled::Stopped,
            };
            match pulled {
                Pulled::Message(message) => {
                    backoff.reset();
                    if let Some(message) = Message::read(*message, &self.queue.0.context) {
                        self.take(message).await;
                    }
                }
                Pulled::Nothing => backoff.reset(),
                Pulled::Failed(reason) => {
                    self.peers.note_trouble();
                    tracing::debug!(slot = self.number, reason, "no update, asking again");
                    tokio::select! {
                        () = sleep(backoff.next()) => {}
                        _ = self.stopped.wait_for(|stopped| *stopped) => {}
                    }
                }
                Pulled::Stopped => break,
            }
        }
        // An update that is on its way goes to another worker.
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

    /// Waits until the worker may take an update. Returns `false` if it is stopped.
    async fn has_room(&mut self) -> bool {
        tokio::select! {
            biased;
            _ = self.stopped.wait_for(|stopped| *stopped) => false,
            permit = self.room.acquire() => permit.is_ok(),
        }
    }

    /// Asks for an update, and waits for it.
    async fn pull(&mut self, subscriber: &mut Subscriber, inbox: &Subject) -> Pulled {
        let consumer = &self.queue.0.consumers[usize::from(self.number)];
        let request =
            BatchConfig { batch: 1, expires: Some(EXPIRES), idle_heartbeat: HEARTBEAT, ..BatchConfig::default() };
        if let Err(error) = consumer.request_batch(request, inbox.clone()).await {
            return Pulled::Failed(error.to_string());
        }
        loop {
            let message = tokio::select! {
                biased;
                message = timeout(SILENCE, subscriber.next()) => message,
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
                Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => return Pulled::Nothing,
                Some(status) => {
                    let description = message.description.unwrap_or_default();
                    return Pulled::Failed(format!("{status}: {description}"));
                }
            }
        }
    }

    /// Has an update handled, and settles it.
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

    /// Has an update handled, and settles it. An update that the worker does not settle goes to another one.
    async fn handle(&self, message: &Message) {
        if self.is_settled(message).await {
            self.acknowledge(message).await;
            return;
        }
        let Ok(_permit) = self.room.acquire().await else { return };
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
        let delivery = delivery.earlier_attempts(message.delivered - 1).dead_letter_after(self.attempts);
        let result = match self.deliveries.send(delivery).await {
            Ok(()) => is_settled.await.ok(),
            Err(_) => None,
        };
        match result {
            Some(delivery::Settled::Dead { attempts, cause }) => self.bury(message, attempts, &cause).await,
            Some(_) => self.settle(message).await,
            None => self.give_back(message).await,
        }
        drop(acknowledged);
    }

    /// Whether a worker has settled the update. Waits while another one handles it.
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

    /// Acknowledges an update that is handled or given up.
    async fn settle(&self, message: &Message) {
        self.peers.settle(self.number, message.identity());
        self.acknowledge(message).await;
    }

    /// Stores the update as a dead letter, then acknowledges it. Tries until both are done.
    async fn bury(&self, message: &Message, attempts: u32, cause: &str) {
        let key = message.headers.get(async_nats::header::NATS_MESSAGE_ID).map(|key| key.as_str()).unwrap_or_default();
        // A replayed update may die again.
        let key = format!("{key}/{}", message.sequence);
        let (dead, mut backoff) = (self.queue.dead(), Backoff::default());
        while let Err(error) = dead.bury(&key, message.payload.clone(), message.stored_at, attempts, cause).await {
            tracing::warn!(slot = self.number, error = %error, "dead letter cannot be stored, retrying");
            sleep(backoff.next()).await;
        }
        tracing::warn!(queue = self.queue.name(), attempts, cause, "dead letter");
        self.settle(message).await;
    }

    /// Acknowledges an update, until the server has confirmed it.
    async fn acknowledge(&self, message: &Message) {
        let (client, began, mut backoff) = (self.queue.0.context.client(), Instant::now(), Backoff::default());
        loop {
            let request = client.request(message.reply.clone(), AckKind::Ack.into());
            let error = match timeout(CONFIRM_TIME, request).await {
                Ok(Ok(_)) => return,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the server does not answer".to_owned(),
            };
            self.peers.note_trouble();
            if began.elapsed() > ACK_TIME {
                tracing::warn!(slot = self.number, error, "acknowledgement not confirmed");
                return;
            }
            sleep(backoff.next()).await;
        }
    }

    /// Lets another worker have an update at once.
    async fn give_back(&self, message: &Message) {
        self.tell(message, AckKind::Nak(None)).await;
    }

    async fn tell(&self, message: &Message, kind: AckKind) {
        // If it does not arrive, the update goes to another worker.
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

    /// Reads a message. `None` if it is none of JetStream.
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
