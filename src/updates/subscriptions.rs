//! Webhook subscriptions: list, add, remove, remove all.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    api::{
        GetSubscriptions, Subscribe, Unsubscribe,
        types::{SubscriptionRequestBody, UpdateType},
    },
    client::{
        bot::Bot,
        request,
        transport::{CallOptions, text},
    },
    error::{Error, Reason, Report, Result},
    json::{read, union::Object},
    redaction::origin,
};

/// Methods for webhooks. A webhook is a URL to which the service sends the updates of the bot. Keep the URL secret,
/// because anyone who has the URL can send forged updates to the bot.
impl Bot {
    /// Returns the subscribed webhooks.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// assert!(bot.subscriptions().await?.subscriptions.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscriptions(&self) -> GetSubscriptions {
        self.api().get_subscriptions()
    }

    /// Subscribes a webhook. The service then sends the updates of the bot to `url`. While a webhook is subscribed,
    /// polling ([`run`](Self::run), [`updates`](Self::updates)) receives no updates.
    ///
    /// - `url`: The URL of the webhook, with a path that cannot be guessed. Error messages do not contain the path.
    /// - `types`: The types of updates that the webhook receives. If `types` is empty, the webhook receives
    ///   updates of all types.
    ///
    /// On TamTam, the updates have the format of the API version that [`version`](Self::version) returns.
    ///
    /// On MAX, a webhook can have a secret, which MAX sends with each update. To set this secret, use
    /// `Webhook::subscribe` (feature `webhook`) instead of this method.
    ///
    /// If a webhook with another URL is already subscribed, each of the two webhooks receives the updates of its own
    /// types. To remove the earlier webhook, call [`unsubscribe_webhook`](Self::unsubscribe_webhook).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let secret = "7Qm2xV9sKd4TzB8fLw3JhN6yRc5GpA1e";
    /// use tamtam::UpdateType;
    ///
    /// let url = format!("https://bot.example/{secret}");
    /// let types = [UpdateType::BotStarted, UpdateType::MessageCreated];
    /// bot.subscribe_webhook(&url, types).await?;
    /// # assert_eq!(bot.subscriptions().await?.subscriptions[0].url, url);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Api::subscribe`](crate::api::Api::subscribe).
    pub fn subscribe_webhook(&self, url: impl Into<String>, types: impl Into<Vec<UpdateType>>) -> Subscribe {
        let mut subscription = SubscriptionRequestBody::new(url);
        if let Some(version) = self.version() {
            subscription = subscription.version(version);
        }
        let types = types.into();
        if !types.is_empty() {
            subscription = subscription.update_types(types);
        }
        self.api().subscribe(subscription)
    }

    /// Removes a webhook. `url`: the exact URL that was subscribed. If no webhook has this URL, the call fails
    /// ([`is_refused`](Error::is_refused)).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let url = "https://bot.example/7Qm2xV9sKd4TzB8fLw3JhN6yRc5GpA1e";
    /// # bot.subscribe_webhook(url, []).await?;
    /// bot.unsubscribe_webhook(url).await?;
    /// # assert!(bot.subscriptions().await?.subscriptions.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn unsubscribe_webhook(&self, url: impl Into<String>) -> Unsubscribe {
        self.api().unsubscribe(url)
    }

    /// Removes all webhooks, so that [polling](Self::updates) receives updates again. If a webhook cannot be removed,
    /// the other webhooks are still removed.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # bot.subscribe_webhook("https://bot.example/7Qm2xV9sKd4TzB8fLw3JhN6yRc5GpA1e", []).await?;
    /// bot.unsubscribe_all().await?;
    /// # assert!(bot.subscriptions().await?.subscriptions.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If [`subscriptions`](Self::subscriptions) returns an error.
    /// - If a webhook is still subscribed at the end. The error is the first error of
    ///   [`unsubscribe_webhook`](Self::unsubscribe_webhook) that is neither a [refusal](Error::is_refused) nor caused by
    ///   an unexpected response body. If there is no such error, the kind of the error is
    ///   [`WebhookSubscribed`](crate::ErrorKind::WebhookSubscribed).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the server may already have removed some of the webhooks.
    pub fn unsubscribe_all(&self) -> impl Future<Output = Result<()>> + Send + use<> {
        let bot = self.clone();
        async move {
            let options = CallOptions::default();
            let left = remove(&bot, urls(&bot, options.clone()).await?, options).await?;
            if left.is_empty() { Ok(()) } else { Err(in_the_way(&left).of("unsubscribe", Report::default())) }
        }
    }
}

/// Returns the URLs of the subscribed webhooks. Other properties of a webhook are ignored: any webhook blocks polling.
pub(crate) async fn urls(bot: &Bot, options: CallOptions) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Envelope {
        /// `null` is an empty list. A response without the property is an error.
        #[serde(deserialize_with = "Option::deserialize")]
        subscriptions: Option<Vec<Value>>,
    }
    let read = |body: Bytes| {
        let Object(Envelope { subscriptions }) = read::read(&text(&body))?;
        let urls = subscriptions.iter().flatten().map(|webhook| webhook["url"].as_str().unwrap_or_default().to_owned());
        Ok(urls.collect())
    };
    request::fetch(bot.api().get_subscriptions(), bot, options, read).await
}

/// Removes webhooks, and returns the webhooks that are left. Continues after an error. The first error is returned at
/// the end, unless no webhook is left.
pub(crate) async fn remove(bot: &Bot, subscribed: Vec<String>, options: CallOptions) -> Result<Vec<String>> {
    let mut first_error = None;
    for url in &subscribed {
        tracing::info!(origin = origin(url), "removing webhook");
        match request::send(bot.api().unsubscribe(url), bot.clone(), options.clone()).await {
            // After a refusal or a misfit, only the list shows whether the webhook is gone.
            Err(error) if !(error.is_refused() || error.is_misfit()) => {
                tracing::warn!(origin = origin(url), error = %error, "webhook not removed");
                first_error.get_or_insert(error);
            }
            _ => {}
        }
    }
    if subscribed.is_empty() {
        return Ok(subscribed);
    }
    let left = urls(bot, options).await;
    match first_error {
        Some(error) if !left.as_ref().is_ok_and(Vec::is_empty) => Err(error),
        _ => left,
    }
}

/// Returns the error for subscribed webhooks.
pub(crate) fn in_the_way(urls: &[String]) -> Error {
    Error::new(Reason::WebhookSubscribed(urls.iter().map(|url| origin(url)).collect()))
}
