//! A chat in a chat book.

use serde::{Deserialize, Serialize};

use crate::{
    api::types::ChatType,
    id::{ChatId, UserId},
};

/// A chat in a [`ChatBook`](crate::updates::ChatBook), which is a list of the chats that a bot is in. Returned by
/// [`ChatBook::chats`](crate::updates::ChatBook::chats) and [`ChatBook::get`](crate::updates::ChatBook::get).
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
    /// Type of the chat. `None` if no update contained the type.
    pub chat_type: Option<ChatType>,
    /// Time of the oldest recorded update since the bot joined the chat, in Unix milliseconds. The update
    /// that reports the join is included.
    pub since: i64,
    /// Role of the bot in the chat.
    pub role: ChatRole,
    /// Title of the chat. `None` if no update contained a title. Only the updates `chat_title_changed` and
    /// `message_chat_created` contain a title.
    pub title: Option<String>,
    /// Time of the newest recorded update of the chat, in Unix milliseconds.
    ///
    /// If only this field changes, the book saves the chat at most once a day. So after a restart, the time can be up
    /// to 24 h too old.
    pub last_update: i64,
}

/// The role of the bot in a chat: partner in a dialog (private chat), member, or administrator. See
/// [`KnownChat::role`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChatRole {
    /// The chat is a dialog (private chat) of the bot with a user.
    Dialog {
        /// Id of the user. `None` if no update contained the id.
        user_id: Option<UserId>,
        /// Whether the user has stopped the bot. If `true`, the bot cannot write to the user. Always `false` on TamTam,
        /// because TamTam does not report that a user has stopped the bot.
        is_stopped: bool,
    },
    /// The bot is a member of a group or a channel. The role is also `Member` if no update has set the role: see
    /// [What updates change](crate::updates::ChatBook#what-updates-change).
    Member,
    /// The bot is an administrator of a group or a channel.
    Admin,
}
