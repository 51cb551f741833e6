//! Opens a queue: creates or checks its streams, consumers and bucket on NATS.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use async_nats::jetstream::{
    self, ErrorCode,
    consumer::{self, PullConsumer},
    kv,
    stream::{self, DiscardPolicy, RetentionPolicy},
};
use futures_util::{StreamExt as _, TryStreamExt as _};
use tamtam::{Bot, UserId};
use tokio::time::{sleep, timeout};

use crate::{
    backoff::Backoff,
    error::{Error, Problem, Result, api_error},
    names::{Names, owner},
    publish::RESERVE,
    queue::{Inner, Queue, Storing},
};

const SLOTS: u16 = 64;
const MAX_SLOTS: u16 = 1_024;
const MAX_BYTES: u64 = 1 << 30;
const ACK_WAIT: Duration = Duration::from_secs(30);
const DEDUP_WINDOW: Duration = Duration::from_secs(3_600);
const TIMEOUT: Duration = Duration::from_secs(60);
/// The largest number of dead letters. Beyond it, the oldest are removed.
const DEAD_LETTERS: i64 = 10_000;
/// How long NATS may take for one answer.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// How many slots are created at a time.
const AT_A_TIME: usize = 16;
/// The keys of a stream's metadata.
const SLOTS_KEY: &str = "tamtam-slots";
const OWNER_KEY: &str = "tamtam-bot";

impl Queue {
    /// Returns a builder that opens the queue of a bot. Await the builder to open the queue. If the queue does not
    /// exist on NATS, it is created.
    ///
    /// - `nats`: NATS client. Do not limit its reconnect attempts (by default, no limit), because the client never
    ///   reconnects after the last attempt. With the client option `retry_on_initial_connect`, the program can start
    ///   before NATS.
    /// - `bot`: Bot whose updates the queue stores.
    ///
    /// Opening is retried if NATS or the API of the bot does not respond, and while NATS elects a leader (the server
    /// that processes the requests). After [`Open::timeout`], by default 60 s, opening fails.
    ///
    #[doc = crate::doc_example!("
let nats = async_nats::connect(&server).await?;
# let context = async_nats::jetstream::new(nats.clone());
let queue = Queue::open(nats, &bot).slots(16).await?;
assert_eq!(queue.lag().await?.waiting, 0);
# for stream in [queue.name().to_owned(), format!(\"{}-dead\", queue.name()), format!(\"KV_{}\", queue.name())] {
#     context.delete_stream(stream).await?;
# }
")]
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If NATS does not respond within the [timeout](Open::timeout)
    ///   ([`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable)).
    /// - If the API of the bot does not respond within the timeout, or refuses the token
    ///   ([`ErrorKind::Bot`](crate::ErrorKind::Bot)). If you set the [name](Open::name), this error occurs only if the
    ///   queue does not exist or belongs to a bot of another messenger.
    /// - If a setting is invalid ([`ErrorKind::Setting`](crate::ErrorKind::Setting)).
    /// - If NATS refuses a setting ([`ErrorKind::Refused`](crate::ErrorKind::Refused)).
    /// - If the existing queue belongs to another bot, or its number of slots differs from [`Open::slots`]
    ///   ([`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch)).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, some parts of the queue may already exist on NATS. Opening the queue again creates the
    /// missing parts.
    pub fn open(nats: async_nats::Client, bot: &Bot) -> Open {
        Open::new(nats, bot.clone())
    }
}

/// A builder with the settings of a queue. Returned by [`Queue::open`]. If you `.await` the builder, it opens the
/// queue.
///
/// NATS stores the settings of a queue, except [`name`](Self::name) and [`timeout`](Self::timeout). If you open an
/// existing queue, a setting that you do not set keeps its stored value. All stored values except the number of
/// [`slots`](Self::slots) can be changed. The defaults of stored settings apply only to a new queue.
///
/// If a value is invalid, opening fails with [`ErrorKind::Setting`](crate::ErrorKind::Setting).
///
#[doc = crate::doc_example!("
use std::time::Duration;

