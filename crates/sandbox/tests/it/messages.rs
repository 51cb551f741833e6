//! Messages: sending, editing, deleting and reading them, and answers to pressed buttons.

use serde_json::{Value, json};

use crate::client::{callback, dialog, keyboard, mid, photo};

#[tokio::test]
async fn a_fetched_message_equals_the_posted_one() {
    let (tamtam, api, alice) = dialog().await;
    let posted = api
        .post(
            alice.chat_id().0,
            json!({
                "text": "привет", "attachments": [
                    photo("https://example.com/a.png"),
                    keyboard(json!([[callback("Yes", "y")], [{ "type": "request_contact", "text": "Me" }]])),
                ], "link": null, "notify": true
            }),
        )
        .await
        .ok()["message"]
        .clone();
    assert_eq!(posted["sender"]["user_id"], tamtam.bot_id().0);
    assert_eq!(posted["recipient"]["user_id"], alice.user_id().0);
    assert_eq!(posted["recipient"]["chat_type"], "dialog");
    assert_eq!(posted["body"]["text"], "привет");
    assert_eq!(posted["body"]["attachments"][1]["payload"]["buttons"][0][0]["intent"], "default");
    let by_id = api.get(&format!("/messages/{}", mid(&posted))).await.ok();
    assert_eq!(by_id, posted);
    let listed = api.get(&format!("/messages?chat_id={}", alice.chat_id().0)).await.ok();
    assert_eq!(listed["messages"][0], posted);
    let by_ids = api.get(&format!("/messages?message_ids={}", mid(&posted))).await.ok();
    assert_eq!(by_ids["messages"], json!([posted]));
}

#[tokio::test]
async fn ids_have_the_structure_of_tamtam_ids() {
    let (tamtam, api, alice) = dialog().await;
    assert_eq!(alice.chat_id().0, alice.user_id().0 ^ tamtam.bot_id().0);
    assert!(alice.chat_id().0 > 0);
    let message = api.post(alice.chat_id().0, json!({ "text": "a" })).await.ok()["message"].clone();
    let (seq, time) = (message["body"]["seq"].as_i64().unwrap(), message["timestamp"].as_i64().unwrap());
    assert_eq!(seq >> 16, time);
    assert!(seq > 1 << 53);
    assert_eq!(mid(&message), format!("mid.{:016x}{seq:016x}", alice.chat_id().0));
}

#[tokio::test]
async fn a_message_goes_to_a_chat_or_to_a_user() {
    let (_tamtam, api, alice) = dialog().await;
    let to_user = format!("/messages?user_id={}", alice.user_id().0);
    let message = api.call("POST", &to_user, json!({ "text": "a" })).await.ok();
    assert_eq!(message["message"]["recipient"]["chat_id"], alice.chat_id().0);
    let both = format!("{to_user}&chat_id={}", alice.chat_id().0);
    for path in ["/messages", both.as_str()] {
        let answer = api.call("POST", path, json!({ "text": "a" })).await;
        assert_eq!(answer.fails(400, "proto.payload"), "Unknown recipient");
    }
}

#[tokio::test]
async fn a_dialog_does_not_exist_before_the_person_starts_the_bot() {
    let (tamtam, api, _) = dialog().await;
    let bob = tamtam.user("Bob");
    let path = format!("/messages?user_id={}", bob.user_id().0);
    let answer = api.call("POST", &path, json!({ "text": "a" })).await;
    assert_eq!(answer.fails(404, "not.found"), "dialog.not.found");
    api.post(bob.chat_id().0, json!({ "text": "a" })).await.fails(404, "chat.not.found");
    api.post(42, json!({ "text": "a" })).await.fails(404, "chat.not.found");
}

#[tokio::test]
async fn a_stopped_bot_cannot_write_until_it_is_started_again() {
    let (_tamtam, api, alice) = dialog().await;
    alice.stops();
    let answer = api.post(alice.chat_id().0, json!({ "text": "a" })).await;
    assert_eq!(answer.fails(403, "chat.denied"), "error.dialog.suspended");
    let path = format!("/messages?chat_id={}", alice.chat_id().0);
    assert_eq!(api.get(&path).await.fails(403, "chat.denied"), "error.dialog.suspended");
    let chat = api.get(&format!("/chats/{}", alice.chat_id().0)).await.ok();
    assert_eq!(chat["status"], "suspended");
    alice.starts();
    api.say(alice.chat_id().0, "a").await;
}

