//! Acts of people, and the messages and events that they see.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use futures_util::future::poll_immediate;
use serde_json::json;
use tamtam_sandbox::{Person, Sandbox};

use crate::client::{Api, callback, dialog, keyboard, photo};

pub(crate) fn panic_of(act: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(act)).unwrap_err();
    let text = panic.downcast_ref::<String>().cloned();
    text.unwrap_or_else(|| (*panic.downcast_ref::<&str>().unwrap()).to_owned())
}

/// Returns the file in which `act` panics.
pub(crate) fn place_of_panic(act: impl FnOnce()) -> String {
    thread_local!(static PLACE: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) });
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            PLACE.set(info.location().unwrap().file().to_owned());
            before(info);
        }));
    });
    catch_unwind(AssertUnwindSafe(act)).unwrap_err();
    PLACE.take()
}

#[tokio::test]
async fn the_first_message_starts_the_bot() {
    let tamtam = Sandbox::start().await;
    let (api, alice) = (Api::of(&tamtam), tamtam.user("Alice"));
    alice.says("hi");
    alice.says("again");
    assert_eq!(api.kinds().await, ["bot_started", "message_created", "message_created"]);
    alice.stops();
    alice.says("back");
    assert_eq!(api.kinds().await[3..], ["bot_started", "message_created"]);
}

#[tokio::test]
async fn reads_returns_the_messages_of_the_bot_in_order_and_waits_for_more() {
    let (_tamtam, api, alice) = dialog().await;
    let first = api.say(alice.chat_id().0, "one").await;
    alice.says("not the bot");
    api.delete(&format!("/messages?message_id={first}")).await.ok();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), seen.mid().as_str(), seen.is_edit()), ("one", first.as_str(), false));
    let mut reading = pin!(alice.reads());
    assert!(poll_immediate(&mut reading).await.is_none(), "there is nothing to read yet");
    api.post(alice.chat_id().0, json!({ "text": "two", "attachments": [photo("https://x")] })).await.ok();
    let seen = reading.await;
    assert_eq!((seen.text(), &seen.attachments()[0]["type"]), ("two", &json!("image")));
    assert_eq!(seen.message()["recipient"]["user_id"], alice.user_id().0);
}

#[tokio::test]
async fn every_member_of_a_group_reads_all_messages() {
    let (tamtam, api, alice) = dialog().await;
    let bob = tamtam.user("Bob");
    let team = tamtam.group("Team", [&alice, &bob]);
    api.say(team.chat_id().0, "for all").await;
    for person in [&alice, &bob] {
        assert_eq!(person.in_chat(&team).reads().await.text(), "for all");
    }
    api.say(alice.chat_id().0, "for Alice").await;
    assert_eq!(alice.reads().await.text(), "for Alice");
    let carol = tamtam.user("Carol").in_chat(&team);
    carol.joins();
    api.say(team.chat_id().0, "new").await;
    assert_eq!(carol.reads().await.text(), "new");
}

#[tokio::test]
async fn a_read_without_a_message_panics_with_the_line_and_the_transcript() {
    let tamtam = Sandbox::builder().patience(Duration::from_millis(50)).start().await;
    let alice = tamtam.user("Alice");
    alice.says("anybody?");
    let person = alice.clone();
    let error = tokio::spawn(async move { person.reads().await }).await.unwrap_err();
    let message = error.into_panic().downcast_ref::<String>().unwrap().clone();
    assert!(message.contains("people.rs:"), "{message}");
    assert!(message.contains("Alice expected a message and got none in 50ms"), "{message}");
    assert!(message.contains("Alice: anybody?"), "{message}");
    let error = tokio::spawn(async move { alice.reads_notification().await }).await.unwrap_err();
    assert!(error.into_panic().downcast_ref::<String>().unwrap().contains("expected a notification"));
}

#[tokio::test]
async fn pressing_a_missing_button_panics_with_the_visible_buttons() {
    let (_tamtam, api, alice) = dialog().await;
    assert!(panic_of(|| alice.presses("Yes")).contains("Alice sees no message with buttons"));
    let rows = json!([[callback("Yes", "y"), callback("No", "n")]]);
    api.post(alice.chat_id().0, json!({ "text": "?", "attachments": [keyboard(rows)] })).await.ok();
    api.say(alice.chat_id().0, "a message without buttons").await;
    let message = panic_of(|| alice.presses("Maybe"));
    assert!(message.contains("Alice sees no button [Maybe]; existing buttons: [Yes] [No]"), "{message}");
    alice.presses("No");
    assert_eq!(api.kinds().await.last().unwrap(), "message_callback");
}

#[tokio::test]
async fn contact_and_location_buttons_send_a_message() {
    let (_tamtam, api, alice) = dialog().await;
    let rows = json!([[
        { "type": "request_contact", "text": "Contact" },
        { "type": "request_geo_location", "text": "Place", "quick": true },
        { "type": "link", "text": "Site", "url": "https://x" },
    ]]);
    api.post(alice.chat_id().0, json!({ "text": "?", "attachments": [keyboard(rows)] })).await.ok();
    api.drain().await;
    alice.presses("Contact");
    alice.presses("Place");
    alice.presses("Site");
    let (updates, _) = api.updates().await;
    assert_eq!(updates.len(), 2);
    let contact = &updates[0]["message"]["body"]["attachments"][0];
    assert_eq!(contact["payload"]["tam_info"]["user_id"], alice.user_id().0);
    assert_eq!(updates[1]["message"]["body"]["attachments"][0]["type"], "location");
}

