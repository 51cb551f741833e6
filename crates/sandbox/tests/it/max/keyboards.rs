//! Inline keyboards: their limits, the accepted links and buttons, and the effect of a press.

use serde_json::{Value, json};

use super::dialog;
use crate::client::{Answer, Api, callback, keyboard, mid};
use crate::people::panic_of;

const ROWS: usize = 30;
const ROW_BUTTONS: usize = 7;
/// Buttons in a row with a wide button.
const WIDE_ROW_BUTTONS: usize = 3;

/// Returns a button of every type: first the wide ones, then the others.
fn buttons() -> (Vec<Value>, Vec<Value>) {
    let wide = vec![
        json!({ "type": "link", "text": "Site", "url": "https://example.org" }),
        json!({ "type": "open_app", "text": "App", "web_app": "echo_bot", "payload": "from_button" }),
        json!({ "type": "request_contact", "text": "Contact" }),
        json!({ "type": "request_geo_location", "text": "Place", "quick": true }),
    ];
    let narrow = vec![
        callback("Yes", "y"),
        json!({ "type": "message", "text": "I said so" }),
        json!({ "type": "clipboard", "text": "Copy", "payload": "copied" }),
    ];
    (wide, narrow)
}

fn body(rows: &Value) -> Value {
    json!({ "text": "?", "attachments": [keyboard(rows.clone())] })
}

async fn post(api: &Api, chat: tamtam::ChatId, rows: Value) -> Answer {
    api.post(chat.0, body(&rows)).await
}

/// Returns `rows` rows of `buttons` buttons.
fn grid(rows: usize, buttons: usize) -> Value {
    vec![vec![callback("a", "a"); buttons]; rows].into()
}