#[tokio::test]
async fn a_message_with_nothing_or_only_a_keyboard_is_refused() {
    let (_tamtam, api, alice) = dialog().await;
    let keys = keyboard(json!([[callback("Yes", "y")]]));
    for body in [
        json!({}),
        json!({ "text": null, "attachments": null, "link": null }),
        json!({ "text": "", "attachments": [] }),
        json!({ "attachments": [keys] }),
    ] {
        api.post(alice.chat_id().0, body).await.fails(400, "proto.payload");
    }
    api.post(alice.chat_id().0, json!({ "attachments": [photo("https://x/a.png")] })).await.ok();
    assert_eq!(alice.sees(), [""]);
}

#[tokio::test]
async fn a_text_has_at_most_4000_characters() {
    let (_tamtam, api, alice) = dialog().await;
    for char in ["a", "ё", "😀"] {
        api.post(alice.chat_id().0, json!({ "text": char.repeat(4000) })).await.ok();
        let message = api.post(alice.chat_id().0, json!({ "text": char.repeat(4001) })).await;
        assert_eq!(message.fails(400, "proto.payload"), "text: size must be between 0 and 4000");
    }
}

#[tokio::test]
async fn some_attachments_can_only_be_combined_with_a_keyboard() {
    let (_tamtam, api, alice) = dialog().await;
    let keys = keyboard(json!([[callback("Yes", "y")]]));
    let file = json!({ "type": "file", "payload": { "token": "t" } });
    let contact = json!({ "type": "contact", "payload": { "name": "Ann", "vcf_phone": "+7" } });
    let send = |list: Value| api.post(alice.chat_id().0, json!({ "text": "a", "attachments": list }));
    send(json!([keys, keys])).await.fails(400, "proto.payload");
    let two = send(json!([file, file])).await.fails(400, "proto.payload");
    assert_eq!(two, "Must be only one file attachment in message");
    send(json!([contact, photo("https://x")])).await.fails(400, "proto.payload");
    send(json!([contact, keys])).await.ok();
    send(json!([photo("https://x"), photo("https://y"), keys])).await.ok();
}

#[tokio::test]
async fn invalid_attachments_and_buttons_are_refused() {
    let (_tamtam, api, alice) = dialog().await;
    let send = |one: Value| api.post(alice.chat_id().0, json!({ "text": "a", "attachments": [one] }));
    let nothing = send(json!({ "type": "image", "payload": {} })).await;
    assert_eq!(nothing.fails(400, "proto.payload"), "No photos, url or token provided");
    let tokenless = send(json!({ "type": "video", "payload": {} })).await;
    assert!(tokenless.fails(400, "proto.payload").starts_with("Missing token"));
    for bad in [
        json!({ "type": "image", "payload": { "url": " " } }),
        json!({ "type": "image", "payload": { "url": "cat.jpg" } }),
        json!({ "type": "image", "payload": { "url": "ftp://x/cat.jpg" } }),
        json!({ "type": "image", "payload": { "token": "unknown" } }),
        json!({ "type": "image" }),
        json!({ "type": "hologram" }),
        json!({ "type": "contact", "payload": { "name": null } }),
        json!({ "type": "location", "latitude": 1.0 }),
        json!({ "type": "share", "payload": {} }),
        json!({}),
        json!(7),
        keyboard(json!([])),
        keyboard(json!([[]])),
        keyboard(json!([[{ "type": "callback", "text": "a" }]])),
        keyboard(json!([[{ "type": "unknown", "text": "a" }]])),
        keyboard(json!([[{ "type": "link", "text": "a", "url": "not a url" }]])),
        keyboard(json!([[{ "type": "link", "text": "a", "url": "//x" }]])),
        keyboard(json!([[callback("", "y")]])),
        keyboard(json!([[callback(&"a".repeat(129), "y")]])),
        keyboard(json!([[callback("a", &"y".repeat(1025))]])),
    ] {
        send(bad).await.fails(400, "proto.payload");
    }
}

