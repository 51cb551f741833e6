//! Constructor sessions: a person composes a message with the help of a bot, which need not be in the chat that the
//! message goes to.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::ids::{ChatId, UserId};
use super::message::{Content, Keyboard};
use super::prepared::Prepared;

/// A constructor that is open.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) user: UserId,
    pub(crate) bot: UserId,
    /// Where the message will be posted.
    pub(crate) chat: ChatId,
    /// What the bot answered last.
    pub(crate) answer: Option<ConstructorAnswer>,
    /// What the bot has shown and the person has not read.
    pub(crate) unread: VecDeque<Prepared>,
}

/// What a bot lets a constructor show.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ConstructorAnswer {
    pub(crate) messages: Vec<Content>,
    pub(crate) allows_input: bool,
    pub(crate) hint: Option<String>,
    pub(crate) placeholder: Option<String>,
    pub(crate) data: Option<String>,
    pub(crate) keyboard: Keyboard,
}
