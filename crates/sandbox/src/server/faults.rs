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

/// A fault to inject into the requests of one operation, for [`Sandbox::fails`](crate::Sandbox::fails).
///
/// By default, one request gets the fault: see [`times`](Self::times). [`applied`](Self::applied) changes the default
/// in the last column of this table:
///
/// | fault | what the client receives | operation is carried out by default |
/// |---|---|---|
/// | [`status`](Self::status), [`error`](Self::error), [`answer`](Self::answer) | the status and the body of the fault | no |
/// | [`not_ready`](Self::not_ready) | the status 400 and the code `attachment.not.ready` | no |
/// | [`reset`](Self::reset) | a reset of the connection instead of a response | no |
/// | [`cut_body`](Self::cut_body) | half of the response's body; then the connection is closed | yes |
/// | [`garbage`](Self::garbage) | the status 200 and a body that is not JSON | yes |
/// | [`delay`](Self::delay) | the normal response after a delay | yes, before the delay |
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam_sandbox::{Fault, Sandbox};
///
/// let tamtam = Sandbox::start().await;
/// let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
/// alice.starts();
/// tamtam.fails("sendMessage", Fault::status(403));
/// let error = bot.send(alice.chat_id(), "refused").await.unwrap_err();
/// assert!(error.is_forbidden());
/// bot.send(alice.chat_id(), "accepted").await?;
/// assert_eq!(alice.sees(), ["accepted"]);
/// # Ok(())
/// # }
/// ```
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
    /// Creates a fault that responds with this HTTP status, and with an error body in the format of the API. For the
    /// statuses 400, 401, 403, 404, 405, 429 and 503, the error code in the body matches the status, for example
    /// `not.found` for 404. For other statuses, the code is `internal.error`.
    ///
    /// The codes for 429 and 503 mean that the operation was not carried out. So do not combine them with
    /// [`applied(true)`](Self::applied).
    ///
    /// # Panics
    ///
    /// Panics if `status` is not between 200 and 999.
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

    /// Creates a fault that responds with this HTTP status, and with an error body in the format of the API. `code` and
    /// `message` are the fields of this body.
    ///
    /// # Panics
    ///
    /// Panics if `status` is not between 200 and 999.
    #[track_caller]
    pub fn error(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        let (code, message): (String, String) = (code.into(), message.into());
        Self::answer(status, json!({ "code": code, "message": message }).to_string())
    }

    /// Creates a fault that responds with this HTTP status and this body. For example,
    /// `Fault::answer(502, "<html>Bad gateway</html>")` simulates a proxy.
    ///
    /// # Panics
    ///
    /// Panics if `status` is not between 200 and 999.
    #[track_caller]
    pub fn answer(status: u16, body: impl Into<String>) -> Self {
        assert!(STATUSES.contains(&status), "{status} is not a final status, use 200 to 999");
        Self::new(FaultKind::Answer(status, body.into()), false)
    }

    /// Creates a fault that responds with the status 400 and the code `attachment.not.ready`. The real API responds
    /// like this while it processes the attached photos, videos or files of a message.
    pub fn not_ready() -> Self {
        Self::error(400, "attachment.not.ready", "")
    }

    /// Creates a fault that resets the connection before the first byte of the response.
    pub fn reset() -> Self {
        Self::new(FaultKind::Reset, false)
    }

    /// Creates a fault that closes the connection after half of the response's body. The header `Content-Length`
    /// contains the length of the whole body. With [`applied(false)`](Self::applied), the fault cuts
    /// the body `{"success":true}`.
    pub fn cut_body() -> Self {
        Self::new(FaultKind::Cut, true)
    }

    /// Creates a fault that responds with the status 200 and a body that is not JSON.
    pub fn garbage() -> Self {
        Self::new(FaultKind::Garbage, true)
    }

    /// Creates a fault that delays the normal response by `delay`, in real time.
    ///
    /// With [`applied(false)`](Self::applied), the server carries out the operation after the delay, if the client is
    /// still connected.
    pub fn delay(delay: Duration) -> Self {
        Self::new(FaultKind::Delay(delay), true)
    }

    /// Sets the number of requests that get the fault. Defaults to 1. With 0, no request gets the fault.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Sets whether the server carries out the operation before the fault. [`Fault`] lists the defaults.
    ///
    /// With `false`, the server does not carry out the operation. The exception is the fault [`delay`](Self::delay).
    pub fn applied(mut self, applied: bool) -> Self {
        self.applied = applied;
        self
    }

    /// Adds the header `Retry-After` to the response. `seconds`: the value of the header, in seconds. By default, the
    /// header is not sent. This method has no effect on a [`reset`](Self::reset).
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

    /// Replaces the answer by the answer of the fault. `body` is empty if the operation was not carried out.
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
