//! Updates together with their JSON, for queues.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::{
    api::types::Update,
    error::Result,
    json::{
        raw,
        read::{read, read_raw},
    },
    redaction::hide_in_json,
    updates::{handler::Handed, health::Health, stream::Updates},
};

/// An update and the JSON of the update. Returned by [`RawUpdates::next`], and passed to the handler of
/// `Webhook::raw_router`.
///
/// An [`Update`] lacks the properties that this version of the crate does not support. The field `json` contains all
/// properties (for an exception, see the field). So a queue that stores `json` loses nothing, and a later version of
/// the crate can read more properties.
///
/// Serializing a `RawUpdate` writes `json`. Deserializing JSON sets both fields.
///
/// ```
/// use tamtam::updates::RawUpdate;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let json = r#"{"update_type":"bot_started","timestamp":1,"chat_id":2,
///     "user":{"user_id":3,"name":"A"},"new":[1.0]}"#;
/// let raw: RawUpdate = serde_json::from_str(json)?;
/// assert_eq!(raw.update.chat_id(), Some(2.into()));
/// assert_eq!(serde_json::to_string(&raw)?, json);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct RawUpdate {
    /// The JSON of the update: the exact text from the server, or a repaired copy if this text is not strict JSON.
    ///
    /// Exception: if the update was fetched before you called [`Updates::raw`](crate::updates::Updates::raw), `json`
    /// contains only the properties in `update`.
    pub json: Box<RawValue>,
    /// The update, read from the JSON.
    pub update: Update,
}

impl RawUpdate {
    /// Makes a raw update. Without kept JSON, the update is serialized.
    pub(crate) fn new(update: Update, kept: Option<Box<RawValue>>) -> Self {
        let json = kept.or_else(|| to_raw_value(&update).ok()).unwrap_or_else(|| RawValue::NULL.to_owned());
        Self { json, update }
    }
}

impl Handed for RawUpdate {
    fn read(json: &str) -> serde_json::Result<Self> {
        Ok(Self { update: read(json)?, json: read_raw(json)? })
    }

    fn update(&self) -> &Update {
        &self.update
    }
}

/// Hides the values of secret properties, such as `token`.
impl fmt::Debug for RawUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawUpdate").field("json", &hide_in_json(self.json.get())).field("update", &self.update).finish()
    }
}

/// Two raw updates are equal if their JSON has the same bytes.
impl PartialEq for RawUpdate {
    fn eq(&self, other: &Self) -> bool {
        self.json.get() == other.json.get()
    }
}

impl Serialize for RawUpdate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RawUpdate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = raw(deserializer)?;
        Self::read(&json).map_err(serde::de::Error::custom)
    }
}

/// A stream that receives the updates of a bot by long polling, and returns each update with its JSON. Created by
/// [`Updates::raw`](crate::updates::Updates::raw).
///
/// The stream has the same guarantees as [`Updates`](crate::updates::Updates). A call of [`next`](Self::next) can
/// commit the earlier updates. The server does not deliver committed updates again.
#[must_use = "a stream does nothing until an update is requested"]
#[derive(Debug)]
pub struct RawUpdates(Updates);

impl Updates {
    /// Returns a stream of updates with their JSON. You can store the JSON in a queue, for example.
    ///
    /// Call `raw` before you request the first update. If you call `raw` later, the JSON of already fetched updates
    /// lacks the properties that this version of the crate does not support.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # tamtam.user("Alice").says("hi");
    /// let mut updates = bot.updates().raw();
    /// while let Some(raw) = updates.try_next().await? {
    ///     println!("{:?}: {}", raw.update.chat_id(), raw.json);
    /// #   break;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn raw(self) -> RawUpdates {
        RawUpdates(self.keep_json())
    }
}

impl RawUpdates {
    /// Returns the next update. Call `next` only when all earlier updates are handled, because the call can commit
    /// them. Returns `None` after an error and after a shutdown.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Updates::next`](crate::updates::Updates::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no update.
    pub async fn next(&mut self) -> Option<Result<RawUpdate>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns the next update, or the error that ended the stream. Call `try_next` only when all earlier updates are
    /// handled, because the call can commit them. Returns `None` after an error and after a shutdown.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Updates::next`](crate::updates::Updates::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no update.
    pub async fn try_next(&mut self) -> Result<Option<RawUpdate>> {
        self.next().await.transpose()
    }

    /// Returns the updates of the next page. A page is the list of updates in one response to a poll (a request for
    /// updates). If `next` has already returned some updates of a page, `next_page` returns the remaining updates of
    /// this page. Returns `None` after an error and after a shutdown.
    ///
    /// Call `next_page` only when all earlier updates are handled, because the call can commit them. Use this method to
    /// store all updates of a page in one step, for example in one database transaction. The returned `Vec` contains at
    /// least one update. [`Updates::limit`] sets the maximum number of updates per page.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # tamtam.user("Alice").says("hi");
    /// let mut updates = bot.updates().raw();
    /// while let Some(page) = updates.next_page().await? {
    ///     for raw in &page {
    ///         println!("{}", raw.json);
    ///     }
    /// #   break;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Updates::next`](crate::updates::Updates::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no update.
    pub async fn next_page(&mut self) -> Result<Option<Vec<RawUpdate>>> {
        let page = self.0.next_raw_page().await?;
        let raw = |(update, json)| RawUpdate::new(update, json);
        Ok(page.map(|page| page.updates.into_iter().map(raw).collect()))
    }

    /// Returns a handle for monitoring the stream.
    #[must_use]
    pub fn health(&self) -> Health {
        self.0.health()
    }
}

impl Stream for RawUpdates {
    type Item = Result<RawUpdate>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.0).poll_next(context));
        Poll::Ready(next.map(|update| Ok(RawUpdate::new(update?, self.0.take_json()))))
    }
}