#[tokio::test]
async fn people_cannot_change_messages_of_others() {
    let (tamtam, api, alice) = dialog().await;
    let bots = api.say(alice.chat_id().0, "mine").await;
    assert!(panic_of(|| alice.edits(&bots, "x")).contains("Alice did not write message"));
    assert!(panic_of(|| alice.deletes("mid.1")).contains("Alice finds no message mid.1"));
    let team = tamtam.group("Team", [&tamtam.user("Bob")]);
    assert!(panic_of(|| drop(alice.in_chat(&team).says("x"))).contains("is not a member"));
    assert!(panic_of(|| alice.in_chat(&team).starts()).contains("in the dialog only"));
    assert!(panic_of(|| alice.joins()).contains("cannot join"));
}

#[tokio::test]
async fn the_transcript_has_a_line_for_each_event() {
    let (tamtam, api, alice) = dialog().await;
    alice.says("hi");
    let rows = json!([[callback("Yes", "y")], [callback("No", "n")]]);
    let body = json!({ "text": "hi", "attachments": [photo("https://x"), keyboard(rows)] });
    let mid = crate::client::mid(&api.post(alice.chat_id().0, body).await.ok()["message"]);
    alice.presses("Yes");
    let callback = api.updates().await.0.last().unwrap()["callback"]["callback_id"].as_str().unwrap().to_owned();
    let path = format!("/answers?callback_id={callback}");
    let answer = json!({ "message": { "text": "two\nlines", "attachments": [] }, "notification": "ok" });
    api.call("POST", &path, answer).await.ok();
    api.delete(&format!("/messages?message_id={mid}")).await.ok();
    alice.stops();
    let team = tamtam.group("Team", [&alice]);
    alice.in_chat(&team).says("hello all");
    assert_eq!(
        tamtam.transcript(),
        "Alice starts Echo\n\
         Alice: hi\n\
         Echo: hi  <image> [Yes] [No]\n\
         Alice presses [Yes]\n\
         Echo edits: two\n    lines\n\
         Echo notifies Alice: ok\n\
         Echo deletes: two\n    lines\n\
         Alice stops Echo\n\
         (Team) Alice creates the chat\n\
         (Team) Alice adds Echo\n\
         (Team) Alice: hello all\n"
    );
}

#[tokio::test]
async fn events_are_reported_in_order_even_if_a_hook_causes_more() {
    let (tamtam, api, alice) = dialog().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let (seen, person) = (told.clone(), alice.clone());
    tamtam.on_event(move |event| {
        seen.lock().unwrap().push(event.to_string());
        if event.to_string() == "Alice: 0" {
            person.says("from the hook");
        }
    });
    alice.says("0");
    api.say(alice.chat_id().0, "1").await;
    assert_eq!(*told.lock().unwrap(), ["Alice: 0", "Alice: from the hook", "Echo: 1"]);
}

#[tokio::test]
async fn events_of_concurrent_threads_are_reported_in_order() {
    let (tamtam, _, alice) = dialog().await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = told.clone();
    tamtam.on_event(move |event| seen.lock().unwrap().push(event.to_string()));
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let person = tamtam.user(name);
            scope.spawn(move || (0..50).for_each(|number| drop(person.says(number.to_string()))));
        }
    });
    drop(alice);
    let transcript = tamtam.transcript();
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 4 * 51);
    let lines = transcript.lines().skip(1).map(|line| line.split_once(") ").unwrap().1);
    assert_eq!(*told, lines.collect::<Vec<_>>());
}

#[test]
fn people_can_be_sent_to_other_threads() {
    fn check<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    fn check_future<T: Send + 'static>(_: fn(&Person) -> T) {}
    check::<Person>();
    check::<Sandbox>();
    check::<tamtam_sandbox::Group>();
    check::<tamtam_sandbox::Account>();
    check::<tamtam_sandbox::Constructor>();
    check::<tamtam_sandbox::Enclosure>();
    check_future(|person| person.reads());
    check_future(|person| person.reads_notification());
    check_future(|person| person.opens_constructor().reads());
}

#[tokio::test]
async fn an_impossible_act_panics_at_the_line_of_the_test() {
    let (tamtam, _, alice) = dialog().await;
    let team = tamtam.group("Team", [&alice]);
    let bob = tamtam.user("Bob");
    let card = alice.opens_constructor();
    let verbs: [&dyn Fn(); 21] = [
        &|| alice.presses("x"),
        &|| alice.edits("x", "y"),
        &|| alice.deletes("x"),
        &|| alice.in_chat(&team).stops(),
        &|| bob.stops(),
        &|| bob.in_chat(&team).leaves(),
        &|| alice.in_chat(&team).removes(&bob),
        &|| alice.in_chat(&team).adds_bot(),
        &|| drop(tamtam.group("Empty", [])),
        &|| drop(tamtam.channel("Empty", [])),
        &|| drop(tamtam.chat(alice.chat_id())),
        &|| drop(tamtam.add_bot("Echo", "echo_bot")),
        &|| drop(bob.opens_constructor()),
        &|| card.presses("x"),
        &|| drop(card.posts()),
        &|| drop(alice.forwards("x")),
        &|| drop(alice.replies("x", "y")),
        &|| drop(alice.says_with("", [])),
        &|| drop(bob.in_chat(&team).shares_contact()),
        &|| drop(alice.sends_location(91.0, 0.0)),
        &|| bob.in_chat(&team).blocks(&alice),
    ];
    for (number, verb) in verbs.iter().enumerate() {
        assert!(place_of_panic(verb).ends_with("tests/it/people.rs"), "{number}");
    }
}
