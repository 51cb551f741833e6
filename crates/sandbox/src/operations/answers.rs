//! Answers to pressed buttons: `answerOnCallback`.

use serde_json::Value;

use super::messages::NOTHING_LEFT;
use crate::server::error::{self, Fault};
use crate::server::fields::Fields;
use crate::server::request::Request;
use crate::state::State;
use crate::state::access;
use crate::state::draft::Draft;
use crate::state::message::Content;

/// Edits the message whose button was pressed, shows a notification to the person, or both. A
/// callback can be answered more than once.
pub(crate) fn answer_on_callback(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let id = request.required_text("callback_id")?;
    let callback = state.callbacks.get(id).filter(|callback| callback.bot == request.bot).cloned();
    let callback = callback.ok_or_else(|| Fault::callback_not_found(id))?;
    let body = request.body()?;
    let answer = Fields(&body);
    let notification = answer.text("notification")?;
    let edit = answer.object("message")?;
    if notification.is_none() && edit.is_none() {
        return Err(Fault::payload("Answer must have a message or a notification"));
    }
    // A message that was made in the bot's constructor may be where the bot is not.
    let message = state.message(callback.chat, callback.seq);
    if message.is_none_or(|message| message.constructor != Some(request.bot)) {
        access::open_chat(state, request.bot, callback.chat)?;
    }
    if let Some(edit) = edit {
        let message = state.message(callback.chat, callback.seq);
        let old = Content::of(message.ok_or_else(|| Fault::callback_not_found(id))?);
        let Some(content) = Draft::read(state, request.bot, edit.0)?.into_edit(old) else {
            return Ok(error::refused(NOTHING_LEFT));
        };
        state.edit(callback.chat, callback.seq, request.bot, content);
    }
    if let Some(text) = notification {
        state.notify(callback.chat, request.bot, callback.user, text);
    }
    Ok(error::done())
}
