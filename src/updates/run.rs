//! Runs a bot: calls a handler for every update, concurrently between chats and in order within a chat.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use futures_core::Stream;

use crate::{
    api::types::Update,
    client::{bot::Bot, retry::Backoff},
    error::Result,
    updates::{
        chat_book::ChatBook,
        delivery::Delivery,
        engine::{Context, Engine, Wanted},
        failed::{self, Decision, Failed},
        handler::{HandlerResult, Handling, with_state},
        health::Health,
        page_source::Pages,
        source::{DeliveryStream, Source},
        stream::Updates,
    },
};

/// The default number of lanes that are handled concurrently.
const CONCURRENCY: usize = 64;
/// The default time that handlers have after a shutdown begins.
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);

type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Bot {
    /// Handles updates from your own source, such as a message queue. The source is a stream of deliveries.
    ///
    /// A [`Delivery`] is an update with a function `settle`. To settle a delivery, the bot calls this function with the
    /// result ([`Settled`](crate::updates::Settled)), such as `Handled` or `Skipped`. The returned [`Run`] ends when
    /// the stream has ended and all deliveries are settled, or after a shutdown.
    ///
    /// A [lane](crate::updates::Lane) is a group of updates, usually the updates of one chat. Updates of one lane are
    /// handled in order. Updates of different lanes are handled concurrently.
    ///
    /// While 1000 or more deliveries are not settled, the bot takes no further delivery from the stream. When a
    /// shutdown begins, the bot drops each delivery whose handler has not started, and does not settle it.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let bot = tamtam::Bot::new("token")?;
    /// use tamtam::updates::Delivery;
    ///
    /// let json = r#"{"update_type":"bot_started","timestamp":1,"chat_id":5,
    ///     "user":{"user_id":7,"name":"A"}}"#;
    /// let stored = vec![serde_json::from_str(json)?];
    /// let deliveries = stored.into_iter().map(|update| {
    ///     Delivery::new(update, async |settled| println!("{settled:?}"))
    /// });
    /// bot.run_deliveries(futures_util::stream::iter(deliveries), async |_, _| {}).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_deliveries<H, F>(&self, deliveries: impl Stream<Item = Delivery> + Send + 'static, handler: H) -> Run
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        Run::new(Source::Stream(DeliveryStream::new(self.clone(), deliveries)), handler)
    }
}

impl Updates {
    /// Handles the updates with an async function. Updates of one chat are handled in order. Updates of different chats
    /// are handled concurrently. Await the returned [`Run`] to start the bot.
    pub fn run<H, F>(mut self, handler: H) -> Run
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        let shutdown = self.take_shutdown();
        Run { shutdown, ..Run::new(Source::Pages(Box::new(Pages::new(self))), handler) }
    }

    /// Handles the updates like [`run`](Self::run), and passes a clone of `state` to each call of the handler. See
    /// [`Bot::run_with`] for an example.
    pub fn run_with<S, H, F>(self, state: S, handler: H) -> Run
    where
        S: Clone + Send + Sync + 'static,
        H: Fn(Bot, Update, S) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        self.run(with_state(state, handler))
    }
}

