//! How the generated unions and string enums are read and written.

pub(crate) mod open_enum;
pub(crate) mod union;
