//! Messages of a chat or comments on a post, in pages by time: each page begins at the millisecond where the last one
//! ended.

use std::{collections::HashSet, fmt};

use bytes::Bytes;
use serde::{Deserialize, de::IgnoredAny};

use super::pager::{LARGEST_PAGE, List, ListPage, Next};
use crate::{
    api::{
        GetComments, GetMessages,
        types::{Message, MessageList},
    },
    client::{
        bot::Bot,
        request::{Request, fetch},
        transport::{CallOptions, text},
    },
    error::Result,
    id::{ChatId, MessageId, UserId},
    json::read,
    validation::{Invalid, Place},
};

/// The time of a message whose time is missing or cannot be read: the overlay's default.
const NO_TIME: i64 = 0;

/// Counts the messages of a response, including messages that do not fit the model.
#[derive(Deserialize)]
struct Counted {
    messages: Vec<IgnoredAny>,
}

fn is_full(messages: usize, page_size: u32) -> bool {
    messages >= usize::try_from(page_size).unwrap_or(usize::MAX)
}

/// Identifies a message among others of the same millisecond. A pure forward has no `mid`.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    Mid(MessageId),
    Forward { sender: Option<UserId>, linked: Option<MessageId> },
}

impl Key {
    fn of(message: &Message) -> Self {
        match message.mid() {
            Some(mid) => Self::Mid(mid.clone()),
            None => Self::Forward {
                sender: message.user_id(),
                linked: message.link.as_ref().map(|link| link.message.mid.clone()),
            },
        }
    }
}

/// A list that is ordered by time.
pub(super) trait Timeline: fmt::Debug + Send + Sync + Unpin + 'static {
    type Request: Request;
    const OPERATION: &'static str;

    /// Requests the messages that were sent from `earliest` to `latest`, in Unix milliseconds. The response may have
    /// more.
    fn request(&self, bot: &Bot, count: i32, earliest: Option<i64>, latest: Option<i64>) -> Self::Request;
}

/// The messages of a chat.
#[derive(Debug)]
pub(super) struct MessagesOf(pub(super) ChatId);

impl Timeline for MessagesOf {
    type Request = GetMessages;
    const OPERATION: &'static str = "getMessages";

    /// `from` of the API is the later bound, and `to` the earlier one.
    fn request(&self, bot: &Bot, count: i32, earliest: Option<i64>, latest: Option<i64>) -> GetMessages {
        let mut request = bot.api().get_messages().chat_id(self.0).count(count);
        if let Some(latest) = latest {
            request = request.from(latest);
        }
        // `to` must be smaller than `from`. The millisecond before also covers servers that exclude `to`.
        if let Some(to) = earliest.and_then(|earliest| earliest.checked_sub(1)) {
            request = request.to(to);
        }
        request
    }
}

/// The comments on a channel post.
#[derive(Debug)]
pub(super) struct CommentsOn(pub(super) MessageId);

impl Timeline for CommentsOn {
    type Request = GetComments;
    const OPERATION: &'static str = "getComments";

    /// Both bounds of the API exclude their own millisecond.
    fn request(&self, bot: &Bot, count: i32, earliest: Option<i64>, latest: Option<i64>) -> GetComments {
        let mut request = bot.api().get_comments(self.0.clone()).count(count);
        if let Some(before) = latest.and_then(|latest| latest.checked_add(1)) {
            request = request.before(before);
        }
        // The server accepts no negative time.
        if let Some(after) = earliest.filter(|earliest| *earliest > 0).map(|earliest| earliest - 1) {
            request = request.after(after);
        }
        request
    }
}

/// Messages from the newest to the oldest.
#[derive(Debug)]
pub(super) struct History<T> {
    timeline: T,
    pub(super) page_size: u32,
    /// The earliest time wanted, in Unix milliseconds.
    pub(super) since: Option<i64>,
    /// The latest time wanted, in Unix milliseconds. After the first page: the time of the oldest message so far.
    pub(super) until: Option<i64>,
    /// The returned messages of the time `until`.
    seen: HashSet<Key>,
    /// The returned messages without a time. Any page may repeat them.
    seen_without_time: HashSet<Key>,
}

impl<T> History<T> {
    pub(super) fn new(timeline: T) -> Self {
        Self {
            timeline,
            page_size: LARGEST_PAGE,
            since: None,
            until: None,
            seen: HashSet::new(),
            seen_without_time: HashSet::new(),
        }
    }
}

impl<T: Timeline> List for History<T> {
    type Item = Message;
    const OPERATION: &'static str = T::OPERATION;
    // The next page begins with the last message of this page: pages of one message would make no progress.
    const SMALLEST_PAGE: u32 = 2;

    fn page_size(&self) -> u32 {
        self.page_size
    }

    fn check(&self) -> Result<(), Invalid> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since > until => {
                let problem = format!("is {since}, which is later than `until`, {until}: swap them");
                Err(Invalid::new(&Place::root("since"), problem))
            }
            _ => Ok(()),
        }
    }

    fn ask(&self, bot: &Bot) -> impl Future<Output = Result<ListPage<Message>>> + Send + 'static {
        let count = self.page_size.try_into().unwrap_or(i32::MAX);
        let request = self.timeline.request(bot, count, self.since, self.until);
        let (bot, page_size) = (bot.clone(), self.page_size);
        let read = move |body: Bytes| {
            let MessageList { messages } = read::read(&text(&body))?;
            let is_full = is_full(messages.len(), page_size) || {
                let Counted { messages } = read::read(&text(&body))?;
                is_full(messages.len(), page_size)
            };
            Ok(ListPage { items: messages, marker: None, is_full })
        };
        async move { fetch(request, &bot, CallOptions::default(), read).await }
    }

    fn take(&mut self, page: ListPage<Message>) -> (Vec<Message>, Next) {
        let times = page.items.iter().map(|message| message.timestamp);
        let oldest = times.filter(|time| *time != NO_TIME).min();
        let (since, until) = (self.since.unwrap_or(i64::MIN), self.until.unwrap_or(i64::MAX));
        let new = |message: &Message| match message.timestamp {
            NO_TIME => !self.seen_without_time.contains(&Key::of(message)),
            time if time == until => !self.seen.contains(&Key::of(message)),
            time => (since..until).contains(&time),
        };
        let items: Vec<_> = page.items.into_iter().filter(new).collect();
        let next = match oldest {
            None if page.is_full => {
                Next::Fail("a full page has no message with a time, so the next page cannot be requested".to_owned())
            }
            None => Next::End,
            Some(oldest) if oldest < since => Next::End,
            Some(oldest) if oldest < until => {
                self.until = Some(oldest);
                self.seen.clear();
                Next::Ask
            }
            // The page has no earlier message. If the page is full, messages of the same time may be missing.
            Some(_) if page.is_full => Next::Fail(format!(
                "a full page of {} messages up to the time {until} has no earlier message, so messages of that time \
                 may be missing: set a larger `page_size` or an earlier `until`",
                self.page_size
            )),
            Some(_) => Next::End,
        };
        for message in &items {
            match message.timestamp {
                NO_TIME => _ = self.seen_without_time.insert(Key::of(message)),
                time if Some(time) == self.until => _ = self.seen.insert(Key::of(message)),
                _ => {}
            }
        }
        (items, next)
    }
}
