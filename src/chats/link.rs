//! Types that create and parse links of MAX and TamTam.
//!
//! | type | effect of the link | services |
//! |---|---|---|
//! | [`DeepLink`] | opens the chat with a bot; when the user starts the bot, the bot receives a payload (a text) | both |
//! | [`AppLink`] | opens the Mini App of a bot (a web page inside MAX) | MAX |
//! | [`ShareLink`] | shares a text | MAX |
//! | [`ChatLink`] | leads to a group, a channel or a user | both |
//!
//! To create a link for the service of a `Bot`, use [`Bot::deep_link`](crate::Bot::deep_link) or
//! [`Bot::app_link`](crate::Bot::app_link) (MAX only).
//!
//! All types of this module can be parsed from a string. If the string is not a link of the requested type,
//! parsing fails with [`ErrorKind::Link`](crate::ErrorKind::Link).
//!
//! ```
//! # fn main() -> tamtam::Result<()> {
//! use tamtam::{Bot, link::DeepLink};
//!
//! let bot = Bot::max("token")?;
//! let link = bot.deep_link("my_bot", "order-7")?;
//! assert_eq!(link.to_string(), "https://max.ru/my_bot?start=order-7");
//! assert_eq!("https://max.ru/my_bot?start=order-7".parse::<DeepLink>()?, link);
//! # Ok(())
//! # }
//! ```

mod app_link;
mod chat_link;
mod deep_link;
mod share_link;
mod template;

pub use app_link::AppLink;
pub use chat_link::ChatLink;
pub(crate) use chat_link::beyond_the_origin;
pub use deep_link::DeepLink;
pub use share_link::ShareLink;
