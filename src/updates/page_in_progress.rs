//! Counts the updates of a page that are not settled.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// A page whose updates are with the engine.
///
/// Only settled updates count. A delivery that is dropped, because its handler was cancelled for example, leaves the page
/// unsettled for ever, so the page is not committed and comes again.
#[derive(Debug)]
pub(super) struct PageInProgress {
    unsettled: AtomicUsize,
    all_settled: Notify,
}

impl PageInProgress {
    pub(super) fn new(updates: usize) -> Self {
        Self { unsettled: AtomicUsize::new(updates), all_settled: Notify::new() }
    }

    /// Waits until all updates of the page are settled.
    pub(super) async fn settled(&self) {
        self.all_settled.notified().await;
    }

    pub(super) fn settled_one(&self) {
        // `AcqRel`: what the handlers did is visible to the task that commits the page.
        if self.unsettled.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.all_settled.notify_one();
        }
    }
}
