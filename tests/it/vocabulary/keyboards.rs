//! Keyboards: building them, their limits, and reading and sending them again.

use std::iter::empty;

use serde_json::json;
use tamtam::{
    AttachmentRequest, Button, Keyboard, Message, NewMessageBody, UserId,
    types::{CallbackButton, Intent},
};

use super::{next_message, sandbox, unsent};
use crate::common::{answering_json, bot, requests};

/// Returns a keyboard with every kind of button, in rows of different lengths.
fn all() -> Keyboard {
    Keyboard::default()
        .row([Button::callback("Yes", "y").positive(), Button::callback("No", "n").negative()])
        .row((Button::location("Here").quick(true), Button::contact("Me"), Button::link("Map", "https://x.example")))
        .row(Button::chat("Talk", "The party").chat_description("Who comes?").start_payload("party").uuid(7))
}

#[tokio::test]
async fn buttons_of_all_kinds_arrive_with_all_their_properties() {
    let (_tamtam, bot, alice) = sandbox().await;
    bot.send(alice.chat_id(), NewMessageBody::from("Coming?").keyboard(all())).await.unwrap();
    let expected = json!([
        [
            {"type": "callback", "text": "Yes", "payload": "y", "intent": "positive"},
            {"type": "callback", "text": "No", "payload": "n", "intent": "negative"},
        ],
        [
            {"type": "request_geo_location", "text": "Here", "quick": true},
            {"type": "request_contact", "text": "Me"},
            {"type": "link", "text": "Map", "url": "https://x.example"},
        ],
        [{"type": "chat", "text": "Talk", "chat_title": "The party", "chat_description": "Who comes?",
            "start_payload": "party", "uuid": 7}],
    ]);
    assert_eq!(alice.reads().await.attachments()[0]["payload"]["buttons"], expected);
}

#[test]
fn rows_are_built_from_arrays_vecs_tuples_and_iterators() {
    let number = |n: i32| Button::callback(n.to_string(), n.to_string());
    let labels = |keyboard: &Keyboard| -> Vec<String> {
        let row = |row: &Vec<Button>| row.iter().filter_map(Button::text).collect::<Vec<_>>().join(" ");
        keyboard.buttons.iter().map(row).collect()
    };
    assert_eq!(labels(&Keyboard::column([number(1), number(2)])), ["1", "2"]);
    assert_eq!(labels(&Keyboard::column((number(1), Button::contact("me")))), ["1", "me"]);
    assert_eq!(labels(&Keyboard::grid(3, (1..=7).map(number))), ["1 2 3", "4 5 6", "7"]);
    assert_eq!(labels(&Keyboard::grid(0, vec![number(1), number(2)])), ["1", "2"]);
    assert_eq!(labels(&Keyboard::rows([vec![number(1)], vec![], vec![number(2), number(3)]])), ["1", "2 3"]);
    assert_eq!(labels(&Keyboard::rows([[number(1), number(2)], [number(3), number(4)]])), ["1 2", "3 4"]);
    let mixed: Vec<Button> = vec![number(1).into(), Button::location("here").into()];
    assert_eq!(labels(&Keyboard::default().row(mixed).row(number(2)).row(empty::<CallbackButton>())), ["1 here", "2"]);
    assert_eq!(Keyboard::default().row(empty::<Button>()), Keyboard::default());
}

