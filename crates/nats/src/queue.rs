//! The queue of a bot: its names on NATS, and what can be done with it.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use async_nats::jetstream::{self, consumer, kv, stream};
use tamtam::{Bot, HandlerResult, Update, Updates, UserId};

use crate::{
    dead::Dead,
    error::{Error, Problem, Result},
    lag::Lag,
    open::Open,
    publish::Publisher,
    receive::Receive,
    work::Work,
    writer::Writer,
};

/// A durable queue of the updates of one bot on NATS JetStream. Clones are the same queue.
///
/// See the [crate](crate) for its guarantees.
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
    pub(crate) publisher: Publisher,
    /// The bot of the queue: its service and its id.
    pub(crate) service: String,
    pub(crate) bot_id: UserId,
}

impl Inner {
    /// Fails if a bot is not that of the queue.
    pub(crate) fn check_bot(&self, id: UserId) -> Result<()> {
        if id == self.bot_id {
            return Ok(());
        }
        let (owner, bot) = (owner(&self.service, self.bot_id), owner(&self.service, id));
        Err(Problem::Owner { stream: self.names.stream.clone(), owner, bot }.into())
    }
}

/// The name of a bot, such as `max-7`.
pub(crate) fn owner(service: &str, id: UserId) -> String {
    format!("{}-{id}", service.to_ascii_lowercase())
}

/// The names of a queue on NATS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) stream: String,
}

impl Names {
    /// The stream of dead letters.
    pub(crate) fn dead_stream(&self) -> String {
        format!("{}-dead", self.stream)
    }

    /// The subject of dead letters.
    pub(crate) fn dead(&self) -> String {
        format!("tamtam.{}.dead", self.stream)
    }

    /// The subject on which workers ask each other. Not stored.
    pub(crate) fn questions(&self) -> String {
        format!("tamtam.{}.questions", self.stream)
    }

    /// The subject of a slot.
    pub(crate) fn slot(&self, slot: u16) -> String {
        format!("tamtam.{}.slot.{slot}", self.stream)
    }

    /// The subjects of all slots.
    pub(crate) fn slots(&self) -> String {
        format!("tamtam.{}.slot.*", self.stream)
    }

    /// The durable consumer of a slot.
    pub(crate) fn consumer(slot: u16) -> String {
        format!("slot-{slot}")
    }

    /// The slot of a durable consumer.
    pub(crate) fn slot_of_consumer(name: &str) -> Option<u16> {
        name.strip_prefix("slot-")?.parse().ok()
    }
}

impl Queue {
    /// Opens the queue of a bot: creates its streams, slots and key-value bucket on NATS, or checks them if they exist.
    ///
    /// Awaiting the returned value opens the queue. While NATS elects leaders or the API of the bot does not answer,
    /// opening is retried for up to 60 s, see [`Open::timeout`].
    ///
    #[doc = crate::example!("
let nats = async_nats::connect(&server).await?;
let queue = Queue::open(nats, &bot).slots(16).await?;
# async_nats::jetstream::new(async_nats::connect(&server).await?).delete_stream(queue.name()).await?;
# let queue = Queue::open(async_nats::connect(&server).await?, &bot).slots(16).await?;
assert_eq!(queue.lag().await?.waiting, 0);
")]
    ///
    /// The client must reconnect for ever, as it does by default. With `retry_on_initial_connect`, NATS may start later.
    ///
    /// # Errors
    ///
    /// If NATS or the API of the bot does not answer in time, if NATS refuses the settings, or if the stream belongs to
    /// another bot or has another number of slots. See [`Error::kind`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves what was created. Opening the queue again continues.
    pub fn open(nats: async_nats::Client, bot: &Bot) -> Open {
        Open::new(nats, bot.clone())
    }

    /// The name of the queue, which is also the name of its stream: `max-7` for the bot with the id 7 on MAX, unless
    /// [`Open::name`] set another one.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.names.stream
    }

    /// Receives updates by polling and stores them in the queue, until a shutdown.
    ///
    /// Start it in two processes. One of them polls. The other one waits, and takes over within about 12 s if the first
    /// one dies, see [`Receive::lease`]. The settings of `updates` apply, but the queue replaces its marker store.
    ///
    #[doc = crate::example!("
# alice.says(\"hi\");
# let signal = { let queue = queue.clone(); async move { while queue.lag().await.unwrap().waiting == 0 {} } };
queue.receive(bot.updates()).graceful_shutdown_on(signal).await?;
")]
    pub fn receive(&self, updates: Updates) -> Receive {
        Receive::new(self.clone(), updates)
    }

    /// Returns a writer that stores updates from another source, such as a webhook.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(self.clone())
    }

    /// Handles the updates of the queue by an async function, the same as for [`Bot::run`]. Start it in as many processes
    /// as you like, on any machine.
    ///
    #[doc = crate::example!("
# alice.says(\"hi\");
# let reader = alice.clone();
# let signal = async move { while reader.reads().await.text() != \"hi\" {} };
# queue.receive(bot.updates()).graceful_shutdown_on({ let queue = queue.clone(); async move { while queue.lag().await.unwrap().waiting == 0 {} } }).await?;
async fn echo(bot: Bot, update: Update) -> tamtam::Result<()> {
    if let Update::MessageCreated(created) = update
        && let Some(message) = created.message
        && let Some(text) = message.text()
    {
        bot.reply(&message, text).await?;
    }
    Ok(())
}

queue.work(bot, echo).graceful_shutdown_on(signal).await?;
")]
    pub fn work<H, F>(&self, bot: Bot, handler: H) -> Work
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        Work::new(self.clone(), bot, handler)
    }

    /// Returns how many updates are in the queue, and how old the oldest one is that is not handled.
    ///
    /// # Errors
    ///
    /// If NATS does not answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn lag(&self) -> Result<Lag> {
        Lag::of(self).await
    }

    /// Returns the dead letters: updates that were given up.
    #[must_use]
    pub fn dead(&self) -> Dead {
        Dead::new(self.clone())
    }

    /// Returns the state of all slots, in their order.
    pub(crate) async fn slots(&self) -> Result<Vec<consumer::Info>> {
        use futures_util::TryStreamExt as _;

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
