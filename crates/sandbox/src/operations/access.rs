//! Access checks of bots. Each check fails with the error of the server.

use crate::protocol::error::ApiError;
use crate::state::State;
use crate::state::chat::{Chat, Permission};
use crate::state::ids::{ChatId, UserId};
use crate::state::message::Message;

/// Returns a chat that the bot is or was a member of. A removed dialog is not found.
pub(crate) fn chat(state: &State, bot: UserId, id: ChatId) -> Result<&Chat, ApiError> {
    let chat = state.chats.get(&id).filter(|chat| chat.status_for(bot).is_some() && !chat.is_removed);
    chat.ok_or_else(|| ApiError::chat_not_found(id))
}

/// Returns a chat that the bot can read and write: the bot is a member, and the user has not suspended the dialog.
pub(crate) fn open_chat(state: &State, bot: UserId, id: ChatId) -> Result<&Chat, ApiError> {
    let chat = chat(state, bot, id)?;
    if !chat.members.contains_key(&bot) {
        return Err(ApiError::not_a_member());
    }
    if chat.is_suspended() {
        return Err(ApiError::suspended());
    }
    Ok(chat)
}

/// Returns a group that the bot is a member of.
pub(crate) fn group(state: &State, bot: UserId, id: ChatId) -> Result<&Chat, ApiError> {
    let chat = open_chat(state, bot, id)?;
    if chat.is_dialog() {
        return Err(invalid_chat(id));
    }
    Ok(chat)
}

/// Like [`group`], for operations where an unknown chat is an invalid parameter.
pub(crate) fn valid_group(state: &State, bot: UserId, id: ChatId) -> Result<&Chat, ApiError> {
    chat(state, bot, id).map_err(|_| invalid_chat(id))?;
    group(state, bot, id)
}

/// Fails if the bot is not an administrator with this right.
pub(crate) fn right(chat: &Chat, bot: UserId, permission: Permission) -> Result<(), ApiError> {
    let has = chat.members.get(&bot).is_some_and(|member| member.may(permission));
    if has { Ok(()) } else { Err(ApiError::not_an_admin()) }
}

/// Returns a message in a chat that the bot is a member of.
pub(crate) fn message<'a>(state: &'a State, bot: UserId, mid: &str) -> Result<&'a Message, ApiError> {
    let message = state.find(mid).and_then(|(chat, seq)| {
        let known = chat_is_readable(state, bot, chat);
        state.message(chat, seq).filter(|_| known)
    });
    message.ok_or_else(|| ApiError::message_not_found(mid))
}

fn chat_is_readable(state: &State, bot: UserId, id: ChatId) -> bool {
    state.chats.get(&id).is_some_and(|chat| chat.members.contains_key(&bot))
}

fn invalid_chat(id: ChatId) -> ApiError {
    ApiError::payload(format!("Invalid chat {id}"))
}
