//! Empty texts, which some servers send instead of no text.

/// Returns the text unless it is empty.
pub(crate) fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
