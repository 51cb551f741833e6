//! What the source and the drivers share.

use std::{
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    task::Waker,
};

use super::lanes::Lanes;
use crate::{
    client::{bot::Bot, retry::Backoff},
    updates::{handler::Handling, health::Health},
};

/// Deliveries that wait in memory, from which the source is not asked for more.
const QUEUE: usize = 1000;

/// What all handlers run with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) bot: Bot,
    pub(crate) handling: Handling,
    pub(crate) health: Health,
    /// The waits before an update is handed out again.
    pub(crate) backoff: Backoff,
    /// How many lanes are handled at a time.
    pub(crate) concurrency: usize,
}

pub(super) struct Shared {
    pub(super) context: Context,
    state: Mutex<State>,
    /// Whether no further handler may begin.
    pub(super) is_closed: AtomicBool,
}

pub(super) struct State {
    pub(super) lanes: Lanes,
    /// Drivers that wait for a lane.
    pub(super) asleep: Vec<Option<Waker>>,
    /// The source, if it waits for something.
    pub(super) source: Option<(Wanted, Waker)>,
}

impl Shared {
    pub(super) fn new(context: Context, drivers: usize) -> Self {
        let state = State { lanes: Lanes::new(context.concurrency), asleep: vec![None; drivers], source: None };
        Self { context, state: Mutex::new(state), is_closed: AtomicBool::new(false) }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a source waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    #[cfg(feature = "journal")]
    Nothing,
    /// Fewer deliveries wait than fit into the queue.
    Room,
    /// All deliveries are settled. What was cancelled never is.
    Idle,
}

impl Wanted {
    pub(super) fn is_reached(self, lanes: &Lanes) -> bool {
        match self {
            #[cfg(feature = "journal")]
            Self::Nothing => true,
            Self::Room => lanes.waiting() < QUEUE,
            Self::Idle => lanes.is_idle(),
        }
    }
}
