//! Constructors: a person composes a message with the help of the bot.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use crate::client::{Answer, Api, callback, dialog, keyboard, mid, photo};

async fn construct(api: &Api, session: &tamtam::types::SessionId, body: Value) -> Answer {
    api.call("POST", &format!("/answers/constructor?session_id={session}"), body).await
}

async fn last(api: &Api) -> Value {
    api.updates().await.0.pop().unwrap()
}

fn fails(act: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(act)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test]
async fn opening_typing_and_pressing_send_the_data_of_the_last_answer() {
    let (_tamtam, api, alice) = dialog().await;
    let card = alice.opens_constructor();
    let opened = last(&api).await;
    assert_eq!(opened["update_type"], "message_construction_request");
    assert_eq!(opened["input"], json!({ "messages": [], "input_type": "message" }));
    assert_eq!((&opened["data"], &opened["user"]["user_id"]), (&json!(null), &json!(alice.user_id().0)));
    assert_eq!(opened["session_id"], card.session_id().as_str());

    let body = json!({ "data": "step 1", "hint": "Choose", "placeholder": "Name", "allow_user_input": true,
        "keyboard": { "buttons": [[callback("Red", "r")], [{ "type": "link", "text": "Site", "url": "https://x" }]] } });
    assert_eq!(construct(&api, &card.session_id(), body).await.ok(), json!({ "success": true }));
    let shown = card.reads().await;
    assert_eq!((shown.hint(), shown.placeholder(), shown.allows_input()), (Some("Choose"), Some("Name"), true));
    assert_eq!((shown.buttons(), shown.texts().len()), (&[vec!["Red".to_owned()], vec!["Site".to_owned()]][..], 0));

    card.types("Bob");
    let typed = last(&api).await;
    assert_eq!(typed["data"], "step 1");
    assert_eq!(typed["input"]["messages"][0]["text"], "Bob");
    api.drain().await;
    card.presses("Site");
    assert_eq!(api.kinds().await, [""; 0], "a press of a link sends no update");
    card.presses("Red");
    assert_eq!(last(&api).await["input"], json!({ "payload": "r", "input_type": "callback" }));

    construct(&api, &card.session_id(), json!({ "data": null, "allow_user_input": false })).await.ok();
    assert!(!card.reads().await.allows_input());
    assert!(fails(|| card.types("x")).contains("the bot allows no input"));
    assert!(fails(|| card.presses("Red")).contains("sees no button [Red]"));
    assert!(fails(|| drop(card.posts())).contains("has prepared no message"));
}

#[tokio::test]
async fn a_constructed_message_is_posted_by_the_person_in_a_chat_without_the_bot() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    let team = tamtam.group("Team", [&alice, &bob]);
    let alice = alice.in_chat(&team);
    alice.removes_bot();
    api.drain().await;
    let card = alice.opens_constructor();
    let messages = json!([
        { "text": "Coming?", "markup": [{ "from": 0, "length": 6, "type": "strong" }],
          "attachments": [keyboard(json!([[callback("Yes", "y")]]))] },
        { "attachments": [photo("https://x/a.png")] },
    ]);
    construct(&api, &card.session_id(), json!({ "messages": messages })).await.ok();
    assert_eq!(card.reads().await.texts(), ["Coming?", ""]);
    let posted = card.posts();
    assert_eq!(bob.in_chat(&team).sees(), ["Coming?", ""]);
    let (updates, _) = api.updates().await;
    assert_eq!(updates.len(), 3, "there must be no updates of the group: {updates:?}");
    for (update, posted) in updates[1..].iter().zip(&posted) {
        assert_eq!(update["update_type"], "message_constructed");
        assert_eq!(update["session_id"], card.session_id().as_str());
        assert_eq!(
            (mid(&update["message"]), &update["message"]["sender"]["name"]),
            (posted.to_string(), &json!("Alice"))
        );
    }
    assert_eq!(updates[1]["message"]["body"]["markup"], json!([{ "from": 0, "length": 6, "type": "strong" }]));

    bob.in_chat(&team).presses("Yes");
    let pressed = last(&api).await;
    assert_eq!((&pressed["callback"]["payload"], &pressed["callback"]["user"]["name"]), (&json!("y"), &json!("Bob")));
    assert_eq!(pressed["message"]["constructor"]["user_id"], tamtam.bot_id().0);
    let path = format!("/answers?callback_id={}", pressed["callback"]["callback_id"].as_str().unwrap());
    api.call("POST", &path, json!({ "message": { "text": "Bob comes", "attachments": [] } })).await.ok();
    assert_eq!(bob.in_chat(&team).reads().await.text(), "Bob comes");
    assert!(tamtam.transcript().ends_with("(Team) Echo edits: Bob comes\n"), "{}", tamtam.transcript());
}

