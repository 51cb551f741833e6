//! The state of a resumable upload, to store it and to resume it in another process.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::source::Identity;
use crate::api::types::UploadType;

/// The state of an upload that sends the file in ranges (parts of the file). A session is a snapshot. If the source is
/// a path or bytes, another process can continue the upload from a stored session.
///
/// To store the session, pass a function to [`Upload::on_session`](crate::upload::Upload::on_session). To continue the
/// upload, pass the stored session to [`Upload::resume`](crate::upload::Upload::resume).
///
/// # Content
///
/// A session contains:
///
/// - the type of the upload
/// - the upload URL, to which the bytes are sent
/// - the number of bytes that the upload host (the server for files) has confirmed
/// - the token of the uploaded file, if the API returned this token with the URL
/// - the size of the file
/// - the modification time of the file, if the source is a path
/// - a hash of the bytes, if the source is bytes
///
/// If the size, the modification time or the hash of the source differs from the session, a resumed upload fails.
///
/// Keep the session secret, because anyone who has the session can send bytes to the upload URL. A session
/// does not contain the bot's token.
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
    /// Returns the type of the upload: image (a photo), video, audio or file.
    #[must_use]
    pub fn kind(&self) -> &UploadType {
        &self.kind
    }

    /// Returns the number of bytes that the upload host has confirmed, at the time of this session.
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
