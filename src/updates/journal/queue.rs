//! The journal as a queue: stores updates, delivers them to the engine, and removes them.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::value::RawValue;
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, sleep, timeout},
};

use super::{
    database::{Database, DeadRow, NewRow, StoredRow},
    error::Problem,
    gauge::{Gauge, unix_now},
    keys::{KeyHash, KeyHasher},
    settings::Settings,
    writer::Writer,
};
use crate::{
    api::types::Update,
    client::bot::Bot,
    error::Error,
    json::union::Unknown,
    updates::{
        delivery::{BoxFuture, Content, Delivery, Entry, Settled},
        handler::Handed as _,
        lane::Lane,
        marker::MarkerKey,
        raw_update::RawUpdate,
        stream::own_id,
    },
};

/// The number of waiting updates that are kept in memory, plus at most a page. All other updates are read from the disk
/// when they are handled.
const RESIDENT: usize = 1000;
/// Time that a run waits for the handlers of an earlier run.
const HANDOVER_TIME: Duration = Duration::from_secs(1);
/// The delay between two checks for these handlers.
const HANDOVER_PAUSE: Duration = Duration::from_millis(5);
/// Time that the next page waits for room in memory.
const PACE: Duration = Duration::from_millis(20);
/// Time to wait before a failed write is repeated.
pub(super) const WRITE_PAUSE: Duration = Duration::from_secs(1);

/// An open journal.
pub(crate) struct Queue {
    pub(super) path: PathBuf,
    pub(super) settings: Settings,
    hasher: KeyHasher,
    pub(super) writer: Writer,
    pub(super) gauge: Arc<Gauge>,
    inbox: Mutex<Inbox>,
    /// Updates to be removed, each with the channel for the result.
    removals: Mutex<Vec<Removal>>,
    /// Notified when the inbox has new updates.
    arrived: Notify,
    /// Notified when updates were removed.
    freed: Arc<Notify>,
    /// The number of waiting updates in memory.
    resident: Arc<AtomicUsize>,
    /// Cloned into every entry of an engine. Its count shows whether a dropped engine still has a running handler.
    in_hand: Arc<()>,
}

type Removal = (i64, oneshot::Sender<Result<(), Problem>>);

/// Stored updates for the engine.
#[derive(Default)]
struct Inbox {
    /// Whether there is a [`Run`](crate::updates::Run).
    is_run: bool,
    /// In the order in which they were stored.
    arrivals: Vec<Arrivals>,
}

enum Arrivals {
    /// Updates that are only on the disk, such as those stored before the run. Each is read when it is handled.
    Stored(Vec<Delivery>),
    /// Updates that were just stored. The thread of the run makes deliveries of them, to relieve the writer's thread.
    New(NewArrivals),
}

/// Updates that were stored together. An update without a number was repeated and is not stored.
struct NewArrivals {
    rows: Vec<Row>,
    seqs: Vec<Option<i64>>,
    /// `None` if there is no room for them in memory.
    resident: Option<Resident>,
}

/// The right to deliver stored updates. Only one run at a time has it.
pub(super) struct Lease(Arc<Queue>);

impl Drop for Lease {
    fn drop(&mut self) {
        let inbox = std::mem::take(&mut *self.0.inbox());
        // Not under the lock: dropping entries uses the queue.
        drop(inbox);
    }
}

/// Updates to be stored together, with the marker that commits them.
pub(crate) struct Batch {
    updates: Vec<Row>,
    marker: Option<i64>,
}

/// An update to be stored.
struct Row {
    raw: RawUpdate,
    lane: Lane,
    /// `None` if the update cannot be distinguished from others.
    key: Option<KeyHash>,
}

/// A batch whose store may be repeated. `None` after the batch was stored.
pub(crate) type SharedBatch = Arc<Mutex<Option<Batch>>>;

impl Row {
    fn new(raw: RawUpdate, hasher: KeyHasher) -> Self {
        let lane = raw.update.lane();
        let (mut key, timestamp) = (raw.update.key(), raw.update.timestamp());
        if lane.is_other() || timestamp.is_none() {
            // Without an id or a time, different updates may have the same key.
            key.push('/');
            key.push_str(raw.json.get());
        }
        let is_unique = timestamp.is_some() || !lane.is_other();
        let key = is_unique.then(|| hasher.hash(&key, timestamp));
        Self { lane, key, raw }
    }

    fn as_new(&self) -> NewRow<'_> {
        NewRow { lane: &self.lane, key: self.key, json: self.raw.json.get() }
    }
}

/// Counts updates that wait in memory.
pub(super) struct Resident {
    count: usize,
    total: Arc<AtomicUsize>,
}

