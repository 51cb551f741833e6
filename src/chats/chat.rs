//! Operations on chats: read, pin, rename, add and remove members.

use crate::{
    api::{
        AddMembers, DeleteAdmins, EditChat, GetAdmins, GetChat, GetChatByLink, GetMembership, GetPinnedMessage,
        LeaveChat, PinMessage, PostAdmins, RemoveMember, UnpinMessage,
        types::{
            ChatAdmin, ChatAdminPermission, ChatAdminsList, ChatPatch, PhotoAttachmentRequest,
            PhotoAttachmentRequestPayload, PinMessageBody, UserIdsList,
        },
    },
    chats::{
        link,
        member::{GetMember, IsAdmin},
    },
    client::bot::Bot,
    id::{ChatId, IntoMessageId, UserId},
};

/// Methods for chats. To list chats, members or messages, see [`chats`](Self::chats), [`members`](Self::members) and
/// [`messages`](Self::messages).
impl Bot {
    /// Returns a chat: a dialog, a group or a channel. A dialog is the chat of one user with the bot.
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

    /// Returns a public group or channel by the name in its link, or a dialog by the username of the user. TamTam only.
    ///
    /// `link`: The name or username (`name` or `@name`), a link such as `https://tt.me/name`, or a
    /// [`ChatLink`](crate::link::ChatLink).
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

