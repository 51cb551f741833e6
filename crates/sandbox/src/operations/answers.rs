//! Answers to pressed buttons: `answerOnCallback`.

use serde_json::Value;

use super::access;
use super::call::Call;
use super::draft::Draft;
use super::messages::NOTHING_LEFT;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::success;
use crate::state::State;
use crate::state::message::Content;

/// Edits the message whose button was pressed, shows a notification to the person, or both. A
/// callback can be answered more than once.
pub(crate) fn answer_on_callback(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.required_text("callback_id")?;
    let callback = state.callbacks.get(id).filter(|callback| callback.bot == call.bot).cloned();
    let callback = callback.ok_or_else(|| ApiError::callback_not_found(id))?;
    let body = call.body()?;
    let answer = Fields(&body);
    let notification = answer.text("notification")?;
    let edit = answer.object("message")?;
    if notification.is_none() && edit.is_none() {
        return Err(ApiError::payload("`message` or `notification` required"));
    }
    // A message that was made in the bot's constructor may be in a chat without the bot.
    let message = state.message(callback.chat, callback.seq);
    if message.is_none_or(|message| message.constructor != Some(call.bot)) {
        access::open_chat(state, call.bot, callback.chat)?;
    }
    if let Some(edit) = edit {
        let message = state.message(callback.chat, callback.seq);
        let old = Content::of(message.ok_or_else(|| ApiError::callback_not_found(id))?);
        let Some(content) = Draft::read(state, call.bot, edit.0)?.into_edit(old) else {
            return Ok(success::refused(NOTHING_LEFT));
        };
        state.edit(callback.chat, callback.seq, call.bot, content);
    }
    if let Some(text) = notification {
        state.notify(callback.chat, call.bot, callback.user, text);
    }
    Ok(success::done())
}