impl Resident {
    /// Counts updates, if there is room for them.
    fn count(total: &Arc<AtomicUsize>, count: usize) -> Option<Self> {
        let is_room = |total| (total < RESIDENT).then_some(total + count);
        total.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_room).ok()?;
        Some(Self { count, total: Arc::clone(total) })
    }

    /// Splits off the count of one update.
    fn split(&mut self) -> Self {
        self.count = self.count.saturating_sub(1);
        Self { count: 1, total: Arc::clone(&self.total) }
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        self.total.fetch_sub(self.count, Ordering::Relaxed);
    }
}

impl Queue {
    pub(super) fn open(path: &Path, settings: Settings) -> Result<Self, Problem> {
        let database = Database::open(path, settings.durability)?;
        let sqlite = |error: rusqlite::Error| Problem::of_open(path, &error);
        let gauge = Arc::new(Gauge::default());
        gauge.set(database.contents().map_err(sqlite)?);
        let hasher = database.key_hasher().map_err(sqlite)?;
        Ok(Self {
            path: path.to_owned(),
            settings,
            hasher,
            writer: Writer::start(database, Arc::clone(&gauge)).map_err(|error| Problem::of_io(path, &error))?,
            gauge,
            inbox: Mutex::default(),
            removals: Mutex::default(),
            arrived: Notify::new(),
            freed: Arc::default(),
            resident: Arc::default(),
            in_hand: Arc::default(),
        })
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Binds the journal to the bot, or checks that it belongs to the bot. Requests the bot's id from the server.
    pub(crate) async fn bind(&self, bot: &Bot) -> Result<MarkerKey, Error> {
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
        Ok(key)
    }

    /// Makes a batch of updates.
    pub(crate) fn batch(&self, updates: Vec<RawUpdate>, marker: Option<i64>) -> SharedBatch {
        let updates = updates.into_iter().map(|raw| Row::new(raw, self.hasher)).collect();
        Arc::new(Mutex::new(Some(Batch { updates, marker })))
    }

    /// Stores a batch in one transaction with its marker. Repeated updates are left out. If there is a run, the other
    /// updates are in its inbox when this returns.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing. Storing the batch again does nothing if it was stored.
    pub(crate) async fn store(self: &Arc<Self>, batch: &SharedBatch) -> Result<(), Problem> {
        let (for_work, for_commit, queue) = (Arc::clone(batch), Arc::clone(batch), Arc::clone(self));
        let work = move |database: &Database| {
            let now = unix_now();
            let batch = for_work.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(Batch { updates, marker }) = &*batch else { return Ok(Vec::new()) };
            let seqs = database.store(&updates.iter().map(Row::as_new).collect::<Vec<_>>(), now)?;
            if let Some(marker) = marker {
                database.set_marker(*marker)?;
            }
            Ok(seqs)
        };
        let commit = move |seqs: Vec<Option<i64>>| {
            let batch = for_commit.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(Batch { updates, .. }) = batch {
                queue.stored(updates, seqs);
            }
        };
        self.gauge.wrote(self.writer.write(work, commit).await)
    }

    /// Puts committed updates into the inbox, if there is a run.
    fn stored(self: Arc<Self>, rows: Vec<Row>, seqs: Vec<Option<i64>>) {
        let repeated = seqs.iter().filter(|seq| seq.is_none()).count();
        if repeated > 0 {
            tracing::debug!(repeated, "repeated updates");
        }
        let mut inbox = self.inbox();
        if inbox.is_run {
            let resident = Resident::count(&self.resident, seqs.len() - repeated);
            let new = NewArrivals { rows, seqs, resident };
            // Without room, the updates are dropped from memory at once, and read again when they are handled.
            let arrivals = match &new.resident {
                Some(_) => Arrivals::New(new),
                None => Arrivals::Stored(self.deliveries(new)),
            };
            inbox.arrivals.push(arrivals);
        }
        drop(inbox);
        self.arrived.notify_one();
    }

    /// Makes deliveries of stored updates.
    fn deliveries(self: &Arc<Self>, NewArrivals { rows, seqs, mut resident }: NewArrivals) -> Vec<Delivery> {
        let new = rows.into_iter().zip(seqs).filter_map(|(row, seq)| Some((row, seq?)));
        let delivery = |(Row { raw, lane, .. }, seq): (Row, i64)| {
            let entry = JournalEntry::new(self, seq, false);
            match &mut resident {
                Some(resident) => entry.in_memory(lane, raw.update, resident.split()),
                None => entry.stored(lane, 0),
            }
        };
        new.map(delivery).collect()
    }

    /// Starts to deliver updates to a run, oldest first. If another run is active, or a handler of an ended run is
    /// still running, waits for at most [`HANDOVER_TIME`] and then fails.
    pub(super) async fn start(self: &Arc<Self>) -> Result<Lease, Problem> {
        let deadline = Instant::now() + HANDOVER_TIME;
        let lease = loop {
            match self.lease() {
                Some(lease) => break lease,
                None if Instant::now() >= deadline => return Err(Problem::AlreadyRun),
                None => sleep(HANDOVER_PAUSE).await,
            }
        };
        let queue = Arc::clone(self);
        // Updates that are stored later are put into the inbox when they are committed.
        let fill = move |rows: Vec<StoredRow>| {
            let deliveries =
                rows.into_iter().map(|row| JournalEntry::new(&queue, row.seq, true).stored(row.lane, row.attempts));
            let deliveries = deliveries.collect();
            let mut inbox = queue.inbox();
            if inbox.is_run {
                // Replaces the updates that were stored since the lease was taken: `rows` has them, too.
                inbox.arrivals = vec![Arrivals::Stored(deliveries)];
            }
            drop(inbox);
            queue.arrived.notify_one();
        };
        self.writer.write(|database| database.stored(), fill).await?;
        Ok(lease)
    }

    fn lease(self: &Arc<Self>) -> Option<Lease> {
        let mut inbox = self.inbox();
        if inbox.is_run || Arc::strong_count(&self.in_hand) > 1 {
            return None;
        }
        inbox.is_run = true;
        Some(Lease(Arc::clone(self)))
    }

    /// Waits for deliveries, and returns all that have arrived.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn arrivals(self: &Arc<Self>) -> Vec<Delivery> {
        loop {
            let arrivals = std::mem::take(&mut self.inbox().arrivals);
            if !arrivals.is_empty() {
                let deliveries = |arrivals| match arrivals {
                    Arrivals::Stored(deliveries) => deliveries,
                    Arrivals::New(new) => self.deliveries(new),
                };
                return arrivals.into_iter().flat_map(deliveries).collect();
            }
            self.arrived.notified().await;
        }
    }

