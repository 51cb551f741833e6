//! Limits of a server, and the requests that count against them.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::clock::{self, Millis};
use super::ids::{ChatId, UserId};
use crate::protocol::error::ApiError;
use crate::protocol::service::Service;

/// The span over which requests are counted, in milliseconds, because limits are per second.
const SECOND: Millis = 1_000;

/// The limits for requests, polls and waiting updates in a sandbox. Set by
/// [`SandboxBuilder::rate_limit`](crate::SandboxBuilder::rate_limit). A poll is a request for updates.
///
/// The limits apply to each bot separately. If a request exceeds a per-second limit, the sandbox responds with the
/// status 429 and the code `too.many.requests`. A refused request does not count against the limits.
///
/// The per-second limits use a sliding window of 1 s. The window moves in real time, even if the sandbox has a
/// [seed](crate::SandboxBuilder::seed). [`Sandbox::time_passes`](crate::Sandbox::time_passes) also moves the window.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam::{Bot, Service, settings::RetryPolicy};
/// use tamtam_sandbox::{RateLimit, Sandbox};
///
/// let limit = RateLimit::none().requests_per_second(2);
/// let max = Sandbox::builder().service(Service::Max).rate_limit(limit).start().await;
/// let bot = Bot::builder(max.token())
///     .service(Service::Max)
///     .base_url(max.base_url())
///     .retry(RetryPolicy::none())
///     .no_proxy()
///     .build()?;
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
    /// Creates a `RateLimit` without limits. This value is the default on TamTam, because the limits of TamTam are not
    /// known.
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

    /// Creates a `RateLimit` with the limits of MAX. This value is the default on MAX.
    ///
    /// | method | applies to | limit |
    /// |---|---|---|
    /// | [`requests_per_second`](Self::requests_per_second) | all requests of a bot | 30 per second |
    /// | [`chat_requests_per_second`](Self::chat_requests_per_second) | messages, edits, deletions, and answers to pressed buttons in one chat | 2 per second for each kind |
    /// | [`polls_per_second`](Self::polls_per_second) | polls of a bot | 2 per second |
    /// | [`longest_poll`](Self::longest_poll) | the time that a poll waits for updates | 30 s |
    /// | [`largest_page`](Self::largest_page) | the number of updates in the response to a poll | 100 |
    /// | [`retention`](Self::retention) | the time that an update waits for a poll | 24 h |
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

    /// Returns the default limits of a service.
    pub(crate) const fn of(service: Service) -> Self {
        match service {
            Service::TamTam => Self::none(),
            Service::Max => Self::max(),
        }
    }

    /// Sets the maximum number of requests of a bot per second, including polls. `None` removes the limit. With 0,
    /// the sandbox refuses all requests.
    pub fn requests_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.requests = most.into();
        self
    }

    /// Sets the maximum number of requests of one kind in one chat per second. The four kinds are messages, edits,
    /// deletions, and answers to pressed buttons. `None` removes the limit. With 0, the sandbox
    /// refuses all these requests.
    pub fn chat_requests_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.chat_requests = most.into();
        self
    }

    /// Sets the maximum number of polls of a bot per second. `None` removes the limit. With 0, the sandbox
    /// refuses all polls.
    pub fn polls_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.polls = most.into();
        self
    }

    /// Sets the value, in seconds, of the header `Retry-After` in the responses to refused requests. With `None`, the
    /// header is not sent. Defaults to `None`, because it is not known whether MAX sends this header.
    pub fn retry_after(mut self, seconds: impl Into<Option<u32>>) -> Self {
        self.retry_after = seconds.into();
        self
    }

    /// Sets the maximum time that a poll waits for updates. A longer time in the request is reduced to this maximum.
    /// `None` removes the limit.
    pub fn longest_poll(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.longest_poll = time.into();
        self
    }

    /// Sets the maximum number of updates in the response to a poll. A larger number in the request is reduced to this
    /// maximum. `None` removes the limit.
    pub fn largest_page(mut self, updates: impl Into<Option<NonZeroUsize>>) -> Self {
        self.largest_page = updates.into();
        self
    }

    /// Sets the maximum time that an update waits for a poll, on the sandbox's
    /// [clock](crate::SandboxBuilder::seed). After this time, the update is lost. `None` removes the limit.
    pub fn retention(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.retention = time.into();
        self
    }

    /// Returns the pace of a bot that keeps within these limits.
    pub(crate) fn pace(&self) -> tamtam::settings::Pace {
        let pace = tamtam::settings::Pace::none().requests_per_second(self.requests);
        pace.chat_requests_per_second(self.chat_requests).polls_per_second(self.polls)
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<u32> {
        self.retry_after
    }

    /// Returns how long a poll that asks for `hold` is held.
    pub(crate) fn hold(&self, hold: Duration) -> Duration {
        self.longest_poll.map_or(hold, |longest| hold.min(longest))
    }

    /// Returns how many updates a poll that asks for `limit` gets at most.
    pub(crate) fn page(&self, limit: usize) -> usize {
        self.largest_page.map_or(limit, |largest| limit.min(largest.get()))
    }

    /// Returns the time before which updates are discarded.
    pub(crate) fn forgets_before(&self, now: Millis) -> Option<Millis> {
        self.retention.map(|retention| now.saturating_sub(clock::millis(retention)))
    }
}

/// The kinds of requests that limits distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limited {
    Any,
    Poll,
    /// An operation with its own limit in this chat.
    InChat(&'static str, ChatId),
}

/// The times of the requests of the last second, which count against the limits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    times: BTreeMap<(UserId, Limited), Vec<Millis>>,
    pub(crate) refused: u64,
    /// The last time at which idle entries were removed.
    swept: Millis,
}

impl Recent {
    /// Removes entries without requests in the last second. Runs at most once per second.
    fn forget_idle(&mut self, now: Millis) {
        if now - self.swept >= SECOND {
            self.swept = now;
            self.times.retain(|_, times| {
                times.retain(|time| counts(*time, now));
                !times.is_empty()
            });
        }
    }

    /// Counts a request of a bot, or refuses the request if it is over a limit.
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
        self.times.get(&key).map_or(0, |times| times.iter().filter(|time| counts(**time, now)).count())
    }
}

/// Returns whether a request came within the last second. A time after `now` does not count: the system clock was set
/// back.
fn counts(time: Millis, now: Millis) -> bool {
    (0..SECOND).contains(&(now - time))
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
    fn a_clock_that_is_set_back_does_not_stop_a_bot() {
        let mut recent = Recent::default();
        assert_eq!(admitted(&mut recent, 10 * SECOND, Limited::Poll, 3), 2);
        assert_eq!(admitted(&mut recent, SECOND, Limited::Poll, 3), 2);
    }

    #[test]
    fn requests_are_admitted_again_after_a_second_and_idle_chats_are_forgotten() {
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
