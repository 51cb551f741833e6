//! Messages: refused requests, the time to edit, and the rights to read.

use std::time::Duration;

use serde_json::{Value, json};
use tamtam::NewMessageBody;
use tamtam_sandbox::Enclosure;

use super::{dialog, promote};
use crate::client::{Answer, Api, callback, keyboard, mid, photo};

const MINUTE: Duration = Duration::from_secs(60);
const SEVEN_DAYS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

async fn edit(api: &Api, message: &str, body: Value) -> Answer {
    api.call("PUT", &format!("/messages?message_id={message}"), body).await
}

#[tokio::test]
async fn a_message_needs_a_recipient_who_has_started_the_bot() {
    let (max, api, alice) = dialog().await;
    let (user, chat) = (alice.user_id(), alice.chat_id());
    let send = async |query: String| api.call("POST", &format!("/messages{query}"), json!({ "text": "a" })).await;
    for query in ["", "?user_id=&chat_id="] {
        assert_eq!(send(query.to_owned()).await.fails(400, "proto.payload"), "Unknown recipient");
    }
    for stranger in [max.user("Bob").user_id(), tamtam::UserId(1)] {
        assert_eq!(send(format!("?user_id={stranger}")).await.fails(404, "not.found"), "dialog.not.found");
    }
    let sent = send(format!("?user_id={user}")).await.ok();
    assert_eq!(sent["message"]["recipient"], json!({ "chat_id": chat.0, "chat_type": "dialog", "user_id": user.0 }));
    let me = api.get("/me").await.ok()["user_id"].clone();
    let sent = send(format!("?user_id={me}&chat_id={chat}")).await.ok();
    assert_eq!(sent["message"]["recipient"]["chat_id"], chat.0, "`chat_id` takes precedence");
    alice.stops();
    for query in [format!("?user_id={user}"), format!("?chat_id={chat}")] {
        assert_eq!(send(query).await.fails(403, "chat.denied"), "error.dialog.suspended");
    }
}

#[tokio::test]
async fn a_message_needs_content_and_has_at_most_one_keyboard_and_file() {
    let (_max, api, alice) = dialog().await;
    let keys = || keyboard(json!([[callback("Yes", "y")]]));
    let file = alice.says_with("", [Enclosure::file("a.txt", "a")]);
    let file = api.get(&format!("/messages/{file}")).await.ok()["body"]["attachments"][0]["payload"]["token"].clone();
    let file = || json!({ "type": "file", "payload": { "token": file } });
    for (body, part) in [
        (json!({}), "must have text or attachments"),
        (json!({ "text": "" }), "must have text or attachments"),
        (json!({ "attachments": [keys()] }), "must have text or attachments"),
        (json!({ "text": "a", "attachments": [keys(), keys()] }), "only one keyboard"),
        (json!({ "attachments": [file(), file()] }), "only one file"),
        (json!({ "attachments": [file(), photo("https://x")] }), "only one file"),
        (json!({ "attachments": [{ "type": "file", "payload": {} }] }), "Missing token in file attachment"),
        (json!({ "attachments": [{ "type": "video", "payload": { "token": "x" } }] }), "Invalid token in video"),
        (json!({ "attachments": [{ "type": "image", "payload": {} }] }), "No photos, url or token"),
        (json!({ "attachments": [photo("ftp://x")] }), "http"),
    ] {
        let message = api.post(alice.chat_id().0, body.clone()).await.fails(400, "proto.payload");
        assert!(message.contains(part), "{body}: {message}");
    }
    api.post(alice.chat_id().0, json!({ "attachments": [file(), keys()] })).await.ok();
    let lost = json!({ "text": "a", "link": { "type": "reply", "mid": "mid.1" } });
    api.post(alice.chat_id().0, lost).await.fails(404, "not.found");
}

