//! The endpoint that acts and reads as a person.

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{self, Path};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::act::Act;
use super::context::{ControlState, first_bot, wait};
use super::input::{RawBody, read, take};
use super::reply::{Json, Refusal, Reply};
use crate::people::actor::Actor;
use crate::state::State;
use crate::state::event;
use crate::state::ids::UserId;

pub(super) async fn act(
    extract::State(control): ControlState,
    path: Result<Path<(String, String)>, PathRejection>,
    RawBody(body): RawBody,
) -> Reply {
    let Path((user, act)) = path.map_err(|error| Refusal::not_found(error.body_text()))?;
    let user_id: UserId = user.parse().map_err(|_| Refusal::not_found(format!("there is no person {user}")))?;
    let mut fields: Map<String, Value> = if body.is_empty() { Map::new() } else { read(&body)? };
    let (chat_id, bot) = (take(&mut fields, "chat_id")?, take(&mut fields, "bot")?);
    let timeout = take(&mut fields, "timeout_ms")?.map_or(control.patience, Duration::from_millis);
    fields.insert("act".to_owned(), act.as_str().into());
    let read = serde_json::from_value(fields.into());
    let act: Act = read.map_err(|error| Refusal::wrong(format!("{act}: {error}")))?;
    let actor = control.world.act(|state| find_actor(state, user_id, bot, chat_id))?;
    if !act.is_reading() {
        let done = control.world.act(|state| act.perform(actor, state).map_err(|why| say_no(state, actor, &why)));
        return done.map(Json);
    }
    let read = wait(&control, timeout, |state| act.read(actor, state)).await;
    read.map(Json).ok_or_else(|| {
        control.world.act(|state| {
            let why = format!("{} got nothing in {timeout:?}", state.name(actor.user_id));
            Refusal(StatusCode::REQUEST_TIMEOUT, json!({ "error": why, "transcript": event::render(&state.events) }))
        })
    })
}

/// Returns the person with this id in a chat. The chat of a dialog determines the bot, so `bot` is ignored there.
fn find_actor(state: &State, user_id: UserId, bot: Option<UserId>, chat_id: Option<UserId>) -> Result<Actor, Refusal> {
    if state.users.get(&user_id).is_none_or(|user| user.is_bot) {
        return Err(Refusal::not_found(format!("there is no person {user_id}")));
    }
    if let Some(bot) = bot.filter(|bot| !state.is_bot(*bot)) {
        return Err(Refusal::not_found(format!("there is no bot {bot}")));
    }
    let bot = bot.unwrap_or_else(|| first_bot(state));
    let Some(chat_id) = chat_id else { return Ok(Actor { user_id, bot, group: None }) };
    let mut dialogs = state.bots.keys().map(|bot| Actor { user_id, bot: *bot, group: None });
    if let Some(dialog) = dialogs.find(|dialog| dialog.chat_id() == chat_id) {
        return Ok(dialog);
    }
    let is_there = state.chats.get(&chat_id).is_some_and(|chat| !chat.is_dialog());
    let actor = is_there.then_some(Actor { user_id, bot, group: Some(chat_id) });
    actor.ok_or_else(|| Refusal::not_found(format!("there is no chat {chat_id} for this person to act in")))
}

fn say_no(state: &State, actor: Actor, why: &str) -> Refusal {
    Refusal::new(StatusCode::CONFLICT, format!("{} {why}", state.name(actor.user_id)))
}
