//! A chat in a chat book.

use serde::{Deserialize, Serialize};

use crate::{
    api::types::ChatType,
    id::{ChatId, UserId},
};

/// A chat that the bot is in, from a [`ChatBook`](crate::updates::ChatBook).
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// # let book = tamtam::updates::ChatBook::new();
/// # book.observe(&bot.updates().try_next().await?.unwrap()).await?;
/// use tamtam::updates::ChatRole;
///
/// for chat in book.chats() {
///     if !matches!(chat.role, ChatRole::Dialog { is_stopped: true, .. }) {
///         bot.send(chat.chat_id, "I am back").await?;
///     }
/// }
/// # assert_eq!(alice.reads().await.text(), "I am back");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KnownChat {
    /// Id of the chat.
    pub chat_id: ChatId,
    /// Type of the chat. `None` if no update had the type.
    pub chat_type: Option<ChatType>,
    /// Time of the first known update since the bot came to the chat, in Unix milliseconds.
    pub since: i64,
    /// Role of the bot in the chat.
    pub role: ChatRole,
    /// Title of the chat. `None` if no update had a title: most updates have none.
    pub title: Option<String>,
    /// Time of the newest known update of the chat, in Unix milliseconds. After a restart it can be up to 24 h too old.
    pub last_update: i64,
}

/// The role of the bot in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatRole {
    /// The bot talks to one user.
    Dialog {
        /// The user. `None` if no update named the user.
        user_id: Option<UserId>,
        /// Whether the user has stopped the bot. The bot then cannot write to the user. MAX reports stops, TamTam does not.
        is_stopped: bool,
    },
    /// The bot is in a group or a channel, and no update reported the bot as an administrator.
    Member,
    /// The bot is an administrator of a group or a channel.
    Admin,
}
