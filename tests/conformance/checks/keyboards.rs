//! Keyboards: kinds of buttons and their limits.

use serde_json::{Value, json};
use tamtam::{
    Button, Keyboard, Message,
    request::RawRequest,
    types::{
        CallbackButton, ChatButton, ClipboardButton, Intent, LinkButton, MessageButton, OpenAppButton,
        RequestContactButton, RequestGeoLocationButton,
    },
};

use super::attachments::keyboard;
use crate::{
    outcome::{Done, PAYLOAD, Skip, assert_refused},
    place::{Place, marked},
};

/// The kinds of buttons of a message, row by row.
fn kinds(message: &Message) -> Vec<Vec<&str>> {
    let rows = message.keyboard().into_iter().flat_map(|keyboard| &keyboard.buttons);
    rows.map(|row| row.iter().map(Button::tag).collect()).collect()
}

pub(super) async fn every_button_of_tamtam_is_accepted(place: Place) -> Done {
    let buttons = vec![
        vec![
            CallbackButton::new("Yes", "yes").intent(Intent::Positive).into(),
            CallbackButton::new("No", "no").intent(Intent::Negative).into(),
            CallbackButton::new("Well", "well").into(),
        ],
        vec![LinkButton::new("Site", "https://tamtam.chat").into()],
        vec![RequestContactButton::new("My contact").into(), RequestGeoLocationButton::new("My place").into()],
        vec![ChatButton::new("Talk", "Conformance").into()],
    ];
    let body = place.text("every button").keyboard(Keyboard::new(buttons));
    let message = place.post(place.chat()?, body).await;
    let expected: [&[&str]; 4] = [&["callback"; 3], &["link"], &["request_contact", "request_geo_location"], &["chat"]];
    assert_eq!(kinds(&message), expected);
    let well = message.keyboard().and_then(|keyboard| keyboard.find_text("Well"));
    assert_eq!(serde_json::to_value(well).unwrap()["intent"], "default");
    Ok(())
}

pub(super) async fn every_button_of_max_is_accepted(place: Place) -> Done {
    let buttons = vec![
        vec![
            CallbackButton::new("Yes", "yes").into(),
            MessageButton::new("Hello").into(),
            ClipboardButton::new("Copy", "a text").into(),
        ],
        vec![LinkButton::new("Site", "https://max.ru").into()],
        vec![RequestContactButton::new("My contact").into(), RequestGeoLocationButton::new("My place").into()],
    ];
    let body = place.text("every button").keyboard(Keyboard::new(buttons));
    let message = place.post(place.chat()?, body).await;
    let expected: [&[&str]; 3] =
        [&["callback", "message", "clipboard"], &["link"], &["request_contact", "request_geo_location"]];
    assert_eq!(kinds(&message), expected);
    Ok(())
}

pub(super) async fn a_button_opens_a_mini_app(place: Place) -> Done {
    let app = place.bot.me().await.unwrap().username.expect("a bot has a username");
    let button = OpenAppButton::new("Open", app.as_str()).payload("from_a_button");
    let body = place.text("an app").keyboard(Keyboard::new(vec![vec![button.into()]]));
    let message = place.post(place.chat()?, body).await;
    let Some(Button::OpenApp(button)) = message.keyboard().and_then(|keyboard| keyboard.find_text("Open")) else {
        panic!("no button: {message:?}")
    };
    assert_eq!((button.web_app.as_str(), button.payload.as_deref()), (app.as_str(), Some("from_a_button")));
    Ok(())
}

pub(super) async fn a_message_has_one_keyboard(place: Place) -> Done {
    let two = place.text("two keyboards").keyboard(keyboard()).keyboard(keyboard());
    assert_refused(place.try_post(place.unchecked(&two).query("chat_id", place.chat()?)).await, 400, PAYLOAD);
    Ok(())
}

/// A request that posts a keyboard without the checks of the client.
fn unchecked(place: &Place, rows: &Value) -> Result<RawRequest, Skip> {
    let keyboard = json!({ "type": "inline_keyboard", "payload": { "buttons": rows } });
    let body = json!({ "text": marked("a keyboard"), "notify": false, "attachments": [keyboard] });
    Ok(place.unchecked(&body).query("chat_id", place.chat()?))
}

async fn assert_accepted(place: &Place, rows: Value) -> Done {
    place.try_post(unchecked(place, &rows)?).await.unwrap_or_else(|error| panic!("{rows}: {error}"));
    Ok(())
}

async fn assert_rejected(place: &Place, rows: Value) -> Done {
    assert_refused(place.try_post(unchecked(place, &rows)?).await, 400, PAYLOAD);
    Ok(())
}

fn callback() -> Value {
    json!({ "type": "callback", "text": "Yes", "payload": "yes" })
}

fn link(url: &str) -> Value {
    json!({ "type": "link", "text": "Site", "url": url })
}

pub(super) async fn a_keyboard_has_30_rows_of_7_buttons_at_most(place: Place) -> Done {
    assert_accepted(&place, json!(vec![vec![callback(); 7]; 30])).await?;
    assert_rejected(&place, json!(vec![vec![callback()]; 31])).await?;
    assert_rejected(&place, json!([vec![callback(); 8]])).await
}

pub(super) async fn a_row_with_a_wide_button_has_3_buttons_at_most(place: Place) -> Done {
    let app = place.bot.me().await.unwrap().username.expect("a bot has a username");
    for wide in [
        link("https://max.ru"),
        json!({ "type": "open_app", "text": "Open", "web_app": app }),
        json!({ "type": "request_contact", "text": "My contact" }),
        json!({ "type": "request_geo_location", "text": "My place" }),
    ] {
        assert_accepted(&place, json!([[wide, callback(), callback()]])).await?;
        assert_rejected(&place, json!([[wide, callback(), callback(), callback()]])).await?;
    }
    Ok(())
}

pub(super) async fn the_texts_of_a_button_have_their_limits(place: Place) -> Done {
    let app =
        |payload: &str| json!({ "type": "open_app", "text": "Open", "web_app": "conformance", "payload": payload });
    for button in [
        json!({ "type": "callback", "text": "", "payload": "yes" }),
        json!({ "type": "callback", "text": "a".repeat(129), "payload": "yes" }),
        json!({ "type": "callback", "text": "Yes", "payload": "a".repeat(1025) }),
        json!({ "type": "clipboard", "text": "Copy", "payload": "a".repeat(1025) }),
        link(&format!("https://max.ru/{}", "a".repeat(2048))),
        app(&"a".repeat(513)),
        app("two words"),
    ] {
        assert_rejected(&place, json!([[button]])).await?;
    }
    Ok(())
}

pub(super) async fn a_link_with_an_unknown_scheme_is_refused(place: Place) -> Done {
    place.sandbox_only("it is not known which schemes the server accepts")?;
    for url in ["http://max.ru", "https://max.ru", "max://user/1", "tel:+70000000000", "mailto:ann@example.com"] {
        assert_accepted(&place, json!([[link(url)]])).await?;
    }
    for url in ["ftp://max.ru/a", "javascript:alert(1)", "tamtam://user/1", "max.ru"] {
        assert_rejected(&place, json!([[link(url)]])).await?;
    }
    Ok(())
}
