//! The journal as a queue: what is stored, handed to the engine and removed.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OnceCell, oneshot},
    time::timeout,
};

use super::{
    database::{Database, DeadRow, NewRow, StoredRow},
    gauge::{Gauge, unix_now},
    problem::Problem,
    settings::Settings,
    writer::Writer,
};
use crate::{
    api::types::Update,
    client::bot::Bot,
    error::Error,
    updates::{
        delivery::{BoxFuture, Content, Delivery, Entry, Settled},
        handler::Handed as _,
        lane::Lane,
        marker::MarkerKey,
        raw_update::RawUpdate,
        stream::own_id,
    },
};

/// Updates that are kept in memory while they wait. What is stored beyond is read from the disk when its turn comes.
const RESIDENT: usize = 1000;
/// How long the next page waits for room in memory.
const PACE: Duration = Duration::from_millis(20);
/// Time to wait before a failed write is repeated.
const WRITE_PAUSE: Duration = Duration::from_secs(1);

/// An open journal.
pub(crate) struct Queue {
    pub(super) path: PathBuf,
    pub(super) settings: Settings,
    pub(super) writer: Writer,
    pub(super) gauge: Arc<Gauge>,
    inbox: Mutex<Inbox>,
    /// Updates to be removed, with those who wait for it.
    removals: Mutex<Vec<Removal>>,
    /// The inbox has something.
    arrived: Notify,
    /// An update was removed.
    freed: Notify,
    /// How many updates are in memory and wait.
    resident: Arc<AtomicUsize>,
    /// The bot whose journal it is, once that was checked.
    owner: OnceCell<MarkerKey>,
}

type Removal = (i64, oneshot::Sender<Result<(), Problem>>);

/// What was stored for the engine.
#[derive(Default)]
struct Inbox {
    /// Whether there is a [`Run`](crate::Run).
    is_run: bool,
    deliveries: Vec<Delivery>,
}

/// Updates to be stored together, with the marker that commits them.
pub(crate) struct Batch {
    updates: Vec<RawUpdate>,
    marker: Option<i64>,
}

/// A batch that may be stored several times, until it is known to be stored: then it is `None`.
pub(crate) type SharedBatch = Arc<Mutex<Option<Batch>>>;

impl Batch {
    pub(crate) fn new(updates: Vec<RawUpdate>, marker: Option<i64>) -> SharedBatch {
        Arc::new(Mutex::new(Some(Self { updates, marker })))
    }
}

/// An update in memory that counts.
pub(super) struct Resident(Arc<AtomicUsize>);

