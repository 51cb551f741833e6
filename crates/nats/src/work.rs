//! Workers: handle the updates of all slots, in any number of processes.

mod peers;
mod slot;

use std::{
    convert::Infallible,
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::stream;
use tamtam::{
    Bot, HandlerResult, Update,
    updates::{ChatBook, Decision, Delivery, Failed, Health, Run},
};
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    error::{Problem, Result},
    purge::purge,
    queue::Queue,
};
use peers::Peers;
use slot::Slot;

const ATTEMPTS: u32 = 5;
/// How long a worker waits at shutdown until its slots have given back the unhandled updates.
const RETURN_TIME: Duration = Duration::from_secs(5);
/// How long the server keeps a request for an update.
const EXPIRES: Duration = Duration::from_secs(30);
/// Time in which a worker asks all slots in turn, if it handles fewer updates at a time than there are slots.
const ROUND: Duration = Duration::from_secs(1);
const LEAST_EXPIRES: Duration = Duration::from_millis(20);
/// How often handled updates are removed per deduplication window.
const PURGES: u32 = 12;
const LEAST_PURGE_INTERVAL: Duration = Duration::from_secs(5);

type Shutdown = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Queue {
    /// Creates a worker, which handles updates of the queue with an async function. Await the returned value to run the
    /// worker. Run workers in any number of processes, on any machines.
    ///
    /// - `bot`: Bot that the handler receives. The bot must be the same as in [`Queue::open`].
    /// - `handler`: Async function that the worker calls for each update. You can pass the same function to
    ///   [`Bot::run`].
    ///
    #[doc = crate::doc_example!("
# alice.says(\"hi\");
# let reader = alice.clone();
# let signal = async move { while reader.reads().await.text() != \"hi\" {} };
# queue.receive(bot.updates()).graceful_shutdown_on({ let queue = queue.clone(); async move { while queue.lag().await.unwrap().waiting == 0 {} } }).await?;
async fn echo(bot: Bot, update: Update) -> tamtam::Result<()> {
    if let Update::MessageCreated(created) = update
        && let Some(message) = created.message
        && let Some(text) = message.text()
    {
        bot.reply(&message, text).await?;
    }
    Ok(())
}

queue.work(bot, echo).graceful_shutdown_on(signal).await?;
")]
    pub fn work<H, F>(&self, bot: Bot, handler: H) -> Work
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        Work::new(self.clone(), bot, handler)
    }
}

/// A worker that handles updates of a queue. Created by [`Queue::work`]. If you `.await` the worker, it handles updates
/// until a shutdown.
///
/// The updates of one chat are handled one after another, across all workers of the queue. NATS redelivers an
/// update that was not acknowledged. A worker acknowledges an update in these cases:
///
/// - The handler has succeeded.
/// - The handler has failed, and the function that you pass to [`on_error`](Self::on_error) has returned
///   [`Recovery::Skip`](tamtam::updates::Recovery::Skip).
/// - The update has become a [dead letter](crate::Dead): a failed update that the queue keeps for inspection.
///
#[doc = crate::doc_example!("
use tamtam::updates::Recovery;

