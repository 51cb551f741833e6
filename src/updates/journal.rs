//! The journal: a durable queue on the disk, between receiving updates and handling them.

mod database;
mod error;
pub(crate) mod gauge;
mod keys;
pub(crate) mod queue;
mod settings;
pub(crate) mod source;
mod writer;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub use gauge::JournalHealth;
pub use settings::Durability;

use crate::{error::Result, updates::raw_update::RawUpdate};
use database::DeadRow;
use queue::Queue;
use settings::Settings;

/// A durable queue of updates in one file. Clones share one journal.
///
/// An update is stored before it is acknowledged to the server, and removed when its handler is done:
///
/// - A slow handler holds back the updates of its own chat only. Without a journal it holds back the next page.
/// - A webhook answers 200 as soon as the update is stored, however long its handler takes.
/// - After a restart, stored updates are handled first. Updates of one [lane](crate::updates::Lane) stay in order.
///
/// Use it with [`Updates::journal`](crate::updates::Updates::journal) or, with feature `webhook`, `Webhook::journal`.
///
/// # Guarantees
///
/// **If the process is killed**, no update is lost, and each lane keeps its order. An update is handled again only if it was
/// in a handler at that moment, or if its handler had just ended and its removal was not written yet. This is at most one
/// update per lane, and at most [`concurrency`](crate::updates::Run::concurrency) in total.
///
/// **If the machine loses power**, the file stays usable. With [`Durability::PowerLoss`], the guarantees are the same as for
/// a killed process. With [`Durability::ProcessKill`], the default, changes that the operating system has not written to the
/// disk are lost. Updates can then be lost, and handled updates can be handled again. The journal itself waits for the disk
/// only once per 16 MiB of its log.
///
/// Handling each update exactly once is not possible: a handler that was killed may have sent its message already. If a
/// handler must not act twice, make it idempotent, for example with [`Update::key`](crate::Update::key).
///
/// **While the disk fails** or is full, no update is stored and none is acknowledged. Polling pauses, and a webhook answers
/// 503. Failures are counted ([`JournalHealth::failed_writes`]) and logged as `journal write failed`. If a webhook cannot
/// store an update, the event is `handler failed`.
///
/// **A repeated update** with the same [key](crate::Update::key) is dropped for at least one hour by the system clock. Without a
/// timestamp or an id, an update is repeated only if its JSON is the same. With neither of them, it is always stored.
///
/// # When a handler fails
///
/// - [`Recovery::Retry`](crate::updates::Recovery::Retry) hands the update out again, up to
///   [`attempts`](JournalBuilder::attempts) times. Then the update becomes a dead letter. The number of attempts survives
///   a restart.
/// - [`Recovery::Skip`](crate::updates::Recovery::Skip) removes it.
/// - Without [`on_error`](crate::updates::Run::on_error), an update whose handler failed becomes a dead letter.
/// - If the process ends during a handler, the attempt counts if the update was stored before that run started. So an
///   update that ends the process each time becomes a dead letter, and its chat continues.
///
/// [Dead letters](Self::dead_letters) are kept for you to look at, to [replay](Self::replay) or to [discard](Self::discard).
///
/// # The file
///
/// The journal is an SQLite database with a write-ahead log (`bot.journal-wal`) and a lock file (`bot.journal.lock`) beside
/// it. Move or copy the files together, and only while no bot runs. They contain messages of users: on Unix, new files are
/// readable by their owner only.
///
/// Only one process at a time can open a journal, and a journal has one [`Run`](crate::updates::Run) at a time. Each bot needs its
/// own journal. A file that is damaged, or belongs to another program or bot, is an error and is not changed. Use a local
/// disk: network file systems often do not lock files.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let path = std::env::temp_dir().join(format!("tamtam-doc-{}-open.journal", std::process::id()));
/// use tamtam::updates::Journal;
///
/// let journal = Journal::open(&path)?;
/// for letter in journal.dead_letters().await? {
///     println!("{}: {}", letter.update.json, letter.cause);
///     journal.discard(letter.id).await?;
/// }
/// # drop(journal);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
///
/// # Why SQLite
///
/// Measured on a disk with 0.25 ms for an `fsync`: updates of 900 bytes and their keys, stored 100 at a time and removed 64 at a
/// time by one thread. SQLite did 170,000 to 180,000 per second, redb 80,000 to 88,000. A commit of redb that survives a killed
/// process waits for the disk; one of SQLite's write-ahead log does not.
#[derive(Clone)]
pub struct Journal(Arc<Queue>);

