//! The retry policy: the number of attempts, the time budget, and the delays.

use std::time::Duration;

use super::{
    backoff::Backoff,
    classify::{Class, Remedy, ambiguous, remedy},
};

use crate::error::Failure;

/// The default maximum number of attempts.
const ATTEMPTS: u32 = 3;
/// The default time budget of a call. No attempt starts later.
const BUDGET: Duration = Duration::from_secs(30);
/// The default delays between attempts.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), most: Duration::from_secs(8) };
/// The default delays while an attachment is processed.
const ATTACHMENT_BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), most: Duration::from_secs(8) };
/// The shortest delay for an attachment. Avoids a busy loop, because attempts are not limited.
const LEAST_ATTACHMENT_WAIT: Duration = Duration::from_millis(1);
/// The default time limit for an attachment. A photo takes a moment, a long video a minute.
const ATTACHMENT_BUDGET: Duration = Duration::from_secs(60);

/// The limits and delays of retries. [`BotBuilder::retry`](crate::BotBuilder::retry) sets the policy of a bot.
///
/// A call consists of all attempts of a request: the first try and the retries. By default, a call has at most 3
/// [`attempts`](Self::attempts) and a time [`budget`](Self::budget) of 30 s.
///
/// # Which failures are retried
///
/// A request is idempotent if sending it twice has the same effect as sending it once. By default, the bot treats
/// these requests as idempotent:
///
/// - all `GET`, `HEAD`, `OPTIONS`, `PUT`, `PATCH` and `DELETE` requests
/// - the `POST` requests [`get_upload_url`](crate::api::Api::get_upload_url), [`subscribe`](crate::api::Api::subscribe)
///   and [`post_admins`](crate::api::Api::post_admins)
///
/// To override this default, call `.idempotent(true)` or `.idempotent(false)` on a request.
///
/// | failure | idempotent requests | other requests |
/// |---|---|---|
/// | no connection was opened, so the request was not sent | retry | retry |
/// | status 429 of the API, or 200 with `success: false` and the code `too.many.requests` | pause, then retry | pause, then retry |
/// | status 429 of an upload host (a separate server that receives files) | retry | retry |
/// | attached media is not ready: status 400, or 200 with `success: false` | no for `GET`, retry for others | no for `GET`, retry for others |
/// | status 503 with a `code` of the API in the body | retry | retry |
/// | any other 503 (a proxy may have forwarded the request) | retry | no |
/// | HTTP/2 reports that the request was not processed (`REFUSED_STREAM`, `GOAWAY`) | retry | retry |
/// | status 408 or any other 5xx, a timeout, a broken connection | retry | no |
/// | status 2xx with a body that is incomplete or is not JSON | retry for `GET`, no for others | retry for `GET`, no for others |
/// | status 2xx with a body that does not match the expected type or is too large | no | no |
/// | any other 4xx, a redirect, any other 200 with `success: false` | no | no |
///
/// In this table, `GET` includes `HEAD` and `OPTIONS`. If the connection breaks within the body of a 2xx, the body is
/// incomplete. With the default settings, a call that times out is not retried: see [`budget`](Self::budget). Uploads
/// and polls (requests for updates) are retried after a timeout.
///
/// The pause applies to all requests of the bot. [`Pace`](crate::settings::Pace) describes the pause.
///
/// If a call fails and the server may have applied the request,
/// [`Error::may_have_been_applied`](crate::Error::may_have_been_applied) returns `true`.
///
/// # Attached media
///
/// After an upload, the server processes the file. Until the file is ready, the server refuses a message with this
/// file, and the bot retries the request. The time limit of these retries is
/// [`attachment_budget`](Self::attachment_budget), which is 60 s by default. These retries do not count against
/// [`attempts`](Self::attempts) or [`budget`](Self::budget).
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use tamtam::{Bot, settings::RetryPolicy};
///
/// # fn main() -> tamtam::Result<()> {
/// let patient = RetryPolicy::default().attempts(5).budget(Duration::from_secs(120));
/// let bot = Bot::builder("token").retry(patient).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a policy does nothing until it is given to a bot"]
pub struct RetryPolicy {
    attempts: u32,
    budget: Duration,
    backoff: Backoff,
    attachment_budget: Duration,
    attachment_backoff: Backoff,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: ATTEMPTS,
            budget: BUDGET,
            backoff: BACKOFF,
            attachment_budget: ATTACHMENT_BUDGET,
            attachment_backoff: ATTACHMENT_BACKOFF,
        }
    }
}

