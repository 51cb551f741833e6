//! Chats and pins: refused requests, and their errors.

use serde_json::{Value, json};
use tamtam_sandbox::Group;

use super::{dialog, promote};
use crate::client::{Answer, Api, mid};

/// Sends a request of every operation on a group. `message` may be the id of a message in another chat.
async fn ask_all(api: &Api, chat: i64, message: &str) -> Vec<(&'static str, Answer)> {
    let chats = format!("/chats/{chat}");
    let requests = [
        ("editChat", "PATCH", String::new(), json!({ "title": "New" })),
        ("getPinnedMessage", "GET", "/pin".to_owned(), Value::Null),
        ("pinMessage", "PUT", "/pin".to_owned(), json!({ "message_id": message })),
        ("unpinMessage", "DELETE", "/pin".to_owned(), Value::Null),
        ("getMembership", "GET", "/members/me".to_owned(), Value::Null),
        ("leaveChat", "DELETE", "/members/me".to_owned(), Value::Null),
        ("getAdmins", "GET", "/members/admins".to_owned(), Value::Null),
        ("postAdmins", "POST", "/members/admins".to_owned(), json!({ "admins": [] })),
        ("deleteAdmins", "DELETE", "/members/admins/1".to_owned(), Value::Null),
        ("getMembers", "GET", "/members".to_owned(), Value::Null),
        ("addMembers", "POST", "/members".to_owned(), json!({ "user_ids": [1] })),
        ("removeMember", "DELETE", "/members?user_id=1".to_owned(), Value::Null),
    ];
    let mut answers = Vec::new();
    for (name, method, path, body) in requests {
        answers.push((name, api.call(method, &format!("{chats}{path}"), body).await));
    }
    answers
}

/// The operations that refuse the id of a missing chat as an invalid parameter.
const INVALID: [&str; 4] = ["getPinnedMessage", "pinMessage", "unpinMessage", "getAdmins"];

#[tokio::test]
async fn a_chat_without_the_bot_is_not_found() {
    let (max, api, alice) = dialog().await;
    let helper = max.add_bot("Helper", "helper_bot");
    let with_helper = alice.with_bot(&helper);
    with_helper.starts();
    for chat in [0, 1, -1, with_helper.chat_id().0, max.user("Bob").chat_id().0] {
        let message = api.get(&format!("/chats/{chat}")).await.fails(404, "chat.not.found");
        assert_eq!(message, format!("Chat {chat} not found"));
        let action = json!({ "action": "typing_on" });
        api.call("POST", &format!("/chats/{chat}/actions"), action).await.fails(404, "chat.not.found");
        api.post(chat, json!({ "text": "a" })).await.fails(404, "chat.not.found");
        api.get(&format!("/messages?chat_id={chat}")).await.fails(404, "chat.not.found");
        for (name, answer) in ask_all(&api, chat, "mid.1").await {
            let (status, code) = if INVALID.contains(&name) { (400, "proto.payload") } else { (404, "chat.not.found") };
            assert_eq!((answer.status, &answer.json["code"]), (status, &json!(code)), "{name}");
        }
    }
}

#[tokio::test]
async fn operations_on_groups_are_refused_in_a_dialog() {
    let (_max, api, alice) = dialog().await;
    let said = alice.says("hi");
    for (name, answer) in ask_all(&api, alice.chat_id().0, said.as_str()).await {
        assert_eq!(answer.status, 400, "{name}");
        answer.fails(400, "proto.payload");
    }
    assert_eq!(api.get(&format!("/chats/{}", alice.chat_id())).await.ok()["status"], "active");
}

#[tokio::test]
async fn a_bot_that_is_no_longer_a_member_is_denied() {
    let (max, api, alice) = dialog().await;
    for is_channel in [false, true] {
        let found = if is_channel { max.channel("News", [&alice]) } else { max.group("Team", [&alice]) };
        let chat = found.chat_id().0;
        let said = alice.in_chat(&found).says("hi");
        alice.in_chat(&found).removes_bot();
        assert_eq!(api.get(&format!("/chats/{chat}")).await.ok()["status"], "removed");
        for (name, answer) in ask_all(&api, chat, said.as_str()).await {
            assert_eq!(answer.status, 403, "{name}");
            assert_eq!(answer.fails(403, "chat.denied"), "chat.no.permission.because.not.member", "{name}");
        }
        api.post(chat, json!({ "text": "a" })).await.fails(403, "chat.denied");
        api.get(&format!("/messages?chat_id={chat}")).await.fails(403, "chat.denied");
        let action = json!({ "action": "typing_on" });
        api.call("POST", &format!("/chats/{chat}/actions"), action).await.fails(403, "chat.denied");
        api.get(&format!("/messages/{said}")).await.fails(404, "not.found");
        api.get(&format!("/messages?message_ids={said}")).await.fails(404, "not.found");
        alice.in_chat(&found).adds_bot();
        api.delete(&format!("/chats/{chat}/members/me")).await.ok();
        assert_eq!(api.get(&format!("/chats/{chat}")).await.ok()["status"], "left");
    }
}

