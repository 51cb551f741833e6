//! The operations of the API: one function each, grouped as in its document.

pub(crate) mod access;
pub(crate) mod admins;
pub(crate) mod answers;
pub(crate) mod attachments;
pub(crate) mod call;
pub(crate) mod chats;
pub(crate) mod comments;
pub(crate) mod construct;
pub(crate) mod draft;
pub(crate) mod keyboard;
pub(crate) mod me;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod pins;
pub(crate) mod subscriptions;
pub(crate) mod updates;
pub(crate) mod uploads;
pub(crate) mod videos;
