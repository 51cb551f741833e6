//! Long polling, handlers, journals, stores for markers and chats, and monitoring.
//!
//! An [`Update`](crate::Update) is an event for a bot, such as a new message. [`Bot::run`](crate::Bot::run) polls the
//! server, and calls a handler (an async function) for each update.
//!
//! [`Run`] has the settings of handlers, and its page lists the guarantees. [`Updates`] has the settings of polling. This
//! example changes settings of [`Updates`] and [`Run`]:
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
//! use [`Bot::run_deliveries`](crate::Bot::run_deliveries).
//!
//! # Terms
//!
//! - **Page**: the updates in one response to a poll.
//! - **Marker**: a number that the server sends with a page. A poll with this number returns the updates after the page.
//! - **Commit**: the bot sends the marker of a handled page to the server. With a journal, the bot commits a page when the
//!   page is stored. The server does not deliver a committed page again.
//! - **Lane**: a group of updates that are handled in order, usually the updates of one chat. See [`Lane`].
//! - **Journal**: a queue in a file. The bot stores updates in the journal before it handles them.
//! - **Dead letter**: an update whose handler failed permanently. The update is kept for inspection.

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
