//! Values and texts that do not fit the document affect only themselves.

use serde_json::json;
use tamtam::{Update, updates::RawUpdate};
use tracing::level_filters::LevelFilter;

use super::Pages;
use crate::traced::Traced;

/// Returns the JSON of an update with a text, followed by more members.
fn message(text: &str, more: &str) -> String {
    format!(
        r#"{{"update_type":"message_created","timestamp":1,"message":{{"recipient":{{"chat_id":5,"chat_type":"dialog"}},
            "timestamp":1,"body":{{"mid":"m","seq":1,"text":"{text}"}}}}{more}}}"#
    )
}

/// Returns the texts of the next updates. For an update without a text, it is the kind.
async fn texts(updates: &mut tamtam::updates::Updates, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        let update = updates.try_next().await.unwrap().unwrap();
        texts.push(update.text().unwrap_or(update.tag()).to_owned());
    }
    texts
}

#[tokio::test]
async fn nearly_valid_json_is_read() {
    for strange in [
        message("bell \u{7}", ""),
        message(r"\x41", ""),
        message(r"half \ud83d", ""),
        message("number", r#","score":NaN,"scores":[-Infinity]"#),
        r#"{"update_type":"message_created","score":NaN}"#.to_owned(),
        r#"{"update_type":"moon_risen","score":NaN}"#.to_owned(),
    ] {
        let first = format!(r#"{{"updates":[{},{strange},{}],"marker":7}}"#, message("a", ""), message("b", ""));
        let (_server, bot, pages) =
            Pages::serve([first, format!(r#"{{"updates":[{}],"marker":8}}"#, message("c", ""))]).await;
        let mut updates = bot.updates();
        let texts = texts(&mut updates, 4).await;
        assert_eq!((texts[0].as_str(), texts[2].as_str(), texts[3].as_str()), ("a", "b", "c"), "{strange}");
        assert_eq!(pages.markers(), [None, Some("7".to_owned())], "{strange}");
    }
}

#[tokio::test]
async fn half_a_surrogate_pair_in_an_unknown_update_is_replaced() {
    let moon = r#"{"update_type":"moon_risen","emoji":"\ud83d"}"#;
    let (_server, bot, _) = Pages::serve([format!(r#"{{"updates":[{moon}],"marker":7}}"#)]).await;
    let raw = bot.updates().raw().try_next().await.unwrap().unwrap();
    let Update::Unknown(unknown) = &raw.update else { panic!("{raw:?}") };
    assert_eq!(unknown.to_value()["emoji"], "\u{fffd}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(raw.json.get()).unwrap()["emoji"], "\u{fffd}");
    let raw: RawUpdate = serde_json::from_str(moon).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(raw.json.get()).unwrap()["emoji"], "\u{fffd}");
}

#[tokio::test]
async fn a_byte_order_mark_and_a_marker_of_another_type_are_tolerated() {
    for (marker, sent) in [(r#""7""#, Some("7")), ("7.0", Some("7")), ("7", Some("7")), ("18446744073709551615", None)]
    {
        let first = format!("\u{feff}{{\"updates\":[{}],\"marker\":{marker}}}", message("a", ""));
        let second = format!(r#"{{"marker":8,"updates":[{}]}}"#, message("b", ""));
        let (_server, bot, pages) = Pages::serve([first, second]).await;
        let mut updates = bot.updates().backoff(super::MOMENT, super::MOMENT);
        assert_eq!(texts(&mut updates, 2).await, ["a", "b"], "{marker}");
        assert_eq!(pages.markers(), [None, sent.map(str::to_owned)], "{marker}");
        assert_eq!(
            updates.health().misfits(),
            if sent.is_some() { 1 } else { 2 },
            "{marker}: with the byte order mark"
        );
    }
}

#[tokio::test]
async fn values_that_do_not_fit_are_counted_and_each_place_is_logged_once() {
    let odd = |name: &str| {
        let sender = json!({"user_id": 7, "name": "Alice", name: "s3cr3t"});
        let message = json!({"timestamp": 1, "constructor": sender, "body": {"mid": "m", "seq": 1, "text": "hi"}});
        json!({"update_type": "message_created", "timestamp": 1, "message": message})
    };
    let lost = json!({"update_type": "user_removed", "timestamp": 1, "chat_id": "s3cr3t"});
    let page = json!({"updates": [odd("is_bot"), odd("is_bot"), lost, odd("x")], "marker": 7});
    let (_server, bot, _) = Pages::serve([page]).await;
    let (traced, _guard) = Traced::start(LevelFilter::DEBUG);
    let mut updates = bot.updates();
    assert_eq!(texts(&mut updates, 4).await, ["hi", "hi", "user_removed", "hi"]);
    // The three messages have no recipient.
    assert_eq!(updates.health().misfits(), 3 + 2 + 1);
    let text = traced.text();
    let lines = |path: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains("value does not fit the model"));
        lines.filter(|line| line.contains(path)).map(str::to_owned).collect()
    };
    let [first, second] = &lines("message.constructor.is_bot")[..] else { panic!("{text}") };
    assert!(first.contains("WARN") && first.contains("path=updates[0].message.constructor.is_bot"), "{first}");
    assert!(first.contains(r#"reason="invalid type: string, expected a boolean""#), "{first}");
    assert!(first.contains("operation=\"getUpdates\""), "{first}");
    assert!(second.contains("DEBUG") && second.contains("path=updates[1].message.constructor.is_bot"), "{second}");
    let [lost] = &lines("updates[2]")[..] else { panic!("{text}") };
    assert!(lost.contains("path=updates[2].chat_id") && lost.contains("expected i64"), "{lost}");
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[tokio::test]
async fn a_raw_update_has_the_received_json() {
    let (first, second) = (message("a", r#", "new" : [ 1.0 ]"#), r#"{"update_type" : "moon_risen"}"#);
    let body = format!(r#"{{"updates":[ {first} ,{second}],"marker":7}}"#);
    let (_server, bot, _) = Pages::serve([body]).await;
    let mut updates = bot.updates().raw();
    let raw = updates.try_next().await.unwrap().unwrap();
    assert_eq!((raw.json.get(), raw.update.text()), (first.as_str(), Some("a")));
    // Serialized and deserialized, as in a queue.
    let again: RawUpdate = serde_json::from_str(&serde_json::to_string(&raw).unwrap()).unwrap();
    assert_eq!((again.json.get(), &again.update), (first.as_str(), &raw.update));
    let raw = updates.try_next().await.unwrap().unwrap();
    assert_eq!((raw.json.get(), matches!(raw.update, Update::Unknown(_))), (second, true));
}

#[tokio::test]
async fn an_update_fetched_before_the_call_of_raw_has_its_json() {
    let body = format!(r#"{{"updates":[{},{}],"marker":7}}"#, message("a", ""), message("b", r#","new":1"#));
    let (_server, bot, _) = Pages::serve([body]).await;
    let mut updates = bot.updates();
    updates.try_next().await.unwrap().unwrap();
    let raw = updates.raw().try_next().await.unwrap().unwrap();
    let read: Update = serde_json::from_str(raw.json.get()).unwrap();
    assert_eq!((read.text(), &read), (Some("b"), &raw.update));
}

#[test]
fn a_raw_update_does_not_show_tokens() {
    let json = json!({"update_type": "moon_risen", "token": "s3cr3t-t0ken"}).to_string();
    let raw: RawUpdate = serde_json::from_str(&json).unwrap();
    assert!(!format!("{raw:?}").contains("s3cr3t"), "{raw:?}");
}
