//! The endpoints that list and add users, bots and chats.

use axum::extract;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::context::{ControlState, first_bot};
use super::input::{RawBody, read};
use super::reply::{Json, Refusal, Reply};
use crate::people::actor::Actor;
use crate::state::ids::UserId;

pub(super) async fn about(extract::State(control): ControlState) -> Reply {
    let (service, upload_url, bots) = control.world.act(|state| {
        let bots = state.bots.iter().filter_map(|(user_id, bot)| {
            let user = state.users.get(user_id)?;
            let (name, username) = (&user.name, &user.username);
            Some(json!({ "user_id": user_id, "name": name, "username": username, "token": bot.token }))
        });
        (state.service.traits().name, state.uploads.base_url.clone(), bots.collect::<Vec<_>>())
    });
    Ok(Json(json!({ "service": service, "base_url": control.base_url, "upload_url": upload_url, "bots": bots })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    name: String,
    username: Option<String>,
    phone: Option<String>,
}

pub(super) async fn add_user(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let new: NewUser = read(&body)?;
    control.world.act(|state| {
        if let Some(username) = new.username.as_deref().filter(|username| state.has_username(username)) {
            return Err(Refusal::new(StatusCode::CONFLICT, format!("the username @{username} is already taken")));
        }
        let user_id = state.add_person(new.name);
        if let Some(user) = state.users.get_mut(&user_id) {
            user.username = new.username;
            user.phone = new.phone;
        }
        let dialog = Actor { user_id, bot: first_bot(state), group: None }.chat_id();
        Ok(Json(json!({ "user_id": user_id, "chat_id": dialog })))
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBot {
    name: String,
    username: String,
}

pub(super) async fn add_bot(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let new: NewBot = read(&body)?;
    let conflict = format!("the username @{} is already taken", new.username);
    let added = control.world.act(|state| state.add_another_bot(new.name, new.username));
    let (user_id, token) = added.ok_or_else(|| Refusal::new(StatusCode::CONFLICT, conflict))?;
    Ok(Json(json!({ "user_id": user_id, "token": token })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChat {
    title: String,
    members: Vec<UserId>,
    #[serde(default)]
    channel: bool,
    /// Whether comments are switched on in the channel.
    #[serde(default)]
    comments: bool,
    public_link: Option<String>,
}

pub(super) async fn add_chat(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let new: NewChat = read(&body)?;
    control.world.act(|state| {
        if let Some(stranger) = new.members.iter().find(|member| !state.users.contains_key(member)) {
            return Err(Refusal::not_found(format!("there is no user {stranger}")));
        }
        let Some((owner, others)) = new.members.split_first() else {
            return Err(Refusal::wrong("members: a chat needs an owner, the first member"));
        };
        if new.comments && !(new.channel && state.service.traits().has_comments) {
            return Err(Refusal::wrong("comments: only the posts of channels on MAX have comments"));
        }
        let mut others = others.to_vec();
        if !new.members.iter().any(|member| state.is_bot(*member)) {
            others.push(first_bot(state));
        }
        let chat_id = state.found_with(new.title, *owner, others, new.channel);
        state.with_chat(chat_id, |chat| chat.takes_comments = new.comments);
        if let Some(name) = new.public_link {
            state.make_public(chat_id, &name);
        }
        Ok(Json(json!({ "chat_id": chat_id })))
    })
}
