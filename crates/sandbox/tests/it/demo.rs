//! The demo: its contents, and the missing items that it creates again.

use serde_json::json;
use tamtam_sandbox::Sandbox;

use crate::client::Api;

#[tokio::test]
async fn the_demo_is_created_once_and_sends_updates() {
    let tamtam = Sandbox::start().await;
    let demo = tamtam.demo();
    assert_eq!(tamtam.demo(), demo);
    assert_eq!(
        Api::of(&tamtam).kinds().await,
        ["bot_started", "bot_added", "message_callback", "message_construction_request"]
    );
    let told = "Bob starts Sandbox Bot\n(Demo) Alice creates the chat\n(Demo) Alice adds Bob\n\
        (Demo) Alice adds Sandbox Bot\n(Demo) Sandbox Bot: Shall we?  [Yes] [No]\n\
        (Demo) Bob presses [Yes]\n(Demo) Bob opens the constructor of Sandbox Bot\n";
    assert_eq!(tamtam.transcript(), told);
}

#[tokio::test]
async fn the_demo_creates_missing_items_again() {
    let tamtam = Sandbox::start().await;
    let (api, demo) = (Api::of(&tamtam), tamtam.demo());

    let answer = json!({ "messages": [{ "text": "Done" }] });
    api.call("POST", &format!("/answers/constructor?session_id={}", demo.session_id.as_ref().unwrap()), answer)
        .await
        .ok();
    assert_eq!(tamtam.demo(), demo, "an answered session is still open");

    api.delete(&format!("/messages?message_id={}", demo.message_id)).await.ok();
    let second = tamtam.demo();
    assert_eq!((second.chat_id, second.user_id, &second.session_id), (demo.chat_id, demo.user_id, &demo.session_id));
    assert!(second.message_id != demo.message_id && second.callback_id != demo.callback_id);
    api.get(&format!("/messages/{}", second.message_id)).await.ok();

    api.delete(&format!("/chats/{}/members/me", demo.chat_id)).await.ok();
    let third = tamtam.demo();
    assert!(third.chat_id != second.chat_id && third.session_id != second.session_id);
    api.get(&format!("/chats/{}", third.chat_id)).await.ok();
}
