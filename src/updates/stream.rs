//! The update stream: long polling that delivers each update at least once.

pub(crate) mod page;
mod perform;
mod settings;
mod state;

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use serde_json::value::RawValue;
use tracing::{Instrument as _, Span};

use crate::{
    api::types::{Update, UpdateType},
    client::{
        bot::Bot,
        retry::Backoff,
        sync_future::{SyncFuture, sync_future},
    },
    error::Result,
    updates::{
        health::{Health, InProgress, Progress},
        marker::MarkerStore,
    },
};
#[cfg(feature = "journal")]
pub(crate) use perform::own_id;
use perform::{KeyedStore, Performer};
use settings::Settings;
pub(crate) use state::BACKOFF;
pub use state::StartFrom;
use state::{Effect, Input, StreamState};

/// A stream of the updates of a bot, received by long polling. Created by [`Bot::updates`].
///
/// The stream returns the updates in the order of their arrival. Each update is returned at least once, unless MAX
/// skips the update when the stream starts (see [Commits](#commits)). An update that has an unknown type or cannot be
/// parsed is returned as [`Update::Unknown`].
///
/// Change the settings before the first call of `next`. After this call, some settings have no effect.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # tamtam.user("Alice").says("hi");
/// let mut updates = bot.updates();
/// while let Some(update) = updates.try_next().await? {
///     println!("{update:?}");
/// #   break;
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Commits
///
/// **Call [`next`](Self::next) only when all earlier updates are handled.** The call can commit the earlier updates.
/// The server does not deliver a committed update again. When a new stream starts, the server delivers the uncommitted
/// updates again.
///
/// The stream commits whole pages. A page is the list of updates in one response to a poll (a request for updates).
/// The server sends each page with a marker. A marker is a number: a poll with this number returns the updates after
/// the page. When `next` has returned the last update of a page, the following call of `next` commits the page. To
/// commit a page, the stream sends the marker of the page to the server.
///
/// According to users of MAX, the server can skip updates if a poll has no marker. By default, the first poll of a
/// stream has no marker. If a [`marker_store`](Self::marker_store) contains a marker, the first poll has this marker,
/// unless [`start_from`](Self::start_from) ignores the store.
///
/// Do not use stream adapters that request updates in advance, such as `buffered`, `peekable` or `for_each_concurrent`.
/// With such an adapter, the stream can commit updates before they are handled. To handle updates concurrently, use
/// [`run`](Self::run).
///
/// # Errors
///
/// After a temporary failure, such as a broken connection or an error response of a proxy, the stream polls again.
/// The number of retries has no limit. For the delays, see [`backoff`](Self::backoff). Retries are logged and reported
/// to [`BotBuilder::on_retry`](crate::BotBuilder::on_retry).
///
/// After a permanent failure (see [`next`](Self::next)), the stream returns the error and ends.
///
/// If you use `?` on other calls in the loop, such as `bot.send(..).await?`, an error of these calls also ends the
/// loop. At the next start, the server delivers the uncommitted updates again.
///
/// # One stream per bot
///
/// Use only one stream per bot at a time. If two streams poll with the same token, each stream receives only some of
/// the updates.
///
/// A webhook is a URL to which the server sends the updates of the bot. While a webhook is subscribed, polling receives
/// no updates. By default, the stream ends with an error if a webhook is subscribed: see
/// [`remove_webhooks`](Self::remove_webhooks).
#[must_use = "a stream does nothing until an update is requested"]
pub struct Updates {
    bot: Bot,
    settings: Settings,
    store: Option<Arc<KeyedStore>>,
    health: Health,
    /// Counts the update that the consumer has as in progress.
    handed_out: Option<InProgress<Arc<Progress>>>,
    /// How many updates were returned.
    yielded: u64,
    /// `None` until the first update is requested. The settings that it copies are fixed then.
    state: Option<StreamState>,
    /// The effect in progress.
    effect: Option<SyncFuture<Input>>,
    shutdown: Option<SyncFuture<()>>,
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates")
            .field("bot", &self.bot)
            .field("settings", &self.settings)
            .field("marker", &self.state.as_ref().and_then(StreamState::marker))
            .field("waiting", &self.state.as_ref().is_some_and(StreamState::is_waiting))
            .field("polling", &self.effect.is_some())
            .finish()
    }
}

/// A page with its JSON.
pub(crate) struct RawPage {
    /// Each update with its JSON, if it is kept.
    pub(crate) updates: Vec<(Update, Option<Box<RawValue>>)>,
    /// The marker that commits the page.
    #[cfg(feature = "journal")]
    pub(crate) marker: Option<i64>,
}

