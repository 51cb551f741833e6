//! A prepared upload: the source and the settings that every attempt needs.

use std::time::Duration;

use crate::{
    api::types::UploadType,
    client::bot::Bot,
    upload::{
        progress::{ProgressHook, SessionHook},
        session::UploadSession,
        source::{Identity, Opened},
    },
};

/// A prepared upload.
pub(super) struct Job {
    pub(super) bot: Bot,
    pub(super) kind: UploadType,
    pub(super) operation: &'static str,
    pub(super) source: Opened,
    pub(super) identity: Identity,
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) is_resumable: bool,
    pub(super) resumed: Option<UploadSession>,
    pub(super) chunk: u64,
    pub(super) idle: Duration,
    pub(super) on_progress: Option<ProgressHook>,
    pub(super) on_session: Option<SessionHook>,
}
