//! Guides: longer texts, each about one thing that people want to do.
//!
//! - [Testing your bot](testing), with worked tests.
//! - [From botapitamtam](from_botapitamtam): what takes the place of each method of the Python library.
//! - [From Java](from_java): what takes the place of the official client and SDK.

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("../docs/from-botapitamtam.md")]
pub mod from_botapitamtam {}

#[doc = include_str!("../docs/from-java.md")]
pub mod from_java {}
