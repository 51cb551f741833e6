//! Users, the profile of the bot, and fields that are never null.

use serde_json::{Value, json};
use tamtam_sandbox::Enclosure;

use super::{dialog, unlimited};
use crate::client::{Api, callback, keyboard, mid};
use crate::conformance;

/// Returns the names of the fields of an object.
fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Returns the names of the fields that are null, at any depth.
fn nulls(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().flat_map(nulls).collect(),
        Value::Object(fields) => {
            let own = fields.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.as_str());
            own.chain(fields.values().flat_map(nulls)).collect()
        }
        _ => Vec::new(),
    }
}

/// Fails if a field is null that clients expect to have a value or to be absent.
#[track_caller]
fn check_nulls(value: &Value) {
    const NEVER: [&str; 9] =
        ["attachments", "chat_id", "commands", "link", "markup", "message", "payload", "stat", "thumbnail"];
    let found: Vec<_> = nulls(value).into_iter().filter(|name| NEVER.contains(name)).collect();
    assert_eq!(found, [""; 0], "{value}");
}

#[tokio::test]
async fn people_have_first_and_last_names_and_bots_only_a_first_name() {
    let max = conformance::checked(unlimited().bot_name("Echo of MAX")).await;
    let api = Api::of(&max);
    for (name, first, last) in
        [("Alice Liddell", "Alice", "Liddell"), ("Ludwig van Beethoven", "Ludwig", "van Beethoven"), ("Bob", "Bob", "")]
    {
        let person = max.user(name).with_username("somebody");
        person.says("hi");
        let sender = api.updates().await.0.pop().unwrap()["message"]["sender"].clone();
        assert_eq!((&sender["first_name"], &sender["last_name"]), (&json!(first), &json!(last)));
        assert_eq!((sender.get("name"), &sender["username"], person.name()), (None, &json!("somebody"), name));
    }
    let me = api.get("/me").await.ok();
    assert_eq!((&me["first_name"], &me["is_bot"]), (&json!("Echo of MAX"), &json!(true)));
    assert_eq!((me.get("last_name"), me.get("name")), (None, None));
    let group = max.group("Team", [&max.user("Alice Liddell")]).chat_id();
    let members = api.get(&format!("/chats/{group}/members")).await.ok();
    for member in members["members"].as_array().unwrap() {
        assert_eq!(member.get("last_name").is_some(), member["is_bot"] == false, "{member}");
    }
    assert_eq!(max.bot().me().await.unwrap().name, "Echo of MAX");
}

