//! The acts and control endpoints of MAX.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tamtam::Service;
use tamtam::mini_app::MiniApp;
use tamtam_sandbox::{RateLimit, Sandbox};
use tokio::sync::mpsc::unbounded_channel;

use super::unlimited;
use crate::client::{Api, keyboard, mid};
use crate::control::{Client, id};
use crate::webhook::{Reply, Webhook};

/// Creates a user. Returns its id and the beginning of the paths of its acts.
async fn user(client: &Client, name: &str) -> (i64, String) {
    let user = id(&client.post("/users", json!({ "name": name, "phone": "79990000000" })).await, "user_id");
    (user, format!("/users/{user}"))
}

#[tokio::test]
async fn the_sandbox_reports_the_service_max() {
    let client = Client::on(unlimited()).await;
    let about: Value = serde_json::from_str(&client.ask(Method::GET, "", None).await.1).unwrap();
    assert_eq!((&about["service"], &about["bots"][0]["token"]), (&json!("MAX"), &json!(client.tamtam.token())));
    let (_, alice) = user(&client, "Alice Liddell").await;
    client.post(&format!("{alice}/says"), json!({ "text": "hi" })).await;
    let sender = Api::of(&client.tamtam).updates().await.0.pop().unwrap()["message"]["sender"].clone();
    assert_eq!((&sender["first_name"], &sender["last_name"]), (&json!("Alice"), &json!("Liddell")));
}

#[tokio::test]
async fn people_write_formatted_messages() {
    let client = Client::on(unlimited()).await;
    let (_, alice) = user(&client, "Alice").await;
    for (text, format) in [("**hi**", json!("markdown")), ("<b>hi</b>", json!("html")), ("hi", Value::Null)] {
        let said = client.post(&format!("{alice}/says"), json!({ "text": text, "format": format })).await;
        let path = format!("/messages/{}", said["message_id"].as_str().unwrap());
        let body = Api::of(&client.tamtam).get(&path).await.ok()["body"].clone();
        assert_eq!((&body["text"], body.get("markup").is_some()), (&json!("hi"), !format.is_null()), "{format}");
    }
    let (status, why) = client.refused(&format!("{alice}/says"), json!({ "text": "hi", "format": "rtf" })).await;
    assert!((400..500).contains(&status) && why.contains("rtf"), "{why}");
}

#[tokio::test]
async fn comments_are_written_read_edited_and_deleted() {
    let client = Client::on(unlimited()).await;
    let api = Api::of(&client.tamtam);
    let (user, alice) = user(&client, "Alice").await;
    let news = json!({ "title": "News", "members": [user], "channel": true, "comments": true, "public_link": "news" });
    let news = id(&client.post("/chats", news).await, "chat_id");
    let post = mid(&api.post(news, json!({ "text": "post" })).await.ok()["message"]);
    let act = async |act: &str, mut fields: Value| {
        fields["chat_id"] = news.into();
        client.post(&format!("{alice}/{act}"), fields).await
    };
    let comment = act("comments", json!({ "message_id": post, "text": "first" })).await["message_id"].clone();
    let sees = async || act("sees_comments", json!({ "message_id": post })).await["texts"].clone();
    assert_eq!(sees().await, json!(["first"]));
    assert_eq!(api.get(&format!("/messages/{post}/comments")).await.ok()["messages"][0]["body"]["mid"], comment);
    act("edits", json!({ "message_id": comment, "text": "changed" })).await;
    assert_eq!(sees().await, json!(["changed"]));
    act("deletes", json!({ "message_id": comment })).await;
    assert_eq!(sees().await, json!([]));
    let lost = json!({ "message_id": "mid.1", "text": "x", "chat_id": news });
    let (status, why) = client.refused(&format!("{alice}/comments"), lost).await;
    assert_eq!((status, why.as_str()), (409, "Alice finds no message mid.1"));
}

