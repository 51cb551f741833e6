//! Secrets of webhooks: errors, `Debug` output and traces must not show the path, the subscribed URL or the token.
//! Traces must not show the texts of updates.

use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tamtam::{
    Bot, Service, Update, UpdateType,
    reqwest::{self, StatusCode},
    settings::RetryPolicy,
    updates::Recovery,
    webhook::Webhook,
};
use tracing::level_filters::LevelFilter;
use wiremock::ResponseTemplate;

use super::{PATH, Seen, Server, bot, request, started, webhook};
use crate::{
    common::{RawServer, answering, answering_json, bot_at, bot_of, cut_answer, http_answer, only_request},
    fault_server::quick,
    traced::Traced,
};

/// Parts of the path and of the token that occur in no other text.
const SECRETS: [&str; 4] = ["h00k", "S3cr3t", "9d2f4b6a", "s3cr3t"];

fn assert_no_secret(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} shows: {text}");
    }
}

#[test]
fn debug_of_a_webhook_shows_neither_path_nor_token() {
    let webhook = webhook().on_error(|_| Recovery::Retry);
    assert_no_secret(&format!("{webhook:?}{webhook:#?}"));
    assert!(format!("{webhook:?}").starts_with("Webhook { bot: Bot {"), "{webhook:?}");
    let router = webhook.router(async |_, _| {});
    assert!(!format!("{router:?}").contains("9d2f4b6a"), "the route shows more than the beginning of the path");
}

#[test]
fn an_error_about_a_path_does_not_show_it() {
    for bad in
        ["/h00kS3cr3t", "h00kS3cr3t-9d2f4b6a8c0e1d3f5a7b9c", "/h00kS3cr3t-9d2f4b6a8c0e1d3f5a7b9c?", "/h00kS3cr3t/"]
    {
        let error = Webhook::new(bot(), bad).unwrap_err();
        assert_no_secret(&format!("{error} {error:?} {error:#?}"));
    }
}

/// Returns an update with a text that is easy to find.
fn said() -> String {
    let message = json!({
        "sender": {"user_id": 7, "name": "Alice"}, "recipient": {"chat_id": 1, "chat_type": "dialog"}, "timestamp": 1,
        "body": {"mid": "mid.1", "seq": 1, "text": "private words"},
    });
    json!({"timestamp": 1, "message": message, "update_type": "message_created"}).to_string()
}

