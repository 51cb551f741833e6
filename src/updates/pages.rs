//! Pages as a source of deliveries: a page is committed when each of its updates is settled.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::Notify;

use crate::{
    api::types::Update,
    error::Result,
    updates::{
        delivery::{Delivery, Settle},
        lane::Lane,
        stream::Updates,
    },
};

/// A page whose updates are with the engine.
///
/// Only settled updates count. A delivery that is dropped, because its handler was cancelled for example, leaves the page
/// unsettled for ever, so the page is not committed and comes again.
#[derive(Debug)]
pub(super) struct PageInProgress {
    unsettled: AtomicUsize,
    settled: Notify,
}

impl PageInProgress {
    pub(super) fn settled_one(&self) {
        // `AcqRel`: what the handlers did is visible to the task that commits the page.
        if self.unsettled.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.settled.notify_one();
        }
    }
}

/// Polls pages, one after the other.
#[derive(Debug)]
pub(super) struct Pages {
    updates: Updates,
    /// The page that the engine works at.
    current: Option<Arc<PageInProgress>>,
}

impl Pages {
    pub(super) fn new(updates: Updates) -> Self {
        Self { updates, current: None }
    }

    /// Returns the next page, once the one before is settled. Asking for it commits the one before.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<(Lane, Delivery)>>> {
        if let Some(page) = &self.current {
            page.settled.notified().await;
            self.current = None;
        }
        let Some(updates) = self.updates.next_page().await? else { return Ok(None) };
        Ok(Some(self.begin(updates)))
    }

    fn begin(&mut self, updates: VecDeque<Update>) -> Vec<(Lane, Delivery)> {
        let page = PageInProgress { unsettled: AtomicUsize::new(updates.len()), settled: Notify::new() };
        let page = Arc::new(page);
        self.current = Some(Arc::clone(&page));
        let delivery = |update: Update| (update.lane(), Delivery::of(update, Settle::Page(Arc::clone(&page))));
        updates.into_iter().map(delivery).collect()
    }

    pub(super) fn updates(&self) -> &Updates {
        &self.updates
    }

    pub(super) fn stop(&mut self) {
        self.updates.stop();
    }
}
