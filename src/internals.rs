//! What `tamtam-sandbox` and the benches use. Hidden from the documentation, and free to change in any version.

pub use crate::updates::atomic_write::{check_place, read, remove_left_behind, replace};
use crate::updates::stream::page::Page;

/// What the document says of requests, and what servers tolerate beyond it, as JSON.
pub const REQUEST_SCHEMAS: &str = include_str!(concat!(env!("OUT_DIR"), "/requests.json"));

/// Reads a page of updates, and returns how many it has.
#[must_use]
pub fn read_page(text: &str) -> usize {
    Page::read(text, false).map_or(0, |page| page.updates.len())
}