/// Makes deliveries of every kind, and checks their answers. Returns the traces.
async fn traced(level: LevelFilter) -> String {
    let router = webhook().router(
        async |_, update| {
            if update.tag() == "moon_risen" { Err("the moon is not ours") } else { Ok(()) }
        },
    );
    let server = Server::start(router).await;
    let (traced, _guard) = Traced::start(level);
    for (body, status) in
        [(said(), 200), (r#"{"update_type":"moon_risen"}"#.to_owned(), 200), ("private words".to_owned(), 503)]
    {
        assert_eq!(server.post(body).await, status);
    }
    assert_eq!(server.post(" ".repeat(4 * 1024 * 1024 + 1)).await, 413);
    server.raw(&request("GET", PATH, "private words")).await;
    server.raw(&request("POST", &PATH.replace("9c", "9d"), "private words")).await;
    server.raw(&format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\nprivate words")).await;
    traced.text()
}

#[tokio::test]
async fn a_delivery_is_traced_for_debugging_without_path_and_text() {
    let text = traced(LevelFilter::DEBUG).await;
    let ours: String = text.lines().filter(|line| line.contains("tamtam")).fold(String::new(), |mut all, line| {
        writeln!(all, "{line}").unwrap();
        all
    });
    for expected in [
        "tamtam.webhook{operation=\"webhook\"",
        "update=\"message_created\"",
        &format!("bytes={}", said().len()),
        "status=200",
        "status=413",
        "status=405",
        "elapsed_ms=",
    ] {
        assert!(ours.contains(expected), "{expected} is not in {ours}");
    }
    assert_no_secret(&ours);
    assert!(!ours.contains("private words"), "{ours}");
}

#[tokio::test]
async fn successes_are_not_logged_at_info_and_failures_are_errors() {
    let text = traced(LevelFilter::INFO).await;
    // Only this capture also has the events of spans.
    let of_span =
        |line: &&str| ["new", "enter", "exit", "close"].iter().any(|word| line.contains(&format!(": {word}")));
    let lines: Vec<&str> = text.lines().filter(|line| !of_span(line)).collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("ERROR") && lines[0].contains("handler failed"), "{text}");
    assert!(lines[0].contains("error=\"the moon is not ours\""), "{text}");
    assert!(lines[0].contains("kind=\"moon_risen\"") && lines[0].contains("recovery=Skip"), "{text}");
    assert!(lines[1].contains("ERROR") && lines[1].contains("delivery without an update"), "{text}");
    assert!(lines[1].contains("bytes=13"), "{text}");
    assert_no_secret(&text);
}

#[tokio::test]
async fn a_subscription_pins_the_version_of_the_bot() {
    let url = format!("https://bot.example{PATH}");
    for (types, expected) in [
        (vec![], json!({"url": url, "version": "0.5.3"})),
        (
            vec![UpdateType::BotStarted, UpdateType::from("moon_risen")],
            json!({"url": url, "update_types": ["bot_started", "moon_risen"], "version": "0.5.3"}),
        ),
    ] {
        let server = answering_json(&json!({"success": true})).await;
        let bot = bot_at(server.uri()).version("0.5.3").build().unwrap();
        bot.subscribe_webhook(&url, types).await.unwrap();
        let request = only_request(&server).await;
        assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/subscriptions"));
        assert_eq!(request.body_json::<Value>().unwrap(), expected);
    }
    let server = answering_json(&json!({"success": true})).await;
    let bot = bot_at(server.uri()).build().unwrap();
    // An empty list means all types. The bot's version defaults to the version of the document.
    bot.subscribe_webhook(&url, []).await.unwrap();
    let body = only_request(&server).await.body_json::<Value>().unwrap();
    assert_eq!(body, json!({"url": url, "version": bot.version()}));
}

/// Returns the errors of subscribing and unsubscribing a URL, printed in every format.
async fn errors_of(bot: &tamtam::Bot) -> Vec<String> {
    let url = format!("https://user:s3cr3tW0rd@bot.example{PATH}?key=s3cr3t");
    let errors = [bot.subscribe_webhook(&url, []).await.unwrap_err(), bot.api().unsubscribe(&url).await.unwrap_err()];
    errors.iter().map(|error| format!("{error}\n{error:?}\n{error:#?}\n{:?}", error.message())).collect()
}

#[tokio::test]
async fn errors_show_only_the_origin_of_a_subscribed_url() {
    let quote = format!("no https://user:s3cr3tW0rd@bot.example{PATH}?key=s3cr3t here");
    let encoded =
        "url=https%3A%2F%2Fuser%3As3cr3tW0rd%40bot.example%2Ftamtam%2Fh00kS3cr3t-9d2f4b6a8c0e1d3f5a7b9c%3Fkey%3Ds3cr3t";
    let answers = [
        ResponseTemplate::new(400).set_body_json(json!({"code": "proto.payload", "message": quote})),
        ResponseTemplate::new(400).set_body_json(json!({"code": quote, "message": ""})),
        ResponseTemplate::new(200).set_body_json(json!({"success": false, "message": quote})),
        ResponseTemplate::new(200).set_body_json(json!({"success": quote})),
        ResponseTemplate::new(502).set_body_string(format!("<html>GET /subscriptions?{encoded}</html>")),
        ResponseTemplate::new(404).set_body_string(format!("Path {PATH}?key=s3cr3t is not ours")),
    ];
    for answer in answers {
        let server = answering(answer).await;
        for text in errors_of(&bot_at(server.uri()).build().unwrap()).await {
            assert_no_secret(&text);
        }
    }
    // The origin of the URL is still shown.
    let server = answering_json(&json!({"success": false, "message": quote})).await;
    let text = &errors_of(&bot_at(server.uri()).build().unwrap()).await[0];
    assert!(text.starts_with("subscribe: refused: no https://...@bot.example/... here\n"), "{text}");
}

#[tokio::test]
async fn network_errors_do_not_show_a_subscribed_url() {
    for answer in [
        cut_answer("200 OK", &format!("{{\"success\": \"https://bot.example{PATH}")),
        cut_answer("502 Bad Gateway", &format!("<html>{}", &PATH[..20])),
        http_answer("301 Moved Permanently", &[&format!("location: https://bot.example{PATH}")], ""),
        "nonsense".to_owned(),
    ] {
        let server = RawServer::answering(answer).await;
        for text in errors_of(&bot_at(server.url()).build().unwrap()).await {
            assert_no_secret(&text);
        }
    }
    let (_port, url) = crate::common::refusing();
    for text in errors_of(&bot_at(url).build().unwrap()).await {
        assert_no_secret(&text);
    }
}

#[tokio::test]
async fn a_retry_shows_a_subscribed_url_neither_in_traces_nor_in_its_hook() {
    let told = Arc::new(Mutex::new(String::new()));
    let theirs = Arc::clone(&told);
    let quote = format!("no https://bot.example{PATH}?key=s3cr3t here");
    let server = answering(ResponseTemplate::new(503).set_body_json(json!({"code": "busy", "message": quote}))).await;
    let policy: RetryPolicy = quick();
    let bot = bot_at(server.uri()).retry(policy).on_retry(move |retry| {
        writeln!(theirs.lock().unwrap(), "{} {retry:?}", retry.error()).unwrap();
    });
    let bot = bot.build().unwrap();
    let text = {
        let (traced, _guard) = Traced::start(LevelFilter::DEBUG);
        bot.subscribe_webhook(format!("https://bot.example{PATH}?key=s3cr3t"), []).await.unwrap_err();
        traced.text()
    };
    assert!(text.contains("operation=\"subscribe\""), "{text}");
    assert_no_secret(&text);
    let told = told.lock().unwrap();
    assert!(told.contains("subscribe: 503 Service Unavailable, busy: no https://bot.example/... here"), "{told}");
    assert_no_secret(&told);
}

#[tokio::test]
async fn a_delivery_without_the_secret_header_is_answered_with_404() {
    let bot = Bot::builder("token").service(Service::Max).build().unwrap();
    let seen = Seen::default();
    let handled = seen.clone();
    let webhook = Webhook::new(bot, PATH).unwrap().secret("he4der-s3cret").unwrap();
    assert!(!format!("{webhook:?}{webhook:#?}").contains("s3cret"));
    let server = Server::start(webhook.router(move |_, update: Update| {
        handled.add(&update);
        async {}
    }))
    .await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |secret: Option<&str>| {
        let mut request = http.post(server.url(PATH)).body(started(5));
        if let Some(secret) = secret {
            request = request.header("X-Max-Bot-Api-Secret", secret);
        }
        request.send().await.unwrap().status()
    };
    for secret in [None, Some(""), Some("he4der-s3cre"), Some("he4der-s3creT")] {
        assert_eq!(post(secret).await, StatusCode::NOT_FOUND, "{secret:?}");
    }
    assert!(seen.all().is_empty());
    assert_eq!(post(Some("he4der-s3cret")).await, StatusCode::OK);
    assert_eq!(seen.all(), ["5"]);
}

#[tokio::test]
async fn a_webhook_subscribes_its_path_and_its_secret() {
    let server = answering_json(&json!({"success": true})).await;
    let webhook = Webhook::new(bot_of(&Service::Max, &server), PATH).unwrap().secret("he4der-s3cret").unwrap();
    webhook.subscribe("https://bot.example/", [UpdateType::MessageCreated]).await.unwrap();
    let body: serde_json::Value = only_request(&server).await.body_json().unwrap();
    let url = format!("https://bot.example{PATH}");
    assert_eq!(body, json!({"url": url, "secret": "he4der-s3cret", "update_types": ["message_created"]}));
    let without = Webhook::new(bot_of(&Service::Max, &server), PATH).unwrap();
    assert!(!format!("{:?}", without.subscribe("https://bot.example", [])).contains(PATH));
}
