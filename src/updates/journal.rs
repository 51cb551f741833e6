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

/// A durable queue of updates in a file. Clones share one journal.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let max = tamtam_sandbox::Sandbox::max().await;
/// # let (bot, alice) = (max.bot(), max.user("Alice"));
/// # alice.says("Hello");
/// # let reader = alice.clone();
/// # let shutdown = async move { while reader.reads().await.text() != "Hello" {} };
/// # let path = std::env::temp_dir().join(format!("tamtam-doc-{}-run.journal", std::process::id()));
/// # async fn echo(bot: tamtam::Bot, update: tamtam::Update) -> tamtam::Result<()> {
/// #     let tamtam::Update::MessageCreated(created) = update else { return Ok(()) };
/// #     let message = created.message.expect("a message");
/// #     bot.reply(&message, message.text().unwrap_or_default()).await.map(drop)
/// # }
/// use tamtam::updates::Journal;
///
/// let journal = Journal::open(&path)?;
/// bot.updates().journal(journal).run(echo).graceful_shutdown_on(shutdown).await?;
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
///
/// The bot stores each update in the journal, and then acknowledges the update to the server. With polling, the next
/// request for updates acknowledges the update. With a webhook, the response acknowledges the update. The server does
/// not deliver an acknowledged update again. When the update is handled, the bot removes the update from the journal.
///
/// A [lane](crate::updates::Lane) is a group of updates that are handled in order, usually the updates of one chat. A
/// journal has these advantages:
///
/// - With polling, a slow handler delays only the later updates of its lane. Without a journal, a slow handler delays
///   the updates of all chats.
/// - A webhook responds with status 200 as soon as the update is stored. Without a journal, the response waits for the
///   handler.
/// - After a restart, the bot begins with the stored updates.
///
/// Pass the journal to [`Updates::journal`](crate::updates::Updates::journal) or, with the feature `webhook`, to
/// `Webhook::journal`.
///
/// # Guarantees
///
/// **If the process is killed**, no update is lost, and the updates of each lane stay in order. An update is handled
/// again only if its handler was running, or if the removal of the update was not yet written. At most one update per
/// lane, and at most [`Run::concurrency`](crate::updates::Run::concurrency) updates in total, are handled again.
///
/// **If the machine loses power**, the file stays usable. The setting [`Durability`] decides whether updates are lost:
///
/// - With [`Durability::ProcessKill`] (default), a power loss can undo up to about 16 MiB of the latest changes.
///   Updates can then be lost, and handled updates can be handled again.
/// - With [`Durability::PowerLoss`], the guarantees are the same as for a killed process. The journal waits for the
///   disk at each change.
///
/// **Exactly-once handling** is not possible, because the process can be killed after a handler has sent a message and
/// before the bot has removed the update. If an action must not happen twice, make the handler idempotent, for example
/// with [`Update::key`](crate::Update::key).
///
/// **If the disk fails or is full**, the bot neither stores nor acknowledges updates. Polling pauses, and a webhook
/// responds with status 503. [`JournalHealth::failed_writes`] counts the failures. Polling logs `journal access
/// failed`. A webhook logs `handler failed`, with the error of the journal.
///
/// **If the journal is full**, polling pauses until updates are handled, and a webhook responds with status 503. By
/// default, the journal is full if it contains 100,000 updates: see [`JournalBuilder::capacity`].
///
/// **If the server delivers an update again**, for example after a failed webhook request, the journal drops the copy.
/// A copy has the same [key](crate::Update::key) as the update. The key contains properties such as the type, the
/// timestamp and the ids. The journal keeps each key for at least one hour. A copy that arrives after
/// this time can be handled again.
///
/// If an update lacks only the timestamp, or only the ids (chat, session and user), the journal drops a copy only if
/// the JSON is the same. If an update lacks the timestamp and all three ids, the journal drops no copy.
///
/// # When a handler fails
///
/// A handler fails if it returns an error, panics, or exceeds
/// [`Run::handler_timeout`](crate::updates::Run::handler_timeout). By default, the update then becomes a dead letter. A
/// dead letter is an update that the journal keeps for inspection. You can [list](Self::dead_letters),
/// [replay](Self::replay) or [discard](Self::discard) dead letters. The journal keeps the newest 10,000 dead letters,
/// and removes older dead letters. To change this number, use [`JournalBuilder::dead_letter_capacity`].
///
/// If you set [`Run::on_error`](crate::updates::Run::on_error), your function decides:
///
/// - [`Recovery::Retry`](crate::updates::Recovery::Retry) runs the handler again. After 5 failed attempts (the default
///   of [`JournalBuilder::attempts`]), the update becomes a dead letter. Failed attempts before a restart also count.
/// - [`Recovery::Skip`](crate::updates::Recovery::Skip) removes the update from the journal.
/// - [`Recovery::DeadLetter`](crate::updates::Recovery::DeadLetter) makes the update a dead letter.
///
/// # When the process ends during a handler
///
/// If the process is killed or crashes while a handler runs, the next [`Run`](crate::updates::Run) handles the update
/// again, even if [`Run::on_error`](crate::updates::Run::on_error) is not set. An interrupted attempt does not
/// count in the `Run` that received the update. In each later `Run`, an interrupted attempt counts towards
/// [`JournalBuilder::attempts`].
///
/// So by default, an update that crashes the process at each attempt becomes a dead letter after 6 attempts: one
/// that does not count, and 5 that count. The bot then handles the later updates of the lane.
///
/// # The file
///
/// The journal is an SQLite database, for example `bot.journal`. The same directory contains the write-ahead log of the
/// database (`bot.journal-wal`) and a lock file (`bot.journal.lock`). Move or copy these files together, and only while
/// no process uses the journal. The files contain messages of users. On Unix, the journal creates the files so that
/// only their owner can read and write them.
///
/// - While a journal is open, its file cannot be opened again, in the same process or in another process. To use the
///   journal in several places of a process, clone the `Journal`. Only one [`Run`](crate::updates::Run) at a time can
///   use a journal.
/// - Each bot needs its own journal. A run with the journal of another bot ends with an error (`ErrorKind::Journal`).
/// - Use a local disk, because network file systems often do not support file locks.
#[derive(Clone)]
pub struct Journal(Arc<Queue>);