#[tokio::test]
async fn channel_posts_require_the_right_to_write_and_cannot_be_silent() {
    let (max, api, alice) = dialog().await;
    let (news, team) = (max.channel("News", [&alice]), max.group("Team", [&alice]));
    let quiet = json!({ "text": "hush", "notify": false });
    assert!(api.post(news.chat_id().0, quiet.clone()).await.fails(400, "proto.payload").starts_with("notify: "));
    for chat in [team.chat_id(), alice.chat_id()] {
        api.post(chat.0, quiet.clone()).await.ok();
    }
    for notify in [json!(true), Value::Null] {
        api.post(news.chat_id().0, json!({ "text": "loud", "notify": notify })).await.ok();
    }
    promote(&news, &["read_all_messages", "edit"]);
    let message = api.post(news.chat_id().0, json!({ "text": "a" })).await.fails(403, "chat.denied");
    assert_eq!(message, "chat.send.msg.no.permission.because.not.admin");
    promote(&news, &["write"]);
    api.say(news.chat_id().0, "a").await;
}

#[tokio::test]
async fn a_dialog_message_is_editable_for_seven_days_and_longer_with_a_keyboard() {
    let (max, api, alice) = dialog().await;
    let (team, news) = (max.group("Team", [&alice]), max.channel("News", [&alice]));
    let plain = api.say(alice.chat_id().0, "plain").await;
    let keys = json!({ "text": "keys", "attachments": [keyboard(json!([[callback("Yes", "y")]]))] });
    let keys = mid(&api.post(alice.chat_id().0, keys).await.ok()["message"]);
    let (grouped, posted) = (api.say(team.chat_id().0, "group").await, api.say(news.chat_id().0, "post").await);
    max.time_passes(SEVEN_DAYS - MINUTE);
    edit(&api, &plain, json!({ "text": "in time" })).await.ok();
    max.time_passes(2 * MINUTE);
    assert_eq!(edit(&api, &plain, json!({ "text": "late" })).await.refused(), "Message is too old to be edited");
    max.time_passes(10 * SEVEN_DAYS);
    for message in [&keys, &grouped, &posted] {
        edit(&api, message, json!({ "text": "late" })).await.ok();
    }
    edit(&api, &keys, json!({ "attachments": [] })).await.ok();
    edit(&api, &keys, json!({ "text": "later" })).await.refused();
    assert_eq!(alice.sees(), ["in time", "late"]);
    api.delete(&format!("/messages?message_id={plain}")).await.ok();
}

#[tokio::test]
async fn an_edit_to_an_empty_message_or_with_unprocessed_media_is_refused_with_a_200() {
    let (max, api, alice) = dialog().await;
    let message = api.say(alice.chat_id().0, "a").await;
    assert_eq!(edit(&api, &message, json!({ "text": "" })).await.refused(), "Message cannot be empty");
    edit(&api, &message, json!({})).await.ok();
    max.uploads().set_not_ready(1);
    let upload = async || {
        let photo = max.bot().upload_photo(b"p").file_name("p.jpg").await.unwrap();
        serde_json::to_value(NewMessageBody::new().attach(photo)).unwrap()
    };
    for _ in 0..2 {
        let body = upload().await;
        assert!(edit(&api, &message, body.clone()).await.refused().contains(".not.processed"));
        edit(&api, &message, body).await.ok();
    }
    let body = upload().await;
    api.post(alice.chat_id().0, body.clone()).await.fails(400, "attachment.not.ready");
    api.post(alice.chat_id().0, body).await.ok();
}

