//! The state of a resumable upload, to store it and to resume it in another process.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::source::Identity;
use crate::api::types::UploadType;

/// The state of an upload in ranges, from which the upload can be continued after a failure or a crash.
///
/// [`Upload::on_session`](crate::upload::Upload::on_session) passes the session to your function, which stores it.
/// [`Upload::resume`](crate::upload::Upload::resume) continues the upload from a stored session, in the same or another
/// process.
///
/// A session contains the upload URL, the number of confirmed bytes, and the token of the media if the server sent one.
/// For a path, the session also has the size and the modification time of the file; for bytes, the size and a hash.
/// `resume` compares these values with the source.
///
/// Anyone who has the session can send bytes to the upload URL, so protect the session like the file. A session does
/// not contain the bot's token.
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
    /// Returns the type of the upload: image, video, audio or file.
    #[must_use]
    pub fn kind(&self) -> &UploadType {
        &self.kind
    }

    /// Returns the number of bytes that the upload host had confirmed when this session was created.
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
