//! The body of an upload request: reports its progress, and stores the error that ended it.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_core::Stream;
use tokio::time::{Instant, timeout_at};

use super::{
    feed::Feed,
    progress::{Progress, ProgressHook},
};
use crate::error::Reason;

/// Effectively no limit. Adding a longer timeout to an `Instant` could overflow.
const LONGEST_IDLE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The state of a body that is being sent, shared by the connection and the task that waits for the response.
#[derive(Clone)]
pub(super) struct Flow(Arc<Mutex<FlowState>>);

struct FlowState {
    feed: Feed,
    /// When the connection last took a piece.
    moved: Instant,
    /// Whether the connection is waiting for the source.
    is_starved: bool,
    /// The error that ended the body.
    problem: Option<Reason>,
    progress: Option<ProgressHook>,
    total: u64,
}

impl Flow {
    pub(super) fn new(feed: Feed, total: u64, progress: Option<ProgressHook>) -> Self {
        let state = FlowState { feed, moved: Instant::now(), is_starved: false, problem: None, progress, total };
        Self(Arc::new(Mutex::new(state)))
    }

    /// Returns a body with `head`, the next `length` bytes of the source, and `tail`.
    pub(super) fn body(&self, head: Bytes, length: u64, tail: Bytes) -> reqwest::Body {
        reqwest::Body::wrap_stream(Sending { flow: self.clone(), head, left: length, tail })
    }

    /// Takes the error of the source. `None` if the source has not failed.
    pub(super) fn take_problem(&self) -> Option<Reason> {
        self.lock().problem.take()
    }

    fn lock(&self) -> MutexGuard<'_, FlowState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_piece(&self, cx: &mut Context<'_>, most: u64) -> Poll<Option<Bytes>> {
        let state = &mut *self.lock();
        let polled = state.feed.poll_piece(cx, most);
        state.is_starved = polled.is_pending();
        let piece = ready!(polled);
        state.moved = Instant::now();
        Poll::Ready(match piece {
            Ok(piece) => {
                if let Some(hook) = &state.progress {
                    hook(Progress { sent: state.feed.position, total: state.total });
                }
                Some(piece)
            }
            Err(problem) => {
                state.problem = Some(problem);
                None
            }
        })
    }
}

/// Waits for `work`. Fails if no byte of the flow moves for `idle`. Without a flow, `idle` limits the whole work.
pub(super) async fn unless_idle<T>(
    flow: Option<&Flow>,
    idle: Duration,
    work: impl Future<Output = T>,
) -> Result<T, Reason> {
    let (idle, mut work) = (idle.min(LONGEST_IDLE), std::pin::pin!(work));
    let mut since = Instant::now();
    loop {
        if let Ok(done) = timeout_at(since + idle, &mut work).await {
            return Ok(done);
        }
        let (moved, is_starved) = flow.map_or((since, false), |flow| {
            let state = flow.lock();
            (state.moved, state.is_starved)
        });
        // Time in which the connection waits for the source does not count.
        let moved = if is_starved { Instant::now() } else { moved };
        if moved <= since {
            return Err(Reason::Idle(idle));
        }
        since = moved;
    }
}

/// A body that is being sent.
struct Sending {
    flow: Flow,
    head: Bytes,
    left: u64,
    tail: Bytes,
}

/// A placeholder for the error that the flow stores.
#[derive(Debug, thiserror::Error)]
#[error("the source failed")]
struct BrokenOff;

impl Stream for Sending {
    type Item = Result<Bytes, BrokenOff>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.head.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.head))));
        }
        if self.left > 0 {
            let left = self.left;
            let Some(piece) = ready!(self.flow.poll_piece(cx, left)) else {
                return Poll::Ready(Some(Err(BrokenOff)));
            };
            self.left -= piece.len() as u64;
            return Poll::Ready(Some(Ok(piece)));
        }
        let tail = std::mem::take(&mut self.tail);
        Poll::Ready((!tail.is_empty()).then_some(Ok(tail)))
    }
}
