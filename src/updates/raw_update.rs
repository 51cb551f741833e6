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
    model::{
        raw,
        read::{read, read_raw},
    },
    redaction::hide_in_json,
    updates::{handler::Handed, health::Health, stream::Updates},
};

/// An update and its JSON exactly as the server sent it.
///
/// [`Update`] drops properties that are not in the models. `json` has them, so a queue that stores `json` loses
/// nothing, and a later version of the crate can read more of it. Serializing writes `json`; deserializing reads both.
///
/// Made by [`Updates::raw`](crate::updates::Updates::raw) and `webhook::Webhook::raw_router`.
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
    /// The JSON of the update. If the server sent text that is not strict JSON, it is a repaired copy.
    pub json: Box<RawValue>,
    /// The update.
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

/// Hides the values of properties such as `token`.
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

/// The updates of a bot by long polling, each with its JSON. Made by [`Updates::raw`](crate::updates::Updates::raw).
///
/// It is the same stream as [`Updates`](crate::updates::Updates), with the same guarantees.
#[must_use = "a stream does nothing until an update is requested"]
#[derive(Debug)]
pub struct RawUpdates(Updates);

impl Updates {
    /// Keeps the JSON of each update, for example to store it in a queue.
    ///
    /// Call it before the first update is requested. Updates that were fetched before are serialized again, without the
    /// properties that are not in the models.
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
    /// Returns the next update, as [`Updates::next`](crate::updates::Updates::next) does. All earlier updates must be handled.
    ///
    /// # Errors
    ///
    /// As [`Updates::next`](crate::updates::Updates::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<RawUpdate>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns the next update, or the error that ended the stream. All earlier updates must be handled.
    ///
    /// # Errors
    ///
    /// As [`Updates::next`](crate::updates::Updates::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn try_next(&mut self) -> Result<Option<RawUpdate>> {
        self.next().await.transpose()
    }

    /// Returns all fetched updates, or fetches the next page if there are no fetched updates. Returns `None` after a
    /// shutdown or an error. Each call commits the updates that were returned before.
    ///
    /// For queues that store a page at once. A page has at least one update. [`Updates::limit`] sets the maximum.
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
    /// As [`Updates::next`](crate::updates::Updates::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next_page(&mut self) -> Result<Option<Vec<RawUpdate>>> {
        let page = self.0.next_raw_page().await?;
        let raw = |(update, json)| RawUpdate::new(update, json);
        Ok(page.map(|page| page.updates.into_iter().map(raw).collect()))
    }

    /// Returns how the stream is doing.
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