#[tokio::test]
async fn every_type_of_attachment_and_button_is_returned() {
    let (tamtam, api, alice) = dialog().await;
    let me = tamtam.bot_id().0;
    let send = |one: Value| api.post(alice.chat_id().0, json!({ "text": "a", "attachments": [one] }));
    let first = async |one: Value| send(one).await.ok()["message"]["body"]["attachments"][0].clone();
    let location = first(json!({ "type": "location", "latitude": 1.25, "longitude": -2 })).await;
    assert_eq!(location, json!({ "latitude": 1.25, "longitude": -2.0, "type": "location" }));
    let contact = json!({ "name": "Me", "contact_id": me, "vcf_phone": "+79991234567" });
    let contact = first(json!({ "type": "contact", "payload": contact })).await;
    assert_eq!(contact["payload"]["tam_info"]["user_id"], me);
    assert!(contact["payload"]["vcf_info"].as_str().unwrap().contains("+79991234567"));
    let sticker = first(json!({ "type": "sticker", "payload": { "code": "abc" } })).await;
    assert_eq!(sticker["payload"]["code"], "abc");
    let share = first(json!({ "type": "share", "payload": { "url": "https://x" } })).await;
    assert_eq!(share["payload"]["url"], "https://x");
    let rows = json!([
        [callback("a", ""), { "type": "callback", "text": "b", "payload": "p", "intent": "negative" }],
        [{ "type": "link", "text": "c", "url": "https://x" }],
        [{ "type": "request_contact", "text": "d" }, { "type": "request_geo_location", "text": "e" }],
        [{ "type": "chat", "text": "f", "chat_title": "T" }],
    ]);
    let keys = first(keyboard(rows)).await["payload"]["buttons"].clone();
    assert_eq!(keys[0][1], json!({ "type": "callback", "text": "b", "payload": "p", "intent": "negative" }));
    assert_eq!(keys[2][1], json!({ "type": "request_geo_location", "text": "e", "quick": false }));
    assert!(keys[3][0]["uuid"].is_i64());
}

#[tokio::test]
async fn a_photo_can_be_sent_again_by_its_token() {
    let (_tamtam, api, alice) = dialog().await;
    let body = json!({ "attachments": [photo("https://x/a.png")] });
    let first = api.post(alice.chat_id().0, body).await.ok()["message"].clone();
    let token = first["body"]["attachments"][0]["payload"]["token"].clone();
    for payload in [json!({ "token": token }), json!({ "photos": { "a+/=": { "token": token } } })] {
        let body = json!({ "attachments": [{ "type": "image", "payload": payload }] });
        let again = api.post(alice.chat_id().0, body).await.ok()["message"].clone();
        assert_eq!(again["body"]["attachments"], first["body"]["attachments"]);
    }
}

#[tokio::test]
async fn a_forward_keeps_the_original_and_a_reply_quotes_it() {
    let (_tamtam, api, alice) = dialog().await;
    let said = alice.says("original").0;
    let link = |kind: &str, mid: &str| json!({ "type": kind, "mid": mid });
    let forward = api.post(alice.chat_id().0, json!({ "link": link("forward", &said) })).await.ok();
    let forward = &forward["message"];
    assert_eq!(forward["link"]["type"], "forward");
    assert_eq!(forward["link"]["message"]["mid"], said);
    assert_eq!(forward["link"]["chat_id"], alice.chat_id().0);
    assert_eq!(forward["link"]["sender"]["user_id"], alice.user_id().0);
    let twice = api.post(alice.chat_id().0, json!({ "link": link("forward", &mid(forward)) })).await.ok();
    assert_eq!(twice["message"]["link"]["message"]["mid"], said);
    let body = json!({ "text": "re", "link": link("reply", &said) });
    let reply = api.post(alice.chat_id().0, body).await.ok();
    let quoted = &reply["message"]["link"]["message"];
    assert_eq!((&quoted["mid"], &quoted["text"]), (&json!(said), &json!("original")));
    assert!(quoted["seq"].is_i64());
    api.post(alice.chat_id().0, json!({ "link": link("reply", &said) })).await.fails(400, "proto.payload");
    api.post(alice.chat_id().0, json!({ "link": link("reply", "x"), "text": "a" })).await.fails(404, "not.found");
    api.post(alice.chat_id().0, json!({ "link": link("quote", &said), "text": "a" })).await.fails(400, "proto.payload");
}