# let name = format!(\"doc-open-{}\", std::process::id());
# let nats = async_nats::connect(&server).await?;
let queue = Queue::open(nats, &bot)
    .name(&name)
    .replicas(1)
    .slots(16)
    .max_bytes(256 * 1024 * 1024)
    .ack_wait(Duration::from_secs(10))
    .dedup_window(Duration::from_secs(600))
    .await?;
assert_eq!(queue.name(), name);
")]
#[must_use = "a queue is not opened until it is awaited"]
pub struct Open {
    nats: async_nats::Client,
    bot: Bot,
    name: Option<String>,
    replicas: Option<usize>,
    slots: Option<u16>,
    max_bytes: Option<u64>,
    ack_wait: Option<Duration>,
    dedup_window: Option<Duration>,
    timeout: Duration,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("name", &self.name)
            .field("replicas", &self.replicas)
            .field("slots", &self.slots)
            .field("max_bytes", &self.max_bytes)
            .field("ack_wait", &self.ack_wait)
            .field("dedup_window", &self.dedup_window)
            .finish_non_exhaustive()
    }
}

impl Open {
    pub(crate) fn new(nats: async_nats::Client, bot: Bot) -> Self {
        Self {
            nats,
            bot,
            name: None,
            replicas: None,
            slots: None,
            max_bytes: None,
            ack_wait: None,
            dedup_window: None,
            timeout: TIMEOUT,
        }
    }

