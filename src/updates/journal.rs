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
/// A bot stores an update in the journal before it acknowledges the update to the server. When the handler is done, the
/// bot removes the update from the journal:
///
/// - A slow handler delays only the later updates of its own chat. Without a journal, a slow handler delays the next
///   page of all chats.
/// - A webhook responds with 200 as soon as the update is stored, even if its handler takes long.
/// - After a restart, stored updates are handled first. Updates of one [lane](crate::updates::Lane), usually a chat,
///   stay in order.
///
/// Pass the journal to [`Updates::journal`](crate::updates::Updates::journal) or, with the feature `webhook`, to
/// `Webhook::journal`.
///
/// # Guarantees
///
/// **If the process is killed**, no update is lost, and each lane keeps its order. An update is handled again only if
/// its handler was running, or had just ended and the removal was not written yet. At most one update per lane is
/// handled again, and at most [`concurrency`](crate::updates::Run::concurrency) updates in total.
///
/// **If the machine loses power**, the file stays usable. With [`Durability::PowerLoss`], the guarantees are the same
/// as for a killed process. With [`Durability::ProcessKill`], the default, changes that the operating system has not
/// written to the disk are lost. Updates can then be lost, and handled updates can be handled again. With this setting,
/// the journal waits for the disk only once per 16 MiB of its log.
///
/// **Exactly once** is not possible: a killed handler may already have sent its message. If a handler must not act
/// twice, make the handler idempotent, for example with [`Update::key`](crate::Update::key).
///
/// **If the disk fails or is full**, the bot neither stores nor acknowledges updates. Polling pauses, and a webhook
/// responds with 503. [`JournalHealth::failed_writes`] counts the failures. The log has the event `journal write
/// failed`, or `handler failed` if a webhook cannot store an update.
///
/// **If an update is repeated**, the journal drops the repeated update. A repeated update has the same
/// [key](crate::Update::key) as an earlier update. The journal keeps keys for at least one hour by the system clock. If
/// an update has no timestamp, or no id of a chat, session or user, its JSON must be the same, too. An update without a
/// timestamp and without such an id is never dropped.
///
/// # When a handler fails
///
/// The function [`on_error`](crate::updates::Run::on_error) decides about the update:
///
/// - [`Recovery::Retry`](crate::updates::Recovery::Retry) runs the handler again. After
///   [`attempts`](JournalBuilder::attempts) failed attempts, the update becomes a dead letter. The number of attempts
///   survives a restart.
/// - [`Recovery::Skip`](crate::updates::Recovery::Skip) removes the update from the journal.
/// - [`Recovery::DeadLetter`](crate::updates::Recovery::DeadLetter) makes the update a dead letter. This is also the
///   result without `on_error`.
///
/// The process can also end during a handler. The attempt then counts if the update was stored before the current
/// [`Run`](crate::updates::Run) started. So an update that always ends the process becomes a dead letter, and the other
/// updates of its chat are handled.
///
/// The journal keeps dead letters for inspection. You can [list](Self::dead_letters), [replay](Self::replay) or
/// [discard](Self::discard) dead letters.
///
/// # The file
///
/// The journal is an SQLite database. Next to the database are its write-ahead log (for example `bot.journal-wal`) and
/// a lock file (`bot.journal.lock`). Move or copy the files together, and only while no bot runs. The files contain
/// messages of users. On Unix, only the owner can read new files.
///
/// Only one process at a time can open a journal, and a journal has one [`Run`](crate::updates::Run) at a time. Each
/// bot needs its own journal. A damaged file is an error and is not changed. The same applies to a file of another
/// program or bot. Use a local disk: network file systems often do not lock files.
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
/// A benchmark stored and removed updates of 900 bytes with their keys. One thread stored 100 updates at a time, and
/// removed 64 at a time. An `fsync` of the disk took 0.25 ms. SQLite reached 170,000 to 180,000 updates per second, and
/// redb 80,000 to 88,000. In redb, a commit that survives a killed process waits for the disk. In SQLite's write-ahead
/// log, such a commit does not wait.
#[derive(Clone)]
pub struct Journal(Arc<Queue>);

