//! Pages as a source of deliveries: a page is committed when each of its updates is settled.

use std::{collections::VecDeque, sync::Arc};

use crate::{
    api::types::Update,
    error::Result,
    updates::{
        delivery::{Delivery, Settle},
        page_in_progress::PageInProgress,
        stream::Updates,
    },
};

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
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Delivery>>> {
        if let Some(page) = &self.current {
            page.settled().await;
            self.current = None;
        }
        let Some(updates) = self.updates.next_page().await? else { return Ok(None) };
        Ok(Some(self.begin(updates)))
    }

    fn begin(&mut self, updates: VecDeque<Update>) -> Vec<Delivery> {
        let page = Arc::new(PageInProgress::new(updates.len()));
        self.current = Some(Arc::clone(&page));
        let delivery = |update| Delivery::of(update, Settle::Page(Arc::clone(&page)));
        updates.into_iter().map(delivery).collect()
    }

    pub(super) fn updates(&self) -> &Updates {
        &self.updates
    }

    pub(super) fn stop(&mut self) {
        self.updates.stop();
    }
}
