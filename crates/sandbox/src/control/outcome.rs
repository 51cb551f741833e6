//! The endpoints for results and time: the transcript, the deliveries, the idle state, the limits and the clock.

use std::time::Duration;

use axum::extract;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::context::{ControlState, deadline, wait};
use super::input::{RawBody, read, take};
use super::reply::{Json, Refusal, Reply, done};
use crate::sandbox::QUIET;
use crate::state::clock;
use crate::state::event;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passing {
    advance_ms: u64,
}

pub(super) async fn move_clock(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let passing: Passing = read(&body)?;
    let fits = control.world.act(|state| state.let_pass(Duration::from_millis(passing.advance_ms)));
    if fits { done() } else { Err(Refusal::wrong(format!("advance_ms: {}", clock::TOO_FAR))) }
}

pub(super) async fn tell(extract::State(control): ControlState) -> Response {
    let text = control.world.act(|state| event::render(&state.events));
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

pub(super) async fn settles(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let mut fields: Map<String, Value> = if body.is_empty() { Map::new() } else { read(&body)? };
    let timeout = take(&mut fields, "timeout_ms")?.map_or(control.patience, Duration::from_millis);
    if control.world.settles(QUIET, deadline(timeout)).await {
        return done();
    }
    let unhandled = control.world.act(|state| state.unhandled());
    let why = format!("the bots were not idle in {timeout:?}:\n{unhandled}");
    Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, why))
}

pub(super) async fn rate_limited(extract::State(control): ControlState) -> Reply {
    Ok(Json(json!({ "refused": control.world.act(|state| state.recent.refused) })))
}

pub(super) async fn delivers(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let mut fields: Map<String, Value> = if body.is_empty() { Map::new() } else { read(&body)? };
    let timeout = take(&mut fields, "timeout_ms")?.map_or(control.patience, Duration::from_millis);
    let delivered = wait(&control, timeout, |state| state.is_all_delivered().then_some(())).await;
    if delivered.is_some() {
        return done();
    }
    let undelivered = control.world.act(|state| state.undelivered());
    let why = format!("not everything was delivered in {timeout:?}:\n{undelivered}");
    Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, why))
}
