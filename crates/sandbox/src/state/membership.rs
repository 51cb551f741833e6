//! Acts on a group as a whole: title, pinned message, members and administrators.

use serde_json::json;

use super::State;
use super::chat::{Channel, Chat, ChatKind, Gone, Member, Permission};
use super::ids::{self, ChatId, Seq, UserId};

impl State {
    /// Creates a group or a channel with a private link. Its owner is the only member.
    pub(crate) fn found_group(&mut self, title: String, owner: UserId, channel: Option<Channel>) -> ChatId {
        let chat_id = ids::group(self.issue_id());
        let link = format!("{}/join/{}", self.service.traits().links, self.secret("link"));
        let (now, service) = (self.clock.tick(), self.service);
        let chat = self.add_chat(chat_id, ChatKind::Group { title, link, is_public: false, channel });
        chat.enter(owner, Member::owner(now, service));
        let kind = if channel.is_some() { "channel" } else { "chat" };
        self.record(chat_id, format!("{} creates the {kind}", self.name(owner)));
        chat_id
    }

    /// Creates a group or a channel, to which the owner adds `others`.
    pub(crate) fn found_with(
        &mut self,
        title: String,
        owner: UserId,
        others: impl IntoIterator<Item = UserId>,
        is_channel: bool,
    ) -> ChatId {
        let chat_id = self.found_group(title, owner, is_channel.then_some(Channel { signs: false }));
        for user in others {
            self.take_in(chat_id, user, Some(owner));
        }
        chat_id
    }

    /// Makes a group public. `name` is the end of its link.
    pub(crate) fn make_public(&mut self, chat_id: ChatId, name: &str) {
        let links = self.service.traits().links;
        self.with_chat(chat_id, |chat| {
            if let ChatKind::Group { link, is_public, .. } = &mut chat.kind {
                *link = format!("{links}/{name}");
                *is_public = true;
            }
        });
    }

    pub(crate) fn rename(&mut self, chat_id: ChatId, who: UserId, new: &str) {
        self.record(chat_id, format!("{} renames the chat: {new}", self.name(who)));
        let now = self.happened(chat_id, who);
        self.with_chat(chat_id, |chat| {
            if let ChatKind::Group { title, .. } = &mut chat.kind {
                new.clone_into(title);
            }
        });
        let fields = json!({ "chat_id": chat_id, "user": self.user_json(who), "title": new });
        let bots = self.bots_in(chat_id, who);
        self.publish(&bots, "chat_title_changed", now, fields);
    }

    pub(crate) fn pin(&mut self, chat_id: ChatId, who: UserId, seq: Seq) {
        let Some(message) = self.message(chat_id, seq) else { return };
        self.record(chat_id, format!("{} pins: {message}", self.name(who)));
        self.happened(chat_id, who);
        self.with_chat(chat_id, |chat| chat.pinned = Some(seq));
    }

    pub(crate) fn unpin(&mut self, chat_id: ChatId, who: UserId) {
        self.record(chat_id, format!("{} unpins", self.name(who)));
        self.happened(chat_id, who);
        self.with_chat(chat_id, |chat| chat.pinned = None);
    }

    /// Adds a user to a group. Without `inviter`, the user joins by the link. A bot becomes an administrator. Returns
    /// false if the user is already a member or is blocked, or if there is no such chat.
    pub(crate) fn take_in(&mut self, chat_id: ChatId, user: UserId, inviter: Option<UserId>) -> bool {
        let refused = self
            .chats
            .get(&chat_id)
            .is_none_or(|chat| chat.members.contains_key(&user) || chat.blocked.contains(&user));
        if refused {
            return false;
        }
        let (is_bot, is_channel) = (self.is_bot(user), self.is_channel(chat_id));
        let now = self.happened(chat_id, inviter.unwrap_or(user));
        let member = if is_bot { Member::admin(now, self.service) } else { Member::new(now) };
        self.with_chat(chat_id, |chat| chat.enter(user, member));
        self.record(
            chat_id,
            match inviter {
                Some(inviter) => format!("{} adds {}", self.name(inviter), self.name(user)),
                None => format!("{} joins", self.name(user)),
            },
        );
        let bots = self.admin_bots(chat_id, &[inviter.unwrap_or(user), user]);
        let fields = json!({
            "chat_id": chat_id,
            "user": self.user_json(user),
            "inviter_id": inviter,
            "is_channel": is_channel,
        });
        self.publish(&bots, "user_added", now, fields);
        if let (true, Some(inviter)) = (is_bot, inviter) {
            let by = self.user_json(inviter);
            let fields = json!({ "chat_id": chat_id, "user": by, "is_channel": is_channel });
            self.publish(&[user], "bot_added", now, fields);
        }
        true
    }