/// The settings of a journal. Made by [`Journal::builder`].
#[derive(Debug, Clone)]
#[must_use = "a journal is not opened until `open` is called"]
pub struct JournalBuilder {
    path: PathBuf,
    settings: Settings,
}

/// An update whose handler failed permanently. Returned by [`Journal::dead_letters`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Its number in the journal, for [`Journal::replay`] and [`Journal::discard`].
    pub id: i64,
    /// The update and its JSON.
    pub update: RawUpdate,
    /// How often its handler was called.
    pub attempts: u32,
    /// Why its handler failed the last time.
    pub cause: String,
    /// When the update was stored.
    pub stored_at: SystemTime,
    /// When it became a dead letter.
    pub died_at: SystemTime,
}

impl Journal {
    /// Opens the journal at `path`, or makes a new one. The directory must exist.
    ///
    /// Checks the whole file, which takes about one second per gigabyte. If the file is in use, waits for up to 1 s.
    /// Blocks the calling thread.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written, is damaged, belongs to another program, or is open already
    /// ([`Journal`](crate::ErrorKind::Journal)). The file is not changed then.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).open()
    }

    /// Returns a builder, to change the settings of a journal before it is [opened](JournalBuilder::open).
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("tamtam-doc-{}-builder.journal", std::process::id()));
    /// use tamtam::updates::{Durability, Journal};
    ///
    /// let journal = Journal::builder(&path)
    ///     .durability(Durability::PowerLoss)
    ///     .attempts(3)
    ///     .open()?;
    /// # drop(journal);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(path: impl AsRef<Path>) -> JournalBuilder {
        JournalBuilder { path: path.as_ref().to_owned(), settings: Settings::default() }
    }

    /// Returns the dead letters, oldest first.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        Ok(self.0.dead().await?.into_iter().map(DeadLetter::read).collect())
    }

    /// Stores a dead letter as the newest update of its lane, and resets its attempts to 0. A running bot handles it at
    /// once. Returns whether the dead letter existed.
    ///
    /// # Errors
    ///
    /// If the journal cannot be written.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped after its first poll, the change is still made. Only the result is lost.
    pub async fn replay(&self, id: i64) -> Result<bool> {
        Ok(self.0.replay(id).await?)
    }

    /// Removes a dead letter permanently. Returns whether it existed.
    ///
    /// # Errors
    ///
    /// If the journal cannot be written.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped after its first poll, the change is still made. Only the result is lost.
    pub async fn discard(&self, id: i64) -> Result<bool> {
        Ok(self.0.discard(id).await?)
    }

    /// Returns the state of the journal.
    #[must_use]
    pub fn health(&self) -> JournalHealth {
        self.0.gauge.health()
    }

    pub(crate) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &self.0.path).field("health", &self.health()).finish_non_exhaustive()
    }
}

impl JournalBuilder {
    /// Sets which failures the journal survives. Defaults to [`Durability::ProcessKill`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.settings.durability = durability;
        self
    }

    /// Sets the number of stored updates at which the journal is full. Polling then pauses, and a webhook answers 503.
    /// A page that was polled before is still stored. Defaults to 100,000. The minimum is 1.
    ///
    /// A row of the file holds up to 64 updates of a page. Its space is reused when all of them are handled.
    pub fn capacity(mut self, updates: usize) -> Self {
        self.settings.capacity = updates.max(1);
        self
    }

    /// Sets the number of attempts after which an update becomes a dead letter. Attempts before a restart count, too.
    /// Defaults to 5. The minimum is 1.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts.max(1);
        self
    }

    /// Sets the maximum number of dead letters. If there are more, the oldest are removed. Defaults to 10,000.
    pub fn dead_letter_capacity(mut self, letters: usize) -> Self {
        self.settings.dead_letters = letters;
        self
    }

    /// Opens the journal. See [`Journal::open`].
    ///
    /// # Errors
    ///
    /// As [`Journal::open`].
    pub fn open(self) -> Result<Journal> {
        Ok(Journal(Arc::new(Queue::open(&self.path, self.settings)?)))
    }
}

impl DeadLetter {
    fn read(row: DeadRow) -> Self {
        let time = |unix: i64| UNIX_EPOCH + Duration::from_millis(u64::try_from(unix).unwrap_or_default());
        Self {
            id: row.id,
            update: queue::read_stored(&row.json),
            attempts: row.attempts,
            cause: row.cause,
            stored_at: time(row.stored_at),
            died_at: time(row.died_at),
        }
    }
}