impl RetryPolicy {
    /// Returns a policy without retries: each call has one attempt. If the attached media of a message is not ready,
    /// the call fails.
    pub fn none() -> Self {
        Self { attempts: 1, attachment_budget: Duration::ZERO, ..Self::default() }
    }

    /// Returns the backoff of pauses after a 429. It applies if it is longer than the `Retry-After`.
    pub(crate) fn backoff_of_pauses(&self) -> Backoff {
        self.backoff
    }

    pub(crate) fn most_attempts(&self) -> u32 {
        self.attempts
    }

    /// Sets the maximum number of attempts of a call, including the first try. Defaults to 3. A value of 0 is
    /// treated as 1.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Sets the time in which a retry can start, measured from the start of the call. Defaults to 30 s.
    ///
    /// If the next delay would exceed the budget, the call fails immediately. The last attempt can exceed the
    /// budget by at most the timeout of an attempt.
    ///
    /// The default timeout of an attempt is also 30 s. So one attempt that times out uses up the budget, and is not
    /// retried. To retry after a timeout, increase the budget or decrease
    /// [`BotBuilder::timeout`](crate::BotBuilder::timeout).
    ///
    /// Delays that the [`Pace`](crate::settings::Pace) of the bot causes, and pauses after status 429, do not count
    /// against the budget.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// Sets the delays between attempts. Each delay is a random time from 0 to an upper limit (full jitter).
    ///
    /// - `first`: Upper limit after the first failure. Each further failure doubles the limit. Defaults to 0.5 s.
    /// - `most`: Largest value of the upper limit. Defaults to 8 s. If `most` is shorter than `first`, `first` is used
    ///   instead.
    ///
    /// If the server asks for a longer delay (`Retry-After`), the longer delay is used.
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        self.backoff = Backoff { first, most: most.max(first) };
        self
    }

    /// Sets the maximum time that a call waits for the server to process attached media. Defaults to 60 s. The time
    /// starts when the server first refuses the message. With 0, the call fails if the media is not ready.
    pub fn attachment_budget(mut self, budget: Duration) -> Self {
        self.attachment_budget = budget;
        self
    }

    /// Sets the delays between attempts while the server processes attached media. These delays are not random.
    ///
    /// - `first`: First delay. Each further attempt doubles the delay. Defaults to 0.5 s.
    /// - `most`: Upper limit of the delay, unless the server asks for a longer delay (`Retry-After`). Defaults to 8 s.
    ///   If `most` is shorter than `first`, `first` is used instead.
    pub fn attachment_backoff(mut self, first: Duration, most: Duration) -> Self {
        self.attachment_backoff = Backoff { first, most: most.max(first) };
        self
    }
}

/// The decision after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Retry after this delay.
    Again(Duration),
    /// Fail the call.
    Failed,
}

/// The state of one call: the attempts and the time that it has used.
#[derive(Debug, Clone)]
pub(crate) struct Tries {
    policy: RetryPolicy,
    class: Class,
    idempotent: Option<bool>,
    /// The number of failures that count against the attempts.
    failures: u32,
    /// The number of times that an attachment was not ready.
    not_ready: u32,
    /// The start of the current wait for an attachment, relative to the start of the call.
    waiting_since: Option<Duration>,
    /// The total time of earlier waits for attachments.
    waited: Duration,
    /// Whether the server may have applied a failed attempt.
    ambiguous: bool,
}