/// Returns the span of polling. Its level is ERROR, so that it is enabled whenever any of its events is.
pub(crate) fn poll_span(bot: &Bot) -> Span {
    tracing::error_span!("tamtam.poll", bot = bot.log_name(), host = bot.host())
}

impl Drop for Updates {
    fn drop(&mut self) {
        if self.yielded == 1 && self.handed_out.is_some() {
            self.bot.stream_ends_early();
        }
    }
}

impl Updates {
    pub(crate) fn new(bot: Bot) -> Self {
        let health = Health::new(&bot);
        Self {
            bot,
            settings: Settings::default(),
            store: None,
            health,
            handed_out: None,
            yielded: 0,
            state: None,
            effect: None,
            shutdown: None,
        }
    }

    /// Sets the maximum number of updates per page (the updates in one response), from 1 to 1000. By default, the
    /// server uses 100.
    ///
    /// If `limit` is outside of this range, the stream ends with an error before the first request
    /// ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    pub fn limit(mut self, limit: u32) -> Self {
        self.settings.limit = Some(limit.into());
        self
    }

    /// Sets the maximum time that the server waits for new updates before it responds to a poll. By default, the server
    /// waits for at most 30 s. `timeout` is rounded up to whole seconds, and can be from 0 to 90 s.
    ///
    /// A poll without a response fails after this time plus [`poll_margin`](crate::BotBuilder::poll_margin) (15 s by
    /// default). Over HTTP/2, a poll on a dead connection usually fails earlier: see
    /// [`http2_keep_alive`](crate::BotBuilder::http2_keep_alive).
    ///
    /// If `timeout` is longer than 90 s, the stream ends with an error before the first request
    /// ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        let seconds = timeout.as_secs().saturating_add(u64::from(timeout.subsec_nanos() > 0));
        self.settings.hold_seconds = Some(u32::try_from(seconds).unwrap_or(u32::MAX).into());
        self
    }

    /// Sets the types of updates to receive. Defaults to all types. An empty list means all types.
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<UpdateType>>) -> Self {
        self.settings.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the position at which the stream begins. Defaults to [`StartFrom::Stored`]: the stream begins at the marker
    /// in the [`marker_store`](Self::marker_store). Without a saved marker, the stream begins at the oldest uncommitted
    /// update. In this case, MAX can skip updates: see [Commits](#commits).
    pub fn start_from(mut self, start: StartFrom) -> Self {
        self.settings.start_from = start;
        self
    }

    /// Skips the updates that arrived before the start. Skipping stops after about 10 s. If updates remain, the
    /// stream returns these updates: see [`StartFrom::Latest`]. This method is a shorter form of
    /// `start_from(StartFrom::Latest)`.
    pub fn skip_pending(self) -> Self {
        self.start_from(StartFrom::Latest)
    }

    /// Sets the store for the marker of the last handled page. By default, the marker is not stored.
    ///
    /// The stream saves the marker of each handled page before it commits the page to the server. If the bot is killed
    /// between the save and the commit, the bot does not receive the page again at the next start.
    ///
    /// If a save fails, the stream logs the failure, continues to poll, and retries the save after the next poll.
    pub fn marker_store(mut self, store: impl MarkerStore) -> Self {
        self.store = Some(Arc::new(KeyedStore { markers: Box::new(store), key: OnceLock::new() }));
        self
    }

    /// Sets whether the stream removes subscribed webhooks. Defaults to `false`.
    ///
    /// The stream checks for webhooks at the start, and once more if the server responds to a poll with status 405. If
    /// the value is `false` and a webhook is subscribed, the stream ends with an error
    /// ([`ErrorKind::WebhookSubscribed`](crate::ErrorKind::WebhookSubscribed)).
    pub fn remove_webhooks(mut self, remove: bool) -> Self {
        self.settings.remove_webhooks = remove;
        self
    }

    /// Sets the delays after failed polls.
    ///
    /// - `first`: Maximum delay after the first failure. Defaults to 0.5 s. The maximum delay doubles with each further
    ///   failure.
    /// - `most`: Upper limit of the maximum delay. Defaults to 30 s. A value below `first` counts as `first`.
    ///
    /// The actual delay is random, from 0 to the current maximum (full jitter). If the response has a `Retry-After`
    /// header with a longer delay, the stream waits for that delay.
    ///
    /// [`Run`](crate::updates::Run) uses the same delays before it retries an update, unless
    /// [`Run::backoff`](crate::updates::Run::backoff) is set.
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        self.settings.backoff = Backoff { first, most: most.max(first) };
        self
    }

    /// Ends the stream after the future `signal` completes, in these steps:
    ///
    /// 1. The stream returns the updates that it has already fetched.
    /// 2. With a [`marker_store`](Self::marker_store), the stream saves the marker, in at most 5 s.
    /// 3. The stream commits the returned updates to the server, in at most 5 s, and returns `None`.
    ///
    /// If step 2 or 3 fails, the failure is logged, and the stream still ends.
    ///
    /// [`shutdown_signal`](crate::shutdown_signal) waits for SIGTERM or Ctrl-C.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let shutdown = std::future::ready(());
    /// // `shutdown` is a future such as `tamtam::shutdown_signal()`.
    /// let mut updates = bot.updates().graceful_shutdown_on(shutdown);
    /// while let Some(update) = updates.try_next().await? {
    ///     println!("{update:?}");
    /// }
    /// println!("good night");
    /// # Ok(())
    /// # }
    /// ```
    pub fn graceful_shutdown_on<F>(mut self, signal: F) -> Self
    where
        F: Future + Send + 'static,
    {
        self.shutdown = Some(sync_future(async move {
            signal.await;
        }));
        self
    }

    /// Returns a new stream with the settings, the marker store and the [`Health`] of this stream.
    ///
    /// Use `restart` in a program that stops polling for some time, for example while another process polls. Do not use
    /// the old stream after the new stream has started.
    ///
    /// The new stream begins at the position that [`start_from`](Self::start_from) sets. It contains neither the
    /// fetched updates nor the [shutdown signal](Self::graceful_shutdown_on) of the old stream.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # tamtam.user("Alice").says("hi");
    /// let mut updates = bot.updates().limit(10);
    /// let first = updates.try_next().await?;
    /// // The first update was not committed, so it is delivered again.
    /// let mut updates = updates.restart();
    /// assert_eq!(updates.try_next().await?, first);
    /// # Ok(())
    /// # }
    /// ```
    pub fn restart(&self) -> Self {
        let mut new = Self::new(self.bot.clone());
        (new.settings, new.store, new.health) = (self.settings.clone(), self.store.clone(), self.health.clone());
        new
    }

    /// Returns a handle for monitoring the stream.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Returns the next update. Call `next` only when all earlier updates are handled, because the call can commit them
    /// to the server. Returns `None` after an error and after a shutdown.
    ///
    /// Do not call `bot.updates().next()` in a loop, because each new stream returns the same first update. Create the
    /// stream before the loop.
    ///
    /// # Errors
    ///
    /// The stream ends with an error in these cases:
    ///
    /// - The server responds with a 4xx status other than 408 and 429, and the response contains an error code. For
    ///   example, the token is invalid ([`ErrorKind::Unauthorized`](crate::ErrorKind::Unauthorized)). If a poll
    ///   gets the code `method.not.found`, the stream first retries the poll 3 times.
    /// - A webhook is subscribed ([`ErrorKind::WebhookSubscribed`](crate::ErrorKind::WebhookSubscribed)).
    /// - The marker store cannot be read ([`ErrorKind::MarkerStore`](crate::ErrorKind::MarkerStore)).
    /// - A single update is larger than [`BotBuilder::max_page_bytes`](crate::BotBuilder::max_page_bytes)
    ///   ([`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge)).
    /// - A setting, such as [`limit`](Self::limit), is invalid
    ///   ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    /// - At the start, the list of webhooks cannot be parsed, or, with a marker store, the id of the bot cannot be
    ///   parsed ([`ErrorKind::Decode`](crate::ErrorKind::Decode)).
    ///
    /// After all other failures, the stream retries the request.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no update. The next call continues the request in progress.
    pub async fn next(&mut self) -> Option<Result<Update>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns the next update, or the error that ended the stream. Call `try_next` only when all earlier updates are
    /// handled, because the call can commit them to the server. Returns `None` after an error and after a shutdown.
    ///
    /// Do not call `bot.updates().try_next()` in a loop, because each new stream returns the same first update. Create
    /// the stream before the loop.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`next`](Self::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no update. The next call continues the request in progress.
    pub async fn try_next(&mut self) -> Result<Option<Update>> {
        self.next().await.transpose()
    }

    /// Takes the JSON of the update that was returned last, if it is kept.
    pub(crate) fn take_json(&mut self) -> Option<Box<RawValue>> {
        self.state.as_mut().and_then(StreamState::take_json)
    }

    /// Keeps the JSON of each update.
    pub(crate) fn keep_json(mut self) -> Self {
        self.settings.keep_json = true;
        self
    }

    /// As [`next_page`](Self::next_page), with the JSON of each update if it is kept, and the marker that commits the
    /// page.
    pub(crate) async fn next_raw_page(&mut self) -> Result<Option<RawPage>> {
        let Some(first) = self.try_next().await? else { return Ok(None) };
        self.handed_out = None;
        let Some(state) = &mut self.state else { return Ok(None) };
        let mut json = state.take_json().into_iter().chain(state.take_page_json()).collect::<Vec<_>>().into_iter();
        let updates = std::iter::once(first).chain(state.take_page()).map(|update| (update, json.next())).collect();
        Ok(Some(RawPage {
            updates,
            #[cfg(feature = "journal")]
            marker: state.marker(),
        }))
    }

    /// Saves the marker in a journal.
    #[cfg(feature = "journal")]
    pub(crate) fn keep_in_journal(&mut self, markers: impl MarkerStore, key: crate::updates::marker::MarkerKey) {
        self.store = Some(Arc::new(KeyedStore { markers: Box::new(markers), key: OnceLock::from(key) }));
    }

    /// Fails if no poll with these settings can succeed.
    #[cfg(feature = "journal")]
    pub(crate) fn check(&self) -> Result<()> {
        perform::check(&self.bot, &self.settings)
    }

    #[cfg(feature = "journal")]
    pub(crate) fn has_store(&self) -> bool {
        self.store.is_some()
    }

    /// Returns all fetched updates or, without any, the updates of the next page. All earlier updates must be handled.
    pub(crate) async fn next_page(&mut self) -> Result<Option<VecDeque<Update>>> {
        let Some(first) = self.try_next().await? else { return Ok(None) };
        // For health, the updates of a page are in progress only when their handlers begin.
        self.handed_out = None;
        let mut page = self.state.as_mut().map(StreamState::take_page).unwrap_or_default();
        page.push_front(first);
        Ok(Some(page))
    }

    /// Ends the stream, as the future of [`graceful_shutdown_on`](Self::graceful_shutdown_on) does.
    pub(crate) fn stop(&mut self) {
        self.shutdown = Some(sync_future(std::future::ready(())));
    }

    pub(crate) fn bot(&self) -> &Bot {
        &self.bot
    }

    fn span(&self) -> Span {
        poll_span(&self.bot)
    }

    pub(crate) fn waits(&self) -> Backoff {
        self.settings.backoff
    }

    pub(crate) fn take_shutdown(&mut self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        self.shutdown.take().map(SyncFuture::into_inner)
    }

    /// Returns whether the shutdown signal has ended since the last call.
    fn stops(&mut self, context: &mut Context<'_>) -> bool {
        let stops = self.shutdown.as_mut().is_some_and(|shutdown| shutdown.get_mut().as_mut().poll(context).is_ready());
        if stops {
            self.shutdown = None;
        }
        stops
    }

    /// Returns the future that performs an effect.
    fn perform(&self, effect: Effect) -> SyncFuture<Input> {
        let (bot, settings) = (self.bot.clone(), self.settings.clone());
        let world = Performer { bot, settings, store: self.store.clone(), health: self.health.clone() };
        sync_future(world.perform(effect).instrument(self.span()))
    }
}

