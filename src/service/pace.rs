//! The limits of a service on requests per second.

/// The request limits of a bot, in requests per second. Set with [`BotBuilder::pace`](crate::BotBuilder::pace).
///
/// Requests that exceed a limit are delayed. Requests are sent in the order in which they were made. The exception: a
/// request that is delayed by the limit of its chat does not delay other requests. All clones of a bot share the
/// limits.
///
/// The delay does not count against the timeout of the request or the budget of the
/// [`RetryPolicy`](crate::settings::RetryPolicy). The delay counts against the timeout of a handler.
///
/// | | [`Service::Max`](crate::Service::Max) | [`Service::TamTam`](crate::Service::TamTam) |
/// |---|---|---|
/// | all requests | 30 per second | no limit |
/// | messages sent to one chat | 2 per second | no limit |
/// | polls | 2 per second | no limit |
///
/// Chat ids and user ids are counted separately: a dialog counts as two chats if the bot uses its chat id and its user
/// id.
///
/// Edits, deletions and answers to pressed buttons have no limit per chat here, because their requests do not name the
/// chat. These requests and the requests of [`Bot::request`](crate::Bot::request) count against the limit of all
/// requests.
///
/// # Pause after a 429
///
/// If the server responds with status 429, all requests of the bot pause. The pause is the time in `Retry-After` or a
/// backoff, whichever is longer. If the pace has a limit, the pause is at least 1 s. No pause is longer than an hour. A
/// 429 of an upload host does not pause the bot, because the host is another server.
///
/// After the pause, the bot starts with a tenth of its limit, and reaches the limit after 5 s. A bot without a limit,
/// such as with [`Pace::none`], starts with 3 requests per second. Such a bot reaches 30 requests per second after 5 s,
/// and has no limit after a minute.
///
/// # Distance to the server
///
/// The bot cannot see when the server receives a request. So a request counts against the limits from when it is sent
/// until 1 s after its response. Without a response, a request counts for 3 s, and a poll for 1.5 s.
///
/// So a bot with a slow connection to the server sends fewer requests than the limit. If responses take 0.2 s, the bot
/// sends about 25 instead of 30 requests per second.
///
/// ```
/// use tamtam::{Bot, Service, settings::Pace};
///
/// # fn main() -> tamtam::Result<()> {
/// let pace = Pace::none().requests_per_second(10);
/// let bot = Bot::builder("token").service(Service::Max).pace(pace).build()?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "throttle")]
#[doc(alias = "rate_limit")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use = "a pace does nothing until it is given to a bot"]
pub struct Pace {
    pub(crate) requests: Option<u32>,
    pub(crate) chat_requests: Option<u32>,
    pub(crate) polls: Option<u32>,
}

impl Pace {
    /// Returns a pace without limits.
    pub const fn none() -> Self {
        Self { requests: None, chat_requests: None, polls: None }
    }

    /// Sets the maximum number of requests per second, including polls. 0 is treated as 1. `None` removes the limit.
    pub fn requests_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.requests = at_least_one(most);
        self
    }

    /// Sets the maximum number of messages per second that are sent to one chat. 0 is treated as 1. `None` removes the
    /// limit.
    pub fn chat_requests_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.chat_requests = at_least_one(most);
        self
    }

    /// Sets the maximum number of polls for updates per second. 0 is treated as 1. `None` removes the limit.
    pub fn polls_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.polls = at_least_one(most);
        self
    }
}

fn at_least_one(most: impl Into<Option<u32>>) -> Option<u32> {
    most.into().map(|most| most.max(1))
}
