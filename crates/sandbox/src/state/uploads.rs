//! The state of the upload host.

pub(crate) mod fault;
pub(crate) mod reports;
pub(crate) mod store;
