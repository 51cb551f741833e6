//! The gate that every request of a bot passes: which requests wait, in which order, and for how long.
//!
//! There is a queue of waiting requests for each priority. No request holds a lock while it waits. When a request looks
//! at the queues, it lets all due requests pass, not only itself. So a request whose future is not polled counts
//! against the limits once, and does not delay other requests.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, oneshot},
    time::Instant,
};

use super::schedule::{Busy, PaceKey, Priority, Schedule, Ticket};
use crate::{
    client::{
        clock::{Clock, millis},
        retry::Backoff,
    },
    service::Pace,
};

/// If no 429 comes within this time after the end of a pause, the next 429 starts the backoff from its first step.
const REFUSALS_KEPT: Duration = Duration::from_secs(10);
/// The longest pause. The same as for `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// A longer pause is logged as a warning.
const LONG_PAUSE: Duration = Duration::from_secs(60);

/// Delays requests to the pace of a bot. Waiting requests keep their order within a priority. The exception: a request
/// that waits for the limit of its chat, or for the limit of polls, lets others pass.
pub(crate) struct Gate {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    schedule: Schedule,
    /// The number of the next waiting request.
    number: u64,
    /// Indexed by priority, and ordered by arrival.
    queues: [BTreeMap<u64, Waiter>; 2],
    /// The number of consecutive 429s, and the time at which the last one started a pause.
    refusals: u32,
    paused_at: Option<Instant>,
}

/// A waiting request.
struct Waiter {
    key: Option<PaceKey>,
    pass: oneshot::Sender<Option<Ticket>>,
    /// Wakes the request to recompute its due time. Used for the next request of a priority or a chat.
    look: Arc<Notify>,
}

/// The state of the request limits of a bot: how many requests wait, and how long all requests are paused. Returned by
/// [`Health::pace`](crate::updates::Health::pace).
///
/// [`Pace`](crate::settings::Pace) sets the request limits. A request waits if it would exceed a limit. After a
/// response with status 429 (too many requests), the bot pauses: all requests of the bot wait until the pause ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PaceHealth {
    /// The number of waiting requests, excluding the requests counted in `waiting_in_background`.
    pub waiting: usize,
    /// The number of waiting requests that bots from [`Bot::background`](crate::Bot::background) have made. These
    /// requests have a lower priority.
    pub waiting_in_background: usize,
    /// The time left in the current pause. `None` if the bot is not paused.
    pub pause: Option<Duration>,
}

