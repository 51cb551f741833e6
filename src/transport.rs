//! One way to the server for every call: token, version, timeouts, redaction and errors are dealt with here, once.

mod call;
pub(crate) mod refusal;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use reqwest::Url;
use tokio::time::Instant;
use tracing::{Instrument, field::Empty};

pub(crate) use call::{Call, CallOptions, Decode, Operation};

use crate::{
    Error,
    error::{Kind, Report},
    retry::{Class, Retry, RetryPolicy, Tries, Verdict},
    token::Token,
};

/// How long to wait for what.
#[derive(Debug, Clone)]
pub(crate) struct Timeouts {
    /// From sending a request to the end of its answer.
    pub(crate) request: Duration,
    /// The same beyond the time for which the server holds a poll.
    pub(crate) poll_margin: Duration,
}

impl Timeouts {
    fn of(&self, hold: Option<Duration>) -> Duration {
        hold.map_or(self.request, |hold| hold.saturating_add(self.poll_margin))
    }
}

/// A request in parts, from which every attempt is made anew. It knows neither the token nor the version.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// Its name in errors and logs.
    pub(crate) operation: Cow<'static, str>,
    pub(crate) class: Class,
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// A JSON body.
    pub(crate) body: Option<Bytes>,
    /// For how long the server may hold its answer back.
    pub(crate) hold: Option<Duration>,
    pub(crate) options: CallOptions,
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// What a call came to.
#[derive(Debug)]
pub(crate) struct Done<T> {
    pub(crate) value: T,
    pub(crate) report: Report,
}

/// Told of every retry.
pub(crate) type RetryHook = Arc<dyn Fn(&Retry<'_>) + Send + Sync>;

/// The connection to one API with one token.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    pub(crate) token: Token,
    pub(crate) version: String,
    pub(crate) timeouts: Timeouts,
    pub(crate) retry: RetryPolicy,
    pub(crate) on_retry: Option<RetryHook>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("token", &self.token)
            .field("version", &self.version)
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl Transport {
    /// Sends a request, as often as its policy allows and its failures ask for, and reads the answer. The one place
    /// where attempts are made.
    pub(crate) async fn execute<T>(
        &self,
        outgoing: Outgoing,
        decode: impl Fn(&str) -> serde_json::Result<T>,
    ) -> Result<Done<T>, Error> {
        let span = tracing::info_span!(
            "tamtam",
            operation = outgoing.operation.as_ref(),
            attempts = Empty,
            status = Empty,
            elapsed_ms = Empty,
        );
        let result = self.attempts(&outgoing, decode).instrument(span.clone()).await;
        let (report, status) = match &result {
            Ok((done, status)) => (&done.report, Some(*status)),
            Err(error) => (error.report(), error.status()),
        };
        span.record("attempts", report.attempts);
        span.record("elapsed_ms", u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX));
        if let Some(status) = status {
            span.record("status", status.as_u16());
        }
        result.map(|(done, _)| done)
    }

    async fn attempts<T>(
        &self,
        outgoing: &Outgoing,
        decode: impl Fn(&str) -> serde_json::Result<T>,
    ) -> Result<(Done<T>, StatusCode), Error> {
        let started = Instant::now();
        let policy = if outgoing.options.no_retry { RetryPolicy::none() } else { self.retry.clone() };
        let mut tries = Tries::new(policy, outgoing.class, outgoing.options.idempotent);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let report = |tries: &Tries| Report {
                attempts,
                elapsed: started.elapsed(),
                ambiguous: tries.ambiguous(),
                may_be_gone: tries.may_be_gone(),
            };
            let read = |answer: Answer| {
                // A byte that is not UTF-8 costs the character that it is in, not the whole answer.
                decode(&String::from_utf8_lossy(&answer.body))
                    .map(|value| (value, answer.status))
                    .map_err(|source| self.unreadable(answer.status, source))
            };
            let kind = match self.attempt(outgoing).await.and_then(read) {
                Ok((value, status)) => return Ok((Done { value, report: report(&tries) }, status)),
                Err(kind) => kind,
            };
            let verdict = tries.after(kind.failure(), started.elapsed(), kind.retry_after(), fastrand::f64());
            let (failure, error) = (kind.failure(), Error::new(kind).of(outgoing.operation.clone(), report(&tries)));
            // The server's words may quote what was sent, so they are for the error only.
            let (status, code) = (error.status().map(|status| status.as_u16()), error.code().map(ToString::to_string));
            let Verdict::Again(delay) = verdict else {
                tracing::debug!(attempts, ?failure, status, code, "failed");
                return Err(error);
            };
            tracing::warn!(attempt = attempts, ?failure, status, code, delay_ms = delay.as_millis(), "trying again");
            if let Some(hook) = &self.on_retry {
                hook(&Retry::new(&error, delay));
            }
            tokio::time::sleep(delay).await;
        }
    }

    async fn attempt(&self, outgoing: &Outgoing) -> Result<Answer, Kind> {
        let mut url = outgoing.url.clone();
        url.query_pairs_mut().append_pair("v", &self.version).append_pair("access_token", self.token.expose());
        let mut request = self
            .http
            .request(outgoing.method.clone(), url)
            .header(header::ACCEPT, HeaderValue::from_static("application/json"))
            .timeout(outgoing.options.timeout.unwrap_or_else(|| self.timeouts.of(outgoing.hold)));
        if let Some(body) = &outgoing.body {
            request =
                request.header(header::CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.clone());
        } else if matches!(outgoing.method, Method::POST | Method::PUT | Method::PATCH) {
            // Some servers answer 411 when such a request does not say that it has no body (RFC 9110, 8.6).
            request = request.header(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let response = request.send().await.map_err(failed)?;
        let status = response.status();
        if status.is_success() {
            let body = response.bytes().await.map_err(|error| Kind::Cut { status, source: error.without_url() })?;
            return Ok(Answer { status, body });
        }
        Err(refusal::read(response, &self.token).await)
    }

    /// A body that is not what it should be. serde's error quotes values of it, and such a value may be the token.
    pub(crate) fn unreadable(&self, status: StatusCode, source: serde_json::Error) -> Kind {
        let source = match self.token.redact(&source.to_string()) {
            Cow::Borrowed(_) => source,
            Cow::Owned(words) => serde::de::Error::custom(words),
        };
        Kind::Decode { status, source }
    }
}

/// What a failure before the answer means. Its URL, which carries the token, goes.
pub(crate) fn failed(error: reqwest::Error) -> Kind {
    let source = error.without_url();
    match (source.is_connect(), source.is_timeout()) {
        _ if source.is_builder() => Kind::Unmade { source },
        (true, true) => Kind::ConnectTimeout { source },
        (true, false) => Kind::Connect { source },
        (false, true) => Kind::Timeout { source },
        (false, false) => Kind::Io { source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_takes_as_long_as_it_is_held_and_a_margin() {
        let timeouts = Timeouts { request: Duration::from_secs(30), poll_margin: Duration::from_secs(15) };
        assert_eq!(timeouts.of(Some(Duration::from_secs(90))), Duration::from_secs(105));
        assert_eq!(timeouts.of(None), Duration::from_secs(30));
    }
}
