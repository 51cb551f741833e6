//! Log events: the bot, the update and the reason. They are tested as JSON, with the types that a log server receives.

use std::{io, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tamtam::{
    Bot, BotBuilder, ChatId,
    updates::{MarkerKey, MarkerStore, Recovery, Run, Updates},
    webhook::Webhook,
};
use tokio::sync::Notify;
use tracing::level_filters::LevelFilter;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

use crate::{
    common::{bot_at, bot_info, mock_server, refusing},
    fault_server::{BY_API, BY_PROXY, FaultServer, Step, quick},
    traced::Traced,
    updates::{MOMENT, page},
};

/// A store that fails to save, and fails to load unless `loads` is set.
struct Failing {
    loads: bool,
}

impl MarkerStore for Failing {
    type Error = io::Error;

    async fn load(&self, _: &MarkerKey) -> io::Result<Option<i64>> {
        if self.loads { Ok(None) } else { Err(io::Error::other("the disk is gone")) }
    }

    async fn save(&self, _: &MarkerKey, _: i64) -> io::Result<()> {
        Err(io::Error::other("the disk is full"))
    }
}

/// Starts a server with a list of answers for each of these paths. The last answer is repeated.
async fn serving(answers: &[(&str, &[(u16, Value)])]) -> MockServer {
    let server = mock_server().await;
    let defaults = [("/subscriptions", json!({"subscriptions": []})), ("/me", bot_info()), ("/updates", page(&[], 1))];
    for (path, body) in defaults {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(wiremock::matchers::path(path)).respond_with(answer).with_priority(200).mount(&server).await;
    }
    for (path, answers) in answers {
        for (number, (status, body)) in answers.iter().enumerate() {
            let answer = ResponseTemplate::new(*status).set_body_json(body);
            let mock = Mock::given(method("GET")).and(wiremock::matchers::path(*path)).respond_with(answer);
            let is_last = number + 1 == answers.len();
            let mock = if is_last { mock } else { mock.up_to_n_times(1) };
            mock.with_priority(number as u8 + 1).mount(&server).await;
        }
    }
    server
}

fn named(server: &MockServer) -> BotBuilder {
    bot_at(server.uri()).log_name("weather")
}

/// Requests up to `times` updates. Stops at the first error.
async fn ask(updates: Updates, times: usize) {
    let mut updates = updates.backoff(MOMENT, MOMENT);
    for _ in 0..times {
        if updates.next().await.is_none_or(|update| update.is_err()) {
            return;
        }
    }
}

/// Returns the only event with this message.
fn only(traced: &Traced, words: &str) -> Value {
    let events = traced.events();
    let mut found = events.iter().filter(|event| event["fields"]["message"] == words);
    let (Some(event), None) = (found.next(), found.next()) else { panic!("{words}: {events:#?}") };
    event.clone()
}

/// Returns the span of this name that an event is in.
fn span<'a>(event: &'a Value, name: &str) -> &'a Value {
    let spans = event["spans"].as_array().unwrap_or_else(|| panic!("no spans: {event}"));
    spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("not in {name}: {event}"))
}

fn assert_in_poll(event: &Value, server: &MockServer) {
    let poll = span(event, "tamtam.poll");
    assert_eq!(poll["bot"], "weather", "{event}");
    assert_eq!(poll["host"], server.address().to_string(), "{event}");
}

