//! Handlers of updates: async functions. A failure, a panic or a timeout of a handler affects only its own update.

use std::{
    any::Any,
    error::Error as StdError,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use tokio::task::unconstrained;
use tracing::{Instrument as _, Span};

use crate::{
    api::types::Update,
    client::{
        bot::Bot,
        clock::{Clock, millis},
    },
    error::BoxError,
    id::MessageId,
    json::read,
    redaction::printable,
    updates::{
        chat_book::ChatBook,
        failed::{Cause, Failed, OnError, Recovery},
    },
};

/// The default time limit of a handler: twice the time that a message waits for its attachment.
pub(crate) const HANDLER_TIMEOUT: Duration = Duration::from_secs(120);

/// The return type of a handler: `()`, or a `Result` whose error converts into `Box<dyn Error + Send + Sync>`.
///
/// A handler is an async function that [`Bot::run`] calls with the bot and each update. If a handler returns an error,
/// the error is logged. By default, the update is not retried. To retry updates, use
/// [`Run::on_error`](crate::updates::Run::on_error).
///
/// To pass more values to the handler, such as a database, use a closure:
///
/// ```
/// # #[derive(Clone)] struct Database;
/// # fn check<R: tamtam::HandlerResult, F: std::future::Future<Output = R>>(_: impl Fn(tamtam::Bot, tamtam::Update) -> F) {}
/// use tamtam::{Bot, Update};
///
/// async fn on_update(bot: Bot, update: Update, database: Database) -> tamtam::Result<()> {
///     // ...
/// #   let _ = (bot, update, database);
///     Ok(())
/// }
///
/// # let database = Database;
/// let handler = move |bot, update| on_update(bot, update, database.clone());
/// # check(handler);
/// ```
pub trait HandlerResult {
    /// Converts the return value of the handler into a `Result` without a value.
    ///
    /// # Errors
    ///
    /// Returns an error if the handler returned an error.
    fn into_result(self) -> Result<(), Box<dyn StdError + Send + Sync>>;
}

impl HandlerResult for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

/// The value of `Ok` is ignored, so `bot.send(..).await` can be the last line of a handler.
impl<T, E: Into<BoxError>> HandlerResult for Result<T, E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map(drop).map_err(Into::into)
    }
}

/// Adds state to a handler (an async function that is called for each update). Returns a handler that passes a
/// clone of `state` to each call of `handler`. Put large values into an [`Arc`](std::sync::Arc).
///
/// Use `with_state` for the handlers of `Webhook::router`, `JournaledWebhook::run` and [`Bot::run_deliveries`]. For
/// polling, use [`Bot::run_with`], [`Updates::run_with`](crate::updates::Updates::run_with) or
/// `JournaledUpdates::run_with` instead.
///
/// ```
/// # fn check(webhook: tamtam::webhook::Webhook, names: std::sync::Arc<Vec<String>>) {
/// use std::sync::Arc;
///
/// use tamtam::{Bot, Update, updates::with_state};
///
/// type Names = Arc<Vec<String>>;
///
/// async fn on_update(bot: Bot, update: Update, names: Names) -> tamtam::Result<()> {
///     // ...
///     # drop((bot, update, names));
///     Ok(())
/// }
///
/// let router = webhook.router(with_state(names, on_update));
/// # drop(router);
/// # }
/// ```
pub fn with_state<S, H, F>(state: S, handler: H) -> impl Fn(Bot, Update) -> F + Send + Sync + 'static
where
    S: Clone + Send + Sync + 'static,
    H: Fn(Bot, Update, S) -> F + Send + Sync + 'static,
    F: Future<Output: HandlerResult> + Send + 'static,
{
    move |bot, update| handler(bot, update, state.clone())
}

/// The result of an attempt to handle an update.
#[derive(Debug)]
pub(crate) enum Outcome {
    Handled,
    /// The handler failed, and `on_error` gave the update up.
    Skipped,
    /// The handler failed for this reason. No `on_error` decided what to do, or it returned `DeadLetter`.
    Undecided(String),
    /// The handler failed for this reason, and the update is to be retried.
    Again(Box<Update>, String),
}

/// Why a future of the user did not end.
enum Stopped {
    Panic(String),
    TimedOut(Duration),
}

impl From<Stopped> for Cause {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Panic(message) => Self::Panic(message),
            Stopped::TimedOut(limit) => Self::TimedOut(limit),
        }
    }
}

type HandlerFuture = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;
type Handle<U> = Arc<dyn Fn(Bot, U) -> HandlerFuture + Send + Sync>;

