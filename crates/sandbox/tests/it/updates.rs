//! Long polling.

use std::time::{Duration, Instant};

use serde_json::json;

use tokio::time::timeout;

use crate::client::dialog;

/// Longer than a message takes to wake a poll, and shorter than a poll of 30 s.
const WOKEN: Duration = Duration::from_millis(600);

#[tokio::test]
async fn acts_of_people_send_updates() {
    let (_tamtam, api, alice) = dialog().await;
    let mid = alice.says("a").0;
    alice.edits(&mid, "b");
    alice.deletes(&mid);
    let (updates, _) = api.updates().await;
    assert_eq!(api.kinds().await, ["bot_started", "message_created", "message_edited", "message_removed"]);
    assert_eq!(updates[0]["user"]["name"], "Alice");
    assert_eq!(updates[0]["chat_id"], alice.chat_id().0);
    assert_eq!(updates[1]["message"]["body"]["mid"], mid);
    assert_eq!(updates[1]["message"]["body"]["text"], "a");
    assert_eq!(updates[1]["user_locale"], "en");
    assert_eq!(updates[2]["message"]["body"]["text"], "b");
    assert_eq!((&updates[3]["message_id"], &updates[3]["user_id"]), (&json!(mid), &json!(alice.user_id().0)));
    let times: Vec<_> = updates.iter().map(|update| update["timestamp"].as_i64().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[tokio::test]
async fn a_deep_link_sends_its_payload_unless_it_is_too_long() {
    let (_tamtam, api, alice) = dialog().await;
    api.drain().await;
    alice.starts_with("promo");
    alice.starts_with(&"x".repeat(129));
    let (updates, _) = api.updates().await;
    assert_eq!((&updates[0]["payload"], &updates[1]["payload"]), (&json!("promo"), &json!(null)));
}

#[tokio::test]
async fn a_bot_gets_no_updates_about_its_own_actions() {
    let (_tamtam, api, alice) = dialog().await;
    let mid = api.say(alice.chat_id().0, "a").await;
    api.call("PUT", &format!("/messages?message_id={mid}"), json!({ "text": "b" })).await.ok();
    api.delete(&format!("/messages?message_id={mid}")).await.ok();
    assert_eq!(api.kinds().await, ["bot_started"]);
}

#[tokio::test]
async fn a_marker_commits_and_a_poll_without_a_marker_returns_all_uncommitted_updates() {
    let (_tamtam, api, alice) = dialog().await;
    for text in ["a", "b", "c"] {
        alice.says(text);
    }
    let page = api.get("/updates?timeout=0&limit=2").await.ok();
    assert_eq!(page["updates"].as_array().unwrap().len(), 2);
    assert_eq!(api.kinds().await.len(), 4, "nothing is committed yet");
    let marker = &page["marker"];
    for _ in 0..2 {
        let next = api.get(&format!("/updates?timeout=0&marker={marker}")).await.ok();
        assert_eq!(next["updates"].as_array().unwrap().len(), 2);
    }
    assert_eq!(api.kinds().await.len(), 2);
    for harmless in ["0", "-1", "null", "", "9223372036854775806"] {
        api.get(&format!("/updates?timeout=0&marker={harmless}")).await.ok();
    }
    alice.says("after a marker of the future");
    assert_eq!(api.kinds().await.len(), 1);
}

#[tokio::test]
async fn an_empty_page_has_a_valid_marker() {
    let (_tamtam, api, alice) = dialog().await;
    let (_, marker) = api.updates().await;
    let empty = api.get(&format!("/updates?timeout=0&marker={marker}")).await.ok();
    assert_eq!(empty, json!({ "updates": [], "marker": marker }));
    alice.says("a");
    let (updates, _) = api.updates().await;
    assert_eq!(updates.len(), 1);
}

#[tokio::test]
async fn a_poll_is_held_until_there_is_an_update() {
    let (tamtam, api, alice) = dialog().await;
    api.drain().await;
    let polling = api.clone();
    let poll = tokio::spawn(async move { polling.get("/updates").await.ok() });
    tamtam.holds_polls(1).await;
    assert!(!poll.is_finished());
    alice.says("wake up");
    // The message ends the poll, long before its timeout of 30 s.
    let page = timeout(WOKEN, poll).await.expect("the message must wake the poll").unwrap();
    assert_eq!(page["updates"][0]["message"]["body"]["text"], "wake up");
}

#[tokio::test]
async fn a_poll_returns_an_empty_page_after_its_timeout() {
    let (_tamtam, api, _) = dialog().await;
    api.drain().await;
    let started = Instant::now();
    let page = api.get("/updates?timeout=1").await.ok();
    assert_eq!(page["updates"], json!([]));
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_poll_with_types_is_not_ended_by_other_updates() {
    let (tamtam, api, alice) = dialog().await;
    let mid = alice.says("a").0;
    alice.edits(&mid, "b");
    for comma in [",", "%2C"] {
        let page = api.get(&format!("/updates?types=message_edited{comma}message_removed")).await.ok();
        assert_eq!(page["updates"].as_array().unwrap().len(), 1);
        assert_eq!(page["updates"][0]["update_type"], "message_edited");
    }
    let polling = api.clone();
    let poll = tokio::spawn(async move { polling.get("/updates?types=message_removed").await.ok() });
    tamtam.holds_polls(1).await;
    alice.says("c");
    // A second poll with the same types comes after the message, and is held, too.
    let polling = api.clone();
    let later = tokio::spawn(async move { polling.get("/updates?types=message_removed").await.ok() });
    tamtam.holds_polls(2).await;
    assert!(!poll.is_finished());
    alice.deletes(&mid);
    assert_eq!(later.await.unwrap()["updates"][0]["update_type"], "message_removed");
    assert_eq!(poll.await.unwrap()["updates"][0]["update_type"], "message_removed");
}

#[tokio::test]
async fn an_update_answers_all_held_polls() {
    let (tamtam, api, alice) = dialog().await;
    api.drain().await;
    let polls: Vec<_> = (0..5)
        .map(|_| {
            let api = api.clone();
            tokio::spawn(async move { api.get("/updates").await.ok() })
        })
        .collect();
    tamtam.holds_polls(polls.len()).await;
    alice.says("all");
    for poll in polls {
        assert_eq!(poll.await.unwrap()["updates"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_disconnected_client_loses_no_updates() {
    let (tamtam, api, alice) = dialog().await;
    api.drain().await;
    let polling = api.clone();
    let poll = tokio::spawn(async move { polling.get("/updates").await });
    tamtam.holds_polls(1).await;
    poll.abort();
    alice.says("kept");
    assert_eq!(api.kinds().await, ["message_created"]);
}

#[tokio::test]
async fn an_update_has_the_text_from_before_a_later_edit() {
    let (_tamtam, api, alice) = dialog().await;
    let mid = alice.says("before").0;
    alice.edits(&mid, "after");
    let (updates, _) = api.updates().await;
    assert_eq!(updates[1]["message"]["body"]["text"], "before");
}

#[tokio::test]
async fn a_stopped_bot_gets_no_updates_of_its_dialog() {
    let (_tamtam, api, alice) = dialog().await;
    let mid = alice.says("a").0;
    alice.stops();
    api.drain().await;
    alice.edits(&mid, "b");
    alice.deletes(&mid);
    assert_eq!(api.kinds().await, Vec::<String>::new());
}
