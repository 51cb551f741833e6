//! Callbacks: their answers, and payloads as typed values.

use serde::{Deserialize, Serialize};
use serde_json::json;
use tamtam::{
    Bot, Button, ErrorKind, Keyboard, NewMessageBody, Update,
    types::{CallbackButton, MessageCallbackUpdate},
    updates::Updates,
};
use tamtam_sandbox::{Person, Sandbox};

use super::{next, sandbox, unsent};
use crate::common::{answering_json, bot, requests};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Order { item: u64, size: String },
    Cancel,
}

/// Starts a sandbox, and sends Alice a question with these buttons.
async fn asked(buttons: impl IntoIterator<Item = CallbackButton>) -> (Sandbox, Bot, Person, Updates) {
    let (tamtam, bot, alice) = sandbox().await;
    bot.send(alice.chat_id(), NewMessageBody::from("What?").keyboard(Keyboard::column(buttons))).await.unwrap();
    alice.reads().await;
    let updates = bot.updates();
    (tamtam, bot, alice, updates)
}

async fn next_press(updates: &mut Updates) -> MessageCallbackUpdate {
    next(updates, |update| match update {
        Update::MessageCallback(pressed) => Some(pressed),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_callback_is_answered_by_a_notification_an_edit_or_both() {
    let (_tamtam, bot, alice, mut updates) = asked([Button::callback("Yes", "y")]).await;
    alice.presses("Yes");
    let pressed = next_press(&mut updates).await;
    bot.answer(&pressed).notification("Noted").await.unwrap();
    assert_eq!(alice.reads_notification().await, "Noted");
    assert_eq!(alice.sees(), ["What?"]);

    bot.answer(&pressed.callback).edit("Yes.").await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), seen.buttons().len(), seen.is_edit()), ("Yes.", 1, true), "the keyboard stays");

    alice.presses("Yes");
    let pressed = next_press(&mut updates).await;
    let over = NewMessageBody::markdown("*Over.*").no_attachments();
    bot.answer(pressed.callback.callback_id).notification("Over").edit(over).await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), seen.buttons().len(), seen.markup().len()), ("Over.", 0, 1));
    assert_eq!(alice.reads_notification().await, "Over");
}

#[tokio::test]
async fn an_answer_without_notification_and_edit_is_not_sent() {
    let server = answering_json(&json!({"success": true})).await;
    let words = "body has none of message, notification: set at least one of them";
    assert_eq!(unsent(bot(&server).answer("cb")).await, words);
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn a_callback_of_a_deleted_message_is_answered_by_a_notification() {
    let (_tamtam, bot, alice, mut updates) = asked([Button::callback("Yes", "y")]).await;
    alice.presses("Yes");
    let pressed = next_press(&mut updates).await;
    bot.delete(&**pressed.message.as_ref().unwrap()).await.unwrap();
    assert!(alice.sees().is_empty());
    bot.answer(&pressed).notification("Too late").await.unwrap();
    assert_eq!(alice.reads_notification().await, "Too late");
    assert!(bot.answer(&pressed).edit("Too late").await.is_err());

    // The server may also send the callback without its message.
    let mut json = serde_json::to_value(&pressed).unwrap();
    json["message"] = json!(null);
    let pressed: MessageCallbackUpdate = serde_json::from_value(json).unwrap();
    assert_eq!(pressed.message, None);
    bot.answer(&pressed).notification("Still too late").await.unwrap();
    assert_eq!(alice.reads_notification().await, "Still too late");
}

#[tokio::test]
async fn the_payload_of_a_button_is_read_back_as_a_typed_value() {
    let order = || Choice::Order { item: u64::MAX, size: "XL — «большой» 🍵".to_owned() };
    let (_tamtam, _bot, alice, mut updates) = asked([
        Button::callback_with("Order", &order()).unwrap().positive(),
        Button::callback_with("Cancel", &Choice::Cancel).unwrap(),
        Button::callback("Old", "v0:cancel"),
    ])
    .await;
    for (label, expected) in [("Order", order()), ("Cancel", Choice::Cancel)] {
        alice.presses(label);
        assert_eq!(next_press(&mut updates).await.callback.payload_as::<Choice>().unwrap(), expected);
    }
    alice.presses("Old");
    let error = next_press(&mut updates).await.callback.payload_as::<Choice>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Payload, "{error}");
    assert!(error.to_string().starts_with("the payload is not what was expected: "), "{error}");
}

#[tokio::test]
async fn a_payload_of_1024_bytes_is_returned_and_a_longer_one_is_an_error() {
    // JSON adds two quotes.
    let (fits, long) = ("x".repeat(1022), "x".repeat(1023));
    let (_tamtam, _bot, alice, mut updates) = asked([Button::callback_with("Fits", &fits).unwrap()]).await;
    alice.presses("Fits");
    assert_eq!(next_press(&mut updates).await.callback.payload_as::<String>().unwrap(), fits);
    let error = Button::callback_with("Long", &long).unwrap_err();
    let words = "not sent: payload has 1025 bytes of JSON, the limit is 1024: keep the rest elsewhere";
    assert_eq!((error.kind() == ErrorKind::InvalidRequest, error.to_string().as_str()), (true, words));
}
