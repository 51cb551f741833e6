//! Upload progress and the callbacks that report it.

use std::sync::Arc;

use crate::upload::session::UploadSession;

/// How far an upload has got, as [`Upload::on_progress`](crate::Upload::on_progress) tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many bytes of the file were handed to the connection. After a failure it goes back to what has arrived.
    pub sent: u64,
    /// The size of the file in bytes.
    pub total: u64,
}

/// Called after each piece that is sent.
pub(super) type ProgressHook = Arc<dyn Fn(Progress) + Send + Sync>;
/// Called when the host has confirmed more.
pub(super) type SessionHook = Arc<dyn Fn(&UploadSession) + Send + Sync>;
