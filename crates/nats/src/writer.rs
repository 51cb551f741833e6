//! A writer: stores updates from a webhook, or from a source of your own.

#[cfg(feature = "webhook")]
mod router;

use std::fmt;

use tamtam::updates::RawUpdate;

use crate::{error::Result, queue::Queue};

impl Queue {
    /// Returns a writer that stores updates from another source, such as a webhook.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer::new(self.clone())
    }
}

/// Stores updates in a queue; made by [`Queue::writer`]. Clones are the same writer.
#[derive(Clone)]
pub struct Writer {
    queue: Queue,
}

impl Writer {
    pub(crate) fn new(queue: Queue) -> Self {
        Self { queue }
    }

    /// Stores an update. Returns `false` if it was stored before, within the deduplication window.
    ///
    /// Updates of a lane are stored in the order of the calls. When the method returns `Ok`, a majority of the replicas
    /// has the update.
    ///
    #[doc = crate::doc_example!("
use tamtam::updates::RawUpdate;

let json = r#\"{\"update_type\":\"bot_started\",\"timestamp\":1,\"chat_id\":5,\"user\":{\"user_id\":7,\"name\":\"A\"}}\"#;
let raw: RawUpdate = serde_json::from_str(json)?;
assert!(queue.writer().store(&raw).await?);
assert!(!queue.writer().store(&raw).await?);
")]
    ///
    /// # Errors
    ///
    /// If NATS does not answer, the stream is full, or the update is too large. See [`Error::kind`](crate::Error::kind). If NATS does not
    /// answer, the update may be stored or not: call `store` again.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the update may be stored or not.
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
