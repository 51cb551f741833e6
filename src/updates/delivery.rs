//! A delivery: an update for the engine, and the function that is called when it is settled.

use std::{fmt, future::Future, pin::Pin};

use crate::{api::types::Update, updates::lane::Lane};

pub(super) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An update from a source of your own, such as a message queue, for [`Bot::run_deliveries`](crate::Bot::run_deliveries).
///
/// The engine settles each delivery at most once. A delivery that is dropped without being settled was not handled: the
/// bot was stopped or cancelled, and the source must deliver the update again.
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

/// The result of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settled {
    /// The handler succeeded.
    Handled,
    /// The handler failed, and `on_error` returned [`Recovery::Skip`](crate::updates::Recovery::Skip). Without
    /// [`dead_letter_after`](Delivery::dead_letter_after), also if `on_error` is not set, panicked, or returned
    /// [`Recovery::DeadLetter`](crate::updates::Recovery::DeadLetter).
    Skipped,
    /// The limit of [`dead_letter_after`](Delivery::dead_letter_after) is reached. With such a limit, also if the handler
    /// failed and `on_error` is not set, panicked, or returned [`Recovery::DeadLetter`](crate::updates::Recovery::DeadLetter). Keep the
    /// update for inspection.
    Dead {
        /// The number of attempts, including earlier ones.
        attempts: u32,
        /// Why the last attempt failed.
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
    /// Makes a delivery. `settle` is called with the result. The next update of the same [lane](Lane) waits for the
    /// future that `settle` returns.
    ///
    /// ```
    /// use tamtam::{Update, updates::{Delivery, Settled}};
    ///
    /// # struct Queue;
    /// # impl Queue { async fn acknowledge(&self, _number: u64) {} }
    /// # fn deliver(queue: std::sync::Arc<Queue>, update: Update, number: u64) -> Delivery {
    /// Delivery::new(update, async move |settled| match settled {
    ///     Settled::Dead { cause, .. } => eprintln!("dead letter {number}: {cause}"),
    ///     _ => queue.acknowledge(number).await,
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

    /// Sets the number of earlier attempts, for example in another process. Defaults to 0.
    pub fn earlier_attempts(mut self, attempts: u32) -> Self {
        self.earlier_attempts = attempts;
        self
    }

    /// Settles the update as [`Settled::Dead`] after `attempts` failed attempts, including earlier ones. Without this
    /// setting, there are no dead letters, and [`Recovery::Retry`](crate::updates::Recovery::Retry) has no limit.
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
