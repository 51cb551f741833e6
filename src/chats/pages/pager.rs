//! A stream over the pages of any list.

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
    error::{Error, Reason, Report, Result},
    validation::{Invalid, Place},
};

/// The maximum page size of every list, from the API document.
pub(super) const LARGEST_PAGE: u32 = 100;

/// Number of consecutive failures after which the stream ends.
const MOST_FAILURES: u32 = 3;

/// A list in pages: requests the next page, and interprets the response.
pub(super) trait List: Send + Sync + Unpin + fmt::Debug + 'static {
    type Item: Send + Sync + 'static;
    /// The operation that returns a page.
    const OPERATION: &'static str;
    /// The smallest page size that makes progress.
    const SMALLEST_PAGE: u32 = 1;

    fn page_size(&self) -> u32;

    /// Checks the settings other than the page size.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    /// Requests the next page.
    fn ask(&self, bot: &Bot) -> impl Future<Output = Result<ListPage<Self::Item>>> + Send + 'static;

    /// Returns the new items of a page, and the next step.
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

/// A page that the server returned.
#[derive(Debug)]
pub(super) struct ListPage<T> {
    pub(super) items: Vec<T>,
    /// The marker of the next page. Only set in lists with markers.
    pub(super) marker: Option<i64>,
    /// Whether the page has the requested number of items, including items that do not fit the model. Only set in lists
    /// without markers.
    pub(super) is_full: bool,
}

/// The step after the items of a page were returned.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// Request another page.
    Ask,
    /// End: the list is complete.
    End,
    /// Fail: the list is incomplete.
    Fail(String),
}

/// The implementation of [`Chats`](super::Chats) and the other streams.
pub(super) struct Pager<L: List> {
    bot: Bot,
    pub(super) list: L,
    items: VecDeque<L::Item>,
    /// The request in flight.
    asked: Option<SyncFuture<Result<ListPage<L::Item>>>>,
    next: Next,
    /// Number of consecutive failures.
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
                        // Ends the stream, so that `collect()` terminates.
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
                        return fail(Reason::Invalid(invalid));
                    }
                    self.next = Next::Ask;
                    self.asked = Some(sync_future(self.list.ask(&self.bot)));
                }
                Next::End => return Poll::Ready(None),
                Next::Fail(why) => return fail(Reason::Pages(why)),
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