    /// Stores an update of a webhook, if there is room.
    #[cfg(feature = "webhook")]
    pub(crate) async fn store_one(self: &Arc<Self>, raw: RawUpdate) -> Result<(), Problem> {
        if self.is_full() {
            self.refresh();
            return Err(Problem::Full { stored: self.gauge.depth() });
        }
        self.store(&self.batch(vec![raw], None)).await
    }

    fn is_full(&self) -> bool {
        self.gauge.depth() >= self.settings.capacity
    }

    /// Makes the writer update the gauge. The update after the last removal may have failed.
    fn refresh(&self) {
        let freed = Arc::clone(&self.freed);
        self.writer.submit(|_| Ok(()), move |_: Result<(), Problem>| freed.notify_one());
    }

    /// Waits until the journal is not full. Then waits for at most [`PACE`] until there is room in memory, so that the
    /// next page need not be read from the disk.
    pub(crate) async fn room(&self) {
        while self.is_full() {
            if timeout(WRITE_PAUSE, self.freed.notified()).await.is_err() {
                self.refresh();
            }
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

    /// Stores a marker without updates.
    pub(crate) async fn set_marker(&self, marker: i64) -> Result<(), Problem> {
        self.writer.write(move |database| database.set_marker(marker), |()| ()).await
    }

    /// Reads an update. `None` if the update is settled.
    async fn load(&self, seq: i64) -> Option<Box<Update>> {
        self.insist(|| async {
            let json = self.writer.write(move |database| database.json(seq), |json| json).await?;
            Ok(json.map(|json| Box::new(read_stored(&json).update)))
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
            let commit = move |removed: usize| {
                if removed > 0 {
                    tracing::error!(removed, "oldest dead letters removed");
                }
                queue.freed.notify_one();
            };
            self.writer.write(work, commit)
        })
        .await;
    }

    /// Removes an update. Concurrent removals share one job.
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
            removed.await.unwrap_or(Err(Problem::Ended))
        })
        .await;
    }

    /// Removes, in one job, all updates that wait for their removal when the job starts.
    fn remove_all(self: &Arc<Self>) {
        let taken = Arc::<Mutex<Vec<Removal>>>::default();
        let (queue, for_work) = (Arc::clone(self), (Arc::clone(self), Arc::clone(&taken)));
        let work = move |database: &Database| {
            let (queue, taken) = for_work;
            let mut removals = std::mem::take(&mut *queue.removals.lock().unwrap_or_else(PoisonError::into_inner));
            removals.sort_unstable_by_key(|(seq, _)| *seq);
            let seqs: Vec<i64> = removals.iter().map(|(seq, _)| *seq).collect();
            *taken.lock().unwrap_or_else(PoisonError::into_inner) = removals;
            database.settle(&seqs)
        };
        let done = move |result: Result<(), Problem>| {
            let removals = std::mem::take(&mut *taken.lock().unwrap_or_else(PoisonError::into_inner));
            queue.freed.notify_one();
            for (_, done) in removals {
                // Fails if the caller was dropped.
                let _ = done.send(result.clone());
            }
        };
        self.writer.submit(work, done);
    }

    /// Repeats an operation until it succeeds.
    async fn insist<T, F: Future<Output = Result<T, Problem>>>(&self, write: impl Fn() -> F) -> T {
        loop {
            match self.gauge.wrote(write().await) {
                Ok(done) => return done,
                Err(problem) => {
                    tracing::error!(error = %problem, "journal access failed");
                    sleep(WRITE_PAUSE).await;
                }
            }
        }
    }

    /// Returns the dead letters, oldest first.
    pub(super) async fn dead(&self) -> Result<Vec<DeadRow>, Problem> {
        self.writer.write(|database| database.dead(), |dead| dead).await
    }

    /// Stores a dead letter again. Returns whether it existed.
    pub(super) async fn replay(self: &Arc<Self>, id: i64) -> Result<bool, Problem> {
        let (queue, now) = (Arc::clone(self), unix_now());
        let commit = move |replayed: Option<(i64, Lane)>| {
            let Some((seq, lane)) = replayed else { return false };
            let mut inbox = queue.inbox();
            if inbox.is_run {
                let delivery = JournalEntry::new(&queue, seq, false).stored(lane, 0);
                inbox.arrivals.push(Arrivals::Stored(vec![delivery]));
            }
            drop(inbox);
            queue.arrived.notify_one();
            true
        };
        self.writer.write(move |database| database.replay(id, now), commit).await
    }

    /// Removes a dead letter. Returns whether it existed.
    pub(super) async fn discard(&self, id: i64) -> Result<bool, Problem> {
        self.writer.write(move |database| database.discard(id), |was_there| was_there).await
    }
}

