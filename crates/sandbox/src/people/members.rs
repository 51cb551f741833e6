//! Acts of people on the members, administrators and title of a group or channel.

use super::actor::Actor;
use super::person::Person;

/// Acts in a group or channel, for example `alice.in_chat(&team).adds(&bob)`. In these methods, "the group" means the
/// group or channel of [`in_chat`](Self::in_chat).
impl Person {
    /// Joins the group by its link. An administrator bot gets `user_added` without an inviter.
    ///
    /// # Panics
    ///
    /// - If this person acts in a dialog.
    /// - If this person is already a member, or is blocked.
    #[track_caller]
    pub fn joins(&self) {
        self.must(Actor::joins);
    }

    /// Leaves the group. An administrator bot gets `user_removed`.
    ///
    /// # Panics
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member.
    #[track_caller]
    pub fn leaves(&self) {
        self.must(Actor::leaves);
    }

    /// Adds `other` to the group. An administrator bot gets `user_added`.
    ///
    /// # Panics
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member of the group, or not an administrator of the channel.
    /// - If `other` is already a member, or is blocked.
    #[track_caller]
    pub fn adds(&self, other: &Self) {
        self.must(|actor, state| actor.adds(state, other.actor.user_id));
    }

    /// Adds the bot to the group as an administrator. The bot gets `bot_added`.
    ///
    /// # Panics
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member of the group, or not an administrator of the channel.
    /// - If the bot is already a member.
    #[track_caller]
    pub fn adds_bot(&self) {
        self.must(|actor, state| actor.adds(state, actor.bot));
    }

    /// Removes `other` from the group. An administrator bot gets `user_removed`.
    ///
    /// # Panics
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member of the group, or not an administrator of the channel.
    /// - If `other` is not a member.
    #[track_caller]
    pub fn removes(&self, other: &Self) {
        self.must(|actor, state| actor.removes(state, other.actor.user_id));
    }

    /// Removes the bot from the group. The bot gets `bot_removed`.
    ///
    /// # Panics
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member of the group, or not an administrator of the channel.
    /// - If the bot is not a member.
    #[track_caller]
    pub fn removes_bot(&self) {
        self.must(|actor, state| actor.removes(state, actor.bot));
    }

    /// Blocks `other`. A blocked user cannot join and cannot be added. If `other` is a member, `other` is removed, and
    /// an administrator bot gets `user_removed`.
    ///
    /// # Panics
    ///
    /// - If this person is not an administrator of the group.
    /// - If `other` is the owner.
    #[track_caller]
    pub fn blocks(&self, other: &Self) {
        self.must(|actor, state| actor.blocks(state, other.actor.user_id));
    }

    /// Changes the title of the group. The bot gets `chat_title_changed`.
    ///
    /// # Panics
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member of the group, or not an administrator of the channel.
    #[track_caller]
    pub fn renames_chat(&self, title: &str) {
        self.must(|actor, state| actor.renames_chat(state, title));
    }

    /// Makes `other` an administrator with all rights. The bot gets no update.
    ///
    /// # Panics
    ///
    /// - If this person is not an administrator of the group.
    /// - If `other` is not a member.
    #[track_caller]
    pub fn appoints(&self, other: &Self) {
        self.must(|actor, state| actor.appoints(state, other.actor.user_id));
    }
}
