//! Errors of sources and settings.

use std::io;

use crate::{
    error::Reason,
    validation::{Invalid, Place},
};

/// Returns the error of an invalid setting or source. Nothing was sent.
pub(super) fn invalid(field: &str, problem: &str) -> Reason {
    Reason::Invalid(Invalid::new(&Place::root(field), problem))
}

/// Returns the error of a source that cannot be read.
pub(super) fn unreadable(error: io::Error) -> Reason {
    Reason::Source { problem: format!("the source cannot be read: {error}"), source: Some(error) }
}
