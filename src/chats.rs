//! Methods of the bot for chats, members, messages, callbacks, constructors, commands and links.

pub(crate) mod action;
pub(crate) mod callback;
pub(crate) mod chat;
pub(crate) mod command;
pub(crate) mod comments;
pub(crate) mod constructor;
pub mod link;
pub(crate) mod member;
pub(crate) mod messages;
pub mod pages;
pub(crate) mod target;
