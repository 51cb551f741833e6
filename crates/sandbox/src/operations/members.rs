//! Members: `getMembership`, `leaveChat`, `getMembers`, `addMembers`, `removeMember`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::access;
use super::call::Call;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::success;
use crate::state::State;
use crate::state::chat::{Gone, Permission};
use crate::state::ids::UserId;

const MEMBERS_DEFAULT: u16 = 20;

pub(crate) fn get_membership(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let chat = access::group(state, call.bot, call.path_integer("chatId")?)?;
    let member = chat.members.get(&call.bot).ok_or_else(ApiError::not_a_member)?;
    Ok(state.member_json(call.bot, member))
}

pub(crate) fn leave_chat(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.path_integer("chatId")?;
    access::group(state, call.bot, id)?;
    state.take_out(id, call.bot, call.bot, Gone::Left);
    Ok(success::done())
}

/// Returns members by their ids, or a page of all members. The marker is the id of the next member.
pub(crate) fn get_members(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let chat = access::group(state, call.bot, call.path_integer("chatId")?)?;
    if state.service.traits().hides_messages && chat.is_channel() && !chat.is_admin(call.bot) {
        return Err(ApiError::not_an_admin());
    }
    let wanted = call.integers("user_ids")?;
    if !wanted.is_empty() {
        let found = wanted.iter().filter_map(|id| chat.members.get_key_value(id));
        let members: Vec<_> = found.map(|(id, member)| state.member_json(*id, member)).collect();
        return Ok(json!({ "members": members, "marker": null }));
    }
    let count = usize::from(call.count("count", MEMBERS_DEFAULT)?);
    let marker = call.integer("marker")?.unwrap_or(i64::MIN);
    let page = chat.members.range(marker..).take(count);
    let members: Vec<_> = page.map(|(id, member)| state.member_json(*id, member)).collect();
    let next = chat.members.range(marker..).nth(count).map(|(id, _)| id);
    Ok(json!({ "members": members, "marker": next }))
}

pub(crate) fn add_members(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.path_integer("chatId")?;
    let body = call.body()?;
    let list = Fields(&body).list("user_ids")?;
    let list = list.ok_or_else(|| ApiError::payload("Missing user_ids"))?;
    let users = list.iter().map(|user| user.as_i64().ok_or(()));
    let users: Result<Vec<_>, ()> = users.collect();
    let mut users = users.map_err(|()| ApiError::body("user_ids are not integers"))?;
    let mut seen = BTreeSet::new();
    users.retain(|user| seen.insert(*user));
    let chat = access::group(state, call.bot, id)?;
    access::right(chat, call.bot, Permission::AddRemoveMembers)?;
    if !state.service.traits().adds_to_channels && chat.is_channel() {
        return Err(ApiError::access_denied());
    }
    let mut failed: BTreeMap<_, Vec<UserId>> = BTreeMap::new();
    let asked = users.len();
    for user in users {
        let why = if !state.users.contains_key(&user) {
            "add.participant.not.found"
        } else if state.take_in(id, user, Some(call.bot)) {
            continue;
        } else {
            "add.participant.privacy"
        };
        failed.entry(why).or_default().push(user);
    }
    let failed_users: Vec<_> = failed.values().flatten().copied().collect();
    let is_done = failed_users.len() < asked;
    let mut answer = if is_done { success::done() } else { success::refused("No members have been added") };
    if state.service.traits().names_failed_members && !failed_users.is_empty() {
        let detail = |(code, users)| json!({ "error_code": code, "user_ids": users });
        answer["failed_user_ids"] = json!(failed_users);
        answer["failed_user_details"] = failed.into_iter().map(detail).collect();
    }
    Ok(answer)
}

pub(crate) fn remove_member(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.path_integer("chatId")?;
    let user = call.required_integer("user_id")?;
    let block = call.flag("block")?;
    let chat = access::group(state, call.bot, id)?;
    access::right(chat, call.bot, Permission::AddRemoveMembers)?;
    match chat.members.get(&user) {
        None => return Ok(success::refused("User is not a member of the chat")),
        Some(member) if member.is_owner => return Err(ApiError::owner_stays()),
        Some(_) => {}
    }
    state.take_out(id, user, call.bot, Gone::Removed);
    if block {
        state.with_chat(id, |chat| chat.blocked.insert(user));
    }
    Ok(success::done())
}
