//! Chats: who is in them, with which rights, and what was said and shown there.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::ids::{ChatId, Seq, UserId};
use super::message::Message;
use crate::sandbox::clock::Millis;
use crate::sandbox::people::Seen;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Chat {
    pub(in crate::sandbox) chat_id: ChatId,
    /// Chats are listed in the order of this number.
    pub(in crate::sandbox) number: i64,
    pub(in crate::sandbox) kind: ChatKind,
    pub(in crate::sandbox) icon: Option<String>,
    pub(in crate::sandbox) description: Option<String>,
    /// The message whose chat button created this chat.
    pub(in crate::sandbox) button_mid: Option<String>,
    pub(in crate::sandbox) last_event: Millis,
    pub(in crate::sandbox) members: BTreeMap<UserId, Member>,
    /// Who was a member and is none, and why.
    pub(in crate::sandbox) gone: BTreeMap<UserId, Gone>,
    pub(in crate::sandbox) blocked: BTreeSet<UserId>,
    pub(in crate::sandbox) messages: BTreeMap<Seq, Message>,
    pub(in crate::sandbox) pinned: Option<Seq>,
    /// Everything bots have shown here, in order: new messages and edits, as they were at that moment.
    pub(in crate::sandbox) shown: Vec<Seen>,
    /// How much of `shown` each person has read.
    pub(in crate::sandbox) read: BTreeMap<UserId, usize>,
    /// One-time notifications that a person has not read.
    pub(in crate::sandbox) notifications: BTreeMap<UserId, VecDeque<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) enum ChatKind {
    Dialog { user: UserId, bot: UserId, suspended: bool },
    Group { title: String, link: String, is_public: bool, channel: Option<Channel> },
}

/// What makes a channel of a group.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Channel {
    /// Posts tell who wrote them.
    pub(in crate::sandbox) signs: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) enum Gone {
    Left,
    Removed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Member {
    pub(in crate::sandbox) joined: Millis,
    pub(in crate::sandbox) last_access: Millis,
    pub(in crate::sandbox) is_owner: bool,
    /// Rights of an administrator; `None` for everyone else.
    pub(in crate::sandbox) permissions: Option<Vec<Permission>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) enum Permission {
    ReadAllMessages,
    AddRemoveMembers,
    AddAdmins,
    ChangeChatInfo,
    PinMessage,
    Write,
}

impl Permission {
    pub(in crate::sandbox) const ALL: [Self; 6] = [
        Self::ReadAllMessages,
        Self::AddRemoveMembers,
        Self::AddAdmins,
        Self::ChangeChatInfo,
        Self::PinMessage,
        Self::Write,
    ];

    pub(in crate::sandbox) const fn name(self) -> &'static str {
        match self {
            Self::ReadAllMessages => "read_all_messages",
            Self::AddRemoveMembers => "add_remove_members",
            Self::AddAdmins => "add_admins",
            Self::ChangeChatInfo => "change_chat_info",
            Self::PinMessage => "pin_message",
            Self::Write => "write",
        }
    }
}

impl Member {
    pub(in crate::sandbox) const fn new(joined: Millis) -> Self {
        Self { joined, last_access: joined, is_owner: false, permissions: None }
    }

    /// An administrator with every right.
    pub(in crate::sandbox) fn admin(joined: Millis) -> Self {
        Self { permissions: Some(Permission::ALL.to_vec()), ..Self::new(joined) }
    }

    pub(in crate::sandbox) fn owner(joined: Millis) -> Self {
        Self { is_owner: true, ..Self::admin(joined) }
    }

    pub(in crate::sandbox) const fn is_admin(&self) -> bool {
        self.permissions.is_some()
    }

    pub(in crate::sandbox) fn may(&self, permission: Permission) -> bool {
        self.permissions.as_ref().is_some_and(|permissions| permissions.contains(&permission))
    }
}

impl Chat {
    pub(in crate::sandbox) fn new(chat_id: ChatId, number: i64, kind: ChatKind, now: Millis) -> Self {
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
            pinned: None,
            shown: Vec::new(),
            read: BTreeMap::new(),
            notifications: BTreeMap::new(),
        }
    }

    pub(in crate::sandbox) const fn is_dialog(&self) -> bool {
        matches!(self.kind, ChatKind::Dialog { .. })
    }

    pub(in crate::sandbox) const fn is_channel(&self) -> bool {
        self.channel().is_some()
    }

    const fn channel(&self) -> Option<&Channel> {
        match &self.kind {
            ChatKind::Group { channel, .. } => channel.as_ref(),
            ChatKind::Dialog { .. } => None,
        }
    }

    /// Whether messages tell who wrote them; a channel posts in its own name.
    pub(in crate::sandbox) fn names_authors(&self) -> bool {
        self.channel().is_none_or(|channel| channel.signs)
    }

    /// Whether a member may post here: in a channel only administrators do.
    pub(in crate::sandbox) fn may_post(&self, user_id: UserId) -> bool {
        let member = self.members.get(&user_id);
        member.is_some_and(|member| !self.is_channel() || member.may(Permission::Write))
    }

    /// Somebody sees a message, which counts once.
    pub(in crate::sandbox) fn view(&mut self, seq: Seq, user_id: UserId) {
        if let Some(message) = self.messages.get_mut(&seq) {
            message.viewers.insert(user_id);
        }
    }

    /// The title; dialogs have none.
    pub(in crate::sandbox) fn title(&self) -> Option<&str> {
        match &self.kind {
            ChatKind::Dialog { .. } => None,
            ChatKind::Group { title, .. } => Some(title),
        }
    }

    pub(in crate::sandbox) const fn is_suspended(&self) -> bool {
        matches!(self.kind, ChatKind::Dialog { suspended: true, .. })
    }

    /// The other one in a dialog.
    pub(in crate::sandbox) fn partner_of(&self, user_id: UserId) -> Option<UserId> {
        match self.kind {
            ChatKind::Dialog { user, bot, .. } => Some(if user_id == bot { user } else { bot }),
            ChatKind::Group { .. } => None,
        }
    }

    /// The `status` of the chat for a bot; `None` if it never took part.
    pub(in crate::sandbox) fn status_for(&self, bot: UserId) -> Option<&'static str> {
        if self.members.contains_key(&bot) {
            return Some(if self.is_suspended() { "suspended" } else { "active" });
        }
        self.gone.get(&bot).map(|gone| match gone {
            Gone::Left => "left",
            Gone::Removed => "removed",
        })
    }

    /// Takes somebody in, who reads from here on.
    pub(in crate::sandbox) fn enter(&mut self, user: UserId, member: Member) {
        self.gone.remove(&user);
        self.read.insert(user, self.shown.len());
        self.members.insert(user, member);
    }
}
