//! Empty texts, which servers send where there is none.

/// Returns the text unless it is empty.
pub(crate) fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}
