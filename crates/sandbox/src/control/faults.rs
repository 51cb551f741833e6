//! The endpoints that inject faults and push updates.

use std::time::Duration;

use axum::extract;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::context::{ControlState, first_bot};
use super::input::{RawBody, read, take};
use super::reply::{Refusal, Reply, done};
use crate::server::faults::{self, Fault};
use crate::state::ids::UserId;
use crate::state::uploads::fault::UploadFault;

/// A fault of an operation.
#[derive(Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
enum Wanted {
    Status { status: u16 },
    Error { status: u16, code: String, message: String },
    Answer { status: u16, body: String },
    NotReady {},
    Reset {},
    CutBody {},
    Garbage {},
    Delay { delay_ms: u64 },
}

impl Wanted {
    fn fault(self) -> Result<Fault, Refusal> {
        if let Self::Status { status } | Self::Error { status, .. } | Self::Answer { status, .. } = &self {
            check_status(*status)?;
        }
        Ok(match self {
            Self::Status { status } => Fault::status(status),
            Self::Error { status, code, message } => Fault::error(status, code, message),
            Self::Answer { status, body } => Fault::answer(status, body),
            Self::NotReady {} => Fault::not_ready(),
            Self::Reset {} => Fault::reset(),
            Self::CutBody {} => Fault::cut_body(),
            Self::Garbage {} => Fault::garbage(),
            Self::Delay { delay_ms } => Fault::delay(Duration::from_millis(delay_ms)),
        })
    }
}

fn check_status(status: u16) -> Result<(), Refusal> {
    let is_end = faults::STATUSES.contains(&status);
    if is_end { Ok(()) } else { Err(Refusal::wrong(format!("status: {status} is not a final status, use 200 to 999"))) }
}

pub(super) async fn add(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let mut fields: Map<String, Value> = read(&body)?;
    let operation: Option<String> = take(&mut fields, "operation")?;
    let operation =
        operation.ok_or_else(|| Refusal::wrong("operation: is missing, set an operationId such as sendMessage"))?;
    let (times, applied) = (take(&mut fields, "times")?, take(&mut fields, "applied")?);
    let retry_after = take(&mut fields, "retry_after")?;
    let wanted: Wanted = serde_json::from_value(fields.into()).map_err(|error| Refusal::wrong(error.to_string()))?;
    let mut fault = wanted.fault()?;
    fault = times.map_or(fault.clone(), |times| fault.times(times));
    fault = applied.map_or(fault.clone(), |applied| fault.applied(applied));
    fault = retry_after.map_or(fault.clone(), |seconds| fault.retry_after(seconds));
    let service = control.world.act(|state| state.service);
    let is_known = control.world.faults().add(service, &operation, fault);
    if is_known {
        done()
    } else {
        Err(Refusal::wrong(format!(
            "operation: the API has no {operation}, use one of {}",
            faults::operations(service)
        )))
    }
}

pub(super) async fn forget(extract::State(control): ControlState) -> Reply {
    control.world.faults().forget();
    done()
}

/// A fault of an upload.
#[derive(Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
enum WantedOfUploads {
    ResetAt { bytes: u64 },
    StallAt { bytes: u64 },
    StatusAt { bytes: u64, status: u16 },
    Answer { status: u16, body: String },
}

pub(super) async fn add_to_uploads(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let fault = match read(&body)? {
        WantedOfUploads::ResetAt { bytes } => UploadFault::ResetAt(bytes),
        WantedOfUploads::StallAt { bytes } => UploadFault::StallAt(bytes),
        WantedOfUploads::StatusAt { bytes, status } => {
            check_status(status)?;
            UploadFault::StatusAt(bytes, status)
        }
        WantedOfUploads::Answer { status, body } => {
            check_status(status)?;
            UploadFault::Answer(status, body)
        }
    };
    control.world.act(|state| state.uploads.fail_next(fault));
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Times {
    times: u32,
}

pub(super) async fn set_not_ready(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let Times { times } = read(&body)?;
    control.world.act(|state| state.uploads.set_not_ready(times));
    done()
}

pub(super) async fn lose_deliveries(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let Times { times } = read(&body)?;
    control.world.lose_deliveries(times);
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pushed {
    update: Map<String, Value>,
    bot: Option<UserId>,
}

pub(super) async fn push_update(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let Pushed { update, bot } = read(&body)?;
    let is_pushed = control.world.act(|state| {
        let bot = bot.unwrap_or_else(|| first_bot(state));
        state.push_update(bot, &update.into())
    });
    if is_pushed { done() } else { Err(Refusal::not_found("there is no such bot")) }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Repeated {
    bot: Option<UserId>,
}

pub(super) async fn repeat_update(extract::State(control): ControlState, RawBody(body): RawBody) -> Reply {
    let Repeated { bot } = if body.is_empty() { Repeated::default() } else { read(&body)? };
    let is_repeated = control.world.act(|state| {
        let bot = bot.unwrap_or_else(|| first_bot(state));
        state.repeat_update(bot)
    });
    if is_repeated { done() } else { Err(Refusal::wrong("this bot has no update yet that could be repeated")) }
}
