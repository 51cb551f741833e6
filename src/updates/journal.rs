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
/// The bot stores each update in the journal before it acknowledges the update to the server. When the handler is done,
/// the bot removes the update. A journal has these advantages:
///
/// - A slow handler delays only the later updates of its own [lane](crate::updates::Lane), usually a chat. Without a
///   journal, a slow handler delays the next page of updates, for all chats. (A page is the updates in one response to
///   a poll.)
/// - A webhook responds with status 200 as soon as the update is stored. Without a journal, the response waits for the
///   handler.
/// - After a restart, the bot begins with the stored updates. Updates of one lane stay in order.
///
/// Pass the journal to [`Updates::journal`](crate::updates::Updates::journal) or, with the feature `webhook`, to
/// `Webhook::journal`.
///
/// # Guarantees
///
/// **If the process is killed**, no update is lost, and each lane keeps its order. An update is handled again only in
/// two cases: its handler was still running, or its removal was not yet written. At most one update per lane is handled
/// again, and at most [`concurrency`](crate::updates::Run::concurrency) updates in total.
///
/// **If the machine loses power**, the file stays usable. The setting [`Durability`] determines whether changes can be
/// lost:
///
/// - [`Durability::ProcessKill`] is the default. With this setting, changes that are not yet on the disk are lost:
///   updates can be lost, and handled updates can be handled again. A running journal waits for the disk only when it
///   moves its write-ahead log into the database, once per 16 MiB.
/// - With [`Durability::PowerLoss`], the guarantees are the same as for a killed process. The journal waits for the
///   disk at each change.
///
/// **Exactly-once handling** is not possible: a killed handler may already have sent its message. If a handler must not
/// act twice, make the handler idempotent, for example with [`Update::key`](crate::Update::key).
///
/// **If the disk fails or is full**, the bot neither stores nor acknowledges updates. Polling pauses, and a webhook
/// responds with status 503. [`JournalHealth::failed_writes`] counts the failures. The log event is `journal write
/// failed`. If a webhook cannot store an update, the log event is `handler failed`.
///
/// **If an update is repeated**, the journal drops the repeated update. A repeated update has the same
/// [key](crate::Update::key) as an earlier update. The journal keeps keys for at least one hour by the system clock.
///
/// If an update lacks either its timestamp or every id (chat, session, user), its JSON must be the same, too. If an
/// update lacks both, it is never dropped.
///
/// # When a handler fails
///
/// The update is retried, removed, or becomes a dead letter: an update that the journal keeps for inspection. You can
/// [list](Self::dead_letters), [replay](Self::replay) or [discard](Self::discard) dead letters.
///
/// Without [`on_error`](crate::updates::Run::on_error), the update becomes a dead letter. With `on_error`, the function
/// decides:
///
/// - [`Recovery::Retry`](crate::updates::Recovery::Retry) runs the handler again. After
///   [`attempts`](JournalBuilder::attempts) failed attempts, the update becomes a dead letter. Failed attempts before a
///   restart count.
/// - [`Recovery::Skip`](crate::updates::Recovery::Skip) removes the update from the journal.
/// - [`Recovery::DeadLetter`](crate::updates::Recovery::DeadLetter) makes the update a dead letter.
///
/// # When the process ends during a handler
///
/// The next [`Run`](crate::updates::Run) handles the update again. If the process is killed or crashes, the interrupted
/// attempt counts only if the update was already stored when the interrupted run started. For other updates, the
/// journal does not write the attempt before the handler starts.
///
/// So an update that ends the process each time becomes a dead letter after some restarts. Then the later updates of
/// its lane are handled.
///
/// # The file
///
/// The journal is an SQLite database, for example `bot.journal`. The same directory has its write-ahead log
/// (`bot.journal-wal`) and a lock file (`bot.journal.lock`). Move or copy the files together, and only while no bot
/// runs. The files contain messages of users. On Unix, only the owner can read new files.
///
/// - Only one process at a time can open a journal. Only one [`Run`](crate::updates::Run) at a time can use a journal.
/// - Opening a damaged file, or a file of another program, fails and does not change the file.
/// - Each bot needs its own journal. A run with the journal of another bot ends with an error.
/// - Use a local disk: network file systems often do not lock files.
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
/// In a benchmark, SQLite stored and removed 170,000 to 180,000 updates per second, and redb (another embedded
/// database) 80,000 to 88,000. In redb, a commit that survives a killed process waits for the disk. In SQLite's
/// write-ahead log, the commit does not wait.
///
/// Each update had 900 bytes and a key. One thread stored 100 updates at a time, and removed 64 at a time. An `fsync`
/// of the disk took 0.25 ms.
#[derive(Clone)]
pub struct Journal(Arc<Queue>);

/// A builder for a [`Journal`], with the settings of the journal. Created by [`Journal::builder`].
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
    /// The reason why the last attempt failed.
    pub cause: String,
    /// The time at which the update was stored in the journal.
    pub stored_at: SystemTime,
    /// The time at which the update became a dead letter.
    pub died_at: SystemTime,
}

impl Journal {
    /// Opens the journal in the file at `path`, or creates a new journal. The directory must exist.
    ///
    /// The call blocks its thread. It checks the whole file, which takes about one second per gigabyte. If the file is
    /// in use, the call waits for up to 1 s.
    ///
    /// # Errors
    ///
    /// The error has the kind [`ErrorKind::Journal`](crate::ErrorKind::Journal). The call fails in these cases:
    ///
    /// - The file cannot be read or written.
    /// - The file is damaged, or belongs to another program. The call does not change this file.
    /// - The file is already open, in this process or in another process.
    /// - A newer version of this crate wrote the file.
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

    /// Returns all dead letters, oldest first.
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

    /// Puts a dead letter back into the queue, as the newest update of its [lane](crate::updates::Lane) with 0
    /// attempts. Returns whether the dead letter existed.
    ///
    /// - `id`: [Id](DeadLetter::id) of the dead letter.
    ///
    /// If a bot runs with this journal, the bot handles the update after the earlier updates of its lane. If no bot
    /// runs, the next [`Run`](crate::updates::Run) handles the update.
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
    /// Sets the kind of failure that the journal survives without loss of data: the end of the process, or also a power
    /// loss. Defaults to [`Durability::ProcessKill`].
    pub fn durability(mut self, durability: Durability) -> Self {
        self.settings.durability = durability;
        self
    }

    /// Sets the number of stored updates at which the journal is full. Defaults to 100,000. The minimum is 1.
    ///
    /// If the journal is full, polling pauses, and a webhook responds with status 503. If polling has already received
    /// a page (the updates in one response), the journal still stores the page.
    ///
    /// The file stores updates in groups of up to 64. It reuses the space of a group only when all updates of the group
    /// are handled.
    pub fn capacity(mut self, updates: usize) -> Self {
        self.settings.capacity = updates.max(1);
        self
    }

    /// Sets the number of failed attempts after which an update becomes a dead letter: an update that the journal keeps
    /// for inspection. Defaults to 5. The minimum is 1. Failed attempts before a restart count.
    ///
    /// The limit matters for updates that [`on_error`](crate::updates::Run::on_error) retries, and for updates whose
    /// handler ends the process. Without `on_error`, an update becomes a dead letter after the first failed attempt.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts.max(1);
        self
    }

    /// Sets the maximum number of dead letters. Defaults to 10,000. If a new dead letter exceeds the maximum, the
    /// journal removes the oldest dead letter permanently, and logs `oldest dead letters removed`.
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
