//! A driver: one task that runs the handlers of many lanes.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context as TaskContext, Poll, Waker},
    time::{Duration, Instant},
};

use futures_util::{
    future::{FutureExt as _, OptionFuture},
    stream::{FuturesUnordered, StreamExt as _},
};

use tokio::task::yield_now;

use super::{
    lanes::{Claim, Number, Queue},
    shared::{Context, Shared},
};
use crate::{
    client::clock::Clock,
    updates::{
        delivery::{Delivery, Settled},
        handler::Outcome,
        health::Moment,
    },
};

/// The time after which a driver yields. A task that a handler woke may wait for this thread.
const TURN: Duration = Duration::from_millis(1);

pub(super) struct Driver {
    shared: Arc<Shared>,
    number: usize,
    /// The number of drivers.
    drivers: usize,
    /// The maximum number of lanes at a time: an equal share, so that a blocked driver holds no more lanes than that.
    share: usize,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, number: usize, drivers: usize) -> Self {
        let share = shared.context.concurrency.div_ceil(drivers);
        Self { shared, number, drivers, share }
    }

    pub(super) async fn run(self) {
        let (shared, thread) = (&*self.shared, self.number);
        // Lanes whose handlers are pending.
        let mut pending = FuturesUnordered::new();
        // Claimed lanes that are not started.
        let mut claims = Vec::new().into_iter();
        // Lanes that are done and not released yet. They are released together, to take the lock less often.
        let mut done = Vec::new();
        // The lane that is started. Most lanes are done at the first poll, so the next lane reuses the allocation.
        let mut place = Box::pin(OptionFuture::default());
        let mut moment = shared.context.health.moment();
        let drive = |context: &mut TaskContext<'_>| {
            let _turn = shared.watched.begin(thread);
            shared.state().wakes(thread);
            let began = Instant::now();
            loop {
                if let Some(Claim { number, deliveries }) = claims.next() {
                    place.set(Some(handle_lane(shared, thread, number, deliveries, moment)).into());
                    match place.as_mut().poll(context) {
                        Poll::Ready(number) => done.extend(number),
                        Poll::Pending => pending.push(std::mem::replace(&mut place, Box::pin(OptionFuture::default()))),
                    }
                } else if let Poll::Ready(Some(number)) = pending.poll_next_unpin(context) {
                    done.extend(number);
                } else {
                    // Claim more lanes only when no handler can proceed, so that other drivers get them while this one
                    // is busy.
                    let exchange = self.exchange(&mut done, pending.len(), context);
                    claims = exchange.claims.into_iter();
                    moment = shared.context.health.moment();
                    let has_woken = !exchange.woken.is_empty();
                    exchange.woken.into_iter().for_each(Waker::wake);
                    if has_woken && claims.len() > 0 {
                        // Tokio may queue a woken task on this thread, and the next handler may block it.
                        context.waker().wake_by_ref();
                        return Poll::<()>::Pending;
                    }
                    if claims.len() == 0 {
                        return Poll::Pending;
                    }
                }
                if began.elapsed() > TURN {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        };
        std::future::poll_fn(drive).await;
    }

    /// Releases lanes that are done, and claims ready ones. If no lane is ready, the next ready lane wakes the driver.
    fn exchange(&self, done: &mut Vec<Number>, has: usize, context: &mut TaskContext<'_>) -> Exchange {
        let mut state = self.shared.state();
        for number in done.drain(..) {
            state.lanes.release(number);
        }
        // Half of an equal share: chunks shrink towards the end, so that all drivers finish at the same time.
        let chunk = state.lanes.ready().div_ceil(2 * self.drivers);
        let room = self.share.saturating_sub(has);
        let claims = state.lanes.claim(chunk.min(room));
        if claims.is_empty() {
            state.sleeps(self.number, context.waker().clone(), room);
        }
        // Wakes another driver: released lanes may be ready again, and this driver may be busy for long.
        let mut woken = state.sleepers(1);
        woken.extend(state.source());
        Exchange { claims, woken }
    }
}

/// The result of [`Driver::exchange`].
struct Exchange {
    claims: Vec<Claim>,
    /// Wakers to call: of a driver if lanes are left, and of the source if its condition is reached.
    woken: Vec<Waker>,
}

/// Handles deliveries of a lane, one after the other.
async fn handle_lane(shared: &Shared, thread: usize, number: Number, deliveries: Queue, moment: Moment) -> Number {
    let mut began = Instant::now();
    for delivery in deliveries {
        if began.elapsed() > TURN {
            yield_now().await;
            began = Instant::now();
        }
        if shared.is_closed() {
            break;
        }
        handle(shared, thread, delivery, moment).await;
    }
    number
}

/// Calls the handler with an update until the update is settled.
async fn handle(shared: &Shared, thread: usize, delivery: Delivery, moment: Moment) {
    let Delivery { lane: _, content, earlier_attempts, attempts_limit, mut entry } = delivery;
    let Context { bot, handling, health, backoff, .. } = &shared.context;
    let Some(mut update) = content.load().await else { return };
    let mut in_progress = health.begin(thread, &update, moment);
    let mut attempts = earlier_attempts;
    let limit = attempts_limit.unwrap_or(u32::MAX);
    let settled = loop {
        if attempts >= limit {
            let cause = format!("the process ended during its handler, {attempts} times");
            break Settled::Dead { attempts, cause };
        }
        attempts = attempts.saturating_add(1);
        if let Some(begun) = entry.as_mut().and_then(|entry| entry.begins(attempts)) {
            begun.await;
        }
        // The engine may have been closed while the update was read or the attempt was written.
        if shared.is_closed() {
            return;
        }
        in_progress.set_in_flight(true);
        let outcome = handling.handle(bot, update, attempts).await;
        match outcome {
            Outcome::Handled => break Settled::Handled,
            Outcome::Skipped => break Settled::Skipped,
            Outcome::Undecided(cause) if attempts_limit.is_some() => break Settled::Dead { attempts, cause },
            Outcome::Undecided(_) => break Settled::Skipped,
            Outcome::Again(_, cause) if attempts >= limit => break Settled::Dead { attempts, cause },
            Outcome::Again(again, _) => update = again,
        }
        in_progress.set_in_flight(false);
        if let Some(failed) = entry.as_mut().and_then(|entry| entry.fails(attempts)) {
            failed.await;
        }
        let clock: &dyn Clock = &*bot.transport().clock;
        shared.pause(clock.sleep(backoff.jittered(attempts - earlier_attempts, clock.chance()))).await;
        if shared.is_closed() {
            return;
        }
    };
    let is_handled = settled == Settled::Handled;
    if let Some(entry) = entry {
        // The settle function may be code of another crate.
        let settle = AssertUnwindSafe(async move { entry.settle(settled).await }).catch_unwind();
        if settle.await.is_err() {
            tracing::error!("settling a delivery panicked");
            return;
        }
    }
    in_progress.end(is_handled);
}
