//! The lane engine: runs handlers, in order within a lane and concurrently between lanes, on all cores.
//!
//! A source feeds deliveries to the engine, which queues them in [`lanes`]. There is one [`driver`] per worker thread
//! of the runtime. Drivers claim lanes that are ready and run their handlers. A driver is one task for many lanes: one
//! task per lane would wake a sleeping thread for each lane, which costs more than a short handler. A [`watchdog`]
//! keeps the runtime's timers and sockets going while a handler blocks its thread.

mod driver;
mod lanes;
mod shared;
mod watchdog;

use std::{
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::Duration,
};

use tokio::{
    runtime::{Handle, RuntimeFlavor},
    task::JoinSet,
    time::timeout,
};

use crate::updates::delivery::Delivery;
use driver::Driver;
use shared::Shared;
pub(super) use shared::{Context, Wanted};
use watchdog::Watchdog;

/// Time to wait until the handlers are dropped.
const DROPPING_TIME: Duration = Duration::from_secs(1);

/// The engine's interface for its source.
pub(super) struct Engine {
    shared: Arc<Shared>,
}

/// The running drivers. Dropping them drops the handlers at their current `await`, and leaves their deliveries
/// unsettled.
pub(super) struct Drivers {
    tasks: JoinSet<()>,
    _watchdog: Option<Watchdog>,
}

impl Engine {
    /// Starts the drivers on the current runtime.
    pub(super) fn start(context: Context) -> (Self, Drivers) {
        let runtime = Handle::current();
        let drivers = match runtime.runtime_flavor() {
            RuntimeFlavor::CurrentThread => 1,
            _ => runtime.metrics().num_workers(),
        };
        let shared = Arc::new(Shared::new(context, drivers));
        let spawn = |number| Driver::new(Arc::clone(&shared), number, drivers).run();
        let tasks = (0..drivers).map(spawn).collect();
        let watchdog = Watchdog::start(&shared.watched, runtime);
        (Self { shared }, Drivers { tasks, _watchdog: watchdog })
    }

    /// Queues deliveries.
    pub(super) fn feed(&self, deliveries: impl IntoIterator<Item = Delivery>) {
        let sleepers = {
            let mut state = self.shared.state();
            for delivery in deliveries {
                state.lanes.push(delivery);
            }
            state.sleepers(usize::MAX)
        };
        // Not under the lock: a woken driver takes the lock at once.
        sleepers.into_iter().for_each(Waker::wake);
    }

    /// Waits until `wanted` is reached.
    pub(super) async fn until(&self, wanted: Wanted) {
        let poll = |context: &mut TaskContext<'_>| {
            let mut state = self.shared.state();
            if wanted.is_reached(&state.lanes) {
                return Poll::Ready(());
            }
            state.source_waits(wanted, context.waker().clone());
            Poll::Pending
        };
        std::future::poll_fn(poll).await;
    }

    /// Prevents further handlers from starting, and drops the waiting deliveries.
    pub(super) fn close(&self) {
        self.shared.close();
    }
}

/// A busy driver runs until its next `await`. Closing the engine keeps it from starting another handler.
impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Drivers {
    /// Resumes the panic of a driver. Panics of handlers are caught before, so this one is a bug of the engine.
    pub(super) async fn watch(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended
                && let Ok(panic) = error.try_into_panic()
            {
                std::panic::resume_unwind(panic);
            }
        }
        // The runtime is shutting down. Wait forever: returning would report unsettled deliveries as handled.
        std::future::pending().await
    }

    /// Drops the handlers, and waits for at most [`DROPPING_TIME`] until they are dropped. A handler that computes or
    /// blocks cannot be dropped before its next `await`.
    pub(super) async fn shutdown(mut self) {
        let _ = timeout(DROPPING_TIME, self.tasks.shutdown()).await;
    }
}
