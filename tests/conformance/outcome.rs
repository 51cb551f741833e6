//! The outcome of a check, and assertions about refusals.

use std::fmt;

use tamtam::{Error, Result};

/// The error code for an invalid request.
pub(crate) const PAYLOAD: &str = "proto.payload";

/// The outcome of a check that does not panic.
pub(crate) type Done = Result<(), Skip>;

/// The reason why a check or a part of it was skipped.
#[derive(Debug)]
pub(crate) struct Skip {
    needs: String,
    what: String,
}

impl Skip {
    pub(crate) fn new(needs: impl Into<String>, what: impl Into<String>) -> Self {
        Self { needs: needs.into(), what: what.into() }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "skipped (needs {}): {}", self.needs, self.what)
    }
}

/// Returns whether the server reports a missing item: by 404, or by 400 for an id that it cannot parse.
pub(crate) fn is_missing(error: &Error) -> bool {
    error.code().is_some() && matches!(error.status().map(|status| status.as_u16()), Some(400 | 404))
}

/// Fails unless the server refused the request with this status and code.
#[track_caller]
pub(crate) fn assert_refused<T: fmt::Debug>(answer: Result<T>, status: u16, code: &str) {
    let error = answer.expect_err("the server should have refused this");
    let found = (error.status().map(|status| status.as_u16()), error.code().map(|code| code.as_str()));
    assert_eq!(found, (Some(status), Some(code)), "{error}");
}
