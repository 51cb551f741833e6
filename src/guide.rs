//! Guides for those who come from another library: what takes the place of what they know.

#[doc = include_str!("../docs/from-botapitamtam.md")]
pub mod from_botapitamtam {}

#[doc = include_str!("../docs/from-java.md")]
pub mod from_java {}
