//! Administrators: their appointment, rights, and maximum number.

use serde_json::{Value, json};

use super::{dialog, promote};

/// The maximum of administrators of a chat.
const MOST: usize = 50;

/// An administrator to appoint.
fn admin(user: tamtam::UserId, permissions: Value) -> Value {
    json!({ "user_id": user.0, "permissions": permissions })
}

#[tokio::test]
async fn new_rights_replace_the_old_rights_of_an_administrator() {
    let (max, api, alice) = dialog().await;
    let bob = max.user("Bob");
    let team = max.group("Team", [&alice, &bob]);
    let path = format!("/chats/{}/members/admins", team.chat_id());
    let bobs = async || {
        let list = api.get(&path).await.ok();
        list["members"].as_array().unwrap().iter().find(|one| one["user_id"] == bob.user_id().0).cloned()
    };
    assert_eq!(bobs().await, None);
    let mut first = admin(bob.user_id(), json!(["can_call", "can_call"]));
    first["alias"] = json!("Boss");
    assert_eq!(api.call("POST", &path, json!({ "admins": [first] })).await.ok(), json!({ "success": true }));
    let one = bobs().await.unwrap();
    assert_eq!((&one["permissions"], &one["alias"]), (&json!(["can_call"]), &json!("Boss")));
    let second = admin(bob.user_id(), json!(["view_stats"]));
    api.call("POST", &path, json!({ "admins": [second] })).await.ok();
    let one = bobs().await.unwrap();
    assert_eq!((&one["permissions"], one.get("alias")), (&json!(["view_stats"]), None));
    let withdrawn = format!("{path}/{}", bob.user_id());
    assert_eq!(api.delete(&withdrawn).await.ok(), json!({ "success": true }));
    assert_eq!(bobs().await, None);
    assert_eq!(api.delete(&withdrawn).await.refused(), "User is not an administrator");
}

#[tokio::test]
async fn some_rights_require_the_right_to_read() {
    let (max, api, alice) = dialog().await;
    let bob = max.user("Bob");
    let path = format!("/chats/{}/members/admins", max.group("Team", [&alice, &bob]).chat_id());
    let post = async |rights: Value| api.call("POST", &path, json!({ "admins": [admin(bob.user_id(), rights)] })).await;
    for right in ["edit", "delete", "write", "pin_message"] {
        let message = post(json!(["can_call", right])).await.fails(400, "proto.payload");
        assert_eq!(message, format!("permissions: {right} needs read_all_messages"));
        post(json!([right, "read_all_messages"])).await.ok();
    }
    for right in ["add_remove_members", "add_admins", "change_chat_info", "edit_link", "can_call", "view_stats"] {
        post(json!([right])).await.ok();
    }
    post(json!(["fly"])).await.fails(400, "proto.payload");
    post(json!([])).await.ok();
}

#[tokio::test]
async fn only_members_are_appointed_and_a_request_fails_as_a_whole() {
    let (max, api, alice) = dialog().await;
    let (bob, stranger) = (max.user("Bob"), max.user("Mallory"));
    let team = max.group("Team", [&alice, &bob]);
    let path = format!("/chats/{}/members/admins", team.chat_id());
    let before = api.get(&path).await.ok();
    for other in [stranger.user_id(), tamtam::UserId(1)] {
        let admins = json!({ "admins": [admin(bob.user_id(), json!([])), admin(other, json!([]))] });
        let message = api.call("POST", &path, admins).await.fails(403, "access.denied");
        assert_eq!(message, format!("User {other} is not participant of chat {}", team.chat_id()));
        let message = api.delete(&format!("{path}/{other}")).await.fails(403, "access.denied");
        assert!(message.contains("is not participant of chat"), "{message}");
    }
    let owner = json!({ "admins": [admin(alice.user_id(), json!([]))] });
    api.call("POST", &path, owner).await.fails(403, "chat.denied");
    api.delete(&format!("{path}/{}", alice.user_id())).await.fails(403, "chat.denied");
    assert_eq!(
        api.get(&path).await.ok()["members"].as_array().unwrap().len(),
        before["members"].as_array().unwrap().len()
    );
}

#[tokio::test]
async fn appointing_requires_add_admins_and_listing_requires_an_administrator() {
    let (max, api, alice) = dialog().await;
    let bob = max.user("Bob");
    let team = max.group("Team", [&alice, &bob]);
    let path = format!("/chats/{}/members/admins", team.chat_id());
    let admins = json!({ "admins": [admin(bob.user_id(), json!([]))] });
    promote(&team, &["read_all_messages", "add_remove_members"]);
    api.call("POST", &path, admins.clone()).await.fails(403, "chat.denied");
    api.delete(&format!("{path}/{}", bob.user_id())).await.fails(403, "chat.denied");
    api.get(&path).await.ok();
    promote(&team, &["add_admins"]);
    api.call("POST", &path, admins.clone()).await.ok();
    team.demotes_bot();
    for answer in [api.call("POST", &path, admins).await, api.get(&path).await] {
        assert_eq!(answer.fails(403, "chat.denied"), "chat.no.permission.because.not.admin");
    }
}

#[tokio::test]
async fn a_chat_has_at_most_fifty_administrators() {
    let (max, api, alice) = dialog().await;
    let people: Vec<_> = (0..MOST).map(|number| max.user(number.to_string())).collect();
    let team = max.group("Team", std::iter::once(&alice).chain(&people));
    let path = format!("/chats/{}/members/admins", team.chat_id());
    let count = async || api.get(&path).await.ok()["members"].as_array().unwrap().len();
    let post = async |admins: Vec<Value>| api.call("POST", &path, json!({ "admins": admins })).await;
    let all: Vec<_> = people.iter().map(|one| admin(one.user_id(), json!([]))).collect();
    // The owner and the bot count, too.
    let message = post(all[..MOST - 1].to_vec()).await.refused();
    assert_eq!((message.as_str(), count().await), ("A chat has at most 50 administrators", 2));
    post(all[..MOST - 2].to_vec()).await.ok();
    assert_eq!(count().await, MOST);
    post(all[MOST - 2..].to_vec()).await.refused();
    post(all[..MOST - 2].to_vec()).await.ok();
    api.delete(&format!("{path}/{}", people[0].user_id())).await.ok();
    post(all[MOST - 1..].to_vec()).await.ok();
    assert_eq!(count().await, MOST);
}
