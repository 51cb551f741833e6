//! Messages: `getMessages`, `sendMessage`, `editMessage`, `deleteMessage`, `getMessageById`.

use serde_json::{Value, json};

use crate::server::error::{self, Fault};
use crate::server::request::Request;
use crate::state::State;
use crate::state::access;
use crate::state::draft::Draft;
use crate::state::ids::{self, ChatId};
use crate::state::message::{Content, Message};

const MESSAGES_DEFAULT: u16 = 50;

/// By ids, wherever they are; or those of a chat, the newest first, from the time `from` back to
/// the time `to`, both included.
pub(crate) fn get_messages(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let mids = request.list("message_ids");
    let chat_id = request.integer("chat_id")?;
    let from = request.integer("from")?.unwrap_or(i64::MAX);
    let to = request.integer("to")?.unwrap_or(i64::MIN);
    let count = request.count("count", MESSAGES_DEFAULT)?;
    let messages: Vec<&Message> = if !mids.is_empty() {
        let found = mids.iter().map(|mid| access::message(state, request.bot, mid));
        found.collect::<Result<_, _>>()?
    } else if let Some(chat_id) = chat_id {
        let chat = access::open_chat(state, request.bot, chat_id)?;
        let newest_first = chat.messages.values().rev();
        let in_time = newest_first.filter(|message| (to..=from).contains(&message.timestamp));
        in_time.take(count.into()).collect()
    } else {
        return Err(Fault::payload("chat_id or message_ids must be given"));
    };
    let messages: Vec<_> = messages.into_iter().map(|one| state.read_message_json(one)).collect();
    Ok(json!({ "messages": messages }))
}

pub(crate) fn send_message(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let chat_id = recipient(state, request)?;
    let body = request.body()?;
    let content = Draft::read(state, request.bot, &body)?.into_new()?;
    let seq = state.post(chat_id, request.bot, content);
    let message = state.message(chat_id, seq).map(|message| state.message_json(message));
    Ok(json!({ "message": message }))
}

/// The chat to send to: named itself, or as the dialog with a user.
fn recipient(state: &State, request: &Request) -> Result<ChatId, Fault> {
    let chat_id = match (request.integer("chat_id")?, request.integer("user_id")?) {
        (Some(chat_id), None) => chat_id,
        (None, Some(user_id)) => {
            let dialog = ids::dialog(user_id, request.bot);
            if !state.chats.contains_key(&dialog) {
                return Err(Fault::dialog_not_found());
            }
            dialog
        }
        _ => return Err(Fault::payload("Unknown recipient")),
    };
    if !access::open_chat(state, request.bot, chat_id)?.may_post(request.bot) {
        return Err(Fault::no_post());
    }
    Ok(chat_id)
}

pub(crate) fn edit_message(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let mid = request.required_text("message_id")?;
    let message = access::message(state, request.bot, mid)?;
    let (chat_id, seq) = (message.body.chat, message.body.seq);
    access::open_chat(state, request.bot, chat_id)?;
    if message.sender != request.bot {
        return Err(Fault::access_denied());
    }
    let old = Content::of(message);
    let body = request.body()?;
    let Some(content) = Draft::read(state, request.bot, &body)?.into_edit(old) else {
        return Ok(error::refused(NOTHING_LEFT));
    };
    state.edit(chat_id, seq, request.bot, content);
    Ok(error::done())
}

/// What an edit is told that would leave nothing of its message.
pub(super) const NOTHING_LEFT: &str = "Message cannot be empty";

/// A bot may delete what it posted, and as an administrator of a group what anybody did.
pub(crate) fn delete_message(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let message = access::message(state, request.bot, request.required_text("message_id")?)?;
    let (chat_id, seq) = (message.body.chat, message.body.seq);
    let chat = access::open_chat(state, request.bot, chat_id)?;
    if message.sender != request.bot && !access::is_admin(chat, request.bot) {
        return Err(Fault::access_denied());
    }
    state.delete(chat_id, seq, request.bot);
    Ok(error::done())
}

pub(crate) fn get_message_by_id(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let message = access::message(state, request.bot, request.path_text("messageId"))?;
    Ok(state.read_message_json(message))
}
