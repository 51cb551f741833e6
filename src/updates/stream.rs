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

/// The updates of a bot by long polling. Made by [`Bot::updates`].
///
/// Each update is delivered at least once and in order. Requesting the update after the last one of a page commits the
/// page: the stream sends its marker to the server. So request an update only when all earlier ones are handled.
/// Updates that are not committed when the program ends are delivered again at the next start. (Some servers reportedly
/// answer a poll without a marker with the newest updates only. A [`marker_store`](Self::marker_store) avoids this.)
///
/// An update of an unknown type, or that cannot be read, is [`Update::Unknown`]. It does not block later updates.
///
/// Failed polls are retried without a limit, for example after a broken connection, during a restart of the server, or
/// after a proxy's error page. A retry uses the same marker. The delays grow up to 30 s, or last as long as the server
/// asks. Retries are logged and reported to [`BotBuilder::on_retry`](crate::BotBuilder::on_retry).
///
/// Only permanent errors are returned, and they end the stream. So `while let Some(update) = updates.try_next().await?`
/// is all that a bot needs. A `?` on another call inside the loop ends the bot, and the same update is delivered again
/// at the next start.
///
/// Run one poller per bot: two pollers with one token take updates from each other. While a webhook is subscribed,
/// polling receives no updates. The stream checks this at the start, see [`remove_webhooks`](Self::remove_webhooks).
///
/// Adapters that poll ahead, such as `buffered`, `peekable` or `for_each_concurrent`, commit updates before they are
/// handled. To handle updates concurrently, use [`run`](Self::run).
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
/// # Cancel safety
///
/// Dropping a pending [`next`](Self::next) or [`try_next`](Self::try_next) loses nothing: the poll in flight stays in the
/// stream, and the next call continues it.
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

    /// Sets the maximum number of updates per page, from 1 to 1000. By default, the server chooses 100.
    ///
    /// With another number, the stream returns an error before any request and ends
    /// ([`InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    pub fn limit(mut self, limit: u32) -> Self {
        self.settings.limit = Some(limit.into());
        self
    }

    /// Sets the time that the server holds a poll without new updates: from 0 to 90 s, rounded up to whole seconds. By
    /// default, the server chooses 30 s. A longer time is an error, as an invalid [`limit`](Self::limit).
    ///
    /// A poll on a dead connection fails after this time plus [`poll_margin`](crate::BotBuilder::poll_margin) (15 s).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        let seconds = timeout.as_secs().saturating_add(u64::from(timeout.subsec_nanos() > 0));
        self.settings.hold_seconds = Some(u32::try_from(seconds).unwrap_or(u32::MAX).into());
        self
    }

    /// Sets the types of updates to receive. Defaults to all types.
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<UpdateType>>) -> Self {
        self.settings.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Sets where the stream begins. Defaults to [`StartFrom::Stored`]: at the stored marker or, without one, with the
    /// backlog. Has no effect after the first update was requested.
    pub fn start_from(mut self, start: StartFrom) -> Self {
        self.settings.start_from = start;
        self
    }

    /// Skips the updates that are pending at the start. The same as
    /// [`start_from`](Self::start_from)`(`[`StartFrom::Latest`]`)`.
    pub fn skip_pending(self) -> Self {
        self.start_from(StartFrom::Latest)
    }

    /// Saves the marker of each handled page in a store, before the page is committed. If the bot is killed between the
    /// save and the commit, it does not receive the page again.
    pub fn marker_store(mut self, store: impl MarkerStore) -> Self {
        self.store = Some(Arc::new(KeyedStore { markers: Box::new(store), key: OnceLock::new() }));
        self
    }

    /// Sets whether subscribed webhooks are removed at the start. Defaults to `false`.
    ///
    /// Polling receives no updates while a webhook is subscribed. By default, the stream then returns an error at the
    /// start and ends ([`WebhookSubscribed`](crate::ErrorKind::WebhookSubscribed)).
    pub fn remove_webhooks(mut self, remove: bool) -> Self {
        self.settings.remove_webhooks = remove;
        self
    }

    /// Sets the delays after failed polls. `first` is the longest delay after the first failure and defaults to 0.5 s.
    /// It doubles with each further failure, up to `most`, which defaults to 30 s. The actual delay is a random part of
    /// it (full jitter), or the time that the server asks for if that is longer.
    ///
    /// [`Run`](crate::updates::Run) uses the same delays before it retries a handler, unless
    /// [`Run::backoff`](crate::updates::Run::backoff) is set.
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        self.settings.backoff = Backoff { first, most: most.max(first) };
        self
    }

    /// Ends the stream when `signal` ends. The output of `signal` is ignored.
    ///
    /// Fetched updates are still returned. Then the stream commits them and returns `None`. The commit takes at most 5 s,
    /// and saving the marker another 5 s.
    ///
    /// Most service managers stop a process by SIGTERM. [`shutdown_signal`](crate::shutdown_signal) waits for
    /// SIGTERM and Ctrl-C.
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

    /// Returns a new stream with the settings, the marker store and the health of this one, and without its
    /// [shutdown](Self::graceful_shutdown_on). See [`start_from`](Self::start_from) for where it begins: by default
    /// at the saved marker or, without one, at the first uncommitted update. It does not take over fetched updates.
    ///
    /// For programs that stop polling for a time, for example while another process polls. Do not use both streams at
    /// the same time.
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

    /// Returns a handle that shows how the stream is doing, for monitoring.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Returns the next update. Call it only when all earlier updates are handled: the call can commit them. Returns
    /// `None` after an error and after a shutdown.
    ///
    /// Call it on one stream, in a loop. On a new stream each time (`bot.updates().next()`), it returns the same update
    /// again: see [`Bot::updates`].
    ///
    /// # Errors
    ///
    /// A permanent error is the last item of the stream:
    ///
    /// - The server refuses the bot, for example its token. A status counts as a refusal only with an API `code`.
    /// - A webhook is subscribed, or the marker store cannot be read.
    /// - A single update is larger than the size limit of a page.
    /// - A setting is invalid. This error is returned before the first request.
    /// - At the start, the stream requests the webhooks and, with a marker store, the bot's id. It ends if either
    ///   response is JSON of the wrong shape ([`Decode`](crate::ErrorKind::Decode)).
    ///
    /// All other failures are retried, also a page that is not JSON or does not fit the models.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Update>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Returns the next update, or the error that ended the stream. Returns `None` after an error and after a shutdown.
    ///
    /// Call it on one stream, in a loop. On a new stream each time (`bot.updates().try_next()`), it returns the same update
    /// again: see [`Bot::updates`].
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
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

    /// As [`next_page`](Self::next_page), with the JSON of each update if it is kept, and the marker that commits the page.
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
