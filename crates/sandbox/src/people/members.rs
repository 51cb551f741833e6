//! What people do in groups and channels beyond talking: the verbs of tests.

use super::actor::Actor;
use super::person::Person;

/// What a person does in a group: `alice.in_chat(&team).adds(&bob)`.
impl Person {
    /// Joins by the link of the chat; the bot gets `user_added` without an inviter, if it is an
    /// administrator.
    ///
    /// # Panics
    ///
    /// If this person is a member already or is blocked, and in a dialog.
    #[track_caller]
    pub fn joins(&self) {
        self.must(Actor::joins);
    }

    /// Leaves the group; the bot gets `user_removed`, if it is an administrator.
    ///
    /// # Panics
    ///
    /// If this person is no member, and in a dialog.
    #[track_caller]
    pub fn leaves(&self) {
        self.must(Actor::leaves);
    }

    /// Adds somebody to the group; the bot gets `user_added`, if it is an administrator.
    ///
    /// # Panics
    ///
    /// If this person is no member, or no administrator of a channel, or the other one is a member already or is blocked.
    #[track_caller]
    pub fn adds(&self, other: &Self) {
        self.must(|actor, state| actor.adds(state, other.actor.user_id));
    }

    /// Adds the bot to the group, as an administrator; it gets `bot_added`.
    ///
    /// # Panics
    ///
    /// If this person is no member, or the bot is one already.
    #[track_caller]
    pub fn adds_bot(&self) {
        self.must(|actor, state| actor.adds(state, actor.bot));
    }

    /// Removes somebody from the group; the bot gets `user_removed`, if it is an administrator.
    ///
    /// # Panics
    ///
    /// If this person is no member, or the other one is none.
    #[track_caller]
    pub fn removes(&self, other: &Self) {
        self.must(|actor, state| actor.removes(state, other.actor.user_id));
    }

    /// Removes the bot from the group; it gets `bot_removed`.
    ///
    /// # Panics
    ///
    /// If this person is no member, or the bot is none.
    #[track_caller]
    pub fn removes_bot(&self) {
        self.must(|actor, state| actor.removes(state, actor.bot));
    }

    /// Removes somebody for good: who is blocked can neither join nor be added again. The bot gets `user_removed`, if it
    /// is an administrator and the other one was a member.
    ///
    /// # Panics
    ///
    /// If this person is no administrator, and if the other one is the owner.
    #[track_caller]
    pub fn blocks(&self, other: &Self) {
        self.must(|actor, state| actor.blocks(state, other.actor.user_id));
    }

    /// Gives the group another title; the bot gets `chat_title_changed`.
    ///
    /// # Panics
    ///
    /// If this person is no member, and in a dialog.
    #[track_caller]
    pub fn renames_chat(&self, title: &str) {
        self.must(|actor, state| actor.renames_chat(state, title));
    }

    /// Makes somebody an administrator with every right. The bot is not told.
    ///
    /// # Panics
    ///
    /// If this person is no administrator, or the other one is no member.
    #[track_caller]
    pub fn appoints(&self, other: &Self) {
        self.must(|actor, state| actor.appoints(state, other.actor.user_id));
    }
}