impl Drop for Resident {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Queue {
    pub(super) fn open(path: &Path, settings: Settings) -> Result<Self, Problem> {
        let database = Database::open(path, settings.durability)?;
        let gauge = Gauge::default();
        let sqlite = |error: rusqlite::Error| Problem::of_open(path, &error);
        for row in database.stored().map_err(sqlite)? {
            gauge.add(row.seq, row.stored_at);
        }
        gauge.set_dead(database.dead_count().map_err(sqlite)?);
        Ok(Self {
            path: path.to_owned(),
            settings,
            writer: Writer::start(database).map_err(|error| Problem::of_io(path, &error))?,
            gauge: Arc::new(gauge),
            inbox: Mutex::default(),
            removals: Mutex::default(),
            arrived: Notify::new(),
            freed: Notify::new(),
            resident: Arc::default(),
            owner: OnceCell::new(),
        })
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the journal the bot's own, or checks that it is. Asks the server for the bot's id the first time.
    pub(crate) async fn bind(&self, bot: &Bot) -> Result<&MarkerKey, Error> {
        let bind = || async {
            let key = MarkerKey::new(bot.base_url_text(), own_id(bot).await?);
            let (expected, path) = (key.clone(), self.path.clone());
            let work = move |database: &Database| {
                let Some((base_url, bot_id)) = database.bot()? else {
                    return database.set_bot(expected.base_url(), expected.bot_id().0).map(Ok);
                };
                let found = MarkerKey::new(&base_url, bot_id.into());
                Ok(if found == expected { Ok(()) } else { Err(Problem::OtherBot { path, found, expected }) })
            };
            self.writer.write(work, |checked| checked).await??;
            Ok::<_, Error>(key)
        };
        self.owner.get_or_try_init(bind).await
    }

    /// Stores a batch in one transaction with its marker. Updates whose key is there are left out. The others are in the
    /// inbox when this returns, if there is a run.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing. Storing the batch again does nothing if it was stored.
    pub(crate) async fn store(self: &Arc<Self>, batch: &SharedBatch) -> Result<(), Problem> {
        let (now, for_work, for_commit, queue) = (unix_now(), Arc::clone(batch), Arc::clone(batch), Arc::clone(self));
        let work = move |database: &Database| {
            let batch = for_work.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(Batch { updates, marker }) = &*batch else { return Ok(Vec::new()) };
            let seqs = database.store(&updates.iter().map(row).collect::<Vec<_>>(), now)?;
            if let Some(marker) = marker {
                database.set_marker(*marker)?;
            }
            Ok(seqs)
        };
        let commit = move |seqs: Vec<Option<i64>>| {
            let batch = for_commit.lock().unwrap_or_else(PoisonError::into_inner).take();
            let updates = batch.map(|batch| batch.updates).unwrap_or_default();
            queue.stored(updates.into_iter().zip(seqs), now);
        };
        self.writer.write(work, commit).await
    }

    /// Takes note of what was committed.
    fn stored(self: Arc<Self>, updates: impl Iterator<Item = (RawUpdate, Option<i64>)>, now: i64) {
        let mut inbox = self.inbox();
        for (RawUpdate { update, .. }, seq) in updates {
            let Some(seq) = seq else {
                tracing::debug!(kind = update.tag(), "repeated update");
                continue;
            };
            self.gauge.add(seq, now);
            if !inbox.is_run {
                continue;
            }
            let entry = JournalEntry::new(Arc::clone(&self), seq, false);
            let lane = update.lane();
            inbox.deliveries.push(match self.resident() {
                Some(resident) => entry.in_memory(lane, update, resident),
                None => entry.stored(lane, 0),
            });
        }
        drop(inbox);
        self.arrived.notify_one();
    }

    /// Counts an update that is kept in memory, if there is room.
    fn resident(&self) -> Option<Resident> {
        let is_room = |number| (number < RESIDENT).then_some(number + 1);
        let counted = self.resident.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_room);
        counted.is_ok().then(|| Resident(Arc::clone(&self.resident)))
    }

    /// Begins to hand updates to a run, those first that are stored. There is one run at a time.
    pub(crate) async fn start(self: &Arc<Self>) -> Result<(), Problem> {
        {
            let mut inbox = self.inbox();
            if inbox.is_run {
                return Err(Problem::AlreadyRun);
            }
            inbox.is_run = true;
        }
        let queue = Arc::clone(self);
        // What is stored after this is put into the inbox when it is committed.
        let fill = move |rows: Vec<StoredRow>| {
            let delivery = |row: StoredRow| {
                let lane = Lane::parse(&row.lane)?;
                Some(JournalEntry::new(Arc::clone(&queue), row.seq, true).stored(lane, row.attempts))
            };
            queue.inbox().deliveries = rows.into_iter().filter_map(delivery).collect();
            queue.arrived.notify_one();
        };
        self.writer.write(|database| database.stored(), fill).await
    }

    /// Ends the run.
    pub(crate) fn end(&self) {
        *self.inbox() = Inbox::default();
    }

    /// Waits for deliveries.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn arrivals(&self) -> Vec<Delivery> {
        loop {
            let deliveries = std::mem::take(&mut self.inbox().deliveries);
            if !deliveries.is_empty() {
                return deliveries;
            }
            self.arrived.notified().await;
        }
    }

    /// Stores an update of a webhook, if there is room.
    #[cfg(feature = "webhook")]
    pub(crate) async fn store_one(self: &Arc<Self>, raw: RawUpdate) -> Result<(), Problem> {
        if self.is_full() {
            return Err(Problem::Full { stored: self.gauge.depth() });
        }
        self.store(&Batch::new(vec![raw], None)).await
    }

    fn is_full(&self) -> bool {
        self.gauge.depth() >= self.settings.capacity
    }