/// A bot with a handler, which the bot calls for each update. Created by methods such as [`Bot::run`],
/// [`Updates::run`] and [`Bot::run_deliveries`]. Await the `Run` to start the bot.
///
/// A [lane](crate::updates::Lane) is a group of updates that are handled in order, usually the updates of one chat.
/// Updates of different lanes are handled concurrently, on all threads of the runtime.
///
/// To change the settings of polling, use [`Updates`], and then call [`Updates::run`].
///
/// # Polling without a journal
///
/// A page is the list of updates in one response to a poll (a request for updates). Without a journal (a queue of
/// updates in a file), the bot handles one page at a time. When all updates of a page are handled, the bot requests the
/// next page. This request commits the handled page, and the server does not deliver the page again.
///
/// If the process ends before the commit, the server delivers the whole page again at the next start. So at most one
/// page is handled again.
///
/// The next page is requested after all updates of the page are handled. So one slow or busy chat delays all chats.
///
/// # Polling with a journal
///
/// To use a journal, call `Updates::journal`, which requires the feature `journal`. The bot stores each page in the
/// journal and then commits the page. A slow handler delays only the later updates of its lane.
///
/// When an update is handled, the bot removes the update from the journal. If the process is killed before the removal,
/// the next `Run` handles the update again.
///
/// # Many processes
///
/// To handle updates in many processes, use the crate `tamtam-nats`. One process polls the server and writes the
/// updates to a queue. Other processes read the queue and run the handlers.
///
/// # Your own source
///
/// [`Bot::run_deliveries`] handles updates from a stream of your program, for example from a message queue. Each item
/// of the stream is a [`Delivery`](crate::updates::Delivery), which consists of an update and a function `settle`.
/// After the last attempt to handle the update, the bot calls `settle` with the result. If the bot ends before this
/// call, your source must deliver the update again.
///
/// # Handlers
///
/// A handler is an async function, or a closure that returns a future. To pass shared state to the handler, use
/// [`Bot::run_with`]. A handler cannot be an `async |bot, update| { .. }` closure that captures variables. Write
/// `move |bot, update| { let db = db.clone(); async move { .. } }` instead.
///
/// For large uploads, set a longer [`handler_timeout`](Self::handler_timeout).
///
/// The bot does not wait for tasks that a handler spawns. If a shutdown interrupts such a task, the update of
/// the handler is not handled again.
///
/// **If a handler blocks its thread**, for example with a long computation, the handler delays other lanes and tasks.
/// On the current-thread runtime, the handler delays all tasks. Move long computations to
/// `tokio::task::spawn_blocking`.
///
/// **If a handler returns an error, panics or exceeds its time limit**, the bot logs the failure and continues. With
/// `panic = "abort"` in your Cargo profile, a panic ends the process instead. By default, the bot does not retry the
/// update: see [`on_error`](Self::on_error).
///
/// # Example
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.says("hi");
/// # let reader = alice.clone();
/// # let shutdown = async move { while reader.reads().await.text() != "I heard you" {} };
/// use tamtam::{Bot, Update};
///
/// async fn echo(bot: Bot, update: Update) -> tamtam::Result<()> {
///     match update {
///         Update::BotStarted(started) => drop(bot.send(started.chat_id, "Hello!").await?),
///         Update::MessageCreated(created) => {
///             if let Some(message) = created.message {
///                 bot.reply(&message, "I heard you").await?;
///             }
///         }
///         _ => {}
///     }
///     Ok(())
/// }
///
/// // `shutdown` is a future such as `tamtam::shutdown_signal()`.
/// bot.run(echo).graceful_shutdown_on(shutdown).await?;
/// # Ok(())
/// # }
/// ```
///
/// To run the bot in the background, spawn the future of [`Run::run`]: `tokio::spawn(bot.run(echo).run())`.
#[must_use = "a bot does not run until it is awaited"]
pub struct Run {
    source: Source,
    handling: Handling,
    concurrency: usize,
    backoff: Option<Backoff>,
    pub(super) shutdown: Option<Shutdown>,
    deadline: Duration,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("bot", self.source.bot())
            .field("handling", &self.handling)
            .field("concurrency", &self.concurrency)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Run {
    pub(super) fn new<H, F>(source: Source, handler: H) -> Self
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        let handling = Handling::new(Arc::clone(&source.bot().transport().clock), handler);
        Self { source, handling, concurrency: CONCURRENCY, backoff: None, shutdown: None, deadline: SHUTDOWN_DEADLINE }
    }

    /// Sets the maximum number of [lanes](crate::updates::Lane), usually chats, that are handled concurrently. Defaults
    /// to 64. A value of 0 counts as 1.
    pub fn concurrency(mut self, chats: usize) -> Self {
        self.concurrency = chats.max(1);
        self
    }