    /// Sets the name of the queue: 1 to 64 ASCII letters, digits, `-` and `_`. Defaults to the lowercase name of the
    /// [service](tamtam::Service) (the messenger), `-`, and the id of the bot, for example `max-7`. Queues of different
    /// bots in one NATS account need different names.
    ///
    /// If you set the name, you can open an existing queue even if the API of the bot does not respond or refuses the
    /// token. If the API does not respond or refuses the token, opening does not check the
    /// id of the bot.
    ///
    /// The queue uses the streams `<name>` and `<name>-dead`, the key-value bucket `<name>`, and the subjects
    /// `tamtam.<name>.>`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the number of NATS servers that store each update, from 1 to 5. Defaults to 1. With 3, the queue stays
    /// available if one server fails.
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = Some(replicas);
        self
    }

    /// Sets the number of slots, from 1 to 1,024. Defaults to 64. If the existing queue has a different number of
    /// slots, opening fails with [`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch).
    ///
    /// A slot is a part of the queue. Each chat belongs to one slot. The updates of one slot are handled one after
    /// another, so a slow handler delays all chats in its slot. All [workers](Queue::work) together run at most
    /// one handler per slot at the same time.
    pub fn slots(mut self, slots: u16) -> Self {
        self.slots = Some(slots);
        self
    }

    /// Sets the maximum size, in bytes, of the NATS stream that stores the updates. Defaults to 1 GiB. 0 means no
    /// limit.
    ///
    /// NATS reserves `bytes` of disk space on each server that stores the stream. If a server has less space left,
    /// opening fails with [`ErrorKind::Refused`](crate::ErrorKind::Refused). In the configuration of NATS,
    /// `max_file_store` limits the disk space for all streams of a server.
    ///
    /// Handled updates are removed after the [deduplication window](Self::dedup_window) ends, or earlier if the stream
    /// is full. If the stream is full of unhandled updates, a [receiver](Queue::receive) waits, and a webhook responds
    /// with the status 503. After a 503, the messenger delivers the update again later.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Sets the time after which the updates of a worker that died go to another worker. The minimum is 1 s. Defaults
    /// to 30 s.
    ///
    /// A handler may take longer than this time, because a running worker keeps its updates. After a change of
    /// this time, restart all workers.
    pub fn ack_wait(mut self, wait: Duration) -> Self {
        self.ack_wait = Some(wait);
        self
    }

    /// Sets the duration of the deduplication window, which begins when an update is stored. Within this window, the
    /// queue does not store the same update again. If the stream is [full](Self::max_bytes), the window of a handled
    /// update may end earlier. The minimum is 1 s. Defaults to 1 h.
    pub fn dedup_window(mut self, window: Duration) -> Self {
        self.dedup_window = Some(window);
        self
    }

    /// Sets the maximum time to open the queue, including retries while NATS or the API of the bot does not respond.
    /// Defaults to 60 s. After this time, opening fails with the error of the last attempt.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    async fn open(self) -> Result<Queue> {
        self.check()?;
        let mut last = None;
        let opening = async {
            let mut backoff = Backoff::default();
            loop {
                let error = match self.try_open().await {
                    Ok(queue) => return Ok(queue),
                    Err(error) if !error.is_temporary() => return Err(error),
                    Err(error) => error,
                };
                let delay = backoff.next();
                tracing::warn!(error = %error, delay_ms = delay.as_millis(), "queue not open yet");
                last = Some(error);
                sleep(delay).await;
            }
        };
        let opened = timeout(self.timeout, opening).await;
        opened.unwrap_or_else(|_| Err(last.unwrap_or_else(|| Error::nats("open the queue", "no answer in time"))))
    }

    fn check(&self) -> Result<()> {
        let fails = |message: String| Err(Problem::Setting(message).into());
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if let Some(name) = &self.name
            && (name.is_empty() || name.len() > 64 || !name.chars().all(is_plain))
        {
            return fails(format!("the name {name:?} must have 1 to 64 letters, digits, `-` and `_`"));
        }
        match (self.slots, self.replicas, self.ack_wait, self.dedup_window) {
            (Some(slots), ..) if !(1..=MAX_SLOTS).contains(&slots) => {
                fails(format!("{slots} slots: a queue has 1 to {MAX_SLOTS}"))
            }
            (_, Some(replicas), ..) if !(1..=5).contains(&replicas) => {
                fails(format!("{replicas} replicas: a stream has 1 to 5"))
            }
            (_, _, Some(wait), _) if wait < Duration::from_secs(1) => {
                fails(format!("ack_wait is {wait:?}: it must be at least 1 s"))
            }
            (.., Some(window)) if window < Duration::from_secs(1) => {
                fails(format!("dedup_window is {window:?}: it must be at least 1 s"))
            }
            _ => Ok(()),
        }
    }

    async fn try_open(&self) -> Result<Queue> {
        let service = self.bot.service().name().to_owned();
        let me = self.bot.me().await.map_err(Problem::Bot);
        let context = jetstream::context::ContextBuilder::new()
            .timeout(ANSWER_TIME)
            .ack_timeout(ANSWER_TIME)
            .build(self.nats.clone());
        let (names, id) = match (&self.name, me) {
            (name, Ok(me)) => {
                let name = name.clone().unwrap_or_else(|| owner(&service, me.user_id));
                (Names { stream: name }, me.user_id)
            }
            // The metadata of an existing queue has the id of its bot.
            (Some(name), Err(problem)) => {
                let id = bot_of_stream(&context, name, &service).await?;
                (Names { stream: name.clone() }, id.ok_or(problem)?)
            }
            (None, Err(problem)) => return Err(problem.into()),
        };
        let stream = self.stream(&context, &names, &owner(&service, id)).await?;
        let config = &stream.cached_info().config;
        let has = config.metadata.get(SLOTS_KEY).cloned().unwrap_or_default();
        let (slots, dedup_window, replicas) =
            (has.parse().unwrap_or(SLOTS), config.duplicate_window, config.num_replicas);
        let dead = self.dead_stream(&context, &names, replicas).await?;
        let state = self.state(&context, &names, replicas).await?;
        let consumers = self.consumers(&stream, &names, slots).await?;
        let ack_wait = consumers.first().map_or(ACK_WAIT, |consumer| consumer.cached_info().config.ack_wait);
        let most = self.nats.server_info().max_payload;
        if most <= RESERVE {
            let message = format!("`max_payload` of the NATS server is {most} bytes: it must be larger than {RESERVE}");
            return Err(Problem::Setting(message).into());
        }
        let storing = Storing::new(slots);
        Ok(Queue(Arc::new(Inner {
            names,
            slots,
            ack_wait,
            dedup_window,
            context,
            stream,
            dead,
            consumers,
            state,
            storing,
            service,
            bot_id: id,
        })))
    }

    /// Creates or checks the stream of updates.
    async fn stream(&self, context: &jetstream::Context, names: &Names, owner: &str) -> Result<stream::Stream> {
        const ACTION: &str = "open the stream";
        let asked = self.slots.unwrap_or(SLOTS);
        let fresh = stream::Config {
            name: names.stream.clone(),
            description: Some("Updates of a bot, by tamtam-nats".to_owned()),
            subjects: vec![names.slots()],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::New,
            max_bytes: i64::try_from(self.max_bytes.unwrap_or(MAX_BYTES)).unwrap_or(i64::MAX),
            duplicate_window: self.dedup_window.unwrap_or(DEDUP_WINDOW),
            num_replicas: self.replicas.unwrap_or(1),
            allow_direct: true,
            metadata: HashMap::from([
                (SLOTS_KEY.to_owned(), asked.to_string()),
                (OWNER_KEY.to_owned(), owner.to_owned()),
            ]),
            ..stream::Config::default()
        };
        let found = match get_stream(context, &names.stream).await.map_err(|error| Error::nats(ACTION, error))? {
            Some(found) => found,
            None => {
                context.get_or_create_stream(fresh.clone()).await.map_err(|error| no_room(ACTION, error, &fresh))?
            }
        };
        let config = found.cached_info().config.clone();
        let has = |key: &str| config.metadata.get(key).cloned().unwrap_or_else(|| "unknown".to_owned());
        if has(OWNER_KEY) != owner {
            let (stream, owner, bot) = (names.stream.clone(), has(OWNER_KEY), owner.to_owned());
            return Err(Problem::Owner { stream, owner, bot }.into());
        }
        if self.slots.is_some() && has(SLOTS_KEY) != asked.to_string() {
            return Err(Problem::Slots { stream: names.stream.clone(), has: has(SLOTS_KEY), asked }.into());
        }
        let changed = stream::Config {
            max_bytes: if self.max_bytes.is_some() { fresh.max_bytes } else { config.max_bytes },
            duplicate_window: self.dedup_window.unwrap_or(config.duplicate_window),
            num_replicas: self.replicas.unwrap_or(config.num_replicas),
            ..config.clone()
        };
        if changed == config {
            return Ok(found);
        }
        let updated = context.update_stream(&changed).await;
        updated.map_err(|error| no_room("change the stream", error, &changed))?;
        context.get_stream(&names.stream).await.map_err(|error| Error::nats(ACTION, error))
    }

    async fn dead_stream(
        &self,
        context: &jetstream::Context,
        names: &Names,
        replicas: usize,
    ) -> Result<stream::Stream> {
        const ACTION: &str = "open the stream of dead letters";
        let config = stream::Config {
            name: names.dead_stream(),
            description: Some("Dead letters of a bot, by tamtam-nats".to_owned()),
            subjects: vec![names.dead()],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            max_messages: DEAD_LETTERS,
            duplicate_window: DEDUP_WINDOW,
            num_replicas: replicas,
            allow_direct: true,
            ..stream::Config::default()
        };
        match get_stream(context, &config.name).await.map_err(|error| Error::nats(ACTION, error))? {
            Some(found) if found.cached_info().config.num_replicas == replicas => Ok(found),
            Some(found) => {
                let changed = stream::Config { num_replicas: replicas, ..found.cached_info().config.clone() };
                context.update_stream(changed).await.map_err(|error| Error::nats(ACTION, error))?;
                Ok(found)
            }
            None => context.get_or_create_stream(config).await.map_err(|error| Error::nats(ACTION, error)),
        }
    }

    /// Creates or checks the key-value bucket.
    async fn state(&self, context: &jetstream::Context, names: &Names, replicas: usize) -> Result<kv::Store> {
        const ACTION: &str = "open the key-value bucket";
        let config = kv::Config {
            bucket: names.stream.clone(),
            description: "Marker and lease of a bot, by tamtam-nats".to_owned(),
            history: 1,
            num_replicas: replicas,
            ..kv::Config::default()
        };
        let found =
            get_stream(context, &format!("KV_{}", names.stream)).await.map_err(|error| Error::nats(ACTION, error))?;
        match found {
            Some(found) => {
                if found.cached_info().config.num_replicas != replicas {
                    let changed = stream::Config { num_replicas: replicas, ..found.cached_info().config.clone() };
                    context.update_stream(changed).await.map_err(|error| Error::nats(ACTION, error))?;
                }
                context.get_key_value(&names.stream).await.map_err(|error| Error::nats(ACTION, error))
            }
            None => context.create_key_value(config).await.map_err(|error| Error::nats(ACTION, error)),
        }
    }

    /// Creates or checks the consumers of the slots.
    async fn consumers(&self, stream: &stream::Stream, names: &Names, slots: u16) -> Result<Vec<PullConsumer>> {
        let infos: Vec<consumer::Info> =
            stream.consumers().try_collect().await.map_err(|error| Error::nats("read the slots", error))?;
        let is_right = |info: &&consumer::Info| {
            let config = &info.config;
            Names::slot_of_consumer(&info.name).is_some_and(|slot| config.filter_subject == names.slot(slot))
                && (config.max_ack_pending, config.max_deliver) == (1, -1)
                && self.ack_wait.is_none_or(|ack_wait| ack_wait == config.ack_wait)
        };
        let right: HashSet<String> = infos.iter().filter(is_right).map(|info| info.name.clone()).collect();
        let has: HashMap<String, Duration> =
            infos.iter().map(|info| (info.name.clone(), info.config.ack_wait)).collect();
        let consumer = |slot: u16| {
            let name = Names::consumer(slot);
            let is_right = right.contains(&name);
            let config = consumer::pull::Config {
                durable_name: Some(name.clone()),
                filter_subject: names.slot(slot),
                ack_wait: self.ack_wait.or_else(|| has.get(&name).copied()).unwrap_or(ACK_WAIT),
                // Keeps the order: the next update of a slot is delivered when this one is acknowledged.
                max_ack_pending: 1,
                max_deliver: -1,
                ..consumer::pull::Config::default()
            };
            async move {
                if is_right {
                    return stream.get_consumer(&name).await.map_err(|error| Error::nats("open a slot", error));
                }
                stream.create_consumer(config).await.map_err(|error| Error::nats("create a slot", error))
            }
        };
        futures_util::stream::iter(0..slots).map(consumer).buffered(AT_A_TIME).try_collect().await
    }
}

