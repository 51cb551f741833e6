//! The settings of an update stream.

use crate::{
    api::types::UpdateType,
    client::retry::Backoff,
    updates::stream::state::{BACKOFF, StartFrom},
};

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) limit: Option<i64>,
    pub(super) hold_seconds: Option<i64>,
    pub(super) types: Vec<UpdateType>,
    pub(super) start_from: StartFrom,
    pub(super) remove_webhooks: bool,
    pub(super) backoff: Backoff,
    /// Whether the JSON of each update is kept.
    pub(super) keep_json: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limit: None,
            hold_seconds: None,
            types: Vec::new(),
            start_from: StartFrom::default(),
            remove_webhooks: false,
            backoff: BACKOFF,
            keep_json: false,
        }
    }
}
