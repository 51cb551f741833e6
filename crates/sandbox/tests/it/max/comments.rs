//! Comments on channel posts: rights, time limits and listing.

use std::time::Duration;

use serde_json::{Value, json};
use tamtam_sandbox::{Group, Person};

use super::{dialog, promote};
use crate::client::{Answer, Api, keyboard, mid};
use crate::conformance::Checked;
use crate::people::panic_of;

const MINUTE: Duration = Duration::from_secs(60);
const EDITABLE: Duration = Duration::from_secs(26 * 60 * 60);

/// A channel that takes comments, with a post of the bot.
struct Scene {
    max: Checked,
    api: Api,
    /// The owner of the channel, in the channel.
    alice: Person,
    news: Group,
    post: String,
}

impl Scene {
    async fn start() -> Self {
        let (max, api, alice) = dialog().await;
        let news = max.channel("News", [&alice]).with_comments();
        let post = api.say(news.chat_id().0, "post").await;
        let alice = alice.in_chat(&news);
        Self { max, api, alice, news, post }
    }

    fn path(&self) -> String {
        format!("/messages/{}/comments", self.post)
    }

    async fn send(&self, body: Value) -> Answer {
        self.api.call("POST", &self.path(), body).await
    }

    /// Sends a comment and returns its id.
    async fn says(&self, text: &str) -> String {
        mid(&self.send(json!({ "text": text })).await.ok()["message"])
    }

    async fn edit(&self, comment: &str, body: Value) -> Answer {
        self.api.call("PUT", &format!("{}?comment_id={comment}", self.path()), body).await
    }

    async fn delete(&self, comment: &str) -> Answer {
        self.api.delete(&format!("{}?comment_id={comment}", self.path())).await
    }

