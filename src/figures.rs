//! What `benches/figures` measures and is not public.

use crate::polling::page::Page;

/// Reads a page of updates, and says how many there are.
#[must_use]
pub fn read_page(text: &str) -> usize {
    Page::read(text).map_or(0, |page| page.updates.filter(Result::is_ok).count())
}

/// Reads the first update of a page.
#[must_use]
pub fn read_first(text: &str) -> bool {
    Page::read(text).is_ok_and(|mut page| matches!(page.updates.next(), Some(Ok(_))))
}
