//! The body of a request that carries bytes: it tells of its progress, and remembers why it broke off.

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
use crate::error::Kind;

/// Effectively no limit. The sum of a time and a longer one may be a time that no clock can show.
const LONGEST_IDLE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Bytes that are being sent, seen from both sides: by the connection that takes them, and by whoever waits for it.
#[derive(Clone)]
pub(super) struct Flow(Arc<Mutex<FlowState>>);

struct FlowState {
    feed: Feed,
    /// When a piece was last taken.
    moved: Instant,
    /// The connection would take more, but the source has none yet.
    is_starved: bool,
    /// Why there is no more.
    problem: Option<Kind>,
    progress: Option<ProgressHook>,
    total: u64,
}

impl Flow {
    pub(super) fn new(feed: Feed, total: u64, progress: Option<ProgressHook>) -> Self {
        let state = FlowState { feed, moved: Instant::now(), is_starved: false, problem: None, progress, total };
        Self(Arc::new(Mutex::new(state)))
    }

    /// A body with the next so many bytes between a head and a tail.
    pub(super) fn body(&self, head: Bytes, length: u64, tail: Bytes) -> reqwest::Body {
        reqwest::Body::wrap_stream(Sending { flow: self.clone(), head, left: length, tail })
    }

    /// Why the source has no more, if that is what went wrong.
    pub(super) fn take_problem(&self) -> Option<Kind> {
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

/// Waits for `work`, as long as something moves: bytes of the flow, or the time since it began.
pub(super) async fn unless_idle<T>(
    flow: Option<&Flow>,
    idle: Duration,
    work: impl Future<Output = T>,
) -> Result<T, Kind> {
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
        // A source that takes its time is not the connection's fault.
        let moved = if is_starved { Instant::now() } else { moved };
        if moved <= since {
            return Err(Kind::Idle(idle));
        }
        since = moved;
    }
}

/// A body on its way.
struct Sending {
    flow: Flow,
    head: Bytes,
    left: u64,
    tail: Bytes,
}

/// Stands for the problem that the flow remembers.
#[derive(Debug, thiserror::Error)]
#[error("the source has no more")]
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
