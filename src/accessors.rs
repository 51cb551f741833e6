//! Accessors of what is received: they never panic, whatever is missing.

pub(crate) mod message;
pub(crate) mod update;
