//! Receives the updates of a bot by long polling, and passes them to a handler.
//!
//! An [`Update`](crate::Update) is an event for a bot, such as a new message. A handler is an async function that is
//! called for each update. [`Bot::run`](crate::Bot::run) polls the server and calls the handler, with default settings.
//!
//! [`Updates`], the stream of updates, has the settings of polling. [`Run`], the bot with its handler, has the settings
//! of the handler. The documentation of [`Run`] describes which updates are handled again after a crash. This
//! example changes settings of polling and of the handler:
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! # let max = tamtam_sandbox::Sandbox::max().await;
//! # let (bot, alice) = (max.bot(), max.user("Alice"));
//! # alice.starts();
//! # let shutdown = async move { alice.reads().await };
//! # let path = std::env::temp_dir().join(format!("tamtam-doc-{}.marker", std::process::id()));
//! use std::time::Duration;
//!
//! use tamtam::{Bot, Update, UpdateType, updates::FileStore};
//!
//! async fn greet(bot: Bot, update: Update) -> tamtam::Result<()> {
//!     match update {
//!         Update::BotStarted(started) => {
//!             bot.send(started.chat_id, "Hello!").await.map(drop)
//!         }
//!         _ => Ok(()),
//!     }
//! }
//!
//! bot.updates()
//!     .types([UpdateType::BotStarted])
//!     .marker_store(FileStore::new(&path))
//!     .run(greet)
//!     .handler_timeout(Duration::from_secs(30))
//!     .graceful_shutdown_on(shutdown)
//!     .await?;
//! # std::fs::remove_file(&path).unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! To write the loop over updates yourself, use [`Updates`] as a stream. To handle updates from your own message queue,
//! use [`Bot::run_deliveries`](crate::Bot::run_deliveries). To monitor a bot, use [`Health`].
//!
//! # Terms
//!
//! - **Poll**: a request for new updates. The server responds when there are updates, or after a timeout.
//! - **Page**: the updates in one response to a poll.
//! - **Marker**: a number that the server sends with a page. A poll with the marker returns the updates after the page.
//! - **Journal**: a queue of updates in a file. The bot stores updates in the journal before it handles them.
//! - **Commit**: a poll with the marker of a page. After the commit, the server does not deliver the page again.
//!   Without a journal, the bot commits a page when all updates of the page are handled. With a journal, the bot
//!   commits a page when the page is stored.
//! - **Lane**: a group of updates that are handled in order, usually the updates of one chat. See [`Lane`].
//! - **Chat book**: a list of the chats that the bot is in. See [`ChatBook`].
//! - **Dead letter**: an update that a journal or your own queue keeps for inspection, because the handler of the
//!   update failed permanently.

pub(crate) mod atomic_write;
pub(crate) mod chat_book;
mod delivery;
mod engine;
pub(crate) mod failed;
mod file_lock;
pub(crate) mod handler;
pub(crate) mod health;
#[cfg(feature = "journal")]
pub(crate) mod journal;
#[cfg(feature = "journal")]
pub(crate) mod journaled;
mod lane;
pub(crate) mod marker;
mod page_source;
pub(crate) mod raw_update;
pub(crate) mod run;
pub(crate) mod shutdown;
mod source;
mod store_io;
pub(crate) mod stream;
pub(crate) mod subscriptions;

pub use self::{
    failed::{Cause, Decision, Failed, Recovery},
    handler::with_state,
    health::Health,
    marker::{FileStore, FileStoreError, MarkerKey, MarkerStore, MemoryStore},
    raw_update::{RawUpdate, RawUpdates},
    run::Run,
    stream::{StartFrom, Updates},
};
pub use crate::client::pace::PaceHealth;
pub use chat_book::{ChatBook, ChatRecord, ChatRole, ChatStore, FileChats, FileChatsError, KnownChat};
pub use delivery::{Delivery, Settled};
#[cfg(feature = "journal")]
pub use journal::{DeadLetter, Durability, Journal, JournalBuilder, JournalHealth};
#[cfg(feature = "journal")]
pub use journaled::JournaledUpdates;
pub use lane::Lane;