impl Tries {
    pub(crate) fn new(policy: RetryPolicy, class: Class, idempotent: Option<bool>) -> Self {
        Self {
            policy,
            class,
            idempotent,
            failures: 0,
            not_ready: 0,
            waiting_since: None,
            waited: Duration::ZERO,
            ambiguous: false,
        }
    }

    /// Returns whether the server may have applied the request in one of the attempts.
    pub(crate) fn ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// Returns whether a "not found" response may mean that an earlier attempt removed the item.
    pub(crate) fn may_be_gone(&self) -> bool {
        self.class == Class::Remove && self.ambiguous
    }

    /// Decides about a failure.
    ///
    /// - `elapsed`: Time since the start of the call.
    /// - `asked`: The `Retry-After` of the server.
    /// - `chance`: Random number from 0 to 1.
    pub(crate) fn after(
        &mut self,
        failure: Failure,
        elapsed: Duration,
        asked: Option<Duration>,
        chance: f64,
    ) -> Verdict {
        self.ambiguous |= ambiguous(self.class, failure);
        match remedy(self.class, self.idempotent, failure) {
            Remedy::None => Verdict::Failed,
            Remedy::Wait => self.wait_for_attachment(elapsed, asked),
            Remedy::Retry => {
                // The wait for an attachment, including its attempts, does not count against the budget.
                let since = self.waiting_since.take();
                self.waited += since.map_or(Duration::ZERO, |since| elapsed.saturating_sub(since));
                self.retry(elapsed.saturating_sub(self.waited), asked, chance)
            }
        }
    }

    /// Decides about a 429. The pause of the bot does not count against the budget.
    pub(crate) fn after_pause(&mut self, pause: Duration) -> Verdict {
        self.failures += 1;
        if self.failures >= self.policy.attempts { Verdict::Failed } else { Verdict::Again(pause) }
    }

    fn retry(&mut self, spent: Duration, asked: Option<Duration>, chance: f64) -> Verdict {
        self.failures += 1;
        if self.failures >= self.policy.attempts {
            return Verdict::Failed;
        }
        let delay = self.policy.backoff.jittered(self.failures, chance).max(asked.unwrap_or_default());
        if spent.saturating_add(delay) > self.policy.budget { Verdict::Failed } else { Verdict::Again(delay) }
    }