    /// Waits until there is room. If the handlers are fast, it waits for a moment, too, until what is stored next can wait in
    /// memory: so that it need not be read from the disk.
    pub(crate) async fn room(&self) {
        while self.is_full() {
            self.freed.notified().await;
        }
        let is_resident = async {
            while self.resident.load(Ordering::Relaxed) >= RESIDENT / 2 {
                self.freed.notified().await;
            }
        };
        let _ = timeout(PACE, is_resident).await;
    }

    /// Reads the marker of the last page.
    pub(crate) async fn marker(&self) -> Result<Option<i64>, Problem> {
        self.writer.write(|database| database.marker(), |marker| marker).await
    }

    /// Keeps a marker without updates.
    pub(crate) async fn set_marker(&self, marker: i64) -> Result<(), Problem> {
        self.writer.write(move |database| database.set_marker(marker), |()| ()).await
    }

    /// Reads an update.
    async fn load(&self, seq: i64) -> Box<Update> {
        self.insist(|| async {
            let json = self.writer.write(move |database| database.json(seq), |json| json).await?;
            read_stored(&json).map(|raw| Box::new(raw.update))
        })
        .await
    }

    async fn set_attempts(&self, seq: i64, attempts: u32) {
        self.insist(|| self.writer.write(move |database| database.set_attempts(seq, attempts), |()| ())).await;
    }

    /// Removes an update, or makes it a dead letter.
    async fn settle(self: &Arc<Self>, seq: i64, settled: Settled) {
        let Settled::Dead { attempts, cause } = settled else { return self.remove(seq).await };
        let most = self.settings.dead_letters;
        self.insist(|| {
            let (cause, queue) = (cause.clone(), Arc::clone(self));
            let work = move |database: &Database| database.bury(seq, attempts, &cause, unix_now(), most);
            let commit = move |dead: usize| {
                queue.gauge.set_dead(dead);
                queue.removed(&[seq]);
            };
            self.writer.write(work, commit)
        })
        .await;
    }

    /// Removes an update. Those that are to be removed at the same time are removed together.
    async fn remove(self: &Arc<Self>, seq: i64) {
        self.insist(|| async {
            let (done, removed) = oneshot::channel();
            let is_first = {
                let mut removals = self.removals.lock().unwrap_or_else(PoisonError::into_inner);
                removals.push((seq, done));
                removals.len() == 1
            };
            if is_first {
                self.remove_all();
            }
            removed.await.unwrap_or_else(|_| Err(Problem::Write("its thread has ended".to_owned())))
        })
        .await;
    }

    /// Removes in one job all that is to be removed when the job begins.
    fn remove_all(self: &Arc<Self>) {
        let taken = Arc::<Mutex<Vec<Removal>>>::default();
        let (queue, for_work) = (Arc::clone(self), (Arc::clone(self), Arc::clone(&taken)));
        let work = move |database: &Database| {
            let (queue, taken) = for_work;
            let mut removals = std::mem::take(&mut *queue.removals.lock().unwrap_or_else(PoisonError::into_inner));
            removals.sort_unstable_by_key(|(seq, _)| *seq);
            let seqs: Vec<i64> = removals.iter().map(|(seq, _)| *seq).collect();
            *taken.lock().unwrap_or_else(PoisonError::into_inner) = removals;
            database.remove_all(&seqs)
        };
        let done = move |result: Result<(), Problem>| {
            let removals = std::mem::take(&mut *taken.lock().unwrap_or_else(PoisonError::into_inner));
            if result.is_ok() {
                queue.removed(&removals.iter().map(|(seq, _)| *seq).collect::<Vec<_>>());
            }
            for (_, done) in removals {
                // A handler that was dropped does not wait.
                let _ = done.send(result.clone());
            }
        };
        self.writer.submit(work, done);
    }

    fn removed(&self, seqs: &[i64]) {
        self.gauge.remove(seqs);
        self.freed.notify_one();
    }

    /// Repeats what must be written until it is.
    async fn insist<T, F: Future<Output = Result<T, Problem>>>(&self, write: impl Fn() -> F) -> T {
        loop {
            match write().await {
                Ok(done) => return done,
                Err(problem) => {
                    tracing::error!(error = %problem, "journal write failed");
                    tokio::time::sleep(WRITE_PAUSE).await;
                }
            }
        }
    }

