//! Verbs of the bot: on chats, their members and messages, callbacks, constructors and commands.

pub(crate) mod action;
pub(crate) mod callback;
pub(crate) mod chat;
pub(crate) mod command;
pub(crate) mod comments;
pub(crate) mod constructor;
pub(crate) mod link;
pub(crate) mod messages;
pub(crate) mod pages;
