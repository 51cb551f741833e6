//! A webhook that stores updates in the queue.

use std::time::Duration;

use tamtam::{
    Bot,
    updates::{Cause, RawUpdate, Recovery},
    webhook::{Webhook, axum::Router},
};

use super::Writer;
use crate::error::{Error, ErrorKind};

/// How long storing a delivery may take. After that, it is answered with 503, and the service delivers it again.
const STORE_TIME: Duration = Duration::from_secs(10);

impl Writer {
    /// Returns an axum router that receives the deliveries to `webhook` and stores each update in the queue. A delivery
    /// is a request with which the messenger sends an update.
    ///
    /// | content of the delivery | status of the response |
    /// |---|---|
    /// | an update that is stored, or was stored before | 200 |
    /// | an update that is too large for NATS | 200; an ERROR is logged, and the update is not stored |
    /// | an update that cannot be stored within 10 s, for example because NATS does not respond or the queue is full | 503; the messenger repeats the delivery |
    /// | a body that is not an update | 503; the messenger repeats the delivery |
    ///
    /// The settings [`Webhook::on_error`] and [`Webhook::handler_timeout`] of `webhook` have no effect.
    ///
    #[doc = crate::doc_example!("
use tamtam::webhook::Webhook;

# let secret_path = \"/0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c\";
let app = queue.writer().router(Webhook::new(bot, secret_path)?);
# let _ = app;
")]
    ///
    /// # Cancel safety
    ///
    /// The router has the cancel safety of [`Webhook::router`].
    #[must_use = "a router does nothing until it is served"]
    pub fn router(self, webhook: Webhook) -> Router {
        let is_too_large = |error: &(dyn std::error::Error + 'static)| {
            error.downcast_ref::<Error>().is_some_and(|error| error.kind() == ErrorKind::TooLarge)
        };
        let webhook = webhook.handler_timeout(STORE_TIME).on_error(move |failed| match failed.cause() {
            Cause::NotAnUpdate(_) => Recovery::Retry,
            Cause::Error(error) if is_too_large(&**error) => {
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
