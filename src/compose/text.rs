//! Builds, escapes, converts and splits texts.
//!
//! A [`Text`] contains a text and its formatting. You can insert text from users into a `Text` without escaping.
//! To send a `Text`, pass it to [`Bot::send`](crate::Bot::send):
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
//! | you want to | see |
//! |---|---|
//! | insert a text into your own Markdown or HTML | [`escape_markdown`], [`escape_html`] |
//! | convert a received message to HTML or Markdown | [`Message::to_html`](crate::Message::to_html), [`Message::to_markdown`](crate::Message::to_markdown) |
//! | convert a received text to a `Text` | [`Text::from_markup`] |
//! | get the formatted parts of a received text | [`slices`] |
//! | send a text that is longer than [`LIMIT`] | [`Bot::send_long`](crate::Bot::send_long) |
//! | split a text without sending it | [`split`] |
//!
//! The messengers turn each `@username` in a text into a mention, and each web address into a link, even if the text is
//! formatted or escaped.

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
