//! A writer: stores updates that come by a webhook, or from a source of your own.

use std::{fmt, time::Duration};

use tamtam::RawUpdate;
#[cfg(feature = "webhook")]
use tamtam::{
    Bot, Recovery,
    webhook::{Webhook, axum::Router},
};

use crate::{
    error::{Error, Result},
    queue::Queue,
};

/// How long a delivery waits until it is stored. After that it is answered with 503, and comes again.
const STORE_TIME: Duration = Duration::from_secs(10);

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
    #[doc = crate::example!("
use tamtam::RawUpdate;

let json = r#\"{\"update_type\":\"bot_started\",\"timestamp\":1,\"chat_id\":5,\"user\":{\"user_id\":7,\"name\":\"A\"}}\"#;
let raw: RawUpdate = serde_json::from_str(json)?;
assert!(queue.writer().store(&raw).await?);
assert!(!queue.writer().store(&raw).await?);
")]
    ///
    /// # Errors
    ///
    /// If NATS does not answer, the stream is full, or the update is too large. See [`Error::kind`]. If NATS does not
    /// answer, the update may be stored or not: call `store` again.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the update may be stored or not.
    pub async fn store(&self, update: &RawUpdate) -> Result<bool> {
        let stored = self.queue.0.publisher.store(&self.queue, update).await?;
        Ok(stored == crate::publish::Stored::New)
    }

    /// Returns the webhook as a router that stores each update. A delivery is answered with 200 when its update is stored.
    /// It is answered with 503 while NATS does not answer or the stream is full, and the service delivers it again.
    ///
    /// An update that is too large for NATS is logged as an ERROR and skipped. A body that is not an update is
    /// answered with 503. The router replaces the [`Webhook::on_error`] and [`Webhook::handler_timeout`] of `webhook`.
    ///
    #[doc = crate::example!("
use tamtam::webhook::Webhook;

# let secret_path = \"/0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c\";
let app = queue.writer().router(Webhook::new(bot, secret_path)?);
# let _ = app;
")]
    ///
    /// # Cancel safety
    ///
    /// As [`Webhook::router`].
    #[cfg(feature = "webhook")]
    #[must_use = "a router does nothing until it is served"]
    pub fn router(self, webhook: Webhook) -> Router {
        use crate::error::ErrorKind;

        let is_too_large = |error: &(dyn std::error::Error + 'static)| {
            error.downcast_ref::<Error>().is_some_and(|error| error.kind() == ErrorKind::TooLarge)
        };
        let webhook = webhook.handler_timeout(STORE_TIME).on_error(move |failed| match failed.cause() {
            tamtam::Cause::NotAnUpdate(_) => Recovery::Retry,
            tamtam::Cause::Error(error) if is_too_large(&**error) => {
                tracing::error!(error = %error, "update skipped");
                Recovery::Skip
            }
            _ => Recovery::Retry,
        });
        webhook.raw_router(move |_: Bot, raw: RawUpdate| {
            let writer = self.clone();
            async move { writer.store(&raw).await }
        })
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("queue", &self.queue.name()).finish()
    }
}