# let signal = std::future::ready(());
let work = queue
    .work(bot, async |_, update: Update| println!(\"{}\", update.tag()))
    .dead_letter_after(3)
    .on_error(|failed| match failed.call_error() {
        Some(error) if error.may_have_been_applied() => Recovery::DeadLetter,
        Some(error) if error.is_retryable() => Recovery::Retry,
        _ => Recovery::DeadLetter,
    })
    .graceful_shutdown_on(signal);
let health = work.health();
work.await?;
println!(\"{} handled\", health.handled());
")]
///
/// An update is handled again in these cases, up to the number of attempts that
/// [`dead_letter_after`](Self::dead_letter_after) sets:
///
/// - The handler fails, and the function that you pass to [`on_error`](Self::on_error) returns
///   [`Recovery::Retry`](tamtam::updates::Recovery::Retry).
/// - The worker dies. Another worker gets the update after [`Open::ack_wait`](crate::Open::ack_wait).
/// - The handler is dropped at a shutdown. Another worker gets the update.
/// - The acknowledgement is lost, for example because a NATS server dies.
#[must_use = "a worker does nothing until it is awaited"]
pub struct Work {
    queue: Queue,
    bot: Bot,
    run: Run,
    concurrency: Option<usize>,
    attempts: Arc<AtomicU32>,
    deliveries: mpsc::Sender<Delivery>,
    shutdown: Option<Shutdown>,
}

impl Work {
    pub(crate) fn new<H, F>(queue: Queue, bot: Bot, handler: H) -> Self
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        let (deliveries, mut received) = mpsc::channel(usize::from(queue.0.slots));
        let received = stream::poll_fn(move |context| received.poll_recv(context));
        let run = bot.run_deliveries(received, handler).concurrency(usize::from(queue.0.slots));
        let attempts = Arc::new(AtomicU32::new(ATTEMPTS));
        Self { queue, bot, run, concurrency: None, attempts, deliveries, shutdown: None }
    }

    /// Sets the maximum number of updates that this worker handles at the same time. Defaults to the number of
    /// [slots](crate::Open::slots) (parts of the queue). A value of 0 counts as 1.
    ///
    /// If `updates` is less than the number of slots, an idle worker checks the slots in turn. So an update may wait
    /// for about 1 s. If the number of slots is more than 50 times `updates`, the wait is longer, for example 20 s with
    /// 1,024 slots and `concurrency(1)`. Set a number below the default only if handlers need much memory or many
    /// connections.
    pub fn concurrency(mut self, updates: usize) -> Self {
        self.concurrency = Some(updates.max(1));
        self
    }

    /// Sets the maximum number of attempts to handle an update. After this number of failed attempts, the update
    /// becomes a dead letter, even if the function that you pass to [`on_error`](Self::on_error) returns `Retry`.
    /// Defaults to 5.
    ///
    /// If a worker dies or shuts down, all its attempts to handle the update count as one failed attempt. A value of 0
    /// counts as 1.
    pub fn dead_letter_after(self, attempts: u32) -> Self {
        self.attempts.store(attempts.max(1), Ordering::Relaxed);
        self
    }

    /// Sets the function that is called if a handler returns an error, panics or exceeds its time limit. If you set
    /// no function, the update becomes a dead letter at once. The update also becomes a dead letter if the function
    /// panics or exceeds [`handler_timeout`](Self::handler_timeout). See [`Run::on_error`].
    ///
    /// The function returns one of these values, or a future of one of these values:
    ///
    /// - [`Recovery::Retry`](tamtam::updates::Recovery::Retry): the handler runs again after a delay
    ///   ([`backoff`](Self::backoff)). Later updates of the same [slot](crate::Open::slots) wait.
    /// - [`Recovery::Skip`](tamtam::updates::Recovery::Skip): the update is skipped.
    /// - [`Recovery::DeadLetter`](tamtam::updates::Recovery::DeadLetter): the update becomes a dead letter.
    pub fn on_error<D: Decision>(mut self, on_error: impl Fn(Failed) -> D + Send + Sync + 'static) -> Self {
        self.run = self.run.on_error(on_error);
        self
    }

    /// Sets the time limit of a handler. Defaults to 120 s. If a handler exceeds the limit, the handler is dropped and
    /// counts as failed. See [`Run::handler_timeout`].
    pub fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.run = self.run.handler_timeout(timeout);
        self
    }

    /// Sets the delays before an update is retried. See [`Run::backoff`].
    ///
    /// - `first`: Maximum delay before the first retry. Defaults to 0.5 s. The maximum delay doubles with each further
    ///   retry.
    /// - `most`: Upper limit of the maximum delay. Defaults to 30 s. A value below `first` counts as `first`.
    ///
    /// The actual delay is random, from 0 to the current maximum.
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        self.run = self.run.backoff(first, most);
        self
    }

    /// Sets the chat book, which is a list of the chats that the bot is in. The worker records each update in the book
    /// before it calls the handler. The chat books of all workers must use the same store. See [`Run::chat_book`].
    pub fn chat_book(mut self, book: ChatBook) -> Self {
        self.run = self.run.chat_book(book);
        self
    }

    /// Shuts the worker down when the future `signal` completes. The worker waits for its running handlers until the
    /// [`shutdown_deadline`](Self::shutdown_deadline). Other workers immediately get the fetched updates
    /// whose handlers have not started.
    pub fn graceful_shutdown_on<F>(mut self, signal: F) -> Self
    where
        F: Future + Send + 'static,
    {
        self.shutdown = Some(Box::pin(async move {
            signal.await;
        }));
        self
    }

    /// Sets the maximum time to wait for running handlers after a shutdown begins. Defaults to 10 s. A handler that
    /// takes longer is dropped, and another worker handles its update again. See [`Run::shutdown_deadline`].
    pub fn shutdown_deadline(mut self, deadline: Duration) -> Self {
        self.run = self.run.shutdown_deadline(deadline);
        self
    }

    /// Returns a handle to monitor the worker. A worker does not poll, so only these values of [`Health`] apply:
    /// `in_flight`, `handled`, `skipped`, `lag` and `pace`. For the whole queue, see [`Queue::lag`].
    #[must_use]
    pub fn health(&self) -> Health {
        self.run.health()
    }

    /// Handles updates until a shutdown. `work.run().await` and `work.await` have the same effect.
    ///
    /// While NATS does not respond, the worker retries and logs a WARN. If NATS does not confirm an acknowledgement
    /// within 30 s, the worker logs the WARN `acknowledgement not confirmed`, and the update may be handled again.
    ///
    /// # Errors
    ///
    /// Returns an error if the queue belongs to another bot ([`ErrorKind::Mismatch`](crate::ErrorKind::Mismatch)).
    /// The worker skips this check if the API of the bot does not respond at the start, or refuses the token.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the handlers are dropped at their next `await`. No update is lost: other workers get
    /// the unfinished updates after [`Open::ack_wait`](crate::Open::ack_wait).
    pub async fn run(self) -> Result<()> {
        let Self { queue, bot, run, concurrency, attempts, deliveries, shutdown } = self;
        // Without an answer of the API, the bot cannot be checked.
        if let Ok(me) = bot.me().await {
            queue.0.check_bot(me.user_id)?;
        }
        let slots = usize::from(queue.0.slots);
        let concurrency = concurrency.unwrap_or(slots);
        let room = Arc::new(Semaphore::new(concurrency));
        // With fewer handlers than slots, the slots take turns.
        let expires = if concurrency < slots { ROUND.mul_f64(concurrency as f64 / slots as f64) } else { EXPIRES };
        let (stop, stopped) = watch::channel(false);
        let peers = Peers::new(queue.0.context.client(), queue.0.names.questions(), queue.0.slots);
        let peers = Arc::new(peers);
        let mut tasks = JoinSet::new();
        for number in 0..queue.0.slots {
            let slot = Slot {
                queue: queue.clone(),
                number,
                deliveries: deliveries.clone(),
                room: Arc::clone(&room),
                attempts: attempts.load(Ordering::Relaxed),
                peers: Arc::clone(&peers),
                stopped: stopped.clone(),
                expires: expires.max(LEAST_EXPIRES),
            };
            tasks.spawn(slot.run());
        }
        drop(deliveries);
        let shutdown = shutdown.unwrap_or_else(|| Box::pin(std::future::pending()));
        let stops = stop.clone();
        let run = run.graceful_shutdown_on(async move {
            shutdown.await;
            let _ = stops.send(true);
        });
        let work = async {
            let result = run.run().await;
            // The slots return the unhandled updates.
            let _ = stop.send(true);
            let client = queue.0.context.client();
            let _ = timeout(RETURN_TIME, async {
                while tasks.join_next().await.is_some() {}
                let _ = client.flush().await;
            })
            .await;
            result
        };
        let result = tokio::select! {
            result = work => result,
            never = purges(&queue) => match never {},
            never = peers.answer() => match never {},
        };
        result.map_err(|error| Problem::Run(error).into())
    }
}

/// Removes handled updates from time to time.
async fn purges(queue: &Queue) -> Infallible {
    let interval = (queue.0.dedup_window / PURGES).max(LEAST_PURGE_INTERVAL);
    loop {
        // A random delay, so that workers that started together purge at different times.
        sleep(interval.mul_f64(0.5 + fastrand::f64())).await;
        match purge(queue, queue.0.dedup_window).await {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(queue = queue.name(), removed, "handled updates removed"),
            Err(error) => tracing::warn!(queue = queue.name(), error = %error, "purge failed"),
        }
    }
}

impl IntoFuture for Work {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("queue", &self.queue.name())
            .field("concurrency", &self.concurrency)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}
