//! Failed polls, on real sockets: the stream retries temporary failures, and ends with permanent ones.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tamtam::{Bot, ErrorCode, ErrorKind, Update, updates::StartFrom};
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;
use wiremock::{Mock, ResponseTemplate, matchers::path};

use super::MOMENT;
use crate::{
    common::{bot_at, mock_server, refusing},
    fault_server::{BY_API, BY_PROXY, FaultServer, Step},
    traced::Traced,
};

/// Returns a bot with short timeouts, and the failures that its `on_retry` hook receives.
fn telling(server: &FaultServer) -> (Bot, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = Arc::clone(&told);
    let hook = move |retry: &tamtam::settings::Retry<'_>| tells.lock().unwrap().push(retry.error().to_string());
    let margin = Duration::from_millis(100);
    (server.builder().poll_margin(margin).on_retry(hook).build().unwrap(), told)
}

/// Returns the first lines of the requests of a server.
fn polls(server: &FaultServer) -> Vec<String> {
    let line = |request: String| request.lines().next().unwrap_or_default().to_owned();
    server.requests().into_iter().map(line).collect()
}

#[tokio::test]
async fn temporary_failures_are_retried_inside_the_stream() {
    for (step, words) in [
        (Step::ResetBeforeReading, "getUpdates: the connection broke: "),
        (Step::ResetAfterReading, "getUpdates: the connection broke: "),
        (Step::Silence, "getUpdates: no response in time"),
        (Step::CutBody, "getUpdates: 200 OK, but the response body is incomplete: "),
        (Step::CutBodyOfUnknownLength, "getUpdates: the response does not fit the API document: "),
        (Step::StalledBody, "getUpdates: 200 OK, but the response body is incomplete: "),
        (Step::GarbageBody, "getUpdates: the response does not fit the API document: "),
        (Step::MisfitBody, "getUpdates: the response does not fit the API document: "),
        (Step::StalledErrorBody(502), "getUpdates: 502 Bad Gateway"),
        (Step::Status(403, BY_PROXY, None), "getUpdates: 403 Forbidden: <html>"),
        (Step::Status(401, "", None), "getUpdates: 401 Unauthorized"),
        (Step::Status(404, BY_PROXY, None), "getUpdates: 404 Not Found: <html>"),
        (Step::Status(408, BY_API, None), "getUpdates: 408 Request Timeout, some.code: some words"),
        (Step::Status(429, BY_API, None), "getUpdates: 429 Too Many Requests, some.code: some words"),
        (Step::Status(429, "", Some("0")), "getUpdates: 429 Too Many Requests"),
        (Step::Status(500, BY_API, None), "getUpdates: 500 Internal Server Error, some.code: some words"),
        (Step::Status(502, BY_PROXY, None), "getUpdates: 502 Bad Gateway: <html>"),
        (Step::Status(503, BY_API, None), "getUpdates: 503 Service Unavailable, some.code: some words"),
        (Step::Status(302, "", None), "getUpdates: 302 Found"),
    ] {
        let server = FaultServer::start([Step::Good, Step::Good, step, step, Step::Good]).await;
        let (bot, told) = telling(&server);
        let mut updates = bot.updates().timeout(Duration::ZERO).backoff(MOMENT, MOMENT);
        for _ in 0..2 {
            assert!(matches!(updates.try_next().await.unwrap(), Some(Update::BotStarted(_))), "{step:?}");
        }
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 2, "{step:?}: each failed poll must be reported once: {told:?}");
        assert!(told.iter().all(|told| told.starts_with(words)), "{step:?}: {told:?}");
        let polls = polls(&server);
        assert!(polls[0].starts_with("GET /subscriptions?"), "{polls:?}");
        assert!(!polls[1].contains("marker="), "{polls:?}");
        assert!(polls[2..].iter().all(|poll| poll.contains("marker=10")), "{step:?}: another marker: {polls:?}");
    }
}

