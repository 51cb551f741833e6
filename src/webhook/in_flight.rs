//! Deduplication of deliveries that are being handled, or were handled recently.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    future::Future,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::StatusCode;
use bytes::Bytes;
use tokio::{sync::watch, time::Instant};
use tracing::Instrument as _;

/// The status of the response, once it is known.
type StatusWatch = watch::Receiver<Option<StatusCode>>;

/// How long a handled delivery is remembered. A server that did not wait for the answer delivers again within this
/// time: MAX waits for 30 s, and delivers again after 60 s.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);
/// Maximum number of remembered deliveries. The oldest are dropped first.
const MOST_REMEMBERED: usize = 20_000;

/// The deliveries of one webhook, by their bytes, that are being handled or were handled recently. A delivery that was
/// not handled is dropped, so that it can be repeated.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<Deliveries>>);

#[derive(Debug, Default)]
struct Deliveries {
    handling: HashMap<Bytes, StatusWatch>,
    handled: Handled,
}

/// The deliveries that were answered with 200, by hashes of their bytes.
#[derive(Debug, Default)]
struct Handled {
    hashes: HashSet<u128>,
    /// In the order in which they are dropped.
    order: VecDeque<(Instant, u128)>,
    keys: [RandomState; 2],
}

impl Handled {
    fn hash(&self, body: &Bytes) -> u128 {
        let [high, low] = self.keys.each_ref().map(|key| u128::from(key.hash_one(body)));
        high << 64 | low
    }

    fn has(&mut self, body: &Bytes) -> bool {
        let now = Instant::now();
        while let Some((since, hash)) = self.order.front().copied() {
            if now.duration_since(since) < REMEMBERED && self.order.len() <= MOST_REMEMBERED {
                break;
            }
            self.order.pop_front();
            self.hashes.remove(&hash);
        }
        self.hashes.contains(&self.hash(body))
    }

    fn add(&mut self, body: &Bytes) {
        let hash = self.hash(body);
        if self.hashes.insert(hash) {
            self.order.push_back((Instant::now(), hash));
        }
    }
}

impl InFlight {
    /// Handles a delivery, or waits for the task that already handles it. Returns the status of the response.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the response. The handling continues.
    pub(super) async fn answer<F>(&self, body: Bytes, handle: impl FnOnce(Bytes) -> F) -> StatusCode
    where
        F: Future<Output = StatusCode> + Send + 'static,
    {
        let mut answer = match self.enter(&body) {
            Arrival::Handled => {
                tracing::debug!("repeated delivery");
                return StatusCode::OK;
            }
            Arrival::Later(answer) => {
                tracing::debug!("repeated delivery");
                answer
            }
            Arrival::First(entry, answer) => {
                let handling = handle(body);
                let work = async move {
                    let status = handling.await;
                    if status == StatusCode::OK {
                        entry.all.all().handled.add(&entry.body);
                    }
                    entry.answer.send_replace(Some(status))
                };
                // In a separate task: if the client closes the connection, the future of its request is dropped.
                tokio::spawn(work.in_current_span());
                answer
            }
        };
        let answer = answer.wait_for(Option::is_some).await.map(|answer| *answer);
        // Without an answer, the runtime was shut down while the handler ran.
        answer.ok().flatten().unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
    }

    fn enter(&self, body: &Bytes) -> Arrival {
        let mut all = self.all();
        if let Some(answer) = all.handling.get(body) {
            return Arrival::Later(answer.clone());
        }
        if all.handled.has(body) {
            return Arrival::Handled;
        }
        let (sender, answer) = watch::channel(None);
        all.handling.insert(body.clone(), answer.clone());
        Arrival::First(Entry { all: self.clone(), body: body.clone(), answer: sender }, answer)
    }

    fn all(&self) -> MutexGuard<'_, Deliveries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The caller that handles a delivery.
enum Arrival {
    /// The caller that gets this guard.
    First(Entry, StatusWatch),
    /// Another caller. This receives the answer.
    Later(StatusWatch),
    /// No caller: the delivery is already handled.
    Handled,
}

/// A guard of the caller that handles a delivery. When it is dropped, even before the work is done, the delivery can be
/// repeated.
struct Entry {
    all: InFlight,
    body: Bytes,
    answer: watch::Sender<Option<StatusCode>>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.all.all().handling.remove(&self.body);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn a_delivery_that_was_not_handled_can_be_repeated() {
        let in_flight = InFlight::default();
        for _ in 0..2 {
            for body in ["a", "b"] {
                let answer = in_flight.answer(body.into(), |_| ready(StatusCode::SERVICE_UNAVAILABLE)).await;
                assert_eq!(answer, StatusCode::SERVICE_UNAVAILABLE);
            }
        }
        tokio::task::yield_now().await;
        assert!(in_flight.all().handling.is_empty() && in_flight.all().handled.hashes.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_handled_delivery_is_not_handled_again_for_five_minutes() {
        let in_flight = InFlight::default();
        let handled = || async {
            let (mut handled, this) = (false, &mut false);
            let answer = in_flight.answer("a".into(), |_| {
                *this = true;
                ready(StatusCode::OK)
            });
            assert_eq!(answer.await, StatusCode::OK);
            handled |= *this;
            handled
        };
        assert!(handled().await);
        assert!(!handled().await);
        tokio::time::advance(REMEMBERED - Duration::from_millis(1)).await;
        assert!(!handled().await);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(handled().await);
    }

    #[test]
    fn the_number_of_remembered_deliveries_is_limited() {
        let mut handled = Handled::default();
        let body = |number: usize| Bytes::from(number.to_string());
        (0..=MOST_REMEMBERED).for_each(|number| handled.add(&body(number)));
        assert!(!handled.has(&body(0)) && handled.has(&body(1)) && handled.has(&body(MOST_REMEMBERED)));
        assert_eq!(handled.hashes.len(), MOST_REMEMBERED);
    }

    #[tokio::test]
    async fn a_delivery_that_ends_with_its_runtime_is_answered_with_503() {
        let in_flight = InFlight::default();
        let waiting = {
            let other = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
            let theirs = in_flight.clone();
            other.spawn(async move { theirs.answer("a".into(), |_| pending()).await });
            while in_flight.all().handling.is_empty() {
                tokio::task::yield_now().await;
            }
            let ours = in_flight.clone();
            let waiting = tokio::spawn(async move { ours.answer("a".into(), |_| ready(StatusCode::OK)).await });
            tokio::task::yield_now().await;
            other.shutdown_background();
            waiting
        };
        assert_eq!(waiting.await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(in_flight.all().handling.is_empty());
    }
}
