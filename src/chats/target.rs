//! The recipient of a message.

use crate::{
    api::types::{Chat, User},
    id::{ChatId, UserId},
};

/// The destination of a message.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let max = tamtam_sandbox::Sandbox::max().await;
/// # let (bot, alice) = (max.bot(), max.user("Alice"));
/// # alice.starts();
/// # let team = max.group("Team", [&alice]);
/// use tamtam::Target;
///
/// let everybody = [Target::from(alice.user_id()), Target::from(team.chat_id())];
/// for target in everybody {
///     bot.send(target, "It is noon.").await?;
/// }
/// # assert_eq!(alice.sees(), ["It is noon."]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// A dialog, group or channel.
    Chat(ChatId),
    /// The dialog with a user, who must have started the bot.
    User(UserId),
}

impl From<ChatId> for Target {
    fn from(chat: ChatId) -> Self {
        Self::Chat(chat)
    }
}

impl From<UserId> for Target {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}

/// Returns the chat as the recipient of a message.
impl From<&Chat> for Target {
    fn from(chat: &Chat) -> Self {
        Self::Chat(chat.chat_id)
    }
}

/// Returns the dialog with the user as the recipient of a message.
impl From<&User> for Target {
    fn from(user: &User) -> Self {
        Self::User(user.user_id)
    }
}

/// A recipient of a message: a [`ChatId`], a [`UserId`], a [`Target`], a `&`[`Chat`] or a `&`[`User`].
///
/// This trait is sealed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name the recipient of a message",
    label = "expected a `ChatId` or a `UserId`",
    note = "`ChatId(7)` is the chat with the id 7, and `UserId(7)` the dialog with the user with the id 7"
)]
pub trait IntoTarget: Into<Target> + sealed::Target {}

mod sealed {
    pub trait Target {}
}

macro_rules! into_target {
    ($($name:ty)*) => {
        $(
            impl IntoTarget for $name {}
            impl sealed::Target for $name {}
        )*
    };
}

into_target! { ChatId UserId Target &Chat &User }
