//! Operations on chats and members, on the sandbox.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tamtam::{UserId, types::PhotoAttachmentRequestPayload};
use tamtam_sandbox::Sandbox;

use crate::{
    common::{answering_json, bot},
    conformance,
};

/// Collects the request bodies of an operation from now on.
fn bodies(tamtam: &Sandbox, operation: &'static str) -> Arc<Mutex<Vec<Value>>> {
    let bodies = Arc::<Mutex<Vec<Value>>>::default();
    let kept = Arc::clone(&bodies);
    tamtam.on_exchange(move |exchange| {
        if exchange.operation() == Some(operation) {
            kept.lock().unwrap().push(serde_json::from_slice(exchange.request_body()).unwrap());
        }
    });
    bodies
}

#[tokio::test]
async fn a_message_is_pinned_with_and_without_notification() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    let team = tamtam.group("Team", [&alice]);
    let mid = alice.in_chat(&team).says("rules");
    let sent = bodies(&tamtam, "pinMessage");
    bot.pin(team.chat_id(), &mid).await.unwrap();
    bot.pin(team.chat_id(), &mid).notify(false).await.unwrap();
    bot.pin(team.chat_id(), &mid).notify(true).await.unwrap();
    let notify: Vec<_> = sent.lock().unwrap().iter().map(|body| body["notify"].as_bool()).collect();
    assert_eq!(notify, [None, Some(false), Some(true)]);
    let pinned = bot.pinned(team.chat_id()).await.unwrap().message.unwrap();
    assert_eq!(pinned.text(), Some("rules"));
    bot.unpin(team.chat_id()).await.unwrap();
    assert!(bot.pinned(team.chat_id()).await.unwrap().message.is_none());
    assert!(bot.unpin(team.chat_id()).await.unwrap_err().is_refused());
}

#[tokio::test]
async fn a_chat_gets_a_title_and_an_icon_by_file_url_or_token() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    let team = tamtam.group("Team", [&alice]);
    let sent = bodies(&tamtam, "editChat");
    let chat = bot.rename(team.chat_id(), "Team A").notify(false).await.unwrap();
    assert_eq!(chat.title.as_deref(), Some("Team A"));
    let uploaded = bot.upload_photo(b"\x89PNG").await.unwrap();
    let token = uploaded.payload.photos.as_ref().unwrap().values().next().unwrap().token.clone();
    let first = bot.set_icon(team.chat_id(), uploaded).await.unwrap().icon.unwrap();
    let by_url = PhotoAttachmentRequestPayload::new().url("https://example.org/icon.png");
    let second = bot.set_icon(team.chat_id(), by_url).await.unwrap().icon.unwrap();
    let by_token = PhotoAttachmentRequestPayload::new().token(token);
    let third = bot.set_icon(team.chat_id(), by_token).notify(false).await.unwrap().icon.unwrap();
    assert_ne!(first.url, second.url);
    assert_eq!(first.url, third.url);
    let sent = sent.lock().unwrap();
    assert_eq!(sent[0], serde_json::json!({"title": "Team A", "notify": false}));
    assert!(sent[1]["icon"]["photos"].is_object() && sent[1].get("notify").is_none());
    assert_eq!(sent[2]["icon"]["url"], "https://example.org/icon.png");
    assert!(sent[3]["icon"]["token"].is_string() && sent[3]["notify"] == false);
}

#[tokio::test]
async fn members_are_added_removed_and_blocked() {
    let tamtam = conformance::start().await;
    let (bot, alice, bob) = (tamtam.bot(), tamtam.user("Alice"), tamtam.user("Bob"));
    let chat = tamtam.group("Team", [&alice]).chat_id();
    let is_in = async || bot.members(chat).all().await.unwrap().iter().any(|member| member.name == "Bob");
    bot.add_members(chat, [bob.user_id()]).await.unwrap();
    assert!(is_in().await);
    assert!(bot.add_members(chat, [bob.user_id()]).await.unwrap_err().is_refused());
    bot.remove_member(chat, bob.user_id()).await.unwrap();
    assert!(!is_in().await);
    bot.add_members(chat, [bob.user_id()]).await.unwrap();
    bot.block_member(chat, bob.user_id()).await.unwrap();
    assert!(bot.add_members(chat, [bob.user_id()]).await.unwrap_err().is_refused());
    assert!(!is_in().await);
}

#[tokio::test]
async fn a_bot_reads_its_rights_and_leaves() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    let team = tamtam.group("Team", [&alice]);
    assert!(bot.membership(team.chat_id()).await.unwrap().is_admin);
    assert_eq!(bot.admins(team.chat_id()).await.unwrap().members.len(), 2);
    assert_eq!(bot.chat(team.chat_id()).await.unwrap().title.as_deref(), Some("Team"));
    team.demotes_bot();
    assert!(!bot.membership(team.chat_id()).await.unwrap().is_admin);
    assert!(bot.admins(team.chat_id()).await.unwrap_err().is_forbidden());
    bot.leave(team.chat_id()).await.unwrap();
    assert!(bot.membership(team.chat_id()).await.is_err());
}

#[tokio::test]
async fn the_answer_lists_users_who_could_not_be_added() {
    let answer = json!({
        "success": true,
        "message": "",
        "failed_user_ids": [102, 103],
        "failed_user_details": [{"error_code": "add.participant.privacy", "user_ids": [102, 103]}],
    });
    let server = answering_json(&answer).await;
    let added = bot(&server).add_members(-7, [101, 102, 103]).await.unwrap();
    assert_eq!(added.failed_user_ids, Some(vec![UserId(102), UserId(103)]));
    let details = added.failed_user_details.unwrap();
    assert_eq!((details[0].error_code.as_str(), details[0].user_ids.len()), ("add.participant.privacy", 2));
    for answer in [json!({"success": true}), json!({"success": true, "failed_user_ids": null})] {
        let server = answering_json(&answer).await;
        assert_eq!(bot(&server).add_members(-7, [101]).await.unwrap().failed_user_ids, None);
    }
    let answer = json!({"success": false, "message": "nobody", "failed_user_ids": [101]});
    let server = answering_json(&answer).await;
    let error = bot(&server).add_members(-7, [101]).await.unwrap_err();
    assert!(error.is_refused());
    assert_eq!(error.to_string(), "addMembers: refused: nobody");
}