#[tokio::test]
async fn a_bot_edits_only_its_own_messages_and_needs_a_right_to_delete_others() {
    let (max, api, alice) = dialog().await;
    let team = max.group("Team", [&alice]);
    let delete = async |message: &str| api.delete(&format!("/messages?message_id={message}")).await;
    let (in_dialog, in_group) = (alice.says("a").0, alice.in_chat(&team).says("b").0);
    for theirs in [&in_dialog, &in_group] {
        edit(&api, theirs, json!({ "text": "x" })).await.fails(403, "access.denied");
    }
    delete(&in_dialog).await.fails(403, "access.denied");
    let own = api.say(team.chat_id().0, "own").await;
    promote(&team, &["read_all_messages", "write", "edit"]);
    delete(&in_group).await.fails(403, "access.denied");
    delete(&own).await.ok();
    promote(&team, &["read_all_messages", "delete"]);
    delete(&in_group).await.ok();
    delete(&in_group).await.fails(404, "not.found");
    edit(&api, &own, json!({ "text": "x" })).await.fails(404, "not.found");
    assert_eq!(alice.in_chat(&team).sees(), [""; 0]);
}

#[tokio::test]
async fn only_administrators_can_list_messages_of_groups_and_channels() {
    let (max, api, alice) = dialog().await;
    let (team, news) = (max.group("Team", [&alice]), max.channel("News", [&alice]));
    for group in [&team, &news] {
        let said = alice.in_chat(group).says("hi");
        let paths = [format!("chat_id={}", group.chat_id()), format!("message_ids={said}")];
        for path in &paths {
            let list = api.get(&format!("/messages?{path}")).await.ok();
            assert_eq!(list["messages"].as_array().unwrap().len(), 1);
        }
        group.demotes_bot();
        for path in paths {
            let message = api.get(&format!("/messages?{path}")).await.fails(403, "chat.denied");
            assert_eq!(message, "chat.no.permission.because.not.admin");
        }
    }
    alice.says("hi");
    let path = format!("/messages?chat_id={}", alice.chat_id());
    api.get(&path).await.ok();
    alice.stops();
    assert_eq!(api.get(&path).await.fails(403, "chat.denied"), "error.dialog.suspended");
    api.get("/messages").await.fails(400, "proto.payload");
    api.get("/messages?message_ids=mid.1").await.fails(404, "not.found");
    api.get("/messages/mid.1").await.fails(404, "not.found");
}

#[tokio::test]
async fn messages_are_listed_newest_first_between_two_times() {
    let (_max, api, alice) = dialog().await;
    for text in ["1", "2", "3", "4"] {
        alice.says(text);
    }
    let list = async |query: &str| {
        let list = api.get(&format!("/messages?chat_id={}{query}", alice.chat_id())).await.ok();
        let messages = list["messages"].as_array().unwrap().clone();
        let texts: Vec<_> = messages.iter().map(|one| one["body"]["text"].as_str().unwrap().to_owned()).collect();
        (texts, messages)
    };
    let (texts, messages) = list("").await;
    assert_eq!(texts, ["4", "3", "2", "1"]);
    let (newest, oldest) = (&messages[0]["timestamp"], &messages[3]["timestamp"]);
    assert_eq!(list(&format!("&before={newest}&after={oldest}")).await.0, ["3", "2"]);
    assert_eq!(list(&format!("&from={newest}&to={oldest}")).await.0, ["4", "3", "2", "1"]);
    assert_eq!(list(&format!("&before={newest}&count=1")).await.0, ["3"]);
    assert_eq!(list(&format!("&after={newest}")).await.0, [""; 0]);
}

#[tokio::test]
async fn a_forward_of_a_message_loses_its_buttons() {
    let (max, api, alice) = dialog().await;
    let team = max.group("Team", [&alice]);
    let asked = json!({ "text": "?", "attachments": [photo("https://x"), keyboard(json!([[callback("Yes", "y")]]))] });
    let asked = mid(&api.post(team.chat_id().0, asked).await.ok()["message"]);
    let forward = json!({ "link": { "type": "forward", "mid": asked } });
    let forward = api.post(alice.chat_id().0, forward).await.ok()["message"].clone();
    alice.forwards(&asked);
    let update = api.updates().await.0.pop().unwrap()["message"].clone();
    for message in [forward, update] {
        let attachments = message["link"]["message"]["attachments"].as_array().unwrap();
        assert_eq!((attachments.len(), &attachments[0]["type"]), (1, &json!("image")));
    }
}
