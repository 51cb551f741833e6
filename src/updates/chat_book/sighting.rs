//! The information about a chat in one of its updates.

use crate::{
    api::types::{ChatType, Update, UpdateType},
    id::{ChatId, UserId},
};

/// An update of a chat that the bot is, or was, in.
pub(super) struct Sighting<'a> {
    pub(super) chat_id: ChatId,
    /// Time of the update, in Unix milliseconds.
    pub(super) at: i64,
    pub(super) update: &'a Update,
    /// From the tag, so that it is right also for an update that cannot be read.
    kind: UpdateType,
}

impl<'a> Sighting<'a> {
    /// Returns `None` if the update is not about a chat of the bot, or has no timestamp.
    pub(super) fn of(update: &'a Update) -> Option<Self> {
        let (chat_id, at, kind) = (update.chat_id()?, update.timestamp()?, update.update_type());
        // Users of a constructor post in chats that the bot is not in.
        let is_elsewhere = match kind {
            UpdateType::MessageConstructed | UpdateType::MessageConstructionRequest => true,
            UpdateType::MessageCallback => update.message().is_some_and(|message| message.constructor.is_some()),
            _ => false,
        };
        (!is_elsewhere).then_some(Self { chat_id, at, update, kind })
    }

    /// Whether the chat is a dialog. The ids of groups and channels are negative.
    pub(super) fn is_in_dialog(&self) -> bool {
        match self.update.chat_type() {
            Some(chat_type) => chat_type == ChatType::Dialog,
            None => self.chat_id.0 > 0,
        }
    }

    pub(super) fn is_removal(&self) -> bool {
        matches!(self.kind, UpdateType::BotRemoved | UpdateType::DialogRemoved)
    }

    /// Whether the update reports the arrival of the bot in the chat.
    pub(super) fn is_arrival(&self) -> bool {
        matches!(self.kind, UpdateType::BotAdded | UpdateType::BotStarted | UpdateType::MessageChatCreated)
    }

    /// Whether only a bot in the chat receives this update. Other updates can follow the removal of the bot:
    /// `bot_stopped` comes together with `dialog_removed`, and buttons of old messages can still be pressed.
    pub(super) fn shows_presence(&self) -> bool {
        let by_kind = matches!(
            self.kind,
            UpdateType::MessageCreated
                | UpdateType::CommentCreated
                | UpdateType::UserAdded
                | UpdateType::ChatTitleChanged
        );
        by_kind || self.is_arrival() || self.is_admin() == Some(true)
    }

    /// Returns whether the bot is an administrator, if the update reports it.
    pub(super) fn is_admin(&self) -> Option<bool> {
        match self.update {
            // `user_id` is the user who changed the rights. The rights are always those of the bot.
            Update::BotAdminPermissionsChanged(update) => Some(update.is_admin),
            // The bot is an administrator of the chats that its buttons create.
            Update::MessageChatCreated(_) => Some(true),
            _ => None,
        }
    }

    pub(super) fn title(&self) -> Option<&'a str> {
        let title = match self.update {
            Update::ChatTitleChanged(update) => Some(update.title.as_str()),
            Update::MessageChatCreated(update) => update.chat.title.as_deref(),
            _ => None,
        };
        title.filter(|title| !title.is_empty())
    }

    /// Returns whether the person of a dialog has stopped the bot, if the update reports it.
    pub(super) fn is_stopped(&self) -> Option<bool> {
        match self.kind {
            UpdateType::BotStopped => Some(true),
            UpdateType::BotStarted => Some(false),
            // The person can write only after starting the bot again.
            UpdateType::MessageCreated if self.person().is_some() => Some(false),
            _ => None,
        }
    }

    /// Returns the user of the update, if it is of a type that the person of a dialog causes.
    pub(super) fn person(&self) -> Option<UserId> {
        let is_by_person = matches!(
            self.kind,
            UpdateType::BotStarted
                | UpdateType::BotStopped
                | UpdateType::DialogCleared
                | UpdateType::DialogMuted
                | UpdateType::DialogUnmuted
                | UpdateType::MessageCreated
                | UpdateType::MessageCallback
        );
        let is_by_bot = self.update.sender_is_bot() == Some(true);
        if is_by_person && !is_by_bot { self.update.user_id() } else { None }
    }
}
