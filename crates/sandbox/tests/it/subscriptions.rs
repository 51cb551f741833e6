//! Webhooks: subscriptions, deliveries, redeliveries, and changes between webhook and polling.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tamtam::types::SubscriptionRequestBody;
use tamtam::{Bot, UpdateType};
use tamtam_sandbox::{Person, Sandbox, SandboxBuilder};
use tokio::task::JoinHandle;

use crate::client::{Api, dialog};
use crate::common::refusing;
use crate::conformance::{self, Checked};
use crate::document;
use crate::webhook::{Reply, Webhook};

const EIGHT_HOURS: Duration = Duration::from_secs(8 * 60 * 60);
const MINUTE: Duration = Duration::from_secs(60);
/// Longer than any test. Only the clock of the sandbox can advance by this much.
const NEVER: Duration = Duration::from_secs(3600);

/// Returns a builder of a sandbox that redelivers only when its clock is advanced.
fn patient() -> SandboxBuilder {
    Sandbox::builder().redelivery(NEVER)
}

/// Returns a sandbox, its bot, and Alice, who has not started the bot yet.
async fn start(builder: SandboxBuilder) -> (Checked, Bot, Person) {
    let tamtam = conformance::checked(builder).await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    (tamtam, bot, alice)
}

async fn subscribe(bot: &Bot, url: &str, types: &[UpdateType]) {
    let body = SubscriptionRequestBody::new(url).version("0.5.6");
    let body = if types.is_empty() { body } else { body.update_types(types.to_vec()) };
    bot.api().subscribe(body).await.unwrap();
}

async fn urls(bot: &Bot) -> Vec<String> {
    bot.api().get_subscriptions().await.unwrap().subscriptions.into_iter().map(|one| one.url).collect()
}

/// Polls. Returns the texts of messages, and the types of other updates.
async fn polled(bot: &Bot) -> Vec<String> {
    let page = bot.api().get_updates().timeout(0).limit(1000).await.unwrap();
    page.updates.iter().map(|update| told(&serde_json::to_value(update).unwrap())).collect()
}

/// Returns the text of a message, or the type of another update.
fn told(update: &Value) -> String {
    let text = update["message"]["body"]["text"].as_str();
    text.or(update["update_type"].as_str()).unwrap().to_owned()
}

/// Returns the updates that a webhook got, oldest first.
fn got(webhook: &Webhook) -> Vec<String> {
    webhook.bodies().iter().map(|body| told(&serde_json::from_str(body).unwrap())).collect()
}

/// Update, attempt and status of every delivery.
type Deliveries = Arc<Mutex<Vec<(String, u32, Option<u16>)>>>;

fn deliveries(tamtam: &Sandbox) -> Deliveries {
    let list = Deliveries::default();
    let seen = Arc::clone(&list);
    tamtam.on_delivery(move |one| {
        seen.lock().unwrap().push((told(&serde_json::from_str(one.update()).unwrap()), one.attempt(), one.status()));
        assert_eq!(one.status().is_none(), one.error().is_some());
    });
    list
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < Duration::from_secs(10), "not within 10 s: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

// ---- Subscribing ----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_subscription_keeps_its_url_types_version_and_time() {
    let (_tamtam, bot, _) = start(patient()).await;
    assert_eq!(urls(&bot).await, [""; 0]);
    let all = "https://bot.example/крюк?a=b&c=d#e";
    bot.api().subscribe(SubscriptionRequestBody::new(all)).await.unwrap();
    let types = [UpdateType::MessageCreated, UpdateType::MessageCallback];
    subscribe(&bot, "http://bot.example:8080", &types).await;
    let list = bot.api().get_subscriptions().await.unwrap().subscriptions;
    assert_eq!((list[0].url.as_str(), &list[0].update_types, &list[0].version), (all, &None, &None));
    assert_eq!(list[1].update_types.as_deref(), Some(&types[..]));
    assert_eq!(list[1].version.as_deref(), Some("0.5.6"));
    assert!(list[0].time > Some(1_700_000_000_000) && list[0].time < list[1].time);
}