impl Gate {
    pub(crate) fn new(pace: Pace, clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            schedule: Schedule::new(pace),
            number: 0,
            queues: [BTreeMap::new(), BTreeMap::new()],
            refusals: 0,
            paused_at: None,
        };
        Self { clock, inner: Mutex::new(inner) }
    }

    /// Waits until a request may be sent. Dropping the future gives up the place in the queue.
    pub(crate) async fn pass(&self, key: Option<PaceKey>, priority: Priority) -> Passage<'_> {
        let began = self.clock.now();
        let mut waiting = match self.begin(began, key, priority) {
            Ok(ticket) => return Passage { gate: self, ticket, waited: Duration::ZERO },
            Err(waiting) => waiting,
        };
        loop {
            let now = self.clock.now();
            let due = {
                let mut inner = self.lock();
                inner.let_pass(now, false);
                inner.due(now, waiting.number, priority)
            };
            // Without `due`, the request has passed.
            let sleep = async {
                if let Some(due) = due {
                    self.clock.sleep(due.saturating_duration_since(now)).await;
                }
            };
            tokio::select! {
                biased;
                passed = &mut waiting.passed => {
                    // The queue does not drop a sender that it has not used.
                    let ticket = passed.unwrap_or_default();
                    return Passage { gate: self, ticket, waited: self.clock.now().duration_since(began) };
                }
                () = sleep => {}
                () = waiting.look.notified() => {}
            }
        }
    }

    /// Lets a request pass immediately, or appends it to the queue.
    fn begin(&self, now: Instant, key: Option<PaceKey>, priority: Priority) -> Result<Option<Ticket>, Waiting<'_>> {
        let mut inner = self.lock();
        if inner.queues.iter().all(BTreeMap::is_empty)
            && let Ok(ticket) = inner.schedule.try_admit(now, key, priority)
        {
            return Ok(ticket);
        }
        let ((pass, passed), look) = (oneshot::channel(), Arc::new(Notify::new()));
        let number = inner.number;
        inner.number += 1;
        inner.queues[priority as usize].insert(number, Waiter { key, pass, look: Arc::clone(&look) });
        Err(Waiting { gate: self, number, priority, passed, look })
    }

    /// Stops all requests of the bot after a 429, for `asked` or for a backoff, whichever is longer. Returns the
    /// remaining length of the pause. `sent`: time at which the refused request was sent. If the request was sent
    /// before the last pause began, the backoff does not grow.
    pub(crate) fn pause(&self, sent: Instant, asked: Option<Duration>, backoff: Backoff, chance: f64) -> Duration {
        let now = self.clock.now();
        let mut inner = self.lock();
        let is_known = inner.paused_at.is_some_and(|paused_at| sent <= paused_at);
        let mut pause = asked.unwrap_or_default();
        if !is_known {
            let is_old =
                inner.schedule.pause_end().is_none_or(|end| now.saturating_duration_since(end) > REFUSALS_KEPT);
            inner.refusals = if is_old { 1 } else { inner.refusals.saturating_add(1) };
            inner.paused_at = Some(now);
            pause = pause.max(backoff.jittered(inner.refusals, chance)).max(inner.schedule.least_pause());
        }
        let before = inner.schedule.paused_for(now).unwrap_or_default();
        pause = pause.min(LONGEST_PAUSE);
        if pause > before {
            inner.schedule.pause_until(now + pause);
            if pause > LONG_PAUSE && before <= LONG_PAUSE {
                tracing::warn!(pause_ms = millis(pause), "long pause after a 429");
            }
        }
        pause.max(before)
    }

    pub(crate) fn health(&self) -> PaceHealth {
        let inner = self.lock();
        let [waiting, waiting_in_background] = [&inner.queues[0], &inner.queues[1]].map(BTreeMap::len);
        PaceHealth { waiting, waiting_in_background, pause: inner.schedule.paused_for(self.clock.now()) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("health", &self.health()).finish_non_exhaustive()
    }
}

impl Inner {
    /// Lets all requests pass that may pass, in their order. Normal requests go first, also to the same chat.
    ///
    /// If the queues or the limits have changed, wakes the next requests, so that they recompute their due time.
    fn let_pass(&mut self, now: Instant, mut has_changed: bool) {
        if self.queues.iter().all(BTreeMap::is_empty) {
            return;
        }
        let (mut busy_keys, mut next_ones) = (HashSet::new(), Vec::new());
        'queues: for priority in [Priority::Normal, Priority::Background] {
            let queue = &mut self.queues[priority as usize];
            let mut next = 0;
            while let Some((&number, waiter)) = queue.range(next..).next() {
                next = number + 1;
                if waiter.key.is_some_and(|key| busy_keys.contains(&key)) {
                    continue;
                }
                match self.schedule.try_admit(now, waiter.key, priority) {
                    Ok(ticket) => {
                        has_changed = true;
                        if let Some(waiter) = queue.remove(&number)
                            && let Err(Some(ticket)) = waiter.pass.send(ticket)
                        {
                            self.schedule.cancel(ticket);
                        }
                    }
                    Err(Busy::Key(_)) => {
                        busy_keys.extend(waiter.key);
                        next_ones.push(Arc::clone(&waiter.look));
                    }
                    // A background request does not overtake a normal one that waits for the limit of the bot.
                    Err(Busy::Bot(_)) => {
                        next_ones.push(Arc::clone(&waiter.look));
                        break 'queues;
                    }
                }
            }
        }
        if has_changed {
            next_ones.iter().for_each(|look| look.notify_one());
        }
    }

    /// Returns the estimated time at which a waiting request may pass. `None` if it has passed. The request cannot rely
    /// on earlier requests to let it pass, because their futures may not be polled.
    fn due(&mut self, now: Instant, number: u64, priority: Priority) -> Option<Instant> {
        let queue = &self.queues[priority as usize];
        let key = queue.get(&number)?.key;
        let normal = if priority == Priority::Background { self.queues[Priority::Normal as usize].len() } else { 0 };
        let earlier = queue.range(..number);
        let (places, of_key) = earlier.fold((normal, 0), |(places, of_key), (_, waiter)| {
            (places + 1, of_key + usize::from(key.is_some() && waiter.key == key))
        });
        Some(self.schedule.due(now, (key, of_key), (priority, places)))
    }
}

