//! Limits of a server, and the requests that count against them.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::clock::{self, Millis};
use super::ids::{ChatId, UserId};
use crate::protocol::error::ApiError;
use crate::protocol::service::Service;

/// The span over which requests are counted, in milliseconds: limits are per second.
const SECOND: Millis = 1_000;

/// Limits of the server, for [`SandboxBuilder::rate_limit`](crate::SandboxBuilder::rate_limit).
///
/// A request over a limit is refused with status 429 and the code `too.many.requests`. Each limit holds for any span of
/// 1 s on the sandbox's clock. A refused request does not count. `None` takes a limit away.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam::{Bot, RetryPolicy, Service};
/// use tamtam_sandbox::{RateLimit, Sandbox};
///
/// let limit = RateLimit::none().requests_per_second(2);
/// let max = Sandbox::builder().service(Service::Max).rate_limit(limit).start().await;
/// let bot = Bot::builder(max.token()).service(Service::Max).base_url(max.base_url()).retry(RetryPolicy::none());
/// let bot = bot.no_proxy().build()?;
/// for _ in 0..2 {
///     bot.api().get_my_info().await?;
/// }
/// assert!(bot.api().get_my_info().await.unwrap_err().is_rate_limited());
/// assert_eq!(max.rate_limited(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a limit does nothing until it is given to a sandbox"]
pub struct RateLimit {
    requests: Option<u32>,
    chat_requests: Option<u32>,
    polls: Option<u32>,
    retry_after: Option<u32>,
    longest_poll: Option<Duration>,
    largest_page: Option<NonZeroUsize>,
    retention: Option<Duration>,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::none()
    }
}

impl RateLimit {
    /// No limits: the default for TamTam, whose limits are not known.
    pub const fn none() -> Self {
        Self {
            requests: None,
            chat_requests: None,
            polls: None,
            retry_after: None,
            longest_poll: None,
            largest_page: None,
            retention: None,
        }
    }

    /// The limits of MAX, which are the default there:
    ///
    /// | limit | |
    /// |---|---|
    /// | all requests of a bot | 30 per second |
    /// | send, edit, delete or answer in one chat | 2 per second for each of the four |
    /// | polls | 2 per second, held for at most 30 s, with at most 100 updates |
    /// | an update that no poll has fetched | kept for 24 h |
    pub const fn max() -> Self {
        Self {
            requests: Some(30),
            chat_requests: Some(2),
            polls: Some(2),
            retry_after: None,
            longest_poll: Some(Duration::from_secs(30)),
            largest_page: NonZeroUsize::new(100),
            retention: Some(Duration::from_secs(24 * 60 * 60)),
        }
    }

    /// The limits that a service has.
    pub(crate) const fn of(service: Service) -> Self {
        match service {
            Service::TamTam => Self::none(),
            Service::Max => Self::max(),
        }
    }

    /// Takes at most this many requests of a bot per second, polls included.
    pub fn requests_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.requests = most.into();
        self
    }

    /// Takes at most this many messages per second to one chat, and as many edits, deletions and answers to pressed
    /// buttons.
    pub fn chat_requests_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.chat_requests = most.into();
        self
    }

    /// Takes at most this many polls of a bot per second.
    pub fn polls_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.polls = most.into();
        self
    }

    /// Sends the header `Retry-After` with a refusal, in seconds. Without this setting the header is not sent: it is not
    /// known whether MAX sends it.
    pub fn retry_after(mut self, seconds: impl Into<Option<u32>>) -> Self {
        self.retry_after = seconds.into();
        self
    }

    /// Holds a poll for at most this time, even if it asks for more.
    pub fn longest_poll(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.longest_poll = time.into();
        self
    }

    /// Answers a poll with at most this many updates, even if it asks for more.
    pub fn largest_page(mut self, updates: impl Into<Option<NonZeroUsize>>) -> Self {
        self.largest_page = updates.into();
        self
    }

    /// Keeps an update for at most this time until a poll fetches it. Then it is lost.
    pub fn retention(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.retention = time.into();
        self
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after
    }

    /// How long a poll is held that asks for `hold`.
    pub(crate) fn hold(&self, hold: Duration) -> Duration {
        self.longest_poll.map_or(hold, |longest| hold.min(longest))
    }

    /// How many updates a poll gets that asks for `limit`.
    pub(crate) fn page(&self, limit: usize) -> usize {
        self.largest_page.map_or(limit, |largest| limit.min(largest.get()))
    }

    /// The time before which updates are forgotten.
    pub(crate) fn forgets_before(&self, now: Millis) -> Option<Millis> {
        self.retention.map(|retention| now.saturating_sub(clock::millis(retention)))
    }
}