impl IntoFuture for Open {
    type Output = Result<Queue>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<Queue>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

/// Returns the error of a stream that was not created or changed. If NATS has no room for it, the error says what to
/// do.
fn no_room(action: &'static str, error: jetstream::context::CreateStreamError, config: &stream::Config) -> Error {
    let storage = |error: &jetstream::Error| error.error_code() == ErrorCode::STORAGE_RESOURCES_EXCEEDED;
    if api_error(&error).as_ref().is_some_and(storage) {
        return Problem::NoRoom { action, bytes: config.max_bytes }.into();
    }
    Error::nats(action, error)
}

/// Returns the bot of an existing queue.
async fn bot_of_stream(context: &jetstream::Context, name: &str, service: &str) -> Result<Option<UserId>> {
    let stream = get_stream(context, name).await.map_err(|error| Error::nats("open the stream", error))?;
    let owner = stream.and_then(|stream| stream.cached_info().config.metadata.get(OWNER_KEY).cloned());
    let prefix = format!("{}-", service.to_ascii_lowercase());
    Ok(owner.and_then(|owner| owner.strip_prefix(&prefix)?.parse().ok()))
}

/// Returns a stream, or `None` if it does not exist.
async fn get_stream(
    context: &jetstream::Context,
    name: &str,
) -> std::result::Result<Option<stream::Stream>, jetstream::context::GetStreamError> {
    match context.get_stream(name).await {
        Ok(stream) => Ok(Some(stream)),
        Err(error) if api_error(&error).is_some_and(|error| error.error_code() == ErrorCode::STREAM_NOT_FOUND) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