#[tokio::test]
async fn comments_are_refused_outside_channels_of_max_and_no_chat_is_created() {
    for (client, channel) in [(Client::on(unlimited()).await, false), (Client::on(Sandbox::builder()).await, true)] {
        let (user, _) = user(&client, "Alice").await;
        let chat = json!({ "title": "News", "members": [user], "channel": channel, "comments": true });
        let (status, why) = client.refused("/chats", chat).await;
        assert_eq!(status, 400);
        assert!(why.starts_with("comments: ") && why.contains("channels on MAX"), "{why}");
        assert_eq!(client.transcript().await, "");
    }
}

#[tokio::test]
async fn dialogs_are_cleared_muted_and_removed() {
    let client = Client::on(unlimited()).await;
    let (_, alice) = user(&client, "Alice").await;
    let act = async |act: &str, fields: Value| client.post(&format!("{alice}/{act}"), fields).await;
    act("says", json!({ "text": "hi" })).await;
    act("clears", json!({})).await;
    assert_eq!(act("sees", json!({})).await["texts"], json!([]));
    act("mutes", json!({})).await;
    act("unmutes", json!({})).await;
    act("mutes", json!({ "duration_ms": 3_600_000 })).await;
    act("removes_dialog", json!({})).await;
    let (updates, _) = Api::of(&client.tamtam).updates().await;
    let kinds: Vec<_> = updates[2..].iter().map(|update| update["update_type"].as_str().unwrap()).collect();
    let expected =
        ["dialog_cleared", "dialog_muted", "dialog_unmuted", "dialog_muted", "dialog_removed", "bot_stopped"];
    assert_eq!(kinds, expected);
    assert_eq!(updates[3]["muted_until"], i64::MAX);
    let rest = updates[5]["muted_until"].as_i64().unwrap() - updates[5]["timestamp"].as_i64().unwrap();
    assert!((3_540_000..=3_600_000).contains(&rest), "{rest}");
    for act in ["clears", "mutes", "unmutes", "removes_dialog"] {
        let (status, why) = client.refused(&format!("{alice}/{act}"), json!({})).await;
        assert_eq!((status, why.as_str()), (409, "Alice has removed the dialog"), "{act}");
    }
    let (status, why) = client.refused(&format!("{alice}/mutes"), json!({ "seconds": 5 })).await;
    assert_eq!(status, 400, "{why}");
}

