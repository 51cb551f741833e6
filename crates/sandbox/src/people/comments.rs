//! Comments on the posts of channels. MAX only.

use super::actor::Actor;
use super::person::Person;

impl Person {
    /// Writes a comment on a post of the channel in which this person acts, and returns the id of the comment. If the
    /// bot has a webhook, the bot gets `comment_created`. MAX only.
    ///
    /// - `post`: the id of the post.
    /// - `text`: the text of the comment.
    ///
    /// To change the text of the comment, call [`edits`](Self::edits). To delete the comment, call
    /// [`deletes`](Self::deletes).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// let max = tamtam_sandbox::Sandbox::max().await;
    /// let (bot, alice) = (max.bot(), max.user("Alice"));
    /// let news = max.channel("News", [&alice]).with_comments();
    /// let post = bot.send(news.chat_id(), "The sun shines").await?.message;
    /// let comment = alice.in_chat(&news).comments(&post, "Here it rains");
    /// let comments = bot.api().get_comments(&post).await?.messages;
    /// assert_eq!(comments[0].text(), Some("Here it rains"));
    /// # assert_eq!(comments[0].mid(), Some(&comment));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person does not act in a channel, or is not a member of the channel.
    /// - If the channel has no post with this id.
    /// - If [comments](crate::Group::with_comments) are switched off, which is the default.
    /// - If the sandbox simulates TamTam.
    #[track_caller]
    pub fn comments(&self, post: impl Into<tamtam::MessageId>, text: impl Into<String>) -> tamtam::MessageId {
        let post = post.into();
        self.must(|actor, state| actor.comments(state, post.as_str(), text.into()))
    }

    /// Returns the current texts of the comments on a post, the oldest first. `post`: the id of the post. TamTam has no
    /// comments, so the result is empty on TamTam.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person does not act in a channel, or is not a member of the channel.
    /// - If the channel has no post with this id.
    #[track_caller]
    pub fn sees_comments(&self, post: impl Into<tamtam::MessageId>) -> Vec<String> {
        let post = post.into();
        self.must(|actor: Actor, state| actor.sees_comments(state, post.as_str()))
    }
}
