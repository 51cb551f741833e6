//! Comments on the posts of a channel.

use std::collections::BTreeSet;

use serde_json::json;

use super::State;
use super::clock::Millis;
use super::ids::{self, ChatId, Seq, UserId};
use super::message::{Content, Message, MessageBody};

/// How long a comment can be edited: 26 h, in milliseconds.
const EDITABLE: Millis = 26 * 60 * 60 * 1_000;

impl State {
    /// Posts a comment. It has a text, and can be a reply to another comment.
    pub(crate) fn comment(&mut self, chat_id: ChatId, post: Seq, sender: UserId, content: Content) -> Seq {
        let timestamp = self.happened(chat_id, sender);
        let seq = self.next_seq(timestamp);
        let Content { text, markup, link, .. } = content;
        let body = MessageBody { chat: chat_id, seq, text, markup, attachments: Vec::new() };
        let viewers = BTreeSet::new();
        let comment = Message { sender, timestamp, link, body, constructor: None, viewers, post: Some(post) };
        self.record(chat_id, format!("{} comments: {comment}", self.name(sender)));
        let json = self.message_json(&comment);
        self.show(sender, &comment, &json, false);
        self.with_chat(chat_id, |chat| chat.comments.insert(seq, comment));
        let bots = self.bots_reading(chat_id, sender);
        self.publish(&bots, "comment_created", timestamp, json!({ "message": json }));
        seq
    }

    /// Replaces the text and the link of a comment.
    pub(crate) fn edit_comment(&mut self, chat_id: ChatId, seq: Seq, editor: UserId, content: Content) {
        let now = self.happened(chat_id, editor);
        let edited = self.with_chat(chat_id, |chat| {
            let comment = chat.comments.get_mut(&seq)?;
            (comment.body.text, comment.body.markup) = (content.text, content.markup);
            comment.link = content.link;
            Some(comment.clone())
        });
        let Some(comment) = edited.flatten() else { return };
        self.record(chat_id, format!("{} edits the comment: {comment}", self.name(editor)));
        let json = self.message_json(&comment);
        self.show(editor, &comment, &json, true);
        let bots = self.bots_reading(chat_id, editor);
        self.publish(&bots, "comment_edited", now, json!({ "message": json }));
    }

    /// Deletes a comment for everyone.
    pub(crate) fn delete_comment(&mut self, chat_id: ChatId, seq: Seq, who: UserId) {
        let removed = self.with_chat(chat_id, |chat| chat.comments.remove(&seq));
        let Some(comment) = removed.flatten() else { return };
        let now = self.happened(chat_id, who);
        self.record(chat_id, format!("{} deletes the comment: {comment}", self.name(who)));
        let post = comment.post.map(|post| ids::mid(chat_id, post));
        let fields = json!({ "message_id": comment.mid(), "chat_id": chat_id, "user_id": who, "post_id": post });
        let bots = self.bots_reading(chat_id, who);
        self.publish(&bots, "comment_removed", now, fields);
    }

    /// Returns the comment with this `mid`, if it exists.
    pub(crate) fn find_comment(&self, mid: &str) -> Option<&Message> {
        let (chat, seq) = ids::parse_mid(mid)?;
        self.chats.get(&chat)?.comments.get(&seq)
    }

    /// Whether a comment is too old to be edited.
    pub(crate) fn is_old(&self, comment: &Message) -> bool {
        self.clock.dated() - comment.timestamp > EDITABLE
    }
}
