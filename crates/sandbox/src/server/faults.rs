//! Faults of requests to the API, and the queue of faults for each operation.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::routes::routes;
use crate::protocol::service::Service;

/// The body that `cut_body` truncates if the operation was not carried out.
const NO_ANSWER: &str = r#"{"success":true}"#;
const GARBAGE: &str = "\u{1}<<not JSON>>";
/// The statuses that a request can end with.
pub(crate) const STATUSES: RangeInclusive<u16> = 200..=999;
/// The message of error bodies of [`Fault::status`].
const SAID: &str = "Fault of the test";

/// A fault of requests to one operation, for [`Sandbox::fails`](crate::Sandbox::fails).
///
/// A fault happens once, unless [`times`](Self::times) is set. [`applied`](Self::applied) sets whether the operation is
/// carried out nevertheless, which a client cannot see. By default, each fault does what is more likely:
///
/// | fault | what the client sees | carried out |
/// |---|---|---|
/// | [`status`](Self::status), [`error`](Self::error), [`answer`](Self::answer) | its status and body | no |
/// | [`not_ready`](Self::not_ready) | 400, `attachment.not.ready` | no |
/// | [`reset`](Self::reset) | a connection reset instead of an answer | no |
/// | [`cut_body`](Self::cut_body) | the answer, but only half of its body before the connection ends | yes |
/// | [`garbage`](Self::garbage) | 200 with a body that is not JSON | yes |
/// | [`delay`](Self::delay) | the right answer, later | yes, before the delay |
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a fault does nothing until it is passed to `Sandbox::fails`"]
pub struct Fault {
    kind: FaultKind,
    times: u32,
    applied: bool,
    retry_after: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum FaultKind {
    Answer(u16, String),
    Reset,
    Cut,
    Garbage,
    Delay(Duration),
}

impl Fault {
    /// Answers with this status and an error body in the format of the API. With this body, a 429 or 503 means to a
    /// client that the operation was not carried out.
    ///
    /// # Panics
    ///
    /// If the status is not between 200 and 999.
    #[track_caller]
    pub fn status(status: u16) -> Self {
        let code = match status {
            400 => "proto.payload",
            401 => "verify.token",
            403 => "access.denied",
            404 => "not.found",
            405 => "method.not.allowed",
            429 => "too.many.requests",
            503 => "service.unavailable",
            _ => "internal.error",
        };
        Self::error(status, code, SAID)
    }

    /// Answers with this status, and an error body with this `code` and `message`.
    ///
    /// # Panics
    ///
    /// If the status is not between 200 and 999.
    #[track_caller]
    pub fn error(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        let (code, message): (String, String) = (code.into(), message.into());
        Self::answer(status, json!({ "code": code, "message": message }).to_string())
    }

    /// Answers with this status and body, as a proxy does: `Fault::answer(502, "<html>Bad gateway</html>")`.
    ///
    /// # Panics
    ///
    /// If the status is not between 200 and 999. A status below 200 does not end a request.
    #[track_caller]
    pub fn answer(status: u16, body: impl Into<String>) -> Self {
        assert!(STATUSES.contains(&status), "{status} is not a final status, use 200 to 999");
        Self::new(FaultKind::Answer(status, body.into()), false)
    }

    /// Answers with 400 and the code `attachment.not.ready`, as the API does while attached media are processed.
    pub fn not_ready() -> Self {
        Self::error(400, "attachment.not.ready", "")
    }

    /// Resets the connection before the first byte of the answer.
    pub fn reset() -> Self {
        Self::new(FaultKind::Reset, false)
    }

    /// Sends the answer with its full length, but closes the connection after half of the body.
    pub fn cut_body() -> Self {
        Self::new(FaultKind::Cut, true)
    }

    /// Answers with 200 and a body that is not JSON.
    pub fn garbage() -> Self {
        Self::new(FaultKind::Garbage, true)
    }

    /// Delays the right answer by `delay`, in real time.
    ///
    /// The operation is carried out before the delay, even if the client disconnects during the delay. With
    /// [`applied(false)`](Self::applied), it is carried out after the delay, if the client is still connected. If the
    /// client disconnects, the request is not reported to [`on_exchange`](crate::Sandbox::on_exchange).
    pub fn delay(delay: Duration) -> Self {
        Self::new(FaultKind::Delay(delay), true)
    }

