//! Lists that come in pages, as streams: chats, members, messages, comments.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! # let max = tamtam_sandbox::Sandbox::max().await;
//! # let (bot, alice, bob) = (max.bot(), max.user("Alice"), max.user("Bob"));
//! # let team = max.group("Team", [&alice, &bob]);
//! let mut members = bot.members(team.chat_id());
//! while let Some(member) = members.try_next().await? {
//!     println!("{}", member.name);
//! }
//!
//! // All at once, in memory:
//! let members = bot.members(team.chat_id()).all().await?;
//! assert_eq!(members.len(), 3, "Alice, Bob and the bot");
//! # Ok(())
//! # }
//! ```

mod history;
mod marked;
mod pager;

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;

use crate::{
    api::types::{Chat, ChatMember, Message},
    client::bot::Bot,
    error::Result,
    id::{ChatId, IntoMessageId},
};
use history::{CommentsOn, History, MessagesOf};
use marked::{AllChats, MarkedList, MembersOf};
use pager::Pager;

impl Bot {
    /// Returns all chats in which the bot takes or took part, page by page.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # tamtam.group("Team", [&alice]);
    /// let mut chats = bot.chats();
    /// while let Some(chat) = chats.try_next().await? {
    ///     println!("{}: {}", chat.chat_id, chat.title.as_deref().unwrap_or("(a dialog)"));
    /// }
    /// # assert_eq!(bot.chats().all().await?.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn chats(&self) -> Chats {
        Chats(Pager::new(self.clone(), MarkedList::new(AllChats)))
    }

    /// Returns all members of a group or a channel, page by page. Only administrators see the members of a channel.
    ///
    /// To look up members by their ids, use [`Api::get_members`](crate::api::Api::get_members).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let team = tamtam.group("Team", [&alice]);
    /// let people = bot.members(team.chat_id()).all().await?;
    /// assert!(people.iter().any(|member| member.name == "Alice"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn members(&self, chat: impl Into<ChatId>) -> Members {
        Members(Pager::new(self.clone(), MarkedList::new(MembersOf(chat.into()))))
    }

    /// Returns the messages of a chat from the newest to the oldest, page by page.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # alice.says("one");
    /// # alice.says("two");
    /// let mut messages = bot.messages(alice.chat_id());
    /// while let Some(message) = messages.try_next().await? {
    ///     println!("{} {}", message.timestamp, message.text().unwrap_or_default());
    /// }
    /// # assert_eq!(bot.messages(alice.chat_id()).all().await?.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn messages(&self, chat: impl Into<ChatId>) -> Messages {
        Messages(Pager::new(self.clone(), History::new(MessagesOf(chat.into()))))
    }

    /// Returns the comments on a channel post from the newest to the oldest, page by page. MAX only.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let (bot, alice) = (max.bot(), max.user("Alice"));
    /// # let news = max.channel("News", [&alice]).with_comments();
    /// # let post = bot.send(news.chat_id(), "The sun shines").await?.message;
    /// # alice.in_chat(&news).comments(&post, "Is it warm?");
    /// # alice.in_chat(&news).comments(&post, "Here it rains");
    /// let mut comments = bot.comments(&post);
    /// while let Some(comment) = comments.try_next().await? {
    ///     let name = comment.sender_name().unwrap_or("?");
    ///     println!("{name}: {}", comment.text().unwrap_or_default());
    /// }
    /// # assert_eq!(bot.comments(&post).all().await?.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn comments(&self, post: impl IntoMessageId) -> Comments {
        Comments(Pager::new(self.clone(), History::new(CommentsOn(post.into()))))
    }
}

