//! One way to the server for every call: token, version, timeouts, redaction and errors are dealt with here, once.

use std::{
    any::Any,
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
use reqwest::{ResponseBuilderExt, Url};
use serde::Deserialize;
use tokio::time::Instant;
use tracing::{Instrument, field::Empty};

use crate::{
    Bot, Error,
    api::Client,
    error::{Kind, Report},
    retry::{Class, Retry, RetryPolicy, Tries, Verdict, retry_after},
    token::Token,
};

/// The longest text of an answer that is not the API's which an error keeps, in bytes: enough to see whose page it is.
const MAX_ERROR_TEXT: usize = 2048;
/// How much of an error's body is read, in bytes. The API's own are far shorter; a page of a proxy's has no end to fear.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// An operation of the API, as the document has it.
#[derive(Debug)]
pub(crate) struct Operation {
    /// The document's `operationId`.
    pub(crate) id: &'static str,
    /// The path template.
    pub(crate) path: &'static str,
    /// The query parameter that says for how many seconds the server may hold its answer back, and its default.
    pub(crate) hold: Option<(&'static str, u64)>,
    /// What it does when it is carried out twice.
    pub(crate) class: Class,
}

/// What a caller sets for one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallOptions {
    /// Overrides the bot's timeout.
    pub(crate) timeout: Option<Duration>,
    /// The caller's word on whether twice is the same as once.
    pub(crate) idempotent: Option<bool>,
    /// Send it once, whatever happens.
    pub(crate) no_retry: bool,
}

/// Reads an answer; what comes out is known to whoever made the call.
pub(crate) type Decode = fn(&[u8]) -> serde_json::Result<Box<dyn Any + Send>>;

/// One call on its way through the generated client: what to do (in), and what became of it (out).
#[derive(Debug, Clone)]
pub(crate) struct Call {
    bot: Bot,
    operation: &'static Operation,
    options: CallOptions,
    decode: Decode,
    outcome: Arc<Mutex<Option<Outcome>>>,
}

/// The answer as [`Decode`] made it, or why there is none.
type Outcome = Result<Done<Box<dyn Any + Send>>, Error>;

impl Call {
    pub(crate) fn new(bot: Bot, operation: &'static Operation, options: CallOptions, decode: Decode) -> Self {
        Self { bot, operation, options, decode, outcome: Arc::default() }
    }

    /// What became of the call; `None` if the transport was not asked.
    pub(crate) fn take_outcome(&self) -> Option<Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl ClientHooks<Call> for Client {
    /// Sends what the generated code has made, its own way, and reads the answer. The outcome is put where
    /// [`Call::take_outcome`] finds it: `progenitor`'s errors could not carry it, and an answer is read once, inside the
    /// retries. What goes back to the generated code is of no meaning.
    async fn exec(&self, request: reqwest::Request, _: &OperationInfo) -> reqwest::Result<reqwest::Response> {
        let Call { bot, operation, options, decode, outcome } = self.inner();
        let transport = bot.transport();
        let hold = operation.hold.map(|(parameter, default)| held_for(request.url(), parameter, default));
        let outgoing = Outgoing {
            operation: Cow::Borrowed(operation.id),
            class: operation.class,
            method: request.method().clone(),
            url: request.url().clone(),
            body: request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice),
            hold,
            options: options.clone(),
        };
        let done = transport.execute(outgoing, |answer| decode(&answer.body)).await;
        *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        let nothing = http::Response::builder().url(bot.base_url().clone()).status(StatusCode::NO_CONTENT);
        Ok(nothing.body(Bytes::new()).unwrap_or_default().into())
    }
}

/// How long the server may hold its answer back, by the request's own query.
fn held_for(url: &Url, parameter: &str, default: u64) -> Duration {
    let given = url.query_pairs().find(|(name, _)| name == parameter).and_then(|(_, value)| value.parse().ok());
    Duration::from_secs(given.unwrap_or(default))
}

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
        decode: impl Fn(&Answer) -> serde_json::Result<T>,
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
        decode: impl Fn(&Answer) -> serde_json::Result<T>,
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
                decode(&answer)
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
        let headers = response.headers().clone();
        Err(self.refusal(status, &headers, &text_that_arrives(response).await))
    }

    /// A body that is not what it should be. serde's error quotes values of it, and such a value may be the token.
    fn unreadable(&self, status: StatusCode, source: serde_json::Error) -> Kind {
        let source = match self.token.redact(&source.to_string()) {
            Cow::Borrowed(_) => source,
            Cow::Owned(words) => serde::de::Error::custom(words),
        };
        Kind::Decode { status, source }
    }

    /// An error status, with the API's code and message, or the text of whoever answered instead of the API.
    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Kind {
        #[derive(Deserialize)]
        struct Body {
            code: Option<String>,
            message: Option<String>,
            error: Option<String>,
        }
        let redact = |text: &str| self.token.redact(text).into_owned();
        let (code, message) = match serde_json::from_slice::<Body>(body) {
            Ok(Body { code, message, error }) if code.is_some() || message.is_some() || error.is_some() => {
                (code, redact(&message.or(error).unwrap_or_default()))
            }
            // First hidden, then shortened: half a token would not be found.
            _ => (None, excerpt(&redact(&String::from_utf8_lossy(body)))),
        };
        let code = code.map(|code| redact(&code).as_str().into());
        Kind::Status { status, code, message, retry_after: retry_after(headers, SystemTime::now()) }
    }
}

/// The body of an error, as far as it arrives: the status is what counts, whether the text that explains it is whole
/// or not.
async fn text_that_arrives(mut response: reqwest::Response) -> Vec<u8> {
    let mut text = Vec::new();
    while text.len() < MAX_ERROR_BODY
        && let Ok(Some(chunk)) = response.chunk().await
    {
        text.extend_from_slice(&chunk);
    }
    text
}

/// The beginning of a text that is not the API's.
fn excerpt(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().find(|(index, c)| index + c.len_utf8() > MAX_ERROR_TEXT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// What a failure before the answer means. Its URL, which carries the token, goes.
fn failed(error: reqwest::Error) -> Kind {
    let source = error.without_url();
    match (source.is_connect(), source.is_timeout()) {
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
    fn a_poll_is_held_as_long_as_its_query_says() {
        let url = |query: &str| Url::parse(&format!("http://localhost/updates?{query}")).unwrap();
        assert_eq!(held_for(&url("limit=5&timeout=90"), "timeout", 30), Duration::from_secs(90));
        assert_eq!(held_for(&url("limit=5"), "timeout", 30), Duration::from_secs(30));
        let timeouts = Timeouts { request: Duration::from_secs(30), poll_margin: Duration::from_secs(15) };
        assert_eq!(timeouts.of(Some(Duration::from_secs(90))), Duration::from_secs(105));
        assert_eq!(timeouts.of(None), Duration::from_secs(30));
    }

    #[test]
    fn a_long_page_is_cut_at_a_character() {
        let page = "ы".repeat(MAX_ERROR_TEXT);
        let text = excerpt(&page);
        assert_eq!(text.len(), MAX_ERROR_TEXT + "...".len());
        assert_eq!(excerpt("  Bad Gateway\n"), "Bad Gateway");
    }
}
