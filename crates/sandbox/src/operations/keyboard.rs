//! Inline keyboards that a bot sends.

use serde_json::Value;

use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::state::State;
use crate::state::message::{Action, Button, ChatButton, Intent, Keyboard};

/// Reads the `payload` of an `inline_keyboard`.
pub(crate) fn read(state: &mut State, payload: Fields<'_>) -> Result<Keyboard, ApiError> {
    let rows = payload.list("buttons")?.ok_or_else(|| ApiError::payload("Missing buttons"))?;
    let rows = rows.iter().map(|row| read_row(state, row)).collect::<Result<Keyboard, _>>()?;
    if rows.iter().all(Vec::is_empty) {
        return Err(ApiError::payload("buttons: must not be empty"));
    }
    Ok(rows)
}

fn read_row(state: &mut State, row: &Value) -> Result<Vec<Button>, ApiError> {
    let buttons = row.as_array().ok_or_else(|| ApiError::body("a row of buttons is not an array"))?;
    buttons.iter().map(|button| read_button(state, Fields::of("button", button)?)).collect()
}

fn read_button(state: &mut State, button: Fields<'_>) -> Result<Button, ApiError> {
    let label = button.required_text("text")?.to_owned();
    let action = match button.required_text("type")? {
        "callback" => {
            Action::Callback { payload: button.required_text("payload")?.to_owned(), intent: read_intent(button)? }
        }
        "link" => Action::Link { url: read_link(button)? },
        "request_contact" => Action::RequestContact,
        "request_geo_location" => Action::RequestLocation { quick: button.flag("quick")?.unwrap_or(false) },
        "chat" => read_chat(state, button)?,
        other => return Err(ApiError::body(&format!("button type {other} is unknown"))),
    };
    Ok(Button { label, action })
}

/// A link that a client can open: an absolute URL.
fn read_link(button: Fields<'_>) -> Result<String, ApiError> {
    let url = button.required_text("url")?;
    match reqwest::Url::parse(url) {
        Ok(_) => Ok(url.to_owned()),
        Err(error) => Err(ApiError::payload(format!("url: {error}"))),
    }
}

fn read_intent(button: Fields<'_>) -> Result<Intent, ApiError> {
    match button.text("intent")? {
        None | Some("default") => Ok(Intent::Default),
        Some("positive") => Ok(Intent::Positive),
        Some("negative") => Ok(Intent::Negative),
        Some(other) => Err(ApiError::body(&format!("intent {other} is unknown"))),
    }
}

fn read_chat(state: &mut State, button: Fields<'_>) -> Result<Action, ApiError> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Ok(Action::Chat(ChatButton {
        title: button.required_text("chat_title")?.to_owned(),
        description: owned(button.text("chat_description")?),
        start_payload: owned(button.text("start_payload")?),
        uuid: button.integer("uuid")?.unwrap_or_else(|| state.issue()),
    }))
}