#[tokio::test]
async fn a_permanent_error_of_the_api_ends_the_stream() {
    for (status, body) in
        [(401, r#"{"code":"verify.token","message":"Invalid access_token"}"#), (403, BY_API), (400, BY_API)]
    {
        let server = FaultServer::start([Step::Good, Step::Status(status, body, None)]).await;
        let (bot, told) = telling(&server);
        let mut updates = bot.updates().backoff(MOMENT, MOMENT);
        let error = updates.try_next().await.unwrap_err();
        assert_eq!(error.status().unwrap(), status);
        assert_eq!(error.is_unauthorized(), status == 401);
        assert!(updates.next().await.is_none(), "{status}: the stream has ended");
        assert!(told.lock().unwrap().is_empty());
        assert_eq!(server.requests().len(), 2, "{status}");
    }
}

#[tokio::test]
async fn an_unknown_method_ends_the_stream_only_after_repeated_answers() {
    let missing = Step::Status(404, r#"{"code":"method.not.found","message":"Path /updates is not recognized"}"#, None);
    for times in [1, 3] {
        let script = [vec![Step::Good], vec![missing; times], vec![Step::Good]].concat();
        let server = FaultServer::start(script).await;
        let (bot, told) = telling(&server);
        assert!(bot.updates().backoff(MOMENT, MOMENT).try_next().await.unwrap().is_some());
        assert_eq!(told.lock().unwrap().len(), times);
    }
    let server = FaultServer::start([Step::Good, missing]).await;
    let (bot, told) = telling(&server);
    let mut updates = bot.updates().backoff(MOMENT, MOMENT);
    let error = updates.try_next().await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.code()), (404, Some(&ErrorCode::MethodNotFound)));
    assert!(updates.next().await.is_none());
    assert_eq!((told.lock().unwrap().len(), server.requests().len()), (3, 5));
}

#[tokio::test]
async fn a_server_that_is_down_at_the_start_is_retried() {
    let (socket, url) = refusing();
    let (down, mut failures) = tokio::sync::mpsc::unbounded_channel();
    let bot = bot_at(url)
        .on_retry(move |retry| down.send(retry.error().kind() == ErrorKind::Connect).unwrap())
        .build()
        .unwrap();
    let first = tokio::spawn(async move { bot.updates().backoff(MOMENT, MOMENT).try_next().await });
    for _ in 0..3 {
        assert!(failures.recv().await.unwrap());
    }
    // Starts the server.
    let listener: TcpListener = socket.listen(8).unwrap();
    let server = FaultServer::on(listener, [Step::Good]);
    assert!(matches!(first.await.unwrap().unwrap(), Some(Update::BotStarted(_))));
    assert!(server.requests().len() >= 2);
}

#[tokio::test]
async fn a_connection_that_dies_silently_is_noticed() {
    // The server does not answer the first poll, but the second one.
    let server = FaultServer::start([Step::Good, Step::Silence, Step::Good]).await;
    let (bot, told) = telling(&server);
    let mut updates = bot.updates().timeout(Duration::ZERO).backoff(MOMENT, MOMENT);
    assert!(updates.try_next().await.unwrap().is_some());
    assert_eq!(*told.lock().unwrap(), ["getUpdates: no response in time"]);
}

#[tokio::test]
async fn a_failed_check_for_webhooks_is_retried() {
    let script = [Step::Status(403, BY_PROXY, None), Step::ResetAfterReading, Step::Good, Step::Good];
    let server = FaultServer::start(script).await;
    let (bot, told) = telling(&server);
    let mut updates = bot.updates().backoff(MOMENT, MOMENT).start_from(StartFrom::Backlog);
    assert!(updates.try_next().await.unwrap().is_some());
    let told = told.lock().unwrap();
    assert!(told.len() == 2 && told.iter().all(|told| told.starts_with("getSubscriptions: ")), "{told:?}");
}

#[tokio::test]
async fn a_poll_waits_for_retry_after() {
    // The server asks for a delay of an hour. The test only checks the announced delay.
    let server = mock_server().await;
    let storm = ResponseTemplate::new(429).insert_header("retry-after", "3600");
    Mock::given(path("/updates")).respond_with(storm).mount(&server).await;
    let none = ResponseTemplate::new(200).set_body_string(r#"{"subscriptions":[]}"#);
    Mock::given(path("/subscriptions")).respond_with(none).mount(&server).await;
    let (told, mut delays) = tokio::sync::mpsc::unbounded_channel();
    let bot = bot_at(server.uri()).on_retry(move |retry| told.send(retry.delay()).unwrap()).build().unwrap();
    let mut updates = bot.updates().backoff(MOMENT, MOMENT);
    tokio::select! {
        _ = updates.next() => panic!("the stream did not wait for an hour"),
        delay = delays.recv() => assert_eq!(delay, Some(Duration::from_secs(3600))),
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 2, "the subscriptions and one poll");
}

#[tokio::test]
async fn a_long_retry_after_is_logged_as_a_warning() {
    for (asked, is_long) in [("1000000000", true), ("61", true), ("60", false)] {
        let (traced, _guard) = Traced::start(LevelFilter::WARN);
        let server = FaultServer::start([Step::Good, Step::Status(429, BY_API, Some(asked))]).await;
        let (bot, told) = telling(&server);
        let mut updates = bot.updates();
        tokio::select! {
            next = updates.next() => panic!("{next:?}"),
            () = async { while told.lock().unwrap().is_empty() { tokio::task::yield_now().await } } => {}
        }
        let text = traced.text();
        assert_eq!(text.contains("long Retry-After"), is_long, "{asked}: {text}");
    }
}