#[tokio::test]
async fn subscribing_a_url_again_replaces_its_settings() {
    let (tamtam, bot, _) = start(patient()).await;
    let api = Api::of(&tamtam);
    let url = "https://bot.example/hook";
    subscribe(&bot, url, &[UpdateType::BotStarted]).await;
    let before = bot.api().get_subscriptions().await.unwrap().subscriptions[0].time;
    let body = json!({ "url": url, "update_types": [] });
    assert_eq!(api.call("POST", "/subscriptions", body).await.ok(), json!({ "success": true }));
    let list = bot.api().get_subscriptions().await.unwrap().subscriptions;
    assert_eq!((list.len(), &list[0].update_types, &list[0].version), (1, &None, &None));
    assert!(list[0].time > before);
    let twice = json!({ "url": url, "update_types": ["bot_added", "bot_added"] });
    api.call("POST", "/subscriptions", twice).await.ok();
    let list = api.get("/subscriptions").await.ok();
    assert_eq!(list["subscriptions"][0]["update_types"], json!(["bot_added"]));
}

#[tokio::test]
async fn every_type_of_the_document_can_be_subscribed() {
    let (_tamtam, api, _) = dialog().await;
    let document = document::load("tamtam");
    let types: Vec<_> = document["components"]["schemas"]["Update"]["discriminator"]["mapping"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert!(types.len() > 10);
    let body = json!({ "url": "https://bot.example/hook", "update_types": types });
    api.call("POST", "/subscriptions", body).await.ok();
    let list = api.get("/subscriptions").await.ok();
    assert_eq!(list["subscriptions"][0]["update_types"], json!(types));
}

#[tokio::test]
async fn an_invalid_subscription_is_refused_with_the_name_of_the_field() {
    let (_tamtam, api, _) = dialog().await;
    let url = "https://bot.example/hook";
    for (body, field) in [
        (json!({}), "url"),
        (json!({ "url": null }), "url"),
        (json!({ "url": 5 }), "url"),
        (json!({ "url": "" }), "url"),
        (json!({ "url": "bot.example" }), "url"),
        (json!({ "url": "ftp://bot.example" }), "url"),
        (json!({ "url": "https://" }), "url"),
        (json!({ "url": "https://bot.example:8444/" }), "url"),
        (json!({ "url": url, "version": "invalid version" }), "version"),
        (json!({ "url": url, "version": 1 }), "version"),
        (json!({ "url": url, "update_types": ["message_created", "invalid_type"] }), "update_types"),
        (json!({ "url": url, "update_types": [1] }), "update_types"),
        (json!({ "url": url, "update_types": "message_created" }), "update_types"),
    ] {
        let message = api.call("POST", "/subscriptions", body.clone()).await.fails(400, "proto.payload");
        assert!(message.contains(field), "{body}: {message}");
    }
    assert_eq!(api.get("/subscriptions").await.ok()["subscriptions"], json!([]));
}

#[tokio::test]
async fn unsubscribing_an_unknown_url_is_refused() {
    let (tamtam, bot, _) = start(patient()).await;
    let url = "https://bot.example/крюк?v=1&access_token=x#a+b c%20";
    let refused = bot.api().unsubscribe(url).await.unwrap_err();
    assert!(refused.is_refused() && refused.to_string().contains("is not subscribed"), "{refused}");
    subscribe(&bot, "https://bot.example/hook", &[]).await;
    assert!(bot.api().unsubscribe("https://bot.example/hook/").await.unwrap_err().is_refused());
    bot.api().unsubscribe("https://bot.example/hook").await.unwrap();
    let message = Api::of(&tamtam).delete("/subscriptions").await.fails(400, "proto.payload");
    assert!(message.starts_with("url: "), "{message}");
}

// ---- Delivering -----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn updates_are_delivered_one_by_one_in_order_as_plain_json() {
    let (tamtam, bot, alice) = start(patient()).await;
    let webhook = Webhook::start().await;
    subscribe(&bot, &webhook.url(), &[]).await;
    let texts: Vec<_> = (0..50).map(|number| number.to_string()).collect();
    for text in &texts {
        alice.says(text.as_str());
    }
    tamtam.delivers().await;
    assert_eq!(got(&webhook)[0], "bot_started");
    assert_eq!(got(&webhook)[1..], texts);
    let request = &webhook.requests()[1];
    assert!(request.starts_with("POST /hook?secret=x HTTP/1.1\r\n"), "{request}");
    assert!(request.to_ascii_lowercase().contains("\r\ncontent-type: application/json; charset=utf-8\r\n"));
    assert!(request.ends_with(r#","update_type":"message_created"}"#), "{request}");
    let seen: tamtam::Update = serde_json::from_str(&webhook.bodies()[1]).unwrap();
    assert!(matches!(seen, tamtam::Update::MessageCreated(_)));
}

#[tokio::test]
async fn a_delivery_does_not_contain_the_token() {
    let (tamtam, bot, alice) = start(patient()).await;
    let told = Arc::<Mutex<String>>::default();
    let text = Arc::clone(&told);
    tamtam.on_delivery(move |delivery| text.lock().unwrap().push_str(&format!("{delivery:?}")));
    let (webhook, (_socket, refusing)) = (Webhook::start().await, refusing());
    subscribe(&bot, &webhook.url(), &[]).await;
    subscribe(&bot, &refusing, &[]).await;
    alice.says("hi");
    until("both have been tried", async || told.lock().unwrap().matches("Delivery").count() == 4).await;
    let told = told.lock().unwrap();
    assert!(told.contains("Ok(200)"), "{told}");
    assert!(told.contains("refused"), "the error has no reason: {told}");
    for text in webhook.requests().iter().chain([&*told]) {
        assert!(!text.contains(tamtam.token()), "{text}");
        assert!(!text.contains("access_token"), "{text}");
    }
}

#[tokio::test]
async fn update_types_that_were_not_subscribed_can_be_polled_afterwards() {
    let (tamtam, bot, alice) = start(patient()).await;
    let webhook = Webhook::start().await;
    subscribe(&bot, &webhook.url(), &[UpdateType::MessageEdited, UpdateType::MessageRemoved]).await;
    let mid = alice.says("one");
    alice.edits(&mid, "two");
    alice.deletes(&mid);
    tamtam.delivers().await;
    assert_eq!(got(&webhook), ["two", "message_removed"]);
    bot.api().unsubscribe(webhook.url()).await.unwrap();
    assert_eq!(polled(&bot).await, ["bot_started", "one"]);
}

#[tokio::test]
async fn each_subscription_gets_each_update() {
    let (tamtam, bot, alice) = start(patient()).await;
    let (one, other) = (Webhook::start().await, Webhook::start().await);
    subscribe(&bot, &one.url(), &[]).await;
    subscribe(&bot, &other.url(), &[UpdateType::MessageCreated]).await;
    alice.says("hi");
    tamtam.delivers().await;
    assert_eq!(got(&one), ["bot_started", "hi"]);
    assert_eq!(got(&other), ["hi"]);
    bot.api().unsubscribe(one.url()).await.unwrap();
    alice.says("again");
    tamtam.delivers().await;
    assert_eq!(got(&one).len(), 2);
    assert_eq!(got(&other), ["hi", "again"]);
}

#[tokio::test]
async fn a_webhook_can_call_the_api_before_it_answers() {
    let (tamtam, bot, alice) = start(patient()).await;
    let webhook = Webhook::start().await;
    subscribe(&bot, &webhook.url(), &[UpdateType::MessageCreated]).await;
    let (echoing, chat) = (bot.clone(), alice.chat_id());
    webhook.on_update(move |body| {
        let (bot, text) = (echoing.clone(), told(&serde_json::from_str(&body).unwrap()));
        async move { drop(bot.send(chat, format!("You said {text}")).await.unwrap()) }
    });
    alice.says("hi");
    assert_eq!(alice.reads().await.text(), "You said hi");
    alice.says("bye");
    assert_eq!(alice.reads().await.text(), "You said bye");
    tamtam.delivers().await;
}

// ---- Redelivery -----------------------------------------------------------------------------------------------------

#[tokio::test]
async fn an_update_is_redelivered_until_the_status_is_200() {
    let (tamtam, bot, alice) = start(Sandbox::builder().redelivery(Duration::from_millis(10))).await;
    let deliveries = deliveries(&tamtam);
    let webhook = Webhook::start().await;
    webhook.answers([500, 404, 302, 201, 204].map(Reply::Status));
    subscribe(&bot, &webhook.url(), &[UpdateType::MessageCreated]).await;
    alice.says("hi");
    tamtam.delivers().await;
    let statuses = [500, 404, 302, 201, 204, 200].into_iter().zip(1..);
    let expected: Vec<_> = statuses.map(|(status, attempt)| ("hi".to_owned(), attempt, Some(status))).collect();
    assert_eq!(*deliveries.lock().unwrap(), expected);
    assert!(webhook.bodies().windows(2).all(|pair| pair[0] == pair[1]), "all attempts have the same body");
}

#[tokio::test]
async fn a_redelivery_waits_for_the_default_pause() {
    let (tamtam, bot, alice) = start(Sandbox::builder()).await;
    let webhook = Webhook::start().await;
    webhook.answers([Reply::Status(500)]);
    subscribe(&bot, &webhook.url(), &[UpdateType::MessageCreated]).await;
    let started = Instant::now();
    alice.says("hi");
    tamtam.delivers().await;
    assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_refused_update_does_not_block_other_updates() {
    let (tamtam, bot, alice) = start(patient()).await;
    let webhook = Webhook::start().await;
    webhook.answers([Reply::Status(503)]);
    subscribe(&bot, &webhook.url(), &[UpdateType::MessageCreated]).await;
    for text in ["refused", "second", "third"] {
        alice.says(text);
    }
    until("all have been sent", async || got(&webhook).len() == 3).await;
    assert_eq!(got(&webhook), ["refused", "second", "third"]);
    tamtam.time_passes(NEVER);
    tamtam.delivers().await;
    assert_eq!(got(&webhook), ["refused", "second", "third", "refused"]);
}

#[tokio::test]
async fn a_webhook_gets_all_updates_after_an_outage() {
    let (tamtam, bot, alice) = start(patient()).await;
    let deliveries = deliveries(&tamtam);
    let (socket, url) = refusing();
    subscribe(&bot, &url, &[]).await;
    alice.says("hi");
    until("both have been tried", async || deliveries.lock().unwrap().len() == 2).await;
    assert!(deliveries.lock().unwrap().iter().all(|(_, attempt, status)| (*attempt, *status) == (1, None)));
    let webhook = Webhook::on(socket).await;
    tamtam.time_passes(NEVER);
    tamtam.delivers().await;
    let mut got = got(&webhook);
    got.sort();
    assert_eq!(got, ["bot_started", "hi"], "redeliveries come in any order");
}

#[tokio::test]
async fn an_update_is_redelivered_after_a_timeout_or_a_closed_connection() {
    let builder = Sandbox::builder().redelivery(Duration::from_millis(10)).delivery_timeout(Duration::from_secs(1));
    let (tamtam, bot, alice) = start(builder).await;
    let errors = Arc::<Mutex<Vec<_>>>::default();
    let seen = Arc::clone(&errors);
    tamtam.on_delivery(move |one| seen.lock().unwrap().extend(one.error().map(str::to_owned)));
    let webhook = Webhook::start().await;
    subscribe(&bot, &webhook.url(), &[UpdateType::MessageCreated]).await;
    webhook.answers([Reply::Nothing]);
    alice.says("hangs");
    tamtam.delivers().await;
    webhook.answers([Reply::Close]);
    alice.says("cut");
    tamtam.delivers().await;
    let errors = errors.lock().unwrap();
    assert!(errors.len() >= 2 && errors[0] == "no answer in 1s", "{errors:?}");
    assert!(errors.iter().any(|error| error.contains("connection closed")), "{errors:?}");
    let got = got(&webhook);
    assert!(got.len() >= 4 && got[..2] == ["hangs", "hangs"], "{got:?}");
}

#[tokio::test]
async fn a_subscription_is_removed_after_eight_hours_of_failed_deliveries() {
    let (tamtam, bot, alice) = start(patient()).await;
    let deliveries = deliveries(&tamtam);
    let (failing, fine) = (Webhook::start().await, Webhook::start().await);
    failing.answers([Reply::Status(500); 5]);
    subscribe(&bot, &failing.url(), &[UpdateType::MessageCreated]).await;
    subscribe(&bot, &fine.url(), &[UpdateType::BotStarted]).await;
    let before = bot.api().get_subscriptions().await.unwrap().subscriptions[0].time.unwrap();
    alice.says("hi");
    for hours in 0..4 {
        until("the update is delivered again", async || got(&failing).len() == 1 + hours).await;
        until("the attempt has failed", async || deliveries.lock().unwrap().len() == 2 + hours).await;
        tamtam.time_passes(2 * NEVER - MINUTE);
    }
    until("the update is delivered again", async || deliveries.lock().unwrap().len() == 6).await;
    assert_eq!(urls(&bot).await, [failing.url(), fine.url()], "four minutes are left");
    tamtam.time_passes(4 * MINUTE);
    assert_eq!(urls(&bot).await, [fine.url()]);
    tamtam.delivers().await;
    assert_eq!(got(&failing).len(), 5, "there must be no further attempt");
    bot.api().unsubscribe(fine.url()).await.unwrap();
    assert_eq!(polled(&bot).await, ["hi"], "the undelivered update can be polled");
    alice.says("later");
    let now = bot.api().get_updates().timeout(0).await.unwrap();
    let now = serde_json::to_value(&now.updates[1]).unwrap()["timestamp"].as_i64().unwrap();
    assert!(now >= before + i64::try_from(EIGHT_HOURS.as_millis()).unwrap(), "messages have the sandbox's time");
}

#[tokio::test]
async fn advancing_the_clock_beyond_its_maximum_panics() {
    let (tamtam, _, _) = start(patient()).await;
    let sandbox = Sandbox::clone(&tamtam);
    let panic = tokio::spawn(async move { sandbox.time_passes(Duration::MAX) }).await.unwrap_err().into_panic();
    assert!(panic.downcast_ref::<String>().unwrap().contains("the year 6300"));
}

#[tokio::test]
async fn waiting_for_failing_deliveries_panics_with_the_undelivered_updates() {
    let (tamtam, bot, alice) = start(patient().patience(Duration::from_millis(50))).await;
    let deliveries = deliveries(&tamtam);
    let webhook = Webhook::start().await;
    webhook.answers([Reply::Status(500); 2]);
    subscribe(&bot, &webhook.url(), &[]).await;
    alice.says("anybody?");
    until("both have been tried", async || deliveries.lock().unwrap().len() == 2).await;
    let waiting = tokio::spawn({
        let sandbox = Sandbox::clone(&tamtam);
        async move { sandbox.delivers().await }
    });
    let message = waiting.await.unwrap_err().into_panic().downcast_ref::<String>().unwrap().clone();
    let line = format!("{}: message_created: attempt 1 failed: status 500\n", webhook.url());
    assert!(message.contains("subscriptions.rs:"), "{message}");
    assert!(message.contains("not everything was delivered in 50ms:\n"), "{message}");
    assert!(message.contains(&line) && message.contains("Alice: anybody?"), "{message}");
}

#[tokio::test]
async fn a_panic_in_a_delivery_hook_does_not_affect_deliveries() {
    let (tamtam, bot, alice) = start(patient()).await;
    // Panics without a message in the output of the tests.
    tamtam.on_delivery(|_| std::panic::resume_unwind(Box::new("on purpose")));
    let webhook = Webhook::start().await;
    subscribe(&bot, &webhook.url(), &[]).await;
    alice.says("hi");
    tamtam.delivers().await;
    assert_eq!(got(&webhook), ["bot_started", "hi"]);
}

// ---- Webhook and polling --------------------------------------------------------------------------------------------

fn poll(bot: &Bot) -> JoinHandle<tamtam::Result<tamtam::types::UpdateList>> {
    let bot = bot.clone();
    tokio::spawn(async move { bot.api().get_updates().timeout(90).await })
}

#[tokio::test]
async fn polls_are_refused_while_a_webhook_is_subscribed() {
    let (tamtam, bot, alice) = start(patient()).await;
    let held = poll(&bot);
    tamtam.holds_polls(1).await;
    assert!(!held.is_finished());
    let webhook = Webhook::start().await;
    subscribe(&bot, &webhook.url(), &[]).await;
    let held = held.await.unwrap().unwrap_err();
    let asked = bot.api().get_updates().timeout(0).await.unwrap_err();
    for error in [held, asked] {
        assert_eq!(error.status().map(|status| status.as_u16()), Some(405), "{error}");
        assert_eq!(error.code().unwrap().as_str(), "method.not.allowed");
        assert!(error.message().unwrap().contains("unsubscribe"), "{error}");
        assert!(!error.is_retryable());
    }
    bot.api().unsubscribe(webhook.url()).await.unwrap();
    let held = poll(&bot);
    alice.starts();
    assert_eq!(held.await.unwrap().unwrap().updates.len(), 1);
    drop(tamtam);
}

#[tokio::test]
async fn a_refused_poll_commits_nothing() {
    let (_tamtam, bot, alice) = start(patient()).await;
    alice.says("hi");
    let marker = bot.api().get_updates().timeout(0).await.unwrap().marker.unwrap();
    let (_socket, url) = refusing();
    subscribe(&bot, &url, &[UpdateType::BotAdded]).await;
    bot.api().get_updates().marker(marker).await.unwrap_err();
    bot.api().unsubscribe(url).await.unwrap();
    assert_eq!(polled(&bot).await, ["bot_started", "hi"]);
}

#[tokio::test]
async fn a_new_webhook_gets_uncommitted_updates_but_not_committed_ones() {
    let (tamtam, bot, alice) = start(patient()).await;
    alice.says("committed");
    let marker = bot.api().get_updates().timeout(0).await.unwrap().marker.unwrap();
    bot.api().get_updates().timeout(0).marker(marker).await.unwrap();
    alice.says("seen and not committed");
    assert_eq!(polled(&bot).await, ["seen and not committed"]);
    alice.says("not seen");
    let webhook = Webhook::start().await;
    subscribe(&bot, &webhook.url(), &[]).await;
    alice.says("after");
    tamtam.delivers().await;
    assert_eq!(got(&webhook), ["seen and not committed", "not seen", "after"]);
    bot.api().unsubscribe(webhook.url()).await.unwrap();
    assert_eq!(polled(&bot).await, [""; 0]);
}

#[tokio::test]
async fn undelivered_updates_are_polled_in_order_after_unsubscribing() {
    let (tamtam, bot, alice) = start(patient()).await;
    let deliveries = deliveries(&tamtam);
    alice.starts();
    let page = bot.api().get_updates().timeout(0).await.unwrap();
    let webhook = Webhook::start().await;
    webhook.answers([Reply::Status(200), Reply::Status(500), Reply::Status(200), Reply::Status(500)]);
    subscribe(&bot, &webhook.url(), &[]).await;
    for text in ["refused", "taken", "refused too"] {
        alice.says(text);
    }
    until("all have been tried", async || deliveries.lock().unwrap().len() == 4).await;
    bot.api().unsubscribe(webhook.url()).await.unwrap();
    alice.says("after");
    let expected = ["refused", "refused too", "after"];
    assert_eq!(polled(&bot).await, expected);
    bot.api().get_updates().timeout(0).marker(page.marker.unwrap()).await.unwrap();
    assert_eq!(polled(&bot).await, expected, "the marker is older than all waiting updates");
    tamtam.time_passes(NEVER);
    tamtam.delivers().await;
    assert_eq!(got(&webhook).len(), 4, "polled updates must not be delivered");
}

#[tokio::test]
async fn an_update_whose_webhook_unsubscribes_is_not_polled_again() {
    let (tamtam, bot, alice) = start(patient()).await;
    let deliveries = deliveries(&tamtam);
    let webhook = Webhook::start().await;
    let (ending, url) = (bot.clone(), webhook.url());
    webhook.on_update(move |_| {
        let (bot, url) = (ending.clone(), url.clone());
        async move { bot.api().unsubscribe(url).await.unwrap() }
    });
    subscribe(&bot, &webhook.url(), &[UpdateType::MessageCreated]).await;
    alice.says("stop");
    until("the update is delivered", async || deliveries.lock().unwrap().len() == 1).await;
    until("only the start is left to poll", async || polled(&bot).await == ["bot_started"]).await;
}

#[tokio::test]
async fn switching_between_webhook_and_polling_loses_nothing() {
    let (tamtam, bot, alice) = start(Sandbox::builder().redelivery(Duration::from_millis(1))).await;
    let webhook = Webhook::start().await;
    let mut expected = Vec::new();
    let mut seen = Vec::new();
    alice.starts();
    for round in 0..20 {
        for number in 0..5 {
            expected.push(format!("{round}.{number}"));
            alice.says(expected.last().unwrap().as_str());
            webhook.answers([Reply::Status(200), Reply::Status(500), Reply::Close]);
            if number == 2 {
                subscribe(&bot, &webhook.url(), &[UpdateType::MessageCreated]).await;
            }
        }
        bot.api().unsubscribe(webhook.url()).await.unwrap();
        let page = bot.api().get_updates().timeout(0).limit(1000).await.unwrap();
        seen.extend(page.updates.iter().map(|update| told(&serde_json::to_value(update).unwrap())));
        bot.api().get_updates().timeout(0).marker(page.marker.unwrap()).await.unwrap();
    }
    seen.extend(got(&webhook));
    for text in expected {
        assert!(seen.contains(&text), "{text} is lost; the transcript:\n{}", tamtam.transcript());
    }
}

// ---- Shutdown -------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_sandbox_with_pending_deliveries_stops_at_once() {
    let tamtam = Sandbox::builder().redelivery(Duration::from_millis(1)).start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    let (hanging, failing) = (Webhook::start().await, Webhook::start().await);
    hanging.answers([Reply::Nothing; 3]);
    failing.answers([Reply::Status(500); 1000]);
    // The last host has no address, but its lookup may take long.
    for url in [hanging.url(), failing.url(), "http://nowhere.invalid/hook".to_owned()] {
        subscribe(&bot, &url, &[]).await;
    }
    alice.says("hi");
    until("the deliveries have begun", async || !hanging.bodies().is_empty() && failing.bodies().len() > 5).await;
    let witness = Arc::new(());
    let kept = Arc::clone(&witness);
    tamtam.on_delivery(move |_| assert!(Arc::strong_count(&kept) > 0));
    let started = Instant::now();
    drop((tamtam, alice));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    // The server and all running deliveries share the hooks.
    assert_eq!(Arc::strong_count(&witness), 1, "the server and all deliveries must have ended");
}
