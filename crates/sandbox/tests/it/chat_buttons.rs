//! Chat buttons, which create chats.

use serde_json::{Value, json};

use crate::client::{Api, dialog, keyboard, mid};

fn chat_button(text: &str, uuid: Option<i64>) -> Value {
    json!({
        "type": "chat", "text": text, "chat_title": format!("About {text}"), "chat_description": "Why not",
        "start_payload": "p", "uuid": uuid,
    })
}

async fn post(api: &Api, chat: i64, buttons: Value) -> Value {
    let body = json!({ "text": "?", "attachments": [keyboard(json!([buttons]))] });
    api.post(chat, body).await.ok()["message"].clone()
}

#[tokio::test]
async fn the_first_press_creates_the_chat_and_later_presses_join_it() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    let team = tamtam.group("Team", [&alice, &bob]);
    let message = post(&api, team.chat_id().0, json!([chat_button("Lunch", None)])).await;
    api.drain().await;

    alice.in_chat(&team).presses("Lunch");
    let (updates, _) = api.updates().await;
    assert_eq!(updates.len(), 1);
    let created = &updates[0];
    assert_eq!(created["update_type"], "message_chat_created");
    assert_eq!((&created["message_id"], &created["start_payload"]), (&json!(mid(&message)), &json!("p")));
    let chat = &created["chat"];
    assert_eq!((&chat["title"], &chat["description"]), (&json!("About Lunch"), &json!("Why not")));
    assert_eq!((&chat["type"], &chat["is_public"], &chat["status"]), (&json!("chat"), &json!(false), &json!("active")));
    assert_eq!((&chat["owner_id"], &chat["chat_message_id"]), (&json!(tamtam.bot_id().0), &created["message_id"]));
    assert!(chat["link"].as_str().unwrap().starts_with("https://tt.me/join/"));
    let chat_id = chat["chat_id"].as_i64().unwrap();
    assert_eq!(api.get(&format!("/chats/{chat_id}")).await.ok(), *chat);

    api.drain().await;
    bob.in_chat(&team).presses("Lunch");
    let (updates, _) = api.updates().await;
    assert_eq!(updates.len(), 1);
    assert_eq!((&updates[0]["update_type"], &updates[0]["chat_id"]), (&json!("user_added"), &json!(chat_id)));
    assert_eq!((&updates[0]["user"]["name"], &updates[0]["inviter_id"]), (&json!("Bob"), &json!(null)));
    bob.in_chat(&team).presses("Lunch");
    assert_eq!(api.kinds().await.len(), 1, "a member only opens the chat");

    let lunch = tamtam.chat(chat_id.into());
    api.say(chat_id, "Pizza?").await;
    for person in [&alice, &bob] {
        assert_eq!(person.in_chat(&lunch).reads().await.text(), "Pizza?");
    }
}

#[tokio::test]
async fn buttons_with_the_same_uuid_share_a_chat() {
    let (tamtam, api, alice) = dialog().await;
    let message = post(&api, alice.chat_id().0, json!([chat_button("a", None), chat_button("b", Some(7))])).await;
    let buttons = message["body"]["attachments"][0]["payload"]["buttons"][0].clone();
    assert!(buttons[0]["uuid"].is_i64(), "the server sets a uuid");
    assert_eq!(buttons[1]["uuid"], 7);
    let chats = async || {
        let (updates, _) = api.updates().await;
        let created = updates.iter().filter(|update| update["update_type"] == "message_chat_created");
        created.map(|update| update["chat"]["chat_id"].clone()).collect::<Vec<_>>()
    };
    let edit = async |buttons: Value| {
        let body = json!({ "attachments": [keyboard(json!([buttons]))] });
        api.call("PUT", &format!("/messages?message_id={}", mid(&message)), body).await.ok();
    };
    alice.presses("a");
    alice.presses("b");
    alice.presses("b");
    let first = chats().await;
    assert_eq!(first.len(), 2);
    assert_ne!(first[0], first[1]);
    edit(json!([{ "type": "chat", "text": "same", "chat_title": "x", "uuid": 7 }])).await;
    alice.presses("same");
    assert_eq!(chats().await.len(), 2);
    edit(json!([{ "type": "chat", "text": "other", "chat_title": "x" }])).await;
    alice.presses("other");
    assert_eq!(chats().await.len(), 3);
    assert_eq!(tamtam.chat(first[1].as_i64().unwrap().into()).title(), "About b");
}

#[tokio::test]
async fn a_person_owns_the_chat_of_a_constructed_message_and_the_bot_is_an_administrator() {
    let (_tamtam, api, alice) = dialog().await;
    let card = alice.opens_constructor();
    let path = format!("/answers/constructor?session_id={}", card.session_id());
    let message = json!({ "text": "?", "attachments": [keyboard(json!([[chat_button("Lunch", None)]]))] });
    api.call("POST", &path, json!({ "messages": [message] })).await.ok();
    card.posts();
    alice.presses("Lunch");
    let created = api.updates().await.0.pop().unwrap();
    assert_eq!(created["chat"]["owner_id"], alice.user_id().0);
    let me = api.get(&format!("/chats/{}/members/me", created["chat"]["chat_id"])).await.ok();
    assert_eq!((&me["is_admin"], &me["is_owner"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn a_dialog_or_an_unknown_id_is_refused_as_a_chat() {
    let (tamtam, _, alice) = dialog().await;
    for id in [alice.chat_id(), 1.into(), (-1).into()] {
        assert!(std::panic::catch_unwind(|| tamtam.chat(id)).is_err());
    }
}
