//! Internals for `tamtam-sandbox` and the benches. Hidden from the documentation, and may change in any version.

pub use crate::updates::atomic_write::{check_place, read, remove_left_behind, replace};
use crate::updates::stream::page::Page;
#[cfg(feature = "journal")]
use crate::{
    error::Result,
    updates::{journal::Journal, raw_update::RawUpdate},
};

/// The request schemas of the documents, as JSON with the keys `tamtam` and `max`. They include the deviations that
/// servers tolerate.
pub const REQUEST_SCHEMAS: &str = include_str!(concat!(env!("OUT_DIR"), "/requests.json"));

/// Reads a page of updates, and returns the number of updates.
#[must_use]
pub fn read_page(text: &str) -> usize {
    Page::read(text, false).map_or(0, |page| page.updates.len())
}

/// Stores a page in a journal, as polling does.
///
/// # Errors
///
/// Returns an error if the journal cannot be written.
#[cfg(feature = "journal")]
pub async fn store_page(journal: &Journal, page: Vec<RawUpdate>, marker: i64) -> Result<()> {
    let queue = journal.queue();
    queue.room().await;
    Ok(queue.store(&queue.batch(page, Some(marker))).await?)
}
