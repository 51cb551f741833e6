//! Upload progress and the callbacks that report it.

use std::sync::Arc;

use crate::upload::session::UploadSession;

/// The number of bytes that an upload has sent, and the size of the file. The function that you pass to
/// [`Upload::on_progress`](crate::upload::Upload::on_progress) receives a `Progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Number of bytes of the file that were passed to the connection. After a failure, the count goes back to
    /// the number of bytes that the upload host (the server for files) has received. If the upload starts over, the
    /// count starts again at 0.
    pub sent: u64,
    /// Size of the file, in bytes.
    pub total: u64,
}

/// Called after each piece that is sent.
pub(super) type ProgressHook = Arc<dyn Fn(Progress) + Send + Sync>;
/// Called when the host has confirmed more bytes.
pub(super) type SessionHook = Arc<dyn Fn(&UploadSession) + Send + Sync>;
