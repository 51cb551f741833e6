//! The sources of the engine's deliveries: pages, a stream, or a journal.

use std::{future::poll_fn, pin::Pin, task::Poll};

use futures_core::Stream;
use tracing::Span;

#[cfg(feature = "journal")]
use crate::updates::journal::source::JournalSource;
use crate::{
    client::{bot::Bot, retry::Backoff},
    error::Result,
    updates::{
        delivery::Delivery,
        engine::Wanted,
        health::Health,
        page_source::Pages,
        stream::{BACKOFF, poll_span},
    },
};

/// A source of deliveries.
pub(super) enum Source {
    Pages(Box<Pages>),
    Stream(DeliveryStream),
    #[cfg(feature = "journal")]
    Journal(Box<JournalSource>),
}

impl Source {
    /// Returns the next deliveries. `None` if there are no more, for example because the source was stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Delivery>>> {
        match self {
            Self::Pages(pages) => pages.next().await,
            Self::Stream(stream) => Ok(stream.next().await),
            #[cfg(feature = "journal")]
            Self::Journal(journal) => journal.next().await,
        }
    }

    /// Stops the source. Updates that are already fetched can still follow.
    pub(super) fn stop(&mut self) {
        match self {
            Self::Pages(pages) => pages.stop(),
            Self::Stream(stream) => stream.is_stopped = true,
            #[cfg(feature = "journal")]
            Self::Journal(journal) => journal.stop(),
        }
    }

    /// Returns the state that the engine must reach before the next deliveries are requested.
    pub(super) fn wants(&self) -> Wanted {
        match self {
            Self::Pages(_) => Wanted::Idle,
            Self::Stream(_) => Wanted::Room,
            // Most of its waiting updates are on the disk, not in memory.
            #[cfg(feature = "journal")]
            Self::Journal(_) => Wanted::Nothing,
        }
    }

    /// Returns whether waiting deliveries are still handled after the source was stopped. Otherwise they are dropped,
    /// and the source delivers them again at the next start.
    pub(super) fn drains(&self) -> bool {
        matches!(self, Self::Pages(_))
    }

    pub(super) fn bot(&self) -> &Bot {
        match self {
            Self::Pages(pages) => pages.updates().bot(),
            Self::Stream(stream) => &stream.bot,
            #[cfg(feature = "journal")]
            Self::Journal(journal) => journal.bot(),
        }
    }

    pub(super) fn health(&self) -> Health {
        match self {
            Self::Pages(pages) => pages.updates().health(),
            Self::Stream(stream) => stream.health.clone(),
            #[cfg(feature = "journal")]
            Self::Journal(journal) => journal.health(),
        }
    }

    /// Returns the delays before an update is retried.
    pub(super) fn backoff(&self) -> Backoff {
        match self {
            Self::Pages(pages) => pages.updates().waits(),
            Self::Stream(_) => BACKOFF,
            #[cfg(feature = "journal")]
            Self::Journal(journal) => journal.backoff(),
        }
    }

    /// Returns the span of the engine's own events.
    pub(super) fn span(&self) -> Span {
        poll_span(self.bot())
    }
}

/// Deliveries from a stream.
pub(super) struct DeliveryStream {
    bot: Bot,
    health: Health,
    deliveries: Pin<Box<dyn Stream<Item = Delivery> + Send>>,
    is_stopped: bool,
}

/// The most deliveries that are taken from a stream at a time.
const CHUNK: usize = 100;

impl DeliveryStream {
    pub(super) fn new(bot: Bot, deliveries: impl Stream<Item = Delivery> + Send + 'static) -> Self {
        let health = Health::new(&bot);
        Self { bot, health, deliveries: Box::pin(deliveries), is_stopped: false }
    }

    /// Returns the deliveries that are ready, or waits for the next one. `None` after the end of the stream.
    async fn next(&mut self) -> Option<Vec<Delivery>> {
        if self.is_stopped {
            return None;
        }
        let mut chunk = Vec::new();
        poll_fn(|context| {
            while chunk.len() < CHUNK {
                match self.deliveries.as_mut().poll_next(context) {
                    Poll::Ready(Some(delivery)) => chunk.push(delivery),
                    Poll::Ready(None) => {
                        self.is_stopped = true;
                        break;
                    }
                    Poll::Pending if chunk.is_empty() => return Poll::Pending,
                    Poll::Pending => break,
                }
            }
            Poll::Ready(())
        })
        .await;
        (!chunk.is_empty()).then_some(chunk)
    }
}
