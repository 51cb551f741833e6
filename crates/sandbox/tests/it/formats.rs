//! The `format` of a message: conversion to plain text and markup.

use serde_json::{Value, json};

use crate::client::{dialog, mid};

fn element(kind: &str, from: i32, length: i32) -> Value {
    json!({ "from": from, "length": length, "type": kind })
}

#[tokio::test]
async fn markdown_becomes_text_and_markup() {
    let (_tamtam, api, alice) = dialog().await;
    let text = "# Hi 😀\n**bold *both*** ++u++ ~~s~~ ^^h^^ `c` [site](https://example.org) [Ann](tamtam://user/42) 2*3";
    let posted = api.post(alice.chat_id().0, json!({ "text": text, "format": "markdown" })).await.ok();
    let body = &posted["message"]["body"];
    assert_eq!(body["text"], "Hi 😀\nbold both u s h c site Ann 2*3");
    assert_eq!(
        body["markup"],
        json!([
            element("heading", 0, 5),
            element("strong", 6, 9),
            element("emphasized", 11, 4),
            element("underline", 16, 1),
            element("strikethrough", 18, 1),
            element("highlighted", 20, 1),
            element("monospaced", 22, 1),
            { "url": "https://example.org", "from": 24, "length": 4, "type": "link" },
            { "user_link": null, "user_id": 42, "from": 29, "length": 3, "type": "user_mention" },
        ])
    );
    let seen = alice.reads().await;
    assert_eq!((seen.text(), seen.markup().len()), ("Hi 😀\nbold both u s h c site Ann 2*3", 9));
    assert_eq!(api.get(&format!("/messages/{}", mid(&posted["message"]))).await.ok(), posted["message"]);
}

#[tokio::test]
async fn html_becomes_text_and_markup() {
    let (_tamtam, api, alice) = dialog().await;
    let text = "<p>1 &lt; 2</p> <b>a<i>b</i></b> <a href=\"https://example.org?a&amp;b\">c</a>";
    let posted = api.post(alice.chat_id().0, json!({ "text": text, "format": "html" })).await.ok();
    let body = &posted["message"]["body"];
    assert_eq!(body["text"], "1 < 2 ab c");
    let link = json!({ "url": "https://example.org?a&b", "from": 9, "length": 1, "type": "link" });
    assert_eq!(body["markup"], json!([element("strong", 6, 2), element("emphasized", 7, 1), link]));
}

#[tokio::test]
async fn without_a_format_notation_stays_plain_text() {
    let (_tamtam, api, alice) = dialog().await;
    for format in [json!({ "text": "**a** <b>b</b>" }), json!({ "text": "**a** <b>b</b>", "format": null })] {
        let posted = api.post(alice.chat_id().0, format).await.ok();
        assert_eq!(posted["message"]["body"]["text"], "**a** <b>b</b>");
        assert!(posted["message"]["body"].get("markup").is_none());
    }
    alice.says("**mine**");
    let created = api.updates().await.0.pop().unwrap();
    assert_eq!(created["message"]["body"]["text"], "**mine**");
    api.post(alice.chat_id().0, json!({ "text": "a", "format": "rtf" })).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn the_length_limit_includes_the_notation() {
    let (_tamtam, api, alice) = dialog().await;
    for (text, format) in [
        (format!("**{}**", "ё".repeat(3996)), "markdown"),
        (format!("<b>{}</b>", "😀".repeat(3993)), "html"),
        ("&lt;".repeat(1000), "html"),
    ] {
        api.post(alice.chat_id().0, json!({ "text": text, "format": format })).await.ok();
        let more = api.post(alice.chat_id().0, json!({ "text": format!("{text}x"), "format": format })).await;
        assert_eq!(more.fails(400, "proto.payload"), "text: size must be between 0 and 4000");
    }
    for nothing in ["<b></b>", "<p>", "<!-- a -->"] {
        api.post(alice.chat_id().0, json!({ "text": nothing, "format": "html" })).await.fails(400, "proto.payload");
    }
}

#[tokio::test]
async fn an_edit_replaces_the_markup_only_with_a_new_text() {
    let (_tamtam, api, alice) = dialog().await;
    let posted = api.post(alice.chat_id().0, json!({ "text": "**a**", "format": "markdown" })).await.ok();
    let path = format!("/messages?message_id={}", mid(&posted["message"]));
    let edit = async |body: Value| {
        api.call("PUT", &path, body).await.ok();
        api.get(&format!("/messages/{}", mid(&posted["message"]))).await.ok()["body"].clone()
    };
    let keys = crate::client::keyboard(json!([[crate::client::callback("Yes", "y")]]));
    let body = edit(json!({ "attachments": [keys] })).await;
    assert_eq!((&body["text"], &body["markup"]), (&json!("a"), &json!([element("strong", 0, 1)])));
    let body = edit(json!({ "text": "_bc_", "format": "markdown" })).await;
    assert_eq!((&body["text"], &body["markup"]), (&json!("bc"), &json!([element("emphasized", 0, 2)])));
    let body = edit(json!({ "text": "plain" })).await;
    assert!(body.get("markup").is_none());
}

#[tokio::test]
async fn answers_and_constructors_are_formatted_too() {
    let (_tamtam, api, alice) = dialog().await;
    let card = alice.opens_constructor();
    let path = format!("/answers/constructor?session_id={}", card.session_id());
    let keys = crate::client::keyboard(json!([[crate::client::callback("Yes", "y")]]));
    let message = json!({ "text": "<b>a</b>", "format": "html", "attachments": [keys] });
    api.call("POST", &path, json!({ "messages": [message] })).await.ok();
    let mid = card.posts().remove(0);
    let read = async || api.get(&format!("/messages/{mid}")).await.ok()["body"].clone();
    let body = read().await;
    assert_eq!((&body["text"], &body["markup"]), (&json!("a"), &json!([element("strong", 0, 1)])));
    alice.presses("Yes");
    let pressed = api.updates().await.0.pop().unwrap();
    let path = format!("/answers?callback_id={}", pressed["callback"]["callback_id"].as_str().unwrap());
    api.call("POST", &path, json!({ "message": { "text": "~~b~~", "format": "markdown" } })).await.ok();
    let body = read().await;
    assert_eq!((&body["text"], &body["markup"]), (&json!("b"), &json!([element("strikethrough", 0, 1)])));
}

#[tokio::test]
async fn a_username_in_a_text_is_a_mention_if_the_user_exists() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob").with_username("bob");
    let text = "@bob 😀 @nobody `@bob` bob@bob.org @bob";
    let posted = api.post(alice.chat_id().0, json!({ "text": text, "format": "markdown" })).await.ok();
    let mention =
        |from: i32| json!({ "user_link": "@bob", "user_id": null, "from": from, "length": 4, "type": "user_mention" });
    let code = json!({ "from": 16, "length": 4, "type": "monospaced" });
    assert_eq!(posted["message"]["body"]["markup"], json!([mention(0), code, mention(33)]));

    let team = tamtam.group("Team", [&alice, &bob]);
    let said = alice.in_chat(&team).says("Ask @bob");
    let message = api.get(&format!("/messages/{}", said.as_str())).await.ok();
    let by_id =
        json!({ "user_link": null, "user_id": bob.user_id().0, "from": 4, "length": 4, "type": "user_mention" });
    assert_eq!(message["body"]["markup"], json!([by_id]));
    alice.in_chat(&team).edits(&said, "Ask @bob, @bob");
    let message = api.get(&format!("/messages/{}", said.as_str())).await.ok();
    assert_eq!(message["body"]["markup"].as_array().unwrap().len(), 2);
}
