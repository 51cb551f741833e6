//! The state that the source and the drivers share.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::Waker,
};

use tokio::sync::Notify;

use super::{lanes::Lanes, watchdog::Watched};
use crate::{
    client::{bot::Bot, retry::Backoff},
    updates::{handler::Handling, health::Health},
};

/// The number of unsettled deliveries from which on the source is not polled.
const QUEUE: usize = 1000;

/// The bot, the handler and the settings of an engine.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) bot: Bot,
    pub(crate) handling: Handling,
    pub(crate) health: Health,
    /// The delays before an update is retried.
    pub(crate) backoff: Backoff,
    /// The maximum number of lanes that are handled concurrently.
    pub(crate) concurrency: usize,
}

pub(super) struct Shared {
    pub(super) context: Context,
    pub(super) watched: Arc<Watched>,
    state: Mutex<State>,
    /// Whether no further handler may start.
    is_closed: AtomicBool,
    closed: Notify,
}

pub(super) struct State {
    pub(super) lanes: Lanes,
    /// The drivers that sleep, by their numbers.
    asleep: Vec<Option<Sleeper>>,
    /// The driver that is woken first the next time, so that all drivers get their turn.
    first: usize,
    /// The condition and the waker of the source, while it waits.
    source: Option<(Wanted, Waker)>,
}

/// A driver that waits for a lane, or for its handlers.
struct Sleeper {
    waker: Waker,
    /// The number of lanes that it may still claim.
    room: usize,
}

impl Shared {
    pub(super) fn new(context: Context, drivers: usize) -> Self {
        let lanes = Lanes::new(context.concurrency);
        let state = State { lanes, asleep: (0..drivers).map(|_| None).collect(), first: 0, source: None };
        let watched = Arc::new(Watched::new(drivers));
        Self { context, watched, state: Mutex::new(state), is_closed: AtomicBool::new(false), closed: Notify::new() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Prevents further handlers from starting, and drops the waiting deliveries.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
        self.closed.notify_waiters();
        let dropped = self.state().lanes.close();
        drop(dropped);
    }

    /// Waits for `pause`, at most until no further handler may start.
    pub(super) async fn pause(&self, pause: impl Future<Output = ()>) {
        let mut closed = pin!(self.closed.notified());
        closed.as_mut().enable();
        if !self.is_closed() {
            tokio::select! {
                () = pause => {}
                () = closed => {}
            }
        }
    }
}

impl State {
    /// Records that a driver runs. It claims lanes before it sleeps again, so it need not be woken.
    pub(super) fn wakes(&mut self, driver: usize) {
        self.asleep[driver] = None;
    }

    /// Records that a driver sleeps. `room` is the number of lanes that it may still claim.
    pub(super) fn sleeps(&mut self, driver: usize, waker: Waker, room: usize) {
        self.asleep[driver] = Some(Sleeper { waker, room });
    }

    /// Takes the wakers of sleeping drivers that may claim a lane: one for each claimable lane, and at most `most`.
    pub(super) fn sleepers(&mut self, most: usize) -> Vec<Waker> {
        let (number, mut wanted) = (self.asleep.len(), self.lanes.claimable().min(most));
        let mut wakers = Vec::new();
        for driver in (self.first..self.first + number).map(|driver| driver % number) {
            if wanted == 0 {
                break;
            }
            if let Some(sleeper) = self.asleep[driver].take_if(|sleeper| sleeper.room > 0) {
                wakers.push(sleeper.waker);
                wanted -= 1;
                self.first = driver + 1;
            }
        }
        wakers
    }

    pub(super) fn source_waits(&mut self, wanted: Wanted, waker: Waker) {
        self.source = Some((wanted, waker));
    }

    /// Takes the waker of the source, if its condition is reached.
    pub(super) fn source(&mut self) -> Option<Waker> {
        self.source.take_if(|(wanted, _)| wanted.is_reached(&self.lanes)).map(|(_, waker)| waker)
    }
}

/// The condition that a source waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    #[cfg(feature = "journal")]
    Nothing,
    /// Fewer than [`QUEUE`] deliveries are unsettled.
    Room,
    /// No lane is ready or claimed. Never reached once a driver was dropped with a claimed lane.
    Idle,
}

impl Wanted {
    pub(super) fn is_reached(self, lanes: &Lanes) -> bool {
        match self {
            #[cfg(feature = "journal")]
            Self::Nothing => true,
            Self::Room => lanes.unsettled() < QUEUE,
            Self::Idle => lanes.is_idle(),
        }
    }
}
