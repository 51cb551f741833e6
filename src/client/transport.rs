//! The transport of every call: token, version, timeouts, limits, retries and redaction.

pub(crate) mod body;
pub(crate) mod error_response;
pub(crate) mod operation;
mod send_error;

use std::{
    borrow::Cow,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use tokio::time::Instant;
use tracing::{Instrument, Span, field::Empty};

pub(crate) use body::SizeLimits;
pub(crate) use operation::{CallOptions, Operation, Outgoing};
pub(crate) use send_error::failed;

use crate::{
    client::{
        clock::{Clock, millis},
        pace::{Gate, Passage},
        retry::{Retry, RetryPolicy, Tries, Verdict, retry_after},
        token::Token,
    },
    error::{Error, Failure, Reason, Refusal, Report},
    redaction::{Secret, Secrets, without_strings},
    service::{ApiVersion, Service, TokenPlace},
};

/// A longer `Retry-After` is logged as a warning.
const LONG_PAUSE: Duration = Duration::from_secs(60);

/// The time limits of requests and polls.
#[derive(Debug, Clone)]
pub(crate) struct Timeouts {
    /// The time limit of a request, from sending it to the end of the response.
    pub(crate) request: Duration,
    /// The time to wait for a poll, in addition to the time that the server holds it.
    pub(crate) poll_margin: Duration,
}

impl Timeouts {
    /// Returns the time limit of a request. A poll with zero hold and zero margin uses `request`: zero would always
    /// fail.
    fn of(&self, hold: Option<Duration>) -> Duration {
        let poll = hold.map(|hold| hold.saturating_add(self.poll_margin));
        poll.filter(|timeout| !timeout.is_zero()).unwrap_or(self.request)
    }
}

/// A response with a success status.
#[derive(Debug)]
struct Success {
    status: StatusCode,
    body: Bytes,
}

/// The reason why the body of a success could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The body is not JSON, or does not fit the type.
    Misfit(serde_json::Error),
    /// The server refused the request (`success: false`).
    Refused(Refusal),
}

impl From<serde_json::Error> for Unread {
    fn from(error: serde_json::Error) -> Self {
        Self::Misfit(error)
    }
}

/// A hook that is called before each retry.
pub(crate) type RetryHook = Arc<dyn Fn(&Retry<'_>) + Send + Sync>;

/// The connection to one API with one token.
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    pub(crate) token: Token,
    /// The header with the token. `None` if the service expects the token in the query.
    pub(crate) token_header: Option<(HeaderName, HeaderValue)>,
    /// The path of the base URL, which may be secret.
    pub(crate) base_path: Option<Secret>,
    pub(crate) service: Service,
    /// The version of the API. `None` if the service has no versions.
    pub(crate) version: Option<ApiVersion>,
    pub(crate) timeouts: Timeouts,
    pub(crate) size_limits: SizeLimits,
    pub(crate) retry: RetryPolicy,
    pub(crate) on_retry: Option<RetryHook>,
    /// The gate that delays requests to the pace of the bot.
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("token", &self.token)
            .field("service", &self.service)
            .field("version", &self.version)
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

impl Transport {
    /// Sends a request, retries it by the policy, and reads the response with `decode`. Polls and uploads have their
    /// own retry rules.
    pub(crate) async fn execute<T>(
        &self,
        outgoing: &Outgoing,
        decode: impl Fn(&Bytes) -> Result<T, Unread>,
    ) -> Result<T, Error> {
        let span = tracing::info_span!(
            "tamtam.call",
            operation = outgoing.operation.as_ref(),
            attempts = Empty,
            status = Empty,
            elapsed_ms = Empty,
            paced_ms = Empty,
        );
        let mut call = Call::new(self, outgoing, span.clone());
        let attempts = async {
            loop {
                let passage = call.begin().await;
                let attempt = call.attempt().await;
                drop(passage);
                let kind = match attempt {
                    Ok(Success { status, body }) => match decode(&body) {
                        Ok(value) => return Ok((value, status)),
                        Err(unread) => self.unread(status, unread, outgoing),
                    },
                    Err(kind) => kind,
                };
                call.failed(kind).await?;
            }
        };
        let result: Result<_, Error> = attempts.instrument(span.clone()).await;
        let (report, status) = match &result {
            Ok((_, status)) => (call.report(), Some(*status)),
            Err(error) => (*error.report(), error.status()),
        };
        span.record("attempts", report.attempts);
        span.record("elapsed_ms", millis(report.elapsed));
        if let Some(status) = status {
            span.record("status", status.as_u16());
        }
        result.map(|(value, _)| value)
    }

    fn unread(&self, status: StatusCode, unread: Unread, outgoing: &Outgoing) -> Reason {
        let secrets = self.secrets(outgoing);
        match unread {
            Unread::Misfit(source) => unreadable(status, source, &secrets),
            Unread::Refused(Refusal { code, message }) => {
                let clean = |words: &str| secrets.clean(words).into_owned();
                Reason::Refused(Refusal::new(
                    code.map(|code| clean(code.as_str())),
                    message.map(|message| clean(&message)),
                ))
            }
        }
    }

    /// Calls the `on_retry` hook, then waits. Used by polls, uploads and calls. After a 429, calls wait at the gate
    /// instead.
    pub(crate) async fn wait_to_retry(&self, error: &Error, delay: Duration) {
        self.tell_retry(error, delay);
        self.clock.sleep(delay).await;
    }

    /// Calls the `on_retry` hook. A panic of the hook is logged, and does not affect the call.
    fn tell_retry(&self, error: &Error, delay: Duration) {
        if error.retry_after().is_some_and(|asked| asked > LONG_PAUSE) {
            tracing::warn!(delay_ms = millis(delay), "long Retry-After");
        }
        if let Some(hook) = &self.on_retry {
            let told = catch_unwind(AssertUnwindSafe(|| hook(&Retry::new(error, delay))));
            if told.is_err() {
                tracing::error!("on_retry panicked");
            }
        }
    }

    /// Returns the secrets of a call. Needed only if the call fails.
    fn secrets<'a>(&'a self, outgoing: &'a Outgoing) -> Secrets<'a> {
        self.own_secrets().and(outgoing.options.secret.as_ref()).and_in_json(outgoing.body.as_deref())
    }

    /// Returns the secrets of the bot.
    pub(crate) fn own_secrets(&self) -> Secrets<'_> {
        Secrets::of(self.token.secret()).and(self.base_path.as_ref())
    }
}