#[tokio::test]
async fn every_event_of_the_update_stream_names_bot_and_host() {
    let ok = |body: Value| (200, body);
    let down = || (502, json!({}));
    let updates = |chats: &[i64], marker: Value| ok(page(chats, marker));
    let webhooks = json!({"subscriptions": [{"url": "https://bot.example/s3cr3t-path", "time": 1}]});
    let pages: &[(u16, Value)] = &[down(), updates(&[1], json!(5)), updates(&[2], json!(5)), updates(&[], json!(6))];
    let first = LevelFilter::INFO;

    let (traced, guard) = Traced::json(first);
    let server = serving(&[("/updates", pages)]).await;
    ask(named(&server).build().unwrap().updates().timeout(Duration::ZERO), 2).await;
    assert_in_poll(&only(&traced, "retrying"), &server);
    drop(guard);

    // The server returns the same page again.
    let (traced, guard) = Traced::json(first);
    let server =
        serving(&[("/updates", &[updates(&[1], json!(5)), updates(&[1], json!(5)), updates(&[2], json!(6))])]).await;
    ask(named(&server).build().unwrap().updates(), 3).await;
    assert_in_poll(&only(&traced, "updates without a new marker"), &server);
    drop(guard);

    let (traced, guard) = Traced::json(first);
    let server = serving(&[("/updates", &[updates(&[], json!(5)), updates(&[1], json!(6))])]).await;
    ask(named(&server).build().unwrap().updates().skip_pending(), 1).await;
    assert_in_poll(&only(&traced, "backlog skipped"), &server);
    drop(guard);

    let (traced, guard) = Traced::json(first);
    let server = serving(&[("/updates", &[updates(&[1], json!(5)), (403, json!({"code": "x", "message": ""}))])]).await;
    let bot = named(&server).build().unwrap();
    let stop = Arc::new(Notify::new());
    let stopped = Arc::clone(&stop);
    let mut stream = bot.updates().graceful_shutdown_on(async move { stopped.notified().await });
    stream.try_next().await.unwrap().unwrap();
    stop.notify_one();
    assert!(stream.next().await.is_none());
    assert_in_poll(&only(&traced, "commit failed"), &server);
    drop(guard);

    for (loads, words) in [(false, "marker load failed"), (true, "marker save failed")] {
        let (traced, guard) = Traced::json(LevelFilter::ERROR);
        let server = serving(&[("/updates", &[updates(&[1], json!(5)), updates(&[2], json!(6))])]).await;
        ask(named(&server).build().unwrap().updates().marker_store(Failing { loads }), 2).await;
        let event = only(&traced, words);
        assert_in_poll(&event, &server);
        let why = if loads { "the disk is full" } else { "the disk is gone" };
        assert_eq!(event["fields"]["error"], why);
        drop(guard);
    }

    let (traced, guard) = Traced::json(first);
    let server = serving(&[
        ("/subscriptions", &[ok(webhooks), ok(json!({"subscriptions": []}))]),
        ("/updates", &[updates(&[1], json!(5))]),
    ])
    .await;
    let removed = ResponseTemplate::new(200).set_body_json(json!({"success": true}));
    Mock::given(method("DELETE")).respond_with(removed).mount(&server).await;
    ask(named(&server).build().unwrap().updates().remove_webhooks(true), 1).await;
    let event = only(&traced, "removing webhook");
    assert_in_poll(&event, &server);
    assert_eq!(event["fields"]["origin"], "https://bot.example");
    drop(guard);

    let (traced, _guard) = Traced::json(first);
    let unknown = (404, json!({"code": "method.not.found", "message": ""}));
    let server = serving(&[("/subscriptions", &[unknown]), ("/updates", &[updates(&[1], json!(5))])]).await;
    ask(named(&server).build().unwrap().updates(), 1).await;
    assert_in_poll(&only(&traced, "webhook check failed"), &server);
}

#[tokio::test]
async fn the_warning_about_a_slow_shutdown_names_bot_and_host() {
    let (traced, _guard) = Traced::json(LevelFilter::WARN);
    let server = serving(&[("/updates", &[(200, page(&[1], 5))])]).await;
    let began = Arc::new(Notify::new());
    let begins = Arc::clone(&began);
    let run = named(&server).build().unwrap().run(move |_, _| {
        begins.notify_one();
        std::future::pending::<()>()
    });
    let run = run.graceful_shutdown_on(async move { began.notified().await }).shutdown_deadline(MOMENT);
    run.await.unwrap();
    let event = only(&traced, "shutdown deadline exceeded");
    assert_in_poll(&event, &server);
    assert_eq!(event["fields"]["in_flight"], 1);
}

