//! Members: `getMembership`, `leaveChat`, `getAdmins`, `getMembers`, `addMembers`, `removeMember`.

use serde_json::{Value, json};

use crate::server::error::{self, Fault};
use crate::server::fields::Fields;
use crate::server::request::Request;
use crate::state::State;
use crate::state::access;
use crate::state::chat::{Gone, Permission};

const MEMBERS_DEFAULT: u16 = 20;

pub(crate) fn get_membership(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let chat = access::group(state, request.bot, request.path_integer("chatId")?)?;
    let member = chat.members.get(&request.bot).ok_or_else(Fault::not_a_member)?;
    Ok(state.member_json(request.bot, member))
}

pub(crate) fn leave_chat(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let id = request.path_integer("chatId")?;
    access::group(state, request.bot, id)?;
    state.take_out(id, request.bot, request.bot, Gone::Left);
    Ok(error::done())
}

pub(crate) fn get_admins(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let chat = access::valid_group(state, request.bot, request.path_integer("chatId")?)?;
    if !chat.members.get(&request.bot).is_some_and(|member| member.is_admin()) {
        return Err(Fault::not_an_admin());
    }
    let admins = chat.members.iter().filter(|(_, member)| member.is_admin());
    let admins: Vec<_> = admins.map(|(id, member)| state.member_json(*id, member)).collect();
    Ok(json!({ "members": admins, "marker": null }))
}

/// Members by their ids, or a page of them all; the marker is the id of the next one.
pub(crate) fn get_members(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let chat = access::group(state, request.bot, request.path_integer("chatId")?)?;
    let wanted = request.integers("user_ids")?;
    if !wanted.is_empty() {
        let found = wanted.iter().filter_map(|id| chat.members.get_key_value(id));
        let members: Vec<_> = found.map(|(id, member)| state.member_json(*id, member)).collect();
        return Ok(json!({ "members": members, "marker": null }));
    }
    let count = usize::from(request.count("count", MEMBERS_DEFAULT)?);
    let marker = request.integer("marker")?.unwrap_or(i64::MIN);
    let page = chat.members.range(marker..).take(count);
    let members: Vec<_> = page.map(|(id, member)| state.member_json(*id, member)).collect();
    let next = chat.members.range(marker..).nth(count).map(|(id, _)| id);
    Ok(json!({ "members": members, "marker": next }))
}

pub(crate) fn add_members(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let id = request.path_integer("chatId")?;
    let body = request.body()?;
    let list = Fields(&body).list("user_ids")?;
    let list = list.ok_or_else(|| Fault::payload("Missing user_ids"))?;
    let users = list.iter().map(|user| user.as_i64().ok_or(()));
    let users: Result<Vec<_>, ()> = users.collect();
    let users = users.map_err(|()| Fault::body("user_ids are not integers"))?;
    let chat = access::group(state, request.bot, id)?;
    access::right(chat, request.bot, Permission::AddRemoveMembers)?;
    let mut added = 0;
    for user in users {
        if state.users.contains_key(&user) && state.take_in(id, user, Some(request.bot)) {
            added += 1;
        }
    }
    Ok(if added > 0 { error::done() } else { error::refused("No members have been added") })
}

pub(crate) fn remove_member(state: &mut State, request: &Request) -> Result<Value, Fault> {
    let id = request.path_integer("chatId")?;
    let user = request.required_integer("user_id")?;
    let block = request.flag("block")?;
    let chat = access::group(state, request.bot, id)?;
    access::right(chat, request.bot, Permission::AddRemoveMembers)?;
    match chat.members.get(&user) {
        None => return Ok(error::refused("User is not a member of the chat")),
        Some(member) if member.is_owner => return Err(Fault::owner_stays()),
        Some(_) => {}
    }
    state.take_out(id, user, request.bot, Gone::Removed);
    if block {
        state.with_chat(id, |chat| chat.blocked.insert(user));
    }
    Ok(error::done())
}