    /// Sets for how many requests the fault happens. Defaults to 1. With 0, it never happens.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Sets whether the operation is carried out before the fault. The defaults are in the table of [`Fault`].
    pub fn applied(mut self, applied: bool) -> Self {
        self.applied = applied;
        self
    }

    /// Adds the header `Retry-After` to the answer. `seconds`: the value of the header. Has no effect on a reset.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    fn new(kind: FaultKind, applied: bool) -> Self {
        Self { kind, times: 1, applied, retry_after: None }
    }

    /// Returns the delay before the operation is carried out.
    pub(crate) fn delay_before(&self) -> Option<Duration> {
        self.as_delay().filter(|_| !self.applied)
    }

    /// Returns the delay between the operation and the answer.
    pub(crate) fn delay_after(&self) -> Option<Duration> {
        self.as_delay().filter(|_| self.applied)
    }

    fn as_delay(&self) -> Option<Duration> {
        match self.kind {
            FaultKind::Delay(delay) => Some(delay),
            _ => None,
        }
    }

    /// Whether the operation is carried out, before or after a delay.
    pub(crate) fn lets_through(&self) -> bool {
        self.applied || self.as_delay().is_some()
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after
    }

    /// Replaces the answer by the one of the fault. `body` is empty if the operation was not carried out.
    pub(crate) fn spoil(&self, status: u16, body: Bytes) -> Spoilt {
        match &self.kind {
            FaultKind::Answer(status, text) => Spoilt::Answer(*status, text.clone().into()),
            FaultKind::Reset => Spoilt::Reset,
            FaultKind::Garbage => Spoilt::Answer(200, GARBAGE.into()),
            FaultKind::Cut if body.is_empty() => Spoilt::Cut(200, NO_ANSWER.into()),
            FaultKind::Cut => Spoilt::Cut(status, body),
            FaultKind::Delay(_) => Spoilt::Answer(status, body),
        }
    }
}

/// The end of a request with a fault.
pub(crate) enum Spoilt {
    Answer(u16, Bytes),
    /// The whole body. Only half of it is sent.
    Cut(u16, Bytes),
    Reset,
}

/// The faults that have not happened yet, by operation.
#[derive(Default)]
pub(crate) struct Faults(BTreeMap<&'static str, VecDeque<Fault>>);

impl Faults {
    /// Adds a fault to an operation. Returns `false` if the service has no such operation.
    pub(crate) fn add(&mut self, service: Service, operation: &str, fault: Fault) -> bool {
        let Some(route) = routes(service).find(|route| route.operation == operation) else { return false };
        if fault.times > 0 {
            self.0.entry(route.operation).or_default().push_back(fault);
        }
        true
    }

    /// Removes all faults.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// Returns the fault of the next request of this operation, and counts it.
    pub(crate) fn take(&mut self, operation: &str) -> Option<Fault> {
        let waiting = self.0.get_mut(operation)?;
        let mut fault = waiting.pop_front()?;
        let taken = fault.clone();
        fault.times -= 1;
        if fault.times > 0 {
            waiting.push_front(fault);
        }
        Some(taken)
    }
}

/// Returns the names of all operations, for error messages.
pub(crate) fn operations(service: Service) -> String {
    routes(service).map(|route| route.operation).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_happen_in_order_and_as_often_as_set() {
        let mut faults = Faults::default();
        faults.add(Service::TamTam, "getChat", Fault::status(500).times(2));
        faults.add(Service::TamTam, "getChat", Fault::reset());
        faults.add(Service::TamTam, "getChat", Fault::garbage().times(0));
        faults.add(Service::TamTam, "getMyInfo", Fault::cut_body());
        assert!(!faults.add(Service::TamTam, "getYou", Fault::reset()));
        let mut taken = |operation| faults.take(operation).map(|fault| fault.kind);
        let failed = Fault::status(500).kind;
        assert_eq!(taken("getChat"), Some(failed.clone()));
        assert_eq!(taken("getChat"), Some(failed));
        assert_eq!(taken("getChat"), Some(FaultKind::Reset));
        assert_eq!(taken("getChat"), None);
        assert_eq!(taken("getMyInfo"), Some(FaultKind::Cut));
        assert_eq!(taken("sendMessage"), None);
    }
}
