//! A person in a group or channel: joins, leaves, and changes its members, administrators and title.

use super::actor::Actor;
use super::person::Person;

/// These methods act on a group or channel. For example, `alice.in_chat(&team).adds(&bob)` adds Bob to the group
/// `team`. "Bots with the necessary rights" are administrators on TamTam, and bots with the right `read_all_messages`
/// on MAX.
impl Person {
    /// Joins this chat by its link. [Bots with the necessary rights](#updates) get `user_added`, whose `inviter_id` is
    /// `None`.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a dialog.
    /// - If this person is already a member, or is blocked.
    #[track_caller]
    pub fn joins(&self) {
        self.must(Actor::joins);
    }

    /// Leaves this chat. [Bots with the necessary rights](#updates) get `user_removed`.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member.
    #[track_caller]
    pub fn leaves(&self) {
        self.must(Actor::leaves);
    }

    /// Adds `other` to this chat. [Bots with the necessary rights](#updates) get `user_added`.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member (in a group) or not an administrator (in a channel).
    /// - If `other` is already a member, or is blocked.
    #[track_caller]
    pub fn adds(&self, other: &Self) {
        self.must(|actor, state| actor.adds(state, other.actor.user_id));
    }

    /// Adds the bot to this chat as an administrator with all rights. The bot gets `bot_added`. The other
    /// [bots with the necessary rights](#updates) get `user_added`.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member (in a group) or not an administrator (in a channel).
    /// - If the bot is already a member, or is blocked.
    #[track_caller]
    pub fn adds_bot(&self) {
        self.must(|actor, state| actor.adds(state, actor.bot));
    }

    /// Removes `other` from this chat. [Bots with the necessary rights](#updates) get `user_removed`.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member (in a group) or not an administrator (in a channel).
    /// - If `other` is not a member.
    #[track_caller]
    pub fn removes(&self, other: &Self) {
        self.must(|actor, state| actor.removes(state, other.actor.user_id));
    }

    /// Removes the bot from this chat. The bot gets `bot_removed`. The other
    /// [bots with the necessary rights](#updates) get `user_removed`.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member (in a group) or not an administrator (in a channel).
    /// - If the bot is not a member.
    #[track_caller]
    pub fn removes_bot(&self) {
        self.must(|actor, state| actor.removes(state, actor.bot));
    }

    /// Blocks `other` in this chat. A blocked user cannot join and cannot be added. If `other` is a member, `other` is
    /// removed, and [bots with the necessary rights](#updates) get `user_removed`.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a dialog, or is not an administrator of this chat.
    /// - If `other` is the owner.
    #[track_caller]
    pub fn blocks(&self, other: &Self) {
        self.must(|actor, state| actor.blocks(state, other.actor.user_id));
    }

    /// Changes the title of this chat. All bots in this chat get `chat_title_changed`.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a dialog.
    /// - If this person is not a member (in a group) or not an administrator (in a channel).
    #[track_caller]
    pub fn renames_chat(&self, title: &str) {
        self.must(|actor, state| actor.renames_chat(state, title));
    }

    /// Makes `other` an administrator with all rights in this chat. Bots get no update.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a dialog, or is not an administrator of this chat.
    /// - If `other` is not a member.
    #[track_caller]
    pub fn appoints(&self, other: &Self) {
        self.must(|actor, state| actor.appoints(state, other.actor.user_id));
    }
}
