//! Groups and channels, and what people do there beyond talking.

use super::Person;
use super::actor::Actor;
use crate::Sandbox;
use crate::state::chat::Member;
use crate::state::ids::ChatId;

/// A chat of several people and the bot, made by [`Sandbox::group`], or a channel, made by [`Sandbox::channel`], in which
/// only administrators post.
#[derive(Clone, Debug)]
pub struct Group {
    pub(crate) sandbox: Sandbox,
    pub(crate) chat_id: ChatId,
}

impl Group {
    /// The id of the chat: negative, as those of all chats that are no dialogs.
    pub fn chat_id(&self) -> tamtam::ChatId {
        tamtam::ChatId(self.chat_id)
    }

    /// The title as it is now.
    pub fn title(&self) -> String {
        self.sandbox.world().act(|state| {
            let title = state.chats.get(&self.chat_id).and_then(|chat| chat.title());
            title.unwrap_or_default().to_owned()
        })
    }

    /// Makes the chat public under a name: `https://tt.me/name` leads to it, its messages get a
    /// `url`, and `getChatByLink` finds it.
    #[must_use]
    pub fn with_public_link(self, name: &str) -> Self {
        self.sandbox.world().act(|state| state.make_public(self.chat_id, name));
        self
    }

    /// Lets a channel sign its posts: without that nobody is told who wrote them. A group is as it was.
    #[must_use]
    pub fn with_signed_posts(self) -> Self {
        self.sandbox.world().act(|state| state.sign_posts(self.chat_id));
        self
    }

    /// Takes the rights of an administrator away from the bot that the sandbox started with. The bot is not told.
    pub fn demotes_bot(&self) {
        self.set_bot_member(Member::new);
    }

    /// Makes that bot an administrator with every right again, as it is from the start.
    pub fn promotes_bot(&self) {
        self.set_bot_member(Member::admin);
    }

    fn set_bot_member(&self, make: fn(i64) -> Member) {
        let bot = self.sandbox.server.bot_id;
        self.sandbox.world().act(|state| {
            state.with_chat(self.chat_id, |chat| {
                if let Some(member) = chat.members.get_mut(&bot) {
                    *member = make(member.joined);
                }
            });
        });
    }
}

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
