//! Performs the effects of the update stream: calls, waits, and reads and writes of the marker store.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use serde::Deserialize;

use super::{
    page::Page,
    settings::Settings,
    state::{ASKED_AGAIN, Effect, Input},
};
use crate::{
    api::{GetUpdates, types::UpdateType},
    client::{
        bot::Bot,
        clock::millis,
        request,
        transport::{CallOptions, text},
    },
    error::{Error, ErrorCode, Reason, Result},
    id::UserId,
    json::{read, union::Object},
    redaction::printable,
    updates::{
        health::Health,
        marker::{ErasedStore, MarkerKey},
        store_io::in_time,
        subscriptions,
    },
};

/// Time limit of the last commit: the end of the stream waits for it.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);
/// Performs effects.
#[derive(Clone)]
pub(super) struct Performer {
    pub(super) bot: Bot,
    pub(super) settings: Settings,
    pub(super) store: Option<Arc<KeyedStore>>,
    pub(super) health: Health,
}

/// A marker store and the key of the bot in it. The key is set after the bot's id was requested.
pub(super) struct KeyedStore {
    pub(super) markers: Box<dyn ErasedStore>,
    pub(super) key: OnceLock<MarkerKey>,
}

impl Performer {
    /// Performs an effect, and returns its result.
    pub(super) async fn perform(self, effect: Effect) -> Input {
        let bot = self.bot.clone();
        let clock = &bot.transport().clock;
        let done = match effect {
            Effect::Load => self.load().await.map(Input::Loaded),
            Effect::ClearWebhooks { failures } => self.clear_webhooks(failures).await.map(|()| Input::Cleared),
            Effect::Poll { marker, limit } => self.poll(marker, limit).await,
            Effect::Skip { marker, limit } => self.skip(marker, limit).await,
            Effect::Save { marker } => Ok(Input::Saved { ok: self.save(marker).await }),
            Effect::Commit { marker } => Ok(self.commit(marker).await),
            Effect::Wait(delay) => {
                clock.sleep(delay).await;
                Ok(Input::Waited)
            }
            Effect::Retry { error, delay } => {
                let (operation, status) = (error.operation(), error.status().map(|status| status.as_u16()));
                let code = error.code().map(ErrorCode::as_str);
                tracing::warn!(operation, status, code, error = error.reason(), delay_ms = millis(delay), "retrying");
                bot.transport().wait_to_retry(&error, delay).await;
                Ok(Input::Waited)
            }
            Effect::Stuck { delay } => {
                tracing::warn!(delay_ms = millis(delay), "updates without a new marker");
                clock.sleep(delay).await;
                Ok(Input::Waited)
            }
            Effect::Yield(_) | Effect::Fail(_) | Effect::End | Effect::Continue => {
                unreachable!("the stream handles this effect itself")
            }
        };
        done.unwrap_or_else(|error| Input::Failed { error, chance: clock.chance() })
    }

    async fn poll(self, marker: Option<i64>, limit: Option<i64>) -> Result<Input> {
        let Settings { hold_seconds, types, keep_json, .. } = self.settings;
        let clock = Arc::clone(&self.bot.transport().clock);
        let began = clock.now();
        let poll = Poll { marker, limit, hold_seconds, types, keep_json };
        let page = get(&self.bot, poll, CallOptions::default()).await?;
        self.health.count_misfits(page.misfits);
        let now = clock.now();
        self.health.polled(now);
        Ok(Input::Page { page, took: now.duration_since(began) })
    }

    async fn skip(self, marker: Option<i64>, limit: i64) -> Result<Input> {
        let clock = Arc::clone(&self.bot.transport().clock);
        let began = clock.now();
        let poll = Poll { marker, limit: Some(limit), hold_seconds: Some(0), types: Vec::new(), keep_json: false };
        let page = get(&self.bot, poll, CallOptions::default()).await?;
        tracing::info!(updates = page.updates.len(), "backlog skipped");
        self.health.count_misfits(page.misfits);
        let now = clock.now();
        self.health.polled(now);
        Ok(Input::Page { page, took: now.duration_since(began) })
    }

    async fn commit(self, marker: i64) -> Input {
        // The commit would wait for the pause, and the end of the stream for the commit.
        if self.bot.transport().gate.health().pause.is_some_and(|pause| pause > COMMIT_TIMEOUT) {
            tracing::warn!(error = "the bot pauses after a 429", "commit failed");
            return Input::Committed;
        }
        let poll =
            Poll { marker: Some(marker), limit: Some(1), hold_seconds: Some(0), types: Vec::new(), keep_json: false };
        let options = CallOptions { timeout: Some(COMMIT_TIMEOUT), ..CallOptions::default() };
        // The updates of this page are ignored, and delivered again at the next start.
        let page = get(&self.bot, poll, options).await;
        if let Err(error) = page {
            tracing::warn!(error = error.reason(), "commit failed");
        }
        Input::Committed
    }

