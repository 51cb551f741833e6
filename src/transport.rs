//! One way to the server for every call: token, version, timeouts, redaction and errors are dealt with here, once.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use progenitor_client::{ClientHooks, ClientInfo, OperationInfo};
use reqwest::{ResponseBuilderExt, Url};
use serde::Deserialize;
use tracing::Instrument;

use crate::{Bot, Error, api::Client, error::Kind, token::Token};

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
}

/// What a caller sets for one call.
#[derive(Debug, Clone, Default)]
pub(crate) struct CallOptions {
    /// Overrides the bot's timeout.
    pub(crate) timeout: Option<Duration>,
}

/// One call on its way through the generated client: what to do (in), and how it failed (out).
#[derive(Debug, Clone)]
pub(crate) struct Call {
    bot: Bot,
    operation: &'static Operation,
    options: CallOptions,
    started: Instant,
    outcome: Arc<Mutex<Option<Result<StatusCode, Error>>>>,
}

impl Call {
    pub(crate) fn new(bot: Bot, operation: &'static Operation, options: CallOptions) -> Self {
        Self { bot, operation, options, started: Instant::now(), outcome: Arc::default() }
    }

    /// The status of the answer, or why there is none, as the transport saw it; `None` if it was not asked.
    pub(crate) fn take_outcome(&self) -> Option<Result<StatusCode, Error>> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// An error of this call that the transport did not see.
    pub(crate) fn error(&self, kind: Kind) -> Error {
        Error::new(kind).of(self.operation.id, 1, self.started.elapsed())
    }
}

impl ClientHooks<Call> for Client {
    /// Sends what the generated code has made, its own way. The outcome is put where [`Call::take_outcome`] finds it:
    /// neither `reqwest`'s error nor `progenitor`'s could carry it, and the generated code knows no success but 200.
    async fn exec(&self, request: reqwest::Request, _: &OperationInfo) -> reqwest::Result<reqwest::Response> {
        let call = self.inner();
        let transport = call.bot.transport();
        let hold = call.operation.hold.map(|(parameter, default)| held_for(request.url(), parameter, default));
        let timeout = call.options.timeout.unwrap_or_else(|| transport.timeouts.of(hold));
        let outgoing = Outgoing::of(request, timeout);
        let response = http::Response::builder().url(self.inner().bot.base_url().clone());
        let (outcome, response) = match transport.execute(Cow::Borrowed(call.operation.id), outgoing).await {
            Ok(answer) => (Ok(answer.status), response.status(StatusCode::OK).body(answer.body)),
            Err(error) => (Err(error), response.status(StatusCode::INTERNAL_SERVER_ERROR).body(Bytes::new())),
        };
        *call.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        Ok(response.unwrap_or_default().into())
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
    pub(crate) fn of(&self, hold: Option<Duration>) -> Duration {
        hold.map_or(self.request, |hold| hold.saturating_add(self.poll_margin))
    }
}

/// A request in parts, from which every attempt is made anew. It knows neither the token nor the version.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// A JSON body.
    pub(crate) body: Option<Bytes>,
    pub(crate) timeout: Duration,
}

impl Outgoing {
    /// Takes apart what the generated code has made; its headers are all ours to set.
    fn of(request: reqwest::Request, timeout: Duration) -> Self {
        let body = request.body().and_then(reqwest::Body::as_bytes).map(Bytes::copy_from_slice);
        Self { method: request.method().clone(), url: request.url().clone(), body, timeout }
    }
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

/// The connection to one API with one token.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    pub(crate) token: Token,
    pub(crate) version: String,
    pub(crate) timeouts: Timeouts,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("token", &self.token)
            .field("version", &self.version)
            .field("timeouts", &self.timeouts)
            .finish_non_exhaustive()
    }
}

impl Transport {
    /// Sends a request and returns its answer if that is a success. The one place where attempts are made.
    pub(crate) async fn execute(&self, operation: Cow<'static, str>, outgoing: Outgoing) -> Result<Answer, Error> {
        let started = Instant::now();
        let span = tracing::debug_span!("tamtam", operation = operation.as_ref());
        let result = async {
            let result = self.attempt(&outgoing).await;
            let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            match &result {
                Ok(answer) => tracing::debug!(status = answer.status.as_u16(), elapsed_ms, "answered"),
                Err(kind) => tracing::debug!(elapsed_ms, error = %kind, "failed"),
            }
            result
        }
        .instrument(span)
        .await;
        result.map_err(|kind| Error::new(kind).of(operation, 1, started.elapsed()))
    }

    async fn attempt(&self, outgoing: &Outgoing) -> Result<Answer, Kind> {
        let mut url = outgoing.url.clone();
        url.query_pairs_mut().append_pair("v", &self.version).append_pair("access_token", self.token.expose());
        let mut request = self
            .http
            .request(outgoing.method.clone(), url)
            .header(header::ACCEPT, HeaderValue::from_static("application/json"))
            .timeout(outgoing.timeout);
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
            return Ok(Answer { status, body: response.bytes().await.map_err(failed)? });
        }
        let headers = response.headers().clone();
        Err(self.refusal(status, &headers, &text_that_arrives(response).await))
    }

    /// A body that is not what it should be. serde's error quotes values of it, and such a value may be the token.
    pub(crate) fn unreadable(&self, status: StatusCode, source: serde_json::Error) -> Kind {
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
                (code.or_else(|| error.clone()), redact(&message.or(error).unwrap_or_default()))
            }
            // First hidden, then shortened: half a token would not be found.
            _ => (None, excerpt(&redact(&String::from_utf8_lossy(body)))),
        };
        Kind::Status { status, code: code.as_deref().map(redact), message, retry_after: retry_after(headers) }
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

/// `Retry-After` in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// What a failure of the HTTP client means. Its URL, which carries the token, goes.
fn failed(error: reqwest::Error) -> Kind {
    let source = error.without_url();
    if source.is_connect() && !source.is_timeout() {
        Kind::Connect { source }
    } else if source.is_timeout() {
        Kind::Timeout { sent: !source.is_connect(), source }
    } else {
        Kind::Io { source }
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