/// A request that has passed the gate. Dropped when the request is answered or abandoned.
#[must_use = "the request counts as answered when this is dropped"]
pub(crate) struct Passage<'a> {
    gate: &'a Gate,
    ticket: Option<Ticket>,
    /// The time that the request has waited.
    pub(crate) waited: Duration,
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let now = self.gate.clock.now();
        let mut inner = self.gate.lock();
        inner.schedule.answered(ticket, now);
        inner.let_pass(now, true);
    }
}

/// A place in a queue. Given up on drop.
struct Waiting<'a> {
    gate: &'a Gate,
    number: u64,
    priority: Priority,
    passed: oneshot::Receiver<Option<Ticket>>,
    look: Arc<Notify>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let now = self.gate.clock.now();
        let mut inner = self.gate.lock();
        if inner.queues[self.priority as usize].remove(&self.number).is_none() {
            // The gate let the request pass, but the future was dropped before it got the ticket: it is not sent.
            let Ok(Some(ticket)) = self.passed.try_recv() else { return };
            inner.schedule.cancel(ticket);
        }
        inner.let_pass(now, true);
    }
}

#[cfg(test)]
mod tests {
    use tokio::{task::JoinHandle, time};

    use super::*;
    use crate::client::clock::Real;

    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(4), most: Duration::from_secs(8) };
    const TWO_SECONDS: Duration = Duration::from_secs(2);

    /// A gate that uses the time of tokio, and the passed requests in order.
    #[derive(Clone)]
    struct World {
        gate: Arc<Gate>,
        passed: Arc<Mutex<Vec<(&'static str, u128)>>>,
        start: Instant,
    }

    impl World {
        fn new(pace: Pace) -> Self {
            let gate = Arc::new(Gate::new(pace, Arc::new(Real)));
            Self { gate, passed: Arc::default(), start: Instant::now() }
        }

        /// Starts a request, and lets it run until it waits or passes.
        async fn request(&self, name: &'static str, key: Option<PaceKey>, priority: Priority) -> JoinHandle<()> {
            let world = self.clone();
            let request = tokio::spawn(async move {
                drop(world.gate.pass(key, priority).await);
                world.passed.lock().unwrap().push((name, world.start.elapsed().as_millis()));
            });
            tokio::task::yield_now().await;
            request
        }

        async fn normal(&self, name: &'static str) -> JoinHandle<()> {
            self.request(name, None, Priority::Normal).await
        }

        async fn background(&self, name: &'static str) -> JoinHandle<()> {
            self.request(name, None, Priority::Background).await
        }

        async fn to_chat(&self, name: &'static str, chat: i64) -> JoinHandle<()> {
            self.request(name, Some(PaceKey::Chat("sendMessage", "chat_id", chat)), Priority::Normal).await
        }

        fn passed(&self) -> Vec<(&'static str, u128)> {
            self.passed.lock().unwrap().clone()
        }

        fn names(&self) -> Vec<&'static str> {
            self.passed().into_iter().map(|(name, _)| name).collect()
        }
    }

    /// One request every 1.02 s.
    fn one_per_second() -> World {
        World::new(Pace::none().requests_per_second(1))
    }

    async fn after(duration: Duration) {
        time::sleep(duration).await;
    }

    #[tokio::test(start_paused = true)]
    async fn requests_pass_in_the_order_in_which_they_came() {
        let world = one_per_second();
        for name in ["a", "b", "c", "d"] {
            world.normal(name).await;
        }
        assert_eq!(world.names(), ["a"]);
        assert_eq!(world.gate.health().waiting, 3);
        after(TWO_SECONDS * 2).await;
        assert_eq!(world.passed(), [("a", 0), ("b", 1_020), ("c", 2_040), ("d", 3_060)]);
        assert_eq!(world.gate.health(), PaceHealth { waiting: 0, waiting_in_background: 0, pause: None });
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_dropped_gives_its_place_to_the_next() {
        let world = one_per_second();
        let mut requests = Vec::new();
        for name in ["a", "b", "c", "d", "e"] {
            requests.push(world.normal(name).await);
        }
        // The first waiting request, and a later one.
        requests[1].abort();
        requests[3].abort();
        after(TWO_SECONDS * 2).await;
        assert_eq!(world.passed(), [("a", 0), ("c", 1_020), ("e", 2_040)]);
        assert_eq!(world.gate.health().waiting, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_that_wait_for_a_chat_do_not_delay_others() {
        let world = World::new(Pace::none().chat_requests_per_second(2));
        for name in ["a", "b", "c", "d"] {
            world.to_chat(name, 1).await;
        }
        world.to_chat("other", 2).await;
        world.normal("edit").await;
        assert_eq!(world.names(), ["a", "b", "other", "edit"]);
        after(TWO_SECONDS).await;
        assert_eq!(world.passed()[4..], [("c", 1_020), ("d", 1_020)]);
        assert!(world.gate.lock().queues.iter().all(BTreeMap::is_empty));
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_lets_the_next_request_pass_earlier() {
        let world = World::new(Pace::none().requests_per_second(1).chat_requests_per_second(1));
        let chat = Some(PaceKey::Chat("sendMessage", "chat_id", 1));
        let passage = world.gate.pass(chat, Priority::Normal).await;
        world.to_chat("chat", 1).await;
        world.normal("bot").await;
        after(Duration::from_millis(100)).await;
        drop(passage);
        after(TWO_SECONDS * 2).await;
        assert_eq!(world.passed(), [("chat", 1_120), ("bot", 2_140)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_whose_future_is_not_polled_does_not_delay_others() {
        let world = World::new(Pace::none().requests_per_second(10));
        world.gate.lock().schedule.pause_until(world.start + TWO_SECONDS);
        let mut futures = Vec::new();
        for priority in [Priority::Normal, Priority::Background] {
            let mut future = Box::pin(world.gate.pass(None, priority));
            assert!(futures_util::poll!(&mut future).is_pending());
            futures.push(future);
        }
        for name in ["a", "b", "c"] {
            world.normal(name).await;
        }
        after(TWO_SECONDS * 4).await;
        assert_eq!(world.names(), ["a", "b", "c"]);
        drop(futures);
        assert_eq!(world.gate.health().waiting_in_background, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_to_one_chat_keep_their_place() {
        let world = one_per_second();
        for (name, chat) in [("a", 1), ("b", 1), ("c", 2), ("d", 1)] {
            world.to_chat(name, chat).await;
        }
        after(TWO_SECONDS * 2).await;
        assert_eq!(world.names(), ["a", "b", "c", "d"]);
    }

    #[tokio::test(start_paused = true)]
    async fn normal_requests_to_a_chat_go_first() {
        let world = World::new(Pace::none().chat_requests_per_second(1));
        let chat = Some(PaceKey::Chat("sendMessage", "chat_id", 1));
        world.request("a", chat, Priority::Background).await;
        world.request("b", chat, Priority::Background).await;
        world.request("c", chat, Priority::Normal).await;
        after(TWO_SECONDS * 2).await;
        assert_eq!(world.names(), ["a", "c", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_429_does_not_slow_the_bot_down_again() {
        let world = World::new(Pace::none());
        let sent = Instant::now();
        after(Duration::from_millis(1)).await;
        assert_eq!(world.gate.pause(sent, None, BACKOFF, 1.0).as_secs(), 4);
        let end = world.gate.lock().schedule.pause_end();
        after(Duration::from_secs(5)).await;
        assert_eq!(world.gate.pause(sent, None, BACKOFF, 1.0), Duration::ZERO);
        assert_eq!(world.gate.lock().schedule.pause_end(), end);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_has_a_minimum_and_a_maximum() {
        let world = World::new(Pace::none());
        let endless = Backoff { first: Duration::MAX, most: Duration::MAX };
        assert_eq!(world.gate.pause(Instant::now(), None, endless, 1.0), LONGEST_PAUSE);
        let world = World::new(Pace::none());
        let pause = world.gate.pause(Instant::now(), Some(Duration::ZERO), BACKOFF, 1.0);
        assert_eq!(pause.as_secs(), 4, "a `Retry-After` of zero does not shorten the backoff");
    }

    #[tokio::test(start_paused = true)]
    async fn background_requests_let_others_pass() {
        let world = one_per_second();
        world.background("a").await;
        world.background("b").await;
        world.normal("c").await;
        world.normal("d").await;
        assert_eq!(world.gate.health().waiting_in_background, 1);
        after(TWO_SECONDS * 3).await;
        assert_eq!(world.names(), ["a", "c", "d", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_429_every_request_waits_as_long_as_the_server_asks() {
        let world = World::new(Pace::none());
        let sent = Instant::now();
        assert_eq!(world.gate.pause(sent, Some(TWO_SECONDS), BACKOFF, 0.0), TWO_SECONDS);
        assert_eq!(world.gate.health().pause, Some(TWO_SECONDS));
        world.normal("a").await;
        world.background("b").await;
        world.to_chat("c", 1).await;
        assert_eq!(world.names(), [""; 0]);
        after(TWO_SECONDS * 2).await;
        let passed = world.passed();
        assert_eq!((passed[0], passed.len()), (("a", 2_000), 3), "{passed:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_time_from_the_server_the_pause_is_a_backoff_that_grows_once_per_pause() {
        let world = World::new(Pace::none());
        let (sent, chance) = (Instant::now(), 1.0);
        let pause = |sent| world.gate.pause(sent, None, BACKOFF, chance).as_secs();
        after(Duration::from_millis(10)).await;
        assert_eq!(pause(sent), 4);
        after(Duration::from_secs(1)).await;
        assert_eq!(pause(sent), 3, "sent before the pause: it waits for the end of the pause");
        after(Duration::from_secs(4)).await;
        assert_eq!(pause(Instant::now()), 8);
        after(Duration::from_secs(8) + REFUSALS_KEPT * 2).await;
        assert_eq!(pause(Instant::now()), 4, "the last 429 is long ago");
    }

    #[tokio::test(start_paused = true)]
    async fn with_limits_a_pause_lasts_at_least_one_window() {
        let world = one_per_second();
        assert_eq!(world.gate.pause(Instant::now(), None, BACKOFF, 0.0), Duration::from_millis(1_020));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_is_returned() {
        let world = one_per_second();
        assert_eq!(world.gate.pass(None, Priority::Normal).await.waited, Duration::ZERO);
        assert_eq!(world.gate.pass(None, Priority::Normal).await.waited, Duration::from_millis(1_020));
    }
}
