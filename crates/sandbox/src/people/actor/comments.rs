//! Acts of people on comments.

use tamtam::MessageId;

use super::{Actor, Done};
use crate::state::State;
use crate::state::ids::{self, Seq};
use crate::state::message::{Content, Message};

impl Actor {
    /// Comments on a post. Returns the id of the comment.
    pub(crate) fn comments(self, state: &mut State, post: &str, text: String) -> Done<MessageId> {
        self.check_max(state, "comment")?;
        self.check_member(state)?;
        let post = self.post_of(state, post)?;
        if !self.chat(state)?.takes_comments {
            return Err("cannot comment: comments are switched off in this channel".to_owned());
        }
        let chat_id = self.chat_id();
        let seq = state.comment(chat_id, post, self.user_id, Content::text(text));
        Ok(ids::mid(chat_id, seq).into())
    }

    /// Returns the texts of the comments on a post, the oldest first.
    pub(crate) fn sees_comments(self, state: &State, post: &str) -> Done<Vec<String>> {
        let post = self.post_of(state, post)?;
        let comments = self.chat(state)?.comments.values().filter(|comment| comment.post == Some(post));
        Ok(comments.map(|comment| comment.body.text.clone().unwrap_or_default()).collect())
    }

    pub(super) fn edits_comment(self, state: &mut State, comment: &Message, text: String) -> Done<()> {
        if state.is_old(comment) {
            return Err("cannot edit a comment after 26 hours".to_owned());
        }
        let content = Content { link: comment.link.clone(), ..Content::text(text) };
        state.edit_comment(self.chat_id(), comment.body.seq, self.user_id, content);
        Ok(())
    }

    /// Returns the comment with this id, if it is in this chat. Fails if another user wrote it.
    pub(super) fn own_comment(self, state: &State, mid: &str) -> Done<Option<Message>> {
        let comment = state.find_comment(mid).filter(|comment| comment.body.chat == self.chat_id());
        match comment {
            Some(comment) if comment.sender != self.user_id => {
                Err(format!("did not write comment {mid}, {} did", state.name(comment.sender)))
            }
            comment => Ok(comment.cloned()),
        }
    }

    fn post_of(self, state: &State, mid: &str) -> Done<Seq> {
        if !self.chat(state)?.is_channel() {
            return Err("is not in a channel: only its posts have comments".to_owned());
        }
        self.find(state, mid, Some(self.chat_id())).map(|post| post.body.seq)
    }
}
