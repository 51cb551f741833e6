//! Acts of people on a whole dialog, and voice messages.

use std::time::Duration;

use serde_json::{Value, json};
use tamtam_sandbox::{Enclosure, Sandbox};

use super::{dialog, promote, unlimited};
use crate::client::{Api, keyboard};
use crate::people::{panic_of, place_of_panic};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Checks that there is one update of this kind, with the dialog and its user.
async fn check(api: &Api, alice: &tamtam_sandbox::Person, kind: &str) -> Value {
    let page = api.get(&format!("/updates?timeout=0&types={kind}")).await.ok();
    let updates = page["updates"].as_array().unwrap();
    assert_eq!(updates.len(), 1, "{kind}: {updates:?}");
    let update = &updates[0];
    assert_eq!((&update["chat_id"], &update["user_locale"]), (&json!(alice.chat_id().0), &json!("en")), "{kind}");
    assert_eq!(
        (&update["user"]["user_id"], &update["user"]["first_name"]),
        (&json!(alice.user_id().0), &json!("Alice"))
    );
    update.clone()
}

#[tokio::test]
async fn stopping_a_bot_sends_an_update() {
    let (max, api, alice) = dialog().await;
    alice.stops();
    assert_eq!(api.kinds().await, ["bot_started", "bot_stopped"]);
    check(&api, &alice, "bot_stopped").await;
    assert!(panic_of(|| alice.stops()).contains("Alice has stopped the bot already"));
    assert_eq!(api.get(&format!("/chats/{}", alice.chat_id())).await.ok()["status"], "suspended");
    api.post(alice.chat_id().0, json!({ "text": "a" })).await.fails(403, "chat.denied");
    alice.says("back");
    assert_eq!(api.kinds().await[2..], ["bot_started", "message_created"]);
    api.say(alice.chat_id().0, "welcome").await;
    assert_eq!(
        max.transcript(),
        "Alice starts Echo\nAlice stops Echo\nAlice starts Echo\nAlice: back\nEcho: welcome\n"
    );
}

#[tokio::test]
async fn a_cleared_dialog_is_empty_for_the_person_but_not_for_the_bot() {
    let (max, api, alice) = dialog().await;
    let said = alice.says("old");
    let keys = json!({ "type": "callback", "text": "Yes", "payload": "y" });
    api.post(alice.chat_id().0, json!({ "text": "older", "attachments": [keyboard(json!([[keys]]))] })).await.ok();
    alice.clears();
    check(&api, &alice, "dialog_cleared").await;
    assert_eq!(alice.sees(), [""; 0]);
    for act in [&(|| drop(alice.replies(&said, "x"))) as &dyn Fn(), &|| drop(alice.forwards(&said))] {
        assert!(panic_of(act).contains("Alice finds no message"));
    }
    assert!(panic_of(|| alice.presses("Yes")).contains("sees no message with buttons"));
    api.get(&format!("/messages/{said}")).await.ok();
    let list = api.get(&format!("/messages?chat_id={}", alice.chat_id())).await.ok();
    assert_eq!(list["messages"].as_array().unwrap().len(), 2);
    api.say(alice.chat_id().0, "new").await;
    assert_eq!(alice.sees(), ["new"]);
    assert!(max.transcript().contains("Alice clears the dialog with Echo\n"));
}

#[tokio::test]
async fn a_removed_dialog_is_gone_until_the_person_writes_again() {
    let (max, api, alice) = dialog().await;
    let (chat, said) = (alice.chat_id(), alice.says("old"));
    let keys = json!({ "type": "callback", "text": "Yes", "payload": "y" });
    let asked = json!({ "text": "?", "attachments": [keyboard(json!([[keys]]))] });
    api.post(chat.0, asked).await.ok();
    alice.presses("Yes");
    let pressed = api.updates().await.0.pop().unwrap()["callback"]["callback_id"].as_str().unwrap().to_owned();
    api.drain().await;
    alice.removes_dialog();
    assert_eq!(api.kinds().await, ["dialog_removed", "bot_stopped"]);
    check(&api, &alice, "dialog_removed").await;
    check(&api, &alice, "bot_stopped").await;

    api.get(&format!("/chats/{chat}")).await.fails(404, "chat.not.found");
    api.get(&format!("/messages?chat_id={chat}")).await.fails(404, "chat.not.found");
    api.get(&format!("/messages/{said}")).await.fails(404, "not.found");
    api.post(chat.0, json!({ "text": "a" })).await.fails(404, "chat.not.found");
    let to_user = api.call("POST", &format!("/messages?user_id={}", alice.user_id()), json!({ "text": "a" })).await;
    to_user.fails(404, "not.found");
    let action = json!({ "action": "typing_on" });
    api.call("POST", &format!("/chats/{chat}/actions"), action).await.fails(404, "chat.not.found");
    let answer = json!({ "notification": "!" });
    api.call("POST", &format!("/answers?callback_id={pressed}"), answer).await.fails(404, "chat.not.found");
    for verb in [&(|| alice.clears()) as &dyn Fn(), &|| alice.mutes(), &|| alice.unmutes(), &|| alice.removes_dialog()]
    {
        assert!(panic_of(verb).contains("Alice has removed the dialog"));
    }

    api.drain().await;
    alice.says("new");
    assert_eq!(api.kinds().await, ["bot_started", "message_created"]);
    assert_eq!(
        (&api.get(&format!("/chats/{chat}")).await.ok()["status"], alice.sees()),
        (&json!("active"), vec!["new".into()])
    );
    api.say(chat.0, "hello again").await;
    assert_eq!(max.bot().send(alice.user_id(), "and again").await.unwrap().message.recipient.chat_id, Some(chat));
}