/// The argument of a handler: an update, with or without its JSON.
pub(crate) trait Handed: Sized + Send + 'static {
    /// Reads the argument from the JSON of an update.
    #[cfg_attr(not(feature = "webhook"), allow(dead_code, reason = "polling reads whole pages"))]
    fn read(json: &str) -> serde_json::Result<Self>;
    fn update(&self) -> &Update;
}

impl Handed for Update {
    fn read(json: &str) -> serde_json::Result<Self> {
        read::read(json)
    }

    fn update(&self) -> &Update {
        self
    }
}

/// A handler and its settings, for polling and for webhooks.
pub(crate) struct Handling<U = Update> {
    handle: Handle<U>,
    on_error: Option<OnError>,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    chat_book: Option<ChatBook>,
}

impl<U> Clone for Handling<U> {
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
            on_error: self.on_error.clone(),
            timeout: self.timeout,
            clock: Arc::clone(&self.clock),
            chat_book: self.chat_book.clone(),
        }
    }
}

impl<U: Handed> Handling<U> {
    pub(crate) fn new<H, F>(clock: Arc<dyn Clock>, handler: H) -> Self
    where
        H: Fn(Bot, U) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        let handle = move |bot, update| -> HandlerFuture {
            let future = handler(bot, update);
            Box::pin(async move { future.await.into_result() })
        };
        Self { handle: Arc::new(handle), on_error: None, timeout: HANDLER_TIMEOUT, clock, chat_book: None }
    }

    pub(crate) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    pub(crate) fn set_on_error(&mut self, on_error: OnError) {
        self.on_error = Some(on_error);
    }

    pub(crate) fn chat_book(&self) -> Option<ChatBook> {
        self.chat_book.clone()
    }

    pub(crate) fn set_chat_book(&mut self, book: ChatBook) {
        self.chat_book = Some(book);
    }

    /// Calls the handler with an update. `attempts` is the number of attempts, including this one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the handler at its current `await`.
    // Not an `async fn`: its future would store the outcome a second time.
    pub(crate) fn handle(&self, bot: &Bot, update: Box<U>, attempts: u32) -> impl Future<Output = Outcome> + Send {
        let span = span(bot, update.update());
        self.handle_in_span(bot, update, attempts).instrument(span)
    }

    async fn handle_in_span(&self, bot: &Bot, update: Box<U>, attempts: u32) -> Outcome {
        let saving = self.chat_book.as_ref().and_then(|book| book.observe_logged(update.update()));
        if let Some(saving) = saving {
            saving.await;
        }
        // The handler consumes the update. Only `on_error` needs a copy.
        let copy = self.on_error.is_some().then(|| Box::new(update.update().clone()));
        match self.run(bot.clone(), update).await {
            Ok(()) => Outcome::Handled,
            Err(cause) => {
                let mut failed = Failed::new(bot.clone(), copy, cause, attempts);
                let unlogged = Unlogged(Some((failed.clone(), attempts)));
                // Boxed: most handlers succeed, and their future stays small.
                let decision = Box::pin(self.decision(&failed)).await;
                unlogged.forget();
                let recovery = decision.unwrap_or_default();
                let update = failed.take_update();
                // The error is a type of the user: its `Display` and `Drop` may panic.
                let written = catch_unwind(AssertUnwindSafe(move || {
                    log(failed.cause(), attempts, &recovery);
                    printable(&failed.cause().to_string()).into_owned()
                }));
                let cause = written.unwrap_or_else(|panic| {
                    let panic = printable_words(panic);
                    tracing::error!(attempts, ?recovery, panic, "handler error panicked");
                    format!("the handler failed, and its error panicked: {panic}")
                });
                match (decision, update) {
                    (Some(Recovery::Retry), Some(update)) => Outcome::Again(update, cause),
                    (None | Some(Recovery::DeadLetter), _) => Outcome::Undecided(cause),
                    (Some(_), _) => Outcome::Skipped,
                }
            }
        }
    }

    /// Logs a delivery that is not an update, and returns how to recover: by default it is refused, so that it is
    /// delivered again.
    #[cfg_attr(not(feature = "webhook"), allow(dead_code, reason = "only a webhook gets other bodies than updates"))]
    pub(crate) async fn not_an_update(&self, bot: &Bot, body: Bytes, problem: &str) -> Recovery {
        let span = tracing::error_span!("tamtam.handler", bot = bot.log_name());
        let decides = async {
            let bytes = body.len();
            let failed = Failed::new(bot.clone(), None, Cause::NotAnUpdate(body), 1);
            let recovery = self.decision(&failed).await.unwrap_or(Recovery::Retry);
            tracing::error!(?recovery, bytes, error = problem, "delivery without an update");
            recovery
        };
        decides.instrument(span).await
    }

    /// Returns what `on_error` decides about a failure. `None` if it is not set, panics, or exceeds the time limit of
    /// the handler.
    async fn decision(&self, failed: &Failed) -> Option<Recovery> {
        let on_error = self.on_error.as_ref()?;
        let future = catch_unwind(AssertUnwindSafe(|| on_error(failed.clone())));
        match self.poll(future.map_err(|panic| Stopped::Panic(words(panic)))).await {
            Ok(recovery) => Some(recovery),
            Err(Stopped::Panic(message)) => {
                tracing::error!(panic = printable(&message).as_ref(), "on_error panicked");
                None
            }
            Err(Stopped::TimedOut(limit)) => {
                tracing::error!(timeout_ms = millis(limit), "on_error timed out");
                None
            }
        }
    }

    // Not an `async fn`: its future would store `bot` and `update`, which the handler consumes.
    fn run(&self, bot: Bot, update: Box<U>) -> impl Future<Output = Result<(), Cause>> + Send {
        let future = catch_unwind(AssertUnwindSafe(|| (self.handle)(bot, *update)));
        let handled = self.poll(future.map_err(|panic| Stopped::Panic(words(panic))));
        handled.map(|result| result.map_err(Cause::from).and_then(|result| result.map_err(Cause::Error)))
    }

    /// Polls a future of the user until it ends, panics or exceeds the time limit.
    async fn poll<T>(&self, future: Result<Pin<Box<dyn Future<Output = T> + Send>>, Stopped>) -> Result<T, Stopped> {
        let mut future = future?;
        let mut time = None;
        let result = std::future::poll_fn(|context| {
            match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                Ok(Poll::Pending) => {}
                Ok(Poll::Ready(value)) => return Poll::Ready(Ok(value)),
                Err(panic) => return Poll::Ready(Err(Stopped::Panic(words(panic)))),
            }
            // Set only now: handlers that finish at once need no timer. Unconstrained, so that it fires even if a busy
            // handler has used up tokio's budget of the task.
            let time = time.get_or_insert_with(|| Box::pin(unconstrained(self.clock.sleep(self.timeout))));
            time.as_mut().poll(context).map(|()| Err(Stopped::TimedOut(self.timeout)))
        })
        .await;
        // Dropping the values of a handler may panic, too.
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(future))) {
            tracing::error!(panic = printable_words(panic), "handler drop panicked");
        }
        result
    }
}

