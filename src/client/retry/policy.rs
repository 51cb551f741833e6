//! How often and for how long a call is tried.

use std::time::Duration;

use super::{
    backoff::Backoff,
    classify::{Class, Remedy, ambiguous, remedy},
};

use crate::error::Failure;

/// How often a call is sent at most.
const ATTEMPTS: u32 = 3;
/// For how long a call is tried: no attempt begins later.
const BUDGET: Duration = Duration::from_secs(30);
/// The waits between attempts.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), most: Duration::from_secs(8) };
/// The waits for an attachment. A photo takes a moment, a long video a minute.
const ATTACHMENT_BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), most: Duration::from_secs(8) };
/// No wait for an attachment is shorter, whatever is set: nothing else ends the asking.
const LEAST_ATTACHMENT_WAIT: Duration = Duration::from_millis(1);
/// For how long an attachment is waited for.
const ATTACHMENT_BUDGET: Duration = Duration::from_secs(60);

/// How often and for how long failed calls are retried; set by [`BotBuilder::retry`](crate::BotBuilder::retry).
///
/// The default is three attempts within 30 s. Whether a failure is retried at all depends on the operation:
///
/// | failure | reads; `PUT`, `PATCH`, `DELETE`; `POST /uploads` and `/subscriptions` | any other `POST` |
/// |---|---|---|
/// | not sent, because no connection was made | retry | retry |
/// | 429 of the API: the whole bot pauses first, see [`Pace`](crate::Pace) | retry | retry |
/// | 429 of an upload host | retry | retry |
/// | an attachment is not ready: 400, or 200 with `success: false` | retry on its own schedule (not reads) | retry on its own schedule |
/// | 503 with an API `code` in its body | retry | retry |
/// | any other 503, even with `Retry-After`: a proxy may have forwarded the request | retry | no |
/// | not processed: HTTP/2 `REFUSED_STREAM`, or a `GOAWAY` that names an earlier stream as the last | retry | retry |
/// | 408, 500, 502, 504, a timeout, a connection that breaks | retry | no |
/// | 2xx whose body is cut or is not JSON | reads only | no |
/// | 2xx whose body does not fit the models, or is over the size limit | no | no |
/// | any other 4xx, 200 with `success: false` | no | no |
///
/// If a `POST` is not retried because the server may have applied it,
/// [`Error::may_have_been_applied`](crate::Error::may_have_been_applied) is true. `.idempotent(true)` on a call treats
/// it by the middle column.
///
/// Waiting for an attachment is bounded only by `attachment_budget` (60 s by default), not by `attempts` or `budget`.
///
/// ```
/// use std::time::Duration;
/// use tamtam::{Bot, RetryPolicy};
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
    /// Every call is sent once, and no attachment is waited for.
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

    /// How often a call is sent at most, the first time included; 3 if not set, and never less than 1.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// For how long a call is tried, from its beginning; 30 s if not set. A wait that would end later is not begun: the
    /// call fails at once. The last attempt may take its whole timeout beyond it.
    ///
    /// The usual timeout of a call is 30 s as well, so that one which got no answer in time has used the budget up. For
    /// another try after that, raise the budget or lower [`BotBuilder::timeout`](crate::BotBuilder::timeout).
    ///
    /// Waits for the [`Pace`](crate::Pace) of the bot do not count, nor does the pause after a 429.
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = budget;
        self
    }

    /// The longest wait after the first failure, doubled after each further one up to `most`; 0.5 s and 8 s if not set.
    /// The wait is a random part of that (full jitter), or what the server asks for if that is longer.
    pub fn backoff(mut self, first: Duration, most: Duration) -> Self {
        self.backoff = Backoff { first, most: most.max(first) };
        self
    }

    /// For how long a call waits until the media that it attaches is processed; 60 s if not set.
    pub fn attachment_budget(mut self, budget: Duration) -> Self {
        self.attachment_budget = budget;
        self
    }

    /// The first wait for an attachment, doubled each time up to `most`; 0.5 s and 8 s if not set.
    pub fn attachment_backoff(mut self, first: Duration, most: Duration) -> Self {
        self.attachment_backoff = Backoff { first, most: most.max(first) };
        self
    }
}

/// What to do after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Wait so long, then try again.
    Again(Duration),
    /// The call has failed.
    Failed,
}

