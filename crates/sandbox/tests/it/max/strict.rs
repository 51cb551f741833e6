//! Valid requests of every operation, and requests that are tolerated beyond the document.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tamtam::Service;
use tamtam_sandbox::Enclosure;

use super::dialog;
use crate::client::{callback, keyboard, mid};
use crate::schemas::schemas;
use crate::strict::Operation;

#[tokio::test]
async fn a_valid_request_of_every_operation_is_accepted_and_conforms() {
    let (max, api, alice) = dialog().await;
    let (bob, carol) = (max.user("Bob"), max.user("Carol"));
    let (team, news) = (max.group("Team", [&alice, &bob]), max.channel("News", [&alice]).with_comments());
    let (chat, group) = (alice.chat_id().0, team.chat_id().0);
    let asked = json!({ "text": "?", "attachments": [keyboard(json!([[callback("Yes", "y")]]))] });
    let asked = mid(&api.post(group, asked).await.ok()["message"]);
    alice.in_chat(&team).presses("Yes");
    let pressed = api.updates().await.0.pop().unwrap()["callback"]["callback_id"].as_str().unwrap().to_owned();
    let filmed = api.get(&format!("/messages/{}", alice.says_with("", [Enclosure::video(b"v")]))).await.ok();
    let video = filmed["body"]["attachments"][0]["payload"]["token"].as_str().unwrap();
    let post = api.say(news.chat_id().0, "post").await;
    let comment = alice.in_chat(&news).comments(post.as_str(), "first");
    let own = api.call("POST", &format!("/messages/{post}/comments"), json!({ "text": "own" })).await.ok();
    let own = mid(&own["message"]);

    let (members, comments) = (format!("/chats/{group}/members"), format!("/messages/{post}/comments"));
    let admin = json!({ "user_id": bob.user_id().0, "permissions": ["read_all_messages", "write"], "alias": "Boss" });
    let (hook, none) = ("https://bot.example/hook", Value::Null);
    let subscription = json!({ "url": hook, "secret": "s3cret-_", "update_types": ["bot_stopped"] });
    let full = json!({
        "text": "**hi**", "format": "markdown", "notify": false, "link": { "type": "reply", "mid": asked },
        "attachments": [{ "type": "image", "payload": { "url": "https://x/p.png", "token": null, "photos": null } }],
    });
    let reply = json!({ "text": "_yes_", "format": "markdown", "link": { "type": "reply", "mid": comment } });
    let answer = json!({ "notification": "!", "message": { "text": "Answered" } });
    let requests = [
        ("getMyInfo", "GET", "/me".to_owned(), none.clone()),
        (
            "editMyCommands",
            "PATCH",
            "/me/commands".into(),
            json!({ "commands": [{ "name": "go", "description": null }] }),
        ),
        ("getChat", "GET", format!("/chats/{group}"), none.clone()),
        ("editChat", "PATCH", format!("/chats/{group}"), json!({ "title": "T", "description": "D", "notify": true })),
        ("sendAction", "POST", format!("/chats/{chat}/actions"), json!({ "action": "mark_seen" })),
        ("pinMessage", "PUT", format!("/chats/{group}/pin"), json!({ "message_id": asked, "notify": null })),
        ("getPinnedMessage", "GET", format!("/chats/{group}/pin"), none.clone()),
        ("unpinMessage", "DELETE", format!("/chats/{group}/pin"), none.clone()),
        ("getMembership", "GET", format!("{members}/me"), none.clone()),
        ("postAdmins", "POST", format!("{members}/admins"), json!({ "admins": [admin] })),
        ("getAdmins", "GET", format!("{members}/admins"), none.clone()),
        ("deleteAdmins", "DELETE", format!("{members}/admins/{}", bob.user_id()), none.clone()),
        ("addMembers", "POST", members.clone(), json!({ "user_ids": [carol.user_id().0] })),
        ("getMembers", "GET", format!("{members}?user_ids={},{}", bob.user_id(), carol.user_id()), none.clone()),
        ("removeMember", "DELETE", format!("{members}?user_id={}&block=true", carol.user_id()), none.clone()),
        ("subscribe", "POST", "/subscriptions".into(), subscription),
        ("getSubscriptions", "GET", "/subscriptions".into(), none.clone()),
        ("unsubscribe", "DELETE", format!("/subscriptions?url={hook}"), none.clone()),
        ("getUploadUrl", "POST", "/uploads?type=video".into(), none.clone()),
        ("sendMessage", "POST", format!("/messages?chat_id={group}&disable_link_preview=true"), full),
        ("getMessages", "GET", format!("/messages?chat_id={group}&count=100&before=9&after=0"), none.clone()),
        ("getMessageById", "GET", format!("/messages/{asked}"), none.clone()),
        ("answerOnCallback", "POST", format!("/answers?callback_id={pressed}"), answer),
        ("editMessage", "PUT", format!("/messages?message_id={asked}"), json!({ "text": "x", "attachments": [] })),
        ("deleteMessage", "DELETE", format!("/messages?message_id={asked}"), none.clone()),
        ("getComments", "GET", format!("{comments}?count=1"), none.clone()),
        ("sendComment", "POST", format!("{comments}?disable_link_preview=false"), reply),
        ("editComment", "PUT", format!("{comments}?comment_id={own}"), json!({ "text": "changed", "link": null })),
        ("getCommentById", "GET", format!("{comments}/{own}"), none.clone()),
        ("deleteComment", "DELETE", format!("{comments}?comment_id={own}"), none.clone()),
        ("getVideoAttachmentDetails", "GET", format!("/videos/{video}"), none.clone()),
        ("getUpdates", "GET", "/updates?timeout=0&limit=1000&types=bot_started,bot_added".into(), none.clone()),
        ("leaveChat", "DELETE", format!("{members}/me"), none.clone()),
    ];
    let operations = Operation::all(&Service::Max);
    for (name, method, path, body) in &requests {
        let operation = operations.iter().find(|one| one.name() == *name).unwrap();
        assert_eq!(body.is_null(), operation.body().is_none(), "{name}");
        if let Some(schema) = operation.body() {
            let schema = json!({ "$ref": schema["$ref"].as_str().unwrap().replace("components/schemas", "$defs") });
            let faults = schemas(&Service::Max).faults_by(&schema, (*name).to_owned(), body.to_string().as_bytes());
            assert_eq!(faults, [""; 0]);
        }
        let answer = api.call(method, path, body.clone()).await;
        assert_eq!((answer.status, answer.json["success"] == false), (200, false), "{name}: {}", answer.text);
    }
    let tried: BTreeSet<_> = requests.iter().map(|(name, ..)| *name).collect();
    assert_eq!(tried, operations.iter().map(Operation::name).collect());
    assert_eq!((tried.len(), requests.len()), (33, 33));
}