/// Defines a stream over the pages of a list.
macro_rules! pages {
    ($(#[$doc:meta])* $name:ident of $list:ty as $item:ty) => {
        $(#[$doc])*
        ///
        /// The next page is requested when all items of the previous page were returned. After a temporary error
        /// ([`is_retryable`](crate::Error::is_retryable)), the next call continues at the same place. The stream ends after
        /// the third such error in a row, and after any other error. If a page does not advance the list, the stream
        /// returns the items of the page and then an error ([`Pagination`](crate::ErrorKind::Pagination)).
        ///
        /// # Cancel safety
        ///
        /// Dropping a pending [`next`](Self::next) or [`try_next`](Self::try_next) loses nothing: the call in flight stays
        /// in the stream, and the next call continues it.
        #[must_use = "a stream does nothing until it is asked for items"]
        #[derive(Debug)]
        pub struct $name(Pager<$list>);

        impl $name {
            /// Returns the next item. `None` at the end.
            ///
            /// # Errors
            ///
            /// If the request of a page fails, the page size is out of range, or a page does not advance the list.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn next(&mut self) -> Option<Result<$item>> {
                std::future::poll_fn(|context| self.0.poll_next(context)).await
            }

            /// Returns the next item. `Ok(None)` at the end.
            ///
            /// # Errors
            ///
            /// As [`next`](Self::next).
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn try_next(&mut self) -> Result<Option<$item>> {
                self.next().await.transpose()
            }

            /// Returns all remaining items, in memory at once.
            ///
            /// # Errors
            ///
            /// As [`next`](Self::next). The items before the error are lost.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses the items that were read.
            pub async fn all(mut self) -> Result<Vec<$item>> {
                let mut all = Vec::new();
                while let Some(item) = self.try_next().await? {
                    all.push(item);
                }
                Ok(all)
            }
        }

        impl Stream for $name {
            type Item = Result<$item>;

            fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                self.get_mut().0.poll_next(context)
            }
        }
    };
}

pages! {
    /// The chats of a bot, created by [`Bot::chats`]. No chat is repeated.
    Chats of MarkedList<AllChats> as Chat
}

pages! {
    /// The members of a group or a channel, created by [`Bot::members`]. No member is repeated.
    Members of MarkedList<MembersOf> as ChatMember
}

pages! {
    /// The messages of a chat from the newest to the oldest, created by [`Bot::messages`].
    ///
    /// Messages that are sent meanwhile are not included. Each page begins at the millisecond where the last one ended, and
    /// repeated messages are dropped: no message is missing or repeated. If a page cannot hold all messages of one
    /// millisecond, the stream ends with an error.
    Messages of History<MessagesOf> as Message
}

pages! {
    /// The comments on a channel post from the newest to the oldest, created by [`Bot::comments`].
    ///
    /// Comments that are sent meanwhile are not included. No comment is missing or repeated. If a page cannot hold all
    /// comments of one millisecond, the stream ends with an error.
    Comments of History<CommentsOn> as Message
}

impl Chats {
    /// Sets the maximum number of chats in a page (1-100). Defaults to 100. Takes effect with the next page.
    pub fn page_size(mut self, chats: u32) -> Self {
        self.0.list.page_size = chats;
        self
    }
}

impl Members {
    /// Sets the maximum number of members in a page (1-100). Defaults to 100. Takes effect with the next page.
    pub fn page_size(mut self, members: u32) -> Self {
        self.0.list.page_size = members;
        self
    }
}

impl Comments {
    /// Sets the maximum number of comments in a page (2-100). Defaults to 100.
    pub fn page_size(mut self, comments: u32) -> Self {
        self.0.list.page_size = comments;
        self
    }

    /// Sets the earliest time, in Unix milliseconds. A comment of exactly this time is included.
    pub fn since(mut self, time: i64) -> Self {
        self.0.list.since = Some(time);
        self
    }

    /// Sets the latest time, in Unix milliseconds. A comment of exactly this time is included. Set the time before the
    /// first comment is requested.
    pub fn until(mut self, time: i64) -> Self {
        self.0.list.until = Some(time);
        self
    }
}

impl Messages {
    /// Sets the maximum number of messages in a page (2-100). Defaults to 100.
    pub fn page_size(mut self, messages: u32) -> Self {
        self.0.list.page_size = messages;
        self
    }

    /// Sets the earliest time, in Unix milliseconds. A message of exactly this time is included.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # alice.says("one");
    /// # alice.says("two");
    /// # let chat = alice.chat_id();
    /// let newest = bot.messages(chat).try_next().await?.expect("the chat has messages");
    /// let hour = 60 * 60 * 1000;
    /// let (from, to) = (newest.timestamp - hour, newest.timestamp);
    /// let last_hour = bot.messages(chat).since(from).until(to).all().await?;
    /// # assert_eq!(last_hour.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn since(mut self, time: i64) -> Self {
        self.0.list.since = Some(time);
        self
    }

    /// Sets the latest time, in Unix milliseconds. A message of exactly this time is included. Set the time before the
    /// first message is requested.
    pub fn until(mut self, time: i64) -> Self {
        self.0.list.until = Some(time);
        self
    }
}
