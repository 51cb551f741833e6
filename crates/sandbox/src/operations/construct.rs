//! Answers of a constructor: `construct`.

use serde_json::Value;

use crate::server::error::{self, Fault};
use crate::server::fields::Fields;
use crate::server::request::Request;
use crate::state::State;
use crate::state::draft::Draft;
use crate::state::keyboard;
use crate::state::message::Content;
use crate::state::session::Answer;

/// Replaces what the constructor shows, its data included. A session can be answered more than once, until its message
/// is posted.
pub(crate) fn construct(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let id = request.required_text("session_id")?;
    let session = state.sessions.get(id).filter(|session| session.bot == request.bot);
    session.ok_or_else(|| Fault::session_not_found(id))?;
    let body = request.body()?;
    let answer = read(state, request, Fields(&body))?;
    state.construct(id, answer);
    Ok(error::done())
}

fn read(state: &mut State, request: &Request, answer: Fields<'_>) -> Result<Answer, Fault> {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let messages = answer.list("messages")?.unwrap_or_default().iter();
    let messages = messages.map(|message| read_message(state, request, Fields::of("message", message)?));
    let messages = messages.collect::<Result<Vec<_>, _>>()?;
    // Clients send an empty keyboard where they have none.
    let has_buttons = |keyboard: &Fields<'_>| keyboard.0.get("buttons") != Some(&Value::Array(Vec::new()));
    let keyboard =
        answer.object("keyboard")?.filter(has_buttons).map(|keyboard| keyboard::read(state, keyboard)).transpose()?;
    Ok(Answer {
        messages,
        allows_input: answer.flag("allow_user_input")?.unwrap_or(true),
        hint: owned(answer.text("hint")?),
        placeholder: owned(answer.text("placeholder")?),
        data: owned(answer.text("data")?),
        keyboard: keyboard.unwrap_or_default(),
    })
}

fn read_message(state: &mut State, request: &Request, message: Fields<'_>) -> Result<Content, Fault> {
    Draft::read_constructed(state, request.bot, message.0)?.into_new()
}
