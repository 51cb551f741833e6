//! The ids of the demo.

use serde::{Deserialize, Serialize};
use tamtam::{
    MessageId,
    types::{CallbackId, SessionId},
};

/// The ids that [`Sandbox::demo`](crate::Sandbox::demo) returns, to try every operation with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Demo {
    /// A group in which the bot is an administrator with all rights.
    pub chat_id: tamtam::ChatId,
    /// Bob, a member of the group, who has also started the bot.
    pub user_id: tamtam::UserId,
    /// A message of the bot in the group, with two buttons.
    pub message_id: MessageId,
    /// An unanswered press of a button by Bob.
    pub callback_id: CallbackId,
    /// All unanswered presses: one on TamTam, five on MAX. The first one is `callback_id`.
    #[serde(default)]
    pub callback_ids: Vec<CallbackId>,
    /// The bot's constructor, which Bob has opened for the group. TamTam only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// A channel of Alice with comments switched on. The bot is an administrator of it. MAX only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<tamtam::ChatId>,
    /// A post of the bot in the channel. MAX only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_id: Option<MessageId>,
}
