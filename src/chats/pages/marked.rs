//! Lists with a marker for the next page: chats and members.

use std::{collections::HashSet, fmt};

use super::pager::{LARGEST_PAGE, List, ListPage, Next};
use crate::{
    api::types::{Chat, ChatMember},
    client::bot::Bot,
    error::Result,
    id::ChatId,
};

/// Maximum number of consecutive pages without new items. One such page is normal if a member leaves while the
/// list is read. If the markers of a server form a circle, all further pages are such pages.
const FRUITLESS_PAGES: u32 = 8;

/// A kind of list with markers.
pub(super) trait Marked: fmt::Debug + Send + Sync + Unpin + 'static {
    type Item: Send + Sync + 'static;
    const OPERATION: &'static str;

    /// Returns the id of an item.
    fn id(item: &Self::Item) -> i64;

    fn ask(
        &self,
        bot: &Bot,
        count: u32,
        marker: Option<i64>,
    ) -> impl Future<Output = Result<ListPage<Self::Item>>> + Send + 'static;
}

/// All chats of the bot.
#[derive(Debug)]
pub(super) struct AllChats;

impl Marked for AllChats {
    type Item = Chat;
    const OPERATION: &'static str = "getChats";

    fn id(chat: &Chat) -> i64 {
        chat.chat_id.0
    }

    fn ask(
        &self,
        bot: &Bot,
        count: u32,
        marker: Option<i64>,
    ) -> impl Future<Output = Result<ListPage<Chat>>> + Send + 'static {
        let mut request = bot.api().get_chats().count(count.try_into().unwrap_or(i32::MAX));
        if let Some(marker) = marker {
            request = request.marker(marker);
        }
        async move { request.await.map(|list| ListPage { items: list.chats, marker: list.marker, is_full: false }) }
    }
}

/// All members of a chat.
#[derive(Debug)]
pub(super) struct MembersOf(pub(super) ChatId);

impl Marked for MembersOf {
    type Item = ChatMember;
    const OPERATION: &'static str = "getMembers";

    fn id(member: &ChatMember) -> i64 {
        member.user_id.0
    }

    fn ask(
        &self,
        bot: &Bot,
        count: u32,
        marker: Option<i64>,
    ) -> impl Future<Output = Result<ListPage<ChatMember>>> + Send + 'static {
        let mut request = bot.api().get_members(self.0).count(count.into());
        if let Some(marker) = marker {
            request = request.marker(marker);
        }
        async move { request.await.map(|list| ListPage { items: list.members, marker: list.marker, is_full: false }) }
    }
}

/// A list with markers, and the position in it.
pub(super) struct MarkedList<M> {
    what: M,
    pub(super) page_size: u32,
    marker: Option<i64>,
    /// The ids of the returned items. A list that changes while it is read may repeat items.
    seen: HashSet<i64>,
    fruitless: u32,
}

impl<M> MarkedList<M> {
    pub(super) fn new(what: M) -> Self {
        Self { what, page_size: LARGEST_PAGE, marker: None, seen: HashSet::new(), fruitless: 0 }
    }
}

impl<M: Marked> List for MarkedList<M> {
    type Item = M::Item;
    const OPERATION: &'static str = M::OPERATION;

    fn page_size(&self) -> u32 {
        self.page_size
    }

    fn ask(&self, bot: &Bot) -> impl Future<Output = Result<ListPage<M::Item>>> + Send + 'static {
        self.what.ask(bot, self.page_size, self.marker)
    }

    fn take(&mut self, page: ListPage<M::Item>) -> (Vec<M::Item>, Next) {
        let items: Vec<_> = page.items.into_iter().filter(|item| self.seen.insert(M::id(item))).collect();
        self.fruitless = if items.is_empty() { self.fruitless + 1 } else { 0 };
        let next = match page.marker {
            None => Next::End,
            Some(marker) if self.marker == Some(marker) => {
                Next::Fail(format!("the page of the marker {marker} has the same marker for the next page"))
            }
            Some(_) if self.fruitless >= FRUITLESS_PAGES => Next::Fail(format!(
                "the last {FRUITLESS_PAGES} pages had no new items, but the server has another page"
            )),
            Some(marker) => {
                self.marker = Some(marker);
                Next::Ask
            }
        };
        (items, next)
    }
}

impl<M: fmt::Debug> fmt::Debug for MarkedList<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MarkedList")
            .field("what", &self.what)
            .field("page_size", &self.page_size)
            .field("marker", &self.marker)
            .field("seen", &self.seen.len())
            .finish_non_exhaustive()
    }
}
