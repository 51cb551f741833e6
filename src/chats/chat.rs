//! What a bot does in its chats: reads them, pins, renames, and takes people in and out.

use crate::{
    api::{
        AddMembers, DeleteAdmins, EditChat, GetAdmins, GetChat, GetChatByLink, GetMembership, GetPinnedMessage,
        LeaveChat, PinMessage, PostAdmins, RemoveMember, UnpinMessage,
        types::{
            ChatAdmin, ChatAdminPermission, ChatAdminsList, ChatPatch, PhotoAttachmentRequest,
            PhotoAttachmentRequestPayload, PinMessageBody, UserIdsList,
        },
    },
    chats::link,
    client::bot::Bot,
    id::{ChatId, MessageId, UserId},
};

/// Chats. The lists of them, of their members and messages are [`chats`](Self::chats), [`members`](Self::members) and
/// [`messages`](Self::messages).
impl Bot {
    /// A dialog, group or channel, with all that the bot may know of it.
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
    /// `https://tt.me/name`, `https://max.ru/name`, or a [`ChatLink`](crate::ChatLink).
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

    /// Pins a message in a group or a channel, in place of the one before. The members are told, unless it is
    /// [`silent`](PinMessage::silent). The bot needs the right `pin_message`.
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
    pub fn pin(&self, chat: impl Into<ChatId>, message: impl Into<MessageId>) -> PinMessage {
        self.api().pin_message(chat, PinMessageBody::new(message))
    }

    /// Unpins what is pinned. If nothing is, that is an error ([`is_refused`](crate::Error::is_refused)) which does no harm.
    pub fn unpin(&self, chat: impl Into<ChatId>) -> UnpinMessage {
        self.api().unpin_message(chat)
    }

    /// The message that is pinned in a group or a channel: `message` of the answer is `None` if there is none.
    pub fn pinned(&self, chat: impl Into<ChatId>) -> GetPinnedMessage {
        self.api().get_pinned_message(chat)
    }

    /// Gives a group or a channel another title, of at most 200 characters. The members are told, unless it is
    /// [`silent`](EditChat::silent). The bot needs the right `change_chat_info`.
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
    /// ```no_run
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// let bot = tamtam::Bot::max("token")?;
    /// bot.describe(-123, "All about the weather").silent().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe(&self, chat: impl Into<ChatId>, description: impl Into<String>) -> EditChat {
        self.api().edit_chat(chat, ChatPatch::new().description(description))
    }

    /// Gives a group or a channel another icon: a photo that was [uploaded](Self::upload_photo), or one
    /// by its [`url`](PhotoAttachmentRequestPayload::url) or [`token`](PhotoAttachmentRequestPayload::token). The members
    /// are told, unless it is [`silent`](EditChat::silent). The bot needs the right `change_chat_info`.
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

    /// The administrators of a group or a channel, the owner included, with their rights. Only an administrator may ask.
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

    /// Makes a member of a group or a channel an administrator with these rights, or replaces the rights of an administrator.
    /// MAX only. The bot needs the right `add_admins`. A chat has at most 50 administrators.
    ///
    /// ```no_run
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam::{UserId, types::ChatAdminPermission};
    ///
    /// let bot = tamtam::Bot::max("token")?;
    /// let rights = [ChatAdminPermission::ReadAllMessages, ChatAdminPermission::Write];
    /// bot.add_admin(-123, UserId(7), rights).await?;
    /// bot.remove_admin(-123, UserId(7)).await?;
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

    /// The same as [`add_admin`](Self::add_admin) for several members.
    ///
    /// ```no_run
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam::{UserId, types::{ChatAdmin, ChatAdminPermission}};
    ///
    /// let bot = tamtam::Bot::max("token")?;
    /// let rights = [ChatAdminPermission::ReadAllMessages, ChatAdminPermission::Write];
    /// let admins = [7, 8].map(|user| ChatAdmin::new(UserId(user), rights.clone()));
    /// bot.add_admins(-123, admins).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_admins(&self, chat: impl Into<ChatId>, admins: impl IntoIterator<Item = ChatAdmin>) -> PostAdmins {
        self.api().post_admins(chat, ChatAdminsList::new(admins))
    }

    /// Takes the rights of an administrator away. The user stays a member. MAX only. The bot needs the right `add_admins`.
    #[doc(alias = "demote")]
    pub fn remove_admin(&self, chat: impl Into<ChatId>, user: impl Into<UserId>) -> DeleteAdmins {
        self.api().delete_admins(chat, user)
    }

    /// The bot itself as a member of a group or a channel: its rights, above all.
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

    /// Adds users to a group or a channel. The bot needs the right `add_remove_members`.
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

    /// Removes a user from a group or a channel, who may join again. The bot needs the right `add_remove_members`.
    pub fn remove_member(&self, chat: impl Into<ChatId>, user: impl Into<UserId>) -> RemoveMember {
        self.api().remove_member(chat, user)
    }

    /// Removes a user from a group or a channel for good: neither its link nor the bot brings the user back. The bot needs
    /// the right `add_remove_members`.
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
    pub fn block_member(&self, chat: impl Into<ChatId>, user: impl Into<UserId>) -> RemoveMember {
        self.remove_member(chat, user).block(true)
    }

    /// Takes the bot out of a group or a channel. Somebody has to add it to bring it back.
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
    /// Whether the members are told; they are if not set.
    pub fn notify(mut self, notify: bool) -> Self {
        self.body.notify = Some(notify);
        self
    }

    /// Without telling the members: `notify(false)`.
    pub fn silent(self) -> Self {
        self.notify(false)
    }
}

impl EditChat {
    /// Whether the members are told; they are if not set.
    pub fn notify(mut self, notify: bool) -> Self {
        self.body.notify = Some(notify);
        self
    }

    /// Without telling the members: `notify(false)`.
    pub fn silent(self) -> Self {
        self.notify(false)
    }
}

/// A photo that was uploaded, or one by URL or token, as an icon or a profile picture.
impl From<PhotoAttachmentRequest> for PhotoAttachmentRequestPayload {
    fn from(photo: PhotoAttachmentRequest) -> Self {
        photo.payload
    }
}