    /// Pins a message in a group or a channel, and unpins the previously pinned message. The bot needs the right
    /// `pin_message`. A system message in the chat announces the pinned message, unless you set
    /// [`notify(false)`](PinMessage::notify).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let team = tamtam.group("Team", [&alice]);
    /// # let mid = alice.in_chat(&team).says("The rules are ...");
    /// bot.pin(team.chat_id(), mid).notify(false).await?;
    /// let pinned = bot.pinned(team.chat_id()).await?.message;
    /// assert_eq!(pinned.expect("it was just pinned").text(), Some("The rules are ..."));
    /// bot.unpin(team.chat_id()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pin(&self, chat: impl Into<ChatId>, message: impl IntoMessageId) -> PinMessage {
        self.api().pin_message(chat, PinMessageBody::new(message))
    }

    /// Unpins the pinned message of a group or a channel. The bot needs the right `pin_message`.
    ///
    /// If no message is pinned, the call fails ([`is_refused`](crate::Error::is_refused)).
    pub fn unpin(&self, chat: impl Into<ChatId>) -> UnpinMessage {
        self.api().unpin_message(chat)
    }

    /// Returns the pinned message of a group or a channel. If no message is pinned, the field `message` of the response
    /// is `None`.
    pub fn pinned(&self, chat: impl Into<ChatId>) -> GetPinnedMessage {
        self.api().get_pinned_message(chat)
    }

    /// Sets the title of a group or a channel. A title has 1 to 200 characters. The bot needs the right
    /// `change_chat_info`. A system message in the chat announces the change, unless you set
    /// [`notify(false)`](EditChat::notify).
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

    /// Sets the description of a group or a channel. MAX only. A description has at most 16,000 characters. The bot
    /// needs the right `change_chat_info`. A system message in the chat announces the change, unless you set
    /// [`notify(false)`](EditChat::notify).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let bot = max.bot();
    /// # let alice = max.user("Alice");
    /// # let team = max.group("Team", [&alice]);
    /// let chat = bot.describe(team.chat_id(), "All about the weather").notify(false).await?;
    /// assert_eq!(chat.description.as_deref(), Some("All about the weather"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe(&self, chat: impl Into<ChatId>, description: impl Into<String>) -> EditChat {
        self.api().edit_chat(chat, ChatPatch::new().description(description))
    }

    /// Sets the icon of a group or a channel. The bot needs the right `change_chat_info`. A system message in the chat
    /// announces the change, unless you set [`notify(false)`](EditChat::notify).
    ///
    /// `icon`: An [uploaded](Self::upload_photo) photo, or a photo by its [`url`](PhotoAttachmentRequestPayload::url)
    /// or [`token`](PhotoAttachmentRequestPayload::token).
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
    /// bot.set_icon(team.chat_id(), by_url).notify(false).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_icon(&self, chat: impl Into<ChatId>, icon: impl Into<PhotoAttachmentRequestPayload>) -> EditChat {
        self.api().edit_chat(chat, ChatPatch::new().icon(icon))
    }

    /// Returns the administrators of a group or a channel, including the owner, with their rights. The bot must be an
    /// administrator of the chat.
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

    /// Appoints a member of a group or a channel as an administrator. MAX only. The bot needs the right `add_admins`.
    /// A chat can have at most 50 administrators.
    ///
    /// - `user`: The member to appoint.
    /// - `rights`: The rights of the administrator. If the member is already an administrator, `rights` replaces the
    ///   previous rights.
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

    /// Appoints several members of a group or a channel as administrators, with one request. MAX only. The bot needs
    /// the right `add_admins`. A chat can have at most 50 administrators.
    ///
    /// `admins`: The members to appoint, with their rights. If a member is already an administrator, the new rights
    /// replace the previous rights.
    ///
    /// For one member, use [`add_admin`](Self::add_admin).
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

    /// Removes the rights of an administrator of a group or a channel. The user stays a member of the chat. MAX only.
    /// The bot needs the right `add_admins`.
    #[doc(alias = "demote")]
    pub fn remove_admin(&self, chat: impl Into<ChatId>, user: impl Into<UserId>) -> DeleteAdmins {
        self.api().delete_admins(chat, user)
    }

    /// Returns the membership of the bot in a group or a channel, with the role and the rights of the bot.
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
    /// In a group, the bot must be a member. In a channel, the bot must be an administrator.
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
    #[doc(alias = "get_chat_member")]
    pub fn member(&self, chat: impl Into<ChatId>, user: impl Into<UserId>) -> GetMember {
        GetMember::new(self, chat.into(), user.into())
    }

    /// Returns whether a user is an administrator or the owner of a group or a channel. Returns `false` if the user is
    /// not a member.
    ///
    /// In a group, the bot must be a member. In a channel, the bot must be an administrator.
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
    pub fn is_admin(&self, chat: impl Into<ChatId>, user: impl Into<UserId>) -> IsAdmin {
        IsAdmin::new(self.member(chat, user))
    }

    /// Adds users to a group or, on TamTam, to a channel. The bot needs the right `add_remove_members`. On MAX, one
    /// request can add at most 100 users. Since September 2026, MAX can refuse this operation.
    ///
    /// If only some of the users can be added, MAX returns the ids of the other users in
    /// [`failed_user_ids`](crate::types::ModifyMembersResult::failed_user_ids), and the reasons in
    /// [`failed_user_details`](crate::types::ModifyMembersResult::failed_user_details). On TamTam, both fields are
    /// `None`.
    ///
    /// If no user can be added, for example because all users are already members, the call fails
    /// ([`is_refused`](crate::Error::is_refused)).
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

    /// Removes a user from a group or a channel. The user can join again. The bot needs the right `add_remove_members`.
    #[doc(alias = "kick")]
    pub fn remove_member(&self, chat: impl Into<ChatId>, user: impl Into<UserId>) -> RemoveMember {
        self.api().remove_member(chat, user)
    }

    /// Removes a user from a group or a channel, and blocks the user if the chat has a public or private link. A
    /// blocked user cannot join by this link, and the bot cannot add the user. The bot needs the right
    /// `add_remove_members`.
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

    /// Removes the bot from a group or a channel. The bot can return only if a member adds the bot again.
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
    /// Sets whether a system message in the chat announces the pinned message. Defaults to `true`.
    pub fn notify(mut self, notify: bool) -> Self {
        self.body.notify = Some(notify);
        self
    }
}

impl EditChat {
    /// Sets whether a system message in the chat announces the change. Defaults to `true`.
    pub fn notify(mut self, notify: bool) -> Self {
        self.body.notify = Some(notify);
        self
    }
}

/// Converts a photo attachment into the value for an icon or a profile picture.
impl From<PhotoAttachmentRequest> for PhotoAttachmentRequestPayload {
    fn from(photo: PhotoAttachmentRequest) -> Self {
        photo.payload
    }
}
