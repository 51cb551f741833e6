//! The truncated body of a fault.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

/// A stream of the first half of a body. Then it fails, which closes the connection.
pub(crate) struct Cut {
    half: Option<Bytes>,
    is_flushed: bool,
}

impl Cut {
    pub(crate) fn new(body: &Bytes) -> Self {
        Self { half: Some(body.slice(..body.len() / 2)), is_flushed: false }
    }
}

impl Stream for Cut {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(half) = self.half.take() {
            return Poll::Ready(Some(Ok(half)));
        }
        if !self.is_flushed {
            // An error now would discard unsent bytes. The server sends them while this stream is pending.
            self.is_flushed = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())))
    }
}