#[tokio::test]
async fn a_bot_in_the_chat_gets_the_message_with_its_constructor() {
    let (tamtam, api, alice) = dialog().await;
    let card = alice.opens_constructor();
    construct(&api, &card.session_id(), json!({ "messages": [{ "text": "hi" }] })).await.ok();
    let posted = card.posts();
    let (updates, _) = api.updates().await;
    let created = &updates[updates.len() - 2];
    assert_eq!((&created["update_type"], mid(&created["message"])), (&json!("message_created"), posted[0].to_string()));
    assert_eq!(created["message"]["constructor"]["user_id"], tamtam.bot_id().0);
    assert_eq!(created["message"]["sender"]["user_id"], alice.user_id().0);
    assert_eq!(api.get(&format!("/messages/{}", posted[0])).await.ok(), created["message"]);
}

#[tokio::test]
async fn a_session_accepts_answers_until_its_message_is_posted() {
    let (_tamtam, api, alice) = dialog().await;
    let card = alice.opens_constructor();
    construct(&api, &card.session_id(), json!({ "messages": [{ "text": "one" }] })).await.ok();
    construct(&api, &card.session_id(), json!({ "messages": [{ "text": "two" }] })).await.ok();
    assert_eq!(card.reads().await.texts(), ["one"]);
    assert_eq!(card.reads().await.texts(), ["two"]);
    card.posts();
    assert_eq!(alice.sees(), ["two"]);
    construct(&api, &card.session_id(), json!({})).await.fails(404, "not.found");
    assert!(fails(|| card.types("x")).contains("has posted this message already"));
    construct(&api, &"nothing".into(), json!({})).await.fails(404, "not.found");
    api.call("POST", "/answers/constructor", json!({})).await.fails(400, "proto.payload");
    api.call("POST", "/answers/constructor?session_id=", json!({})).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn invalid_constructor_answers_are_refused() {
    let (_tamtam, api, alice) = dialog().await;
    let session = alice.opens_constructor().session_id();
    for bad in [
        json!({ "messages": [{ "text": "x".repeat(4001) }] }),
        json!({ "messages": [{ "text": null }] }),
        json!({ "messages": [{ "text": "x", "markup": [{ "type": "strong", "from": 0, "length": 2 }] }] }),
        json!({ "messages": [{ "text": "x", "format": "rtf" }] }),
        json!({ "messages": "x" }),
        json!({ "data": "x".repeat(8193) }),
        json!({ "keyboard": { "buttons": [[{ "type": "callback", "text": "no payload" }]] } }),
        json!({ "hint": 5 }),
    ] {
        construct(&api, &session, bad).await.fails(400, "proto.payload");
    }
    construct(&api, &session, json!({ "data": "ё".repeat(8192) })).await.ok();
}

#[tokio::test]
async fn a_person_who_cannot_write_cannot_open_a_constructor() {
    let (tamtam, _, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    assert!(fails(|| drop(bob.opens_constructor())).contains("Bob has not opened this chat"));
    alice.stops();
    assert!(fails(|| drop(alice.opens_constructor())).contains("has stopped the bot"));
    let team = tamtam.group("Team", [&alice]);
    assert!(fails(|| drop(bob.in_chat(&team).opens_constructor())).contains("is not a member"));
}
