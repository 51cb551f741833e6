//! Links of the services: they start bots, open Mini Apps, share texts, and lead to chats and people.

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
