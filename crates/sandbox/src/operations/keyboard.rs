//! Inline keyboards that a bot sends.

use serde_json::Value;

use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::service::{KeyboardLimits, Service};
use crate::state::State;
use crate::state::message::{Action, AppButton, Button, ChatButton, Intent, Keyboard};

/// Reads the `payload` of an `inline_keyboard`.
pub(crate) fn read(state: &mut State, payload: Fields<'_>) -> Result<Keyboard, ApiError> {
    let rows = payload.list("buttons")?.ok_or_else(|| ApiError::payload("Missing buttons"))?;
    if let Some(limits) = &state.service.traits().keyboard {
        check_limits(rows, limits)?;
    }
    let rows = rows.iter().map(|row| read_row(state, row)).collect::<Result<Keyboard, _>>()?;
    if rows.iter().all(Vec::is_empty) {
        return Err(ApiError::payload("buttons: must not be empty"));
    }
    Ok(rows)
}

fn check_limits(rows: &[Value], limits: &KeyboardLimits) -> Result<(), ApiError> {
    let rows: Vec<&[Value]> = rows.iter().map(|row| row.as_array().map_or(&[][..], Vec::as_slice)).collect();
    if rows.len() > limits.rows {
        return Err(ApiError::size("buttons", 1, limits.rows));
    }
    if rows.iter().map(|row| row.len()).sum::<usize>() > limits.buttons {
        return Err(ApiError::payload(format!("buttons: must be at most {} in all rows", limits.buttons)));
    }
    for (index, row) in rows.iter().enumerate() {
        let is_wide = |button: &Value| button["type"].as_str().is_some_and(|kind| limits.wide.contains(&kind));
        let most = if row.iter().any(is_wide) { limits.wide_row_buttons } else { limits.row_buttons };
        if row.len() > most {
            return Err(ApiError::size(&format!("buttons[{index}]"), 0, most));
        }
    }
    Ok(())
}

fn read_row(state: &mut State, row: &Value) -> Result<Vec<Button>, ApiError> {
    let buttons = row.as_array().ok_or_else(|| ApiError::body("a row of buttons is not an array"))?;
    buttons.iter().map(|button| read_button(state, Fields::of("button", button)?)).collect()
}

/// Reads a button of any service. Validation has already refused buttons that the service does not have.
fn read_button(state: &mut State, button: Fields<'_>) -> Result<Button, ApiError> {
    let label = button.required_text("text")?.to_owned();
    let action = match button.required_text("type")? {
        "callback" => {
            let (payload, intent) = (button.required_text("payload")?, read_intent(button, state.service)?);
            Action::Callback { payload: payload.to_owned(), intent }
        }
        "link" => Action::Link { url: read_link(button, state.service)? },
        "request_contact" => Action::RequestContact,
        "request_geo_location" => Action::RequestLocation { quick: button.flag("quick")?.unwrap_or(false) },
        "chat" => read_chat(state, button)?,
        "message" => Action::Message,
        "open_app" => Action::OpenApp(AppButton {
            web_app: button.required_text("web_app")?.to_owned(),
            payload: button.text("payload")?.map(str::to_owned),
            contact_id: button.integer("contact_id")?,
        }),
        "clipboard" => Action::Clipboard { payload: button.required_text("payload")?.to_owned() },
        other => return Err(ApiError::body(&format!("button type {other} is unknown"))),
    };
    Ok(Button { label, action })
}

/// Reads the URL of a link button, which must be absolute.
fn read_link(button: Fields<'_>, service: Service) -> Result<String, ApiError> {
    let url = button.required_text("url")?;
    let schemes = service.traits().link_schemes;
    match reqwest::Url::parse(url) {
        Ok(parsed) if !schemes.is_empty() && !schemes.contains(&parsed.scheme()) => {
            Err(ApiError::payload(format!("url: the scheme {} is unknown", parsed.scheme())))
        }
        Ok(_) => Ok(url.to_owned()),
        Err(error) => Err(ApiError::payload(format!("url: {error}"))),
    }
}

fn read_intent(button: Fields<'_>, service: Service) -> Result<Intent, ApiError> {
    if !service.traits().has_intents {
        // `intent` is an unknown field here.
        return Ok(Intent::Default);
    }
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