    /// Removes a user from a group: the user leaves, or `who` removes the user.
    pub(crate) fn take_out(&mut self, chat_id: ChatId, user: UserId, who: UserId, gone: Gone) {
        let is_channel = self.is_channel(chat_id);
        let now = self.happened(chat_id, who);
        self.record(
            chat_id,
            match gone {
                Gone::Left => format!("{} leaves", self.name(user)),
                Gone::Removed => format!("{} removes {}", self.name(who), self.name(user)),
            },
        );
        self.with_chat(chat_id, |chat| {
            chat.members.remove(&user);
            chat.gone.insert(user, gone);
        });
        let mut fields = json!({
            "chat_id": chat_id,
            "user": self.user_json(user),
            "is_channel": is_channel,
        });
        // The document allows a missing `admin_id`, but not a null one.
        if matches!(gone, Gone::Removed) {
            fields["admin_id"] = json!(who);
        }
        let bots = self.admin_bots(chat_id, &[who, user]);
        self.publish(&bots, "user_removed", now, fields);
        if matches!(gone, Gone::Removed) && self.is_bot(user) {
            let by = self.user_json(who);
            let fields = json!({ "chat_id": chat_id, "user": by, "is_channel": is_channel });
            self.publish(&[user], "bot_removed", now, fields);
        }
    }

    fn is_channel(&self, chat_id: ChatId) -> bool {
        self.chats.get(&chat_id).is_some_and(Chat::is_channel)
    }

    /// Makes a channel sign its posts: new and old posts get a sender.
    pub(crate) fn sign_posts(&mut self, chat_id: ChatId) {
        self.with_chat(chat_id, |chat| {
            if let ChatKind::Group { channel: Some(channel), .. } = &mut chat.kind {
                channel.signs = true;
            }
        });
    }

    /// Makes a member an administrator with these rights, or changes the rights of an administrator.
    pub(crate) fn appoint(
        &mut self,
        chat_id: ChatId,
        user: UserId,
        who: UserId,
        (rights, alias): (Vec<Permission>, Option<String>),
    ) {
        self.record(chat_id, format!("{} appoints {}", self.name(who), self.name(user)));
        self.happened(chat_id, who);
        self.set_rights(chat_id, user, who, Some((rights, alias)));
    }

    /// Removes all rights of an administrator.
    pub(crate) fn dismiss(&mut self, chat_id: ChatId, user: UserId, who: UserId) {
        self.record(chat_id, format!("{} dismisses {}", self.name(who), self.name(user)));
        self.happened(chat_id, who);
        self.set_rights(chat_id, user, who, None);
    }

    /// Sets the rights and the title of a member. On MAX, a bot gets an update when its own rights change.
    pub(crate) fn set_rights(
        &mut self,
        chat_id: ChatId,
        user: UserId,
        who: UserId,
        rights: Option<(Vec<Permission>, Option<String>)>,
    ) {
        const KIND: &str = "bot_admin_permissions_changed";
        let (rights, alias) = rights.map_or((None, None), |(rights, alias)| (Some(rights), alias));
        let names = rights.as_ref().map(|rights| rights.iter().map(|right| right.name()).collect::<Vec<_>>());
        let is_changed = self.with_chat(chat_id, |chat| {
            let member = chat.members.get_mut(&user)?;
            let is_changed = member.permissions != rights;
            (member.permissions, member.alias) = (rights, alias);
            Some(is_changed)
        });
        let is_told = self.is_bot(user) && self.service.traits().update_types.contains(&KIND);
        if is_changed.flatten() != Some(true) || !is_told {
            return;
        }
        let mut fields = json!({
            "chat_id": chat_id,
            "user_id": who,
            "bot_id": user,
            "is_channel": self.is_channel(chat_id),
            "is_admin": names.is_some(),
            "permissions": names,
        });
        self.omit_nulls(&mut fields);
        let now = self.clock.tick();
        self.publish(&[user], KIND, now, fields);
    }

    /// Returns the bots that get updates about members: administrators, on MAX only those with the right to read. Bots
    /// in `except` are left out.
    fn admin_bots(&self, chat_id: ChatId, except: &[UserId]) -> Vec<UserId> {
        let hides = self.service.traits().hides_messages;
        let hears = |one: &Member| one.is_admin() && (!hides || one.may(Permission::ReadAllMessages));
        let members = self.chats.get(&chat_id).into_iter().flat_map(|chat| &chat.members);
        let admins = members.filter(|(user, member)| hears(member) && self.is_bot(**user));
        admins.map(|(user, _)| *user).filter(|user| !except.contains(user)).collect()
    }
}
