//! Answers to pressed buttons: their effects and errors.

use serde_json::{Value, json};

use super::dialog;
use crate::client::{Answer, Api, callback, keyboard, mid};
use crate::conformance::Checked;

/// A dialog in which a button of the bot's message was pressed.
struct Scene {
    max: Checked,
    api: Api,
    alice: tamtam_sandbox::Person,
    message: String,
    callback: String,
}

impl Scene {
    async fn start() -> Self {
        let (max, api, alice) = dialog().await;
        let asked = json!({ "text": "?", "attachments": [keyboard(json!([[callback("Yes", "y")]]))] });
        let message = mid(&api.post(alice.chat_id().0, asked).await.ok()["message"]);
        alice.presses("Yes");
        let update = api.updates().await.0.pop().unwrap();
        let callback = update["callback"]["callback_id"].as_str().unwrap().to_owned();
        alice.reads().await;
        Self { max, api, alice, message, callback }
    }

    async fn answer(&self, body: Value) -> Answer {
        self.api.call("POST", &format!("/answers?callback_id={}", self.callback), body).await
    }
}

#[tokio::test]
async fn an_answer_edits_the_message_or_shows_a_notification_or_both() {
    let scene = Scene::start().await;
    assert_eq!(scene.answer(json!({ "notification": "Noted" })).await.ok(), json!({ "success": true }));
    assert_eq!(scene.alice.reads_notification().await, "Noted");
    let message = json!({ "text": "**Yes**", "format": "markdown" });
    scene.answer(json!({ "message": message, "notification": "Twice" })).await.ok();
    let shown = scene.alice.reads().await;
    assert_eq!((shown.text(), shown.is_edit(), shown.buttons().len()), ("Yes", true, 1), "null keeps the buttons");
    assert_eq!(scene.alice.reads_notification().await, "Twice");
    scene.answer(json!({ "message": { "attachments": [] } })).await.ok();
    let shown = scene.alice.reads().await;
    assert_eq!((shown.text(), shown.buttons().len()), ("Yes", 0));
    assert_eq!(shown.mid().as_str(), scene.message);
}

#[tokio::test]
async fn an_answer_without_content_is_refused() {
    let scene = Scene::start().await;
    for empty in [json!({}), json!({ "message": null, "notification": null })] {
        let message = scene.answer(empty).await.fails(400, "proto.payload");
        assert_eq!(message, "`message` or `notification` required");
    }
    assert_eq!(
        scene.answer(json!({ "message": { "text": "", "attachments": [] } })).await.refused(),
        "Message cannot be empty"
    );
    assert_eq!(scene.alice.sees(), ["?"]);
}

#[tokio::test]
async fn only_the_bot_of_the_message_can_answer_a_press() {
    let scene = Scene::start().await;
    let helper = scene.api.of_bot(&scene.max.add_bot("Helper", "helper_bot"));
    let path = format!("/answers?callback_id={}", scene.callback);
    helper.call("POST", &path, json!({ "notification": "!" })).await.fails(404, "not.found");
    scene.api.call("POST", "/answers?callback_id=x", json!({ "notification": "!" })).await.fails(404, "not.found");
    scene.api.call("POST", "/answers?callback_id=%20", json!({})).await.fails(400, "proto.payload");
    scene.api.delete(&format!("/messages?message_id={}", scene.message)).await.ok();
    scene.answer(json!({ "message": { "text": "x" } })).await.fails(404, "not.found");
    scene.answer(json!({ "notification": "Still" })).await.ok();
    scene.alice.stops();
    let message = scene.answer(json!({ "notification": "!" })).await.fails(403, "chat.denied");
    assert_eq!(message, "error.dialog.suspended");
}