#[tokio::test]
async fn mini_apps_are_opened_and_voice_is_sent() {
    let client = Client::on(unlimited()).await;
    let api = Api::of(&client.tamtam);
    let (user, alice) = user(&client, "Alice").await;
    let check = |launch: &Value| {
        let mini_app = MiniApp::new(client.tamtam.token()).unwrap();
        let data = mini_app.check(launch["init_data"].as_str().unwrap()).unwrap();
        assert_eq!(data.user.unwrap().id.0, user);
        data.start_param
    };
    for (fields, expected) in
        [(json!({ "payload": "deal" }), Some("deal")), (json!({}), None), (json!({ "payload": "" }), None)]
    {
        assert_eq!(check(&client.post(&format!("{alice}/opens_app"), fields).await).as_deref(), expected);
    }
    client.post(&format!("{alice}/sends_voice"), json!({})).await;
    let voice = api.updates().await.0.pop().unwrap();
    assert_eq!((&voice["update_type"], voice.get("message")), (&json!("message_created"), None));
    let app = json!([[{ "type": "open_app", "text": "Open", "web_app": "sandbox_bot", "payload": "button" }]]);
    let body = json!({ "text": "?", "attachments": [keyboard(app)] });
    api.call("POST", &format!("/messages?user_id={user}"), body).await.ok();
    let pressed = client.post(&format!("{alice}/presses_app"), json!({ "button": "Open" })).await;
    assert_eq!(check(&pressed).as_deref(), Some("button"));
    assert_eq!(client.post(&format!("{alice}/presses"), json!({ "button": "Open" })).await, json!({}));
    let (status, _) = client.refused(&format!("{alice}/opens_app"), json!({ "payload": "a b" })).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn acts_of_one_service_are_refused_on_the_other() {
    let client = Client::on(Sandbox::builder()).await;
    let (_, alice) = user(&client, "Alice").await;
    client.post(&format!("{alice}/starts"), json!({})).await;
    for act in ["clears", "removes_dialog", "mutes", "unmutes", "sends_voice", "opens_app"] {
        let (status, why) = client.refused(&format!("{alice}/{act}"), json!({})).await;
        assert_eq!((status, why.contains("on TamTam, only on MAX")), (409, true), "{act}: {why}");
    }
    let client = Client::on(unlimited()).await;
    let (_, alice) = user(&client, "Alice").await;
    client.post(&format!("{alice}/starts"), json!({})).await;
    let (status, why) = client.refused(&format!("{alice}/opens_constructor"), json!({})).await;
    assert_eq!((status, why.contains("cannot open a constructor on MAX")), (409, true), "{why}");
    let fault = json!({ "operation": "construct", "fault": "reset" });
    let (status, why) = client.refused("/faults", fault).await;
    assert!(status == 400 && why.contains("the API has no construct") && why.contains("sendComment"), "{why}");
    client.post("/faults", json!({ "operation": "sendComment", "fault": "reset" })).await;
}

#[tokio::test]
async fn refused_requests_are_counted() {
    let limit = RateLimit::none().requests_per_second(1);
    let client = Client::on(unlimited().rate_limit(limit)).await;
    let count = async || {
        let (status, text) = client.ask(Method::GET, "/rate_limited", None).await;
        assert_eq!(status, 200);
        serde_json::from_str::<Value>(&text).unwrap()["refused"].as_u64().unwrap()
    };
    assert_eq!(count().await, 0);
    let api = Api::of(&client.tamtam);
    // Repeated, because a slow machine may need more than a second for two requests.
    while api.get("/me").await.status == 200 {}
    assert_eq!(count().await, 1);
    assert_eq!(client.tamtam.rate_limited(), 1);
    client.post("/clock", json!({ "advance_ms": 1_000 })).await;
    api.get("/me").await.ok();
}

#[tokio::test]
async fn settles_waits_until_the_bots_are_idle_or_returns_the_reason() {
    for service in [Service::TamTam, Service::Max] {
        let client = Client::on(crate::client::unlimited(&service).redelivery(Duration::from_secs(3_600))).await;
        let (_, alice) = user(&client, "Alice").await;
        client.post("/settles", json!({})).await;
        client.post(&format!("{alice}/says"), json!({ "text": "anybody?" })).await;
        let (status, why) = client.refused("/settles", json!({ "timeout_ms": 100 })).await;
        assert_eq!(status, 408);
        assert!(why.contains("not idle in 100ms:\nSandbox Bot: 2 updates are not polled and committed\n"), "{why}");

        let webhook = Webhook::start().await;
        webhook.answers([Reply::Status(200), Reply::Status(500)]);
        let (tell, mut told) = unbounded_channel();
        client.tamtam.on_delivery(move |delivery| tell.send(delivery.status()).unwrap());
        let api = Api::of(&client.tamtam);
        api.call("POST", "/subscriptions", json!({ "url": webhook.url() })).await.ok();
        for status in [200, 500] {
            assert_eq!(told.recv().await.unwrap(), Some(status));
        }
        let (status, why) = client.refused("/settles", json!({ "timeout_ms": 100 })).await;
        assert!(status == 408 && why.contains("message_created: attempt 1 failed: status 500\n"), "{why}");
        client.post("/clock", json!({ "advance_ms": 3_600_000 })).await;
        assert_eq!(client.ask(Method::POST, "/settles", None).await.0, 200);
    }
}
