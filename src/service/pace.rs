//! The limits of a service on requests per second.

/// The rate limits of a bot, in requests per second. [`BotBuilder::pace`](crate::BotBuilder::pace) sets the
/// rate limits.
///
/// A request that would exceed a limit is delayed. All clones of a bot share the limits.
///
/// Requests are sent in the order in which you await them, with three exceptions:
///
/// - While a message waits because of the limit of its chat, later requests overtake the message, except messages to
///   the same chat.
/// - While a poll (a request for updates) waits because of the limit for polls, other requests overtake the poll.
/// - Requests of the original bot overtake waiting requests of a clone from
///   [`Bot::background`](crate::Bot::background).
///
/// The delay does not count against the timeout of the request or against the budget of the
/// [`RetryPolicy`](crate::settings::RetryPolicy). In a handler (your function that the bot calls for each update), the
/// delay counts against the [time limit of the handler](crate::updates::Run::handler_timeout).
///
/// # Defaults
///
/// If you do not set a pace, a bot has the limits of its service:
///
/// | | [`Service::Max`](crate::Service::Max) | [`Service::TamTam`](crate::Service::TamTam) |
/// |---|---|---|
/// | all requests | 30 per second | no limit |
/// | messages sent to one chat | 2 per second | no limit |
/// | polls | 2 per second | no limit |
///
/// If the bot sends to a dialog (the chat of one user with the bot) by chat id and by user id, the dialog counts as two
/// chats.
///
/// The limit per chat does not apply to edits, deletions, answers to pressed buttons, and requests of
/// [`Bot::request`](crate::Bot::request).
///
/// # Pause after a 429
///
/// If the API responds with status 429 (too many requests), or refuses a request with the code `too.many.requests`, all
/// requests of the bot pause. The pause lasts for the longest of these times, but at most for an hour:
///
/// - the time in the header `Retry-After` of the response
/// - the delay of [`RetryPolicy::backoff`](crate::settings::RetryPolicy::backoff)
/// - 1 s, if the pace has at least one limit
///
/// A 429 of an upload host (a separate server that receives files) does not pause the bot.
///
/// After the pause, the rate increases step by step:
///
/// - If [`requests_per_second`](Self::requests_per_second) is set, the bot starts with a tenth of this rate, and
///   reaches the full rate after 5 s.
/// - If `requests_per_second` is `None`, the bot starts with 3 requests per second, and reaches 30 after 5 s. The rate
///   then increases further. From 1 minute after the pause, the bot again has no limit of requests per second.
///
/// # Slow connections
///
/// A request counts against the limits until 1 s after its response. If no response arrives within 3 s (1.5 s for a
/// poll), the request no longer counts.
///
/// As a result, a bot with a slow connection to the server sends fewer requests than the limit allows. For example, if
/// responses take 0.2 s, the bot sends about 25 instead of 30 requests per second.
///
/// # Example
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
    /// Returns a pace without limits. [`Service::pace`](crate::Service::pace) returns the default limits of a service.
    pub const fn none() -> Self {
        Self { requests: None, chat_requests: None, polls: None }
    }

    /// Sets the maximum number of requests per second, including polls. 0 counts as 1. `None` removes the limit.
    pub fn requests_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.requests = at_least_one(most);
        self
    }

    /// Sets the maximum number of messages per second that are sent to one chat. 0 counts as 1. `None` removes the
    /// limit.
    pub fn chat_requests_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.chat_requests = at_least_one(most);
        self
    }

    /// Sets the maximum number of polls per second. 0 counts as 1. `None` removes the limit.
    pub fn polls_per_second(mut self, most: impl Into<Option<u32>>) -> Self {
        self.polls = at_least_one(most);
        self
    }
}

fn at_least_one(most: impl Into<Option<u32>>) -> Option<u32> {
    most.into().map(|most| most.max(1))
}
