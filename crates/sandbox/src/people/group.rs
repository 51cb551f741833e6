//! Groups and channels.

use tamtam::types::ChatAdminPermission;

use crate::protocol::service::Service;
use crate::sandbox::Sandbox;
use crate::state::chat::Permission;
use crate::state::ids::ChatId;

/// A group or a channel in a sandbox. Returned by [`Sandbox::group`], [`Sandbox::channel`] and [`Sandbox::chat`]. In a
/// group, all members can write. In a channel, only administrators with the right `write` can write.
///
/// Every sandbox starts with one bot. On this page, "the bot" means this bot.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// let alice = tamtam.user("Alice");
/// let team = tamtam.group("Team", [&alice]);
/// alice.in_chat(&team).renames_chat("Dream team");
/// assert_eq!(team.title(), "Dream team");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Group {
    pub(crate) sandbox: Sandbox,
    pub(crate) chat_id: ChatId,
}

impl Group {
    /// Returns the id of the group or channel. Ids of groups and channels are negative.
    pub fn chat_id(&self) -> tamtam::ChatId {
        tamtam::ChatId(self.chat_id)
    }

    /// Returns the current title of the group or channel.
    pub fn title(&self) -> String {
        self.sandbox.world().act(|state| {
            let title = state.chats.get(&self.chat_id).and_then(|chat| chat.title());
            title.unwrap_or_default().to_owned()
        })
    }

    /// Makes the group or channel public. By default, groups and channels are private. A public group or channel
    /// differs from a private one in three ways:
    ///
    /// - Its link ends with `name`: `https://tt.me/name` on TamTam, and `https://max.ru/name` on MAX.
    /// - Its messages have a `url`.
    /// - On TamTam, the operation `getChatByLink` finds the group or channel.
    #[must_use]
    pub fn with_public_link(self, name: &str) -> Self {
        self.sandbox.world().act(|state| state.make_public(self.chat_id, name));
        self
    }

    /// Shows the `sender` of all posts in a channel, including existing posts. By default, posts have no `sender`. Has
    /// no effect on a group.
    #[must_use]
    pub fn with_signed_posts(self) -> Self {
        self.sandbox.world().act(|state| state.sign_posts(self.chat_id));
        self
    }

    /// Switches on comments on the posts of a channel. By default, comments are switched off. Has no effect on a group.
    /// MAX only.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// let max = tamtam_sandbox::Sandbox::max().await;
    /// let (bot, alice) = (max.bot(), max.user("Alice"));
    /// let news = max.channel("News", [&alice]).with_comments();
    /// let post = bot.send(news.chat_id(), "The sun shines").await?.message;
    /// let comment = alice.in_chat(&news).comments(&post, "Here it rains");
    /// # assert_eq!(alice.in_chat(&news).sees_comments(&post), ["Here it rains"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the sandbox simulates TamTam.
    #[must_use]
    #[track_caller]
    pub fn with_comments(self) -> Self {
        self.set_comments(true);
        self
    }

    /// Switches off comments on the posts of a channel. Existing comments can still be read, edited and deleted. Has no
    /// effect on a group. MAX only.
    ///
    /// # Panics
    ///
    /// Panics if the sandbox simulates TamTam.
    #[track_caller]
    pub fn closes_comments(&self) {
        self.set_comments(false);
    }

    #[track_caller]
    fn set_comments(&self, are_taken: bool) {
        let is_max = self.sandbox.world().act(|state| {
            state.with_chat(self.chat_id, |chat| chat.takes_comments = are_taken && chat.is_channel());
            state.service.traits().has_comments
        });
        assert!(is_max, "TamTam has no comments: use Sandbox::max()");
    }

    /// Removes the administrator rights of the bot. The bot stays a member. On TamTam, the bot gets no update. On MAX,
    /// if the bot was an administrator, the bot's webhooks get the update `bot_admin_permissions_changed`. Polls never
    /// return this update.
    ///
    /// Has no effect if the bot is not a member.
    pub fn demotes_bot(&self) {
        self.set_rights(|_| None);
    }

    /// Makes the bot an administrator with all rights. In a new group or channel, the bot already has all rights. On
    /// TamTam, the bot gets no update. On MAX, if the rights change, the bot's webhooks get the update
    /// `bot_admin_permissions_changed`. Polls never return
    /// this update.
    ///
    /// Has no effect if the bot is not a member.
    pub fn promotes_bot(&self) {
        self.set_rights(|service| Some(Permission::all(service)));
    }

    /// Makes the bot an administrator with only the rights in `rights`. On TamTam, the bot gets no update. On MAX, if
    /// the rights change, the bot's webhooks get the update `bot_admin_permissions_changed`. Polls never return
    /// this update.
    ///
    /// Has no effect if the bot is not a member.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam::types::ChatAdminPermission;
    ///
    /// let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// let team = tamtam.group("Team", [&tamtam.user("Alice")]);
    /// team.promotes_bot_to([ChatAdminPermission::ReadAllMessages]);
    /// let error = tamtam.bot().api().unpin_message(team.chat_id()).await.unwrap_err();
    /// assert!(error.is_forbidden());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if one of the rights does not exist on the simulated service.
    #[track_caller]
    pub fn promotes_bot_to(&self, rights: impl IntoIterator<Item = ChatAdminPermission>) {
        let all = Permission::all(self.sandbox.server.service);
        let mut known = Vec::new();
        for right in rights {
            match all.iter().find(|known| known.name() == right.as_str()) {
                Some(right) => known.push(*right),
                None => panic!("{} has no right {}", self.sandbox.service().name(), right.as_str()),
            }
        }
        self.set_rights(|_| Some(known));
    }

    fn set_rights(&self, rights: impl FnOnce(Service) -> Option<Vec<Permission>>) {
        let bot = self.sandbox.bot_id().0;
        self.sandbox.world().act(|state| {
            let chat = state.chats.get(&self.chat_id);
            let owner = chat.and_then(|chat| chat.members.iter().find(|(_, member)| member.is_owner));
            let owner = owner.map_or(bot, |(owner, _)| *owner);
            let rights = rights(state.service).map(|rights| (rights, None));
            state.set_rights(self.chat_id, bot, owner, rights);
        });
    }
}
