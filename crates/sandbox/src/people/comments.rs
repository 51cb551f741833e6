//! Comments on the posts of channels. MAX only.

use super::actor::Actor;
use super::person::Person;

impl Person {
    /// Comments on a post of the channel that this person acts in. A bot with a webhook gets `comment_created`. Polls
    /// do not return updates about comments. Returns the id of the comment, which [`edits`](Self::edits) and
    /// [`deletes`](Self::deletes) also accept.
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
    /// If the channel has no such post, if [comments](crate::Group::with_comments) are switched off, or on TamTam.
    #[track_caller]
    pub fn comments(&self, post: impl Into<tamtam::MessageId>, text: impl Into<String>) -> tamtam::MessageId {
        let post = post.into();
        self.must(|actor, state| actor.comments(state, post.as_str(), text.into()))
    }

    /// Returns the texts of the comments on a post as they are now, the oldest first.
    ///
    /// # Panics
    ///
    /// If the channel has no such post.
    #[track_caller]
    pub fn sees_comments(&self, post: impl Into<tamtam::MessageId>) -> Vec<String> {
        let post = post.into();
        self.must(|actor: Actor, state| actor.sees_comments(state, post.as_str()))
    }
}
