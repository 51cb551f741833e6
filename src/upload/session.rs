//! A resumable upload as it can be kept, to be gone on with by another process.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::source::Identity;
use crate::api::types::UploadType;

/// How far a resumable upload has got: what [`Upload::on_session`](crate::Upload::on_session) gives away to be kept, and
/// [`Upload::resume`](crate::Upload::resume) takes back, in this process or in another one.
///
/// It knows the upload's URL, how much the host has confirmed, and by what the file is known again: its size and when it
/// was modified, or a hash if it was bytes. Whoever has it can send bytes to that URL, so keep it where you keep the file.
/// It does not contain the bot's token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadSession {
    pub(super) kind: UploadType,
    pub(super) url: String,
    /// The media's token, from servers that give it with the URL.
    pub(super) token: Option<String>,
    pub(super) confirmed: u64,
    pub(super) identity: Identity,
}

impl UploadSession {
    /// What the file is uploaded as.
    #[must_use]
    pub fn kind(&self) -> &UploadType {
        &self.kind
    }

    /// How many bytes the host had when this was kept.
    #[must_use]
    pub fn confirmed(&self) -> u64 {
        self.confirmed
    }

    /// The size of the file in bytes.
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
