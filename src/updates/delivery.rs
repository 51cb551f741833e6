//! A delivery: an update for the engine, and the function that is called when it is settled.

use std::{fmt, future::Future, pin::Pin};

use crate::{api::types::Update, updates::lane::Lane};

pub(super) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An update from your own source, such as a message queue. Passed to
/// [`Bot::run_deliveries`](crate::Bot::run_deliveries).
///
/// Each delivery contains a function `settle`, which you pass to [`new`](Self::new). The bot calls this function with
/// the result: the update was handled, was skipped, or became a dead letter. This call settles the delivery. A dead
/// letter is an update that you keep for inspection because the handler of the update failed permanently.
///
/// The bot settles a delivery at most once. If the bot stops before it calls `settle`, the delivery is dropped, and
/// `settle` is never called. Your source must then deliver the update again.
#[must_use = "a delivery that is not passed to the engine is not handled"]
pub struct Delivery {
    pub(super) lane: Lane,
    pub(super) content: Content,
    /// The number of earlier attempts.
    pub(super) earlier_attempts: u32,
    /// The number of attempts after which the update becomes a dead letter.
    pub(super) attempts_limit: Option<u32>,
    /// The entry to settle in the source. `None` for an update of a page: the page is committed as a whole.
    pub(super) entry: Option<Box<dyn Entry>>,
}

/// The result of handling a [`Delivery`], which is an update from your own source. The bot passes this result to the
/// function `settle` of the delivery: see [`Delivery::new`].
///
/// A handler fails if it returns an error, panics or exceeds its time limit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settled {
    /// The handler succeeded.
    Handled,
    /// The handler failed, and the update is skipped: the handler does not run again.
    ///
    /// A failed update is skipped if [`on_error`](crate::updates::Run::on_error) returns
    /// [`Recovery::Skip`](crate::updates::Recovery::Skip). In a delivery without
    /// [`dead_letter_after`](Delivery::dead_letter_after), a failed update is also skipped if `on_error` is not set,
    /// panics, exceeds its time limit, or returns [`Recovery::DeadLetter`](crate::updates::Recovery::DeadLetter).
    Skipped,
    /// The update is a dead letter: the handler does not run again. Store the update for inspection.
    ///
    /// In a delivery with [`dead_letter_after`](Delivery::dead_letter_after), which sets the maximum number of
    /// attempts, an update becomes a dead letter in these cases:
    ///
    /// - The handler failed, [`on_error`](crate::updates::Run::on_error) returned
    ///   [`Recovery::Retry`](crate::updates::Recovery::Retry), and the number of attempts has reached the maximum.
    /// - The handler failed, and `on_error` is not set, panicked, exceeded its time limit, or returned
    ///   [`Recovery::DeadLetter`](crate::updates::Recovery::DeadLetter).
    /// - The number of attempts before this delivery ([`Delivery::earlier_attempts`]) has already reached the maximum.
    ///   The handler is not called.
    Dead {
        /// The number of attempts, including the attempts before this delivery ([`Delivery::earlier_attempts`]).
        attempts: u32,
        /// The reason why the last attempt failed, or why the handler was not called.
        cause: String,
    },
}

/// The update of a delivery. Boxed, so that the queues move few bytes.
pub(super) enum Content {
    Update(Box<Update>),
    /// The update is on the disk, and is read when it is handled.
    #[cfg(feature = "journal")]
    Stored(Box<dyn FnOnce() -> BoxFuture<Option<Box<Update>>> + Send>),
}

impl Content {
    /// Returns the update. `None` if it is already settled.
    pub(super) async fn load(self) -> Option<Box<Update>> {
        match self {
            Self::Update(update) => Some(update),
            #[cfg(feature = "journal")]
            Self::Stored(load) => load().await,
        }
    }
}

/// A delivery in its source.
pub(super) trait Entry: Send {
    /// Called right before each handler call. `attempt` counts from 1, including earlier attempts.
    fn begins(&mut self, _attempt: u32) -> Option<BoxFuture<()>> {
        None
    }

    /// Called after a failed handler call that will be retried.
    fn fails(&mut self, _attempt: u32) -> Option<BoxFuture<()>> {
        None
    }

    fn settle(self: Box<Self>, settled: Settled) -> BoxFuture<()>;
}

/// An entry of a source outside of the crate.
struct Custom<S>(S);

impl<S, F> Entry for Custom<S>
where
    S: FnOnce(Settled) -> F + Send,
    F: Future<Output = ()> + Send + 'static,
{
    fn settle(self: Box<Self>, settled: Settled) -> BoxFuture<()> {
        Box::pin((self.0)(settled))
    }
}

impl Delivery {
    /// Creates a delivery from an update and a function that receives the result.
    ///
    /// - `update`: Update to handle.
    /// - `settle`: Function that the bot calls with the result. Before the bot handles the next update of the same
    ///   [lane](Lane) (usually the same chat), it waits for the future that `settle` returns.
    ///
    /// ```
    /// use tamtam::{Update, updates::{Delivery, Settled}};
    ///
    /// # struct Queue;
    /// # impl Queue { async fn acknowledge(&self, _number: u64) {} }
    /// # fn deliver(queue: std::sync::Arc<Queue>, update: Update, number: u64) -> Delivery {
    /// Delivery::new(update, async move |settled| {
    ///     if let Settled::Dead { cause, .. } = settled {
    ///         eprintln!("dead letter {number}: {cause}");
    ///     }
    ///     queue.acknowledge(number).await;
    /// })
    /// # }
    /// ```
    pub fn new<F>(update: Update, settle: impl FnOnce(Settled) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self { entry: Some(Box::new(Custom(settle))), ..Self::of_page(update) }
    }

    pub(super) fn of_page(update: Update) -> Self {
        let (lane, content) = (update.lane(), Content::Update(Box::new(update)));
        Self { lane, content, earlier_attempts: 0, attempts_limit: None, entry: None }
    }

    /// Sets the number of earlier attempts to handle the update, for example in another process. Defaults to 0.
    pub fn earlier_attempts(mut self, attempts: u32) -> Self {
        self.earlier_attempts = attempts;
        self
    }

    /// Sets the maximum number of failed attempts, after which the update becomes a dead letter. The bot then settles
    /// the delivery with [`Settled::Dead`].
    ///
    /// The function that you pass to [`on_error`](crate::updates::Run::on_error) can retry the update until this
    /// maximum is reached. If you pass no function, the update becomes a dead letter after one failed attempt.
    ///
    /// `attempts` includes the [earlier attempts](Self::earlier_attempts). If the number of earlier attempts is at
    /// least `attempts`, the bot settles the delivery with `Settled::Dead` and does not call the handler. So with 0,
    /// the bot never calls the handler.
    ///
    /// If `dead_letter_after` is not called, the update never becomes a dead letter, and the number of retries by
    /// [`Recovery::Retry`](crate::updates::Recovery::Retry) has no limit.
    pub fn dead_letter_after(mut self, attempts: u32) -> Self {
        self.attempts_limit = Some(attempts);
        self
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("lane", &self.lane)
            .field("earlier_attempts", &self.earlier_attempts)
            .finish_non_exhaustive()
    }
}
