//! The recipient of a message.

use crate::{
    api::types::{Chat, ChatMember, User},
    id::{ChatId, UserId},
};

/// The destination of a message: a [`ChatId`] or a [`UserId`].
///
/// [`Bot::send`](crate::Bot::send) also accepts a [`ChatId`] or a [`UserId`] directly: see
/// [`IntoTarget`](crate::request::IntoTarget).
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
    /// A group, a channel or a dialog, by its chat id. A dialog is the chat of one user with the bot.
    Chat(ChatId),
    /// The dialog with a user, by the id of the user. The user must have started the bot.
    User(UserId),
}

macro_rules! target_from {
    ($($name:ty => |$value:ident| $target:expr;)*) => {
        $(
            impl From<$name> for Target {
                fn from($value: $name) -> Self {
                    $target
                }
            }

            impl IntoTarget for $name {}
            impl sealed::Target for $name {}
        )*
    };
}

target_from! {
    ChatId => |chat| Self::Chat(chat);
    &ChatId => |chat| Self::Chat(*chat);
    UserId => |user| Self::User(user);
    &UserId => |user| Self::User(*user);
    &Target => |target| *target;
    Chat => |chat| Self::Chat(chat.chat_id);
    &Chat => |chat| Self::Chat(chat.chat_id);
    User => |user| Self::User(user.user_id);
    &User => |user| Self::User(user.user_id);
    ChatMember => |member| Self::User(member.user_id);
    &ChatMember => |member| Self::User(member.user_id);
}

impl IntoTarget for Target {}
impl sealed::Target for Target {}

/// A value that names the destination of a message. [`Bot::send`](crate::Bot::send),
/// [`Bot::send_long`](crate::Bot::send_long) and [`Bot::forward`](crate::Bot::forward) accept this value.
///
/// Implemented for [`ChatId`], [`UserId`], [`Target`], [`Chat`], [`User`] and [`ChatMember`], by value and by
/// reference. This trait is sealed: other crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name the recipient of a message",
    label = "expected a `ChatId` or a `UserId`",
    note = "`ChatId(7)` is the chat with the id 7, and `UserId(7)` the dialog with the user with the id 7"
)]
pub trait IntoTarget: Into<Target> + sealed::Target {}

mod sealed {
    pub trait Target {}
}