/// Changes a chat.
async fn edit(api: &Api, group: &Group, patch: Value) -> Answer {
    api.call("PATCH", &format!("/chats/{}", group.chat_id()), patch).await
}

#[tokio::test]
async fn an_edit_changes_only_the_given_fields() {
    let (max, api, alice) = dialog().await;
    let team = max.group("Team", [&alice]);
    let pinned = api.say(team.chat_id().0, "pin me").await;
    let all = json!({ "title": "New", "description": "About", "icon": { "url": "https://x/i.png" }, "pin": pinned });
    let chat = edit(&api, &team, all).await.ok();
    assert_eq!((&chat["title"], &chat["description"]), (&json!("New"), &json!("About")));
    assert_eq!((&chat["icon"]["url"], mid(&chat["pinned_message"])), (&json!("https://x/i.png"), pinned));
    let none = json!({ "title": null, "description": null, "icon": null, "pin": null, "notify": null });
    assert_eq!(edit(&api, &team, none).await.ok(), chat);
    assert_eq!(edit(&api, &team, json!({ "description": "" })).await.ok()["description"], Value::Null);
    for blank in ["", " ", "\u{200B}\u{3000}", &"x".repeat(201)] {
        edit(&api, &team, json!({ "title": blank })).await.fails(400, "proto.payload");
    }
    edit(&api, &team, json!({ "pin": "mid.1" })).await.fails(400, "proto.payload");
    edit(&api, &team, json!({ "icon": {} })).await.fails(400, "proto.payload");
    assert_eq!(team.title(), "New");
}

#[tokio::test]
async fn editing_a_chat_and_pinning_require_different_rights() {
    let (max, api, alice) = dialog().await;
    let team = max.group("Team", [&alice]);
    let pin = json!({ "pin": api.say(team.chat_id().0, "pin me").await });
    promote(&team, &["read_all_messages", "change_chat_info"]);
    edit(&api, &team, json!({ "title": "New" })).await.ok();
    edit(&api, &team, pin.clone()).await.fails(403, "chat.denied");
    promote(&team, &["read_all_messages", "pin_message"]);
    edit(&api, &team, json!({ "title": "Newer" })).await.fails(403, "chat.denied");
    edit(&api, &team, pin.clone()).await.fails(403, "chat.denied");
    promote(&team, &["change_chat_info", "pin_message"]);
    edit(&api, &team, pin).await.ok();
    team.demotes_bot();
    edit(&api, &team, json!({ "title": "Newest" })).await.fails(403, "chat.denied");
    assert_eq!(team.title(), "New");
}

#[tokio::test]
async fn a_pin_requires_a_message_of_the_chat_and_the_right() {
    let (max, api, alice) = dialog().await;
    let team = max.group("Team", [&alice]);
    let path = format!("/chats/{}/pin", team.chat_id());
    let (here, there) = (api.say(team.chat_id().0, "a").await, api.say(alice.chat_id().0, "b").await);
    for wrong in ["mid.1", "x", &there] {
        api.call("PUT", &path, json!({ "message_id": wrong })).await.fails(400, "proto.payload");
    }
    assert_eq!(api.delete(&path).await.refused(), "There is no pinned message");
    promote(&team, &["read_all_messages"]);
    api.call("PUT", &path, json!({ "message_id": here })).await.fails(403, "chat.denied");
    api.delete(&path).await.fails(403, "chat.denied");
    promote(&team, &["pin_message"]);
    api.call("PUT", &path, json!({ "message_id": here })).await.ok();
    let other = api.say(team.chat_id().0, "c").await;
    api.call("PUT", &path, json!({ "message_id": other, "notify": false })).await.ok();
    assert_eq!(mid(&api.get(&path).await.ok()["message"]), other, "the new pin replaces the old one");
}
