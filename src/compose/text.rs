//! Formatted text: built, escaped, rendered, read from what was received, and split where it is too long.
//!
//! A [`Text`] is a text some parts of which look different. It needs no escaping, whatever users typed, and is sent like
//! any other text:
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
//! let hello = Text::new("Hello ").bold(name).plain(", see ").link("the map", "https://example.org/map");
//! bot.send(alice.chat_id(), hello).await?;
//! # assert_eq!(alice.reads().await.text(), "Hello <Alice> *, see the map");
//! # Ok(())
//! # }
//! ```
//!
//! - Who writes Markdown or HTML by hand puts foreign words into it by [`escape_markdown`] or [`escape_html`].
//! - What was received becomes HTML or Markdown by [`Message::to_html`](crate::Message::to_html) and
//!   [`Message::to_markdown`](crate::Message::to_markdown), and a [`Text`] by [`Text::from_markup`]; [`slices`] gives the
//!   parts that are formatted.
//! - A text beyond the [`LIMIT`] of one message is sent by [`Bot::send_long`](crate::Bot::send_long), or taken apart by
//!   [`split`].
//!
//! No notation and no escape keeps TamTam from making a mention of `@username`, and a link of an address, in a text.

mod builder;
mod escape;
mod html;
mod long;
mod markdown;
mod nesting;
mod received;
mod split;
mod split_markup;
mod style;

pub use builder::Text;
pub use escape::{escape_html, escape_markdown};
pub(crate) use long::LongMessage;
pub use long::LongText;
pub use received::slices;
pub use split::{LIMIT, split};

#[cfg(test)]
mod tests;
