//! Groups and channels.

use crate::sandbox::Sandbox;
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
        let bot = self.sandbox.bot_id().0;
        self.sandbox.world().act(|state| {
            state.with_chat(self.chat_id, |chat| {
                if let Some(member) = chat.members.get_mut(&bot) {
                    *member = make(member.joined);
                }
            });
        });
    }
}
