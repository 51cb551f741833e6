//! Operations on chats: read, pin, rename, add and remove members.

use crate::{
    api::{
        AddMembers, DeleteAdmins, EditChat, GetAdmins, GetChat, GetChatByLink, GetMembership, GetPinnedMessage,
        LeaveChat, PinMessage, PostAdmins, RemoveMember, UnpinMessage,
        types::{
            ChatAdmin, ChatAdminPermission, ChatAdminsList, ChatMember, ChatPatch, PhotoAttachmentRequest,
            PhotoAttachmentRequestPayload, PinMessageBody, UserIdsList,
        },
    },
    chats::link,
    client::bot::Bot,
    error::Result,
    id::{ChatId, IntoMessageId, UserId},
};

/// Chats. [`chats`](Self::chats), [`members`](Self::members) and [`messages`](Self::messages) list chats, their members and
/// their messages.
impl Bot {
    /// Returns a dialog, group or channel, with all properties that the bot may see.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let team = tamtam.group("Team", [&alice]);
    /// let chat = bot.chat(team.chat_id()).await?;
    /// assert_eq!(chat.title.as_deref(), Some("Team"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn chat(&self, chat: impl Into<ChatId>) -> GetChat {
        self.api().get_chat(chat)
    }

    /// Returns a public chat by its name, or the dialog with a user by the username. `link` is `@name`, `name`,
    /// `https://tt.me/name`, `https://max.ru/name`, or a [`ChatLink`](crate::link::ChatLink).
    ///
    /// TamTam only.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # tamtam.channel("News", [&alice]).with_public_link("all_news");
    /// let news = bot.chat_by_link("https://tt.me/all_news").await?;
    /// assert_eq!(news.title.as_deref(), Some("News"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn chat_by_link(&self, link: impl AsRef<str>) -> GetChatByLink {
        self.api().get_chat_by_link(link::beyond_the_origin(link.as_ref()))
    }

    /// Pins a message in a group or a channel. The message replaces the pinned one. The members are notified unless the
    /// request is [`silent`](PinMessage::silent). The bot needs the right `pin_message`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let team = tamtam.group("Team", [&alice]);
    /// # let mid = alice.in_chat(&team).says("The rules are ...");
    /// bot.pin(team.chat_id(), mid).silent().await?;
    /// let pinned = bot.pinned(team.chat_id()).await?.message;
    /// assert_eq!(pinned.expect("it was just pinned").text(), Some("The rules are ..."));
    /// bot.unpin(team.chat_id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pin(&self, chat: impl Into<ChatId>, message: impl IntoMessageId) -> PinMessage {
        self.api().pin_message(chat, PinMessageBody::new(message))
    }

    /// Unpins the pinned message. If no message is pinned, the call fails ([`is_refused`](crate::Error::is_refused)). This
    /// error is harmless.
    pub fn unpin(&self, chat: impl Into<ChatId>) -> UnpinMessage {
        self.api().unpin_message(chat)
    }

    /// Returns the pinned message of a group or a channel. `message` of the response is `None` if no message is pinned.
    pub fn pinned(&self, chat: impl Into<ChatId>) -> GetPinnedMessage {
        self.api().get_pinned_message(chat)
    }

    /// Changes the title of a group or a channel. A title has at most 200 characters. The members are notified unless the
    /// request is [`silent`](EditChat::silent). The bot needs the right `change_chat_info`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let team = tamtam.group("Team", [&alice]);
    /// let chat = bot.rename(team.chat_id(), "Team A").await?;
    /// assert_eq!(chat.title.as_deref(), Some("Team A"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn rename(&self, chat: impl Into<ChatId>, title: impl Into<String>) -> EditChat {
        self.api().edit_chat(chat, ChatPatch::new().title(title))
    }

    /// Sets the description of a group or a channel. MAX only. The members are notified unless the request is
    /// [`silent`](EditChat::silent). The bot needs the right `change_chat_info`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let bot = max.bot();
    /// # let alice = max.user("Alice");
    /// # let team = max.group("Team", [&alice]);
    /// let chat = bot.describe(team.chat_id(), "All about the weather").silent().await?;
    /// assert_eq!(chat.description.as_deref(), Some("All about the weather"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe(&self, chat: impl Into<ChatId>, description: impl Into<String>) -> EditChat {
        self.api().edit_chat(chat, ChatPatch::new().description(description))
    }

    /// Changes the icon of a group or a channel. `icon` is an [uploaded](Self::upload_photo) photo, or a photo by its
    /// [`url`](PhotoAttachmentRequestPayload::url) or [`token`](PhotoAttachmentRequestPayload::token). The members are
    /// notified unless the request is [`silent`](EditChat::silent). The bot needs the right `change_chat_info`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let team = tamtam.group("Team", [&alice]);
    /// # let path = b"\x89PNG";
    /// use tamtam::types::PhotoAttachmentRequestPayload;
    ///
    /// bot.set_icon(team.chat_id(), bot.upload_photo(path).await?).await?;
    /// let by_url = PhotoAttachmentRequestPayload::new().url("https://example.org/icon.png");
    /// bot.set_icon(team.chat_id(), by_url).silent().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_icon(&self, chat: impl Into<ChatId>, icon: impl Into<PhotoAttachmentRequestPayload>) -> EditChat {
        self.api().edit_chat(chat, ChatPatch::new().icon(icon))
    }

    /// Returns the administrators of a group or a channel with their rights, including the owner. The bot must be an
    /// administrator.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let team = tamtam.group("Team", [&alice]);
    /// for admin in bot.admins(team.chat_id()).await?.members {
    ///     println!("{} may {:?}", admin.name, admin.permissions);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn admins(&self, chat: impl Into<ChatId>) -> GetAdmins {
        self.api().get_admins(chat)
    }

    /// Makes a member of a group or a channel an administrator, or replaces the rights of an administrator. MAX only. The
    /// bot needs the right `add_admins`. A chat has at most 50 administrators.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let bot = max.bot();
    /// # let (alice, bob) = (max.user("Alice"), max.user("Bob"));
    /// # let team = max.group("Team", [&alice, &bob]);
    /// use tamtam::types::ChatAdminPermission;
    ///
    /// let rights = [ChatAdminPermission::ReadAllMessages, ChatAdminPermission::Write];
    /// bot.add_admin(team.chat_id(), bob.user_id(), rights).await?;
    /// # assert_eq!(bot.admins(team.chat_id()).await?.members.len(), 3);
    /// bot.remove_admin(team.chat_id(), bob.user_id()).await?;
    /// # assert_eq!(bot.admins(team.chat_id()).await?.members.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "promote")]
    pub fn add_admin(
        &self,
        chat: impl Into<ChatId>,
        user: impl Into<UserId>,
        rights: impl IntoIterator<Item = ChatAdminPermission>,
    ) -> PostAdmins {
        self.add_admins(chat, [ChatAdmin::new(user, rights)])
    }

    /// Makes several members administrators. Otherwise the same as [`add_admin`](Self::add_admin).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let bot = max.bot();
    /// # let (alice, bob, carol) = (max.user("Alice"), max.user("Bob"), max.user("Carol"));
    /// # let team = max.group("Team", [&alice, &bob, &carol]);
    /// use tamtam::types::{ChatAdmin, ChatAdminPermission};
    ///
    /// let rights = [ChatAdminPermission::ReadAllMessages, ChatAdminPermission::Write];
    /// let admins =
    ///     [bob.user_id(), carol.user_id()].map(|user| ChatAdmin::new(user, rights.clone()));
    /// bot.add_admins(team.chat_id(), admins).await?;
    /// # assert_eq!(bot.admins(team.chat_id()).await?.members.len(), 4);
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_admins(&self, chat: impl Into<ChatId>, admins: impl IntoIterator<Item = ChatAdmin>) -> PostAdmins {
        self.api().post_admins(chat, ChatAdminsList::new(admins))
    }

    /// Removes the rights of an administrator. The user stays a member. MAX only. The bot needs the right `add_admins`.
    #[doc(alias = "demote")]
    pub fn remove_admin(&self, chat: impl Into<ChatId>, user: impl Into<UserId>) -> DeleteAdmins {
        self.api().delete_admins(chat, user)
    }

    /// Returns the bot as a member of a group or a channel, for example with its rights.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let team = tamtam.group("Team", [&alice]);
    /// assert!(bot.membership(team.chat_id()).await?.is_admin);
    /// # Ok(())
    /// # }
    /// ```
    pub fn membership(&self, chat: impl Into<ChatId>) -> GetMembership {
        self.api().get_membership(chat)
    }

    /// Returns a member of a group or a channel. `None` if the user is not a member.
    ///
    /// The bot must be a member of the group, or an administrator of the channel.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let (bot, alice, bob) = (max.bot(), max.user("Alice"), max.user("Bob"));
    /// # let team = max.group("Team", [&alice]);
    /// let member = bot.member(team.chat_id(), alice.user_id()).await?;
    /// assert_eq!(member.expect("Alice is a member").name, "Alice");
    /// assert!(bot.member(team.chat_id(), bob.user_id()).await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The same as for [`Api::get_members`](crate::api::Api::get_members).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the call, which changes nothing.
    #[doc(alias = "get_chat_member")]
    pub fn member<C, U>(&self, chat: C, user: U) -> impl Future<Output = Result<Option<ChatMember>>> + Send + use<C, U>
    where
        C: Into<ChatId>,
        U: Into<UserId>,
    {
        let user = user.into();
        let request = self.api().get_members(chat).user_ids([user]);
        async move { Ok(request.await?.members.into_iter().find(|member| member.user_id == user)) }
    }

    /// Returns whether a user is an administrator or the owner of a group or a channel. `false` if the user is not a
    /// member.
    ///
    /// The bot must be a member of the group, or an administrator of the channel.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let (bot, alice, bob) = (max.bot(), max.user("Alice"), max.user("Bob"));
    /// # let team = max.group("Team", [&alice, &bob]);
    /// assert!(bot.is_admin(team.chat_id(), alice.user_id()).await?);
    /// assert!(!bot.is_admin(team.chat_id(), bob.user_id()).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The same as for [`member`](Self::member).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the call, which changes nothing.
    pub fn is_admin<C, U>(&self, chat: C, user: U) -> impl Future<Output = Result<bool>> + Send + use<C, U>
    where
        C: Into<ChatId>,
        U: Into<UserId>,
    {
        let member = self.member(chat, user);
        async move { Ok(member.await?.is_some_and(|member| member.is_admin || member.is_owner)) }
    }

    /// Adds users to a group, on TamTam also to a channel. The bot needs the right `add_remove_members`. MAX has restricted
    /// this operation since September 2026.
    ///
    /// Some servers report the users who could not be added, in
    /// [`failed_user_ids`](crate::types::ModifyMembersResult::failed_user_ids). If no user could be added, for example
    /// because all are members, the call fails ([`is_refused`](crate::Error::is_refused)).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    /// # let team = tamtam.group("Team", [&alice]);
    /// let added = bot.add_members(team.chat_id(), [bob.user_id()]).await?;
    /// assert!(added.failed_user_ids.unwrap_or_default().is_empty());
    /// bot.remove_member(team.chat_id(), bob.user_id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_members(
        &self,
        chat: impl Into<ChatId>,
        users: impl IntoIterator<Item = impl Into<UserId>>,
    ) -> AddMembers {
        let users: Vec<UserId> = users.into_iter().map(Into::into).collect();
        self.api().add_members(chat, UserIdsList::new(users))
    }

    /// Removes a user from a group or a channel. The user may join again. The bot needs the right `add_remove_members`.
    #[doc(alias = "kick")]
    pub fn remove_member(&self, chat: impl Into<ChatId>, user: impl Into<UserId>) -> RemoveMember {
        self.api().remove_member(chat, user)
    }

    /// Removes a user from a group or a channel and blocks the user: the user cannot join by the link, and the bot cannot
    /// add the user. The bot needs the right `add_remove_members`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    /// # let team = tamtam.group("Team", [&alice, &bob]);
    /// bot.block_member(team.chat_id(), bob.user_id()).await?;
    /// let back = bot.add_members(team.chat_id(), [bob.user_id()]).await;
    /// assert!(back.is_err_and(|error| error.is_refused()));
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "ban")]
    pub fn block_member(&self, chat: impl Into<ChatId>, user: impl Into<UserId>) -> RemoveMember {
        self.remove_member(chat, user).block(true)
    }

    /// Removes the bot from a group or a channel. To return, the bot must be added again.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let team = tamtam.group("Team", [&alice]);
    /// bot.leave(team.chat_id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn leave(&self, chat: impl Into<ChatId>) -> LeaveChat {
        self.api().leave_chat(chat)
    }
}

impl PinMessage {
    /// Sets whether the members are notified. Defaults to `true`.
    pub fn notify(mut self, notify: bool) -> Self {
        self.body.notify = Some(notify);
        self
    }

    /// Does not notify the members: the same as `notify(false)`.
    pub fn silent(self) -> Self {
        self.notify(false)
    }
}

impl EditChat {
    /// Sets whether the members are notified. Defaults to `true`.
    pub fn notify(mut self, notify: bool) -> Self {
        self.body.notify = Some(notify);
        self
    }

    /// Does not notify the members: the same as `notify(false)`.
    pub fn silent(self) -> Self {
        self.notify(false)
    }
}

/// Returns the source of the picture: an upload, a URL or a token. The source can be an icon or a profile picture.
impl From<PhotoAttachmentRequest> for PhotoAttachmentRequestPayload {
    fn from(photo: PhotoAttachmentRequest) -> Self {
        photo.payload
    }
}
