//! The pinned message: `getPinnedMessage`, `pinMessage`, `unpinMessage`.

use serde_json::{Value, json};

use crate::server::error::{self, Fault};
use crate::server::fields::Fields;
use crate::server::request::Request;
use crate::state::State;
use crate::state::access;
use crate::state::chat::Permission;
use crate::state::ids::{ChatId, Seq, UserId};

pub(crate) fn get_pinned_message(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let chat = access::valid_group(state, request.bot, request.path_integer("chatId")?)?;
    let pinned = chat.pinned.and_then(|seq| chat.messages.get(&seq));
    Ok(json!({ "message": pinned.map(|message| state.message_json(message)) }))
}

pub(crate) fn pin_message(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let id = request.path_integer("chatId")?;
    let body = request.body()?;
    let fields = Fields(&body);
    let seq = check(state, request.bot, id, fields.required_text("message_id")?)?;
    state.pin(id, request.bot, seq);
    Ok(error::done())
}

pub(crate) fn unpin_message(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let id = request.path_integer("chatId")?;
    let chat = access::valid_group(state, request.bot, id)?;
    access::right(chat, request.bot, Permission::PinMessage)?;
    if chat.pinned.is_none() {
        return Ok(error::refused("There is no pinned message"));
    }
    state.unpin(id, request.bot);
    Ok(error::done())
}

/// The message that the bot may pin in this chat.
pub(super) fn check(state: &State, bot: UserId, id: ChatId, mid: &str) -> Result<Seq, Fault> {
    let chat = access::valid_group(state, bot, id)?;
    access::right(chat, bot, Permission::PinMessage)?;
    let found = state.find(mid).filter(|(chat, _)| *chat == id);
    found.map(|(_, seq)| seq).ok_or_else(|| Fault::payload(format!("Invalid message_id {mid}")))
}
