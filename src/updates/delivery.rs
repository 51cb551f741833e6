//! A delivery: an update for the engine, and what is called when it is settled.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use crate::{
    api::types::Update,
    updates::{lane::Lane, pages::PageInProgress},
};

type SettleFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An update from a source of your own, such as a message queue, for [`Bot::run_deliveries`](crate::Bot::run_deliveries).
///
/// The engine settles each delivery at most once. A delivery that is dropped without being settled was not handled: the
/// bot was stopped or cancelled, and the source must deliver the update again.
#[must_use = "an update that is not handed to the engine is not handled"]
pub struct Delivery {
    /// Boxed, so that the queues move little.
    pub(super) update: Box<Update>,
    /// How often the update was handed out before.
    pub(super) earlier_attempts: u32,
    /// After how many attempts it is given up as a dead letter.
    pub(super) attempts_limit: Option<u32>,
    pub(super) settle: Settle,
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Settled {
    /// Its handler succeeded.
    Handled,
    /// Its handler failed, and [`Recovery::Skip`](crate::Recovery::Skip) gave the update up.
    Skipped,
    /// Its handler failed as often as [`dead_letter_after`](Delivery::dead_letter_after) allows, or failed and no
    /// `on_error` is set. Keep the update for a person to look at.
    Dead {
        /// How often the update was handed out.
        attempts: u32,
        /// Why the last attempt failed.
        cause: String,
    },
}

/// What is called when a delivery is settled.
pub(super) enum Settle {
    Page(Arc<PageInProgress>),
    Custom(Box<dyn FnOnce(Settled) -> SettleFuture + Send>),
}

impl Settle {
    pub(super) async fn settle(self, settled: Settled) {
        match self {
            Self::Page(page) => page.settled_one(),
            Self::Custom(settle) => settle(settled).await,
        }
    }
}

impl Delivery {
    /// Makes a delivery. `settle` is called with the result; the next update of the same [lane](Lane) waits for the future
    /// that it returns.
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
        Self::of(update, Settle::Custom(Box::new(|settled| Box::pin(settle(settled)))))
    }

    pub(super) fn of(update: Update, settle: Settle) -> Self {
        Self { update: Box::new(update), earlier_attempts: 0, attempts_limit: None, settle }
    }

    pub(super) fn lane(&self) -> Lane {
        self.update.lane()
    }

    /// Sets how often the update was handed out before, in another process for example. Defaults to 0.
    pub fn earlier_attempts(mut self, attempts: u32) -> Self {
        self.earlier_attempts = attempts;
        self
    }

    /// Gives the update up as [`Settled::Dead`] after `attempts` failed attempts, the earlier ones included. Without this
    /// setting there are no dead letters, and [`Recovery::Retry`](crate::Recovery::Retry) has no limit.
    pub fn dead_letter_after(mut self, attempts: u32) -> Self {
        self.attempts_limit = Some(attempts);
        self
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("lane", &self.lane())
            .field("kind", &self.update.tag())
            .field("earlier_attempts", &self.earlier_attempts)
            .finish_non_exhaustive()
    }
}
