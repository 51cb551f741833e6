//! Members of groups and channels: the rights to list, add and remove them.

use serde_json::{Value, json};

use super::{dialog, promote};

fn ids(list: &Value) -> Vec<i64> {
    list["members"].as_array().unwrap().iter().map(|one| one["user_id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn listing_members_requires_an_administrator_in_channels_but_not_in_groups() {
    let (max, api, alice) = dialog().await;
    let (team, news) = (max.group("Team", [&alice]), max.channel("News", [&alice]));
    for (group, is_seen) in [(&team, true), (&news, false)] {
        let path = format!("/chats/{}/members", group.chat_id());
        assert_eq!(ids(&api.get(&path).await.ok()).len(), 2);
        promote(group, &["read_all_messages"]);
        assert_eq!(ids(&api.get(&path).await.ok()).len(), 2);
        group.demotes_bot();
        for path in [path.clone(), format!("{path}?user_ids={}", alice.user_id())] {
            let answer = api.get(&path).await;
            if is_seen {
                assert!(ids(&answer.ok()).contains(&alice.user_id().0));
            } else {
                assert_eq!(answer.fails(403, "chat.denied"), "chat.no.permission.because.not.admin");
            }
        }
    }
}

#[tokio::test]
async fn the_membership_of_the_bot_has_its_rights() {
    let (max, api, alice) = dialog().await;
    let team = max.group("Team", [&alice]);
    let path = format!("/chats/{}/members/me", team.chat_id());
    let me = api.get(&path).await.ok();
    let all = [
        "read_all_messages",
        "add_remove_members",
        "add_admins",
        "change_chat_info",
        "pin_message",
        "write",
        "edit_link",
        "edit",
        "delete",
        "can_call",
        "view_stats",
    ];
    assert_eq!((&me["permissions"], &me["is_admin"], &me["is_owner"]), (&json!(all), &json!(true), &json!(false)));
    promote(&team, &["delete", "read_all_messages"]);
    assert_eq!(api.get(&path).await.ok()["permissions"], json!(["delete", "read_all_messages"]));
    team.demotes_bot();
    let me = api.get(&path).await.ok();
    assert_eq!((&me["permissions"], &me["is_admin"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn users_who_cannot_be_added_are_returned_with_the_reason() {
    let (max, api, alice) = dialog().await;
    let [bob, carol, dave] = ["Bob", "Carol", "Dave"].map(|name| max.user(name));
    let team = max.group("Team", [&alice, &bob, &carol]);
    alice.in_chat(&team).blocks(&carol);
    let path = format!("/chats/{}/members", team.chat_id());
    let add = async |ids: Value| api.call("POST", &path, json!({ "user_ids": ids })).await;
    let (bob, carol, dave) = (bob.user_id().0, carol.user_id().0, dave.user_id().0);

    let failed = add(json!([1, bob, 2, carol])).await.ok();
    assert_eq!((&failed["success"], failed["message"].is_string()), (&json!(false), true));
    assert_eq!(failed["failed_user_ids"], json!([1, 2, bob, carol]));
    let details = json!([
        { "error_code": "add.participant.not.found", "user_ids": [1, 2] },
        { "error_code": "add.participant.privacy", "user_ids": [bob, carol] },
    ]);
    assert_eq!(failed["failed_user_details"], details);

    let mixed = add(json!([dave, 1, dave])).await.ok();
    assert_eq!((&mixed["success"], mixed.get("message")), (&json!(true), None));
    assert_eq!(mixed["failed_user_details"], json!([{ "error_code": "add.participant.not.found", "user_ids": [1] }]));
    assert!(ids(&api.get(&path).await.ok()).contains(&dave));
    assert_eq!(add(json!([])).await.ok()["success"], false);
}

#[tokio::test]
async fn adding_members_requires_a_right_and_is_refused_in_channels() {
    let (max, api, alice) = dialog().await;
    let bob = max.user("Bob");
    let (team, news) = (max.group("Team", [&alice]), max.channel("News", [&alice]));
    let added = json!({ "user_ids": [bob.user_id().0] });
    api.call("POST", &format!("/chats/{}/members", news.chat_id()), added.clone()).await.fails(403, "access.denied");
    let path = format!("/chats/{}/members", team.chat_id());
    promote(&team, &["read_all_messages", "add_admins"]);
    api.call("POST", &path, added.clone()).await.fails(403, "chat.denied");
    api.delete(&format!("{path}?user_id={}", alice.user_id())).await.fails(403, "chat.denied");
    promote(&team, &["add_remove_members"]);
    assert_eq!(api.call("POST", &path, added).await.ok(), json!({ "success": true }));
    api.delete(&format!("{path}?user_id={}", bob.user_id())).await.ok();
    api.delete(&format!("{path}?user_id={}", bob.user_id())).await.refused();
    api.delete(&format!("{path}?user_id={}", alice.user_id())).await.fails(403, "chat.denied");
    // Members of a channel can be removed.
    bob.in_chat(&news).joins();
    api.delete(&format!("/chats/{}/members?user_id={}", news.chat_id(), bob.user_id())).await.ok();
}

#[tokio::test]
async fn updates_of_a_group_require_the_right_to_read() {
    let (max, api, alice) = dialog().await;
    let bob = max.user("Bob");
    let team = max.group("Team", [&alice]);
    let told = async || {
        api.drain().await;
        bob.in_chat(&team).joins();
        let said = bob.in_chat(&team).says("hi");
        bob.in_chat(&team).edits(&said, "ho");
        bob.in_chat(&team).deletes(&said);
        bob.in_chat(&team).leaves();
        api.kinds().await
    };
    let all = ["user_added", "message_created", "message_edited", "message_removed", "user_removed"];
    assert_eq!(told().await, all);
    promote(&team, &["read_all_messages"]);
    assert_eq!(told().await, all);
    promote(&team, &["add_remove_members", "write"]);
    assert_eq!(told().await, [""; 0]);
    team.demotes_bot();
    assert_eq!(told().await, [""; 0]);
    team.promotes_bot();
    api.drain().await;
    alice.in_chat(&team).renames_chat("Crew");
    assert_eq!(api.kinds().await, ["chat_title_changed"]);
}
