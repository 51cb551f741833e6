//! A refusal with a success status: `{"success": false}`.

use std::fmt;

use super::code::ErrorCode;

/// The server's reason for refusing a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Option<ErrorCode>,
    pub(crate) message: Option<String>,
}

impl Refusal {
    /// Creates a refusal. An empty code or message counts as missing.
    pub(crate) fn new(code: Option<String>, message: Option<String>) -> Self {
        let non_empty = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        Self { code: non_empty(code).map(Into::into), message: non_empty(message) }
    }
}

impl From<String> for Refusal {
    fn from(message: String) -> Self {
        Self::new(None, Some(message))
    }
}

impl From<Option<String>> for Refusal {
    fn from(message: Option<String>) -> Self {
        Self::new(None, message)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, &self.message) {
            (Some(code), Some(message)) => write!(f, "{code}: {message}"),
            (Some(code), None) => write!(f, "{code}"),
            (None, Some(message)) => f.write_str(message),
            (None, None) => f.write_str("the server gave no reason"),
        }
    }
}