/// A running call: its request and the state of its attempts.
struct Call<'a> {
    transport: &'a Transport,
    outgoing: &'a Outgoing,
    span: Span,
    started: Instant,
    /// The time at which the current attempt was sent.
    sent: Instant,
    /// The time that the call has waited for the pace of the bot.
    paced: Duration,
    /// The duration of the pause, if the current attempt was answered with a 429.
    pause: Option<Duration>,
    attempts: u32,
    tries: Tries,
}

impl<'a> Call<'a> {
    fn new(transport: &'a Transport, outgoing: &'a Outgoing, span: Span) -> Self {
        let policy = if outgoing.options.no_retry { RetryPolicy::none() } else { transport.retry.clone() };
        let tries = Tries::new(policy, outgoing.class, outgoing.options.idempotent);
        let started = transport.clock.now();
        let (sent, paced) = (started, Duration::ZERO);
        Self { transport, outgoing, span, started, sent, paced, pause: None, attempts: 0, tries }
    }

    /// Waits until the next attempt may be sent.
    async fn begin(&mut self) -> Passage<'a> {
        let passage = self.transport.gate.pass(self.outgoing.pace_key, self.outgoing.priority).await;
        if !passage.waited.is_zero() {
            self.paced += passage.waited;
            // Recorded early, because the call may be dropped before its end.
            self.span.record("paced_ms", millis(self.paced));
        }
        self.sent = self.transport.clock.now();
        passage
    }

    /// Sends the request once. A 429 pauses all requests of the bot as soon as its status is received.
    async fn attempt(&mut self) -> Result<Success, Reason> {
        let Self { transport, outgoing, .. } = *self;
        let mut url = outgoing.url.clone();
        if let (Some((parameter, _)), Some(version)) = (transport.service.version, &transport.version) {
            url.query_pairs_mut().append_pair(parameter, version.as_str());
        }
        if let TokenPlace::Query(parameter) = &transport.service.token_place {
            url.query_pairs_mut().append_pair(parameter, transport.token.expose());
        }
        // Without `RequestBuilder`, because each of its methods moves the builder.
        let mut request = reqwest::Request::new(outgoing.method.clone(), url);
        *request.timeout_mut() = Some(outgoing.options.timeout.unwrap_or_else(|| transport.timeouts.of(outgoing.hold)));
        let headers = request.headers_mut();
        if let Some((name, value)) = &transport.token_header {
            headers.insert(name, value.clone());
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(body) = &outgoing.body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.clone().into());
        } else if matches!(outgoing.method, Method::POST | Method::PUT | Method::PATCH) {
            // Some servers answer 411 if a request without a body has no `Content-Length` (RFC 9110, 8.6).
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let response = transport.http.execute(request).await.map_err(|error| failed(error, outgoing.body.is_some()))?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            self.pause = Some(self.pause(retry_after(response.headers(), SystemTime::now())));
        }
        if status.is_success() {
            let limit =
                if outgoing.hold.is_some() { transport.size_limits.page } else { transport.size_limits.response };
            return Ok(Success { status, body: body::read(response, limit).await? });
        }
        Err(error_response::read(response, &transport.secrets(outgoing)).await)
    }

    /// Pauses all requests of the bot. Returns the duration of the pause.
    fn pause(&self, asked: Option<Duration>) -> Duration {
        let Transport { gate, retry, clock, .. } = self.transport;
        gate.pause(self.sent, asked, retry.backoff_of_pauses(), clock.chance())
    }

    /// Returns the report of the attempts, including the current one.
    fn report(&self) -> Report {
        Report {
            attempts: self.attempts + 1,
            elapsed: self.transport.clock.now().duration_since(self.started),
            ambiguous: self.tries.ambiguous(),
            may_be_gone: self.tries.may_be_gone(),
        }
    }

    /// Waits for the next attempt. Returns the error if there is no further attempt.
    async fn failed(&mut self, kind: Reason) -> Result<(), Error> {
        let (failure, chance) = (kind.failure(), self.transport.clock.chance());
        let verdict = if failure == Failure::RateLimited {
            // A refusal with a success status is detected only after the body is read.
            let pause = self.pause.take().unwrap_or_else(|| self.pause(kind.retry_after()));
            self.tries.after_pause(pause)
        } else {
            // The waits for the pace are not part of the budget.
            let spent = self.report().elapsed.saturating_sub(self.paced);
            self.tries.after(failure, spent, kind.retry_after(), chance)
        };
        let error = Error::new(kind).of(self.outgoing.operation.clone(), self.report());
        self.attempts += 1;
        let attempts = self.attempts;
        // Without the text of the server, which may quote the request.
        let (status, code) = (error.status().map(|status| status.as_u16()), error.code().map(ToString::to_string));
        let (operation, reason) = (error.operation(), error.reason_unquoted());
        let Verdict::Again(delay) = verdict else {
            tracing::debug!(operation, attempts, ?failure, status, code, error = reason, "call failed");
            return Err(error);
        };
        let delay_ms = millis(delay);
        tracing::warn!(operation, attempt = attempts, ?failure, status, code, error = reason, delay_ms, "retrying");
        if failure == Failure::RateLimited {
            // The gate delays this call and all others.
            self.transport.tell_retry(&error, delay);
        } else {
            self.transport.wait_to_retry(&error, delay).await;
        }
        Ok(())
    }
}

