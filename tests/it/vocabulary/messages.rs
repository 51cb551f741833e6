//! Messages: sending, editing, deleting, forwarding and replying.

use serde_json::{Value, json};
use tamtam::{Attachment, AttachmentRequest, Button, Keyboard, Message, MessageId, NewMessageBody, UserId};
use tamtam_sandbox::Seen;

use super::{next_message, sandbox, unsent};
use crate::common::{answering_json, bot, only_request, parameter, requests};

/// Returns the kinds of the attachments.
fn kinds(seen: &Seen) -> Vec<&str> {
    seen.attachments().iter().map(|attachment| attachment["type"].as_str().unwrap()).collect()
}

/// Returns a message without a body, as servers send it for a forward without a text.
fn without_a_body() -> Message {
    let json = json!({"timestamp": 1, "recipient": {"chat_id": 7, "chat_type": "dialog"},
        "link": {"type": "forward", "message": {"mid": "mid.original", "seq": 1}}});
    serde_json::from_value(json).unwrap()
}

fn cat() -> NewMessageBody {
    let keyboard = Keyboard::column(Button::callback("Nice", "nice"));
    NewMessageBody::markdown("A *cat*").attach(AttachmentRequest::photo_url("https://x.example/cat")).keyboard(keyboard)
}

#[tokio::test]
async fn a_message_is_sent_to_a_chat_or_a_user_silently_or_without_preview() {
    let sent = json!({"message": {"timestamp": 1, "recipient": {"chat_id": 7, "chat_type": "dialog"},
        "body": {"mid": "mid.1", "seq": 1, "text": "hi"}}});
    let server = answering_json(&sent).await;
    bot(&server).send(UserId(5), "hi").notify(false).disable_link_preview(true).await.unwrap();
    let request = only_request(&server).await;
    assert_eq!(request.body_json::<Value>().unwrap(), json!({"text": "hi", "notify": false}));
    assert_eq!(
        (parameter(&request, "user_id"), parameter(&request, "disable_link_preview")),
        (vec!["5".to_owned()], vec!["true".to_owned()])
    );

    let (_tamtam, bot, alice) = sandbox().await;
    bot.send(alice.user_id(), "one").await.unwrap();
    bot.send(alice.chat_id(), "two".to_owned()).await.unwrap();
    bot.send(alice.chat_id(), bot.upload_photo(b"bytes").text("three")).notify(false).await.unwrap();
    assert_eq!(alice.sees(), ["one", "two", "three"]);
}

#[tokio::test]
async fn an_upload_is_sent_as_a_message_without_text() {
    let (_tamtam, bot, alice) = sandbox().await;
    let photo = bot.upload_photo(b"photo").await.unwrap();
    bot.send(alice.chat_id(), photo.clone()).await.unwrap();
    let video = bot.upload_video(b"video").await.unwrap();
    let sent = bot.send(alice.chat_id(), video).await.unwrap();
    bot.send(alice.chat_id(), bot.upload_audio(b"audio").await.unwrap()).await.unwrap();
    bot.send(alice.chat_id(), bot.upload_file(b"file").file_name("file.txt").await.unwrap()).await.unwrap();
    bot.edit(&sent, photo).await.unwrap();
    for kind in ["image", "video", "audio", "file", "image"] {
        assert_eq!(kinds(&alice.reads().await), [kind]);
    }
}

#[tokio::test]
async fn an_edit_keeps_replaces_or_removes_the_attachments() {
    let (_tamtam, bot, alice) = sandbox().await;
    let sent = bot.send(alice.chat_id(), cat()).await.unwrap();
    assert_eq!(kinds(&alice.reads().await), ["image", "inline_keyboard"]);

    bot.edit(&sent, "A dog?").await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), kinds(&seen)), ("A dog?", vec!["image", "inline_keyboard"]), "kept");

    let keyboard = Keyboard::column(Button::callback("Ugly", "ugly"));
    bot.edit(&sent.message, NewMessageBody::new().keyboard(keyboard)).await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), kinds(&seen)), ("A dog?", vec!["inline_keyboard"]), "the photo is replaced");
    assert_eq!(seen.buttons(), [["Ugly"]]);

    bot.edit(sent.message.mid().unwrap(), NewMessageBody::new().no_attachments()).await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), kinds(&seen).len()), ("A dog?", 0), "removed");

    let error = bot.edit(&sent, NewMessageBody::new().text("")).await.unwrap_err();
    assert!(error.is_refused(), "an edit that leaves nothing is refused: {error}");
}

