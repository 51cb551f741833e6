//! The chats of a bot, collected from its updates.

mod entries;
mod file;
mod known_chat;
mod record;
mod sighting;
mod store;

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio::time::Instant;

use crate::{
    api::types::Update,
    error::{BoxError, Error, Reason, Result},
    id::ChatId,
    updates::{delivery::BoxFuture, store_io::in_time},
};
use entries::{Change, Entries};
pub use file::{FileChats, FileChatsError};
pub use known_chat::{ChatRole, KnownChat};
pub use record::ChatRecord;
pub use store::ChatStore;
use store::ErasedChats;

/// Minimum time between a failed save and the next save of the same changes.
const RETRY_PAUSE: Duration = Duration::from_secs(10);

/// A list of the chats that a bot is in, collected from the updates of the bot. Clones share one list.
///
/// Each item of the list is a [`KnownChat`], with the type and the title of the chat, and the role of the bot. A chat
/// book works on MAX and on TamTam. MAX has no operation that lists the chats of a bot.
///
/// Pass the book to [`Run::chat_book`](crate::updates::Run::chat_book) or, with the feature `webhook`, to
/// `Webhook::chat_book`. Before each call of the handler, the bot records the update in the book. If you write the loop
/// over updates yourself, call [`observe`](Self::observe) with each update.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// # let reader = alice.clone();
/// # let shutdown = async move { reader.reads().await };
/// # let directory = std::env::temp_dir().join(format!("tamtam-doc-{}-chat-book", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("chats.jsonl");
/// use tamtam::{Update, updates::{ChatBook, FileChats}};
///
/// let book = ChatBook::open(FileChats::new(&path)).await?;
/// bot.run(async |bot, update| match update {
///     Update::BotStarted(started) => bot.send(started.chat_id, "Hello!").await.map(drop),
///     _ => Ok(()),
/// })
/// .chat_book(book.clone())
/// .graceful_shutdown_on(shutdown)
/// .await?;
///
/// for chat in book.chats() {
///     println!("{} since {}: {:?}", chat.chat_id, chat.since, chat.role);
/// }
/// # assert_eq!(book.len(), 1);
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
///
/// # What updates change
///
/// | update | change |
/// |---|---|
/// | `message_created`, `comment_created`, `user_added`, `bot_added`, `bot_started` | Adds the chat if it is not in the book. A `bot_started` or a message of the user also removes the mark that `bot_stopped` sets. |
/// | `bot_removed`, `dialog_removed` | Removes the chat. |
/// | `bot_stopped` | Marks the dialog (private chat) as stopped. Adds the dialog if it is not in the book and was not removed recently (see below). |
/// | `bot_admin_permissions_changed` | Sets the role to [`Admin`](ChatRole::Admin) or [`Member`](ChatRole::Member). If the role is `Admin` and the chat is not in the book, adds the chat. |
/// | `chat_title_changed` | Sets the title. Adds the chat if it is not in the book. |
/// | `message_chat_created` | Adds the new chat with its title and the role [`Admin`](ChatRole::Admin). |
/// | any other type, if the chat is a dialog | Adds the dialog if it is not in the book and was not removed recently (see below). |
///
/// Updates can arrive twice and out of order. The book orders updates by their timestamps: an older update does not
/// undo the change of a newer update. For example, after a `bot_removed`, an older `message_created` does not add the
/// chat again.
///
/// After a dialog is removed, the bot can still receive some updates of the dialog, such as `bot_stopped` or
/// `message_callback` (the press of a button). For at least 48 h after the removal, these updates do not add the dialog
/// again. The book measures this time by the timestamps of the updates.
///
/// # Limits
///
/// - The book contains a chat only after the first update of the chat. So use the book from the start, before the bot
///   is added to chats.
/// - The book ignores updates that have no chat or no timestamp.
/// - The book ignores updates about constructors, in which a user of TamTam composes a message with the help of the
///   bot.
/// - TamTam does not report changes of the bot's rights. MAX reports these changes only by webhook, not by polling.
///   Until an update sets the role, the role in a group or channel is [`Member`](ChatRole::Member).
/// - TamTam does not report that a user has stopped the bot. So no dialog on TamTam is marked as stopped.
/// - If you select the types of updates, with [`Updates::types`](crate::updates::Updates::types) or in the subscription
///   of a webhook, include all types that the table names.
/// - Each bot needs its own book.
#[doc(alias = "get_chats")]
#[derive(Clone, Default)]
pub struct ChatBook(Arc<Book>);

