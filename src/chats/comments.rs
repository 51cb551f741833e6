//! Comments on channel posts: list, send, edit, delete. MAX only.

use std::borrow::Cow;

use crate::{
    api::{
        DeleteComment, EditComment, SendComment,
        types::{MessageLinkType, NewCommentBody, NewMessageBody, NewMessageLink},
    },
    client::bot::Bot,
    compose::text::Text,
    id::IntoMessageId,
};

/// Methods for comments on channel posts. MAX only. A post is a message in a channel. [`comments`](Self::comments)
/// lists the comments on a post.
impl Bot {
    /// Sends a comment on a channel post. MAX only. Comments must be turned on in the channel.
    ///
    /// - `post`: The id of the post, the post itself, or the result of [`send`](Self::send).
    /// - `comment`: A text or a [`NewCommentBody`], of at most 4000 characters.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let (bot, alice) = (max.bot(), max.user("Alice"));
    /// # let news = max.channel("News", [&alice]).with_comments();
    /// # let post = bot.send(news.chat_id(), "The sun shines").await?.message;
    /// let comment = bot.comment(&post, "Well said").await?.message;
    /// bot.comment(&post, "I agree").reply_to(&comment).await?;
    /// # assert_eq!(alice.in_chat(&news).sees_comments(&post), ["Well said", "I agree"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn comment(&self, post: impl IntoMessageId, comment: impl Into<NewCommentBody>) -> SendComment {
        self.api().send_comment(post, comment)
    }

    /// Edits a comment of the bot on a channel post. MAX only. A comment can be edited for 26 h after it was sent.
    /// After this time, the call fails with status 422 ([`Rejected`](crate::ErrorKind::Rejected)).
    ///
    /// `new`: A text or a [`NewCommentBody`], of at most 4000 characters.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let (bot, alice) = (max.bot(), max.user("Alice"));
    /// # let news = max.channel("News", [&alice]).with_comments();
    /// # let post = bot.send(news.chat_id(), "The sun shines").await?.message;
    /// let comment = bot.comment(&post, "Wel said").await?;
    /// bot.edit_comment(&post, &comment, "Well said").await?;
    /// # assert_eq!(alice.in_chat(&news).sees_comments(&post), ["Well said"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn edit_comment(
        &self,
        post: impl IntoMessageId,
        comment: impl IntoMessageId,
        new: impl Into<NewCommentBody>,
    ) -> EditComment {
        self.api().edit_comment(post, comment, new)
    }

    /// Deletes a comment on a channel post. MAX only. The bot must be an administrator of the channel, and needs the
    /// rights `read_all_messages` and `delete`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let (bot, alice) = (max.bot(), max.user("Alice"));
    /// # let news = max.channel("News", [&alice]).with_comments();
    /// # let post = bot.send(news.chat_id(), "The sun shines").await?.message;
    /// let comment = bot.comment(&post, "Oops").await?;
    /// bot.delete_comment(&post, &comment).await?;
    /// # assert!(alice.in_chat(&news).sees_comments(&post).is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_comment(&self, post: impl IntoMessageId, comment: impl IntoMessageId) -> DeleteComment {
        self.api().delete_comment(post, comment)
    }
}

impl SendComment {
    /// Makes the new comment a reply to `comment`, an existing comment on the same post.
    pub fn reply_to(mut self, comment: impl IntoMessageId) -> Self {
        self.body.link = Some(NewMessageLink::new(MessageLinkType::Reply, comment));
        self
    }
}

/// Creates a comment without formatting.
impl From<&str> for NewCommentBody {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}

/// Creates a comment without formatting.
impl From<String> for NewCommentBody {
    fn from(text: String) -> Self {
        Self::new().text(text)
    }
}

/// Creates a comment without formatting.
impl From<&String> for NewCommentBody {
    fn from(text: &String) -> Self {
        Self::new().text(text)
    }
}

/// Creates a comment without formatting.
impl From<Cow<'_, str>> for NewCommentBody {
    fn from(text: Cow<'_, str>) -> Self {
        Self::new().text(text)
    }
}

/// Creates a formatted comment. MAX does not show links and mentions in comments.
impl From<Text> for NewCommentBody {
    fn from(text: Text) -> Self {
        let message = NewMessageBody::from(text);
        Self { text: message.text, format: message.format, ..Self::new() }
    }
}
