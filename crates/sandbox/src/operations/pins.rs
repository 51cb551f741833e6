//! The pinned message: `getPinnedMessage`, `pinMessage`, `unpinMessage`.

use serde_json::{Value, json};

use super::access;
use super::call::Call;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::success;
use crate::state::State;
use crate::state::chat::Permission;
use crate::state::ids::{ChatId, Seq, UserId};

pub(crate) fn get_pinned_message(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let chat = access::valid_group(state, call.bot, call.path_integer("chatId")?)?;
    let pinned = chat.pinned.and_then(|seq| chat.messages.get(&seq));
    let mut answer = json!({ "message": pinned.map(|message| state.message_json(message)) });
    state.omit_nulls(&mut answer);
    Ok(answer)
}

pub(crate) fn pin_message(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.path_integer("chatId")?;
    let body = call.body()?;
    let fields = Fields(&body);
    let seq = check(state, call.bot, id, fields.required_text("message_id")?)?;
    state.pin(id, call.bot, seq);
    Ok(success::done())
}

pub(crate) fn unpin_message(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.path_integer("chatId")?;
    let chat = access::valid_group(state, call.bot, id)?;
    access::right(chat, call.bot, Permission::PinMessage)?;
    if chat.pinned.is_none() {
        return Ok(success::refused("There is no pinned message"));
    }
    state.unpin(id, call.bot);
    Ok(success::done())
}

/// Returns the `seq` of a message. Fails if the bot may not pin it in this chat.
pub(super) fn check(state: &State, bot: UserId, id: ChatId, mid: &str) -> Result<Seq, ApiError> {
    let chat = access::valid_group(state, bot, id)?;
    access::right(chat, bot, Permission::PinMessage)?;
    let found = state.find(mid).filter(|(chat, _)| *chat == id);
    found.map(|(_, seq)| seq).ok_or_else(|| ApiError::payload(format!("Invalid message_id {mid}")))
}
