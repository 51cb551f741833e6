//! Members of groups.

use serde_json::{Value, json};

use crate::client::dialog;

fn ids(list: &Value) -> Vec<i64> {
    list["members"].as_array().unwrap().iter().map(|one| one["user_id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn the_bot_can_read_its_own_membership() {
    let (tamtam, api, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let path = format!("/chats/{}/members/me", team.chat_id().0);
    let me = api.get(&path).await.ok();
    assert_eq!(
        (&me["user_id"], &me["is_admin"], &me["is_owner"]),
        (&json!(tamtam.bot_id().0), &json!(true), &json!(false))
    );
    assert_eq!(me["permissions"].as_array().unwrap().len(), 6);
    team.demotes_bot();
    let me = api.get(&path).await.ok();
    assert_eq!((&me["permissions"], &me["is_admin"]), (&json!(null), &json!(false)));
    api.get(&format!("/chats/{}/members/me", alice.chat_id().0)).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn a_bot_has_no_access_after_it_left_a_chat() {
    let (tamtam, api, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let path = format!("/chats/{}/members/me", team.chat_id().0);
    api.delete(&path).await.ok();
    assert_eq!(api.get(&format!("/chats/{}", team.chat_id().0)).await.ok()["status"], "left");
    api.get(&path).await.fails(403, "chat.denied");
    api.post(team.chat_id().0, json!({ "text": "a" })).await.fails(403, "chat.denied");
    api.drain().await;
    let alice = alice.in_chat(&team);
    alice.says("nobody hears");
    assert_eq!(api.kinds().await, Vec::<String>::new());
    alice.adds_bot();
    assert_eq!(api.kinds().await, ["bot_added"]);
    alice.removes_bot();
    assert_eq!(api.kinds().await, ["bot_added", "bot_removed"]);
    assert_eq!(api.get(&format!("/chats/{}", team.chat_id().0)).await.ok()["status"], "removed");
}

#[tokio::test]
async fn only_administrators_can_list_administrators() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    let team = tamtam.group("Team", [&alice, &bob]);
    let path = format!("/chats/{}/members/admins", team.chat_id().0);
    let mut expected = vec![alice.user_id().0, tamtam.bot_id().0];
    expected.sort_unstable();
    assert_eq!(ids(&api.get(&path).await.ok()), expected);
    team.demotes_bot();
    api.get(&path).await.fails(403, "chat.denied");
    alice.in_chat(&team).removes_bot();
    api.get(&path).await.fails(403, "chat.denied");
    api.get("/chats/-1/members/admins").await.fails(400, "proto.payload");
    api.get(&format!("/chats/{}/members/admins", alice.chat_id().0)).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn members_are_listed_in_pages_or_by_ids() {
    let (tamtam, api, alice) = dialog().await;
    let people: Vec<_> = (0..4).map(|number| tamtam.user(number.to_string())).collect();
    let team = tamtam.group("Team", std::iter::once(&alice).chain(&people));
    let path = format!("/chats/{}/members", team.chat_id().0);
    let (mut marker, mut found) = (String::new(), Vec::new());
    loop {
        let page = api.get(&format!("{path}?count=4&marker={marker}&user_ids=")).await.ok();
        found.extend(ids(&page));
        if page["marker"].is_null() {
            break;
        }
        marker = page["marker"].to_string();
    }
    assert_eq!(found.len(), 6);
    let (a, b) = (alice.user_id().0, tamtam.bot_id().0);
    for comma in [",", "%2C"] {
        let page = api.get(&format!("{path}?user_ids={a}{comma}{b}{comma}1&count=1")).await.ok();
        assert_eq!((ids(&page), &page["marker"]), (vec![a, b], &json!(null)));
    }
    api.get(&format!("{path}?user_ids=a")).await.fails(400, "proto.payload");
    team.demotes_bot();
    api.get(&path).await.ok();
}

#[tokio::test]
async fn adding_nobody_or_a_member_is_refused_with_a_200() {
    let (tamtam, api, alice) = dialog().await;
    let (bob, team) = (tamtam.user("Bob"), tamtam.group("Team", [&alice]));
    let path = format!("/chats/{}/members", team.chat_id().0);
    let add = async |ids: Value| api.call("POST", &path, json!({ "user_ids": ids })).await;
    assert_eq!(add(json!([bob.user_id().0])).await.ok(), json!({ "success": true }));
    add(json!([bob.user_id().0])).await.refused();
    add(json!([])).await.refused();
    add(json!([1])).await.refused();
    add(json!(null)).await.fails(400, "proto.payload");
    add(json!(["a"])).await.fails(400, "proto.payload");
    team.demotes_bot();
    add(json!([1])).await.fails(403, "chat.denied");
}

#[tokio::test]
async fn a_blocked_user_cannot_join_again() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    let team = tamtam.group("Team", [&alice, &bob]);
    let path = format!("/chats/{}/members", team.chat_id().0);
    let bob_path = format!("{path}?user_id={}", bob.user_id().0);
    api.delete(&bob_path).await.ok();
    api.delete(&bob_path).await.refused();
    bob.in_chat(&team).joins();
    api.delete(&format!("{bob_path}&block=True")).await.ok();
    let back = std::panic::catch_unwind(|| bob.in_chat(&team).joins());
    assert!(back.is_err());
    api.call("POST", &path, json!({ "user_ids": [bob.user_id().0] })).await.refused();
    api.delete(&format!("{path}?user_id={}", alice.user_id().0)).await.fails(403, "chat.denied");
    api.delete(&path).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn the_bot_gets_updates_about_joining_and_leaving_members() {
    let (tamtam, api, alice) = dialog().await;
    let (bob, team) = (tamtam.user("Bob"), tamtam.group("Team", [&alice]));
    api.drain().await;
    let (alice, bob) = (alice.in_chat(&team), bob.in_chat(&team));
    bob.joins();
    bob.leaves();
    alice.adds(&bob);
    alice.removes(&bob);
    alice.renames_chat("Crew");
    let (updates, _) = api.updates().await;
    assert_eq!(api.kinds().await, ["user_added", "user_removed", "user_added", "user_removed", "chat_title_changed"]);
    assert_eq!(updates[0]["inviter_id"], json!(null));
    assert!(updates[1].get("admin_id").is_none());
    assert_eq!(updates[2]["inviter_id"], alice.user_id().0);
    assert_eq!(updates[3]["admin_id"], alice.user_id().0);
    assert_eq!(updates[4]["title"], "Crew");
}

#[tokio::test]
async fn an_administrator_can_delete_messages_of_others() {
    let (tamtam, api, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let alice = alice.in_chat(&team);
    let (first, second) = (alice.says("a"), alice.says("b"));
    api.delete(&format!("/messages?message_id={first}")).await.ok();
    assert_eq!(alice.sees(), ["b"]);
    team.demotes_bot();
    api.delete(&format!("/messages?message_id={second}")).await.fails(403, "access.denied");
}