/// A builder that changes the settings of a [`Journal`] before the journal is opened. Created by [`Journal::builder`].
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
    /// The id of the dead letter in the journal. Pass the id to [`Journal::replay`] or [`Journal::discard`].
    pub id: i64,
    /// The update and its JSON.
    pub update: RawUpdate,
    /// The number of attempts to handle the update.
    pub attempts: u32,
    /// The cause for which the last attempt failed.
    pub cause: String,
    /// The time at which the update was stored in the journal.
    pub stored_at: SystemTime,
    /// The time at which the update became a dead letter.
    pub died_at: SystemTime,
}

impl Journal {
    /// Opens the journal in the file at `path`, or creates a new journal. The directory must exist.
    ///
    /// The call checks the whole file, which takes about one second per gigabyte. If the file is in use, the call waits
    /// for up to 1 s. The call blocks its thread.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or written, if it is damaged, if it belongs to another program, or if it is already
    /// open ([`ErrorKind::Journal`](crate::ErrorKind::Journal)). The file is not changed then.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).open()
    }

    /// Returns a builder with the default settings, for the journal in the file at `path`. Call
    /// [`open`](JournalBuilder::open) on the builder after you have changed the settings.
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

    /// Returns all dead letters, oldest first. A dead letter is an update whose handler failed permanently.
    ///
    /// # Errors
    ///
    /// If the journal cannot be read ([`ErrorKind::Journal`](crate::ErrorKind::Journal)).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        Ok(self.0.dead().await?.into_iter().map(DeadLetter::read).collect())
    }

    /// Stores a dead letter as the newest update of its [lane](crate::updates::Lane), and resets its attempts to 0.
    /// Returns whether the dead letter existed.
    ///
    /// - `id`: [Id](DeadLetter::id) of the dead letter.
    ///
    /// A bot that runs with this journal handles the update after the earlier updates of its lane. Otherwise, the next
    /// run handles the update.
    ///
    /// # Errors
    ///
    /// If the journal cannot be written ([`ErrorKind::Journal`](crate::ErrorKind::Journal)).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped after its first poll, the change is still made. Only the result is lost.
    pub async fn replay(&self, id: i64) -> Result<bool> {
        Ok(self.0.replay(id).await?)
    }

    /// Removes a dead letter permanently. Returns whether the dead letter existed.
    ///
    /// - `id`: [Id](DeadLetter::id) of the dead letter.
    ///
    /// # Errors
    ///
    /// If the journal cannot be written ([`ErrorKind::Journal`](crate::ErrorKind::Journal)).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped after its first poll, the change is still made. Only the result is lost.
    pub async fn discard(&self, id: i64) -> Result<bool> {
        Ok(self.0.discard(id).await?)
    }

    /// Returns the state of the journal, for monitoring.
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
    /// Sets the kind of failure that the journal survives without loss of data. Defaults to
    /// [`Durability::ProcessKill`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.settings.durability = durability;
        self
    }

    /// Sets the number of stored updates at which the journal is full. Defaults to 100,000. The minimum is 1.
    ///
    /// If the journal is full, polling pauses, and a webhook responds with 503. A page that was already polled is still
    /// stored.
    ///
    /// A row of the file holds up to 64 updates of a page. The space of a row is reused when all its updates are
    /// handled.
    pub fn capacity(mut self, updates: usize) -> Self {
        self.settings.capacity = updates.max(1);
        self
    }

    /// Sets the number of failed attempts after which an update becomes a dead letter. Defaults to 5. The minimum is 1.
    /// Attempts before a restart count, too.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts.max(1);
        self
    }

    /// Sets the maximum number of dead letters. Defaults to 10,000. If the journal has more dead letters, it removes
    /// the oldest dead letters.
    pub fn dead_letter_capacity(mut self, letters: usize) -> Self {
        self.settings.dead_letters = letters;
        self
    }

    /// Opens the journal with these settings, or creates a new journal. See [`Journal::open`].
    ///
    /// # Errors
    ///
    /// The errors of [`Journal::open`].
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
