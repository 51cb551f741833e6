//! Attempts to deliver updates to webhooks.

use std::fmt;
use std::sync::Arc;

/// An update that was sent to a webhook, and what came of it. The `access_token` is nowhere in it.
#[derive(Clone)]
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

    /// Scheme, host and port of the webhook, for logs: the rest of the URL is a secret.
    pub fn origin(&self) -> String {
        reqwest::Url::parse(&self.url).map_or_else(|_| "not a URL".to_owned(), |url| url.origin().ascii_serialization())
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

/// The URL of a webhook and the update are secrets: shows the origin and a size.
impl fmt::Debug for Delivery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Delivery")
            .field("origin", &self.origin())
            .field("update_bytes", &self.update.len())
            .field("attempt", &self.attempt)
            .field("outcome", &self.outcome)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        for url in ["https://bot.example:8443/s3cret?key=s3cret#s3cret", "https://s3cret:s3cret@bot.example:8443/"] {
            let update = r#"{"text":"s3cret"}"#.into();
            let delivery = Delivery { url: url.to_owned(), update, attempt: 2, outcome: Err("refused".to_owned()) };
            let shown = format!("{delivery:?}");
            assert!(!shown.contains("s3cret"), "{shown}");
            assert!(shown.contains("bot.example:8443") && shown.contains("refused"), "{shown}");
        }
    }
}