#[tokio::test]
async fn extra_slashes_and_all_forms_of_lists_are_accepted() {
    let (max, api, alice) = dialog().await;
    let bob = max.user("Bob");
    let group = max.group("Team", [&alice, &bob]).chat_id().0;
    let (a, b) = (alice.user_id(), bob.user_id());
    for path in [
        format!("/chats/{group}/members/?user_ids={a},{b}"),
        format!("//chats//{group}/members?user_ids={a}%2C{b}"),
        format!("/chats/{group}/members//?user_ids={a}&user_ids={b}&count=&v=1.2.5"),
    ] {
        let found = api.get(&path).await.ok();
        assert_eq!(found["members"].as_array().unwrap().len(), 2, "{path}");
    }
    api.get("/me/").await.ok();
}

#[tokio::test]
async fn a_member_who_is_removed_with_block_false_can_be_added_again() {
    let (max, api, alice) = dialog().await;
    let bob = max.user("Bob");
    let members = format!("/chats/{}/members", max.group("Team", [&alice, &bob]).chat_id().0);
    let added = json!({ "user_ids": [bob.user_id().0] });
    let remove = async |block: &str| api.delete(&format!("{members}?user_id={}{block}", bob.user_id())).await.ok();
    for block in ["&block=False", "&block=false", "", "&block="] {
        remove(block).await;
        assert_eq!(api.call("POST", &members, added.clone()).await.ok(), json!({ "success": true }), "{block}");
    }
    remove("&block=True").await;
    api.call("POST", &members, added).await.refused();
}

#[tokio::test]
async fn fields_that_max_does_not_have_are_ignored() {
    let (_max, api, alice) = dialog().await;
    let button = json!({ "type": "callback", "text": "Yes", "payload": "y", "intent": "positive", "color": "red" });
    let body = json!({ "text": "?", "attachments": [keyboard(json!([[button]]))], "silent": true });
    let posted = api.post(alice.chat_id().0, body).await.ok();
    let shown = &posted["message"]["body"]["attachments"][0]["payload"]["buttons"][0][0];
    assert_eq!(shown, &callback("Yes", "y"));
    let odd = json!({ "type": "callback", "text": "Yes", "payload": "y", "intent": 5 });
    api.post(alice.chat_id().0, json!({ "text": "?", "attachments": [keyboard(json!([[odd]]))] })).await.ok();
}

#[tokio::test]
async fn null_is_the_same_as_an_absent_field() {
    let (max, api, alice) = dialog().await;
    let (chat, bob) = (alice.chat_id().0, max.user("Bob"));
    let body = json!({ "text": "hi", "attachments": null, "link": null, "format": null, "notify": null });
    let posted = mid(&api.post(chat, body.clone()).await.ok()["message"]);
    api.call("PUT", &format!("/messages?message_id={posted}"), body).await.ok();
    let url = "https://bot.example/hook";
    let body = json!({ "url": url, "secret": null, "update_types": null });
    api.call("POST", "/subscriptions", body).await.ok();
    let list = api.get("/subscriptions").await.ok();
    assert_eq!(
        (&list["subscriptions"][0]["url"], &list["subscriptions"][0]["update_types"]),
        (&json!(url), &Value::Null)
    );
    api.delete(&format!("/subscriptions?url={url}")).await.ok();
    for kind in ["image", "video", "audio", "file"] {
        api.call("POST", &format!("/uploads?type={kind}"), Value::Null).await.ok();
    }

    let admins = format!("/chats/{}/members/admins", max.group("Team", [&alice, &bob]).chat_id().0);
    let appointed = json!({ "admins": [{ "user_id": bob.user_id().0, "alias": null }] });
    api.call("POST", &admins, appointed).await.ok();
    let admins = api.get(&admins).await.ok();
    let found = admins["members"].as_array().unwrap().iter().find(|one| one["user_id"] == bob.user_id().0).unwrap();
    assert_eq!((&found["is_admin"], &found["permissions"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn a_body_is_read_as_json_with_any_content_type() {
    let (_max, api, alice) = dialog().await;
    let path = format!("/messages?chat_id={}", alice.chat_id());
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8"] {
        let request = api.request("POST", &path).header("content-type", kind).body(r#"{"text":"hi"}"#);
        api.send(request).await.ok();
    }
    let actions = format!("/chats/{}/actions", alice.chat_id());
    for action in ["sending_image", "sending_photo", "typing_on"] {
        api.call("POST", &actions, json!({ "action": action })).await.ok();
    }
    assert_eq!(alice.sees(), ["hi"; 3]);
}
