//! Acts of people on the members, administrators and title of a group or channel.

use super::{Actor, Done};
use crate::state::State;
use crate::state::chat::{Gone, Member, Permission};
use crate::state::ids::UserId;

impl Actor {
    pub(crate) fn joins(self, state: &mut State) -> Done<()> {
        let joined = self.group.is_some() && state.take_in(self.chat_id(), self.user_id, None);
        joined
            .then_some(())
            .ok_or_else(|| "cannot join this chat: already a member, blocked, or in a dialog".to_owned())
    }

    pub(crate) fn leaves(self, state: &mut State) -> Done<()> {
        self.check_group_member(state)?;
        state.take_out(self.chat_id(), self.user_id, self.user_id, Gone::Left);
        Ok(())
    }

    pub(crate) fn adds(self, state: &mut State, other: UserId) -> Done<()> {
        self.check_changes(state)?;
        let added = state.take_in(self.chat_id(), other, Some(self.user_id));
        added.then_some(()).ok_or_else(|| format!("cannot add {}: already a member, or blocked", state.name(other)))
    }

    pub(crate) fn removes(self, state: &mut State, other: UserId) -> Done<()> {
        self.check_changes(state)?;
        if !self.chat(state)?.members.contains_key(&other) {
            return Err(format!("cannot remove {}, who is not a member", state.name(other)));
        }
        state.take_out(self.chat_id(), other, self.user_id, Gone::Removed);
        Ok(())
    }

    pub(crate) fn blocks(self, state: &mut State, other: UserId) -> Done<()> {
        self.check_admin(state)?;
        let chat_id = self.chat_id();
        let member = self.chat(state)?.members.get(&other);
        if member.is_some_and(|member| member.is_owner) {
            return Err(format!("cannot block {}, who is the owner", state.name(other)));
        }
        if member.is_some() {
            state.take_out(chat_id, other, self.user_id, Gone::Removed);
        }
        state.record(chat_id, format!("{} blocks {}", state.name(self.user_id), state.name(other)));
        state.with_chat(chat_id, |chat| chat.blocked.insert(other));
        Ok(())
    }

    pub(crate) fn renames_chat(self, state: &mut State, title: &str) -> Done<()> {
        self.check_changes(state)?;
        state.rename(self.chat_id(), self.user_id, title);
        Ok(())
    }

    pub(crate) fn appoints(self, state: &mut State, other: UserId) -> Done<()> {
        self.check_admin(state)?;
        if !self.chat(state)?.members.contains_key(&other) {
            return Err(format!("cannot appoint {}, who is not a member", state.name(other)));
        }
        let rights = Permission::all(state.service);
        state.appoint(self.chat_id(), other, self.user_id, (rights, None));
        Ok(())
    }

    fn check_admin(self, state: &State) -> Done<()> {
        let is_admin = self.chat(state)?.members.get(&self.user_id).is_some_and(Member::is_admin);
        if is_admin { Ok(()) } else { Err("is not an administrator".to_owned()) }
    }

    /// Fails if this person cannot change the chat. A group can be changed by its members, a channel by administrators.
    fn check_changes(self, state: &State) -> Done<()> {
        self.check_group_member(state)?;
        let chat = self.chat(state)?;
        if chat.is_channel() && !chat.members.get(&self.user_id).is_some_and(Member::is_admin) {
            return Err("is not an administrator of this channel".to_owned());
        }
        Ok(())
    }

    fn check_group_member(self, state: &State) -> Done<()> {
        if self.group.is_none() {
            return Err("is in a dialog, not in a group".to_owned());
        }
        self.check_member(state)
    }
}
