//! Guides: longer texts, each about one thing that people want to do.
//!
//! - [Testing your bot](testing), with worked tests.

#[doc = include_str!("../docs/testing.md")]
pub mod testing {}
