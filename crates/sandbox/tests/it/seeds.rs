//! Reproducible runs with a seed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::{Router, http::StatusCode, routing::post};
use serde_json::{Value, json};
use tamtam_sandbox::{Enclosure, Sandbox, SandboxBuilder};
use tokio::net::TcpListener;

use crate::client::{Api, callback, keyboard, mid};
use crate::conformance;

/// Returns everything that bots and people see in a run with all kinds of acts.
async fn run(builder: SandboxBuilder) -> Vec<String> {
    let tamtam = conformance::checked(builder).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = told.clone();
    tamtam.on_exchange(move |exchange| {
        let answer = String::from_utf8_lossy(exchange.response_body()).into_owned();
        seen.lock().unwrap().push(format!("{} {:?} {answer}", exchange.path(), exchange.query()));
    });
    let api = Api::of(&tamtam);
    let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    let helper = tamtam.add_bot("Helper", "helper_bot");
    alice.says("hi");
    alice.says_with("", [Enclosure::sticker("cafe")]);
    let (team, news) = (tamtam.group("Team", [&alice, &bob]), tamtam.channel("News", [&alice]));
    let keys = json!([[callback("Yes", "y"), { "type": "chat", "text": "Lunch", "chat_title": "Lunch" }]]);
    let body = json!({ "text": "**?**", "format": "markdown", "attachments": [keyboard(keys)] });
    let posted = api.post(team.chat_id().0, body).await.ok();
    bob.in_chat(&team).presses("Yes");
    bob.in_chat(&team).presses("Lunch");
    let card = alice.opens_constructor();
    let path = format!("/answers/constructor?session_id={}", card.session_id());
    api.call("POST", &path, json!({ "messages": [{ "text": "card" }] })).await.ok();
    card.posts();
    tamtam.time_passes(Duration::from_secs(60));
    api.call("PUT", &format!("/messages?message_id={}", mid(&posted["message"])), json!({ "text": "b" })).await.ok();
    api.say(news.chat_id().0, "news").await;
    api.call("POST", "/subscriptions", json!({ "url": "https://bot.example/hook" })).await.ok();
    api.get("/subscriptions").await.ok();
    api.delete("/subscriptions?url=https://bot.example/hook").await.ok();
    api.get("/chats").await.ok();
    let mut run = told.lock().unwrap().clone();
    run.extend([tamtam.transcript(), tamtam.token().to_owned(), helper.token().to_owned(), format!("{alice:?}")]);
    run
}

#[tokio::test]
async fn the_same_seed_repeats_a_run_and_another_seed_changes_its_ids() {
    let run = async |seed: u64| run(Sandbox::builder().seed(seed)).await;
    let (first, other) = (run(1).await, run(2).await);
    assert_eq!(first, run(1).await);
    assert_eq!(first.len(), other.len());
    let transcript = first.len() - 4;
    assert_eq!(first[transcript], other[transcript], "the transcript has names and no ids");
    let ids = |place: &usize| *place > transcript || first[*place].contains("_id\":");
    let places: Vec<_> = (0..first.len()).filter(ids).collect();
    assert!(places.len() >= 6, "{places:?}");
    assert!(places.iter().all(|place| first[*place] != other[*place]), "{first:#?} {other:#?}");
}

#[tokio::test]
async fn with_a_seed_each_act_advances_the_clock_by_a_second() {
    let tamtam = conformance::checked(Sandbox::builder().seed(1)).await;
    let (api, alice) = (Api::of(&tamtam), tamtam.user("Alice"));
    let time = async || api.updates().await.0.pop().unwrap()["timestamp"].as_i64().unwrap();
    alice.says("a");
    let first = time().await;
    assert_eq!(first / 86_400_000, 20_089, "a sandbox with a seed starts on 1 January 2025");
    tokio::time::sleep(Duration::from_millis(20)).await;
    alice.says("b");
    assert_eq!(time().await, first + 1_000);
    tamtam.time_passes(Duration::from_secs(3600));
    alice.says("c");
    assert_eq!(time().await, first + 2_000 + 3_600_000);
}

#[tokio::test]
async fn with_a_seed_webhooks_are_retried_in_real_time() {
    let builder = Sandbox::builder().seed(1).redelivery(Duration::from_millis(20));
    let tamtam = conformance::checked(builder).await;
    let (api, alice) = (Api::of(&tamtam), tamtam.user("Alice"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let attempts = Arc::new(Mutex::new(0));
    let counted = attempts.clone();
    let hook = post(async move || {
        let mut attempts = counted.lock().unwrap();
        *attempts += 1;
        if *attempts < 3 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
    });
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", hook)).into_future());
    api.call("POST", "/subscriptions", json!({ "url": url })).await.ok();
    alice.starts();
    tamtam.delivers().await;
    assert_eq!(*attempts.lock().unwrap(), 3);
    let listed: Value = api.get("/subscriptions").await.ok();
    assert!(listed["subscriptions"][0]["time"].as_i64().unwrap() < 1_740_000_000_000, "it has the sandbox's time");
}

#[tokio::test]
async fn without_a_seed_the_clock_shows_the_current_time() {
    let tamtam = conformance::start().await;
    let (api, alice) = (Api::of(&tamtam), tamtam.user("Alice"));
    alice.starts();
    let time = api.updates().await.0[0]["timestamp"].as_i64().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    assert!((now - time).abs() < 60_000);
}
