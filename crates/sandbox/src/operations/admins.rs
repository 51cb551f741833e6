//! Administrators: `getAdmins`, `postAdmins`, `deleteAdmins`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::access;
use super::call::Call;
use crate::protocol::error::ApiError;
use crate::protocol::fields::Fields;
use crate::protocol::success;
use crate::state::State;
use crate::state::chat::{Chat, Permission};
use crate::state::ids::UserId;

/// Rights that require `read_all_messages`.
const READERS: [Permission; 4] = [Permission::Edit, Permission::Delete, Permission::Write, Permission::PinMessage];

/// An administrator to appoint.
struct Appointment {
    user: UserId,
    rights: Vec<Permission>,
    alias: Option<String>,
}

pub(crate) fn get_admins(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let chat = access::valid_group(state, call.bot, call.path_integer("chatId")?)?;
    if !chat.is_admin(call.bot) {
        return Err(ApiError::not_an_admin());
    }
    let admins = chat.members.iter().filter(|(_, member)| member.is_admin());
    let admins: Vec<_> = admins.map(|(id, member)| state.member_json(*id, member)).collect();
    Ok(json!({ "members": admins, "marker": null }))
}

/// Makes members administrators, or replaces the rights of administrators. If one appointment fails, nothing changes.
pub(crate) fn post_admins(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let id = call.path_integer("chatId")?;
    let body = call.body()?;
    let list = Fields(&body).list("admins")?.unwrap_or_default();
    let chat = access::group(state, call.bot, id)?;
    check_right(chat, call.bot)?;
    let all = Permission::all(state.service);
    let appointments = list.iter().map(|one| read(chat, &all, Fields::of("admins", one)?));
    let appointments = appointments.collect::<Result<Vec<_>, _>>()?;
    let fresh: BTreeSet<_> = appointments.iter().map(|one| one.user).filter(|user| !chat.is_admin(*user)).collect();
    let present = chat.members.values().filter(|member| member.is_admin()).count();
    if let Some(most) = state.service.traits().max_admins.filter(|most| present + fresh.len() > *most) {
        return Ok(success::refused(&format!("A chat has at most {most} administrators")));
    }
    for Appointment { user, rights, alias } in appointments {
        state.appoint(id, user, call.bot, (rights, alias));
    }
    Ok(success::done())
}

pub(crate) fn delete_admins(state: &mut State, call: &Call) -> Result<Value, ApiError> {
    let (id, user) = (call.path_integer("chatId")?, call.path_integer("userId")?);
    let chat = access::group(state, call.bot, id)?;
    check_right(chat, call.bot)?;
    match chat.members.get(&user) {
        None => return Err(ApiError::not_a_participant(user, id)),
        Some(member) if member.is_owner => return Err(ApiError::owner_stays()),
        Some(member) if !member.is_admin() => return Ok(success::refused("User is not an administrator")),
        Some(_) => {}
    }
    state.dismiss(id, user, call.bot);
    Ok(success::done())
}

fn check_right(chat: &Chat, bot: UserId) -> Result<(), ApiError> {
    access::right(chat, bot, Permission::AddAdmins)
}

fn read(chat: &Chat, all: &[Permission], admin: Fields<'_>) -> Result<Appointment, ApiError> {
    let user = admin.required_integer("user_id")?;
    if chat.members.get(&user).ok_or_else(|| ApiError::not_a_participant(user, chat.chat_id))?.is_owner {
        return Err(ApiError::owner_stays());
    }
    let names = admin.list("permissions")?.unwrap_or_default().iter().filter_map(Value::as_str);
    let names: BTreeSet<_> = names.collect();
    let rights: Vec<_> = all.iter().copied().filter(|right| names.contains(right.name())).collect();
    if let Some(right) = READERS.iter().find(|right| rights.contains(right))
        && !rights.contains(&Permission::ReadAllMessages)
    {
        let message = format!("permissions: {} needs {}", right.name(), Permission::ReadAllMessages.name());
        return Err(ApiError::payload(message));
    }
    Ok(Appointment { user, rights, alias: admin.text("alias")?.map(str::to_owned) })
}