    async fn load(self) -> Result<Option<i64>> {
        let Some(store) = &self.store else { return Ok(None) };
        let key = match store.key.get() {
            Some(key) => key,
            None => {
                let key = MarkerKey::new(self.bot.base_url_text(), own_id(&self.bot).await?);
                store.key.get_or_init(|| key)
            }
        };
        in_time(store.markers.load(key)).await.map_err(|error| {
            tracing::error!(error = printable(&error.to_string()).as_ref(), "marker load failed");
            let error = match error.downcast::<Error>() {
                // An error of the journal is not an error of a marker store.
                #[cfg(feature = "journal")]
                Ok(error) if error.kind() == crate::error::ErrorKind::Journal => return *error,
                Ok(error) => error,
                Err(error) => error,
            };
            Error::new(Reason::MarkerStore(error))
        })
    }

    /// Saves the marker. Returns whether it was saved.
    async fn save(self, marker: i64) -> bool {
        let Some((store, key)) = self.store.as_deref().and_then(|store| Some((store, store.key.get()?))) else {
            return false;
        };
        let saved = in_time(store.markers.save(key, marker)).await;
        if let Err(error) = &saved {
            tracing::error!(marker, error = printable(&error.to_string()).as_ref(), "marker save failed");
        }
        self.health.saved(saved.is_ok());
        saved.is_ok()
    }

    async fn clear_webhooks(self, failures: u32) -> Result<()> {
        // The stream retries failed calls itself.
        let options = CallOptions { no_retry: true, ..CallOptions::default() };
        let subscribed = match subscriptions::urls(&self.bot, options.clone()).await {
            Err(error) if error.knows_no_such_operation() && (error.code().is_some() || failures >= ASKED_AGAIN) => {
                tracing::warn!(error = error.reason(), "webhook check failed");
                return Ok(());
            }
            urls => urls?,
        };
        let left = if self.settings.remove_webhooks {
            subscriptions::remove(&self.bot, subscribed, options).await?
        } else {
            subscribed
        };
        if left.is_empty() {
            // Counts as a poll for health: the server may hold the first poll for long.
            self.health.polled(self.bot.transport().clock.now());
            return Ok(());
        }
        Err(subscriptions::in_the_way(&left))
    }
}

/// Requests the bot's own id. The other fields of the response are ignored.
pub(crate) async fn own_id(bot: &Bot) -> Result<UserId> {
    #[derive(Deserialize)]
    struct Me {
        user_id: UserId,
    }
    // The stream retries failed calls itself.
    let options = CallOptions { no_retry: true, ..CallOptions::default() };
    let read = |body: Bytes| {
        let Object(Me { user_id }) = read::read(&text(&body))?;
        Ok(user_id)
    };
    request::fetch(bot.me(), bot, options, read).await
}

/// The parameters of a poll.
struct Poll {
    marker: Option<i64>,
    limit: Option<i64>,
    hold_seconds: Option<i64>,
    types: Vec<UpdateType>,
    keep_json: bool,
}

impl Poll {
    fn request(self, bot: &Bot) -> GetUpdates {
        let mut request = bot.api().get_updates();
        if let Some(limit) = self.limit {
            request = request.limit(limit);
        }
        if let Some(seconds) = self.hold_seconds {
            request = request.timeout(seconds);
        }
        if let Some(marker) = self.marker {
            request = request.marker(marker);
        }
        if !self.types.is_empty() {
            request = request.types(self.types);
        }
        request
    }
}

/// Fails if no poll with these settings can succeed.
pub(super) fn check(bot: &Bot, settings: &Settings) -> Result<()> {
    let Settings { limit, hold_seconds, types, .. } = settings.clone();
    request::check(&Poll { marker: None, limit, hold_seconds, types, keep_json: false }.request(bot))
}

async fn get(bot: &Bot, poll: Poll, options: CallOptions) -> Result<Page> {
    // The stream retries failed polls itself.
    let options = CallOptions { no_retry: true, ..options };
    let keep_json = poll.keep_json;
    let read = |body: Bytes| Ok(Page::read(&text(&body), keep_json)?);
    request::fetch(poll.request(bot), bot, options, read).await
}
