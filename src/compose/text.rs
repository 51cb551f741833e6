//! Formatted text: building, escaping, rendering, reading and splitting.
//!
//! A [`Text`] is a text with formatted parts. A `Text` needs no escaping, even if it contains text of users.
//! [`Bot::send`](crate::Bot::send) accepts a `Text` like a string:
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! # let tamtam = tamtam_sandbox::Sandbox::start().await;
//! # let bot = tamtam.bot();
//! # let alice = tamtam.user("Alice");
//! # alice.starts();
//! use tamtam::text::Text;
//!
//! let name = "<Alice> *";
//! let hello = Text::new("Hello ").bold(name).plain(", see ");
//! let hello = hello.link("the map", "https://example.org/map");
//! bot.send(alice.chat_id(), hello).await?;
//! # assert_eq!(alice.reads().await.text(), "Hello <Alice> *, see the map");
//! # Ok(())
//! # }
//! ```
//!
//! - [`escape_markdown`] and [`escape_html`] escape a text that you insert into your own Markdown or HTML.
//! - [`Message::to_html`](crate::Message::to_html) and [`Message::to_markdown`](crate::Message::to_markdown) convert a
//!   received message. [`Text::from_markup`] converts a received text to a [`Text`]. [`slices`] returns the formatted
//!   parts of a received text.
//! - [`Bot::send_long`](crate::Bot::send_long) sends a text that is longer than the [`LIMIT`] of one message, as
//!   several messages. [`split`] splits a text without sending the parts.
//!
//! The messenger turns each `@username` in a text into a mention, and each web address into a link. Neither formatting
//! nor escaping prevents this.

mod builder;
mod escape;
mod html;
pub(crate) mod long;
mod markdown;
mod nesting;
mod received;
mod split;
mod split_markup;
mod style;

pub use builder::Text;
pub use escape::{escape_html, escape_markdown};
pub(crate) use long::{LongMessage, LongText, Source};
pub use received::slices;
pub use split::{LIMIT, split};

#[cfg(test)]
mod tests;
