//! The state of a resumable upload, to store it and to resume it in another process.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::source::Identity;
use crate::api::types::UploadType;

/// The state of a resumable upload. [`Upload::on_session`](crate::upload::Upload::on_session) passes it to you to store.
/// [`Upload::resume`](crate::upload::Upload::resume) continues the upload, in the same or another process.
///
/// A session contains the upload URL, the media's token if the server sent it, and the number of confirmed bytes. It
/// identifies the file by its size and modification time, or bytes by a hash. Anyone who has the session can send bytes
/// to that URL, so protect it like the file. A session does not contain the bot's token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadSession {
    pub(super) kind: UploadType,
    pub(super) url: String,
    /// The media's token, if the server sent it with the URL.
    pub(super) token: Option<String>,
    pub(super) confirmed: u64,
    pub(super) identity: Identity,
}

impl UploadSession {
    /// Returns the type of the upload.
    #[must_use]
    pub fn kind(&self) -> &UploadType {
        &self.kind
    }

    /// Returns how many bytes the host had when the session was stored.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// Returns the size of the file in bytes.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.identity.size
    }
}

impl fmt::Debug for UploadSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadSession")
            .field("kind", &self.kind)
            .field("confirmed", &self.confirmed)
            .field("total", &self.identity.size)
            .finish_non_exhaustive()
    }
}
