//! Deliveries over HTTP: checks a request, and returns the response.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest as _, Request},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tokio::time::timeout;
use tracing::{Instrument as _, Span, field::Empty};

use super::{header::SecretHeader, in_flight::InFlight, path::SecretPath};
use crate::{
    client::{bot::Bot, clock::millis, transport},
    redaction::without_strings,
    updates::{
        failed::Recovery,
        handler::{Handed, Handling, Outcome},
    },
};

/// Time limit for a body. A dead connection must not be kept forever.
const BODY_TIME: Duration = Duration::from_secs(30);

/// The receiving end of one webhook.
pub(super) struct Receiver<U> {
    pub(super) bot: Bot,
    pub(super) path: SecretPath,
    pub(super) secret: Option<SecretHeader>,
    pub(super) body_limit: usize,
    pub(super) handling: Handling<U>,
    pub(super) in_flight: InFlight,
}

impl<U> Clone for Receiver<U> {
    fn clone(&self) -> Self {
        Self {
            bot: self.bot.clone(),
            path: self.path.clone(),
            secret: self.secret.clone(),
            body_limit: self.body_limit,
            handling: self.handling.clone(),
            in_flight: self.in_flight.clone(),
        }
    }
}

impl<U: Handed> Receiver<U> {
    /// Answers a request to the webhook's route.
    pub(super) async fn receive(self, request: Request) -> Response {
        let has_secret = self.secret.as_ref().is_none_or(|secret| secret.is_in(request.headers()));
        let is_path = self.path.is(request.uri().path());
        if is_path && !has_secret {
            tracing::warn!(bot = self.bot.log_name(), "delivery without the secret");
        }
        if !is_path || !has_secret {
            // Exactly the response of axum to a path without a route.
            return StatusCode::NOT_FOUND.into_response();
        }
        let span = tracing::debug_span!(
            "tamtam.webhook",
            operation = "webhook",
            bot = self.bot.log_name(),
            update = Empty,
            bytes = Empty,
            status = Empty,
            elapsed_ms = Empty,
        );
        let clock = self.bot.transport().clock.clone();
        let started = clock.now();
        let status = self.deliver(request).instrument(span.clone()).await;
        let elapsed = clock.now().duration_since(started);
        span.record("status", status.as_u16());
        span.record("elapsed_ms", millis(elapsed));
        let mut response = status.into_response();
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }

    async fn deliver(self, request: Request) -> StatusCode {
        if request.method() != Method::POST {
            return StatusCode::METHOD_NOT_ALLOWED;
        }
        let body = match read(request, self.body_limit).await {
            Ok(body) => body,
            Err(status) => {
                tracing::debug!("body rejected");
                return status;
            }
        };
        Span::current().record("bytes", body.len());
        let Self { bot, handling, in_flight, .. } = self;
        in_flight.answer(body, |body| async move { handle(&bot, &handling, body).await }).await
    }
}

/// Reads the complete body.
async fn read(mut request: Request, limit: usize) -> Result<Bytes, StatusCode> {
    DefaultBodyLimit::max(limit).apply(&mut request);
    match timeout(BODY_TIME, Bytes::from_request(request, &())).await {
        Ok(body) => body.map_err(|rejection| rejection.status()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Passes an update to the handler, and returns the status of the response.
async fn handle<U: Handed>(bot: &Bot, handling: &Handling<U>, body: Bytes) -> StatusCode {
    match update::<U>(&body) {
        Ok(update) => {
            Span::current().record("update", update.update().tag());
            match handling.handle(bot, Box::new(update), 1).await {
                Outcome::Handled | Outcome::Skipped | Outcome::Undecided(_) => StatusCode::OK,
                Outcome::Again(..) => StatusCode::SERVICE_UNAVAILABLE,
            }
        }
        Err(problem) => match handling.not_an_update(bot, body, &problem).await {
            Recovery::Skip | Recovery::DeadLetter => StatusCode::OK,
            Recovery::Retry => StatusCode::SERVICE_UNAVAILABLE,
        },
    }
}

/// Reads the update in a body, known or not. The error says why the body is not an update, and quotes no string of it.
fn update<U: Handed>(body: &[u8]) -> Result<U, String> {
    let text = transport::text(body);
    let text = text.trim_start_matches('\u{feff}').trim_ascii();
    if !text.starts_with('{') {
        return Err("not a JSON object".to_owned());
    }
    U::read(text).map_err(|error| without_strings(&error.to_string()).into_owned())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tokio::time::Instant;

    use super::*;
    use crate::api::types::Update;

    /// A body that never yields data.
    struct Silence;

    impl futures_core::Stream for Silence {
        type Item = Result<Bytes, std::io::Error>;

        fn poll_next(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Self::Item>> {
            std::task::Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_arrive_times_out() {
        let started = Instant::now();
        let status = read(Request::new(Body::from_stream(Silence)), 1024).await.unwrap_err();
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
        assert!(started.elapsed() >= BODY_TIME);
    }

    #[test]
    fn only_json_objects_are_updates() {
        for body in
            [r#"{"update_type":"bot_started"}"#, r#" {"update_type":"moon_risen"}"#, "{}\n", "{\"a\":\"\u{e9}\"}"]
        {
            assert!(update::<Update>(body.as_bytes()).is_ok(), "{body}");
        }
        assert!(update::<Update>(b"{\"a\":\"\xd0\"}").is_ok(), "a byte that is not UTF-8");
        for body in
            ["", " ", "5", "null", "[]", r#"[{"update_type":"bot_started"}]"#, r#"{"update_type":"#, "{}{}", "<html>"]
        {
            assert!(update::<Update>(body.as_bytes()).is_err(), "{body}");
        }
    }
}
