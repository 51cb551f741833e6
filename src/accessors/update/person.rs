//! Who is behind an update.

use std::borrow::Cow;

use super::unknown;
use crate::{
    api::types::{Update, User},
    id::UserId,
};

/// Who is behind it.
impl Update {
    /// Who did it; `None` where that is not told (a post in a channel, a deleted message, of which only the
    /// [id](Self::user_id) is). Of `user_added` and `user_removed` it is the member that comes or goes.
    #[must_use]
    pub fn user(&self) -> Option<Cow<'_, User>> {
        match self {
            Self::MessageConstructionRequest(update) => {
                let user = update.user.clone();
                Some(Cow::Owned(User {
                    user_id: user.user_id,
                    name: user.name,
                    username: user.username,
                    is_bot: user.is_bot,
                    last_activity_time: user.last_activity_time,
                }))
            }
            Self::Unknown(unknown) => {
                unknown::find(unknown, &["/user", "/callback/user", "/message/sender"]).map(Cow::Owned)
            }
            _ => self.plain_user().map(Cow::Borrowed),
        }
    }

    /// As [`user`](Self::user), of the updates that have it as it is.
    fn plain_user(&self) -> Option<&User> {
        match self {
            Self::MessageCreated(_) | Self::MessageEdited(_) => self.message()?.sender.as_ref(),
            Self::MessageCallback(update) => Some(&update.callback.user),
            Self::BotAdded(update) => Some(&update.user),
            Self::BotRemoved(update) => Some(&update.user),
            Self::UserAdded(update) => Some(&update.user),
            Self::UserRemoved(update) => Some(&update.user),
            Self::BotStarted(update) => Some(&update.user),
            Self::ChatTitleChanged(update) => Some(&update.user),
            Self::MessageConstructed(update) => update.message.sender.as_ref(),
            Self::MessageRemoved(_)
            | Self::MessageConstructionRequest(_)
            | Self::MessageChatCreated(_)
            | Self::Unknown(_) => None,
        }
    }

    /// The id of who did it; `None` where that is not told (a post in a channel).
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::MessageRemoved(update) => Some(update.user_id),
            Self::MessageConstructionRequest(update) => Some(update.user.user_id),
            Self::Unknown(unknown) => {
                let places = ["/user/user_id", "/callback/user/user_id", "/message/sender/user_id", "/user_id"];
                unknown::find(unknown, &places)
            }
            _ => Some(self.plain_user()?.user_id),
        }
    }

    /// The name of who did it, as people see it.
    #[must_use]
    pub fn sender_name(&self) -> Option<&str> {
        match self {
            Self::MessageConstructionRequest(update) => Some(&update.user.name),
            _ => Some(&self.plain_user()?.name),
        }
    }

    /// The username of who did it, without the `@`; many people have none.
    #[must_use]
    pub fn sender_username(&self) -> Option<&str> {
        match self {
            Self::MessageConstructionRequest(update) => update.user.username.as_deref(),
            _ => self.plain_user()?.username.as_deref(),
        }
    }

    /// Whether a bot did it; `None` where that is not told.
    #[must_use]
    pub fn sender_is_bot(&self) -> Option<bool> {
        match self {
            Self::MessageConstructionRequest(update) => update.user.is_bot,
            _ => self.plain_user()?.is_bot,
        }
    }
}

/// The accessors of what has a `sender`.
macro_rules! sender_accessors {
    () => {
        /// Who wrote it; `None` of a post in a channel.
        #[must_use]
        pub fn user_id(&self) -> Option<crate::id::UserId> {
            Some(self.sender.as_ref()?.user_id)
        }

        /// The name of who wrote it, as people see it.
        #[must_use]
        pub fn sender_name(&self) -> Option<&str> {
            Some(&self.sender.as_ref()?.name)
        }

        /// The username of who wrote it, without the `@`; many people have none.
        #[must_use]
        pub fn sender_username(&self) -> Option<&str> {
            self.sender.as_ref()?.username.as_deref()
        }
    };
}

pub(super) use sender_accessors;