#[tokio::test]
async fn a_muted_bot_gets_the_end_of_the_muting_and_can_still_write() {
    let (max, api, alice) = dialog().await;
    alice.mutes();
    assert_eq!(check(&api, &alice, "dialog_muted").await["muted_until"], i64::MAX);
    api.drain().await;
    alice.unmutes();
    check(&api, &alice, "dialog_unmuted").await;
    assert!(panic_of(|| alice.unmutes()).contains("Alice has not muted the bot"));
    api.drain().await;
    alice.mutes_for(HOUR);
    let muted = check(&api, &alice, "dialog_muted").await;
    let rest = muted["muted_until"].as_i64().unwrap() - muted["timestamp"].as_i64().unwrap();
    let hour = i64::try_from(HOUR.as_millis()).unwrap();
    assert!((hour - 60_000..=hour).contains(&rest), "{rest}");
    api.say(alice.chat_id().0, "psst").await;
    assert_eq!(alice.reads().await.text(), "psst");
    max.time_passes(HOUR + Duration::from_secs(1));
    assert!(panic_of(|| alice.unmutes()).contains("has not muted the bot"));
    assert_eq!(api.kinds().await, ["dialog_muted"], "the end of the muting must send no update");
}

/// Not checked against the document, which requires the message.
#[tokio::test]
async fn the_update_about_a_voice_message_has_no_message() {
    let max = unlimited().start().await;
    let (api, alice) = (Api::of(&max), max.user("Alice"));
    alice.sends_voice();
    let (updates, _) = api.updates().await;
    assert_eq!(api.kinds().await, ["bot_started", "message_created"]);
    let fields: Vec<_> = updates[1].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["timestamp", "update_type"]);
    let list = api.get(&format!("/messages?chat_id={}", alice.chat_id())).await.ok();
    assert_eq!((&list["messages"], alice.sees()), (&json!([]), Vec::new()));
    assert!(max.transcript().ends_with("Alice: <voice>\n"));
    api.drain().await;
    alice.sends_voice();
    let voice = max.bot().updates().try_next().await.unwrap().unwrap();
    assert_eq!((voice.tag(), voice.chat_id()), ("message_created", None));
    let team = max.group("Team", [&alice]);
    team.demotes_bot();
    let before = api.updates().await.0.len();
    alice.in_chat(&team).sends_voice();
    assert_eq!(api.updates().await.0.len(), before);
}

#[tokio::test]
async fn bots_can_send_media_of_people_again() {
    let (_max, api, alice) = dialog().await;
    let all = [
        ("image", Enclosure::photo(b"bytes")),
        ("video", Enclosure::video(b"bytes")),
        ("audio", Enclosure::audio(b"bytes")),
        ("file", Enclosure::file("notes.txt", "bytes")),
    ];
    for (kind, enclosure) in all {
        alice.says_with("", [enclosure]);
        let attachment = api.updates().await.0.pop().unwrap()["message"]["body"]["attachments"][0].clone();
        assert_eq!(attachment["type"], kind);
        let again = json!({ "type": kind, "payload": { "token": attachment["payload"]["token"] } });
        let posted = api.post(alice.chat_id().0, json!({ "attachments": [again] })).await.ok();
        assert_eq!(posted["message"]["body"]["attachments"][0], attachment);
    }
}

#[tokio::test]
async fn acts_of_max_panic_on_tamtam_with_a_hint() {
    let tamtam = Sandbox::start().await;
    let alice = tamtam.user("Alice");
    alice.starts();
    let news = tamtam.channel("News", [&alice]);
    let post = alice.in_chat(&news).says("post");
    let verbs: [(&dyn Fn(), &str); 9] = [
        (&|| alice.clears(), "clear the history"),
        (&|| alice.removes_dialog(), "remove the dialog"),
        (&|| alice.mutes(), "mute the bot"),
        (&|| alice.mutes_for(HOUR), "mute the bot"),
        (&|| alice.unmutes(), "unmute the bot"),
        (&|| alice.sends_voice(), "send a voice message"),
        (&|| drop(alice.opens_app("x")), "open a Mini App"),
        (&|| drop(alice.in_chat(&news).comments(&post, "x")), "comment"),
        (&|| drop(news.clone().with_comments()), ""),
    ];
    for (verb, what) in verbs {
        let message = panic_of(verb);
        assert!(message.contains(what) && message.contains("use Sandbox::max()"), "{message}");
        assert!(place_of_panic(verb).ends_with("tests/it/max/dialogs.rs"), "{message}");
    }
    for right in ["edit", "delete", "view_stats", "fly"] {
        assert!(panic_of(|| promote(&news, &[right])).contains(&format!("TamTam has no right {right}")), "{right}");
    }
}

#[tokio::test]
async fn acts_of_tamtam_panic_on_max_with_a_hint() {
    let (_max, _, alice) = dialog().await;
    let message = panic_of(|| drop(alice.opens_constructor()));
    assert!(message.contains("Alice cannot open a constructor on MAX"), "{message}");
}

#[tokio::test]
async fn a_group_cannot_be_cleared_removed_or_muted() {
    let (max, _, alice) = dialog().await;
    let (team, bob) = (max.group("Team", [&alice]), max.user("Bob"));
    let alice = alice.in_chat(&team);
    for verb in [&(|| alice.clears()) as &dyn Fn(), &|| alice.removes_dialog(), &|| alice.mutes(), &|| alice.unmutes()]
    {
        assert!(panic_of(verb).contains("in the dialog only, not in a group"));
    }
    assert!(panic_of(|| bob.clears()).contains("Bob has not opened this chat"));
}