#[derive(Default)]
struct Book {
    state: Mutex<State>,
    store: Option<Box<dyn ErasedChats>>,
    /// Held during a save: a store saves one change at a time.
    saving: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    entries: Entries,
    /// Changes that are not saved, each with its number. If a chat changes during its save, its number changes, too.
    unsaved: BTreeMap<Change, u64>,
    /// The number of the last change.
    changes: u64,
    /// When the last save failed.
    failed_at: Option<Instant>,
}

impl ChatBook {
    /// Creates an empty book in memory, for example for tests.
    ///
    /// ```
    /// let book = tamtam::updates::ChatBook::new();
    /// assert!(book.is_empty());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the chats from a store, such as [`FileChats`], and returns a book with these chats. The book saves later
    /// changes in the same store. Reading the store has no time limit. See [`ChatBook`] for an example.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be read ([`ErrorKind::ChatBook`](crate::ErrorKind::ChatBook)).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not change the chats in the store.
    pub async fn open(store: impl ChatStore) -> Result<Self> {
        let loaded = store.load().await;
        let records = loaded.map_err(|error| Error::new(Reason::ChatBook { verb: "opened", error: error.into() }))?;
        let state = Mutex::new(State { entries: Entries::of(records), ..State::default() });
        Ok(Self(Arc::new(Book { state, store: Some(Box::new(store)), ..Book::default() })))
    }

    /// Records an update in the book, and saves the change in the store. Most updates change only
    /// [`KnownChat::last_update`], which the book saves at most once a day for each chat.
    ///
    /// Concurrent calls are safe: the book runs one save at a time.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// use tamtam::updates::ChatBook;
    ///
    /// let book = ChatBook::new();
    /// let mut updates = bot.updates();
    /// while let Some(update) = updates.try_next().await? {
    ///     book.observe(&update).await?;
    /// #   break;
    /// }
    /// # assert_eq!(book.chats()[0].chat_id, alice.chat_id());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the store fails, or if the save takes longer than 5 s
    /// ([`ErrorKind::ChatBook`](crate::ErrorKind::ChatBook)).
    ///
    /// After an error, the book keeps the unsaved changes in memory. The next save includes these changes. The first
    /// update that arrives at least 10 s after the error always starts a save.
    ///
    /// # Cancel safety
    ///
    /// The first poll of the future records the update in the book. If the future is dropped later, the book saves the
    /// change together with the next change.
    pub async fn observe(&self, update: &Update) -> Result<()> {
        if self.0.note(update) { self.0.save().await } else { Ok(()) }
    }

    /// Records an update. Returns the save if there is one. The save logs its failure.
    pub(super) fn observe_logged(&self, update: &Update) -> Option<BoxFuture<()>> {
        if !self.0.note(update) {
            return None;
        }
        let book = self.clone();
        Some(Box::pin(async move { book.save_logged().await }))
    }

