//! Guides for common tasks, and for the move of a bot to this crate or to MAX.
//!
//! - Test your bot: the guide `tamtam_sandbox::guide` of the crate `tamtam-sandbox` contains complete tests.
//! - [Moderate a group](moderation): delete messages, warn the senders, remove members.
//! - [Broadcast to many chats](broadcast): send one message to many users, within the rate limits. Each user gets the
//!   message at most once.
//! - [Read the log of your bot](logging): the names and fields of all spans and events.
//! - [Move from TamTam to MAX](from_tamtam): the changes for a bot that moves to MAX.
//! - [Move from botapitamtam (Python)](from_botapitamtam): the equivalent of each method of the library.
//! - [Move from the official Java client and SDK](from_java): the equivalents of their classes and methods.
//!
//! All guides use bots like this one, with a test on the sandbox:
//!
//! ```
//! use tamtam::{Bot, Update};
//! use tamtam_sandbox::Sandbox;
//!
//! async fn echo(bot: Bot, update: Update) -> tamtam::Result<()> {
//!     if let Some(message) = update.message() {
//!         bot.reply(message, message.text().unwrap_or("No text")).await?;
//!     }
//!     Ok(())
//! }
//!
//! #[tokio::main]
//! async fn main() {
//!     let max = Sandbox::max().await;
//!     let alice = max.user("Alice");
//!     tokio::spawn(max.bot().run(echo).run());
//!     alice.says("Hello");
//!     assert_eq!(alice.reads().await.text(), "Hello");
//! }
//! ```

#[doc = include_str!("../docs/broadcast.md")]
pub mod broadcast {}

#[doc = include_str!("../docs/moderation.md")]
pub mod moderation {}

#[doc = include_str!("../docs/logging.md")]
pub mod logging {}

#[doc = include_str!("../docs/from-tamtam.md")]
pub mod from_tamtam {}

#[doc = include_str!("../docs/from-botapitamtam.md")]
pub mod from_botapitamtam {}

#[doc = include_str!("../docs/from-java.md")]
pub mod from_java {}