    /// Returns the texts of the listed comments.
    async fn texts(&self, query: &str) -> Vec<String> {
        let list = self.api.get(&format!("{}{query}", self.path())).await.ok();
        let comments = list["messages"].as_array().unwrap().iter();
        comments.map(|one| one["body"]["text"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_comment_has_a_sender_a_text_and_the_id_of_its_post() {
    let scene = Scene::start().await;
    let sent = scene.send(json!({ "text": "**hi**", "format": "markdown" })).await.ok()["message"].clone();
    assert_eq!(sent["sender"]["user_id"], scene.max.bot_id().0);
    let recipient = json!({
        "chat_id": scene.news.chat_id().0, "chat_type": "channel", "user_id": null, "post_id": scene.post,
    });
    assert_eq!(sent["recipient"], recipient);
    assert_eq!((&sent["body"]["text"], &sent["body"]["markup"][0]["type"]), (&json!("hi"), &json!("strong")));
    assert_eq!((sent["body"].get("attachments"), sent.get("url"), sent.get("stat")), (None, None, None));
    assert_eq!(scene.api.get(&format!("{}/{}", scene.path(), mid(&sent))).await.ok(), sent);
    assert_eq!(scene.alice.reads().await.text(), "post");
    assert_eq!(scene.alice.reads().await.text(), "hi");
    // A comment is not a message of the channel.
    scene.api.get(&format!("/messages/{}", mid(&sent))).await.fails(404, "not.found");
    assert_eq!(scene.alice.sees(), ["post"]);
}

#[tokio::test]
async fn a_comment_is_text_and_can_reply_to_another_comment() {
    let scene = Scene::start().await;
    let first = scene.alice.comments(scene.post.as_str(), "first");
    let reply = json!({ "text": "second", "link": { "type": "reply", "mid": first } });
    let reply = scene.send(reply).await.ok()["message"].clone();
    assert_eq!((&reply["link"]["type"], &reply["link"]["message"]["mid"]), (&json!("reply"), &json!(first)));
    assert_eq!(reply["link"]["sender"]["user_id"], scene.alice.user_id().0);
    let forward = json!({ "text": "a", "link": { "type": "forward", "mid": first } });
    assert!(scene.send(forward).await.fails(400, "proto.payload").starts_with("link.type: "));
    for lost in ["mid.1", &scene.post] {
        let lost = json!({ "text": "a", "link": { "type": "reply", "mid": lost } });
        scene.send(lost).await.fails(404, "not.found");
    }
    for empty in [json!({}), json!({ "text": "" }), json!({ "text": null, "link": { "type": "reply", "mid": first } })]
    {
        assert_eq!(scene.send(empty).await.fails(400, "proto.payload"), "Comment must have text");
    }
    // Fields that a comment does not have are ignored.
    let text = "[link](https://x) [Alice](max://user/1) @echo_bot **b**";
    let body = json!({ "text": text, "format": "markdown", "attachments": [keyboard(json!([]))] });
    let sent = scene.send(body).await.ok()["message"]["body"].clone();
    assert_eq!(sent["text"], "link Alice @echo_bot b");
    assert_eq!(sent["markup"], json!([{ "from": 21, "length": 1, "type": "strong" }]));
    assert_eq!(sent.get("attachments"), None);
}

#[tokio::test]
async fn closed_comments_can_be_read_edited_and_deleted_but_not_added() {
    let scene = Scene::start().await;
    let old = scene.says("old").await;
    let theirs = scene.alice.comments(scene.post.as_str(), "theirs");
    scene.news.closes_comments();
    assert_eq!(scene.send(json!({ "text": "new" })).await.fails(403, "chat.denied"), "comments.disabled");
    let message = panic_of(|| drop(scene.alice.comments(scene.post.as_str(), "new")));
    assert!(message.contains("Alice cannot comment: comments are switched off"), "{message}");
    assert_eq!(scene.texts("").await, ["theirs", "old"]);
    scene.edit(&old, json!({ "text": "changed" })).await.ok();
    scene.alice.edits(&theirs, "changed too");
    assert_eq!(scene.texts("").await, ["changed too", "changed"]);
    scene.delete(theirs.as_str()).await.ok();
    assert_eq!(scene.alice.sees_comments(scene.post.as_str()), ["changed"]);
}

#[tokio::test]
async fn only_channel_posts_have_comments() {
    let scene = Scene::start().await;
    let team = scene.max.group("Team", [&scene.alice]);
    let grouped = scene.api.say(team.chat_id().0, "a").await;
    for (post, status, code) in [(&*grouped, 400, "proto.payload"), ("mid.1", 404, "not.found")] {
        let path = format!("/messages/{post}/comments");
        scene.api.get(&path).await.fails(status, code);
        scene.api.call("POST", &path, json!({ "text": "a" })).await.fails(status, code);
        scene.api.call("PUT", &format!("{path}?comment_id=mid.2"), json!({ "text": "a" })).await.fails(status, code);
        scene.api.delete(&format!("{path}?comment_id=mid.2")).await.fails(status, code);
        scene.api.get(&format!("{path}/mid.2")).await.fails(status, code);
    }
    let comment = scene.says("a").await;
    let other = scene.api.say(scene.news.chat_id().0, "other post").await;
    for comment in ["mid.1", &scene.post] {
        scene.edit(comment, json!({ "text": "a" })).await.fails(404, "not.found");
        scene.delete(comment).await.fails(404, "not.found");
        scene.api.get(&format!("{}/{comment}", scene.path())).await.fails(404, "not.found");
    }
    scene.api.get(&format!("/messages/{other}/comments/{comment}")).await.fails(404, "not.found");
    assert!(
        panic_of(|| drop(scene.alice.in_chat(&team).comments(grouped, "x"))).contains("only its posts have comments")
    );
    assert!(panic_of(|| drop(scene.alice.comments("mid.1", "x"))).contains("Alice finds no message mid.1"));
}

#[tokio::test]
async fn a_comment_is_editable_by_its_author_for_26_hours() {
    let scene = Scene::start().await;
    let (own, theirs) = (scene.says("own").await, scene.alice.comments(scene.post.as_str(), "theirs"));
    scene.edit(theirs.as_str(), json!({ "text": "x" })).await.fails(403, "access.denied");
    let message = panic_of(|| scene.alice.edits(&own, "x"));
    assert!(message.contains(&format!("Alice did not write comment {own}, Echo did")), "{message}");
    assert!(panic_of(|| scene.alice.deletes(&own)).contains("Alice did not write comment"));
    scene.max.time_passes(EDITABLE - MINUTE);
    scene.edit(&own, json!({ "text": "in time" })).await.ok();
    assert_eq!(scene.edit(&own, json!({ "text": "" })).await.refused(), "Comment cannot be empty");
    scene.alice.edits(&theirs, "in time too");
    scene.max.time_passes(2 * MINUTE);
    scene.edit(&own, json!({ "text": "late" })).await.fails(422, "comments.timeout_exceeded");
    assert!(panic_of(|| scene.alice.edits(&theirs, "late")).contains("after 26 hours"));
    assert_eq!(scene.texts("").await, ["in time too", "in time"]);
    scene.alice.deletes(&theirs);
    scene.delete(&own).await.ok();
    assert_eq!(scene.texts("").await, [""; 0]);
}

#[tokio::test]
async fn deleting_a_comment_requires_the_rights_to_read_and_to_delete() {
    let scene = Scene::start().await;
    let (own, theirs) = (scene.says("own").await, scene.alice.comments(scene.post.as_str(), "theirs").0);
    for (rights, missing) in [(&["delete", "write"][..], "read_all_messages"), (&["read_all_messages"], "delete")] {
        promote(&scene.news, rights);
        for comment in [&own, &theirs] {
            let message = scene.delete(comment).await.fails(403, "access.denied");
            assert_eq!(message, format!("The right {missing} is missing"));
        }
    }
    promote(&scene.news, &["read_all_messages", "delete"]);
    for comment in [&own, &theirs] {
        assert_eq!(scene.delete(comment).await.ok(), json!({ "success": true }));
        scene.delete(comment).await.fails(404, "not.found");
    }
    scene.alice.removes_bot();
    scene.api.get(&scene.path()).await.fails(404, "not.found");
    scene.send(json!({ "text": "a" })).await.fails(404, "not.found");
}

#[tokio::test]
async fn comments_are_listed_newest_first_between_two_times_or_by_ids() {
    let scene = Scene::start().await;
    let mut mids = Vec::new();
    for text in ["1", "2", "3"] {
        mids.push(scene.says(text).await);
    }
    let other = scene.api.say(scene.news.chat_id().0, "other post").await;
    scene.alice.comments(other, "elsewhere");
    assert_eq!(scene.texts("").await, ["3", "2", "1"]);
    assert_eq!(scene.texts("?count=2").await, ["3", "2"]);
    let middle = scene.api.get(&format!("{}/{}", scene.path(), mids[1])).await.ok()["timestamp"].clone();
    assert_eq!(scene.texts(&format!("?before={middle}")).await, ["1"]);
    assert_eq!(scene.texts(&format!("?after={middle}")).await, ["3"]);
    for commas in [format!("{},{}", mids[0], mids[2]), format!("{}&comment_ids={}", mids[0], mids[2])] {
        assert_eq!(scene.texts(&format!("?comment_ids={commas}")).await, ["1", "3"]);
    }
    scene.api.get(&format!("{}?comment_ids={},mid.1", scene.path(), mids[0])).await.fails(404, "not.found");
    scene.api.get(&format!("{}?count=101", scene.path())).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn comments_are_deleted_with_their_post() {
    let scene = Scene::start().await;
    scene.says("gone").await;
    scene.api.delete(&format!("/messages?message_id={}", scene.post)).await.ok();
    scene.api.get(&scene.path()).await.fails(404, "not.found");
    assert!(panic_of(|| drop(scene.alice.sees_comments(scene.post.as_str()))).contains("Alice finds no message"));
}