/// Reads a stored update. Text that is not JSON, because the file was changed by hand, becomes an [`Update::Unknown`].
pub(super) fn read_stored(json: &str) -> RawUpdate {
    RawUpdate::read(json).unwrap_or_else(|_| {
        let text = serde_json::value::to_raw_value(json).unwrap_or_else(|_| RawValue::NULL.to_owned());
        let unknown = Unknown { tag: String::new(), error: Some("not JSON".to_owned()), raw: text.clone() };
        RawUpdate { update: Update::Unknown(unknown), json: text }
    })
}

/// A stored update, as the engine settles it.
struct JournalEntry {
    queue: Arc<Queue>,
    seq: i64,
    /// Whether the update was stored before this run started. Its handler may have ended the process, so each attempt
    /// is written before it begins. Other updates do not need this write.
    is_suspect: bool,
    /// The attempt that was written to the disk and has not ended.
    begun: Option<u32>,
    /// Set while the update waits in memory.
    resident: Option<Resident>,
    _in_hand: Arc<()>,
}

impl JournalEntry {
    fn new(queue: &Arc<Queue>, seq: i64, is_suspect: bool) -> Self {
        let in_hand = Arc::clone(&queue.in_hand);
        Self { queue: Arc::clone(queue), seq, is_suspect, begun: None, resident: None, _in_hand: in_hand }
    }

    /// Makes a delivery whose update is read when it is handled.
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

    fn write_attempts(&self, attempts: u32) -> BoxFuture<()> {
        let (queue, seq) = (Arc::clone(&self.queue), self.seq);
        Box::pin(async move { queue.set_attempts(seq, attempts).await })
    }
}

impl Entry for JournalEntry {
    fn begins(&mut self, attempt: u32) -> Option<BoxFuture<()>> {
        self.resident = None;
        if !self.is_suspect {
            return None;
        }
        self.begun = Some(attempt);
        Some(self.write_attempts(attempt))
    }

    fn fails(&mut self, attempt: u32) -> Option<BoxFuture<()>> {
        self.begun = None;
        Some(self.write_attempts(attempt))
    }

    fn settle(mut self: Box<Self>, settled: Settled) -> BoxFuture<()> {
        self.begun = None;
        Box::pin(async move { self.queue.settle(self.seq, settled).await })
    }
}

/// Reverts the attempt of a handler that a shutdown dropped: such an attempt counts only if the process ended.
impl Drop for JournalEntry {
    fn drop(&mut self) {
        if let Some(attempt) = self.begun {
            let (seq, before) = (self.seq, attempt.saturating_sub(1));
            self.queue.writer.submit(move |database| database.set_attempts(seq, before), drop);
        }
    }
}
