//! The profile of the bot, chats, pins and actions.

use serde_json::{Value, json};

use crate::client::{dialog, mid};

#[tokio::test]
async fn the_bot_can_read_its_own_profile() {
    let (tamtam, api, _) = dialog().await;
    let me = api.get("/me").await.ok();
    assert_eq!((&me["user_id"], &me["name"]), (&json!(tamtam.bot_id().0), &json!("Echo")));
    assert_eq!((&me["username"], &me["is_bot"]), (&json!("echo_bot"), &json!(true)));
    assert_eq!(me["commands"], json!(null));
}

#[tokio::test]
async fn an_edit_of_the_profile_changes_only_the_given_fields() {
    let (_tamtam, api, _) = dialog().await;
    let patch = async |body: Value| api.call("PATCH", "/me", body).await;
    let commands = json!([{ "name": "help", "description": "?" }, { "name": "go" }]);
    let me = patch(json!({ "name": "New", "description": "About", "commands": commands })).await.ok();
    assert_eq!((&me["name"], &me["description"]), (&json!("New"), &json!("About")));
    assert_eq!(me["commands"][1], json!({ "name": "go", "description": null }));
    assert_eq!(patch(json!({ "name": null })).await.ok(), me);
    assert_eq!(patch(json!({ "commands": [] })).await.ok()["commands"], json!(null));
    let me = patch(json!({ "photo": { "url": "https://x/a.png" } })).await.ok();
    assert_eq!(me["avatar_url"], "https://x/a.png");
    assert_eq!(api.get("/me").await.ok(), me);
    for bad in [
        json!({ "name": "" }),
        json!({ "name": "x".repeat(65) }),
        json!({ "description": "" }),
        json!({ "commands": [{ "name": "" }] }),
        json!({ "commands": vec![json!({ "name": "a" }); 33] }),
        json!({ "photo": {} }),
    ] {
        patch(bad).await.fails(400, "proto.payload");
    }
    assert_eq!(api.get("/me").await.ok(), me);
}

#[tokio::test]
async fn a_dialog_is_a_chat_with_a_user() {
    let (_tamtam, api, alice) = dialog().await;
    let chat = api.get(&format!("/chats/{}", alice.chat_id().0)).await.ok();
    assert_eq!((&chat["type"], &chat["status"]), (&json!("dialog"), &json!("active")));
    assert_eq!((&chat["title"], &chat["participants_count"]), (&json!(null), &json!(2)));
    assert_eq!(chat["dialog_with_user"]["user_id"], alice.user_id().0);
    assert!(chat.get("messages_count").is_none());
}

#[tokio::test]
async fn a_group_is_a_chat_with_a_title_and_an_owner() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    let team = tamtam.group("Team", [&alice, &bob]);
    assert!(team.chat_id().0 < 0);
    let chat = api.get(&format!("/chats/{}", team.chat_id().0)).await.ok();
    assert_eq!((&chat["type"], &chat["title"]), (&json!("chat"), &json!("Team")));
    assert_eq!((&chat["owner_id"], &chat["participants_count"]), (&json!(alice.user_id().0), &json!(3)));
    assert!(chat["participants"][bob.user_id().0.to_string()].is_i64());
    let (updates, _) = api.updates().await;
    let added = updates.last().unwrap();
    assert_eq!((&added["update_type"], &added["chat_id"]), (&json!("bot_added"), &json!(team.chat_id().0)));
    assert_eq!((&added["user"]["user_id"], &added["is_channel"]), (&json!(alice.user_id().0), &json!(false)));
}

#[tokio::test]
async fn an_unknown_chat_is_not_found() {
    let (tamtam, api, _) = dialog().await;
    for chat in [0, 1, -1, tamtam.user("Bob").chat_id().0] {
        api.get(&format!("/chats/{chat}")).await.fails(404, "chat.not.found");
    }
}

#[tokio::test]
async fn chats_are_listed_in_pages_until_the_marker_is_null() {
    let (tamtam, api, alice) = dialog().await;
    let teams: Vec<_> = (0..4).map(|_| tamtam.group("Team", [&alice]).chat_id().0).collect();
    let (mut marker, mut found) = (String::new(), Vec::new());
    for pages in 1.. {
        let page = api.get(&format!("/chats?count=2&marker={marker}")).await.ok();
        found.extend(page["chats"].as_array().unwrap().iter().map(|chat| chat["chat_id"].as_i64().unwrap()));
        if page["marker"].is_null() {
            assert_eq!(pages, 3);
            break;
        }
        marker = page["marker"].to_string();
    }
    assert_eq!(found[0], alice.chat_id().0);
    assert_eq!(found[1..], teams);
}

