//! Answers of a constructor: `construct`.

use serde_json::Value;

use super::call::Call;
use super::draft::Draft;
use super::keyboard;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::success;
use crate::state::State;
use crate::state::message::Content;
use crate::state::session::ConstructorAnswer;

/// Replaces the content of the constructor, including its `data`. A session can be answered more than once, until its
/// message is posted.
pub(crate) fn construct(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.required_text("session_id")?;
    let session = state.sessions.get(id).filter(|session| session.bot == call.bot);
    session.ok_or_else(|| ApiError::session_not_found(id))?;
    let body = call.body()?;
    let answer = read(state, call, Fields(&body))?;
    state.construct(id, answer);
    Ok(success::done())
}

fn read(state: &mut State, call: &Call, answer: Fields<'_>) -> Result<ConstructorAnswer, ApiError> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let messages = answer.list("messages")?.unwrap_or_default().iter();
    let messages = messages.map(|message| read_message(state, call, Fields::of("message", message)?));
    let messages = messages.collect::<Result<Vec<_>, _>>()?;
    // Clients without a keyboard send an empty one.
    let has_buttons = |keyboard: &Fields<'_>| keyboard.0.get("buttons") != Some(&Value::Array(Vec::new()));
    let keyboard =
        answer.object("keyboard")?.filter(has_buttons).map(|keyboard| keyboard::read(state, keyboard)).transpose()?;
    Ok(ConstructorAnswer {
        messages,
        allows_input: answer.flag("allow_user_input")?.unwrap_or(true),
        hint: owned(answer.text("hint")?),
        placeholder: owned(answer.text("placeholder")?),
        data: owned(answer.text("data")?),
        keyboard: keyboard.unwrap_or_default(),
    })
}

fn read_message(state: &mut State, call: &Call, message: Fields<'_>) -> Result<Content, ApiError> {
    Draft::read_constructed(state, call.bot, message.0)?.into_new()
}