/// Returns a body as text. Invalid UTF-8 is replaced.
pub(crate) fn text(body: &[u8]) -> Cow<'_, str> {
    // The lossy conversion is slow, also for valid UTF-8.
    simdutf8::basic::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

/// Creates an error without the strings that serde quotes from the body. A string may be secret or very long.
pub(crate) fn unreadable(status: StatusCode, source: serde_json::Error, secrets: &Secrets<'_>) -> Reason {
    let words = source.to_string();
    let source = match secrets.clean(&without_strings(&words)) {
        clean if clean == words => source,
        clean => serde::de::Error::custom(clean),
    };
    Reason::Decode { status, source }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

    use super::*;
    use crate::client::{clock::Manual, pace::Priority, retry::Class};
    use crate::service::Pace;

    #[test]
    fn the_time_limit_of_a_poll_is_its_hold_plus_a_margin() {
        let timeouts = Timeouts { request: Duration::from_secs(30), poll_margin: Duration::from_secs(15) };
        assert_eq!(timeouts.of(Some(Duration::from_secs(90))), Duration::from_secs(105));
        let without_margin = Timeouts { poll_margin: Duration::ZERO, ..timeouts.clone() };
        assert_eq!(without_margin.of(Some(Duration::ZERO)), Duration::from_secs(30));
        assert_eq!(timeouts.of(None), Duration::from_secs(30));
    }

    /// Returns a transport with a manual clock, and a server that sends these responses in order.
    async fn transport(chance: f64, answers: Vec<ResponseTemplate>) -> (MockServer, Transport, Arc<Manual>, Outgoing) {
        let server = MockServer::builder().start().await;
        let next = AtomicUsize::new(0);
        let answer = move |_: &wiremock::Request| answers[next.fetch_add(1, Ordering::SeqCst)].clone();
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let clock = Arc::new(Manual::new(chance));
        let transport = Transport {
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            token: Token::new("token".to_owned()),
            base_path: None,
            token_header: None,
            service: Service::TamTam,
            version: Some("1".into()),
            timeouts: Timeouts { request: Duration::from_secs(30), poll_margin: Duration::from_secs(15) },
            size_limits: SizeLimits::default(),
            retry: RetryPolicy::default(),
            on_retry: None,
            gate: Arc::new(Gate::new(Pace::none(), Arc::clone(&clock) as _)),
            clock: Arc::clone(&clock) as _,
        };
        let outgoing = Outgoing {
            operation: "sendMessage".into(),
            class: Class::Act,
            method: Method::POST,
            url: server.uri().parse().unwrap(),
            body: None,
            hold: None,
            pace_key: None,
            priority: Priority::Normal,
            options: CallOptions::default(),
        };
        (server, transport, clock, outgoing)
    }

    fn read(body: &Bytes) -> Result<u32, Unread> {
        Ok(serde_json::from_str(&text(body))?)
    }

    fn slow_down(seconds: &str) -> ResponseTemplate {
        ResponseTemplate::new(429).insert_header("retry-after", seconds)
    }

    #[tokio::test]
    async fn waits_as_long_as_the_server_asks() {
        let answers = vec![slow_down("7"), slow_down("11"), ResponseTemplate::new(200).set_body_string("5")];
        let (_server, transport, clock, outgoing) = transport(0.5, answers).await;
        assert_eq!(transport.execute(&outgoing, read).await.unwrap(), 5);
        assert_eq!(clock.waits(), [Duration::from_secs(7), Duration::from_secs(11)]);
    }

    #[tokio::test]
    async fn backs_off_with_jitter_without_a_retry_after() {
        let answers = vec![ResponseTemplate::new(429), ResponseTemplate::new(429), ResponseTemplate::new(429)];
        let (_server, transport, clock, outgoing) = transport(0.5, answers).await;
        let error = transport.execute(&outgoing, read).await.unwrap_err();
        assert_eq!(clock.waits(), [Duration::from_millis(250), Duration::from_millis(500)]);
        assert_eq!((error.attempts(), error.elapsed()), (3, Duration::from_millis(750)));
    }

    #[tokio::test]
    async fn a_pause_after_a_429_is_not_part_of_the_budget() {
        let answers = vec![slow_down("40"), slow_down("50"), ResponseTemplate::new(200).set_body_string("5")];
        let (_server, transport, clock, outgoing) = transport(1.0, answers).await;
        assert_eq!(transport.execute(&outgoing, read).await.unwrap(), 5);
        assert_eq!(clock.waits(), [Duration::from_secs(40), Duration::from_secs(50)]);
    }

    #[tokio::test]
    async fn after_a_429_other_calls_wait_too() {
        let answers = vec![slow_down("40"), ResponseTemplate::new(200).set_body_string("5")];
        let (_server, transport, clock, mut outgoing) = transport(1.0, answers).await;
        outgoing.options.no_retry = true;
        assert!(transport.execute(&outgoing, read).await.unwrap_err().is_rate_limited());
        assert_eq!(clock.waits(), []);
        assert_eq!(transport.execute(&outgoing, read).await.unwrap(), 5);
        assert_eq!(clock.waits(), [Duration::from_secs(40)]);
    }

    #[tokio::test]
    async fn fails_if_the_next_delay_exceeds_the_budget() {
        let busy = |seconds: &str| {
            let body = serde_json::json!({"code": "service.unavailable", "message": ""});
            ResponseTemplate::new(503).insert_header("retry-after", seconds).set_body_json(body)
        };
        let (_server, transport, clock, outgoing) = transport(1.0, vec![busy("20"), busy("11")]).await;
        let error = transport.execute(&outgoing, read).await.unwrap_err();
        assert_eq!(clock.waits(), [Duration::from_secs(20)]);
        assert_eq!((error.attempts(), error.retry_after()), (2, Some(Duration::from_secs(11))));
    }

    #[tokio::test]
    async fn waits_until_an_attachment_is_ready() {
        let mut answers = vec![
            ResponseTemplate::new(400)
                .set_body_json(serde_json::json!({"code": "attachment.not.ready", "message": ""}));
            7
        ];
        answers.push(ResponseTemplate::new(200).set_body_string("5"));
        let (_server, transport, clock, outgoing) = transport(0.0, answers).await;
        assert_eq!(transport.execute(&outgoing, read).await.unwrap(), 5);
        assert_eq!(
            clock.waits().iter().map(Duration::as_millis).collect::<Vec<_>>(),
            [500, 1000, 2000, 4000, 8000, 8000, 8000]
        );
    }
}
