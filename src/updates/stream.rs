//! The update stream: long polling that loses nothing.

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

impl Bot {
    /// The updates of the bot by long polling, each at least once and in order.
    ///
    /// See [`Updates`] for what is promised.
    ///
    /// Make one stream, before the loop. Every call makes a new stream, which begins with the oldest update that is not
    /// committed. An update is committed when its own stream is asked for more. So `loop { bot.updates().next().await }`
    /// returns the first update for ever; the log then has a WARN, `new stream after one update`.
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
    /// #   if update.text().is_some() { break }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn updates(&self) -> Updates {
        Updates::new(self.clone())
    }
}

/// The updates of a bot by long polling; made by [`Bot::updates`].
///
/// Every update comes at least once and in order. The server is told that a page of updates is done (its marker is sent)
/// when the update after its last one is asked for; so asking for more means that all before is dealt with. What was not
/// dealt with when the program ends comes again at the next start. (Some servers are said to give only the newest to a
/// poll without a marker: a [`marker_store`](Self::marker_store) makes sure.)
///
/// An update that the crate does not know, or cannot read, is [`Update::Unknown`] and holds nobody up.
///
/// A poll that fails is tried again for as long as it takes, from the same place and with growing pauses (up to 30 s, or
/// as long as the server asks): a connection that broke, a server that is down or restarts, a proxy's error page. The log
/// tells of it, and [`BotBuilder::on_retry`](crate::BotBuilder::on_retry). An error comes out only when no waiting mends
/// it, and ends the stream; so `while let Some(update) = updates.try_next().await?` is all that a bot needs. A `?` on a
/// call of yours inside the loop ends the bot, and the same update comes again at the next start.
///
/// Two pollers with one token steal updates from each other: have one per bot. A webhook that is subscribed keeps updates
/// from coming by polling: it is found at the start, see [`remove_webhooks`](Self::remove_webhooks). Adapters that ask
/// early, such as `buffered`, `peekable` or `for_each_concurrent`, tell the server early that all is done; to handle
/// updates concurrently, [`run`](Self::run) is the way.
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
/// stream, and the next call goes on with it.
#[must_use = "a stream does nothing until it is asked for updates"]
pub struct Updates {
    bot: Bot,
    settings: Settings,
    store: Option<Arc<KeyedStore>>,
    health: Health,
    /// The update that the consumer has.
    handed_out: Option<InProgress<Arc<Progress>>>,
    /// How many updates were returned.
    yielded: u64,
    /// `None` until the stream is first asked, which fixes where it starts.
    state: Option<StreamState>,
    /// What is being done.
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
    /// What commits the page.
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

    /// How many updates a page has at most, from 1 to 1000; the server takes 100 if not set. With another number the stream
    /// begins and ends with an error ([`InvalidRequest`](crate::ErrorKind::InvalidRequest)), and nothing is sent.
    pub fn limit(mut self, limit: u32) -> Self {
        self.settings.limit = Some(limit.into());
        self
    }

