//! Chats: `getChats`, `getChat`, `getChatByLink`, `editChat`, `sendAction`.

use serde_json::{Value, json};

use super::access;
use super::attachments;
use super::call::Call;
use super::pins;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::success;
use crate::state::State;
use crate::state::chat::{Chat, ChatKind, Permission};
use crate::state::ids::{ChatId, UserId};
use crate::state::json::View;

const CHATS_DEFAULT: u16 = 50;

/// Returns the chats that the bot is or was a member of, the oldest first. `status` distinguishes the two.
pub(crate) fn get_chats(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let count = call.count("count", CHATS_DEFAULT)?;
    let marker = call.integer("marker")?.unwrap_or(i64::MIN);
    let known = |chat: &&Chat| chat.status_for(call.bot).is_some() && chat.number >= marker;
    let mut chats: Vec<&Chat> = state.chats.values().filter(known).collect();
    chats.sort_by_key(|chat| chat.number);
    let next = chats.get(usize::from(count)).map(|chat| chat.number);
    chats.truncate(count.into());
    let chats = chats.into_iter().map(|chat| state.chat_json(chat, call.bot, View::Listed));
    Ok(json!({ "chats": chats.collect::<Vec<_>>(), "marker": next }))
}

pub(crate) fn get_chat(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let chat = access::chat(state, call.bot, call.path_integer("chatId")?)?;
    Ok(state.chat_json(chat, call.bot, View::Alone))
}

/// Returns a public chat by its link, or a dialog by the username of its person.
pub(crate) fn get_chat_by_link(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let link = call.path_text("chatLink").trim_start_matches('@');
    // Another bot may have a dialog with the same person.
    let is_known = |chat: &&Chat| chat.status_for(call.bot).is_some() && is_called(state, chat, link);
    let chat = state.chats.values().find(is_known);
    let chat = chat.ok_or_else(|| ApiError::link_not_found(link))?;
    Ok(state.chat_json(chat, call.bot, View::Alone))
}

fn is_called(state: &State, chat: &Chat, name: &str) -> bool {
    match &chat.kind {
        ChatKind::Dialog { user, .. } => {
            let username = state.users.get(user).and_then(|user| user.username.as_deref());
            username.is_some_and(|username| username.eq_ignore_ascii_case(name))
        }
        ChatKind::Group { link, is_public, .. } => {
            *is_public && link.rsplit('/').next().is_some_and(|end| end.eq_ignore_ascii_case(name))
        }
    }
}

pub(crate) fn edit_chat(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let (bot, id) = (call.bot, call.path_integer("chatId")?);
    let body = call.body()?;
    let patch = Fields(&body);
    let title = patch.text("title")?;
    if title.is_some_and(is_blank) {
        return Err(ApiError::payload("title: must not be blank"));
    }
    let chat = access::group(state, bot, id)?;
    access::right(chat, bot, Permission::ChangeChatInfo)?;
    let pin = patch.text("pin")?.map(|mid| pins::check(state, bot, id, mid)).transpose()?;
    let icon = patch.object("icon")?.map(|icon| attachments::read_photos(state, icon)).transpose()?;

    if let Some(photo) = icon.into_iter().flatten().next() {
        state.with_chat(id, |chat| chat.icon = Some(photo.url));
    }
    if let Some(title) = title {
        state.rename(id, bot, title);
    }
    if let (Some(description), true) = (patch.text("description")?, state.service.traits().describes_chats) {
        // An empty text removes the description.
        let description = Some(description).filter(|text| !text.is_empty());
        state.with_chat(id, |chat| chat.description = description.map(str::to_owned));
    }
    if let Some(seq) = pin {
        state.pin(id, bot, seq);
    }
    let chat = access::chat(state, bot, id)?;
    Ok(state.chat_json(chat, bot, View::Alone))
}

/// Whether a text is invisible: only spaces, including zero-width ones, which Unicode does not count as white space.
fn is_blank(text: &str) -> bool {
    const NO_WIDTH: [char; 5] = ['\u{200B}', '\u{200C}', '\u{200D}', '\u{2060}', '\u{FEFF}'];
    text.chars().all(|char| char.is_whitespace() || NO_WIDTH.contains(&char))
}

pub(crate) fn send_action(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.path_integer("chatId")?;
    let body = call.body()?;
    let action = Fields(&body).required_text("action")?;
    access::open_chat(state, call.bot, id)?;
    tell_action(state, id, call.bot, action);
    Ok(success::done())
}

fn tell_action(state: &mut State, id: ChatId, bot: UserId, action: &str) {
    let line = format!("{} does {action}", state.name(bot));
    state.record(id, line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_width_spaces_are_blank() {
        assert!(is_blank(" \n\t\u{00A0}\u{3000}\u{200B}\u{FEFF}"));
        assert!(!is_blank(" a"));
    }
}
