//! A chat book in a file: a log of changes, one per line.

mod error;
mod log;

use std::{path::PathBuf, sync::Arc};

use tokio::sync::Mutex;

pub use self::error::FileChatsError;
use self::log::{Line, Log};
use super::{record::ChatRecord, store::ChatStore};
use crate::{id::ChatId, updates::store_io::off_the_runtime};

/// A [`ChatStore`] in one file. Passed to [`ChatBook::open`](crate::updates::ChatBook::open). Clones share the file.
///
/// The file is a list of JSON lines. A save appends a line about one chat, and waits until the disk has stored the
/// line. The store removes outdated lines when it opens the file. A save also removes these lines if the file has at
/// least 1000 lines, and more than twice as many lines as chats. To remove lines, the store replaces the file with a
/// new file. For the effects of the replacement, see [`FileStore`](crate::updates::FileStore#how-a-save-works).
///
/// - If the process is killed or the power fails during a save, the last line can be incomplete. When the store opens
///   the file again, it removes this line, and logs the warning `torn line cut off`.
/// - If any other line is damaged, opening fails, and the file is not changed. The error is
///   [`FileChatsError::NotAChatBook`] for the first line, and [`FileChatsError::Damaged`] for the other lines.
/// - Only one process at a time can use the file. While the file is open, the process locks a second file, such as
///   `chats.jsonl.lock`.
/// - If your deployment starts the new process before the old process has ended, use your own [`ChatStore`] with a
///   database instead.
/// - Each bot needs a file of its own. The directory must exist.
/// - Use a local disk, because network file systems often do not lock files.
/// - If the file is larger than 1 GiB, opening fails with [`FileChatsError::NotAChatBook`]. A million chats need about
///   250 MB.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # let directory = std::env::temp_dir().join(format!("tamtam-doc-{}-file-chats", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("chats.jsonl");
/// # alice.starts();
/// use tamtam::updates::{ChatBook, FileChats};
///
/// let book = ChatBook::open(FileChats::new(&path)).await?;
/// # let mut updates = bot.updates();
/// # book.observe(&updates.try_next().await?.unwrap()).await?;
/// drop(book);
/// let after_a_restart = ChatBook::open(FileChats::new(&path)).await?;
/// assert!(after_a_restart.get(alice.chat_id()).is_some());
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct FileChats {
    path: PathBuf,
    /// `None` until the file is opened. Its queue is fair, so changes are written in the order of their saves.
    log: Arc<Mutex<Option<Log>>>,
}

impl FileChats {
    /// Returns a store for the file at `path`. The directory must exist.
    /// [`ChatBook::open`](crate::updates::ChatBook::open) opens the file, and creates it if it does not exist.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), log: Arc::default() }
    }
}

impl ChatStore for FileChats {
    type Error = FileChatsError;

    async fn load(&self) -> Result<Vec<ChatRecord>, Self::Error> {
        let mut log = Arc::clone(&self.log).lock_owned().await;
        let path = self.path.clone();
        let opened = off_the_runtime(move || {
            // Unlocks the file if it was open.
            *log = None;
            let (opened, found) = Log::open(path)?;
            *log = Some(opened);
            Ok::<_, FileChatsError>(found)
        });
        let found = opened.await?;
        if found.torn_bytes > 0 {
            tracing::warn!(file = ?self.path, bytes = found.torn_bytes, "torn line cut off");
        }
        Ok(found.records.into_values().collect())
    }

    async fn save(&self, chat_id: ChatId, record: Option<&ChatRecord>) -> Result<(), Self::Error> {
        let line = Line::of(chat_id, record).to_bytes();
        let is_kept = record.is_some();
        let mut log = Arc::clone(&self.log).lock_owned().await;
        let path = self.path.clone();
        off_the_runtime(move || {
            let opened = match log.take() {
                Some(opened) => opened,
                None => Log::open(path)?.0,
            };
            log.insert(opened).save(chat_id, &line, is_kept)
        })
        .await
    }
}