    /// Sets the time limit of a handler. Defaults to 120 s. If a handler exceeds the limit, the handler is dropped and
    /// counts as failed. The same limit applies to an async function that you pass to [`on_error`](Self::on_error).
    pub fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.handling.set_timeout(timeout);
        self
    }

    /// Sets the function that is called if a handler returns an error, panics or exceeds its time limit. The function
    /// decides whether the update is retried. The failure is always logged.
    ///
    /// If you set no function, or if the function panics or exceeds the time limit of a handler, the update is not
    /// retried. There are two cases:
    ///
    /// - If the bot has a journal (a queue of updates in a file), or if [`Delivery::dead_letter_after`] is set, the
    ///   update becomes a dead letter: the journal or your program keeps the update for inspection.
    /// - If the bot has no journal and `dead_letter_after` is not set, the update is skipped.
    ///
    /// The function returns a [`Recovery`](crate::updates::Recovery), or a future of a `Recovery`. `Retry` runs the
    /// whole handler again, including its successful calls to the API. Retry only if it is safe to repeat these calls,
    /// and if the server did not apply the failed call.
    ///
    /// A journal and `Delivery::dead_letter_after` limit the number of attempts. If you use neither, limit the number
    /// of retries in your function, as in this example:
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// use tamtam::updates::{Failed, Recovery};
    ///
    /// let run = bot.run(async |_, _| {}).on_error(|failed: Failed| {
    ///     let not_applied = failed
    ///         .call_error()
    ///         .is_some_and(|error| error.is_retryable() && !error.may_have_been_applied());
    ///     if not_applied && failed.attempts() < 3 { Recovery::Retry } else { Recovery::Skip }
    /// });
    /// # let _ = run;
    /// # }
    /// ```
    ///
    /// The function can be async, for example to send a message. Later updates of the lane wait until the function
    /// completes. If an async function needs a shared value, such as a database client, clone the value for each call:
    /// `move |failed| { let db = db.clone(); async move { .. } }`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # let reader = alice.clone();
    /// # let shutdown = async move { reader.reads().await };
    /// use tamtam::updates::{Failed, Recovery};
    ///
    /// bot.run(async |_, _| Err::<(), _>("no luck"))
    ///     .on_error(async |failed: Failed| {
    ///         if let Some(chat) = failed.update().and_then(|update| update.chat_id()) {
    ///             let _ = failed.bot().send(chat, "Sorry, that did not work.").await;
    ///         }
    ///         Recovery::Skip
    ///     })
    ///     .graceful_shutdown_on(shutdown)
    ///     .await?;
    /// # assert_eq!(alice.sees(), ["Sorry, that did not work."]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_error<D: Decision>(mut self, on_error: impl Fn(Failed) -> D + Send + Sync + 'static) -> Self {
        self.handling.set_on_error(failed::boxed(on_error));
        self
    }

    /// Sets a [`ChatBook`], which is a list of the chats that the bot is in. The bot records each update in the book,
    /// saves the changes, and then calls the handler.
    ///
    /// If a save fails or takes longer than 5 s, the bot still calls the handler. The bot logs the failure as
    /// `chat book save failed` at the level WARN. The time limit of the handler does not include the save.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # let shutdown = async move { alice.reads().await };
    /// use tamtam::updates::ChatBook;
    ///
    /// let book = ChatBook::new();
    /// let known = book.clone();
    /// bot.run(move |bot, update| {
    ///     let number = known.len();
    ///     async move {
    ///         let Some(chat) = update.chat_id() else { return Ok(()) };
    ///         bot.send(chat, format!("I am in {number} chats")).await.map(drop)
    ///     }
    /// })
    /// .chat_book(book.clone())
    /// .graceful_shutdown_on(shutdown)
    /// .await?;
    /// # assert_eq!(book.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn chat_book(mut self, book: ChatBook) -> Self {
        self.handling.set_chat_book(book);
        self
    }

    /// Sets the delays before an update is retried.
    ///
    /// - `first`: Maximum delay before the first retry. Defaults to 0.5 s. The maximum delay doubles with each further
    ///   retry.
    /// - `most`: Upper limit of the maximum delay. Defaults to 30 s. A value below `first` counts as `first`.
    ///
    /// The actual delay is random, from 0 to the current maximum (full jitter). If [`Updates::backoff`] is set,
    /// its values replace these defaults.
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        self.backoff = Some(Backoff { first, most: most.max(first) });
        self
    }

    /// Shuts the bot down when the future `signal` completes. Replaces an earlier signal, including a signal that was
    /// set on [`Updates`].
    ///
    /// During the shutdown, the bot completes the running handlers. The [`shutdown_deadline`](Self::shutdown_deadline)
    /// limits the time of the shutdown. For updates whose handler has not started, there are three cases:
    ///
    /// - If the bot polls without a journal, the bot handles these updates and commits them to the server.
    /// - If the bot has a journal, these updates stay in the journal.
    /// - With [`Bot::run_deliveries`], the bot drops these updates and does not call the function `settle`. Your source
    ///   must deliver these updates again.
    pub fn graceful_shutdown_on<F>(mut self, signal: F) -> Self
    where
        F: Future + Send + 'static,
    {
        self.shutdown = Some(Box::pin(async move {
            signal.await;
        }));
        self
    }

    /// Sets the time after which a shutdown drops unfinished handlers. Defaults to 10 s.
    ///
    /// The handlers are dropped at their next `await`. The bot waits for at most 1 s until the handlers are dropped. If
    /// the bot has a chat book, the last save of the book takes at most 5 s more. For the updates of the dropped
    /// handlers, there are three cases:
    ///
    /// - If the bot polls without a journal, the server delivers the page of these updates again at the next start.
    /// - If the bot has a journal, the next `Run` handles these updates again.
    /// - With [`Bot::run_deliveries`], your source must deliver these updates again.
    ///
    /// If the bot polls, the deadline also includes the last two steps of the shutdown. Each step takes at most 5 s:
    ///
    /// 1. If the bot has a [marker store](Updates::marker_store) or a journal, the bot saves the marker, which
    ///    identifies a position in the updates.
    /// 2. The bot commits the last handled page to the server. With a journal, the bot commits the last stored page.
    ///
    /// If the deadline passes before the commit, the server can deliver this page again.
    pub fn shutdown_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Returns a handle for monitoring the bot.
    #[must_use]
    pub fn health(&self) -> Health {
        self.source.health()
    }

    /// Runs the bot until a shutdown, a permanent error, or the end of the stream that you pass to
    /// [`Bot::run_deliveries`]. `bot.run(handler).await` is a shorter form of `bot.run(handler).run().await`.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - Polling fails permanently (see [`Updates::next`]). For example, the server refuses the token.
    /// - The journal cannot be used (`ErrorKind::Journal`). For example, the journal belongs to another bot, or another
    ///   `Run` uses the journal.
    ///
    /// Temporary failures are retried. With [`Bot::run_deliveries`], the result is always `Ok`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the running handlers at their next `await`. For the updates of these handlers, the
    /// three cases of [`shutdown_deadline`](Self::shutdown_deadline) apply.
    pub async fn run(self) -> Result<()> {
        let chat_book = self.handling.chat_book();
        let result = self.run_to_the_end().await;
        if let Some(book) = chat_book {
            // Retries saves that failed before.
            book.save_logged().await;
        }
        result
    }

    async fn run_to_the_end(self) -> Result<()> {
        let Self { mut source, handling, concurrency, backoff, shutdown, deadline } = self;
        let context = Context {
            bot: source.bot().clone(),
            handling,
            health: source.health(),
            backoff: backoff.unwrap_or_else(|| source.backoff()),
            concurrency,
        };
        let (clock, health, span) = (Arc::clone(&context.bot.transport().clock), context.health.clone(), source.span());
        let (engine, mut drivers) = Engine::start(context);
        let mut shutdown = shutdown.unwrap_or_else(|| Box::pin(std::future::pending()));
        let (mut over, mut result, mut is_exhausted) = (None, Ok(()), false);
        loop {
            let next = async {
                if is_exhausted {
                    engine.until(Wanted::Idle).await;
                    return Ok(None);
                }
                engine.until(source.wants()).await;
                source.next().await
            };
            let stops = tokio::select! {
                biased;
                () = &mut shutdown, if over.is_none() => true,
                () = expires(&mut over) => {
                    span.in_scope(|| tracing::warn!(in_flight = health.in_flight(), "shutdown deadline exceeded"));
                    engine.close();
                    drivers.shutdown().await;
                    return result;
                }
                () = drivers.watch() => false,
                deliveries = next => match deliveries {
                    Ok(Some(deliveries)) => {
                        engine.feed(deliveries);
                        false
                    }
                    Ok(None) if is_exhausted => return result,
                    Ok(None) => {
                        is_exhausted = true;
                        false
                    }
                    Err(error) => {
                        (result, is_exhausted) = (Err(error), true);
                        true
                    }
                },
            };
            if stops && over.is_none() {
                over = Some(clock.sleep(deadline));
                source.stop();
                if !source.drains() {
                    engine.close();
                }
            }
        }
    }
}

/// Waits until the deadline is over. Without a deadline, waits forever.
async fn expires(over: &mut Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>) {
    match over {
        Some(deadline) => deadline.await,
        None => std::future::pending().await,
    }
}

impl IntoFuture for Run {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
