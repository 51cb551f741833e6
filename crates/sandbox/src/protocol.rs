//! The wire format: errors, fields, JSON, markup and the validation of requests. Pure functions, without state.

pub(crate) mod error;
pub(crate) mod fields;
pub(crate) mod markup;
pub(crate) mod service;
pub(crate) mod success;
pub(crate) mod validation;
pub(crate) mod wire;