impl<U> fmt::Debug for Handling<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handling").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// Returns the span of a handler. Its level is ERROR, so that it is enabled whenever any of its events is. If it is
/// disabled, its fields are not computed.
fn span(bot: &Bot, update: &Update) -> Span {
    tracing::error_span!(
        "tamtam.handler",
        kind = update.tag(),
        chat = update.chat_id().map(|chat| chat.0),
        user = update.user_id().map(|user| user.0),
        mid = update.message_id().as_ref().map(MessageId::as_str),
        bot = bot.log_name(),
    )
}

/// A failure that is logged when this is dropped: `on_error` was canceled by the end of a shutdown.
struct Unlogged(Option<(Failed, u32)>);

impl Unlogged {
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Unlogged {
    fn drop(&mut self) {
        let Some((failed, attempts)) = self.0.take() else { return };
        // The error is a type of the user: its `Display` and `Drop` may panic.
        let _ = catch_unwind(AssertUnwindSafe(move || log(failed.cause(), attempts, &format_args!("undecided"))));
    }
}

/// Logs why an update was not handled.
fn log(cause: &Cause, attempts: u32, recovery: &dyn fmt::Debug) {
    match cause {
        Cause::Error(error) => {
            tracing::error!(attempts, ?recovery, error = printable(&error.to_string()).as_ref(), "handler failed");
        }
        Cause::Panic(message) => {
            tracing::error!(attempts, ?recovery, panic = printable(message).as_ref(), "handler panicked");
        }
        Cause::TimedOut(limit) => {
            tracing::error!(attempts, ?recovery, timeout_ms = millis(*limit), "handler timed out");
        }
        // Logged by `Handling::not_an_update`.
        Cause::NotAnUpdate(_) => {}
    }
}

/// Returns the message of a panic in a form that is safe to log: it may quote a message of a user.
fn printable_words(panic: Box<dyn Any + Send>) -> String {
    printable(&words(panic)).into_owned()
}

/// Returns the message of a panic.
fn words(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| panic.downcast_ref().cloned()).unwrap_or_else(|| "without a message".to_owned());
    // A panic can be any value, and dropping the value may panic.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
    text
}
