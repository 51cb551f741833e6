//! The deliveries that are being handled, or were handled lately. A repeated delivery is not handled again.

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

/// What is to be answered, once it is known.
type StatusWatch = watch::Receiver<Option<StatusCode>>;

/// How long a handled delivery is remembered. A server that did not wait for the answer delivers again within this time:
/// MAX waits for 30 s, and delivers again after 60 s.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);
/// How many deliveries are remembered. With more, the oldest are forgotten.
const MOST_REMEMBERED: usize = 20_000;

/// The deliveries of one webhook, by their bytes: those that are being handled, and those that were handled lately. A delivery
/// that was not handled is forgotten, so that it can be made again.
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
    /// In the order in which they are forgotten.
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
    /// Handles a delivery, or waits for who does so already, and says what to answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the answer; the handling goes on.
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
                // In a task of its own: when a client hangs up, its request is dropped, and all that it awaits with it.
                tokio::spawn(work.in_current_span());
                answer
            }
        };
        let answer = answer.wait_for(Option::is_some).await.map(|answer| *answer);
        // Without an answer the runtime was shut down in the middle of it.
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

/// Who handles a delivery.
enum Arrival {
    /// The caller that gets this guard.
    First(Entry, StatusWatch),
    /// Another caller. This receives the answer.
    Later(StatusWatch),
    /// No caller: the delivery is already handled.
    Handled,
}

/// The one that handles a delivery. When it is dropped, be it in the middle of its work, the delivery can be made anew.
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
    async fn what_was_not_handled_is_forgotten() {
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
    async fn what_was_handled_is_not_handled_again_for_five_minutes() {
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
    fn no_more_than_the_most_are_remembered() {
        let mut handled = Handled::default();
        let body = |number: usize| Bytes::from(number.to_string());
        (0..=MOST_REMEMBERED).for_each(|number| handled.add(&body(number)));
        assert!(!handled.has(&body(0)) && handled.has(&body(1)) && handled.has(&body(MOST_REMEMBERED)));
        assert_eq!(handled.hashes.len(), MOST_REMEMBERED);
    }

    #[tokio::test]
    async fn what_cannot_be_finished_is_to_be_delivered_again() {
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