/// A builder for a [`Journal`] (a queue of updates in a file), with the settings of the journal. Created by
/// [`Journal::builder`].
#[derive(Debug, Clone)]
#[must_use = "a journal is not opened until `open` is called"]
pub struct JournalBuilder {
    path: PathBuf,
    settings: Settings,
}

/// An update that a [`Journal`] (a queue of updates in a file) keeps because the handler of the update failed
/// permanently. Returned by [`Journal::dead_letters`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The id of the dead letter in the journal. Pass the id to [`Journal::replay`] or [`Journal::discard`].
    pub id: i64,
    /// The update and its JSON.
    pub update: RawUpdate,
    /// The number of failed attempts to handle the update. Attempts that were interrupted because the process was
    /// killed or crashed also count, except in the [`Run`](crate::updates::Run) that received the update.
    pub attempts: u32,
    /// The reason why the last attempt failed, for example that the process ended during the handler.
    pub cause: String,
    /// The time at which the update was stored in the journal.
    pub stored_at: SystemTime,
    /// The time at which the update became a dead letter.
    pub died_at: SystemTime,
}

impl Journal {
    /// Opens the journal in the file at `path`, or creates a new journal. The directory must exist.
    ///
    /// The call checks the whole file, and blocks the thread for about one second per gigabyte. If the file is in use,
    /// the call blocks for up to 1 s before it fails. Open the journal before you start tasks on the same runtime, or
    /// call `open` in `tokio::task::spawn_blocking`.
    ///
    /// # Errors
    ///
    /// Returns an error of the kind [`ErrorKind::Journal`](crate::ErrorKind::Journal) in these cases:
    ///
    /// - The file cannot be read or written.
    /// - The file is damaged, or belongs to another program. The call does not change this file.
    /// - The file is already open, in this process or in another process.
    /// - A newer version of this crate created the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::builder(path).open()
    }

    /// Returns a builder with the default settings, for the journal in the file at `path`. Change the settings, and
    /// then call [`open`](JournalBuilder::open).
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
    /// Returns an error if the journal cannot be read ([`ErrorKind::Journal`](crate::ErrorKind::Journal)).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        Ok(self.0.dead().await?.into_iter().map(DeadLetter::read).collect())
    }

    /// Puts a dead letter back into the queue, as the newest update of its lane. The number of attempts starts again at
    /// 0. Returns `false` if the dead letter does not exist.
    ///
    /// - `id`: [Id](DeadLetter::id) of the dead letter.
    ///
    /// If a [`Run`](crate::updates::Run) uses this journal, this `Run` handles the update after the earlier
    /// updates of its lane. If not, the next `Run` handles the update.
    ///
    /// # Errors
    ///
    /// Returns an error if the journal cannot be written ([`ErrorKind::Journal`](crate::ErrorKind::Journal)).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped after its first poll, the change is still made. Only the result is lost.
    pub async fn replay(&self, id: i64) -> Result<bool> {
        Ok(self.0.replay(id).await?)
    }

    /// Removes a dead letter permanently. Returns `false` if the dead letter does not exist.
    ///
    /// - `id`: [Id](DeadLetter::id) of the dead letter.
    ///
    /// # Errors
    ///
    /// Returns an error if the journal cannot be written ([`ErrorKind::Journal`](crate::ErrorKind::Journal)).
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
    /// Sets which failures the journal survives without loss of data. [`Durability::ProcessKill`] (the default) covers
    /// a killed process. [`Durability::PowerLoss`] also covers a power loss.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.settings.durability = durability;
        self
    }

    /// Sets the number of stored updates at which the journal is full. Defaults to 100,000. A value of 0 counts as 1.
    ///
    /// If the journal is full, polling pauses, and a webhook responds with status 503. If polling has already received
    /// a page (the updates in one response), the journal still stores the page.
    ///
    /// Handled updates do not count, but can still use space in the file. The journal stores updates in groups of up to
    /// 64, and reuses the space of a group only when all its updates are handled.
    pub fn capacity(mut self, updates: usize) -> Self {
        self.settings.capacity = updates.max(1);
        self
    }

    /// Sets the number of failed attempts after which an update becomes a dead letter, which the journal keeps for
    /// inspection. Defaults to 5. A value of 0 counts as 1. If [`on_error`](crate::updates::Run::on_error) is not set,
    /// an update becomes a dead letter after its first failed attempt.
    ///
    /// These attempts count:
    ///
    /// - A failed attempt after which `on_error` returns [`Recovery::Retry`](crate::updates::Recovery::Retry).
    /// - An attempt that was [interrupted](Journal#when-the-process-ends-during-a-handler) because the process ended,
    ///   except in the [`Run`](crate::updates::Run) that received the update.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts.max(1);
        self
    }

    /// Sets the maximum number of dead letters. Defaults to 10,000. With 0, the journal keeps no dead letters.
    ///
    /// If a new dead letter exceeds the maximum, the journal removes the oldest dead letter permanently. The log event
    /// is `oldest dead letters removed`.
    pub fn dead_letter_capacity(mut self, letters: usize) -> Self {
        self.settings.dead_letters = letters;
        self
    }

    /// Opens the journal with these settings, and creates the file if it does not exist. Blocks the calling thread: see
    /// [`Journal::open`].
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Journal::open`].
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