    /// For how long the server holds a poll when there is nothing new: from 0 to 90 s, rounded up to whole seconds; 30 s if
    /// not set. With a longer time the stream begins and ends with an error, as with a wrong [`limit`](Self::limit). A
    /// connection that died without a word is noticed this and the
    /// [`poll_margin`](crate::BotBuilder::poll_margin) (15 s) after the poll began.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        let seconds = timeout.as_secs().saturating_add(u64::from(timeout.subsec_nanos() > 0));
        self.settings.hold_seconds = Some(u32::try_from(seconds).unwrap_or(u32::MAX).into());
        self
    }

    /// The kinds of updates to get; all if not set.
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<UpdateType>>) -> Self {
        self.settings.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Where to begin; at the stored marker if there is one, else with the backlog, if not set. Has no effect once the
    /// stream was asked for an update.
    pub fn start_from(mut self, start: StartFrom) -> Self {
        self.settings.start_from = start;
        self
    }

    /// Begins with what happens from now on: what is waiting is skipped. The same as
    /// [`start_from`](Self::start_from)`(`[`StartFrom::Latest`]`)`.
    pub fn skip_pending(self) -> Self {
        self.start_from(StartFrom::Latest)
    }

    /// Keeps the marker in a store: a bot that was killed after it had dealt with a page, and before it could tell the
    /// server, does not get that page again.
    pub fn marker_store(mut self, store: impl MarkerStore) -> Self {
        self.store = Some(Arc::new(KeyedStore { markers: Box::new(store), key: OnceLock::new() }));
        self
    }

    /// Whether webhooks that are subscribed are removed at the start. They keep updates from coming by polling, so without
    /// this the stream begins with an error if there is one
    /// ([`WebhookSubscribed`](crate::ErrorKind::WebhookSubscribed)).
    pub fn remove_webhooks(mut self, remove: bool) -> Self {
        self.settings.remove_webhooks = remove;
        self
    }

    /// The longest wait after the first failed poll, doubled after each further one up to `most`; 0.5 s and 30 s if not set.
    /// The wait is a random part of that (full jitter), or what the server asks for if that is longer.
    /// [`Run`](crate::Run) waits so
    /// long, too, before it hands an update out again.
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        self.settings.backoff = Backoff { first, most: most.max(first) };
        self
    }

    /// Ends the stream when this future ends, whatever it returns: what was fetched is still handed out, the server is told
    /// that it is done (which takes 5 s at most, and as long again where a marker is to be saved), and then there is no next
    /// update.
    ///
    /// A service is mostly ended by SIGTERM, which `tokio::signal::unix` tells of; [`Run`](crate::Run) shows how to
    /// wait for both.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let ctrl_c = std::future::ready(());
    /// let mut updates = bot.updates().graceful_shutdown_on(ctrl_c); // `tokio::signal::ctrl_c()`, say
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
    /// For programs that stop polling for a time, such as a receiver that another one has replaced. Do not use both
    /// streams at the same time.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # tamtam.user("Alice").says("hi");
    /// let mut updates = bot.updates().limit(10);
    /// let first = updates.try_next().await?;
    /// // The first update was not committed, so it comes again.
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

    /// How the stream is doing, for whoever watches it.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// The next update. Asking for it says that all before are dealt with. There is no next one after an error, and after
    /// the stream was shut down.
    ///
    /// Call it on one stream, in a loop. On a new stream each time (`bot.updates().next()`), it returns the same update
    /// again: see [`Bot::updates`].
    ///
    /// # Errors
    ///
    /// The last item is an error when no waiting mends it: the server refuses the bot (its token, say), a webhook is in
    /// the way, the marker store cannot be read. What the server answers counts as its own word only if it has an API
    /// `code`; all other failures are retried, and so is a poll whose page does not fit the models.
    ///
    /// At the start, the stream requests the webhooks and, with a marker store, the bot's id. It ends if either
    /// response is JSON of the wrong shape ([`Decode`](crate::ErrorKind::Decode)). An invalid setting is an error
    /// before the first request.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<Update>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The next update, or the error that ended the stream.
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

    /// Takes the JSON of the update that was handed out last, if it is kept.
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

    /// Keeps the marker in a journal.
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

    /// All updates that are fetched; if there are none, those of the next page. Asking says that all before are dealt with.
    pub(crate) async fn next_page(&mut self) -> Result<Option<VecDeque<Update>>> {
        let Some(first) = self.try_next().await? else { return Ok(None) };
        // The updates of a page are handed out one by one, when their handlers begin.
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

    /// Whether the shutdown has begun since this was last asked.
    fn stops(&mut self, context: &mut Context<'_>) -> bool {
        let stops = self.shutdown.as_mut().is_some_and(|shutdown| shutdown.get_mut().as_mut().poll(context).is_ready());
        if stops {
            self.shutdown = None;
        }
        stops
    }

    /// What an effect comes to.
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
        // Asking for the next update means that the last one is done.
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
