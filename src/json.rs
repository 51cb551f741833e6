//! Reading and writing of the generated models.

mod error_path;
pub(crate) mod key;
pub(crate) mod misfit;
pub(crate) mod object;
pub(crate) mod open_enum;
mod raw;
pub(crate) mod read;
mod repair;
pub(crate) mod tolerance;
pub(crate) mod union;

pub(crate) use raw::raw;
