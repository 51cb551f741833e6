//! Attempts to deliver updates to webhooks.

use std::sync::Arc;

/// An update that was sent to a webhook, and what came of it. The `access_token` is nowhere in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Delivery {
    pub(crate) url: String,
    pub(crate) update: Arc<str>,
    pub(crate) attempt: u32,
    pub(crate) outcome: Result<u16, String>,
}

impl Delivery {
    /// The URL of the webhook, as it was subscribed.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The body that was sent: one update, as JSON.
    pub fn update(&self) -> &str {
        &self.update
    }

    /// How many times this update was sent to this webhook, this time included.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The HTTP status of the webhook's answer, of which only 200 says that it has taken the update; `None` if there
    /// was no answer.
    pub fn status(&self) -> Option<u16> {
        self.outcome.as_ref().ok().copied()
    }

    /// Why there was no answer; `None` if there was one.
    pub fn error(&self) -> Option<&str> {
        self.outcome.as_ref().err().map(String::as_str)
    }
}