/// The tries of one call: what has been used up of its policy.
#[derive(Debug, Clone)]
pub(crate) struct Tries {
    policy: RetryPolicy,
    class: Class,
    idempotent: Option<bool>,
    /// Failures that count against the attempts.
    failures: u32,
    /// How often an attachment was not ready.
    not_ready: u32,
    /// When the current wait for an attachment began, after the beginning of the call.
    waiting_since: Option<Duration>,
    /// How long the waits for attachments before that took.
    waited: Duration,
    /// An attempt failed in a way that leaves open whether it was done.
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

    /// Whether the server may have done what was asked in one of the attempts.
    pub(crate) fn ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// Whether "there is no such thing" may mean that an earlier attempt has removed it.
    pub(crate) fn may_be_gone(&self) -> bool {
        self.class == Class::Remove && self.ambiguous
    }

    /// The verdict on a failure, `elapsed` after the call began. `asked` is the server's `Retry-After`, `chance` a random
    /// number from 0 to 1.
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
                // Waiting for an attachment, its attempts included, is not part of the budget.
                let since = self.waiting_since.take();
                self.waited += since.map_or(Duration::ZERO, |since| elapsed.saturating_sub(since));
                self.retry(elapsed.saturating_sub(self.waited), asked, chance)
            }
        }
    }

    /// The verdict on a 429, after which the whole bot pauses. The pause is not part of the budget.
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
        // The last wait is shortened, so that the time allowed is used whole.
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
    fn three_attempts_and_no_more() {
        let mut tries = tries(Class::Read);
        assert_eq!(tries.after(Failure::Unknown, NOW, None, 1.0), Verdict::Again(Duration::from_millis(500)));
        assert_eq!(tries.after(Failure::NotSent, NOW, None, 1.0), Verdict::Again(secs(1)));
        assert_eq!(tries.after(Failure::Unknown, NOW, None, 1.0), Verdict::Failed);
    }

    #[test]
    fn the_wait_is_the_longer_one_of_jitter_and_retry_after() {
        assert_eq!(tries(Class::Act).after(Failure::NotSent, NOW, Some(secs(7)), 0.0), Verdict::Again(secs(7)));
        let patient = RetryPolicy::default().backoff(secs(10), secs(10));
        let mut tries = Tries::new(patient, Class::Act, None);
        assert_eq!(tries.after(Failure::NotSent, NOW, Some(secs(7)), 1.0), Verdict::Again(secs(10)));
    }

    #[test]
    fn a_wait_beyond_the_budget_is_not_begun() {
        assert_eq!(tries(Class::Read).after(Failure::NotSent, NOW, Some(secs(31)), 0.0), Verdict::Failed);
        assert_eq!(tries(Class::Read).after(Failure::NotSent, secs(29), Some(secs(1)), 0.0), Verdict::Again(secs(1)));
        assert_eq!(tries(Class::Read).after(Failure::NotSent, secs(29), Some(secs(2)), 0.0), Verdict::Failed);
    }

    #[test]
    fn an_attachment_is_waited_for_on_its_own_schedule_outside_budget_and_attempts() {
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
        // The budget of the other failures is still whole.
        assert!(matches!(tries.after(Failure::NotSent, elapsed, Some(secs(30)), 0.0), Verdict::Again(_)));
        assert!(matches!(tries.after(Failure::NotSent, elapsed, None, 0.0), Verdict::Again(_)));
        assert_eq!(tries.after(Failure::NotSent, elapsed, None, 0.0), Verdict::Failed);
    }

    #[test]
    fn slow_answers_while_waiting_count_for_the_wait_and_not_for_the_budget() {
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
    fn a_wait_of_nothing_is_still_a_wait() {
        let hasty = RetryPolicy::default().attachment_backoff(NOW, NOW);
        let mut tries = Tries::new(hasty, Class::Act, None);
        for _ in 0..100 {
            assert_eq!(tries.after(Failure::AttachmentNotReady, NOW, None, 0.0), Verdict::Again(LEAST_ATTACHMENT_WAIT));
        }
        assert_eq!(tries.after(Failure::AttachmentNotReady, ATTACHMENT_BUDGET, None, 0.0), Verdict::Failed);
    }

    #[test]
    fn without_retries_nothing_is_tried_again() {
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
