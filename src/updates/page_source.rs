//! Pages as a source of deliveries.

use crate::{
    error::Result,
    updates::{delivery::Delivery, stream::Updates},
};

/// Polls pages, one after the other. The request for the next page commits the last one, which must be settled.
#[derive(Debug)]
pub(super) struct Pages(Updates);

impl Pages {
    pub(super) fn new(updates: Updates) -> Self {
        Self(updates)
    }

    /// Returns the next page.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Delivery>>> {
        let page = self.0.next_page().await?;
        Ok(page.map(|page| page.into_iter().map(Delivery::of_page).collect()))
    }

    pub(super) fn updates(&self) -> &Updates {
        &self.0
    }

    pub(super) fn stop(&mut self) {
        self.0.stop();
    }
}
