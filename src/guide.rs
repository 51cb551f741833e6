//! Guides: longer texts, each about one thing that people want to do.
//!
//! - [Test your bot](https://docs.rs/tamtam-sandbox/latest/tamtam_sandbox/guide/index.html), with worked tests, is a guide of
//!   `tamtam-sandbox`.
//! - [Write to many chats](broadcast): broadcasts within the limits of the service that send nothing twice.
//! - [Read the log of your bot](logging): names and fields of spans and events.
//! - [From TamTam to MAX](from_tamtam): what changes for a bot that moves to MAX.
//! - [From botapitamtam](from_botapitamtam): what takes the place of each method of the Python library.
//! - [From Java](from_java): what takes the place of the official client and SDK.

#[doc = include_str!("../docs/broadcast.md")]
pub mod broadcast {}

#[doc = include_str!("../docs/logging.md")]
pub mod logging {}

#[doc = include_str!("../docs/from-tamtam.md")]
pub mod from_tamtam {}

#[doc = include_str!("../docs/from-botapitamtam.md")]
pub mod from_botapitamtam {}

#[doc = include_str!("../docs/from-java.md")]
pub mod from_java {}
