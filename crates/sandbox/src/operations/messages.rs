//! Messages: `getMessages`, `sendMessage`, `editMessage`, `deleteMessage`, `getMessageById`.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

use super::access;
use super::call::Call;
use super::draft::Draft;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::service::Service;
use crate::protocol::success;
use crate::state::State;
use crate::state::chat::{Chat, Permission};
use crate::state::clock::Millis;
use crate::state::ids::{self, ChatId};
use crate::state::message::{Content, Message};

const MESSAGES_DEFAULT: u16 = 50;

/// The times and the number of the messages that a request lists.
pub(super) struct Span {
    /// Inclusive at both ends.
    times: RangeInclusive<Millis>,
    pub(super) count: usize,
}

impl Span {
    /// Reads `after` and `before`, both exclusive, and `count`.
    pub(super) fn read(call: &Call) -> Result<Self, ApiError> {
        let before = call.integer("before")?.map_or(i64::MAX, |time| time.saturating_sub(1));
        let after = call.integer("after")?.map_or(i64::MIN, |time| time.saturating_add(1));
        Ok(Self { times: after..=before, count: call.count("count", MESSAGES_DEFAULT)?.into() })
    }

    /// Reads `from` (the latest time) and `to` (the earliest), both inclusive. Reads `after` and `before` if the
    /// service has them.
    fn read_messages(call: &Call, service: Service) -> Result<Self, ApiError> {
        let from = call.integer("from")?.unwrap_or(i64::MAX);
        let to = call.integer("to")?.unwrap_or(i64::MIN);
        if !service.traits().has_before_and_after {
            return Ok(Self { times: to..=from, count: call.count("count", MESSAGES_DEFAULT)?.into() });
        }
        let Self { times, count } = Self::read(call)?;
        Ok(Self { times: to.max(*times.start())..=from.min(*times.end()), count })
    }

    pub(super) fn has(&self, message: &Message) -> bool {
        self.times.contains(&message.timestamp)
    }
}

/// Returns messages by their ids, from any chat, or the messages of one chat, the newest first.
pub(crate) fn get_messages(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let mids = call.list("message_ids");
    let chat_id = call.integer("chat_id")?;
    let span = Span::read_messages(call, state.service)?;
    let messages: Vec<&Message> = if !mids.is_empty() {
        let found = mids.iter().map(|mid| access::message(state, call.bot, mid));
        let found = found.collect::<Result<Vec<_>, _>>()?;
        let chats = found.iter().filter_map(|message| state.chats.get(&message.body.chat));
        chats.into_iter().try_for_each(|chat| check_lists(state, call, chat))?;
        found
    } else if let Some(chat_id) = chat_id {
        let chat = access::open_chat(state, call.bot, chat_id)?;
        check_lists(state, call, chat)?;
        let newest_first = chat.messages.values().rev();
        newest_first.filter(|message| span.has(message)).take(span.count).collect()
    } else {
        return Err(ApiError::payload("chat_id or message_ids must be given"));
    };
    let messages: Vec<_> = messages.into_iter().map(|one| state.read_message_json(one)).collect();
    Ok(json!({ "messages": messages }))
}

/// Refuses to list the messages of a chat where the bot may not read them.
fn check_lists(state: &State, call: &Call, chat: &Chat) -> Result<(), ApiError> {
    let is_hidden = state.service.traits().hides_messages && !chat.is_dialog() && !chat.is_admin(call.bot);
    if is_hidden { Err(ApiError::not_an_admin()) } else { Ok(()) }
}

pub(crate) fn send_message(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let chat_id = recipient(state, call)?;
    let body = call.body()?;
    let is_channel = state.chats.get(&chat_id).is_some_and(Chat::is_channel);
    if state.service.traits().notifies_channels && is_channel && Fields(&body).flag("notify")? == Some(false) {
        return Err(ApiError::payload("notify: must not be false in a channel"));
    }
    let content = Draft::read(state, call.bot, &body)?.into_new()?;
    let seq = state.post(chat_id, call.bot, content);
    let message = state.message(chat_id, seq).map(|message| state.message_json(message));
    Ok(json!({ "message": message }))
}

/// Returns the chat to send to: `chat_id`, or the dialog with `user_id`.
fn recipient(state: &State, call: &Call) -> Result<ChatId, ApiError> {
    let chat_id = match (call.integer("chat_id")?, call.integer("user_id")?) {
        (Some(chat_id), None) => chat_id,
        (Some(chat_id), Some(_)) if state.service.traits().takes_both_recipients => chat_id,
        (None, Some(user_id)) => {
            let dialog = ids::dialog(user_id, call.bot);
            if state.chats.get(&dialog).is_none_or(|chat| chat.is_removed) {
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
    if is_too_old(state, message) {
        return Ok(success::refused("Message is too old to be edited"));
    }
    let old = Content::of(message);
    let body = call.body()?;
    let draft = match Draft::read(state, call.bot, &body) {
        Err(error) if error.is_not_ready() && state.service.traits().refuses_unready_edits => {
            return Ok(success::refused(ApiError::not_processed().message()));
        }
        draft => draft?,
    };
    let Some(content) = draft.into_edit(old) else {
        return Ok(success::refused(NOTHING_LEFT));
    };
    state.edit(chat_id, seq, call.bot, content);
    Ok(success::done())
}

/// Whether a message of a dialog is too old to be edited. Messages with a keyboard can always be edited.
fn is_too_old(state: &State, message: &Message) -> bool {
    let is_dialog = state.chats.get(&message.body.chat).is_some_and(Chat::is_dialog);
    let limit = state.service.traits().dialog_edits.filter(|_| is_dialog && message.body.keyboard().is_none());
    limit.is_some_and(|limit| state.clock.dated() - message.timestamp > limit)
}

/// The refusal of an edit that would leave an empty message.
pub(super) const NOTHING_LEFT: &str = "Message cannot be empty";

/// Deletes a message of the bot, or as an administrator, a message of another user. The latter may require a right.
pub(crate) fn delete_message(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let message = access::message(state, call.bot, call.required_text("message_id")?)?;
    let (chat_id, seq) = (message.body.chat, message.body.seq);
    let chat = access::open_chat(state, call.bot, chat_id)?;
    let right = state.service.traits().delete_right.and_then(Permission::of);
    let may = right.map_or_else(|| chat.is_admin(call.bot), |right| chat.may(call.bot, right));
    if message.sender != call.bot && !may {
        return Err(ApiError::access_denied());
    }
    state.delete(chat_id, seq, call.bot);
    Ok(success::done())
}

pub(crate) fn get_message_by_id(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let message = access::message(state, call.bot, call.path_text("messageId"))?;
    Ok(state.read_message_json(message))
}