#[tokio::test]
async fn an_edit_uploads_the_new_attachments() {
    let (_tamtam, bot, alice) = sandbox().await;
    let sent = bot.send(alice.chat_id(), cat()).await.unwrap();
    alice.reads().await;

    let dog = NewMessageBody::from("A dog").attach(AttachmentRequest::photo_url("https://x.example/dog"));
    bot.edit(&sent, dog.upload(bot.upload_photo(b"another"))).await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), kinds(&seen)), ("A dog", vec!["image", "image"]));

    bot.edit(&sent, bot.upload_file(b"a long story").file_name("dog.txt")).await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), kinds(&seen)), ("A dog", vec!["file"]));
    assert!(seen.is_edit());
}

#[tokio::test]
async fn a_message_is_deleted_by_its_id_its_value_or_the_result_of_sending_it() {
    let (tamtam, bot, alice) = sandbox().await;
    let one = bot.send(alice.chat_id(), "1").await.unwrap();
    let two = bot.send(alice.chat_id(), "2").await.unwrap();
    let three = bot.send(alice.chat_id(), "3").await.unwrap();
    bot.delete(MessageId::from(&one)).await.unwrap();
    bot.delete(&two.message).await.unwrap();
    bot.delete(&three).await.unwrap();
    assert!(alice.sees().is_empty());

    let team = tamtam.group("Team", [&alice]);
    let mut updates = bot.updates();
    alice.in_chat(&team).says("spam");
    let spam = next_message(&mut updates).await;
    bot.delete(&spam).await.unwrap();
    assert!(alice.in_chat(&team).sees().is_empty());
}

#[tokio::test]
async fn a_message_is_forwarded_to_another_chat_and_replied_to_in_its_chat() {
    let (tamtam, bot, alice) = sandbox().await;
    let bob = tamtam.user("Bob");
    bob.starts();
    let mut updates = bot.updates();
    alice.says_with("My cat", [tamtam_sandbox::Enclosure::photo(b"meow")]);
    let message = next_message(&mut updates).await;

    bot.forward(bob.user_id(), &message).notify(false).await.unwrap();
    let seen = bob.reads().await;
    let link = &seen.message()["link"];
    assert_eq!((&link["type"], &link["message"]["mid"]), (&json!("forward"), &json!(message.mid())));
    let inner: Vec<Attachment> = serde_json::from_value(link["message"]["attachments"].clone()).unwrap();
    assert_eq!(inner, message.attachments());

    bot.send(alice.chat_id(), NewMessageBody::from("Nice!").reply_to(&message)).await.unwrap();
    let link = alice.reads().await.message()["link"].clone();
    assert_eq!((&link["type"], &link["message"]["mid"]), (&json!("reply"), &json!(message.mid())));
}

#[tokio::test]
async fn a_message_without_an_id_cannot_be_edited_deleted_or_forwarded() {
    let server = answering_json(&json!({"success": true})).await;
    let (bot, message) = (bot(&server), without_a_body());
    assert_eq!(message.mid(), None);
    assert_eq!((message.attachments().len(), message.keyboard()), (0, None));
    let empty = "is empty: use the id that the API returned";
    assert_eq!(unsent(bot.delete(&message)).await, format!("message_id {empty}"));
    assert_eq!(unsent(bot.edit(&message, "new")).await, format!("message_id {empty}"));
    assert_eq!(unsent(bot.forward(UserId(5), &message)).await, format!("body.link.mid {empty}"));
    let reply = NewMessageBody::from("hi").reply_to(&message);
    assert_eq!(unsent(bot.send(UserId(5), reply)).await, format!("body.link.mid {empty}"));
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn a_message_without_an_id_is_answered_in_its_chat() {
    let sent = json!({"message": {"timestamp": 1, "recipient": {"chat_id": 7, "chat_type": "dialog"}}});
    let server = answering_json(&sent).await;
    bot(&server).reply(&without_a_body(), "hi").await.unwrap();
    let request = only_request(&server).await;
    assert_eq!(parameter(&request, "chat_id"), ["7"]);
    assert_eq!(request.body_json::<Value>().unwrap(), json!({"text": "hi"}));
}
