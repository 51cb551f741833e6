//! Reading a list page by page, whatever it is a list of.

use std::{
    collections::VecDeque,
    fmt, mem,
    task::{Context, Poll, ready},
};

use crate::{
    client::{
        bot::Bot,
        sync_future::{SyncFuture, sync_future},
    },
    error::{Error, Kind, Report, Result},
    validation::{Invalid, Place},
};

/// The largest page of every list, by the document.
pub(super) const LARGEST_PAGE: u32 = 100;

/// How often a page may fail, one time after the other, until the stream ends.
const MOST_FAILURES: u32 = 3;

/// A list that comes in pages: what to ask for next, and what an answer means.
pub(super) trait List: Send + Sync + Unpin + fmt::Debug + 'static {
    type Item: Send + Sync + 'static;
    /// The operation that gives a page.
    const OPERATION: &'static str;
    /// The smallest page with which the list can be read on.
    const SMALLEST_PAGE: u32 = 1;

    fn page_size(&self) -> u32;

    /// Fails if no page can be asked for, whatever its size.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    /// Asks for the next page.
    fn ask(&self, bot: &Bot) -> impl Future<Output = Result<ListPage<Self::Item>>> + Send + 'static;

    /// Takes out of a page what is new, and decides how to go on.
    fn take(&mut self, page: ListPage<Self::Item>) -> (Vec<Self::Item>, Next);
}

fn page_size<L: List>(size: u32) -> Result<(), Invalid> {
    let least = L::SMALLEST_PAGE;
    if (least..=LARGEST_PAGE).contains(&size) {
        return Ok(());
    }
    let problem = format!("is {size}, expected from {least} to {LARGEST_PAGE}");
    Err(Invalid::new(&Place::root("page_size"), problem))
}

/// What the server answered.
#[derive(Debug)]
pub(super) struct ListPage<T> {
    pub(super) items: Vec<T>,
    /// Where the next page begins, in lists that say it.
    pub(super) marker: Option<i64>,
    /// Whether the server sent as many items as were asked for, with those that do not fit; only for lists without markers.
    pub(super) is_full: bool,
}

/// How to go on when the items are handed out.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// With another page.
    Ask,
    /// Not at all: that was everything.
    End,
    /// Not at all, and that was not everything.
    Fail(String),
}

/// The stream under [`Chats`](super::Chats) and its like.
pub(super) struct Pager<L: List> {
    bot: Bot,
    pub(super) list: L,
    items: VecDeque<L::Item>,
    /// The page that is being asked for.
    asked: Option<SyncFuture<Result<ListPage<L::Item>>>>,
    next: Next,
    /// How many times a page has failed that could have been tried again, one after the other.
    failures: u32,
}

impl<L: List> Pager<L> {
    pub(super) fn new(bot: Bot, list: L) -> Self {
        Self { bot, list, items: VecDeque::new(), asked: None, next: Next::Ask, failures: 0 }
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<L::Item>>> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if let Some(asked) = &mut self.asked {
                let answer = ready!(asked.get_mut().as_mut().poll(context));
                self.asked = None;
                match answer {
                    Ok(page) => {
                        self.failures = 0;
                        let (items, next) = self.list.take(page);
                        (self.items, self.next) = (items.into(), next);
                        continue;
                    }
                    Err(error) => {
                        self.failures += 1;
                        // Whoever takes errors for items, as `collect` into a list does, comes to an end.
                        if !error.is_retryable() || self.failures >= MOST_FAILURES {
                            self.next = Next::End;
                        }
                        return Poll::Ready(Some(Err(error)));
                    }
                }
            }
            let fail = |kind| Poll::Ready(Some(Err(Error::new(kind).of(L::OPERATION, Report::default()))));
            match mem::replace(&mut self.next, Next::End) {
                Next::Ask => {
                    if let Err(invalid) = page_size::<L>(self.list.page_size()).and_then(|()| self.list.check()) {
                        return fail(Kind::Invalid(invalid));
                    }
                    self.next = Next::Ask;
                    self.asked = Some(sync_future(self.list.ask(&self.bot)));
                }
                Next::End => return Poll::Ready(None),
                Next::Fail(why) => return fail(Kind::Pages(why)),
            }
        }
    }
}

impl<L: List> fmt::Debug for Pager<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("bot", &self.bot)
            .field("list", &self.list)
            .field("waiting", &self.items.len())
            .field("asking", &self.asked.is_some())
            .field("next", &self.next)
            .finish()
    }
}
