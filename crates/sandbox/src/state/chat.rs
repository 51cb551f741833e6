//! Chats: their members with rights, their messages, and what people have read.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::clock::Millis;
use super::ids::{ChatId, Seq, UserId};
use super::message::Message;
use super::seen::Seen;
use crate::protocol::service::Service;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Chat {
    pub(crate) chat_id: ChatId,
    /// Chats are listed in the order of this number.
    pub(crate) number: i64,
    pub(crate) kind: ChatKind,
    pub(crate) icon: Option<String>,
    pub(crate) description: Option<String>,
    /// The message whose chat button created this chat.
    pub(crate) button_mid: Option<String>,
    pub(crate) last_event: Millis,
    pub(crate) members: BTreeMap<UserId, Member>,
    /// Former members, and why they are gone.
    pub(crate) gone: BTreeMap<UserId, Gone>,
    pub(crate) blocked: BTreeSet<UserId>,
    pub(crate) messages: BTreeMap<Seq, Message>,
    /// Comments on the posts of a channel. [`Message::post`] is the post.
    #[serde(default)]
    pub(crate) comments: BTreeMap<Seq, Message>,
    /// Whether comments are switched on.
    #[serde(default)]
    pub(crate) takes_comments: bool,
    /// Whether the user has removed the dialog. The bot does not find a removed dialog.
    #[serde(default)]
    pub(crate) is_removed: bool,
    /// The time until which the user has muted the dialog.
    #[serde(default)]
    pub(crate) muted_until: Option<Millis>,
    /// The newest message that each user has cleared.
    #[serde(default)]
    pub(crate) cleared: BTreeMap<UserId, Seq>,
    pub(crate) pinned: Option<Seq>,
    /// The messages and edits of bots, in order, as people saw them.
    pub(crate) shown: Vec<Seen>,
    /// The number of items in `shown` that each person has read.
    pub(crate) read: BTreeMap<UserId, usize>,
    /// The unread one-time notifications of each person.
    pub(crate) notifications: BTreeMap<UserId, VecDeque<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum ChatKind {
    Dialog { user: UserId, bot: UserId, suspended: bool },
    Group { title: String, link: String, is_public: bool, channel: Option<Channel> },
}

/// The settings of a channel.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Channel {
    /// Whether posts have a sender.
    pub(crate) signs: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Gone {
    Left,
    Removed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) joined: Millis,
    pub(crate) last_access: Millis,
    pub(crate) is_owner: bool,
    /// The rights of an administrator. `None` for other members.
    pub(crate) permissions: Option<Vec<Permission>>,
    /// The title of an administrator.
    #[serde(default)]
    pub(crate) alias: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Permission {
    ReadAllMessages,
    AddRemoveMembers,
    AddAdmins,
    ChangeChatInfo,
    PinMessage,
    Write,
    EditLink,
    Edit,
    Delete,
    CanCall,
    ViewStats,
}

impl Permission {
    const ALL: [Self; 11] = [
        Self::ReadAllMessages,
        Self::AddRemoveMembers,
        Self::AddAdmins,
        Self::ChangeChatInfo,
        Self::PinMessage,
        Self::Write,
        Self::EditLink,
        Self::Edit,
        Self::Delete,
        Self::CanCall,
        Self::ViewStats,
    ];

    /// Returns all rights of a service.
    pub(crate) fn all(service: Service) -> Vec<Self> {
        let names = service.traits().permissions;
        Self::ALL.into_iter().filter(|one| names.contains(&one.name())).collect()
    }

    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ReadAllMessages => "read_all_messages",
            Self::AddRemoveMembers => "add_remove_members",
            Self::AddAdmins => "add_admins",
            Self::ChangeChatInfo => "change_chat_info",
            Self::PinMessage => "pin_message",
            Self::Write => "write",
            Self::EditLink => "edit_link",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::CanCall => "can_call",
            Self::ViewStats => "view_stats",
        }
    }
}

impl Member {
    pub(crate) const fn new(joined: Millis) -> Self {
        Self { joined, last_access: joined, is_owner: false, permissions: None, alias: None }
    }

    /// Creates an administrator with all rights of the service.
    pub(crate) fn admin(joined: Millis, service: Service) -> Self {
        Self { permissions: Some(Permission::all(service)), ..Self::new(joined) }
    }

