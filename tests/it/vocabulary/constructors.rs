//! Constructors: requests, answers and state.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tamtam::{
    AttachmentRequest, Button, ErrorKind, Keyboard, Update,
    types::{ConstructedMessageBody, ConstructorInput, MessageConstructionRequest},
    updates::Updates,
};

use super::{next, sandbox, unsent};
use crate::common::{answering_json, bot, only_request, requests};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Draft {
    color: Option<String>,
    steps: u32,
}

async fn next_request(updates: &mut Updates) -> MessageConstructionRequest {
    next(updates, |update| match update {
        Update::MessageConstructionRequest(request) => Some(request),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn a_message_is_constructed_from_opening_to_posting() {
    let (tamtam, bot, alice) = sandbox().await;
    let team = tamtam.group("Team", [&alice]);
    let mut updates = bot.updates();
    let card = alice.in_chat(&team).opens_constructor();

    let opened = next_request(&mut updates).await;
    assert_eq!((opened.input.text(), opened.input.payload(), opened.input.messages().len()), (None, None, 0));
    assert_eq!(opened.data_as::<Draft>().unwrap(), None);
    let colors = Keyboard::default().row([Button::callback("Red", "r"), Button::callback("Blue", "b")]);
    bot.construct(&opened)
        .hint("Which color?")
        .keyboard(colors)
        .data(&Draft { color: None, steps: 1 })
        .unwrap()
        .allow_user_input(false)
        .await
        .unwrap();
    let shown = card.reads().await;
    assert_eq!((shown.hint(), shown.allows_input(), shown.texts().len()), (Some("Which color?"), false, 0));
    assert_eq!(shown.buttons(), [["Red", "Blue"]]);

    card.presses("Blue");
    let pressed = next_request(&mut updates).await;
    assert_eq!((pressed.input.text(), pressed.input.payload()), (None, Some("b")));
    assert_eq!(pressed.session_id, opened.session_id);
    let draft = Draft { color: Some("b".to_owned()), ..pressed.data_as().unwrap().unwrap() };
    bot.construct(&pressed).data(&draft).unwrap().placeholder("A text").allow_user_input(true).await.unwrap();
    let shown = card.reads().await;
    assert_eq!((shown.placeholder(), shown.allows_input(), shown.hint()), (Some("A text"), true, None));

    card.types("Hello");
    let typed = next_request(&mut updates).await;
    assert_eq!((typed.input.text(), typed.input.payload()), (Some("Hello"), None));
    assert_eq!(typed.data_as::<Draft>().unwrap(), Some(Draft { color: Some("b".to_owned()), steps: 1 }));
    let sea = AttachmentRequest::photo_url("https://x.example/sea");
    let thanks = Keyboard::column(Button::callback("Thanks", "t"));
    bot.construct(&typed)
        .message(ConstructedMessageBody::markdown("**Hello**").attach(sea).keyboard(thanks))
        .message("And good bye")
        .message(AttachmentRequest::location(1.5, 2.5))
        .allow_user_input(false)
        .await
        .unwrap();
    assert_eq!(card.reads().await.texts(), ["Hello", "And good bye", ""]);

    card.posts();
    for text in [Some("Hello"), Some("And good bye"), None] {
        let posted = next(&mut updates, |update| match update {
            Update::MessageConstructed(posted) => Some(posted),
            _ => None,
        })
        .await;
        assert_eq!((&posted.session_id, posted.message.text()), (&opened.session_id, text));
        let keyboard = posted.message.body.keyboard();
        assert_eq!(
            (posted.message.body.attachments().len(), keyboard.is_some()),
            match text {
                Some("Hello") => (2, true),
                Some(_) => (0, false),
                None => (1, false),
            }
        );
    }
    assert_eq!(alice.in_chat(&team).sees(), ["Hello", "And good bye", ""]);
}

#[tokio::test]
async fn an_answer_contains_only_the_fields_that_were_set() {
    let server = answering_json(&json!({"success": true})).await;
    bot(&server).construct("s").message("Hi").data(&[1, 2]).unwrap().allow_user_input(true).await.unwrap();
    let body: Value = only_request(&server).await.body_json().unwrap();
    assert_eq!(body, json!({"messages": [{"text": "Hi"}], "data": "[1,2]", "allow_user_input": true}));
}

#[tokio::test]
async fn a_state_of_8192_bytes_is_returned_and_a_longer_one_is_an_error() {
    let (_tamtam, bot, alice) = sandbox().await;
    let mut updates = bot.updates();
    let card = alice.opens_constructor();
    let opened = next_request(&mut updates).await;
    // JSON adds two quotes.
    let (fits, long) = ("x".repeat(8190), "x".repeat(8191));
    bot.construct(&opened).data(&fits).unwrap().allow_user_input(true).await.unwrap();
    card.types("hi");
    assert_eq!(next_request(&mut updates).await.data_as::<String>().unwrap(), Some(fits));
    let error = bot.construct(&opened).data(&long).unwrap_err().to_string();
    assert_eq!(error, "not sent: data has 8193 bytes of JSON, the limit is 8192: keep the rest elsewhere");
}

#[tokio::test]
async fn the_limit_of_the_document_applies_to_a_state_set_directly() {
    let server = answering_json(&json!({"success": true})).await;
    let bot = bot(&server);
    let answer = tamtam::types::ConstructorAnswer::new().data("ы".repeat(8193));
    let words = "body.data has 8193 characters, the limit is 8192: shorten it, or split it";
    assert_eq!(unsent(bot.api().construct("s", answer)).await, words);
    assert!(requests(&server).await.is_empty());
}

#[test]
fn accessors_work_on_every_kind_of_input() {
    let request = |data: Value, input: Value| -> MessageConstructionRequest {
        let json = json!({"timestamp": 1, "user": {"user_id": 3, "name": "A"}, "session_id": "s", "data": data,
            "input": input});
        serde_json::from_value(json).unwrap()
    };
    let null = request(json!(null), json!({"input_type": "message", "messages": null}));
    assert_eq!((null.input.text(), null.input.messages().len()), (None, 0));
    assert_eq!(null.data_as::<Draft>().unwrap(), None);

    let photo = json!({"attachments": [{"type": "image", "payload": {"token": "t"}}]});
    let typed = json!({"input_type": "message", "messages": [photo, {"text": "A cat"}]});
    let typed = request(json!(""), typed);
    assert_eq!((typed.input.text(), typed.input.messages().len()), (Some("A cat"), 2));
    assert_eq!(typed.data_as::<Draft>().unwrap(), None);

    let pressed = request(json!("{\"steps\":2}"), json!({"input_type": "callback", "payload": "[1,\"a\"]"}));
    let ConstructorInput::Callback(input) = &pressed.input else { panic!("{pressed:?}") };
    assert_eq!(input.payload_as::<(u8, char)>().unwrap(), (1, 'a'));
    assert_eq!(input.payload_as::<Draft>().unwrap_err().kind(), ErrorKind::Payload);
    assert_eq!(pressed.data_as().unwrap(), Some(Draft { color: None, steps: 2 }));

    let unknown = request(json!("step 1"), json!({"input_type": "gesture", "payload": "wave"}));
    assert_eq!((unknown.input.text(), unknown.input.payload()), (None, None));
    let error = unknown.data_as::<Draft>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Payload);
    assert!(error.to_string().starts_with("the data is not what was expected: "), "{error}");
}
