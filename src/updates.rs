//! Updates: the stream by long polling, the engine that runs handlers, marker stores, the journal, the chat book and
//! health.

pub(crate) mod atomic_write;
pub(crate) mod chat_book;
mod delivery;
mod engine;
pub(crate) mod failure;
mod file_lock;
pub(crate) mod handler;
pub(crate) mod health;
#[cfg(feature = "journal")]
pub(crate) mod journal;
#[cfg(feature = "journal")]
pub(crate) mod journaled;
mod lane;
pub(crate) mod marker;
mod pages;
pub(crate) mod raw_update;
pub(crate) mod run;
pub(crate) mod shutdown;
mod source;
mod store_io;
pub(crate) mod stream;
pub(crate) mod subscriptions;

pub use self::{
    failure::{Cause, Decision, Failed, Recovery},
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
