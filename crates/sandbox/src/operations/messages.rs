//! Messages: `getMessages`, `sendMessage`, `editMessage`, `deleteMessage`, `getMessageById`.

use serde_json::{Value, json};

use super::access;
use super::call::Call;
use super::draft::Draft;
use crate::protocol::error::ApiError;
use crate::protocol::success;
use crate::state::State;
use crate::state::ids::{self, ChatId};
use crate::state::message::{Content, Message};

const MESSAGES_DEFAULT: u16 = 50;

/// By ids, wherever they are; or those of a chat, the newest first, from the time `from` back to
/// the time `to`, both included.
pub(crate) fn get_messages(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let mids = call.list("message_ids");
    let chat_id = call.integer("chat_id")?;
    let from = call.integer("from")?.unwrap_or(i64::MAX);
    let to = call.integer("to")?.unwrap_or(i64::MIN);
    let count = call.count("count", MESSAGES_DEFAULT)?;
    let messages: Vec<&Message> = if !mids.is_empty() {
        let found = mids.iter().map(|mid| access::message(state, call.bot, mid));
        found.collect::<Result<_, _>>()?
    } else if let Some(chat_id) = chat_id {
        let chat = access::open_chat(state, call.bot, chat_id)?;
        let newest_first = chat.messages.values().rev();
        let in_time = newest_first.filter(|message| (to..=from).contains(&message.timestamp));
        in_time.take(count.into()).collect()
    } else {
        return Err(ApiError::payload("chat_id or message_ids must be given"));
    };
    let messages: Vec<_> = messages.into_iter().map(|one| state.read_message_json(one)).collect();
    Ok(json!({ "messages": messages }))
}

pub(crate) fn send_message(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let chat_id = recipient(state, call)?;
    let body = call.body()?;
    let content = Draft::read(state, call.bot, &body)?.into_new()?;
    let seq = state.post(chat_id, call.bot, content);
    let message = state.message(chat_id, seq).map(|message| state.message_json(message));
    Ok(json!({ "message": message }))
}

/// The chat to send to: named itself, or as the dialog with a user.
fn recipient(state: &State, call: &Call) -> Result<ChatId, ApiError> {
    let chat_id = match (call.integer("chat_id")?, call.integer("user_id")?) {
        (Some(chat_id), None) => chat_id,
        (None, Some(user_id)) => {
            let dialog = ids::dialog(user_id, call.bot);
            if !state.chats.contains_key(&dialog) {
                return Err(ApiError::dialog_not_found());
            }
            dialog
        }
        _ => return Err(ApiError::payload("Unknown recipient")),
    };
    if !access::open_chat(state, call.bot, chat_id)?.may_post(call.bot) {
        return Err(ApiError::no_post());
    }
    Ok(chat_id)
}

pub(crate) fn edit_message(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let mid = call.required_text("message_id")?;
    let message = access::message(state, call.bot, mid)?;
    let (chat_id, seq) = (message.body.chat, message.body.seq);
    access::open_chat(state, call.bot, chat_id)?;
    if message.sender != call.bot {
        return Err(ApiError::access_denied());
    }
    let old = Content::of(message);
    let body = call.body()?;
    let Some(content) = Draft::read(state, call.bot, &body)?.into_edit(old) else {
        return Ok(success::refused(NOTHING_LEFT));
    };
    state.edit(chat_id, seq, call.bot, content);
    Ok(success::done())
}

/// What an edit is told that would leave nothing of its message.
pub(super) const NOTHING_LEFT: &str = "Message cannot be empty";

/// A bot may delete what it posted, and as an administrator of a group what anybody did.
pub(crate) fn delete_message(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let message = access::message(state, call.bot, call.required_text("message_id")?)?;
    let (chat_id, seq) = (message.body.chat, message.body.seq);
    let chat = access::open_chat(state, call.bot, chat_id)?;
    if message.sender != call.bot && !chat.is_admin(call.bot) {
        return Err(ApiError::access_denied());
    }
    state.delete(chat_id, seq, call.bot);
    Ok(success::done())
}

pub(crate) fn get_message_by_id(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let message = access::message(state, call.bot, call.path_text("messageId"))?;
    Ok(state.read_message_json(message))
}