impl Stream for Updates {
    type Item = Result<Update>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        // Requesting the next update means that the last one is handled.
        this.handed_out = None;
        if this.state.is_none() && this.bot.is_stream_restarted() {
            let hint =
                "call `Bot::updates` once, before the loop: a new stream starts over at the oldest uncommitted update";
            this.span().in_scope(|| tracing::warn!(hint, "new stream after one update"));
        }
        loop {
            let invalid = if this.state.is_none() { perform::check(&this.bot, &this.settings).err() } else { None };
            let input = if let Some(error) = invalid {
                Input::Failed { error, chance: 0.0 }
            } else if this.stops(context) {
                Input::Stop
            } else if let Some(effect) = &mut this.effect {
                let input = ready!(effect.get_mut().as_mut().poll(context));
                this.effect = None;
                input
            } else {
                Input::Asked
            };
            let state = this.state.take();
            let settings = &this.settings;
            let state = state.unwrap_or_else(|| {
                StreamState::new(settings.start_from, this.store.is_some(), settings.backoff, settings.limit)
            });
            let (state, effect) = state.step(input);
            this.state = Some(state);
            match effect {
                Effect::Yield(update) => {
                    this.yielded = this.yielded.saturating_add(1);
                    this.handed_out = Some(this.health.hand_out(&update));
                    return Poll::Ready(Some(Ok(update)));
                }
                Effect::Fail(error) => return Poll::Ready(Some(Err(error))),
                Effect::End => {
                    this.effect = None;
                    return Poll::Ready(None);
                }
                Effect::Continue => {}
                effect => this.effect = Some(this.perform(effect)),
            }
        }
    }
}
