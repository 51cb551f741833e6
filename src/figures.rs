//! What `benches/figures` measures and is not public.

use crate::polling::page::Page;

/// Reads a page of updates, and returns how many it has.
#[must_use]
pub fn read_page(text: &str) -> usize {
    Page::read(text).map_or(0, |page| page.updates.len())
}
