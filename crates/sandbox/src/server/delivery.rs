//! The record of an attempt to deliver an update to a webhook.

use std::fmt;
use std::sync::Arc;

/// An attempt to deliver an update to a webhook, with its result. [`Sandbox::on_delivery`](crate::Sandbox::on_delivery)
/// adds a hook that receives each delivery. A delivery does not contain the token of the bot.
///
/// A webhook is a URL to which the sandbox sends the updates of a bot.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use axum::{Router, routing::post};
/// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// # let url = format!("http://{}/a-secret-path", listener.local_addr()?);
/// # let webhook = Router::new().route("/a-secret-path", post(async || "OK"));
/// # tokio::spawn(axum::serve(listener, webhook).into_future());
/// use std::sync::mpsc;
/// use tamtam::types::SubscriptionRequestBody;
///
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// let (sender, deliveries) = mpsc::channel();
/// tamtam.on_delivery(move |delivery| drop(sender.send(delivery.clone())));
/// tamtam.bot().api().subscribe(SubscriptionRequestBody::new(url)).await?;
/// tamtam.user("Alice").starts();
/// tamtam.delivers().await;
/// let delivery = deliveries.recv()?;
/// assert!(delivery.update().contains("bot_started"));
/// assert_eq!((delivery.attempt(), delivery.status()), (1, Some(200)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Delivery {
    pub(crate) url: String,
    pub(crate) update: Arc<str>,
    pub(crate) attempt: u32,
    pub(crate) outcome: Result<u16, String>,
}

impl Delivery {
    /// Returns the URL that the bot passed to `Api::subscribe`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the scheme, host and port of the [`url`](Self::url), for logs. Do not log the whole URL, because the
    /// other parts of the URL can contain secrets.
    pub fn origin(&self) -> String {
        reqwest::Url::parse(&self.url).map_or_else(|_| "not a URL".to_owned(), |url| url.origin().ascii_serialization())
    }

    /// Returns the body of the request to the webhook: one update, as JSON.
    pub fn update(&self) -> &str {
        &self.update
    }

    /// Returns the number of this attempt. The attempts are counted from 1, separately for each update and each
    /// webhook.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Returns the HTTP status of the webhook's response, or `None` if there was no response. An attempt with the
    /// status 200 has succeeded. All other attempts have failed.
    pub fn status(&self) -> Option<u16> {
        self.outcome.as_ref().ok().copied()
    }

    /// Returns the reason why there was no response, such as `no answer in 5s`. `None` if there was a response.
    pub fn error(&self) -> Option<&str> {
        self.outcome.as_ref().err().map(String::as_str)
    }
}

/// Shows only the origin of the URL and the size of the update, because the rest of the URL and the update are private.
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
