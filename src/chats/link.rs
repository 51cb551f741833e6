//! Links of the services: they start bots, open Mini Apps, share texts, and lead to chats and people.
//!
//! [`Bot`](crate::Bot) creates links of its service; all links are also parsed from a text.
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
