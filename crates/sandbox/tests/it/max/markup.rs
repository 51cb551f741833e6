//! Formatted text: quotes and mentions of users.

use serde_json::{Value, json};
use tamtam::{NewMessageBody, text::Text};

use super::dialog;
use crate::client::Api;

/// Posts a message of the bot. Returns its text and its markup.
async fn shown(api: &Api, chat: tamtam::ChatId, text: &str, format: &str) -> (String, Value) {
    let body = json!({ "text": text, "format": format });
    let body = api.post(chat.0, body).await.ok()["message"]["body"].clone();
    (body["text"].as_str().unwrap().to_owned(), body["markup"].clone())
}

#[tokio::test]
async fn lines_of_a_quote_are_one_element() {
    let (_max, api, alice) = dialog().await;
    let quote = |from: usize, length: usize| json!({ "from": from, "length": length, "type": "quote" });
    let html = "<blockquote>one\ntwo</blockquote>\nend";
    for (source, format) in [("> one\n> two\nend", "markdown"), (">one\n>two\nend", "markdown"), (html, "html")] {
        let (text, markup) = shown(&api, alice.chat_id(), source, format).await;
        assert_eq!((text.as_str(), markup), ("one\ntwo\nend", json!([quote(0, 7)])), "{source}");
    }
    let (text, markup) = shown(&api, alice.chat_id(), "a > b\n> **c**\n\n> d", "markdown").await;
    let strong = json!({ "from": 6, "length": 1, "type": "strong" });
    assert_eq!((text.as_str(), markup), ("a > b\nc\n\nd", json!([quote(6, 1), strong, quote(9, 1)])));
    let plain = api.post(alice.chat_id().0, json!({ "text": "> one" })).await.ok()["message"]["body"].clone();
    assert_eq!((&plain["text"], plain.get("markup")), (&json!("> one"), None));
}

#[tokio::test]
async fn links_with_the_scheme_of_max_mention_users() {
    let (_max, api, alice) = dialog().await;
    let id = alice.user_id();
    let mention = json!([{ "user_link": null, "user_id": id.0, "from": 3, "length": 5, "type": "user_mention" }]);
    let (markdown, html) =
        (format!("Hi [Alice](max://user/{id})"), format!("Hi <a href=\"max://user/{id}\">Alice</a>"));
    for (source, format) in [(markdown, "markdown"), (html, "html")] {
        assert_eq!(shown(&api, alice.chat_id(), &source, format).await, ("Hi Alice".to_owned(), mention.clone()));
        // On MAX, a link with the scheme of TamTam is like any other link.
        let (_, markup) = shown(&api, alice.chat_id(), &source.replace("max://", "tamtam://"), format).await;
        assert_eq!((&markup[0]["type"], &markup[0]["url"]), (&json!("link"), &json!(format!("tamtam://user/{id}"))));
    }
}

#[tokio::test]
async fn a_username_in_a_text_is_a_mention() {
    let (max, api, alice) = dialog().await;
    let alice = alice.with_username("alice");
    let team = max.group("Team", [&alice]);
    for (chat, link, id) in
        [(alice.chat_id(), json!("@alice"), Value::Null), (team.chat_id(), Value::Null, json!(alice.user_id().0))]
    {
        let body = api.post(chat.0, json!({ "text": "Hi @alice" })).await.ok()["message"]["body"].clone();
        let mention = json!({ "user_link": link, "user_id": id, "from": 3, "length": 6, "type": "user_mention" });
        assert_eq!(body["markup"], json!([mention]));
    }
}

#[tokio::test]
async fn people_send_formatted_texts_like_bots() {
    let (max, api, alice) = dialog().await;
    let bot = max.bot_id();
    let text = Text::new("Dear ").mention("Echo", bot).plain(", ").bold("hi");
    alice.says(text.clone());
    let theirs = api.updates().await.0.pop().unwrap()["message"]["body"].clone();
    max.bot().send(alice.chat_id(), text).await.unwrap();
    let own = alice.reads().await;
    assert_eq!((&theirs["text"], &theirs["markup"]), (&json!("Dear Echo, hi"), &own.message()["body"]["markup"]));
    assert_eq!((&own.markup()[0]["user_id"], &own.markup()[1]["type"]), (&json!(bot.0), &json!("strong")));

    let first = alice.says(NewMessageBody::new().text("> quoted").format(tamtam::types::TextFormat::Markdown));
    let reply = alice.says(NewMessageBody::new().text("Hello?").reply_to(&first));
    let message = api.get(&format!("/messages/{reply}")).await.ok();
    assert_eq!((&message["link"]["type"], &message["link"]["message"]["mid"]), (&json!("reply"), &json!(first)));
    assert_eq!(message["link"]["message"]["markup"][0]["type"], "quote");
}

#[tokio::test]
async fn plain_texts_of_people_stay_unchanged() {
    let (_max, api, alice) = dialog().await;
    alice.says("see tamtam://user/5, **really**");
    let body = api.updates().await.0.pop().unwrap()["message"]["body"].clone();
    assert_eq!((&body["text"], body.get("markup")), (&json!("see tamtam://user/5, **really**"), None));
}
