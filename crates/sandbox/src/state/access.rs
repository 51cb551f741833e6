//! What a bot may touch: every check has the refusal that the server gives.

use super::State;
use super::chat::{Chat, Member, Permission};
use super::ids::{ChatId, UserId};
use super::message::Message;
use crate::server::error::Fault;

/// A chat that the bot takes or took part in.
pub(crate) fn chat(state: &State, bot: UserId, id: ChatId) -> Result<&Chat, Fault> {
    let chat = state.chats.get(&id).filter(|chat| chat.status_for(bot).is_some());
    chat.ok_or_else(|| Fault::chat_not_found(id))
}

/// A chat that the bot can read and write: it is a member, and no user has suspended it.
pub(crate) fn open_chat(state: &State, bot: UserId, id: ChatId) -> Result<&Chat, Fault> {
    let chat = chat(state, bot, id)?;
    if !chat.members.contains_key(&bot) {
        return Err(Fault::not_a_member());
    }
    if chat.is_suspended() {
        return Err(Fault::suspended());
    }
    Ok(chat)
}

/// A group that the bot is a member of.
pub(crate) fn group(state: &State, bot: UserId, id: ChatId) -> Result<&Chat, Fault> {
    let chat = open_chat(state, bot, id)?;
    if chat.is_dialog() {
        return Err(invalid_chat(id));
    }
    Ok(chat)
}

/// As [`group`], for the operations to which a chat that is not there is an invalid parameter.
pub(crate) fn valid_group(state: &State, bot: UserId, id: ChatId) -> Result<&Chat, Fault> {
    chat(state, bot, id).map_err(|_| invalid_chat(id))?;
    group(state, bot, id)
}

/// Refuses if the bot is not an administrator with this right.
pub(crate) fn right(chat: &Chat, bot: UserId, permission: Permission) -> Result<(), Fault> {
    let has = chat.members.get(&bot).is_some_and(|member| member.may(permission));
    if has { Ok(()) } else { Err(Fault::not_an_admin()) }
}

pub(crate) fn is_admin(chat: &Chat, bot: UserId) -> bool {
    chat.members.get(&bot).is_some_and(Member::is_admin)
}

/// A message in a chat that the bot can read.
pub(crate) fn message<'a>(state: &'a State, bot: UserId, mid: &str) -> Result<&'a Message, Fault> {
    let message = state.find(mid).and_then(|(chat, seq)| {
        let known = chat_is_readable(state, bot, chat);
        state.message(chat, seq).filter(|_| known)
    });
    message.ok_or_else(|| Fault::message_not_found(mid))
}

fn chat_is_readable(state: &State, bot: UserId, id: ChatId) -> bool {
    state.chats.get(&id).is_some_and(|chat| chat.members.contains_key(&bot))
}

fn invalid_chat(id: ChatId) -> Fault {
    Fault::payload(format!("Invalid chat {id}"))
}