    pub(crate) fn owner(joined: Millis, service: Service) -> Self {
        Self { is_owner: true, ..Self::admin(joined, service) }
    }

    pub(crate) const fn is_admin(&self) -> bool {
        self.permissions.is_some()
    }

    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.permissions.as_ref().is_some_and(|permissions| permissions.contains(&permission))
    }
}

impl Chat {
    pub(crate) fn new(chat_id: ChatId, number: i64, kind: ChatKind, now: Millis) -> Self {
        Self {
            chat_id,
            number,
            kind,
            icon: None,
            description: None,
            button_mid: None,
            last_event: now,
            members: BTreeMap::new(),
            gone: BTreeMap::new(),
            blocked: BTreeSet::new(),
            messages: BTreeMap::new(),
            comments: BTreeMap::new(),
            takes_comments: false,
            is_removed: false,
            muted_until: None,
            cleared: BTreeMap::new(),
            pinned: None,
            shown: Vec::new(),
            read: BTreeMap::new(),
            notifications: BTreeMap::new(),
        }
    }

    pub(crate) const fn is_dialog(&self) -> bool {
        matches!(self.kind, ChatKind::Dialog { .. })
    }

    pub(crate) const fn is_channel(&self) -> bool {
        self.channel().is_some()
    }

    const fn channel(&self) -> Option<&Channel> {
        match &self.kind {
            ChatKind::Group { channel, .. } => channel.as_ref(),
            ChatKind::Dialog { .. } => None,
        }
    }

    /// Whether messages have a sender. Posts of a channel have none, unless the channel signs them.
    pub(crate) fn names_authors(&self) -> bool {
        self.channel().is_none_or(|channel| channel.signs)
    }

    /// Whether a user may post. In a channel, only administrators with the right `write` may.
    pub(crate) fn may_post(&self, user_id: UserId) -> bool {
        let member = self.members.get(&user_id);
        member.is_some_and(|member| !self.is_channel() || member.may(Permission::Write))
    }

    pub(crate) fn may(&self, user_id: UserId, permission: Permission) -> bool {
        self.members.get(&user_id).is_some_and(|member| member.may(permission))
    }

    pub(crate) fn is_admin(&self, user_id: UserId) -> bool {
        self.members.get(&user_id).is_some_and(Member::is_admin)
    }

    /// Returns the first position that the person has not cleared.
    pub(crate) fn first_seen_by(&self, user_id: UserId) -> Seq {
        self.cleared.get(&user_id).map_or(Seq::MIN, |cleared| cleared + 1)
    }

    /// Records that a user has seen a message. Each user counts once.
    pub(crate) fn view(&mut self, seq: Seq, user_id: UserId) {
        if let Some(message) = self.messages.get_mut(&seq) {
            message.viewers.insert(user_id);
        }
    }

    /// Returns the title. `None` for a dialog.
    pub(crate) fn title(&self) -> Option<&str> {
        match &self.kind {
            ChatKind::Dialog { .. } => None,
            ChatKind::Group { title, .. } => Some(title),
        }
    }

    pub(crate) const fn is_suspended(&self) -> bool {
        matches!(self.kind, ChatKind::Dialog { suspended: true, .. })
    }

    /// Returns the other participant of a dialog. `None` for a group.
    pub(crate) fn partner_of(&self, user_id: UserId) -> Option<UserId> {
        match self.kind {
            ChatKind::Dialog { user, bot, .. } => Some(if user_id == bot { user } else { bot }),
            ChatKind::Group { .. } => None,
        }
    }

    /// Returns the `status` of the chat for a bot. `None` if the bot was never a member.
    pub(crate) fn status_for(&self, bot: UserId) -> Option<&'static str> {
        if self.members.contains_key(&bot) {
            return Some(if self.is_suspended() { "suspended" } else { "active" });
        }
        self.gone.get(&bot).map(|gone| match gone {
            Gone::Left => "left",
            Gone::Removed => "removed",
        })
    }

    /// Adds a member, for whom everything shown before counts as read.
    pub(crate) fn enter(&mut self, user: UserId, member: Member) {
        self.gone.remove(&user);
        self.read.insert(user, self.shown.len());
        self.members.insert(user, member);
    }
}
