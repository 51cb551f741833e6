//! The state of the upload host: uploads in progress, uploaded media, and received requests.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_with::base64::Base64;
use serde_with::serde_as;
use sha2::Sha256;
use tokio::sync::Mutex;

use super::fault::UploadFault;
use super::reports::{ReceivedFile, UploadRequest, UploadStatus};
use crate::protocol::error::ApiError;
use crate::state::media::Media;

/// The default size of the largest file whose bytes are kept, in bytes: 64 MiB.
const MOST_KEPT: u64 = 64 * 1024 * 1024;

/// The state of the upload host. A state file keeps its media only; uploads in progress start over.
#[serde_as]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Store {
    /// The URL of the host, without a trailing slash.
    pub(crate) base_url: String,
    #[serde(skip)]
    pub(crate) settings: HostSettings,
    #[serde(skip)]
    pub(crate) faults: VecDeque<UploadFault>,
    #[serde(skip)]
    pub(crate) received: Vec<ReceivedFile>,
    #[serde(skip)]
    pub(crate) requests: Vec<UploadRequest>,
    #[serde(skip)]
    pub(crate) leaks: Vec<String>,
    #[serde(skip)]
    pub(crate) bytes_taken: u64,
    /// Uploads, by the id in their URL.
    #[serde(skip)]
    pub(crate) sessions: BTreeMap<String, Arc<UploadSession>>,
    /// Videos, audio and files by token.
    pub(crate) media: BTreeMap<String, Media>,
    /// Content type and bytes, by the id in the file's URL.
    #[serde_as(as = "BTreeMap<_, (_, Option<Base64>)>")]
    pub(crate) contents: BTreeMap<String, (String, Option<Bytes>)>,
    /// How many more times a message with this token is refused.
    #[serde(skip)]
    pub(crate) not_ready: BTreeMap<String, u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct HostSettings {
    pub(crate) not_ready: u32,
    pub(crate) retval: bool,
    pub(crate) scheme_relative: bool,
    pub(crate) keep_partial: bool,
    pub(crate) status: UploadStatus,
    pub(crate) most_kept: u64,
}

impl Default for HostSettings {
    fn default() -> Self {
        Self {
            not_ready: 0,
            retval: false,
            scheme_relative: false,
            keep_partial: false,
            status: UploadStatus::default(),
            most_kept: MOST_KEPT,
        }
    }
}

/// An upload that was begun: one URL for one file.
#[derive(Debug)]
pub(crate) struct UploadSession {
    pub(crate) kind: &'static str,
    /// The token that was returned with the URL.
    pub(crate) token: Option<String>,
    /// The largest accepted size of a file, in bytes.
    pub(crate) most_bytes: Option<u64>,
    /// Locked while a request is served, so that ranges are received one at a time.
    pub(crate) content: Mutex<PartialFile>,
}

/// The received part of a file.
#[derive(Debug, Default)]
pub(crate) struct PartialFile {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) total: Option<u64>,
    /// The number of bytes that are kept.
    pub(crate) confirmed: u64,
    pub(crate) hash: Sha256,
    /// The bytes. `None` if the file is too large to keep. After the confirmed bytes, there may be bytes of an
    /// interrupted range.
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) is_done: bool,
}

impl Store {
    pub(crate) fn session(&self, id: &str) -> Option<Arc<UploadSession>> {
        self.sessions.get(id).map(Arc::clone)
    }

    /// Returns a file's content type, and its bytes if they were kept.
    pub(crate) fn content(&self, id: &str) -> Option<(String, Option<Bytes>)> {
        self.contents.get(id).cloned()
    }

    /// Adds a fault after the faults that are already waiting.
    pub(crate) fn fail_next(&mut self, fault: UploadFault) {
        self.faults.push_back(fault);
    }

    pub(crate) fn set_not_ready(&mut self, times: u32) {
        self.settings.not_ready = times;
    }

    /// Removes and returns the next fault, if its position is before `end`.
    pub(crate) fn fault_before(&mut self, end: u64) -> Option<UploadFault> {
        let is_reached = |fault: &UploadFault| match fault {
            UploadFault::ResetAt(at) | UploadFault::StallAt(at) | UploadFault::StatusAt(at, _) => *at < end,
            UploadFault::Answer(..) => false,
        };
        if self.faults.front().is_some_and(is_reached) { self.faults.pop_front() } else { None }
    }

    /// Removes and returns the next fault, if it replaces the answer.
    pub(crate) fn answer_instead(&mut self) -> Option<(u16, String)> {
        let Some(UploadFault::Answer(status, body)) = self.faults.front().cloned() else { return None };
        self.faults.pop_front();
        Some((status, body))
    }

    /// Returns the media with this token, if it has this kind.
    pub(crate) fn media(&self, kind: &str, token: &str) -> Option<Media> {
        self.media.get(token).filter(|media| media.kind.name() == kind).cloned()
    }

    /// Fails as many times as the setting `not_ready` was when the file was uploaded. The two forms of the error
    /// alternate.
    pub(crate) fn check_ready(&mut self, token: &str) -> Result<(), ApiError> {
        let Some(left) = self.not_ready.get_mut(token).filter(|left| **left > 0) else { return Ok(()) };
        *left -= 1;
        let takes_turns = self.settings.not_ready.saturating_sub(*left) % 2 == 1;
        Err(if takes_turns { ApiError::not_ready() } else { ApiError::not_processed() })
    }
}

impl PartialFile {
    /// Discards the bytes after the confirmed ones.
    pub(crate) fn rewind(&mut self) {
        if let (Some(bytes), Ok(confirmed)) = (&mut self.bytes, usize::try_from(self.confirmed)) {
            bytes.truncate(confirmed);
        }
    }
}