async fn edit(api: &crate::client::Api, mid: &str, body: Value) -> crate::client::Answer {
    api.call("PUT", &format!("/messages?message_id={mid}"), body).await
}

#[tokio::test]
async fn an_edit_keeps_missing_fields_and_removes_empty_fields() {
    let (_tamtam, api, alice) = dialog().await;
    let body = json!({ "text": "a", "attachments": [photo("https://x/a.png")] });
    let mid = mid(&api.post(alice.chat_id().0, body).await.ok()["message"]);
    let now = async || api.get(&format!("/messages/{mid}")).await.ok()["body"].clone();
    for body in [json!({ "text": "b", "attachments": null }), json!({ "text": "b" })] {
        assert_eq!(edit(&api, &mid, body).await.ok(), json!({ "success": true }));
        assert_eq!((&now().await["text"], now().await["attachments"].as_array().unwrap().len()), (&json!("b"), 1));
    }
    edit(&api, &mid, json!({ "text": "" })).await.ok();
    assert_eq!((now().await["text"].as_str(), now().await["attachments"].is_array()), (Some(""), true));
    edit(&api, &mid, json!({ "text": "c", "attachments": [] })).await.ok();
    assert_eq!((now().await["text"].as_str(), now().await["attachments"].is_null()), (Some("c"), true));
    edit(&api, &mid, json!({ "text": null, "attachments": [photo("https://y")] })).await.ok();
    assert_eq!(now().await["text"], "c");
}

#[tokio::test]
async fn an_edit_to_an_empty_message_is_refused_with_a_200() {
    let (_tamtam, api, alice) = dialog().await;
    let mid = api.say(alice.chat_id().0, "a").await;
    edit(&api, &mid, json!({ "text": "" })).await.refused();
    edit(&api, &mid, json!({ "text": "", "attachments": [] })).await.refused();
    assert_eq!(alice.sees(), ["a"]);
}

