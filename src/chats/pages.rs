//! Lists that come in pages, as streams: chats, members, messages, comments.

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
    id::{ChatId, MessageId},
};
use history::{CommentsOn, History, MessagesOf};
use marked::{AllChats, MarkedList, MembersOf};
use pager::Pager;

impl Bot {
    /// All chats in which the bot takes or took part, page by page.
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

    /// All members of a group or a channel, page by page. The members of a channel are shown to administrators only.
    ///
    /// To look up a few by their ids, ask [`Api::get_members`](crate::api::Api::get_members).
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

    /// The messages of a chat from the newest to the oldest, page by page.
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
    /// ```no_run
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// let bot = tamtam::Bot::max("token")?;
    /// let mut comments = bot.comments("mid.123");
    /// while let Some(comment) = comments.try_next().await? {
    ///     println!("{}: {}", comment.sender_name().unwrap_or("?"), comment.text().unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn comments(&self, post: impl Into<MessageId>) -> Comments {
        Comments(Pager::new(self.clone(), History::new(CommentsOn(post.into()))))
    }
}

/// A stream of pages: what it is, its list and its items.
macro_rules! pages {
    ($(#[$doc:meta])* $name:ident of $list:ty as $item:ty) => {
        $(#[$doc])*
        ///
        /// A page is asked for when the one before is used up, and never before. After an error that passes
        /// ([`is_retryable`](crate::Error::is_retryable)), asking again goes on where the stream was, unless it was the
        /// third one after the other; after any other error, it ends. Pages that lead nowhere do not keep it going for
        /// ever: after what they brought, they are an error
        /// ([`is_pagination`](crate::Error::is_pagination)).
        ///
        /// # Cancel safety
        ///
        /// Dropping a pending [`next`](Self::next) or [`try_next`](Self::try_next) loses nothing: the call in flight stays in
        /// the stream, and the next one goes on with it.
        #[must_use = "a stream does nothing until it is asked for items"]
        #[derive(Debug)]
        pub struct $name(Pager<$list>);

        impl $name {
            /// The next one; `None` when there are no more.
            ///
            /// # Errors
            ///
            /// As the call of a page does, or if the page size is not what the API takes, or if the pages lead nowhere.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing.
            pub async fn next(&mut self) -> Option<Result<$item>> {
                std::future::poll_fn(|context| self.0.poll_next(context)).await
            }

            /// The next one, or the error.
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

            /// All that are left, in memory at once.
            ///
            /// # Errors
            ///
            /// As [`next`](Self::next); what was read before the error is lost.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses what was read; nothing else happens.
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
    /// The chats of a bot; made by [`Bot::chats`]. None comes twice.
    Chats of MarkedList<AllChats> as Chat
}

pages! {
    /// The members of a group or a channel; made by [`Bot::members`]. None comes twice.
    Members of MarkedList<MembersOf> as ChatMember
}

pages! {
    /// The messages of a chat from the newest to the oldest; made by [`Bot::messages`].
    ///
    /// Messages that are written meanwhile are not among them. Each page begins at the millisecond where the last one ended,
    /// and what was there already is dropped, so none is missing and none comes twice. That needs less than a page of
    /// messages per millisecond: with more, the stream ends with an error and not with a gap.
    Messages of History<MessagesOf> as Message
}

pages! {
    /// The comments on a channel post from the newest to the oldest; made by [`Bot::comments`].
    ///
    /// Comments that are sent meanwhile are not among them. None is missing and none comes twice. If a page cannot hold all
    /// comments of one millisecond, the stream ends with an error.
    Comments of History<CommentsOn> as Message
}

impl Chats {
    /// How many chats a page has at most, from 1 to 100; 100 if not set. Takes effect with the next page.
    pub fn page_size(mut self, chats: u32) -> Self {
        self.0.list.page_size = chats;
        self
    }
}

impl Members {
    /// How many members a page has at most, from 1 to 100; 100 if not set. Takes effect with the next page.
    pub fn page_size(mut self, members: u32) -> Self {
        self.0.list.page_size = members;
        self
    }
}

impl Comments {
    /// Sets the most comments of a page (2-100). Defaults to 100.
    pub fn page_size(mut self, comments: u32) -> Self {
        self.0.list.page_size = comments;
        self
    }

    /// Sets the earliest time, in Unix milliseconds. A comment of exactly that time is returned.
    pub fn since(mut self, time: i64) -> Self {
        self.0.list.since = Some(time);
        self
    }

    /// Sets the latest time, in Unix milliseconds. A comment of exactly that time is returned. Call it before the first
    /// comment is asked for.
    pub fn until(mut self, time: i64) -> Self {
        self.0.list.until = Some(time);
        self
    }
}

impl Messages {
    /// How many messages a page has at most, from 2 to 100; 100 if not set.
    pub fn page_size(mut self, messages: u32) -> Self {
        self.0.list.page_size = messages;
        self
    }

    /// The earliest time wanted, in Unix milliseconds; a message of exactly that time is given.
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
    /// let newest = bot.messages(chat).try_next().await?.expect("somebody has written");
    /// let hour = 60 * 60 * 1000;
    /// let last_hour = bot.messages(chat).since(newest.timestamp - hour).until(newest.timestamp).all().await?;
    /// # assert_eq!(last_hour.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn since(mut self, time: i64) -> Self {
        self.0.list.since = Some(time);
        self
    }

    /// The latest time wanted, in Unix milliseconds; a message of exactly that time is given. To be set before the first
    /// message is asked for.
    pub fn until(mut self, time: i64) -> Self {
        self.0.list.until = Some(time);
        self
    }
}