#[test]
fn a_bot_is_named_by_a_hash_of_its_token_or_by_its_log_name() {
    let shown = |builder: BotBuilder| format!("{:?}", builder.build().unwrap());
    let name = |token: &str| {
        let shown = shown(Bot::builder(token));
        let name = shown.split_once("log_name: \"").unwrap().1.split_once('"').unwrap().0.to_owned();
        assert!(name.len() == 8 && name.chars().all(|char| char.is_ascii_hexdigit()), "{shown}");
        name
    };
    assert_eq!(name("foobar"), "f73967e8", "the same in every version: half of the published hash of `foobar`");
    assert_ne!(name("a token"), name("another token"));
    assert!(shown(Bot::builder("token-1").log_name("weather")).contains(r#"log_name: "weather""#));
    let quoting = shown(Bot::builder("s3cr3t-token").log_name("bot of s3cr3t-token\n"));
    assert!(quoting.contains("bot of <token>") && !quoting.contains("s3cr3t"), "{quoting}");
}

#[tokio::test]
async fn without_a_name_the_log_has_the_hash_and_no_default_port() {
    let (traced, _guard) = Traced::json(LevelFilter::WARN);
    let (told, mut retried) = tokio::sync::mpsc::unbounded_channel();
    let bot = Bot::builder("foobar").base_url("http://nowhere.invalid:80/path").http(|http| http.no_proxy());
    let bot = bot.on_retry(move |_| told.send(()).unwrap()).build().unwrap();
    tokio::select! {
        () = ask(bot.updates(), 1) => panic!("there is no server"),
        _ = retried.recv() => {}
    }
    let events = traced.events();
    let poll = span(&events[0], "tamtam.poll");
    assert_eq!((&poll["bot"], &poll["host"]), (&json!("f73967e8"), &json!("nowhere.invalid")));
}

/// Asserts that every field with a duration is a number, because a log server cannot compare texts.
fn assert_numbers(events: &[Value]) {
    let mut count = 0;
    for event in events {
        let spans = event["spans"].as_array().cloned().unwrap_or_default();
        for fields in [&event["fields"]].into_iter().chain(&spans) {
            for (name, value) in fields.as_object().unwrap() {
                if name.ends_with("_ms") {
                    assert!(value.is_u64(), "{name}: {event}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 0, "{events:#?}");
}

#[tokio::test]
async fn a_retried_call_logs_its_reason_without_text_of_the_server() {
    let (_port, nowhere) = refusing();
    let refused = "cannot connect: Connection refused (os error 111)";
    let quoting = r#"{"code":"too.many.requests","message":"you said: secret words"}"#;
    for (url, step, why) in [
        (Some(nowhere), Step::Good, refused),
        (None, Step::Status(429, quoting, Some("0")), "429 Too Many Requests, too.many.requests"),
        (None, Step::Status(429, BY_PROXY, Some("0")), "429 Too Many Requests"),
    ] {
        let (traced, _guard) = Traced::json(LevelFilter::DEBUG);
        let server = FaultServer::start([step]).await;
        let builder = server.builder().base_url(url.unwrap_or(server.base_url()));
        builder.build().unwrap().send(ChatId(1), "secret words").await.unwrap_err();
        let events = traced.events();
        let retrying: Vec<&Value> = events.iter().filter(|event| event["fields"]["message"] == "retrying").collect();
        assert_eq!(retrying.len(), 2, "{events:#?}");
        for event in retrying {
            assert_eq!(event["level"], "WARN");
            if cfg!(target_os = "linux") || why != refused {
                assert_eq!(event["fields"]["error"], why, "{event}");
            }
            assert_eq!(event["fields"]["operation"], "sendMessage", "logged also without the span of a call");
            assert_eq!(span(event, "tamtam.call")["operation"], "sendMessage");
        }
        let failed = only(&traced, "call failed");
        assert_eq!(failed["fields"]["attempts"], 3);
        assert!(failed["fields"]["error"].as_str().unwrap().contains(&why[..3]), "{failed}");
        assert_numbers(&events);
        assert!(!traced.text().contains("secret words") && !traced.text().contains("Sorry"), "{}", traced.text());
    }
}

#[tokio::test]
async fn the_wait_for_an_attachment_does_not_quote_the_server() {
    let (traced, _guard) = Traced::json(LevelFilter::DEBUG);
    let words = r#"{"success":false,"message":"secret words: attachment.file.not.processed"}"#;
    let server = FaultServer::start([Step::Status(200, words, None), Step::Good]).await;
    server.bot().send(ChatId(1), "hi").await.unwrap();
    assert_eq!(only(&traced, "retrying")["fields"]["error"], "refused");
    assert!(!traced.text().contains("secret words"), "{}", traced.text());
}

#[tokio::test]
async fn a_retried_poll_logs_its_reason() {
    for (step, why) in [
        (Step::Status(502, BY_API, None), "502 Bad Gateway, some.code: some words"),
        (Step::Silence, "no response in time"),
    ] {
        let (traced, _guard) = Traced::json(LevelFilter::WARN);
        let server = FaultServer::start([Step::Good, step, Step::Good]).await;
        let bot = server.builder().poll_margin(Duration::from_millis(100)).build().unwrap();
        ask(bot.updates().timeout(Duration::ZERO), 1).await;
        let event = only(&traced, "retrying");
        assert_eq!((&event["fields"]["error"], &event["fields"]["operation"]), (&json!(why), &json!("getUpdates")));
        assert_numbers(&traced.events());
    }
}

#[tokio::test]
async fn a_retried_upload_logs_its_reason() {
    let (traced, _guard) = Traced::json(LevelFilter::INFO);
    let (_port, nowhere) = refusing();
    let server = serving(&[]).await;
    let url = ResponseTemplate::new(200).set_body_json(json!({"url": format!("{nowhere}/secret-place")}));
    Mock::given(method("POST")).respond_with(url).mount(&server).await;
    let bot = named(&server).retry(quick()).build().unwrap();
    bot.upload_file("notes".as_bytes()).await.unwrap_err();
    let events = traced.events();
    let event = &events[0];
    assert_eq!(event["fields"]["message"], "retrying");
    assert!(event["fields"]["error"].as_str().unwrap().starts_with("cannot connect: "), "{event}");
    assert_eq!(event["fields"]["operation"], "uploadFile");
    assert_eq!(span(event, "tamtam.upload")["operation"], "uploadFile");
    assert_numbers(&events);
}

/// Returns an update with a message of a person in a group.
fn said() -> Value {
    json!({
        "update_type": "message_created", "timestamp": 1,
        "message": {
            "sender": {"user_id": 7, "name": "Alice"}, "recipient": {"chat_id": -5, "chat_type": "chat"}, "timestamp": 1,
            "body": {"mid": "mid.1", "seq": 1, "text": "private words"},
        },
    })
}

fn assert_in_handler(event: &Value) {
    let mut handler = span(event, "tamtam.handler").clone();
    handler.as_object_mut().unwrap().remove("name");
    let expected = json!({"kind": "message_created", "chat": -5, "user": 7, "mid": "mid.1", "bot": "weather"});
    assert_eq!(handler, expected, "{event}");
}

/// Failures of a handler, with the message and fields of their events.
const FAILURES: [(&str, &str, &str); 3] = [
    ("fail", "handler failed", r#"{"error":"no luck"}"#),
    ("panic", "handler panicked", r#"{"panic":"oh no"}"#),
    ("hang", "handler timed out", r#"{"timeout_ms":50}"#),
];

async fn go_wrong(how: &str) -> Result<(), String> {
    match how {
        "fail" => Err("no luck".to_owned()),
        "panic" => panic!("oh no"),
        _ => std::future::pending().await,
    }
}

fn assert_told(traced: &Traced, words: &str, fields: &str) {
    let event = only(traced, words);
    assert_in_handler(&event);
    let mut expected: Value = serde_json::from_str(fields).unwrap();
    for (name, value) in [("message", json!(words)), ("attempts", json!(1)), ("recovery", json!("Skip"))] {
        expected[name] = value;
    }
    assert_eq!(event["fields"], expected);
    assert!(!traced.text().contains("private words"), "{}", traced.text());
}

async fn until_one_is_skipped(run: Run) {
    let health = run.health();
    let skipped = async move {
        while health.skipped() == 0 {
            tokio::time::sleep(MOMENT).await;
        }
    };
    run.graceful_shutdown_on(skipped).await.unwrap();
}

#[tokio::test]
async fn a_failed_handler_of_a_run_is_logged_in_a_span_with_its_update() {
    for (how, words, fields) in FAILURES {
        // Even if only errors are logged.
        let (traced, _guard) = Traced::json(LevelFilter::ERROR);
        let server =
            serving(&[("/updates", &[(200, json!({"updates": [said()], "marker": 5})), (200, page(&[], 5))])]).await;
        let run = named(&server).build().unwrap().run(move |_, _| go_wrong(how));
        until_one_is_skipped(run.handler_timeout(Duration::from_millis(50))).await;
        assert_told(&traced, words, fields);
    }
}

#[tokio::test]
async fn events_and_calls_of_a_handler_are_in_its_span() {
    let (traced, _guard) = Traced::json(LevelFilter::DEBUG);
    let server =
        serving(&[("/updates", &[(200, json!({"updates": [said()], "marker": 5})), (200, page(&[], 5))])]).await;
    let run = named(&server).build().unwrap().run(async |bot: Bot, _| {
        tracing::warn!(target: "tamtam_user", "noted");
        bot.api().leave_chat(-5).await
    });
    until_one_is_skipped(run).await;
    assert_in_handler(&only(&traced, "noted"));
    let call = only(&traced, "call failed");
    assert_in_handler(&call);
    assert_eq!(span(&call, "tamtam.call")["operation"], "leaveChat");
}

#[tokio::test]
async fn a_failed_handler_of_a_webhook_is_logged_in_a_span_with_its_update() {
    const PATH: &str = "/h00kS3cr3t-9d2f4b6a8c0e1d3f5a7b9c";
    for (how, words, fields) in FAILURES {
        for level in [LevelFilter::ERROR, LevelFilter::DEBUG] {
            let (traced, _guard) = Traced::json(level);
            let bot = bot_at("http://127.0.0.1:1").log_name("weather").build().unwrap();
            let webhook = Webhook::new(bot, PATH).unwrap().handler_timeout(Duration::from_millis(50));
            let router = webhook.on_error(|_| Recovery::Skip).router(move |_, _| go_wrong(how));
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
            tokio::spawn(tamtam::webhook::axum::serve(listener, router).into_future());
            let http = tamtam::reqwest::Client::builder().no_proxy().build().unwrap();
            assert_eq!(http.post(&url).json(&said()).send().await.unwrap().status(), 200);
            assert_told(&traced, words, fields);
            if level == LevelFilter::DEBUG {
                let webhook = span(&only(&traced, words), "tamtam.webhook").clone();
                assert_eq!((&webhook["operation"], &webhook["bot"]), (&json!("webhook"), &json!("weather")));
            }
            assert_eq!(http.post(&url).body("private words").send().await.unwrap().status(), 200);
            let event = only(&traced, "delivery without an update");
            assert_eq!(
                (&span(&event, "tamtam.handler")["bot"], &event["fields"]["bytes"]),
                (&json!("weather"), &json!(13))
            );
        }
    }
}

#[tokio::test]
async fn a_failure_whose_async_on_error_is_canceled_is_logged() {
    let (traced, _guard) = Traced::json(LevelFilter::ERROR);
    let server = serving(&[("/updates", &[(200, json!({"updates": [said()], "marker": 5}))])]).await;
    let (asked, deciding) = tokio::sync::oneshot::channel::<()>();
    let asked = std::sync::Mutex::new(Some(asked));
    let run = named(&server).build().unwrap().run(async |_, _| Err::<(), _>("no luck")).on_error(move |_| {
        let _ = asked.lock().unwrap().take().map(|asked| asked.send(()));
        std::future::pending::<Recovery>()
    });
    tokio::select! {
        _ = run.run() => panic!("the bot must run until it is dropped"),
        _ = deciding => {}
    }
    // The runtime drops the handler's future when it runs again.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let event = only(&traced, "handler failed");
    assert_eq!((&event["fields"]["error"], &event["fields"]["recovery"]), (&json!("no luck"), &json!("undecided")));
    assert_in_handler(&event);
}

#[tokio::test]
async fn creating_a_stream_in_each_turn_of_a_loop_is_warned_about_once() {
    let (traced, _guard) = Traced::json(LevelFilter::WARN);
    let server = serving(&[("/updates", &[(200, page(&[1, 2], 5))])]).await;
    let bot = named(&server).build().unwrap();
    for _ in 0..4 {
        bot.updates().next().await.unwrap().unwrap();
    }
    let event = only(&traced, "new stream after one update");
    assert_in_poll(&event, &server);
    assert!(event["fields"]["hint"].as_str().unwrap().contains("before the loop"), "{event}");
}

#[tokio::test]
async fn a_new_stream_after_several_updates_is_not_warned_about() {
    let (traced, _guard) = Traced::json(LevelFilter::WARN);
    let server = serving(&[("/updates", &[(200, page(&[1, 2], 5))])]).await;
    let bot = named(&server).build().unwrap();
    for _ in 0..2 {
        let mut updates = bot.updates();
        updates.next().await.unwrap().unwrap();
        updates.next().await.unwrap().unwrap();
        drop(bot.updates());
    }
    assert!(traced.events().is_empty(), "{}", traced.text());
}
