//! Faults: what goes wrong between a bot and TamTam, with which operation and how often.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::routes::routes;
use crate::protocol::service::Service;

/// What is left of an answer that was never written, since nothing was done.
const NO_ANSWER: &str = r#"{"success":true}"#;
const GARBAGE: &str = "\u{1}<<not JSON>>";
/// The statuses that a request can end with.
pub(crate) const STATUSES: RangeInclusive<u16> = 200..=999;
/// What the API's own error bodies say of a fault.
const SAID: &str = "The test asked for it";

/// Something that goes wrong with requests of one operation, given to [`Sandbox::fails`](crate::Sandbox::fails).
///
/// It happens once unless [`times`](Self::times) says otherwise. Whether the operation was carried out all the same is
/// what a client cannot know, and [`applied`](Self::applied) decides it; each fault has the more likely one as its
/// default:
///
/// | fault | what the client sees | carried out |
/// |---|---|---|
/// | [`status`](Self::status), [`error`](Self::error), [`answer`](Self::answer) | that answer | no |
/// | [`not_ready`](Self::not_ready) | 400, `attachment.not.ready` | no |
/// | [`reset`](Self::reset) | a connection reset instead of an answer | no |
/// | [`cut_body`](Self::cut_body) | 200, and half of the body before the connection ends | yes |
/// | [`garbage`](Self::garbage) | 200 with a body that is not JSON | yes |
/// | [`delay`](Self::delay) | the right answer, later | yes, before the delay |
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a fault does nothing until it is given to a sandbox"]
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
    /// This status, with the error body that the API itself would send: a client can be sure that a 429 or 503 of that
    /// kind means that nothing was done.
    ///
    /// # Panics
    ///
    /// As [`answer`](Self::answer) does.
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

    /// This status, with an error body of this `code` and `message`.
    ///
    /// # Panics
    ///
    /// As [`answer`](Self::answer) does.
    #[track_caller]
    pub fn error(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        let (code, message): (String, String) = (code.into(), message.into());
        Self::answer(status, json!({ "code": code, "message": message }).to_string())
    }

    /// This status and this body, as a proxy would answer: `Fault::answer(502, "<html>Bad gateway</html>")`.
    ///
    /// # Panics
    ///
    /// If the status is not between 200 and 999: others do not end a request.
    #[track_caller]
    pub fn answer(status: u16, body: impl Into<String>) -> Self {
        assert!(STATUSES.contains(&status), "{status} is no status that a request can end with");
        Self::new(FaultKind::Answer(status, body.into()), false)
    }

    /// What the API says while attached media is still being processed: 400 with the code `attachment.not.ready`.
    pub fn not_ready() -> Self {
        Self::error(400, "attachment.not.ready", "")
    }

    /// The connection is reset before a byte of the answer.
    pub fn reset() -> Self {
        Self::new(FaultKind::Reset, false)
    }

    /// The answer begins with 200 and its length, and the connection ends after half of the body.
    pub fn cut_body() -> Self {
        Self::new(FaultKind::Cut, true)
    }

    /// 200, and a body that is not JSON.
    pub fn garbage() -> Self {
        Self::new(FaultKind::Garbage, true)
    }

    /// The right answer after this time, which passes in real time. A client that does not wait for it may find that the
    /// operation was carried out, unless [`applied`](Self::applied) is false: then it is carried out after the delay,
    /// if the client is still there. A request whose client has gone is not told to
    /// [`on_exchange`](crate::Sandbox::on_exchange).
    pub fn delay(delay: Duration) -> Self {
        Self::new(FaultKind::Delay(delay), true)
    }

    /// For how many requests it happens: for one, if this is not said.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Whether the operation is carried out before the fault.
    pub fn applied(mut self, applied: bool) -> Self {
        self.applied = applied;
        self
    }

    /// Adds the header `Retry-After` with so many seconds to the answer, if there is one.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    fn new(kind: FaultKind, applied: bool) -> Self {
        Self { kind, times: 1, applied, retry_after: None }
    }

    /// How long the server waits before it does anything.
    pub(crate) fn delay_before(&self) -> Option<Duration> {
        self.as_delay().filter(|_| !self.applied)
    }

    /// How long it waits with the answer.
    pub(crate) fn delay_after(&self) -> Option<Duration> {
        self.as_delay().filter(|_| self.applied)
    }

    fn as_delay(&self) -> Option<Duration> {
        match self.kind {
            FaultKind::Delay(delay) => Some(delay),
            _ => None,
        }
    }

    /// Whether the operation is carried out at some time.
    pub(crate) fn lets_through(&self) -> bool {
        self.applied || self.as_delay().is_some()
    }

    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after
    }

    /// What becomes of the answer, which is empty if the operation was not carried out.
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

/// How a request ends that has met a fault.
pub(crate) enum Spoilt {
    Answer(u16, Bytes),
    /// The body is whole, and half of it is to be sent.
    Cut(u16, Bytes),
    Reset,
}

/// The faults that are still to happen, by operation.
#[derive(Default)]
pub(crate) struct Faults(BTreeMap<&'static str, VecDeque<Fault>>);

impl Faults {
    /// Lets requests of this operation go wrong; false if the API has no such operation.
    pub(crate) fn add(&mut self, service: Service, operation: &str, fault: Fault) -> bool {
        let Some(route) = routes(service).find(|route| route.operation == operation) else { return false };
        if fault.times > 0 {
            self.0.entry(route.operation).or_default().push_back(fault);
        }
        true
    }

    /// Lets nothing go wrong any more.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }

    /// What happens to the next request of this operation.
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

/// All operations of the API, for those who have named another.
pub(crate) fn operations(service: Service) -> String {
    routes(service).map(|route| route.operation).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_happen_in_order_and_so_many_times() {
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
