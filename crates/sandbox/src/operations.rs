//! The operations of the API, one function each, grouped as its document groups them.

use serde_json::Value;

use super::state::State;
use crate::server::error::Fault;
use crate::server::request::Request;

pub(super) mod answers;
pub(super) mod chats;
pub(super) mod construct;
pub(super) mod me;
pub(super) mod members;
pub(super) mod messages;
pub(super) mod pins;
pub(super) mod subscriptions;
pub(super) mod updates;
pub(super) mod uploads;

/// How an operation is answered.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// At once, from the state.
    Now(fn(&mut State, &Request) -> Result<Value, Fault>),
    /// When there is something to tell, or time is up.
    Poll,
}
