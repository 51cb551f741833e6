//! Constructor sessions. A person composes a message with the help of a bot, which need not be in the target chat.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::ids::{ChatId, UserId};
use super::message::{Content, Keyboard};
use super::prepared::Prepared;

/// An open constructor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) user: UserId,
    pub(crate) bot: UserId,
    /// The chat that the message will be posted to.
    pub(crate) chat: ChatId,
    /// The last answer of the bot.
    pub(crate) answer: Option<ConstructorAnswer>,
    /// The answers of the bot that the person has not read.
    pub(crate) unread: VecDeque<Prepared>,
}

/// The answer of a bot to an input in its constructor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ConstructorAnswer {
    pub(crate) messages: Vec<Content>,
    pub(crate) allows_input: bool,
    pub(crate) hint: Option<String>,
    pub(crate) placeholder: Option<String>,
    pub(crate) data: Option<String>,
    pub(crate) keyboard: Keyboard,
}
