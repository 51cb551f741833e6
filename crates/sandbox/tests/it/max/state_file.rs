//! A sandbox of MAX that continues from a state file.

use serde_json::{Value, json};
use tamtam::Service;
use tamtam_sandbox::{RateLimit, Sandbox, StartError, StateFileError};

use crate::client::{Api, keyboard, mid, unlimited};
use crate::conformance;
use crate::state_file::{Directory, on};
use crate::webhook::Webhook;

#[tokio::test]
async fn the_state_file_sets_the_service_and_another_service_is_refused() {
    let directory = Directory::new("max-service");
    drop(on(&directory.file()).service(Service::Max).start().await);
    for builder in [on(&directory.file()), on(&directory.file()).service(Service::Max)] {
        let max = builder.start().await;
        assert_eq!(max.service(), Service::Max);
        max.bot().me().await.unwrap();
    }
    let kept = std::fs::read(directory.file()).unwrap();
    let error = on(&directory.file()).service(Service::TamTam).try_start().await.unwrap_err();
    let StartError::StateFile(StateFileError::OtherService { path, kept: own, asked, .. }) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (path.file_name(), own.to_string(), asked.to_string()),
        (Some("state.json".as_ref()), "MAX".into(), "TamTam".into())
    );
    assert!(
        error.to_string().contains("state.json is a state of MAX, not of TamTam: start the sandbox as MAX"),
        "{error}"
    );
    assert_eq!(std::fs::read(directory.file()).unwrap(), kept, "the file must stay unchanged");

    let other = Directory::new("tamtam-service");
    drop(on(&other.file()).start().await);
    let error = on(&other.file()).service(Service::Max).try_start().await.unwrap_err();
    assert!(error.to_string().contains("is a state of TamTam, not of MAX"), "{error}");
    let tamtam = on(&other.file()).start().await;
    assert_eq!(tamtam.service(), Service::TamTam);
}

#[tokio::test]
async fn a_custom_service_cannot_be_simulated() {
    let error = Sandbox::builder().service(Service::Max.with_name("gateway")).try_start().await.unwrap_err();
    assert!(matches!(&error, StartError::Service { name, .. } if name == "gateway"), "{error:?}");
    assert!(error.to_string().contains("the sandbox does not simulate gateway"), "{error}");
}

#[tokio::test]
async fn the_demo_is_the_same_after_a_restart_and_can_be_used() {
    let directory = Directory::new("max-demo");
    let demo = on(&directory.file()).service(Service::Max).start().await.demo();
    let max = conformance::checked(on(&directory.file()).rate_limit(RateLimit::none())).await;
    assert_eq!(max.demo(), demo);
    assert_eq!((demo.callback_ids.len(), &demo.session_id), (5, &None));
    assert_eq!(demo.callback_ids[0], demo.callback_id);
    let api = Api::of(&max);
    for id in &demo.callback_ids {
        let answer = json!({ "notification": "!" });
        api.call("POST", &format!("/answers?callback_id={id}"), answer).await.ok();
    }
    let (channel, post) = (demo.channel_id.unwrap(), demo.post_id.clone().unwrap());
    assert_eq!(api.get(&format!("/chats/{channel}")).await.ok()["type"], "channel");
    api.call("POST", &format!("/messages/{post}/comments"), json!({ "text": "Nice" })).await.ok();
    api.post(channel.0, json!({ "text": "And more" })).await.ok();
    api.get(&format!("/messages/{}", demo.message_id)).await.ok();

    // Only missing items are created again.
    api.delete(&format!("/messages?message_id={post}")).await.ok();
    let again = max.demo();
    assert_eq!(
        (again.chat_id, again.channel_id, &again.callback_ids),
        (demo.chat_id, Some(channel), &demo.callback_ids)
    );
    assert_ne!(again.post_id, demo.post_id);
    assert_eq!(max.demo(), again);
    let tamtam = Sandbox::start().await.demo();
    assert_eq!((tamtam.callback_ids.len(), tamtam.session_id.is_some()), (1, true));
    assert_eq!((tamtam.channel_id, tamtam.post_id), (None, None));
}

#[tokio::test]
async fn comments_rights_secrets_and_dialogs_are_kept_after_a_restart() {
    let directory = Directory::new("max-kept");
    let webhook = Webhook::start().await;
    let max = unlimited(&Service::Max).state_file(directory.file()).start().await;
    let (api, alice) = (Api::of(&max), max.user("Alice").with_phone("79990000000"));
    alice.says("hi");
    let news = max.channel("News", [&alice]).with_comments();
    let post = api.say(news.chat_id().0, "post").await;
    let comment = alice.in_chat(&news).comments(post.as_str(), "first").0;
    super::promote(&news, &["read_all_messages", "delete"]);
    let app = json!({ "type": "open_app", "text": "App", "web_app": "sandbox_bot" });
    let keys = json!([[app, { "type": "clipboard", "text": "Copy", "payload": "copied" }]]);
    let body = json!({ "text": "?", "attachments": [keyboard(keys.clone())] });
    let posted = api.post(alice.chat_id().0, body).await.ok()["message"].clone();
    let bob = max.user("Bob");
    bob.says("hi");
    bob.removes_dialog();
    let (dialog, gone) = (alice.chat_id(), bob.chat_id());
    api.drain().await;
    let body = json!({ "url": webhook.url(), "secret": "s3cret-_", "update_types": ["comment_created"] });
    api.call("POST", "/subscriptions", body).await.ok();
    let kept = api.get(&format!("/messages/{}", mid(&posted))).await.ok();
    drop((max, alice, bob, news));

    let max = conformance::checked(on(&directory.file()).rate_limit(RateLimit::none())).await;
    let api = Api::of(&max);
    let path = format!("/messages/{post}/comments");
    assert_eq!(api.get(&path).await.ok()["messages"][0]["body"]["text"], "first");
    assert_eq!(api.get(&format!("/messages/{}", mid(&posted))).await.ok(), kept);
    assert_eq!(kept["body"]["attachments"][0]["payload"]["buttons"], keys);
    api.get(&format!("/chats/{gone}")).await.fails(404, "chat.not.found");
    api.get(&format!("/chats/{dialog}")).await.ok();
    api.delete(&format!("{path}?comment_id={comment}")).await.ok();
    let news = max.chat(tamtam::ChatId(
        api.get(&format!("/messages/{post}")).await.ok()["recipient"]["chat_id"].as_i64().unwrap(),
    ));
    let carol = max.user("Carol").in_chat(&news);
    carol.joins();
    carol.comments(post.as_str(), "second");
    max.delivers().await;
    let request = webhook.requests().pop().unwrap();
    assert!(request.to_ascii_lowercase().contains("\r\nx-max-bot-api-secret: s3cret-_\r\n"), "{request}");
    let update: Value = serde_json::from_str(webhook.bodies().last().unwrap()).unwrap();
    assert_eq!(update["message"]["body"]["text"], "second");
}

#[tokio::test]
async fn rate_limits_default_to_the_service_of_the_state_file() {
    let directory = Directory::new("max-limits");
    drop(on(&directory.file()).service(Service::Max).rate_limit(RateLimit::none()).start().await);
    let max = on(&directory.file()).start().await;
    let api = Api::of(&max);
    // Repeated, because a slow machine may need more than a second for three polls.
    while max.rate_limited() == 0 {
        api.get("/updates?timeout=0").await;
    }
}
