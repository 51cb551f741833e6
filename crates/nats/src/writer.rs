//! A writer: stores updates from a webhook, or from a source of your own.

#[cfg(feature = "webhook")]
mod router;

use std::fmt;

use tamtam::updates::RawUpdate;

use crate::{error::Result, queue::Queue};

impl Queue {
    /// Creates a writer, which stores updates from a webhook or from another source in the queue.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(self.clone())
    }
}

/// A writer that stores updates in a queue. Returned by [`Queue::writer`]. Clones write to the same queue.
///
/// - For a webhook, use `Writer::router`. This method needs the feature `webhook`.
/// - For another source of updates, use [`store`](Self::store).
#[derive(Clone)]
pub struct Writer {
    queue: Queue,
}

impl Writer {
    pub(crate) fn new(queue: Queue) -> Self {
        Self { queue }
    }

    /// Stores an update in the queue. Returns `true` if the update is new. Returns `false` if the same update was
    /// already stored within the [deduplication window](crate::Open::dedup_window) (by default, the last hour).
    ///
    /// Within a process, updates of the same chat are stored in the order of the calls. When the result is `Ok`, a
    /// majority of the [replicas](crate::Open::replicas) has stored the update.
    ///
    #[doc = crate::doc_example!("
use tamtam::updates::RawUpdate;

let json = r#\"{\"update_type\":\"bot_started\",\"timestamp\":1,\"chat_id\":5,
    \"user\":{\"user_id\":7,\"name\":\"A\"}}\"#;
let raw: RawUpdate = serde_json::from_str(json)?;
assert!(queue.writer().store(&raw).await?);
assert!(!queue.writer().store(&raw).await?);
")]
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If NATS does not respond ([`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable)). The update may already
    ///   be stored. Call `store` again. Within the deduplication window, the update is not stored twice.
    /// - If NATS refuses the request ([`ErrorKind::Refused`](crate::ErrorKind::Refused)).
    /// - If the queue is full ([`ErrorKind::Full`](crate::ErrorKind::Full)).
    /// - If the update is larger than `max_payload` of the NATS server minus 8 KiB
    ///   ([`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge)).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the update may already be stored.
    pub async fn store(&self, update: &RawUpdate) -> Result<bool> {
        let stored = self.queue.store(update).await?;
        Ok(stored == crate::publish::Stored::New)
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("queue", &self.queue.name()).finish()
    }
}
