//! The ids of the demo.

use serde::{Deserialize, Serialize};
use tamtam::{
    MessageId,
    types::{CallbackId, SessionId},
};

/// The ids of the items that [`Sandbox::demo`](crate::Sandbox::demo) creates. These ids are enough to try every
/// operation of the API.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// let (bot, demo) = (tamtam.bot(), tamtam.demo());
/// let chat = bot.api().get_chat(demo.chat_id).await?;
/// assert_eq!(chat.title.as_deref(), Some("Demo"));
/// assert!(demo.session_id.is_some(), "constructors exist only on TamTam");
/// assert!(demo.channel_id.is_none(), "comments exist only on MAX");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Demo {
    /// The id of a group in which the bot is an administrator with all rights.
    pub chat_id: tamtam::ChatId,
    /// The id of Bob, a person who is a member of the group and has started the bot.
    pub user_id: tamtam::UserId,
    /// The id of a message that the bot sent to the group. The message has two buttons.
    pub message_id: MessageId,
    /// The id of a callback (a press of a button) that the bot can answer. Bob pressed a button of the message
    /// `message_id`.
    pub callback_id: CallbackId,
    /// The ids of all callbacks of the demo: one on TamTam, five on MAX. The first id is `callback_id`.
    #[serde(default)]
    pub callback_ids: Vec<CallbackId>,
    /// The id of the session of a [`Constructor`](crate::Constructor) that Bob has opened for the group. A constructor
    /// is a window in which a bot helps a person to compose a message. `None` on MAX.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The id of a channel with comments switched on. The owner is a person named Alice. The bot is an
    /// administrator of the channel with all rights. `None` on TamTam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<tamtam::ChatId>,
    /// The id of a post of the bot in the channel. `None` on TamTam.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<MessageId>,
}
