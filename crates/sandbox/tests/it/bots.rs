//! Several bots in one sandbox.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use axum::{Router, routing::post};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{callback, dialog, keyboard};

#[tokio::test]
async fn every_bot_has_its_own_token_and_dialogs() {
    let (tamtam, api, alice) = dialog().await;
    let helper = tamtam.add_bot("Helper", "helper_bot");
    let other = api.of_bot(&helper);
    assert_ne!(helper.token(), api.token);
    let me = other.get("/me").await.ok();
    assert_eq!((&me["user_id"], &me["username"]), (&json!(helper.bot_id().0), &json!("helper_bot")));
    let with_helper = alice.with_bot(&helper);
    assert_ne!(alice.chat_id(), with_helper.chat_id());
    assert_eq!(other.kinds().await, [""; 0]);
    other.post(with_helper.chat_id().0, json!({ "text": "a" })).await.fails(404, "chat.not.found");

    api.drain().await;
    let said = with_helper.says("for the helper");
    assert_eq!(other.kinds().await, ["bot_started", "message_created"]);
    assert_eq!(api.kinds().await, [""; 0]);
    api.get(&format!("/messages/{said}")).await.fails(404, "not.found");
    api.post(with_helper.chat_id().0, json!({ "text": "a" })).await.fails(404, "chat.not.found");
    other.say(with_helper.chat_id().0, "from the helper").await;
    assert_eq!(with_helper.reads().await.text(), "from the helper");
    assert_eq!(alice.sees(), [""; 0]);
    let _ = alice.clone().with_username("alice");
    for (api, chat) in [(&api, alice.chat_id()), (&other, with_helper.chat_id())] {
        assert_eq!(api.get("/chats/@alice").await.ok()["chat_id"], chat.0);
    }
    let told = tamtam.transcript();
    assert!(told.starts_with("(Alice) Alice starts Echo\n(Alice, Helper) Alice starts Helper\n"), "{told}");
    let again = catch_unwind(AssertUnwindSafe(|| drop(tamtam.add_bot("Other", "helper_bot"))));
    assert!(again.unwrap_err().downcast_ref::<String>().unwrap().contains("@helper_bot"));
}

#[tokio::test]
async fn a_polling_bot_and_a_webhook_bot_get_the_same_updates_of_a_chat() {
    let (tamtam, api, alice) = dialog().await;
    let helper = tamtam.add_bot("Helper", "helper_bot");
    let other = api.of_bot(&helper);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let arrived = Arc::new(Mutex::new(Vec::<Value>::new()));
    let seen = arrived.clone();
    let hook = post(async move |body: String| {
        seen.lock().unwrap().push(serde_json::from_str(&body).unwrap());
        "OK"
    });
    tokio::spawn(axum::serve(listener, Router::new().route("/hook", hook)).into_future());
    other.call("POST", "/subscriptions", json!({ "url": url })).await.ok();

    let team = tamtam.group("Team", [&alice]);
    let alice = alice.in_chat(&team);
    alice.with_bot(&helper).adds_bot();
    api.drain().await;
    alice.says("hello bots");
    other.say(team.chat_id().0, "hello bot").await;
    tamtam.delivers().await;
    let (polled, _) = api.updates().await;
    assert_eq!(
        polled.iter().map(|one| &one["message"]["body"]["text"]).collect::<Vec<_>>(),
        ["hello bots", "hello bot"]
    );
    let arrived = arrived.lock().unwrap();
    assert_eq!(arrived[0]["update_type"], "bot_added");
    assert_eq!(arrived[1], polled[0], "both bots must get the same update");
    assert_eq!(arrived.len(), 2, "a bot must not get its own message");
}

#[tokio::test]
async fn a_button_press_goes_only_to_the_bot_of_the_message() {
    let (tamtam, api, alice) = dialog().await;
    let helper = tamtam.add_bot("Helper", "helper_bot");
    let other = api.of_bot(&helper);
    let team = tamtam.group("Team", [&alice]);
    let alice = alice.in_chat(&team);
    alice.with_bot(&helper).adds_bot();
    let keys = keyboard(json!([[callback("Yes", "y")]]));
    other.post(team.chat_id().0, json!({ "text": "?", "attachments": [keys] })).await.ok();
    api.drain().await;
    alice.presses("Yes");
    assert_eq!(api.kinds().await, [""; 0]);
    let pressed = other.updates().await.0.pop().unwrap();
    let path = format!("/answers?callback_id={}", pressed["callback"]["callback_id"].as_str().unwrap());
    api.call("POST", &path, json!({ "notification": "x" })).await.fails(404, "not.found");
    other.call("POST", &path, json!({ "notification": "mine" })).await.ok();
    assert_eq!(alice.reads_notification().await, "mine");
    alice.with_bot(&helper).removes_bot();
    other.post(team.chat_id().0, json!({ "text": "a" })).await.fails(403, "chat.denied");
    api.say(team.chat_id().0, "still here").await;
}

#[tokio::test]
async fn only_the_bot_of_a_constructor_can_answer_it() {
    let (tamtam, api, alice) = dialog().await;
    let helper = tamtam.add_bot("Helper", "helper_bot");
    let other = api.of_bot(&helper);
    let team = tamtam.group("Team", [&alice]);
    let card = alice.in_chat(&team).with_bot(&helper).opens_constructor();
    let path = format!("/answers/constructor?session_id={}", card.session_id());
    let body = json!({ "messages": [{ "text": "card" }] });
    api.call("POST", &path, body.clone()).await.fails(404, "not.found");
    other.call("POST", &path, body).await.ok();
    card.posts();
    assert_eq!(other.kinds().await, ["message_construction_request", "message_constructed"]);
    let created = api.updates().await.0.pop().unwrap();
    assert_eq!(created["message"]["constructor"]["name"], "Helper");
}
