//! The marker store: keeps a position in the updates of the bot.

use std::{
    collections::HashMap,
    error::Error as StdError,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use reqwest::Url;

use crate::{
    error::BoxError,
    id::UserId,
    redaction::{fnv_1a, origin},
};

/// The key of a marker in a [`MarkerStore`]: the id of the bot, and the base URL of the API.
///
/// A marker is a number that identifies a position in the updates of the bot.
///
/// `Display` writes a key as `bot 7 at https://botapi.tamtam.chat`. The path of a base URL can be secret. So if the URL
/// has a path, `Display` writes a hash instead of the path. The hash distinguishes keys with different paths.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MarkerKey {
    base_url: String,
    bot_id: UserId,
}

impl MarkerKey {
    pub(crate) fn new(base_url: &str, bot_id: UserId) -> Self {
        Self { base_url: base_url.to_owned(), bot_id }
    }

    /// Returns the base URL of the API, including the path. The path can be secret.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the id of the bot.
    #[must_use]
    pub fn bot_id(&self) -> UserId {
        self.bot_id
    }
}

impl fmt::Display for MarkerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bot {} at ", self.bot_id)?;
        match Url::parse(&self.base_url) {
            Ok(url) if url.path().len() > 1 => {
                write!(f, "{}/{:016x}", origin(&self.base_url), fnv_1a(url.path().as_bytes()))
            }
            _ => f.write_str(&self.base_url),
        }
    }
}

impl fmt::Debug for MarkerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MarkerKey({self})")
    }
}

/// A store for the markers of one or more bots. Passed to
/// [`Updates::marker_store`](crate::updates::Updates::marker_store).
///
/// A marker is a number that identifies a position in the updates of the bot. A page is the list of updates in one
/// response to a poll (a request for updates). When all updates of a page are handled, the stream of updates saves the
/// marker of the page. Then the stream commits the page: it sends the marker to the server, and the server does not
/// deliver the page again. If the bot is killed between the save and the commit, the bot does not receive the page
/// again at the next start.
///
/// The crate contains two stores, [`FileStore`](crate::updates::FileStore) and [`MemoryStore`]. This example implements
/// a store in a database:
///
/// ```
/// use tamtam::updates::{MarkerKey, MarkerStore};
/// # struct Database;
/// # impl Database {
/// #     async fn get(&self, _: String) -> std::io::Result<Option<i64>> { Ok(None) }
/// #     async fn put(&self, _: String, _: i64) -> std::io::Result<()> { Ok(()) }
/// # }
///
/// impl MarkerStore for Database {
///     type Error = std::io::Error;
///
///     async fn load(&self, key: &MarkerKey) -> Result<Option<i64>, Self::Error> {
///         self.get(key.to_string()).await
///     }
///
///     async fn save(&self, key: &MarkerKey, marker: i64) -> Result<(), Self::Error> {
///         self.put(key.to_string(), marker).await
///     }
/// }
/// ```
pub trait MarkerStore: Send + Sync + 'static {
    /// The type of the store's errors.
    type Error: Into<Box<dyn StdError + Send + Sync>>;

    /// Returns the last marker that was saved for `key`, or `None` if no marker was saved. The stream calls `load`
    /// before its first poll.
    ///
    /// - `key`: Bot and server to which the marker belongs.
    ///
    /// # Errors
    ///
    /// Return an error if the store cannot be read. The stream then ends with an error of the kind
    /// [`ErrorKind::MarkerStore`](crate::ErrorKind::MarkerStore).
    ///
    /// If `load` takes longer than 5 s, the stream drops the future, and the call counts as failed.
    fn load(&self, key: &MarkerKey) -> impl Future<Output = Result<Option<i64>, Self::Error>> + Send;

    /// Saves the marker for `key`, and replaces the earlier marker. When the future has completed, the marker should
    /// survive the end of the process.
    ///
    /// - `key`: Bot and server to which the marker belongs.
    /// - `marker`: Marker of the last handled page.
    ///
    /// # Errors
    ///
    /// Return an error if the marker cannot be saved. The stream then logs and
    /// [counts](crate::updates::Health::failed_saves) the failure, and continues to poll.
    ///
    /// If `save` takes longer than 5 s, the stream drops the future, and the call counts as failed.
    fn save(&self, key: &MarkerKey, marker: i64) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<S: MarkerStore> MarkerStore for Arc<S> {
    type Error = S::Error;

    async fn load(&self, key: &MarkerKey) -> Result<Option<i64>, Self::Error> {
        S::load(self, key).await
    }

    async fn save(&self, key: &MarkerKey, marker: i64) -> Result<(), Self::Error> {
        S::save(self, key, marker).await
    }
}

type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// A [`MarkerStore`] of any type.
pub(crate) trait ErasedStore: Send + Sync {
    fn load<'a>(&'a self, key: &'a MarkerKey) -> StoreFuture<'a, Option<i64>>;
    fn save<'a>(&'a self, key: &'a MarkerKey, marker: i64) -> StoreFuture<'a, ()>;
}

impl<S: MarkerStore> ErasedStore for S {
    fn load<'a>(&'a self, key: &'a MarkerKey) -> StoreFuture<'a, Option<i64>> {
        Box::pin(async move { MarkerStore::load(self, key).await.map_err(Into::into) })
    }

    fn save<'a>(&'a self, key: &'a MarkerKey, marker: i64) -> StoreFuture<'a, ()> {
        Box::pin(async move { MarkerStore::save(self, key, marker).await.map_err(Into::into) })
    }
}

/// A [`MarkerStore`] in memory. Clones share the markers. The markers are lost when the process ends.
///
/// A marker is a number that identifies a position in the updates of the bot.
///
/// Use this store in tests. Within one process, a new stream can also continue where the previous stream ended.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    markers: Arc<Mutex<HashMap<MarkerKey, i64>>>,
}

impl MemoryStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl MarkerStore for MemoryStore {
    type Error = std::convert::Infallible;

    async fn load(&self, key: &MarkerKey) -> Result<Option<i64>, Self::Error> {
        Ok(self.markers.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied())
    }

    async fn save(&self, key: &MarkerKey, marker: i64) -> Result<(), Self::Error> {
        self.markers.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), marker);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_does_not_show_the_path_of_the_base_url() {
        let key = |url: &str| MarkerKey::new(url, UserId(7)).to_string();
        assert_eq!(key("https://botapi.tamtam.chat"), "bot 7 at https://botapi.tamtam.chat");
        assert_eq!(key("http://127.0.0.1:8080"), "bot 7 at http://127.0.0.1:8080");
        // FNV-1a of "/s3cr3t", computed by another implementation.
        assert_eq!(key("https://gateway.example/s3cr3t"), "bot 7 at https://gateway.example/68e7c64f8ba0fc5a");
        assert_ne!(key("https://gateway.example/s3cr3t"), key("https://gateway.example/other"));
        assert!(!format!("{:?}", MarkerKey::new("https://gateway.example/s3cr3t", UserId(7))).contains("s3cr3t"));
    }
}
