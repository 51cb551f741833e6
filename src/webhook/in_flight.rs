//! The deliveries that are being handled: each once, however often it is made meanwhile.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::http::StatusCode;
use bytes::Bytes;
use tokio::sync::watch;
use tracing::Instrument as _;

/// What is to be answered, once it is known.
type StatusWatch = watch::Receiver<Option<StatusCode>>;

/// The deliveries of one webhook that are being handled, by their bytes. It holds no others: once there is an answer, a
/// delivery is forgotten.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight(Arc<Mutex<HashMap<Bytes, StatusWatch>>>);

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
            Arrival::Later(answer) => {
                tracing::debug!("repeated delivery");
                answer
            }
            Arrival::First(entry, answer) => {
                let handling = handle(body);
                let work = async move { entry.answer.send_replace(Some(handling.await)) };
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
        if let Some(answer) = all.get(body) {
            return Arrival::Later(answer.clone());
        }
        let (sender, answer) = watch::channel(None);
        all.insert(body.clone(), answer.clone());
        Arrival::First(Entry { all: self.clone(), body: body.clone(), answer: sender }, answer)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Bytes, StatusWatch>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who handles a delivery.
enum Arrival {
    /// Whoever gets this.
    First(Entry, StatusWatch),
    /// Somebody else, whose answer this will be.
    Later(StatusWatch),
}

/// The one that handles a delivery. When it is dropped, be it in the middle of its work, the delivery can be made anew.
struct Entry {
    all: InFlight,
    body: Bytes,
    answer: watch::Sender<Option<StatusCode>>,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.all.all().remove(&self.body);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn what_was_answered_is_forgotten() {
        let in_flight = InFlight::default();
        for _ in 0..2 {
            for body in ["a", "b"] {
                let answer = in_flight.answer(body.into(), |_| ready(StatusCode::OK)).await;
                assert_eq!(answer, StatusCode::OK);
            }
        }
        tokio::task::yield_now().await;
        assert!(in_flight.all().is_empty());
    }

    #[tokio::test]
    async fn what_cannot_be_finished_is_to_be_delivered_again() {
        let in_flight = InFlight::default();
        let waiting = {
            let other = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
            let theirs = in_flight.clone();
            other.spawn(async move { theirs.answer("a".into(), |_| pending()).await });
            while in_flight.all().is_empty() {
                tokio::task::yield_now().await;
            }
            let ours = in_flight.clone();
            let waiting = tokio::spawn(async move { ours.answer("a".into(), |_| ready(StatusCode::OK)).await });
            tokio::task::yield_now().await;
            other.shutdown_background();
            waiting
        };
        assert_eq!(waiting.await.unwrap(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(in_flight.all().is_empty());
    }
}