#[tokio::test]
async fn a_keyboard_has_at_most_thirty_rows_of_seven_buttons() {
    let (_max, api, alice) = dialog().await;
    let chat = alice.chat_id();
    let full = post(&api, chat, grid(ROWS, ROW_BUTTONS)).await.ok();
    let shown = &full["message"]["body"]["attachments"][0]["payload"]["buttons"];
    assert_eq!(shown.as_array().unwrap().iter().map(|row| row.as_array().unwrap().len()).sum::<usize>(), 210);
    for (rows, part) in [
        (grid(ROWS + 1, 1), "buttons: size must be between 1 and 30"),
        (grid(ROWS + 1, ROW_BUTTONS), "buttons: size must be between 1 and 30"),
        (grid(1, ROW_BUTTONS + 1), "buttons[0]: size must be between 0 and 7"),
        (json!([[callback("a", "a")], vec![callback("a", "a"); ROW_BUTTONS + 1]]), "buttons[1]: "),
        (grid(ROWS, ROW_BUTTONS + 1), "buttons: must be at most 210 in all rows"),
        (json!([]), "size must be between 1 and"),
        (json!([[], []]), "buttons: must not be empty"),
    ] {
        let message = post(&api, chat, rows).await.fails(400, "proto.payload");
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[tokio::test]
async fn a_row_with_a_wide_button_has_at_most_three_buttons() {
    let (_max, api, alice) = dialog().await;
    let (wide, narrow) = buttons();
    for button in wide {
        let mut row = vec![narrow[0].clone(); WIDE_ROW_BUTTONS - 1];
        row.push(button.clone());
        post(&api, alice.chat_id(), json!([row, vec![narrow[0].clone(); ROW_BUTTONS]])).await.ok();
        row.insert(0, narrow[0].clone());
        let message = post(&api, alice.chat_id(), json!([[narrow[0]], row])).await.fails(400, "proto.payload");
        assert_eq!(message, "buttons[1]: size must be between 0 and 3", "{button}");
        let all = vec![button; WIDE_ROW_BUTTONS];
        post(&api, alice.chat_id(), json!(vec![all; ROWS])).await.ok();
    }
    for button in narrow {
        post(&api, alice.chat_id(), json!([vec![button.clone(); ROW_BUTTONS]])).await.ok();
        post(&api, alice.chat_id(), json!([vec![button; ROW_BUTTONS + 1]])).await.fails(400, "proto.payload");
    }
}

#[tokio::test]
async fn edits_and_answers_have_the_same_limits() {
    let (_max, api, alice) = dialog().await;
    let posted = mid(&post(&api, alice.chat_id(), grid(1, 1)).await.ok()["message"]);
    alice.presses("a");
    let pressed = api.updates().await.0.pop().unwrap()["callback"]["callback_id"].as_str().unwrap().to_owned();
    for (rows, status) in [(grid(ROWS, ROW_BUTTONS), 200), (grid(ROWS + 1, 1), 400), (grid(1, ROW_BUTTONS + 1), 400)] {
        let edit = api.call("PUT", &format!("/messages?message_id={posted}"), body(&rows)).await;
        let answer = json!({ "message": body(&rows) });
        let answer = api.call("POST", &format!("/answers?callback_id={pressed}"), answer).await;
        assert_eq!((edit.status, answer.status), (status, status), "{}", edit.text);
    }
}

#[tokio::test]
async fn link_buttons_accept_only_schemes_that_max_clients_open() {
    let (_max, api, alice) = dialog().await;
    let link = |url: &str| json!([[{ "type": "link", "text": "Go", "url": url }]]);
    for url in ["http://x", "https://x/?a=b#c", "max://user/5", "tel:+79990000000", "mailto:a@x", "HTTPS://X"] {
        let posted = post(&api, alice.chat_id(), link(url)).await.ok();
        let shown = &posted["message"]["body"]["attachments"][0]["payload"]["buttons"][0][0];
        assert_eq!(shown, &link(url)[0][0]);
    }
    for url in
        ["ftp://x", "javascript:alert(1)", "tamtam://user/5", "tg://resolve", "file:///etc", "x", "//x", "", "https://"]
    {
        let message = post(&api, alice.chat_id(), link(url)).await.fails(400, "proto.payload");
        assert!(message.contains("url: "), "{url}: {message}");
    }
}

#[tokio::test]
async fn a_chat_button_is_refused() {
    let (_max, api, alice) = dialog().await;
    let chat = json!({ "type": "chat", "text": "Talk", "chat_title": "Talk" });
    let message = post(&api, alice.chat_id(), json!([[chat]])).await.fails(400, "proto.payload");
    assert!(message.ends_with(".type chat is unknown"), "{message}");
}

#[tokio::test]
async fn buttons_are_returned_unchanged() {
    let (_max, api, alice) = dialog().await;
    let (wide, narrow) = buttons();
    let mut bare = json!({ "type": "open_app", "text": "App", "web_app": "https://max.ru/echo_bot", "contact_id": 5 });
    let rows = json!([wide[..3], [wide[3], bare], narrow]);
    let posted = post(&api, alice.chat_id(), rows.clone()).await.ok();
    assert_eq!(posted["message"]["body"]["attachments"][0]["payload"]["buttons"], rows);
    bare["payload"] = json!("a blank");
    let message = post(&api, alice.chat_id(), json!([[bare]])).await.fails(400, "proto.payload");
    assert!(message.contains("payload: must match"), "{message}");
    let shown = alice.reads().await;
    assert_eq!(
        shown.buttons(),
        [["Site", "App", "Contact"].as_slice(), &["Place", "App"], &["Yes", "I said so", "Copy"]]
    );
}

#[tokio::test]
async fn a_press_has_the_effect_of_the_button_type() {
    let (max, api, alice) = dialog().await;
    let (wide, narrow) = buttons();
    post(&api, alice.chat_id(), json!([wide[..3], wide[3..], narrow])).await.ok();
    api.drain().await;
    for label in ["Yes", "I said so", "Copy", "Site", "App", "Contact", "Place"] {
        alice.presses(label);
    }
    let (updates, _) = api.updates().await;
    assert_eq!(api.kinds().await, ["message_callback", "message_created", "message_created", "message_created"]);
    assert_eq!(updates[0]["callback"]["payload"], "y");
    assert_eq!(updates[1]["message"]["body"]["text"], "I said so");
    assert_eq!(updates[1]["message"]["sender"]["user_id"], alice.user_id().0);
    assert_eq!(updates[2]["message"]["body"]["attachments"][0]["type"], "contact");
    assert_eq!(updates[3]["message"]["body"]["attachments"][0]["type"], "location");
    let told = max.transcript();
    assert!(told.contains("Alice presses [Copy]\nAlice presses [Site]\nAlice presses [App]\n"), "{told}");
    assert!(told.contains("Alice presses [I said so]\nAlice: I said so\n"), "{told}");
    let message = panic_of(|| drop(alice.presses_app("Site")));
    assert!(message.contains("Alice cannot open a Mini App by [Site]: the button has another type"), "{message}");
    assert!(panic_of(|| drop(alice.presses_app("None"))).contains("sees no button [None]"));
}

#[tokio::test]
async fn a_bot_without_the_right_to_read_gets_presses_of_its_buttons() {
    let (max, api, alice) = dialog().await;
    let team = max.group("Team", [&alice]);
    let (_, narrow) = buttons();
    post(&api, team.chat_id(), json!([narrow])).await.ok();
    team.demotes_bot();
    api.drain().await;
    alice.in_chat(&team).presses("I said so");
    alice.in_chat(&team).presses("Yes");
    assert_eq!(api.kinds().await, ["message_callback"]);
}
