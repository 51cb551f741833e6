//! The queue of a bot: its parts on NATS. Its operations are in the other modules.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream::{self, consumer, kv, stream};
use futures_util::TryStreamExt as _;
use tamtam::UserId;
use tokio::time::Instant;

use crate::{
    error::{Error, ErrorKind, Problem, Result},
    names::{Names, owner},
};

/// A durable queue on NATS JetStream for the updates of one bot. Opened by [`Queue::open`]. Clones refer to the same
/// queue.
///
/// An update is an event of the messenger, such as a new message. A poll is a request for updates. Receivers
/// ([`receive`](Self::receive)) poll updates and store them in the queue. Workers ([`work`](Self::work)) take the
/// updates from the queue and call your handler. The [page of the crate](crate) describes the guarantees of a queue.
///
#[doc = crate::doc_example!("
# /*
let nats = async_nats::connect(\"nats://127.0.0.1:4222\").await?;
let queue = Queue::open(nats, &bot).name(\"my-bot\").await?;
# */
println!(\"{} updates wait in {}\", queue.lag().await?.waiting, queue.name());
")]
#[derive(Clone)]
pub struct Queue(pub(crate) Arc<Inner>);

/// The queue on NATS.
pub(crate) struct Inner {
    pub(crate) names: Names,
    pub(crate) slots: u16,
    pub(crate) ack_wait: Duration,
    pub(crate) dedup_window: Duration,
    pub(crate) context: jetstream::Context,
    pub(crate) stream: stream::Stream,
    pub(crate) dead: stream::Stream,
    /// One for each slot.
    pub(crate) consumers: Vec<consumer::PullConsumer>,
    /// The lease of the receiver, and the marker.
    pub(crate) state: kv::Store,
    pub(crate) storing: Storing,
    /// The bot of the queue: its service and its id.
    pub(crate) service: String,
    pub(crate) bot_id: UserId,
}

/// The state that receivers and writers share in this process.
pub(crate) struct Storing {
    /// One for each slot, held while an update of the slot is stored.
    pub(crate) turns: Vec<tokio::sync::Mutex<()>>,
    /// The reason of the last logged failure to store an update, and its time.
    pub(crate) failing: Mutex<Option<(ErrorKind, Instant)>>,
    /// When handled updates were last removed to make room.
    pub(crate) purged: Mutex<Option<Instant>>,
}

impl Storing {
    pub(crate) fn new(slots: u16) -> Self {
        let turns = (0..slots).map(|_| tokio::sync::Mutex::new(())).collect();
        Self { turns, failing: Mutex::default(), purged: Mutex::default() }
    }
}

impl Inner {
    /// Fails if the queue belongs to another bot.
    pub(crate) fn check_bot(&self, id: UserId) -> Result<()> {
        if id == self.bot_id {
            return Ok(());
        }
        let (owner, bot) = (owner(&self.service, self.bot_id), owner(&self.service, id));
        Err(Problem::Owner { stream: self.names.stream.clone(), owner, bot }.into())
    }
}

impl Queue {
    /// Returns the name of the queue, for example `max-7`. See [`Open::name`](crate::Open::name).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.names.stream
    }

    /// Returns the state of all slots, in their order.
    pub(crate) async fn slots(&self) -> Result<Vec<consumer::Info>> {
        let infos: Vec<consumer::Info> =
            self.0.stream.consumers().try_collect().await.map_err(|error| Error::nats("read the slots", error))?;
        let mut slots: Vec<_> = infos
            .into_iter()
            .filter_map(|info| Some((Names::slot_of_consumer(&info.name)?, info)))
            .filter(|(slot, _)| *slot < self.0.slots)
            .collect();
        slots.sort_by_key(|(slot, _)| *slot);
        if slots.len() != usize::from(self.0.slots) {
            let found = format!("{} of {} slots have a consumer", slots.len(), self.0.slots);
            return Err(Error::nats("read the slots", found));
        }
        Ok(slots.into_iter().map(|(_, info)| info).collect())
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("name", &self.name()).field("slots", &self.0.slots).finish_non_exhaustive()
    }
}