    /// Saves the unsaved changes, and logs a failure.
    pub(super) async fn save_logged(&self) {
        // The store may be code of another crate.
        match AssertUnwindSafe(self.0.save()).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = error.reason(), "chat book save failed"),
            Err(_) => tracing::error!("saving the chat book panicked"),
        }
    }

    /// Saves the changes that are not yet in the store. A change of only [`KnownChat::last_update`] is saved at most
    /// once a day.
    ///
    /// Call `save` before the program ends in these cases:
    ///
    /// - A call of [`observe`](Self::observe), [`forget`](Self::forget) or `save` has failed, or its future was
    ///   dropped.
    /// - You passed the book to a `Webhook` without a journal (a queue of updates in a file).
    ///
    /// A [`Run`](crate::updates::Run) with a book calls `save` at the end of the run.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// let book = tamtam::updates::ChatBook::new();
    /// book.save().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error in the same cases as [`observe`](Self::observe).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the book saves the changes together with the next change.
    pub async fn save(&self) -> Result<()> {
        self.0.save().await
    }

    /// Returns the chats in the book, sorted by id.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let book = tamtam::updates::ChatBook::new();
    /// # alice.starts();
    /// # book.observe(&bot.updates().try_next().await?.unwrap()).await?;
    /// for chat in book.chats() {
    ///     println!("{}: {:?}", chat.chat_id, chat.role);
    /// }
    /// # assert_eq!(book.chats()[0].chat_id, alice.chat_id());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn chats(&self) -> Vec<KnownChat> {
        self.0.state().entries.chats().collect()
    }

    /// Returns the chat with this id. `None` if the book does not contain the chat.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let book = tamtam::updates::ChatBook::new();
    /// # alice.starts();
    /// # book.observe(&bot.updates().try_next().await?.unwrap()).await?;
    /// use tamtam::updates::ChatRole;
    ///
    /// let chat = book.get(alice.chat_id()).unwrap();
    /// let user_id = Some(alice.user_id());
    /// assert_eq!(chat.role, ChatRole::Dialog { user_id, is_stopped: false });
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn get(&self, chat_id: ChatId) -> Option<KnownChat> {
        self.0.state().entries.record(chat_id)?.chat()
    }

    /// Returns the number of chats in the book. The duration of the call is proportional to the number of chats.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.state().entries.len()
    }

    /// Returns `true` if the book contains no chats.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.state().entries.chats().next().is_none()
    }

    /// Removes a chat from the book, for example because the chat does not exist any more. Returns `false` if the chat
    /// was not in the book.
    ///
    /// A later update of the chat can add the chat again: see [What updates change](ChatBook#what-updates-change).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let book = tamtam::updates::ChatBook::new();
    /// # alice.starts();
    /// # book.observe(&bot.updates().try_next().await?.unwrap()).await?;
    /// for chat in book.chats() {
    ///     match bot.send(chat.chat_id, "News").await {
    ///         Err(error) if error.is_not_found() => {
    ///             book.forget(chat.chat_id).await?;
    ///         }
    ///         sent => println!("{:?}", sent?),
    ///     }
    /// }
    /// # assert_eq!(alice.reads().await.text(), "News");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error in the same cases as [`observe`](Self::observe).
    ///
    /// # Cancel safety
    ///
    /// The first poll of the future removes the chat from the book. If the future is dropped later, the book saves the
    /// change together with the next change.
    pub async fn forget(&self, chat_id: ChatId) -> Result<bool> {
        let was_known = self.0.forget(chat_id);
        if was_known {
            self.0.save().await?;
        }
        Ok(was_known)
    }
}

impl Book {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an update. Returns whether there is something to save.
    fn note(&self, update: &Update) -> bool {
        let mut state = self.state();
        let changed = state.entries.apply(update);
        let dropped = state.entries.sweep();
        self.add_unsaved(&mut state, changed.into_iter().chain(dropped))
    }

    fn forget(&self, chat_id: ChatId) -> bool {
        let mut state = self.state();
        let was_known = state.entries.forget(chat_id);
        if was_known {
            self.add_unsaved(&mut state, [chat_id]);
        }
        was_known
    }

    /// Returns whether there is something to save now.
    fn add_unsaved(&self, state: &mut State, changes: impl IntoIterator<Item = Change>) -> bool {
        if self.store.is_none() {
            return false;
        }
        let before = state.changes;
        for change in changes {
            state.changes += 1;
            state.unsaved.insert(change, state.changes);
        }
        // After a failure, the next update of any chat retries the save, but not each update of a burst.
        let is_due =
            !state.unsaved.is_empty() && state.failed_at.is_some_and(|failed_at| failed_at.elapsed() >= RETRY_PAUSE);
        state.changes != before || is_due
    }

    /// Saves all unsaved changes.
    async fn save(&self) -> Result<()> {
        let Some(store) = &self.store else { return Ok(()) };
        let save = async {
            let _saving = self.saving.lock().await;
            for (change, number) in self.unsaved() {
                let record = self.state().entries.record(change).cloned();
                store.save(change, record.as_ref()).await?;
                self.is_saved(change, number);
            }
            Ok::<(), BoxError>(())
        };
        let saved = in_time(save).await;
        self.state().failed_at = saved.is_err().then(Instant::now);
        saved.map_err(|error| Error::new(Reason::ChatBook { verb: "saved", error }))
    }

    /// Returns the unsaved changes, newest first: a change that a store always refuses must not block the others.
    fn unsaved(&self) -> Vec<(Change, u64)> {
        let mut unsaved: Vec<_> = self.state().unsaved.iter().map(|(change, number)| (*change, *number)).collect();
        unsaved.sort_unstable_by_key(|(_, number)| Reverse(*number));
        unsaved
    }

    fn is_saved(&self, change: Change, number: u64) {
        let mut state = self.state();
        if state.unsaved.get(&change) == Some(&number) {
            state.unsaved.remove(&change);
        }
    }
}

impl fmt::Debug for ChatBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatBook").field("chats", &self.len()).finish_non_exhaustive()
    }
}
