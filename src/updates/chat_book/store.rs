//! The trait of a store for a chat book.

use std::{error::Error as StdError, future::Future, pin::Pin, sync::Arc};

use super::record::ChatRecord;
use crate::{error::BoxError, id::ChatId};

/// A store for the [records](ChatRecord) of the chats in a [`ChatBook`](crate::updates::ChatBook), which is a list of
/// the chats that a bot is in. Passed to [`ChatBook::open`](crate::updates::ChatBook::open).
///
/// With a store, the records survive a restart. [`FileChats`](crate::updates::FileChats) stores the records in a file.
/// This example stores the records in a table of a database. The table has two columns, the id of the chat and the
/// record as JSON:
///
/// ```
/// use tamtam::{ChatId, updates::{ChatRecord, ChatStore}};
/// # struct Table;
/// # impl Table {
/// #     async fn select(&self) -> std::io::Result<Vec<String>> { Ok(Vec::new()) }
/// #     async fn upsert(&self, _: i64, _: String) -> std::io::Result<()> { Ok(()) }
/// #     async fn delete(&self, _: i64) -> std::io::Result<()> { Ok(()) }
/// # }
///
/// impl ChatStore for Table {
///     type Error = std::io::Error;
///
///     async fn load(&self) -> Result<Vec<ChatRecord>, Self::Error> {
///         let rows = self.select().await?;
///         rows.iter().map(|json| Ok(serde_json::from_str(json)?)).collect()
///     }
///
///     async fn save(
///         &self,
///         chat_id: ChatId,
///         record: Option<&ChatRecord>,
///     ) -> Result<(), Self::Error> {
///         match record {
///             Some(record) => {
///                 self.upsert(chat_id.0, serde_json::to_string(record)?).await
///             }
///             None => self.delete(chat_id.0).await,
///         }
///     }
/// }
/// ```
///
/// Use a separate table for each bot, or add a column with the id of the bot.
pub trait ChatStore: Send + Sync + 'static {
    /// The type of the store's errors.
    type Error: Into<Box<dyn StdError + Send + Sync>>;

    /// Returns all records, in any order. [`ChatBook::open`](crate::updates::ChatBook::open) calls this method once.
    ///
    /// # Errors
    ///
    /// Returns an error if the store cannot be read. `ChatBook::open` then returns an error
    /// ([`ErrorKind::ChatBook`](crate::ErrorKind::ChatBook)).
    fn load(&self) -> impl Future<Output = Result<Vec<ChatRecord>, Self::Error>> + Send;

    /// Stores `record` for the chat `chat_id`, and replaces an earlier record. If `record` is `None`, removes the
    /// record of the chat.
    ///
    /// The future should complete only after the change is durable, so that the change survives a restart. The book
    /// saves one change at a time.
    ///
    /// # Errors
    ///
    /// Returns an error if the change is not stored. The book retries the save later: see
    /// [`ChatBook::observe`](crate::updates::ChatBook::observe).
    ///
    /// The time limit for saving all unsaved changes is 5 s. When the time limit expires, the book drops the future of
    /// `save`. The change of this future counts as not stored.
    fn save(
        &self,
        chat_id: ChatId,
        record: Option<&ChatRecord>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<S: ChatStore> ChatStore for Arc<S> {
    type Error = S::Error;

    async fn load(&self) -> Result<Vec<ChatRecord>, Self::Error> {
        S::load(self).await
    }

    async fn save(&self, chat_id: ChatId, record: Option<&ChatRecord>) -> Result<(), Self::Error> {
        S::save(self, chat_id, record).await
    }
}

type Saving<'a> = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send + 'a>>;

/// A [`ChatStore`] of any type, after it was loaded.
pub(super) trait ErasedChats: Send + Sync {
    fn save<'a>(&'a self, chat_id: ChatId, record: Option<&'a ChatRecord>) -> Saving<'a>;
}

impl<S: ChatStore> ErasedChats for S {
    fn save<'a>(&'a self, chat_id: ChatId, record: Option<&'a ChatRecord>) -> Saving<'a> {
        Box::pin(async move { ChatStore::save(self, chat_id, record).await.map_err(Into::into) })
    }
}
