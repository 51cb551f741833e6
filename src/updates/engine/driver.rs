//! A driver: one task that runs the handlers of many lanes.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
    task::{Context as TaskContext, Poll, Waker},
    time::{Duration, Instant},
};

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::{
    lanes::Claim,
    shared::{Context, Shared, State},
};
use crate::{
    client::clock::Clock,
    updates::{
        delivery::{Delivery, Settled},
        handler::Outcome,
        health::Moment,
        lane::Lane,
    },
};

/// How long a driver goes on without a break. A task that a handler has woken waits for it on the same thread.
const TURN: Duration = Duration::from_millis(1);

pub(super) struct Driver {
    shared: Arc<Shared>,
    number: usize,
    /// How many drivers there are.
    drivers: usize,
    /// The most lanes at a time: an equal share, so that a driver that is blocked leaves the others theirs.
    share: usize,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, number: usize, drivers: usize) -> Self {
        let share = shared.context.concurrency.div_ceil(drivers);
        Self { shared, number, drivers, share }
    }

    pub(super) async fn run(self) {
        let shared = &*self.shared;
        let mut lanes = FuturesUnordered::new();
        // Lanes that are done and not released yet. Several are released at a time: the lock is taken less often.
        let mut done = Vec::new();
        let drive = |context: &mut TaskContext<'_>| {
            let began = Instant::now();
            loop {
                if let Poll::Ready(Some(lane)) = lanes.poll_next_unpin(context) {
                    done.push(lane);
                    if began.elapsed() > TURN {
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    continue;
                }
                // No handler can go on: only now are more lanes claimed. So while this driver computes, the others get them.
                let (claims, source) = self.exchange(&mut done, lanes.len(), context);
                if claims.is_empty() && source.is_none() {
                    return Poll::<()>::Pending;
                }
                let moment = shared.context.health.moment();
                for Claim { lane, deliveries } in claims {
                    lanes.push(handle_lane(shared, lane, deliveries, moment));
                }
                if let Some(source) = source {
                    // The source runs before the next handler, which may block this thread.
                    source.wake();
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        };
        std::future::poll_fn(drive).await;
    }

    /// Releases lanes and claims others. If there are none, the driver is woken when there are. Returns the waker of the
    /// source, too, if it waits for what has changed.
    fn exchange(&self, done: &mut Vec<Lane>, has: usize, context: &mut TaskContext<'_>) -> (Vec<Claim>, Option<Waker>) {
        let mut state = self.shared.state();
        let State { lanes, asleep, source } = &mut *state;
        for lane in done.drain(..) {
            lanes.release(lane);
        }
        // Less and less, so that the drivers are done at the same time.
        let chunk = lanes.ready().div_ceil(2 * self.drivers);
        let claims = lanes.claim(chunk.min(self.share.saturating_sub(has)));
        if claims.is_empty() {
            asleep[self.number] = Some(context.waker().clone());
        }
        (claims, source.take())
    }
}

/// Handles deliveries of a lane, one after the other.
async fn handle_lane(shared: &Shared, lane: Lane, deliveries: VecDeque<Delivery>, moment: Moment) -> Lane {
    for delivery in deliveries {
        if shared.is_closed.load(Ordering::Relaxed) {
            break;
        }
        handle(shared, delivery, moment).await;
    }
    lane
}

/// Hands an update out until it is settled.
async fn handle(shared: &Shared, delivery: Delivery, moment: Moment) {
    let Delivery { lane: _, content, earlier_attempts, attempts_limit, mut settle } = delivery;
    let Context { bot, handling, health, backoff, .. } = &shared.context;
    let mut update = *content.load().await;
    let _handed_out = health.hand_out(&update, moment);
    let mut attempts = earlier_attempts;
    let limit = attempts_limit.unwrap_or(u32::MAX);
    let settled = loop {
        if attempts >= limit {
            let cause = format!("the process ended during its handler, {attempts} times");
            break Settled::Dead { attempts, cause };
        }
        attempts = attempts.saturating_add(1);
        settle.begins(attempts).await;
        let in_flight = health.begin();
        let outcome = handling.handle(bot, update, attempts).await;
        drop(in_flight);
        match outcome {
            Outcome::Handled => break Settled::Handled,
            Outcome::Skipped => break Settled::Skipped,
            Outcome::Undecided(cause) if attempts_limit.is_some() => break Settled::Dead { attempts, cause },
            Outcome::Undecided(_) => break Settled::Skipped,
            Outcome::Again(_, cause) if attempts >= limit => break Settled::Dead { attempts, cause },
            Outcome::Again(again, _) => update = again,
        }
        settle.fails(attempts).await;
        let clock: &dyn Clock = &*bot.transport().clock;
        clock.sleep(backoff.jittered(attempts - earlier_attempts, clock.chance())).await;
    };
    match settled {
        Settled::Handled => health.count_handled(),
        Settled::Skipped | Settled::Dead { .. } => health.count_skipped(),
    }
    settle.settle(settled).await;
}
