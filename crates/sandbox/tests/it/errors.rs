//! The known errors of the server: their statuses, codes and messages.

use serde_json::{Value, json};

use tamtam_sandbox::Fault;

use crate::client::{Answer, dialog, keyboard, mid};

/// Returns a message body with a photo of this payload.
fn image(payload: Value) -> Value {
    json!({ "attachments": [{ "type": "image", "payload": payload }] })
}

#[tokio::test]
async fn an_invalid_request_is_a_400_with_the_reason() {
    let (_tamtam, api, alice) = dialog().await;
    let chat = alice.chat_id().0;
    let file = json!({ "type": "file", "payload": {} });
    for (body, message) in [
        (json!({ "text": "a".repeat(4001) }), "text: size must be between 0 and 4000"),
        (image(json!({})), "No photos, url or token provided"),
        (json!({ "attachments": [file] }), "Missing token in file attachment"),
        (json!({ "attachments": [file, file] }), "Must be only one file attachment in message"),
        (json!([]), "Can't deserialize body"),
        (json!({ "attachments": [keyboard(json!([[]]))] }), "buttons: must not be empty"),
    ] {
        assert_eq!(api.post(chat, body).await.fails(400, "proto.payload"), message);
    }
    for path in ["/messages", "/messages?chat_id=1&user_id=1"] {
        let message = api.call("POST", path, json!({ "text": "a" })).await.fails(400, "proto.payload");
        assert_eq!(message, "Unknown recipient");
    }
}

#[tokio::test]
async fn unprocessed_media_is_a_400_with_one_of_two_codes() {
    let (tamtam, api, alice) = dialog().await;
    tamtam.uploads().set_not_ready(2);
    let url = api.call("POST", "/uploads?type=file", json!({})).await.ok()["url"].as_str().unwrap().to_owned();
    // A form written by hand. The upload client has its own tests.
    let form = "--b\r\nContent-Disposition: form-data; name=\"data\"; filename=\"a.txt\"\r\n\r\nabc\r\n--b--\r\n";
    let upload = reqwest::Client::new().post(url).header("Content-Type", "multipart/form-data; boundary=b").body(form);
    let uploaded: Value = serde_json::from_str(&upload.send().await.unwrap().text().await.unwrap()).unwrap();
    let body = json!({ "attachments": [{ "type": "file", "payload": { "token": uploaded["token"] } }] });
    let mut said = Vec::new();
    for code in ["attachment.not.ready", "proto.payload"] {
        said.push(api.post(alice.chat_id().0, body.clone()).await.fails(400, code));
    }
    assert_eq!(said, ["", "Key: errors.process.attachment.file.not.processed"]);
    api.post(alice.chat_id().0, body).await.ok();
}

#[tokio::test]
async fn a_forbidden_request_is_a_403_with_a_message_for_each_case() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    let team = tamtam.group("Team", [&alice, &bob]);
    let theirs = alice.in_chat(&team).says("mine");
    let bobs = json!({ "user_ids": [bob.user_id().0] });
    let members = format!("/chats/{}/members", team.chat_id());

    alice.stops();
    let stopped = api.post(alice.chat_id().0, json!({ "text": "a" })).await;
    assert_eq!(stopped.fails(403, "chat.denied"), "error.dialog.suspended");

    let edit = api.call("PUT", &format!("/messages?message_id={theirs}"), json!({ "text": "yours" })).await;
    assert_eq!(edit.fails(403, "access.denied"), "Access denied");
    team.demotes_bot();
    let delete = api.delete(&format!("/messages?message_id={theirs}")).await;
    assert_eq!(delete.fails(403, "access.denied"), "Access denied");
    let add = api.call("POST", &members, bobs).await;
    assert_eq!(add.fails(403, "chat.denied"), "chat.no.permission.because.not.admin");
    let admins = api.get(&format!("{members}/admins")).await;
    assert_eq!(admins.fails(403, "chat.denied"), "chat.no.permission.because.not.admin");

    api.delete(&format!("{members}/me")).await.ok();
    let left = api.post(team.chat_id().0, json!({ "text": "a" })).await;
    assert_eq!(left.fails(403, "chat.denied"), "chat.no.permission.because.not.member");
}

#[tokio::test]
async fn a_missing_item_is_a_404_with_its_own_code() {
    let (tamtam, api, _) = dialog().await;
    let stranger = tamtam.user("Stranger").user_id();
    let text = json!({ "text": "a" });
    let found = |answer: Answer, code: &str| answer.fails(404, code);
    assert_eq!(found(api.get("/chats/-1").await, "chat.not.found"), "Chat -1 not found");
    assert_eq!(found(api.get("/chats/nobody").await, "chat.not.found"), "Chat nobody not found");
    let path = format!("/messages?user_id={stranger}");
    assert_eq!(found(api.call("POST", &path, text.clone()).await, "not.found"), "dialog.not.found");
    assert_eq!(found(api.get("/messages/mid.0").await, "not.found"), "Message mid.0 not found");
    let answer = api.call("POST", "/answers?callback_id=x", json!({ "notification": "a" })).await;
    assert_eq!(found(answer, "not.found"), "Callback x not found");
    assert_eq!(found(api.get("/x").await, "method.not.found"), "Path /x is not recognized");
}

#[tokio::test]
async fn a_wrong_token_is_a_401_and_a_poll_with_a_webhook_is_a_405() {
    let (_tamtam, mut api, _) = dialog().await;
    api.call("POST", "/subscriptions", json!({ "url": "https://bot.example/hook" })).await.ok();
    let message = api.get("/updates?timeout=0").await.fails(405, "method.not.allowed");
    assert!(message.contains("webhook"), "{message}");
    api.token = "other".to_owned();
    assert_eq!(api.get("/me").await.fails(401, "verify.token"), "Invalid access_token");
}

#[tokio::test]
async fn faults_answer_like_overloaded_servers() {
    let (tamtam, api, _) = dialog().await;
    for (status, code) in [(429, "too.many.requests"), (500, "internal.error"), (503, "service.unavailable")] {
        tamtam.fails("getMyInfo", Fault::status(status));
        api.get("/me").await.fails(status, code);
    }
    tamtam.fails("getMyInfo", Fault::answer(503, "<html>Sorry</html>"));
    let by_a_proxy = api.request("GET", "/me").send().await.unwrap();
    assert_eq!(by_a_proxy.status(), 503);
    assert_eq!(by_a_proxy.text().await.unwrap(), "<html>Sorry</html>");
}

#[tokio::test]
async fn a_refused_action_is_a_200_with_success_false() {
    let (tamtam, api, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let (chat, members) = (team.chat_id(), format!("/chats/{}/members", team.chat_id()));
    let posted = mid(&api.post(chat.0, json!({ "text": "a" })).await.ok()["message"]);
    let nobody = api.call("POST", &members, json!({ "user_ids": [] })).await.refused();
    let there = api.call("POST", &members, json!({ "user_ids": [alice.user_id().0] })).await.refused();
    let emptied = api.call("PUT", &format!("/messages?message_id={posted}"), json!({ "text": "" })).await.refused();
    let unpinned = api.delete(&format!("/chats/{chat}/pin")).await.refused();
    let unsubscribed = api.delete("/subscriptions?url=https://x").await.refused();
    for message in [nobody, there, emptied, unpinned, unsubscribed] {
        assert!(!message.is_empty());
    }
}