    fn wait_for_attachment(&mut self, elapsed: Duration, asked: Option<Duration>) -> Verdict {
        let since = *self.waiting_since.get_or_insert(elapsed);
        let waited = self.waited.saturating_add(elapsed.saturating_sub(since));
        let left = self.policy.attachment_budget.saturating_sub(waited);
        if left.is_zero() {
            return Verdict::Failed;
        }
        self.not_ready += 1;
        let step = self.policy.attachment_backoff.step(self.not_ready).max(LEAST_ATTACHMENT_WAIT);
        // The last delay is shortened to the rest of the budget.
        Verdict::Again(step.min(left).max(asked.unwrap_or_default().min(left)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn tries(class: Class) -> Tries {
        Tries::new(RetryPolicy::default(), class, None)
    }

    #[test]
    fn makes_at_most_three_attempts() {
        let mut tries = tries(Class::Read);
        assert_eq!(tries.after(Failure::Unknown, NOW, None, 1.0), Verdict::Again(Duration::from_millis(500)));
        assert_eq!(tries.after(Failure::NotSent, NOW, None, 1.0), Verdict::Again(secs(1)));
        assert_eq!(tries.after(Failure::Unknown, NOW, None, 1.0), Verdict::Failed);
    }

    #[test]
    fn the_delay_is_the_longer_one_of_jitter_and_retry_after() {
        assert_eq!(tries(Class::Act).after(Failure::NotSent, NOW, Some(secs(7)), 0.0), Verdict::Again(secs(7)));
        let patient = RetryPolicy::default().backoff(secs(10), secs(10));
        let mut tries = Tries::new(patient, Class::Act, None);
        assert_eq!(tries.after(Failure::NotSent, NOW, Some(secs(7)), 1.0), Verdict::Again(secs(10)));
    }

    #[test]
    fn fails_if_the_next_delay_exceeds_the_budget() {
        assert_eq!(tries(Class::Read).after(Failure::NotSent, NOW, Some(secs(31)), 0.0), Verdict::Failed);
        assert_eq!(tries(Class::Read).after(Failure::NotSent, secs(29), Some(secs(1)), 0.0), Verdict::Again(secs(1)));
        assert_eq!(tries(Class::Read).after(Failure::NotSent, secs(29), Some(secs(2)), 0.0), Verdict::Failed);
    }

    #[test]
    fn waits_for_an_attachment_outside_the_budget_and_the_attempts() {
        let mut tries = tries(Class::Act);
        let mut elapsed = Duration::ZERO;
        let mut waits = Vec::new();
        while let Verdict::Again(wait) = tries.after(Failure::AttachmentNotReady, elapsed, None, 0.0) {
            waits.push(wait.as_millis());
            elapsed += wait;
        }
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000, 8000, 4500]);
        assert_eq!(elapsed, ATTACHMENT_BUDGET);
        assert_eq!(tries.after(Failure::AttachmentNotReady, elapsed, None, 0.0), Verdict::Failed);
        // The budget for other failures is unused.
        assert!(matches!(tries.after(Failure::NotSent, elapsed, Some(secs(30)), 0.0), Verdict::Again(_)));
        assert!(matches!(tries.after(Failure::NotSent, elapsed, None, 0.0), Verdict::Again(_)));
        assert_eq!(tries.after(Failure::NotSent, elapsed, None, 0.0), Verdict::Failed);
    }

    #[test]
    fn slow_responses_while_an_attachment_is_processed_do_not_count_against_the_budget() {
        let mut tries = tries(Class::Act);
        assert!(matches!(tries.after(Failure::AttachmentNotReady, secs(3), None, 0.0), Verdict::Again(_)));
        assert!(matches!(tries.after(Failure::AttachmentNotReady, secs(50), None, 0.0), Verdict::Again(_)));
        assert!(matches!(tries.after(Failure::NotSent, secs(60), Some(secs(27)), 0.0), Verdict::Again(_)));
        assert_eq!(
            tries.after(Failure::NotSent, secs(87), Some(secs(1)), 0.0),
            Verdict::Failed,
            "3 s + 27 s are spent"
        );
    }

    #[test]
    fn zero_delays_for_an_attachment_are_raised_to_the_minimum() {
        let hasty = RetryPolicy::default().attachment_backoff(NOW, NOW);
        let mut tries = Tries::new(hasty, Class::Act, None);
        for _ in 0..100 {
            assert_eq!(tries.after(Failure::AttachmentNotReady, NOW, None, 0.0), Verdict::Again(LEAST_ATTACHMENT_WAIT));
        }
        assert_eq!(tries.after(Failure::AttachmentNotReady, ATTACHMENT_BUDGET, None, 0.0), Verdict::Failed);
    }

    #[test]
    fn a_policy_without_retries_fails_at_once() {
        for failure in [Failure::NotSent, Failure::AttachmentNotReady] {
            let mut tries = Tries::new(RetryPolicy::none(), Class::Act, Some(true));
            assert_eq!(tries.after(failure, NOW, None, 0.0), Verdict::Failed, "{failure:?}");
        }
    }

    #[test]
    fn one_ambiguous_attempt_makes_the_call_ambiguous() {
        let mut tries = tries(Class::Remove);
        assert!(!tries.may_be_gone());
        tries.after(Failure::NotSent, NOW, None, 0.0);
        assert!(!tries.ambiguous() && !tries.may_be_gone());
        tries.after(Failure::Unknown, NOW, None, 0.0);
        tries.after(Failure::Refused, NOW, None, 0.0);
        assert!(tries.ambiguous() && tries.may_be_gone());
        let mut tries = Tries::new(RetryPolicy::default(), Class::Repeat, None);
        tries.after(Failure::Unknown, NOW, None, 0.0);
        assert!(tries.ambiguous() && !tries.may_be_gone());
    }
}