#[tokio::test]
async fn only_the_author_can_edit_an_existing_message() {
    let (_tamtam, api, alice) = dialog().await;
    let said = alice.says("mine").0;
    edit(&api, &said, json!({ "text": "yours" })).await.fails(403, "access.denied");
    edit(&api, "mid.nonexistingmessageid123456789012", json!({ "text": "a" })).await.fails(404, "not.found");
    api.call("PUT", "/messages", json!({ "text": "a" })).await.fails(400, "proto.payload");
    let mid = api.say(alice.chat_id().0, "a").await;
    edit(&api, &mid, json!({ "text": "a".repeat(4001) })).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn a_deleted_message_is_gone() {
    let (_tamtam, api, alice) = dialog().await;
    let mid = api.say(alice.chat_id().0, "a").await;
    let path = format!("/messages?message_id={mid}");
    assert_eq!(api.delete(&path).await.ok(), json!({ "success": true }));
    let listed = api.get(&format!("/messages?chat_id={}", alice.chat_id().0)).await.ok();
    assert_eq!(listed["messages"], json!([]));
    api.get(&format!("/messages/{mid}")).await.fails(404, "not.found");
    api.delete(&path).await.fails(404, "not.found");
    let said = alice.says("mine").0;
    api.delete(&format!("/messages?message_id={said}")).await.fails(403, "access.denied");
}

#[tokio::test]
async fn messages_are_listed_newest_first_between_from_and_to() {
    let (_tamtam, api, alice) = dialog().await;
    for number in 0..5 {
        api.say(alice.chat_id().0, &number.to_string()).await;
    }
    let chat = alice.chat_id().0;
    let get = async |query: &str| {
        let page = api.get(&format!("/messages?chat_id={chat}{query}")).await.ok();
        page["messages"].as_array().unwrap().clone()
    };
    let texts =
        |list: &[Value]| list.iter().map(|m| m["body"]["text"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let all = get("&message_ids=").await;
    assert_eq!(texts(&all), ["4", "3", "2", "1", "0"]);
    assert_eq!(texts(&get("&count=2").await), ["4", "3"]);
    let (newer, older) = (&all[1]["timestamp"], &all[3]["timestamp"]);
    assert_eq!(texts(&get(&format!("&from={newer}&to={older}")).await), ["3", "2", "1"]);
    assert_eq!(texts(&get(&format!("&from={older}")).await), ["1", "0"]);
}

#[tokio::test]
async fn message_ids_are_a_list_with_plain_or_encoded_commas() {
    let (_tamtam, api, alice) = dialog().await;
    let (a, b) = (api.say(alice.chat_id().0, "a").await, api.say(alice.chat_id().0, "b").await);
    for comma in [",", "%2C"] {
        let page = api.get(&format!("/messages?message_ids={a}{comma}{b}")).await.ok();
        assert_eq!(page["messages"].as_array().unwrap().len(), 2);
    }
    api.get("/messages?message_ids=mid.nonexistingmessageid123456789012").await.fails(404, "not.found");
    api.get("/messages").await.fails(400, "proto.payload");
    api.get("/messages?message_ids=").await.fails(400, "proto.payload");
}

#[tokio::test]
async fn an_answer_edits_the_message_and_shows_a_notification() {
    let (_tamtam, api, alice) = dialog().await;
    let body = json!({ "text": "Sure?", "attachments": [keyboard(json!([[callback("Yes", "y")]]))] });
    let asked = api.post(alice.chat_id().0, body).await.ok()["message"].clone();
    alice.presses("Yes");
    let (updates, _) = api.updates().await;
    let update = updates.last().unwrap();
    assert_eq!(update["update_type"], "message_callback");
    assert_eq!(update["callback"]["payload"], "y");
    assert_eq!(update["callback"]["user"]["user_id"], alice.user_id().0);
    assert_eq!(update["message"], asked);
    assert_eq!(update["user_locale"], "en");
    let id = update["callback"]["callback_id"].as_str().unwrap();
    let path = format!("/answers?callback_id={id}");
    let answer = json!({ "message": { "text": "Done", "attachments": [] }, "notification": "Thanks" });
    assert_eq!(api.call("POST", &path, answer).await.ok(), json!({ "success": true }));
    assert_eq!(alice.sees(), ["Done"]);
    assert_eq!(alice.reads_notification().await, "Thanks");
    let (asked, done) = (alice.reads().await, alice.reads().await);
    assert_eq!((asked.text(), asked.is_edit(), asked.buttons()), ("Sure?", false, &[vec!["Yes".to_owned()]][..]));
    assert_eq!((done.text(), done.is_edit(), done.buttons()), ("Done", true, &[][..]));
}

#[tokio::test]
async fn an_answer_needs_content_and_a_known_callback_id() {
    let (_tamtam, api, alice) = dialog().await;
    let body = json!({ "text": "Sure?", "attachments": [keyboard(json!([[callback("Yes", "y")]]))] });
    let asked = mid(&api.post(alice.chat_id().0, body).await.ok()["message"]);
    alice.presses("Yes");
    let (updates, _) = api.updates().await;
    let id = updates.last().unwrap()["callback"]["callback_id"].as_str().unwrap().to_owned();
    let answer = async |id: &str, body: Value| api.call("POST", &format!("/answers?callback_id={id}"), body).await;
    answer(&id, json!({})).await.fails(400, "proto.payload");
    answer(&id, json!({ "message": null, "notification": null })).await.fails(400, "proto.payload");
    answer("", json!({ "notification": "a" })).await.fails(400, "proto.payload");
    answer("%20", json!({ "notification": "a" })).await.fails(400, "proto.payload");
    answer("unknown", json!({ "notification": "a" })).await.fails(404, "not.found");
    answer(&id, json!({ "message": { "text": "", "attachments": [] } })).await.refused();
    api.delete(&format!("/messages?message_id={asked}")).await.ok();
    answer(&id, json!({ "message": { "text": "a" } })).await.fails(404, "not.found");
    answer(&id, json!({ "notification": "still" })).await.ok();
}
