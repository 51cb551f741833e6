//! Webhooks: accepted URLs, deliveries, and updates that are delivered only by webhook.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::post;
use serde_json::{Value, json};
use tamtam::{Bot, Update};
use tamtam_sandbox::Person;
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;

use super::tls::TlsProxy;
use super::{dialog, promote};
use crate::client::{Api, mid};
use crate::conformance::Checked;
use crate::document;
use crate::webhook::Webhook;

const SECRET: &str = "s3cret-_";

async fn subscribe(api: &Api, body: Value) {
    assert_eq!(api.call("POST", "/subscriptions", body).await.ok(), json!({ "success": true }));
}

/// Returns a sandbox, a client, a webhook for all later updates, and Alice in an open dialog.
async fn scene() -> (Checked, Api, Webhook, Person) {
    let (max, api, alice) = dialog().await;
    api.drain().await;
    let webhook = Webhook::start().await;
    subscribe(&api, json!({ "url": webhook.url() })).await;
    (max, api, webhook, alice)
}

/// Returns the updates that a webhook got.
fn got(webhook: &Webhook) -> Vec<Value> {
    webhook.bodies().iter().map(|body| serde_json::from_str(body).unwrap()).collect()
}

fn kinds(updates: &[Value]) -> Vec<&str> {
    updates.iter().map(|update| update["update_type"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_secret_is_sent_unchanged_and_never_listed() {
    let (max, api, webhook, alice) = scene().await;
    let heads = || -> Vec<String> {
        let requests = webhook.requests();
        requests.iter().map(|request| request.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase()).collect()
    };
    alice.says("without");
    max.delivers().await;
    assert!(!heads()[0].contains("x-max-bot-api-secret"), "{}", heads()[0]);
    for secret in [SECRET, "12345", &"x".repeat(256)] {
        subscribe(&api, json!({ "url": webhook.url(), "secret": secret })).await;
        alice.says("with");
        max.delivers().await;
        let head = heads().pop().unwrap();
        assert!(head.contains(&format!("\r\nx-max-bot-api-secret: {secret}\r\n")), "{head}");
        assert!(!head.contains(max.token()) && !head.contains("authorization"), "{head}");
        let list = api.get("/subscriptions").await;
        assert!(!list.text.contains(secret), "{}", list.text);
        let one = &list.ok()["subscriptions"][0];
        assert_eq!(one.as_object().unwrap().keys().collect::<Vec<_>>(), ["url", "time", "update_types"]);
    }
    subscribe(&api, json!({ "url": webhook.url() })).await;
    alice.says("without again");
    max.delivers().await;
    assert!(!heads().pop().unwrap().contains("x-max-bot-api-secret"));
    for wrong in ["1234", "a blank!", "ёжикё", &"x".repeat(257)] {
        let body = json!({ "url": webhook.url(), "secret": wrong });
        assert!(api.call("POST", "/subscriptions", body).await.fails(400, "proto.payload").starts_with("secret: "));
    }
}

#[tokio::test]
async fn updates_about_comments_and_bot_rights_are_delivered_only_by_webhook() {
    let (max, api, webhook, alice) = scene().await;
    let news = max.channel("News", [&alice]).with_comments();
    let post = api.say(news.chat_id().0, "post").await;
    let alice = alice.in_chat(&news);
    let happen = || {
        let comment = alice.comments(post.as_str(), "a");
        alice.edits(&comment, "b");
        alice.deletes(&comment);
        promote(&news, &["read_all_messages", "write"]);
        news.demotes_bot();
        news.promotes_bot();
    };
    happen();
    max.delivers().await;
    let updates = got(&webhook);
    let rights = "bot_admin_permissions_changed";
    let expected = ["bot_added", "comment_created", "comment_edited", "comment_removed", rights, rights, rights];
    assert_eq!(kinds(&updates), expected);
    for (update, text) in [(&updates[1], "a"), (&updates[2], "b")] {
        let message = &update["message"];
        assert_eq!((&message["body"]["text"], &message["recipient"]["post_id"]), (&json!(text), &json!(post)));
        assert_eq!(message["sender"]["user_id"], alice.user_id().0);
    }
    let removed = &updates[3];
    assert_eq!((&removed["message_id"], &removed["post_id"]), (&json!(mid(&updates[1]["message"])), &json!(post)));
    assert_eq!((&removed["chat_id"], &removed["user_id"]), (&json!(news.chat_id().0), &json!(alice.user_id().0)));
    let lost = updates[5].as_object().unwrap();
    assert_eq!((&lost["bot_id"], &lost["user_id"]), (&json!(max.bot_id().0), &json!(alice.user_id().0)));
    assert_eq!((&lost["is_admin"], &lost["is_channel"], lost.get("permissions")), (&json!(false), &json!(true), None));
    assert_eq!(updates[4]["permissions"], json!(["read_all_messages", "write"]));

    api.delete(&format!("/subscriptions?url={}", webhook.url())).await.ok();
    happen();
    assert_eq!(api.kinds().await, [""; 0]);
    subscribe(&api, json!({ "url": webhook.url() })).await;
    alice.says("later");
    max.delivers().await;
    assert_eq!(kinds(&got(&webhook)[7..]), ["message_created"], "an update without a receiver is not kept");
}

#[tokio::test]
async fn updates_about_comments_require_the_right_to_read_and_exclude_own_comments() {
    let (max, api, webhook, alice) = scene().await;
    let news = max.channel("News", [&alice]).with_comments();
    let comments = format!("/messages/{}/comments", api.say(news.chat_id().0, "post").await);
    let own = api.call("POST", &comments, json!({ "text": "own" })).await.ok();
    let own = format!("{comments}?comment_id={}", mid(&own["message"]));
    api.call("PUT", &own, json!({ "text": "own" })).await.ok();
    api.delete(&own).await.ok();
    max.delivers().await;
    assert_eq!(kinds(&got(&webhook)), ["bot_added"]);
    promote(&news, &["write", "can_call"]);
    alice.in_chat(&news).comments(comments.split('/').nth(2).unwrap(), "hidden");
    max.delivers().await;
    assert_eq!(kinds(&got(&webhook)), ["bot_added", "bot_admin_permissions_changed"]);
}

#[tokio::test]
async fn an_update_about_bot_rights_names_the_appointing_bot() {
    let (max, api, _webhook, alice) = scene().await;
    let helper = max.add_bot("Helper", "helper_bot");
    let hook = Webhook::start().await;
    subscribe(&api.of_bot(&helper), json!({ "url": hook.url() })).await;
    let team = max.group("Team", [&alice]);
    alice.in_chat(&team).with_bot(&helper).adds_bot();
    let admins = format!("/chats/{}/members/admins", team.chat_id());
    let appointed = json!({ "admins": [{ "user_id": helper.bot_id().0, "permissions": ["can_call"] }] });
    api.call("POST", &admins, appointed).await.ok();
    api.delete(&format!("{admins}/{}", helper.bot_id())).await.ok();
    max.delivers().await;
    let updates = got(&hook);
    assert_eq!(kinds(&updates), ["bot_added", "bot_admin_permissions_changed", "bot_admin_permissions_changed"]);
    assert_eq!((&updates[1]["user_id"], &updates[1]["permissions"]), (&json!(max.bot_id().0), &json!(["can_call"])));
    assert_eq!((&updates[2]["bot_id"], &updates[2]["is_admin"]), (&json!(helper.bot_id().0), &json!(false)));
}

#[tokio::test]
async fn only_types_of_the_document_can_be_subscribed() {
    let (_max, api, _) = dialog().await;
    let document = document::load("max");
    let mapping = &document["components"]["schemas"]["Update"]["discriminator"]["mapping"];
    let types: Vec<_> = mapping.as_object().unwrap().keys().collect();
    assert_eq!(types.len(), 19);
    let url = "https://bot.example/hook";
    // No update waits, so nothing is sent to this URL.
    api.drain().await;
    subscribe(&api, json!({ "url": url, "update_types": types })).await;
    assert_eq!(api.get("/subscriptions").await.ok()["subscriptions"][0]["update_types"], json!(types));
    for other in ["message_construction_request", "message_constructed", "message_chat_created", "moon_risen", ""] {
        let body = json!({ "url": url, "update_types": [other] });
        let message = api.call("POST", "/subscriptions", body).await.fails(400, "proto.payload");
        assert!(message.starts_with("update_types"), "{message}");
    }
}

#[tokio::test]
async fn a_url_must_be_https_or_on_this_machine() {
    let (_max, api, _) = dialog().await;
    api.drain().await;
    for url in ["http://bot.example/hook", "http://bot.example:443", "ftp://127.0.0.1/", "bot.example", "https://", ""]
    {
        let message = api.call("POST", "/subscriptions", json!({ "url": url })).await.fails(400, "proto.payload");
        assert!(message.starts_with("url: "), "{url}: {message}");
    }
    let taken = ["https://bot.example", "https://bot.example:8443/hook", "http://127.0.0.1:1/hook", "https://[::1]:1/"];
    for url in taken {
        subscribe(&api, json!({ "url": url })).await;
    }
    let list = api.get("/subscriptions").await.ok();
    assert_eq!(list["subscriptions"].as_array().unwrap().iter().map(|one| &one["url"]).collect::<Vec<_>>(), taken);
    api.get("/updates?timeout=0").await.fails(405, "method.not.allowed");
    for url in taken {
        api.delete(&format!("/subscriptions?url={url}")).await.ok();
    }
    assert_eq!(
        api.delete(&format!("/subscriptions?url={}", taken[0])).await.refused(),
        format!("{} is not subscribed", taken[0])
    );
}

#[tokio::test]
async fn a_url_with_another_port_than_443_is_accepted_but_gets_no_updates() {
    let (max, api, alice) = dialog().await;
    api.drain().await;
    let (tell, mut told) = unbounded_channel();
    max.on_delivery(move |delivery| tell.send((delivery.status(), delivery.error().map(str::to_owned))).unwrap());
    subscribe(&api, json!({ "url": "https://bot.example:8443/hook" })).await;
    alice.says("hi");
    assert_eq!(told.recv().await.unwrap(), (None, Some("MAX sends nothing to this port".to_owned())));
    api.delete("/subscriptions?url=https://bot.example:8443/hook").await.ok();
    assert_eq!(api.kinds().await, ["message_created"]);
}

#[tokio::test]
async fn an_https_url_on_this_machine_reaches_a_plain_http_server() {
    let (max, api, alice) = dialog().await;
    api.drain().await;
    let bodies = Arc::<Mutex<Vec<String>>>::default();
    let seen = Arc::clone(&bodies);
    let take = post(async move |body: String| {
        seen.lock().unwrap().push(body);
        "OK"
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", take)).into_future());
    subscribe(&api, json!({ "url": url, "secret": SECRET })).await;
    for text in ["one", "two"] {
        alice.says(text);
        max.delivers().await;
    }
    let bodies = bodies.lock().unwrap();
    assert_eq!(bodies.len(), 2);
    assert!(bodies[0].contains("one") && bodies[1].contains("two"), "{bodies:?}");
}

#[tokio::test]
async fn an_https_url_on_this_machine_reaches_a_server_with_a_self_signed_certificate() {
    let (max, api, alice) = dialog().await;
    api.drain().await;
    let webhook = Webhook::start().await;
    let plain = webhook.url();
    let (host, path) = plain.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let proxy = TlsProxy::to(host.to_owned()).await;
    subscribe(&api, json!({ "url": format!("https://{}/{path}", proxy.host()), "secret": SECRET })).await;
    for text in ["one", "two"] {
        alice.says(text);
        max.delivers().await;
    }
    let updates = got(&webhook);
    assert_eq!(updates.iter().map(|one| one["message"]["body"]["text"].clone()).collect::<Vec<_>>(), ["one", "two"]);
    let request = webhook.requests()[0].to_ascii_lowercase();
    assert!(request.contains(&format!("\r\nhost: {}\r\n", proxy.host())), "{request}");
    assert!(request.contains(&format!("\r\nx-max-bot-api-secret: {SECRET}\r\n")), "{request}");
}

#[tokio::test]
async fn the_webhook_of_the_sdk_works_with_a_secret() {
    let (max, api, alice) = dialog().await;
    api.drain().await;
    let bot = max.bot();
    let path = format!("/{}", "0f6b1c9e8d7a4b3c".repeat(4));
    let webhook = tamtam::webhook::Webhook::new(bot.clone(), path).unwrap().secret(SECRET).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("https://{}", listener.local_addr().unwrap());
    let subscribing = webhook.subscribe(origin, []);
    let router = webhook.router(async |bot: Bot, update: Update| {
        if let Update::MessageCreated(created) = &update
            && let Some(message) = &created.message
        {
            bot.reply(message, "Got it").await?;
        }
        Ok::<_, tamtam::Error>(())
    });
    tokio::spawn(axum::serve(listener, router).into_future());
    subscribing.await.unwrap();
    alice.says("hi");
    assert_eq!(alice.reads().await.text(), "Got it");
    max.delivers().await;
}