#[tokio::test]
async fn a_chat_is_found_by_its_link_or_username() {
    let (tamtam, api, alice) = dialog().await;
    let alice = alice.with_username("alice");
    let team = tamtam.group("Team", [&alice]).with_public_link("team");
    for (link, chat) in [("team", team.chat_id().0), ("@team", team.chat_id().0), ("%40alice", alice.chat_id().0)] {
        assert_eq!(api.get(&format!("/chats/{link}")).await.ok()["chat_id"], chat);
    }
    api.get("/chats/nobody").await.fails(404, "chat.not.found");
    let message = api.post(team.chat_id().0, json!({ "text": "a" })).await.ok();
    assert!(message["message"]["url"].as_str().unwrap().starts_with("https://tt.me/team/"));
}

#[tokio::test]
async fn an_administrator_can_edit_title_icon_and_pin() {
    let (tamtam, api, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let path = format!("/chats/{}", team.chat_id().0);
    let posted = api.post(team.chat_id().0, json!({ "text": "pin me" })).await.ok()["message"].clone();
    let patch = json!({ "title": "New", "icon": { "url": "https://x/i.png" }, "pin": mid(&posted), "notify": false });
    let chat = api.call("PATCH", &path, patch).await.ok();
    assert_eq!((&chat["title"], &chat["icon"]["url"]), (&json!("New"), &json!("https://x/i.png")));
    assert_eq!(chat["pinned_message"], posted);
    assert_eq!(team.title(), "New");
    for bad in ["", "   ", "\u{200B}\u{FEFF}\u{3000}", &"x".repeat(201)] {
        api.call("PATCH", &path, json!({ "title": bad })).await.fails(400, "proto.payload");
    }
    api.call("PATCH", &path, json!({ "icon": { "url": "   " } })).await.fails(400, "proto.payload");
    team.demotes_bot();
    api.call("PATCH", &path, json!({ "title": "Newer" })).await.fails(403, "chat.denied");
    let dialog = format!("/chats/{}", alice.chat_id().0);
    api.call("PATCH", &dialog, json!({ "title": "Newer" })).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn an_action_is_accepted_and_an_unknown_action_is_refused() {
    let (tamtam, api, alice) = dialog().await;
    let path = format!("/chats/{}/actions", alice.chat_id().0);
    for action in ["typing_on", "mark_seen", "sending_photo", "sending_image"] {
        let answer = api.call("POST", &path, json!({ "action": action })).await.ok();
        assert_eq!(answer, json!({ "success": true }));
    }
    api.call("POST", &path, json!({})).await.fails(400, "proto.payload");
    let invented = api.call("POST", &path, json!({ "action": "sending_hologram" })).await;
    assert_eq!(invented.fails(400, "proto.payload"), "Can't deserialize body: action sending_hologram is unknown");
    api.call("POST", "/chats/1/actions", json!({ "action": "typing_on" })).await.fails(404, "chat.not.found");
    assert!(tamtam.transcript().contains("Echo does typing_on\n"));
}

#[tokio::test]
async fn a_message_is_pinned_and_unpinned_once() {
    let (tamtam, api, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let path = format!("/chats/{}/pin", team.chat_id().0);
    assert_eq!(api.get(&path).await.ok(), json!({ "message": null }));
    let said = alice.in_chat(&team).says("pin me");
    api.call("PUT", &path, json!({ "message_id": said, "notify": null })).await.ok();
    assert_eq!(mid(&api.get(&path).await.ok()["message"]), said.as_str());
    assert_eq!(api.delete(&path).await.ok(), json!({ "success": true }));
    api.delete(&path).await.refused();
    api.call("PUT", &path, json!({ "message_id": said })).await.ok();
    api.delete(&format!("/messages?message_id={said}")).await.ok();
    assert_eq!(api.get(&path).await.ok(), json!({ "message": null }), "a deleted message is not pinned");
}

#[tokio::test]
async fn a_pin_requires_a_group_a_message_and_a_right() {
    let (tamtam, api, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let (here, there) = (api.say(team.chat_id().0, "a").await, api.say(alice.chat_id().0, "b").await);
    let pin =
        async |chat: i64, mid: &str| api.call("PUT", &format!("/chats/{chat}/pin"), json!({ "message_id": mid })).await;
    pin(alice.chat_id().0, &there).await.fails(400, "proto.payload");
    pin(-1, &here).await.fails(400, "proto.payload");
    pin(team.chat_id().0, "x").await.fails(400, "proto.payload");
    pin(team.chat_id().0, &there).await.fails(400, "proto.payload");
    team.demotes_bot();
    pin(team.chat_id().0, &here).await.fails(403, "chat.denied");
    api.delete(&format!("/chats/{}/pin", team.chat_id().0)).await.fails(403, "chat.denied");
}