/// What a request does, as far as it is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limited {
    Any,
    Poll,
    /// An operation with a limit of its own in this chat.
    InChat(&'static str, ChatId),
}

/// The times of the requests that count: those of the last second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    times: BTreeMap<(UserId, Limited), Vec<Millis>>,
    pub(crate) refused: u64,
    /// When idle chats were forgotten.
    swept: Millis,
}

impl Recent {
    /// Forgets chats in which nothing was done for a second; at most once a second.
    fn forget_idle(&mut self, now: Millis) {
        if now - self.swept >= SECOND {
            self.swept = now;
            self.times.retain(|_, times| {
                times.retain(|time| now - time < SECOND);
                !times.is_empty()
            });
        }
    }

    /// Counts a request of a bot, or refuses it.
    pub(crate) fn admit(&mut self, bot: UserId, what: Limited, limit: RateLimit, now: Millis) -> Result<(), ApiError> {
        let own = match what {
            Limited::Any => None,
            Limited::Poll => limit.polls,
            Limited::InChat(..) => limit.chat_requests,
        };
        let limits = [(Limited::Any, limit.requests), (what, own)];
        let limits: Vec<_> = limits.into_iter().filter_map(|(what, most)| Some(((bot, what), most?))).collect();
        self.forget_idle(now);
        let is_over = |(key, most): &(_, u32)| self.count(*key, now) >= *most as usize;
        if limits.iter().any(is_over) {
            self.refused += 1;
            return Err(ApiError::too_many());
        }
        for (key, _) in limits {
            self.times.entry(key).or_default().push(now);
        }
        Ok(())
    }

    fn count(&self, key: (UserId, Limited), now: Millis) -> usize {
        let times = self.times.get(&key);
        times.map_or(0, |times| times.iter().rev().take_while(|time| now - **time < SECOND).count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOT: UserId = 1;

    fn admitted(recent: &mut Recent, now: Millis, what: Limited, times: usize) -> usize {
        (0..times).filter(|_| recent.admit(BOT, what, RateLimit::max(), now).is_ok()).count()
    }

    #[test]
    fn each_kind_of_request_has_its_limit_in_each_chat() {
        let mut recent = Recent::default();
        let mut admitted = |what, times| admitted(&mut recent, 5, what, times);
        for what in
            [Limited::InChat("sendMessage", 1), Limited::InChat("sendMessage", 2), Limited::InChat("editMessage", 1)]
        {
            assert_eq!(admitted(what, 5), 2, "{what:?}");
        }
        assert_eq!(admitted(Limited::Poll, 5), 2);
        assert_eq!(admitted(Limited::Any, 50), 30 - 8);
        assert_eq!(recent.refused, 3 * 3 + 3 + 28);
        assert_eq!(recent.admit(2, Limited::Any, RateLimit::max(), 5), Ok(()));
    }

    #[test]
    fn a_second_later_there_is_room_again_and_idle_chats_are_forgotten() {
        let mut recent = Recent::default();
        for now in [0, SECOND, 2 * SECOND] {
            for chat in 0..10 {
                assert_eq!(admitted(&mut recent, now, Limited::InChat("sendMessage", chat), 3), 2);
            }
        }
        assert_eq!(admitted(&mut recent, 3 * SECOND - 1, Limited::InChat("sendMessage", 1), 1), 0);
        assert_eq!(admitted(&mut recent, 3 * SECOND, Limited::Any, 1), 1);
        assert_eq!(recent.times.len(), 1);
    }

    #[test]
    fn nothing_is_counted_without_limits() {
        let mut recent = Recent::default();
        assert!((0..1_000).all(|_| recent.admit(BOT, Limited::Poll, RateLimit::none(), 0).is_ok()));
        assert!(recent.times.is_empty());
    }
}