    /// Returns the dead letters, oldest first.
    pub(super) async fn dead(&self) -> Result<Vec<DeadRow>, Problem> {
        self.writer.write(|database| database.dead(), |dead| dead).await
    }

    /// Stores a dead letter again. Returns whether it was there.
    pub(super) async fn replay(self: &Arc<Self>, seq: i64) -> Result<bool, Problem> {
        let (queue, now) = (Arc::clone(self), unix_now());
        let work = move |database: &Database| Ok((database.replay(seq, now)?, database.dead_count()?));
        let commit = move |(replayed, dead): (Option<(i64, String)>, usize)| {
            queue.gauge.set_dead(dead);
            let Some((seq, lane)) = replayed else { return false };
            queue.gauge.add(seq, now);
            let mut inbox = queue.inbox();
            if inbox.is_run
                && let Some(lane) = Lane::parse(&lane)
            {
                inbox.deliveries.push(JournalEntry::new(Arc::clone(&queue), seq, false).stored(lane, 0));
            }
            drop(inbox);
            queue.arrived.notify_one();
            true
        };
        self.writer.write(work, commit).await
    }

    /// Removes a dead letter. Returns whether it was there.
    pub(super) async fn discard(self: &Arc<Self>, seq: i64) -> Result<bool, Problem> {
        let queue = Arc::clone(self);
        let work = move |database: &Database| Ok((database.discard(seq)?, database.dead_count()?));
        let commit = move |(was_there, dead)| {
            queue.gauge.set_dead(dead);
            was_there
        };
        self.writer.write(work, commit).await
    }
}

fn row(raw: &RawUpdate) -> NewRow<'_> {
    NewRow {
        lane: raw.update.lane().to_string(),
        timestamp: raw.update.timestamp().unwrap_or_default(),
        key: raw.update.key(),
        json: raw.json.get(),
    }
}

/// Reads an update that is stored. It was read before, so an error means that the file was changed.
pub(super) fn read_stored(json: &str) -> Result<RawUpdate, Problem> {
    RawUpdate::read(json).map_err(|error| Problem::Unreadable(error.to_string()))
}

/// An update that is stored.
struct JournalEntry {
    queue: Arc<Queue>,
    seq: i64,
    /// The process ended while the update was stored: perhaps because of its handler. So each attempt is written down
    /// before it begins. For other updates that would be a write for nothing.
    is_suspect: bool,
    /// Set while the update waits in memory.
    resident: Option<Resident>,
}

impl JournalEntry {
    fn new(queue: Arc<Queue>, seq: i64, is_suspect: bool) -> Self {
        Self { queue, seq, is_suspect, resident: None }
    }

    /// Makes a delivery whose update is read when its turn comes.
    fn stored(self, lane: Lane, attempts: u32) -> Delivery {
        let (queue, seq) = (Arc::clone(&self.queue), self.seq);
        let load = move || -> BoxFuture<_> { Box::pin(async move { queue.load(seq).await }) };
        self.delivery(lane, Content::Stored(Box::new(load)), attempts)
    }

    /// Makes a delivery whose update waits in memory.
    fn in_memory(mut self, lane: Lane, update: Update, resident: Resident) -> Delivery {
        self.resident = Some(resident);
        self.delivery(lane, Content::Update(Box::new(update)), 0)
    }

    fn delivery(self, lane: Lane, content: Content, earlier_attempts: u32) -> Delivery {
        let attempts_limit = Some(self.queue.settings.attempts);
        Delivery { lane, content, earlier_attempts, attempts_limit, entry: Some(Box::new(self)) }
    }
}

impl Entry for JournalEntry {
    fn begins(&mut self, attempt: u32) -> Option<BoxFuture<()>> {
        self.resident = None;
        if self.is_suspect { self.fails(attempt) } else { None }
    }

    fn fails(&mut self, attempt: u32) -> Option<BoxFuture<()>> {
        let (queue, seq) = (Arc::clone(&self.queue), self.seq);
        Some(Box::pin(async move { queue.set_attempts(seq, attempt).await }))
    }

    fn settle(self: Box<Self>, settled: Settled) -> BoxFuture<()> {
        Box::pin(async move { self.queue.settle(self.seq, settled).await })
    }
}