#[tokio::test]
async fn a_button_over_a_limit_is_refused_before_sending() {
    let server = answering_json(&json!({"success": true})).await;
    let bot = bot(&server);
    let x = |count| "ы".repeat(count);
    let limits: [(Button, &str, usize); 6] = [
        (Button::callback(x(129), "p").into(), "text", 128),
        (Button::callback("t", x(1025)).into(), "payload", 1024),
        (Button::link("t", x(2049)).into(), "url", 2048),
        (Button::chat("t", x(201)).into(), "chat_title", 200),
        (Button::chat("t", "title").chat_description(x(401)).into(), "chat_description", 400),
        (Button::chat("t", "title").start_payload(x(513)).into(), "start_payload", 512),
    ];
    let with = |button: Button| Keyboard::column(Button::contact("fine")).row((Button::contact("fine"), button));
    for (button, field, limit) in limits {
        let count = limit + 1;
        let what =
            format!("buttons[1][1].{field} has {count} characters, the limit is {limit}: shorten it, or split it");
        let message = NewMessageBody::from("?")
            .attach(AttachmentRequest::share("https://x.example"))
            .keyboard(with(button.clone()));
        let in_message = format!("attachments[1].payload.{what}");
        assert_eq!(unsent(bot.send(UserId(5), message.clone())).await, format!("body.{in_message}"));
        assert_eq!(unsent(bot.edit("mid.1", message.clone())).await, format!("body.{in_message}"));
        assert_eq!(unsent(bot.answer("cb").edit(message)).await, format!("body.message.{in_message}"));
        assert_eq!(unsent(bot.construct("s").keyboard(with(button))).await, format!("body.keyboard.{what}"));
    }
    for unlabelled in [Button::contact("").into(), Button::location("").into(), Button::from(Button::link("", "x"))] {
        let message = NewMessageBody::from("?").keyboard(with(unlabelled));
        let what = "body.attachments[0].payload.buttons[1][1].text is empty: set a text";
        assert_eq!(unsent(bot.send(UserId(5), message)).await, what);
    }
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn a_link_that_is_not_an_absolute_url_is_refused_before_sending() {
    let server = answering_json(&json!({"success": true})).await;
    let bot = bot(&server);
    for link in ["not a url", "example.org/map", "//example.org", "https://", ""] {
        let keyboard = Keyboard::column((Button::contact("fine"), Button::link("Map", link)));
        let error = unsent(bot.send(UserId(5), NewMessageBody::from("?").keyboard(keyboard))).await;
        let place = "body.attachments[0].payload.buttons[1][0].url is not an absolute URL (";
        assert!(error.starts_with(place), "{error}");
        assert!(error.ends_with("): begin it with a scheme, for example https://"), "{error}");
    }
    let nothing = NewMessageBody::from("?").attach(AttachmentRequest::from(Keyboard::default()));
    let nothing = unsent(bot.send(UserId(5), nothing)).await;
    assert!(nothing.starts_with("body.attachments[0].payload.buttons has 0 items, expected at least 1"), "{nothing}");
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn links_of_any_scheme_are_accepted() {
    let (_tamtam, bot, alice) = sandbox().await;
    let links = ["https://x.example", "HTTP://x.example", "tel:+15550100", "mailto:a@x.example", "tamtam://user/1"];
    let keyboard = Keyboard::column(links.map(|link| Button::link("t", link)));
    bot.send(alice.chat_id(), NewMessageBody::from("?").keyboard(keyboard)).await.unwrap();
    assert_eq!(alice.reads().await.buttons().len(), links.len());
}

#[tokio::test]
async fn buttons_at_their_limits_are_accepted() {
    let (_tamtam, bot, alice) = sandbox().await;
    let x = |count| "ы".repeat(count);
    let keyboard = Keyboard::column((
        Button::callback(x(128), x(1024)),
        Button::link("t", format!("https://x.example/{}", "x".repeat(2030))),
        Button::chat("t", x(200)).chat_description(x(400)).start_payload(x(512)),
    ));
    bot.send(alice.chat_id(), NewMessageBody::from("?").keyboard(keyboard)).await.unwrap();
    assert_eq!(alice.reads().await.buttons().len(), 3);
}

#[tokio::test]
async fn a_keyboard_is_read_back_changed_and_sent_again() {
    let (_tamtam, bot, alice) = sandbox().await;
    let sent = bot.send(alice.chat_id(), NewMessageBody::from("Coming?").keyboard(all())).await.unwrap();
    let message = bot.api().get_message_by_id(&sent).await.unwrap();
    assert_eq!(message.keyboard(), Some(&all()));
    assert_eq!(message.keyboard(), sent.message.keyboard());

    let keyboard = message.keyboard().unwrap();
    assert_eq!(keyboard.iter().count(), 6);
    assert_eq!(keyboard.find_text("Map").and_then(Button::payload), None);
    assert_eq!(keyboard.find_payload("n").and_then(Button::text), Some("No"));
    assert_eq!((keyboard.find_text("Maybe"), keyboard.find_payload("")), (None, None));
    let Some(Button::Callback(no)) = keyboard.find_text("No") else { panic!("{keyboard:?}") };
    assert_eq!(no.intent, Some(Intent::Negative));

    // The chat button keeps its `uuid`, and so its chat.
    let mut fewer = keyboard.clone();
    fewer.retain(|button| {
        !matches!(button, Button::RequestGeoLocation(_) | Button::RequestContact(_) | Button::Link(_))
    });
    bot.edit(&message, NewMessageBody::new().keyboard(fewer.clone())).await.unwrap();
    let message = bot.api().get_message_by_id(&sent).await.unwrap();
    assert_eq!((message.keyboard(), fewer.buttons.len()), (Some(&fewer), 2));
    let Some(Button::Chat(talk)) = fewer.find_text("Talk") else { panic!("{fewer:?}") };
    assert_eq!(talk.uuid, Some(7));
}

#[tokio::test]
async fn a_keyboard_without_buttons_is_removed() {
    let (_tamtam, bot, alice) = sandbox().await;
    let keyboard = Keyboard::column(Button::callback("Yes", "y"));
    let sent = bot.send(alice.chat_id(), NewMessageBody::from("Coming?").keyboard(keyboard)).await.unwrap();
    assert_eq!(alice.reads().await.buttons().len(), 1);
    let mut keyboard = sent.message.keyboard().cloned().unwrap();
    keyboard.retain(|button| button.payload() != Some("y"));
    bot.edit(&sent, NewMessageBody::new().keyboard(keyboard)).await.unwrap();
    let seen = alice.reads().await;
    assert_eq!((seen.text(), seen.attachments().len()), ("Coming?", 0));
}

#[tokio::test]
async fn a_button_of_an_unknown_kind_stays_in_its_keyboard() {
    let json = json!({"timestamp": 1, "recipient": {"chat_id": 7, "chat_type": "dialog"}, "body": {"mid": "mid.1", "seq": 1,
        "attachments": [{"type": "inline_keyboard", "payload": {"buttons": [[{"type": "teleport", "text": "Go", "to": 5}]]}}]}});
    let message: Message = serde_json::from_value(json.clone()).unwrap();
    let keyboard = message.keyboard().unwrap().clone();
    assert_eq!(keyboard.iter().map(Button::text).collect::<Vec<_>>(), [None]);
    let again = serde_json::to_value(AttachmentRequest::from(keyboard)).unwrap();
    assert_eq!(again, json["body"]["attachments"][0]);
}

#[tokio::test]
async fn a_message_without_buttons_has_no_keyboard() {
    let (_tamtam, bot, alice) = sandbox().await;
    let mut updates = bot.updates();
    alice.says("hi");
    assert_eq!(next_message(&mut updates).await.keyboard(), None);
}
