//! The record of an attempt to deliver an update to a webhook.

use std::fmt;
use std::sync::Arc;

/// An attempt to deliver an update to a webhook, with its result. It does not contain the `access_token`.
#[derive(Clone)]
#[non_exhaustive]
pub struct Delivery {
    pub(crate) url: String,
    pub(crate) update: Arc<str>,
    pub(crate) attempt: u32,
    pub(crate) outcome: Result<u16, String>,
}

impl Delivery {
    /// Returns the URL of the webhook, as it was subscribed.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns scheme, host and port of the webhook, for logs. The rest of the URL is a secret.
    pub fn origin(&self) -> String {
        reqwest::Url::parse(&self.url).map_or_else(|_| "not a URL".to_owned(), |url| url.origin().ascii_serialization())
    }

    /// Returns the body that was sent: one update, as JSON.
    pub fn update(&self) -> &str {
        &self.update
    }

    /// Returns how many times this update was sent to this webhook, including this attempt.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns the HTTP status of the webhook's answer, or `None` if there was no answer. Only 200 means that the
    /// webhook has taken the update.
    pub fn status(&self) -> Option<u16> {
        self.outcome.as_ref().ok().copied()
    }

    /// Returns the reason why there was no answer, or `None` if there was an answer.
    pub fn error(&self) -> Option<&str> {
        self.outcome.as_ref().err().map(String::as_str)
    }
}

/// Shows only the origin of the URL and the size of the update, because both are secret.
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