#[tokio::test]
async fn commands_are_replaced_as_a_whole_and_can_be_empty() {
    let (_max, api, _) = dialog().await;
    let patch = async |body: Value| api.call("PATCH", "/me/commands", body).await.ok();
    assert_eq!(api.get("/me").await.ok()["commands"], json!([]));
    let two = json!([{ "name": "help", "description": "Helps" }, { "name": "go", "description": null }]);
    assert_eq!(patch(json!({ "commands": two })).await, json!({ "commands": two }));
    assert_eq!(api.get("/me").await.ok()["commands"], two);
    assert_eq!(patch(json!({})).await["commands"], two, "a missing property stays unchanged");
    let one = json!([{ "name": "stop", "description": null }]);
    assert_eq!(patch(json!({ "commands": one })).await["commands"], one);
    assert_eq!(patch(json!({ "commands": [] })).await, json!({ "commands": [] }));
    assert_eq!(api.get("/me").await.ok()["commands"], json!([]));
    let many = vec![json!({ "name": "a" }); 33];
    let message = api.call("PATCH", "/me/commands", json!({ "commands": many })).await.fails(400, "proto.payload");
    assert_eq!(message, "commands: size must be between 0 and 32");
    patch(json!({ "commands": many[..32] })).await;
    api.call("PATCH", "/me/commands", json!({ "commands": null })).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn a_plain_message_has_no_empty_fields() {
    let (_max, api, alice) = dialog().await;
    let posted = api.post(alice.chat_id().0, json!({ "text": "plain" })).await.ok()["message"].clone();
    let said = alice.says("plain");
    let update = api.updates().await.0.pop().unwrap();
    let read = api.get(&format!("/messages/{said}")).await.ok();
    for message in [&posted, &update["message"], &read] {
        assert_eq!(keys(message), ["recipient", "timestamp", "body", "sender"]);
        assert_eq!(keys(&message["body"]), ["mid", "seq", "text"]);
        check_nulls(message);
    }
    assert_eq!(keys(&update), ["message", "user_locale", "timestamp", "update_type"]);
}

#[tokio::test]
async fn a_message_without_a_text_has_an_empty_string() {
    let (_max, api, alice) = dialog().await;
    let video = alice.says_with("", [Enclosure::video(b"v")]);
    let message = api.get(&format!("/messages/{video}")).await.ok();
    assert_eq!(message["body"]["text"], "");
    let attachment = &message["body"]["attachments"][0];
    assert_eq!(attachment.get("thumbnail"), None);
    check_nulls(&message);
    let forward = json!({ "link": { "type": "forward", "mid": video } });
    let forwarded = api.post(alice.chat_id().0, forward).await.ok()["message"].clone();
    assert_eq!(keys(&forwarded["body"]), ["mid", "seq", "text"], "the forwarded message is in `link`");
    assert_eq!(forwarded["link"]["message"], message["body"]);
    check_nulls(&forwarded);
}

#[tokio::test]
async fn only_fetched_channel_posts_have_statistics() {
    let (max, api, alice) = dialog().await;
    let news = max.channel("News", [&alice]);
    let post = api.post(news.chat_id().0, json!({ "text": "post" })).await.ok()["message"].clone();
    assert_eq!((post.get("stat"), post.get("sender")), (None, None));
    let read = api.get(&format!("/messages/{}", mid(&post))).await.ok();
    assert_eq!(read["stat"], json!({ "views": 0 }));
    let said = api.say(alice.chat_id().0, "dialog").await;
    assert_eq!(api.get(&format!("/messages/{said}")).await.ok().get("stat"), None);
}

#[tokio::test]
async fn a_chat_without_a_pinned_message_has_no_field_for_it() {
    let (max, api, alice) = dialog().await;
    let group = max.group("Team", [&alice]).chat_id().0;
    let (chat, pin) = (format!("/chats/{group}"), format!("/chats/{group}/pin"));
    assert_eq!(api.get(&chat).await.ok().get("pinned_message"), None);
    assert_eq!(api.get(&pin).await.ok(), json!({}));
    let said = api.say(group, "pin me").await;
    api.call("PUT", &pin, json!({ "message_id": said })).await.ok();
    assert_eq!(mid(&api.get(&pin).await.ok()["message"]), said);
    assert_eq!(mid(&api.get(&chat).await.ok()["pinned_message"]), said);
    assert_eq!(api.delete(&pin).await.ok(), json!({ "success": true }));
    assert_eq!(api.get(&pin).await.ok(), json!({}));
}

#[tokio::test]
async fn updates_omit_absent_fields() {
    let (max, api, alice) = dialog().await;
    let started = api.updates().await.0.pop().unwrap();
    assert_eq!(keys(&started), ["chat_id", "user", "user_locale", "timestamp", "update_type"]);
    alice.starts_with("promo");
    alice.starts_with(&"x".repeat(129));
    let keys_of_all = json!([[callback("Yes", "y"), { "type": "message", "text": "No" }]]);
    api.post(alice.chat_id().0, json!({ "text": "?", "attachments": [keyboard(keys_of_all)] })).await.ok();
    alice.presses("Yes");
    alice.presses("No");
    let team = max.group("Team", [&alice]);
    max.user("Bob").in_chat(&team).joins();
    alice.in_chat(&team).says_with("look", [Enclosure::photo(b"p"), Enclosure::link("https://example.org")]);
    let (updates, _) = api.updates().await;
    let payloads: Vec<_> = updates[..3].iter().map(|update| update.get("payload").cloned()).collect();
    assert_eq!(payloads, [None, Some(json!("promo")), None]);
    for update in &updates {
        check_nulls(update);
    }
}
