//! Channels: administrators post, the others read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;

use crate::client::{callback, dialog, keyboard, mid};

fn fails(act: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(act)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

#[tokio::test]
async fn a_channel_has_its_own_chat_type_and_sends_updates() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    api.drain().await;
    let news = tamtam.channel("News", [&alice, &bob]);
    let chat = api.get(&format!("/chats/{}", news.chat_id().0)).await.ok();
    assert_eq!((&chat["type"], &chat["title"]), (&json!("channel"), &json!("News")));
    assert_eq!((&chat["owner_id"], &chat["participants_count"]), (&json!(alice.user_id().0), &json!(3)));
    let (alice, carol) = (alice.in_chat(&news), tamtam.user("Carol"));
    carol.in_chat(&news).joins();
    carol.in_chat(&news).leaves();
    alice.removes_bot();
    let (updates, _) = api.updates().await;
    assert_eq!(api.kinds().await, ["bot_added", "user_added", "user_removed", "bot_removed"]);
    assert!(updates.iter().all(|update| update["is_channel"] == true), "{updates:?}");
    assert!(tamtam.transcript().contains("(News) Alice creates the channel\n"));
}

#[tokio::test]
async fn posts_have_no_sender_unless_the_channel_signs_them() {
    let (tamtam, api, alice) = dialog().await;
    let (news, signed) = (tamtam.channel("News", [&alice]), tamtam.channel("Blog", [&alice]).with_signed_posts());
    for (channel, is_signed) in [(&news, false), (&signed, true)] {
        let posted = api.post(channel.chat_id().0, json!({ "text": "a" })).await.ok()["message"].clone();
        assert_eq!(posted.get("sender").is_some(), is_signed);
        assert_eq!(posted["recipient"]["chat_type"], "channel");
        let said = alice.in_chat(channel).says("b");
        let created = api.updates().await.0.pop().unwrap();
        assert_eq!(mid(&created["message"]), said.as_str());
        assert_eq!(created["message"].get("sender").is_some(), is_signed);
        let forward = json!({ "link": { "type": "forward", "mid": said } });
        let forward = api.post(alice.chat_id().0, forward).await.ok()["message"]["link"].clone();
        assert_eq!((forward.get("sender").is_some(), &forward["chat_id"]), (is_signed, &json!(channel.chat_id().0)));
    }
}

#[tokio::test]
async fn views_are_counted_once_for_each_person() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    let news = tamtam.channel("News", [&alice, &bob]);
    let posted = api.post(news.chat_id().0, json!({ "text": "a" })).await.ok()["message"].clone();
    assert!(posted.get("stat").is_none());
    let path = format!("/messages/{}", mid(&posted));
    let views = async || api.get(&path).await.ok()["stat"]["views"].clone();
    assert_eq!(views().await, 0);
    bob.in_chat(&news).reads().await;
    assert_eq!(views().await, 1);
    assert_eq!(bob.in_chat(&news).sees(), ["a"]);
    assert_eq!(views().await, 1);
    alice.in_chat(&news).sees();
    let listed = api.get(&format!("/messages?chat_id={}", news.chat_id().0)).await.ok();
    assert_eq!(listed["messages"][0]["stat"], json!({ "views": 2 }));

    let said = api.say(alice.chat_id().0, "dialog").await;
    alice.reads().await;
    assert!(api.get(&format!("/messages/{said}")).await.ok().get("stat").is_none());
}

#[tokio::test]
async fn only_administrators_can_post_in_and_change_a_channel() {
    let (tamtam, api, alice) = dialog().await;
    let (bob, carol) = (tamtam.user("Bob"), tamtam.user("Carol"));
    let news = tamtam.channel("News", [&alice, &bob]);
    let reader = bob.in_chat(&news);
    let keys = keyboard(json!([[{ "type": "request_contact", "text": "Me" }, callback("Yes", "y")]]));
    api.post(news.chat_id().0, json!({ "text": "?", "attachments": [keys] })).await.ok();
    for verb in [
        &(|| drop(reader.says("x"))) as &dyn Fn(),
        &|| reader.presses("Me"),
        &|| reader.adds(&carol),
        &|| reader.renames_chat("x"),
        &|| reader.removes(&alice),
        &|| reader.appoints(&bob),
    ] {
        assert!(fails(verb).contains("Bob is not an administrator"));
    }
    reader.presses("Yes");
    assert_eq!(api.updates().await.0.pop().unwrap()["callback"]["user"]["name"], "Bob");
    alice.in_chat(&news).appoints(&bob);
    reader.says("now I can");
    reader.adds(&carol);

    news.demotes_bot();
    let message = api.post(news.chat_id().0, json!({ "text": "a" })).await.fails(403, "chat.denied");
    assert_eq!(message, "chat.send.msg.no.permission.because.not.admin");
    news.promotes_bot();
    api.say(news.chat_id().0, "a").await;
}

#[tokio::test]
async fn a_public_channel_and_its_posts_have_links() {
    let (tamtam, api, alice) = dialog().await;
    let news = tamtam.channel("News", [&alice]).with_public_link("news");
    let chat = api.get("/chats/@news").await.ok();
    assert_eq!((&chat["is_public"], &chat["link"]), (&json!(true), &json!("https://tt.me/news")));
    let posted = api.post(news.chat_id().0, json!({ "text": "a" })).await.ok();
    assert!(posted["message"]["url"].as_str().unwrap().starts_with("https://tt.me/news/"));
    let private = tamtam.channel("Secret", [&alice]);
    assert!(api.post(private.chat_id().0, json!({ "text": "a" })).await.ok()["message"].get("url").is_none());
}
