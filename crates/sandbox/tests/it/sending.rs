//! Forwards, replies, media, and blocked people.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use tamtam_sandbox::Enclosure;

use crate::client::{Api, dialog, mid, photo};

fn fails(act: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(act)).unwrap_err();
    panic.downcast_ref::<String>().unwrap().clone()
}

async fn last_message(api: &Api) -> Value {
    api.updates().await.0.pop().unwrap()["message"].clone()
}

#[tokio::test]
async fn a_forward_keeps_the_mid_the_author_and_the_chat_of_the_original() {
    let (tamtam, api, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let said = alice.in_chat(&team).says_with("look", [Enclosure::photo(b"p")]);
    let original = api.get(&format!("/messages/{said}")).await.ok();
    let forward = json!({ "link": { "type": "forward", "mid": said } });
    let posted = api.post(alice.chat_id().0, forward).await.ok()["message"].clone();
    assert_ne!(mid(&posted), said.as_str());
    assert_eq!((&posted["body"]["text"], &posted["body"]["attachments"]), (&json!(null), &json!(null)));
    assert_eq!(posted["link"]["type"], "forward");
    assert_eq!(posted["link"]["message"], original["body"]);
    assert_eq!(posted["link"]["sender"]["user_id"], alice.user_id().0);
    assert_eq!(posted["link"]["chat_id"], team.chat_id().0);

    let again = json!({ "text": "again", "link": { "type": "forward", "mid": mid(&posted) } });
    let again = api.post(team.chat_id().0, again).await.ok()["message"].clone();
    assert_eq!((&again["link"], &again["body"]["text"]), (&posted["link"], &json!("again")));

    alice.in_chat(&team).deletes(&said);
    let kept = api.get(&format!("/messages/{}", mid(&posted))).await.ok();
    assert_eq!(kept["link"]["message"], original["body"], "a forward keeps the original message");
}

#[tokio::test]
async fn a_reply_has_the_original_message_and_needs_a_text() {
    let (_tamtam, api, alice) = dialog().await;
    let said = alice.says_with("look", [Enclosure::photo(b"p")]);
    let original = api.get(&format!("/messages/{said}")).await.ok();
    let reply = |text: Value| json!({ "text": text, "link": { "type": "reply", "mid": said } });
    let posted = api.post(alice.chat_id().0, reply(json!("nice"))).await.ok()["message"].clone();
    assert_eq!((&posted["link"]["type"], &posted["link"]["message"]), (&json!("reply"), &original["body"]));
    assert!(posted["link"].get("chat_id").is_none());
    api.post(alice.chat_id().0, reply(json!(null))).await.fails(400, "proto.payload");
    let lost = json!({ "text": "a", "link": { "type": "reply", "mid": "mid.1" } });
    api.post(alice.chat_id().0, lost).await.fails(404, "not.found");
    let odd = json!({ "text": "a", "link": { "type": "quote", "mid": said } });
    api.post(alice.chat_id().0, odd).await.fails(400, "proto.payload");
}

#[tokio::test]
async fn people_can_forward_and_reply_like_bots() {
    let (tamtam, api, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let bots = api.say(alice.chat_id().0, "news").await;
    let forwarded = alice.in_chat(&team).forwards(&bots);
    let message = last_message(&api).await;
    assert_eq!((mid(&message), &message["link"]["message"]["mid"]), (forwarded.to_string(), &json!(bots)));
    assert_eq!(message["link"]["sender"]["user_id"], tamtam.bot_id().0);
    alice.replies(&bots, "thanks");
    let message = last_message(&api).await;
    assert_eq!((&message["link"]["type"], &message["body"]["text"]), (&json!("reply"), &json!("thanks")));

    let bob = tamtam.user("Bob");
    assert!(fails(|| drop(bob.forwards(&bots))).contains("Bob finds no message"));
    assert!(fails(|| drop(alice.in_chat(&team).replies(&bots, "x"))).contains("Alice finds no message"));
    assert!(fails(|| drop(bob.in_chat(&team).forwards(&bots))).contains("is not a member"));
}

#[tokio::test]
async fn media_of_people_can_be_downloaded_and_sent_again() {
    let (_tamtam, api, alice) = dialog().await;
    let all = [
        ("image", Enclosure::photo(b"some bytes")),
        ("video", Enclosure::video(b"some bytes")),
        ("audio", Enclosure::audio(b"some bytes")),
        ("file", Enclosure::file("notes.txt", "some bytes")),
    ];
    for (kind, enclosure) in all {
        alice.says_with("", [enclosure]);
        let message = last_message(&api).await;
        let attachment = message["body"]["attachments"][0].clone();
        assert_eq!((&attachment["type"], &message["body"]["text"]), (&json!(kind), &json!(null)));
        let bytes = reqwest::get(attachment["payload"]["url"].as_str().unwrap()).await.unwrap().bytes().await.unwrap();
        assert_eq!(&bytes[..], b"some bytes");
        if kind == "file" {
            assert_eq!((&attachment["filename"], &attachment["size"]), (&json!("notes.txt"), &json!(10)));
        }
        let again = json!({ "type": kind, "payload": { "token": attachment["payload"]["token"] } });
        let posted = api.post(alice.chat_id().0, json!({ "attachments": [again] })).await.ok();
        assert_eq!(posted["message"]["body"]["attachments"][0], attachment);
    }
    alice.says_with("see", [Enclosure::link("https://example.org"), Enclosure::photo(b"p")]);
    let message = last_message(&api).await;
    assert_eq!(message["body"]["attachments"][0]["payload"]["url"], "https://example.org");
    alice.says_with("", [Enclosure::sticker("cafe")]);
    assert_eq!(last_message(&api).await["body"]["attachments"][0]["payload"]["code"], "cafe");
    let two = [Enclosure::file("a", "a"), Enclosure::file("b", "b")];
    assert!(fails(|| drop(alice.says_with("", two))).contains("Must be only one file attachment"));
    assert!(fails(|| drop(alice.says_with("", []))).contains("Alice has nothing to say"));
}

#[tokio::test]
async fn people_can_send_contacts_and_locations() {
    let (_tamtam, api, alice) = dialog().await;
    alice.shares_contact();
    let contact = last_message(&api).await["body"]["attachments"][0]["payload"].clone();
    assert_eq!(contact["tam_info"]["user_id"], alice.user_id().0);
    assert!(contact["vcf_info"].as_str().unwrap().contains("FN:Alice\r\n"));
    alice.sends_location(-33.856_784, 151.215_296_1);
    let place = last_message(&api).await["body"]["attachments"][0].clone();
    assert_eq!((&place["latitude"], &place["longitude"]), (&json!(-33.856_784), &json!(151.215_296_1)));
    for (latitude, longitude) in [(90.1, 0.0), (0.0, -180.1), (f64::NAN, 0.0)] {
        assert!(fails(|| drop(alice.sends_location(latitude, longitude))).contains("a latitude is -90 to 90"));
    }
}

#[tokio::test]
async fn a_contact_as_the_first_message_starts_the_bot() {
    let (tamtam, api, _) = dialog().await;
    let bob = tamtam.user("Bob");
    api.drain().await;
    bob.shares_contact();
    assert_eq!(api.kinds().await, ["bot_started", "message_created"]);
}

#[tokio::test]
async fn a_blocked_person_cannot_join_or_be_added() {
    let (tamtam, api, alice) = dialog().await;
    let (bob, carol) = (tamtam.user("Bob"), tamtam.user("Carol"));
    let team = tamtam.group("Team", [&alice, &bob]);
    let path = format!("/chats/{}/members", team.chat_id().0);
    assert!(fails(|| bob.in_chat(&team).blocks(&carol)).contains("Bob is not an administrator"));
    api.drain().await;
    let alice = alice.in_chat(&team);
    alice.blocks(&bob);
    alice.blocks(&carol);
    let removed = api.updates().await.0;
    assert_eq!(removed.len(), 1, "Carol was not a member");
    assert_eq!((&removed[0]["user"]["name"], &removed[0]["admin_id"]), (&json!("Bob"), &json!(alice.user_id().0)));
    for person in [&bob, &carol] {
        assert!(fails(|| person.in_chat(&team).joins()).contains("cannot join"));
        assert!(fails(|| alice.adds(person)).contains("cannot add"));
        api.call("POST", &path, json!({ "user_ids": [person.user_id().0] })).await.refused();
    }
    assert!(fails(|| alice.blocks(&alice)).contains("who is the owner"));
    let posted = api.post(team.chat_id().0, json!({ "attachments": [photo("https://x")] })).await.ok();
    assert!(fails(|| drop(bob.forwards(mid(&posted["message"])))).contains("Bob finds no message"));
}
