//! Streams of chats, members, messages and comments. The server returns the items in pages, each with at most 100
//! items.
//!
//! Each type of this module implements `futures_core::Stream`. To read a stream without another crate, use its methods
//! `next`, `try_next` and `all`.
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
//! // Or read all members into memory:
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
    /// Returns a stream of all chats in which the bot is or was a member. TamTam only.
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

    /// Returns a stream of all members of a group or a channel. In a group, the bot must be a member. In a channel, the
    /// bot must be an administrator.
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

    /// Returns a stream of the messages of a chat, from the newest to the oldest.
    /// [`Api::get_messages`](crate::api::Api::get_messages) describes the rights that the bot needs.
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

    /// Returns a stream of the comments on a channel post, from the newest to the oldest. MAX only.
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
        /// The server returns the items of the stream in pages. After the last item of a page, the stream requests the
        /// next page. The stream logs and skips items that cannot be parsed.
        ///
        /// # After an error
        ///
        /// - After one or two temporary errors in a row ([`Error::is_retryable`](crate::Error::is_retryable)), the
        ///   stream continues: [`next`](Self::next) requests the same page again.
        /// - After three temporary errors in a row, or after any other error, the stream ends.
        #[must_use = "a stream does nothing until an item is requested"]
        #[derive(Debug)]
        pub struct $name(Pager<$list>);

        impl $name {
            /// Returns the next item. `None` if the stream has ended.
            ///
            /// # Errors
            ///
            /// Returns an error in these cases:
            ///
            /// - If the request for a page fails. See [`ErrorKind`](crate::ErrorKind) for the possible causes.
            /// - If a setting of the stream is invalid, such as a `page_size` of 0
            ///   ([`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)). The setters do not check their
            ///   values.
            /// - If the stream cannot advance, for example because the server keeps returning pages
            ///   without new items ([`ErrorKind::Pagination`](crate::ErrorKind::Pagination)).
            ///
            /// # Cancel safety
            ///
            /// If the future is dropped, no item is lost. The next call waits for the response to the pending request.
            pub async fn next(&mut self) -> Option<Result<$item>> {
                std::future::poll_fn(|context| self.0.poll_next(context)).await
            }

            /// Returns the next item. `Ok(None)` if the stream has ended.
            ///
            /// # Errors
            ///
            /// Returns the errors of [`next`](Self::next).
            ///
            /// # Cancel safety
            ///
            /// If the future is dropped, no item is lost.
            pub async fn try_next(&mut self) -> Result<Option<$item>> {
                self.next().await.transpose()
            }

            /// Reads the stream to its end, and returns all remaining items.
            ///
            /// # Errors
            ///
            /// Returns the first error of [`next`](Self::next). After this error, the items that were already received
            /// are lost, and the stream cannot be continued.
            ///
            /// # Cancel safety
            ///
            /// If the future is dropped, the items that were already received are lost.
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
    /// A stream of the chats in which the bot is or was a member. Created by [`Bot::chats`]. TamTam only.
    ///
    /// The stream returns each chat at most once.
    Chats of MarkedList<AllChats> as Chat
}

pages! {
    /// A stream of the members of a group or a channel. Created by [`Bot::members`].
    ///
    /// The stream returns each member at most once.
    Members of MarkedList<MembersOf> as ChatMember
}

pages! {
    /// A stream of the messages of a chat, from the newest to the oldest. Created by [`Bot::messages`].
    ///
    /// The stream returns each message at most once, if you do not call [`until`](Self::until) later. The stream does
    /// not return messages that are sent after its first request.
    Messages of History<MessagesOf> as Message
}

pages! {
    /// A stream of the comments on a channel post, from the newest to the oldest. Created by [`Bot::comments`]. MAX
    /// only.
    ///
    /// The stream returns each comment at most once, if you do not call [`until`](Self::until) later. The stream does
    /// not return comments that are sent after its first request.
    Comments of History<CommentsOn> as Message
}

impl Chats {
    /// Sets the maximum number of chats in a page (1-100). Defaults to 100.
    pub fn page_size(mut self, chats: u32) -> Self {
        self.0.list.page_size = chats;
        self
    }
}

impl Members {
    /// Sets the maximum number of members in a page (1-100). Defaults to 100.
    pub fn page_size(mut self, members: u32) -> Self {
        self.0.list.page_size = members;
        self
    }
}

impl Comments {
    /// Sets the maximum number of comments in a page (2-100). Defaults to 100.
    ///
    /// If the comments with the same timestamp fill a page, the stream fails with
    /// [`ErrorKind::Pagination`](crate::ErrorKind::Pagination). A smaller page makes this error more likely.
    pub fn page_size(mut self, comments: u32) -> Self {
        self.0.list.page_size = comments;
        self
    }

    /// Sets the earliest time of the comments to return, in Unix milliseconds, inclusive. By default, the stream ends
    /// with the oldest comment on the post.
    pub fn since(mut self, time: i64) -> Self {
        self.0.list.since = Some(time);
        self
    }

    /// Sets the latest time of the comments to return, in Unix milliseconds, inclusive. By default, the stream begins
    /// with the newest comment.
    ///
    /// Call this method before you read the first comment. If you call it later, the stream can repeat or skip
    /// comments.
    pub fn until(mut self, time: i64) -> Self {
        self.0.list.until = Some(time);
        self
    }
}

impl Messages {
    /// Sets the maximum number of messages in a page (2-100). Defaults to 100.
    ///
    /// If the messages with the same timestamp fill a page, the stream fails with
    /// [`ErrorKind::Pagination`](crate::ErrorKind::Pagination). A smaller page makes this error more likely.
    pub fn page_size(mut self, messages: u32) -> Self {
        self.0.list.page_size = messages;
        self
    }

    /// Sets the earliest time of the messages to return, in Unix milliseconds, inclusive. By default, the stream ends
    /// with the oldest message of the chat.
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

    /// Sets the latest time of the messages to return, in Unix milliseconds, inclusive. By default, the stream begins
    /// with the newest message.
    ///
    /// Call this method before you read the first message. If you call it later, the stream can repeat or skip
    /// messages.
    pub fn until(mut self, time: i64) -> Self {
        self.0.list.until = Some(time);
        self
    }
}
