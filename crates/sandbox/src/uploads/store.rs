//! What the upload host knows: the uploads that were begun, the media that came of them, and what went over the wire.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serde_with::base64::Base64;
use serde_with::serde_as;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use super::{ReceivedFile, UploadFault, UploadRequest, UploadStatus};
use crate::server::error::Fault;
use crate::server::wire;
use crate::state::State;
use crate::state::message::{Attachment, Photo};

/// The largest file whose bytes are kept, in bytes.
const MOST_KEPT: u64 = 64 * 1024 * 1024;

/// The state of the upload host. What a state file keeps of it are the media; uploads that were begun and not ended are
/// begun anew.
#[serde_as]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Store {
    /// Where the host is, without a slash at the end.
    pub(crate) base_url: String,
    #[serde(skip)]
    pub(super) settings: Settings,
    #[serde(skip)]
    pub(super) faults: VecDeque<UploadFault>,
    #[serde(skip)]
    pub(super) received: Vec<ReceivedFile>,
    #[serde(skip)]
    pub(super) requests: Vec<UploadRequest>,
    #[serde(skip)]
    pub(super) leaks: Vec<String>,
    #[serde(skip)]
    pub(super) bytes_taken: u64,
    /// By what stands in their URL.
    #[serde(skip)]
    sessions: BTreeMap<String, Arc<Session>>,
    /// Videos, audio and files by token.
    media: BTreeMap<String, Media>,
    /// Content type and bytes, by what stands in their URL.
    #[serde_as(as = "BTreeMap<_, (_, Option<Base64>)>")]
    contents: BTreeMap<String, (String, Option<Bytes>)>,
    /// How often a message with this token is still refused.
    #[serde(skip)]
    not_ready: BTreeMap<String, u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) not_ready: u32,
    pub(super) retval: bool,
    pub(super) scheme_relative: bool,
    pub(super) keep_partial: bool,
    pub(super) status: UploadStatus,
    pub(super) most_kept: u64,
}

impl Default for Settings {
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
pub(super) struct Session {
    pub(super) kind: &'static str,
    /// The token that was given with the URL.
    token: Option<String>,
    /// Held by the request that is being served, so that ranges are taken one after another.
    pub(super) content: Mutex<Content>,
}

/// As much of a file as has arrived.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) total: Option<u64>,
    /// How many bytes are there to stay.
    pub(super) confirmed: u64,
    pub(super) hash: Sha256,
    /// The bytes, as long as they are few enough; behind the confirmed ones may be some of a range that broke off.
    pub(super) bytes: Option<Vec<u8>>,
    pub(super) is_done: bool,
}

/// A video, an audio recording or a file that can be attached.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Media {
    pub(crate) kind: MediaKind,
    pub(crate) token: String,
    pub(crate) url: String,
    pub(crate) name: String,
    pub(crate) size: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MediaKind {
    Video,
    Audio,
    File,
}

impl MediaKind {
    /// `None` for photos, which are no media: they have no kind and no name.
    fn of(kind: &str) -> Option<Self> {
        [Self::Video, Self::Audio, Self::File].into_iter().find(|one| one.name() == kind)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
            Self::File => "file",
        }
    }
}

impl Store {
    pub(super) fn session(&self, id: &str) -> Option<Arc<Session>> {
        self.sessions.get(id).map(Arc::clone)
    }

    /// Content type and bytes of a file, the latter if they were kept.
    pub(super) fn content(&self, id: &str) -> Option<(String, Option<Bytes>)> {
        self.contents.get(id).cloned()
    }

    /// Lets something go wrong, after what is waiting to.
    pub(crate) fn fail_next(&mut self, fault: UploadFault) {
        self.faults.push_back(fault);
    }

    pub(crate) fn set_not_ready(&mut self, times: u32) {
        self.settings.not_ready = times;
    }

    /// The fault whose place is reached, taken from those that wait.
    pub(super) fn fault_before(&mut self, end: u64) -> Option<UploadFault> {
        let is_reached = |fault: &UploadFault| match fault {
            UploadFault::ResetAt(at) | UploadFault::StallAt(at) | UploadFault::StatusAt(at, _) => *at < end,
            UploadFault::Answer(..) => false,
        };
        if self.faults.front().is_some_and(is_reached) { self.faults.pop_front() } else { None }
    }

    /// The answer that takes the place of the host's.
    pub(super) fn answer_instead(&mut self) -> Option<(u16, String)> {
        let Some(UploadFault::Answer(status, body)) = self.faults.front().cloned() else { return None };
        self.faults.pop_front();
        Some((status, body))
    }

    /// The media with this token, of a kind.
    pub(crate) fn media(&self, kind: &str, token: &str) -> Option<Media> {
        self.media.get(token).filter(|media| media.kind.name() == kind).cloned()
    }

    /// Refuses a token as often as it was asked for when its file came.
    pub(crate) fn check_ready(&mut self, token: &str) -> Result<(), Fault> {
        let Some(left) = self.not_ready.get_mut(token).filter(|left| **left > 0) else { return Ok(()) };
        *left -= 1;
        let takes_turns = self.settings.not_ready.saturating_sub(*left) % 2 == 1;
        Err(if takes_turns { Fault::not_ready() } else { Fault::not_processed() })
    }
}

impl State {
    /// Begins an upload: what `getUploadUrl` answers.
    pub(crate) fn begin_upload(&mut self, kind: &'static str) -> Value {
        let id = self.secret("upload");
        let gives_token = self.uploads.settings.retval && matches!(kind, "video" | "audio");
        let token = gives_token.then(|| self.secret("media"));
        let url = format!("{}/upload/{id}", self.uploads.base_url);
        let url = if self.uploads.settings.scheme_relative { url.replacen("http:", "", 1) } else { url };
        let answer = match &token {
            Some(token) => json!({ "url": url, "token": token }),
            None => json!({ "url": url }),
        };
        self.uploads.sessions.insert(id, Arc::new(Session { kind, token, content: Mutex::default() }));
        answer
    }

    /// Keeps media that a person sends, who has uploaded it unseen.
    pub(crate) fn keep_media(&mut self, kind: &'static str, name: String, bytes: Vec<u8>) -> Attachment {
        let (token, photo_id, id) = (self.secret("media"), self.issue(), self.secret("content"));
        let (url, size) = (format!("{}/files/{id}", self.uploads.base_url), bytes.len() as u64);
        let content_type = match kind {
            "image" => "image/jpeg",
            "video" => "video/mp4",
            "audio" => "audio/mpeg",
            _ => "application/octet-stream",
        };
        self.uploads.contents.insert(id, (content_type.to_owned(), Some(bytes.into())));
        let Some(kind) = MediaKind::of(kind) else {
            let photo = Photo { photo_id, token: token.clone(), url };
            self.photos.insert(token, photo.clone());
            return Attachment::Photo(photo);
        };
        let media = Media { kind, token: token.clone(), url, name, size };
        self.uploads.media.insert(token, media.clone());
        Attachment::Media(media)
    }

    /// A file is whole: makes media of it, and the host's answer.
    pub(super) fn finish_upload(&mut self, session: &Session, content: &mut Content) -> String {
        content.is_done = true;
        let file = ReceivedFile {
            kind: session.kind.to_owned(),
            name: content.name.clone(),
            content_type: content.content_type.clone(),
            size: content.confirmed,
            sha256: content.hash.clone().finalize().into(),
            bytes: content.bytes.take().map(Bytes::from),
        };
        let (token, number) = (session.token.clone().unwrap_or_else(|| self.secret("media")), self.issue());
        let id = self.secret("content");
        let (url, size) = (format!("{}/files/{id}", self.uploads.base_url), file.size);
        self.uploads.contents.insert(id, (file.content_type.clone(), file.bytes.clone()));
        self.uploads.not_ready.insert(token.clone(), self.uploads.settings.not_ready);
        let answer = match MediaKind::of(session.kind) {
            None => {
                // In real keys there is everything that base64 has and URLs do not.
                let key = format!("{}+/{}==", self.secret("photo key"), self.secret("photo key"));
                self.photos.insert(token.clone(), Photo { photo_id: number, token: token.clone(), url });
                json!({ "photos": { key: { "token": token } } })
            }
            Some(kind) => {
                let media = Media { kind, token: token.clone(), url, name: file.name.clone(), size };
                self.uploads.media.insert(token.clone(), media);
                match kind {
                    MediaKind::File => json!({ "fileId": number, "token": token }),
                    _ => json!({ "token": token }),
                }
            }
        };
        self.uploads.received.push(file);
        match session.token {
            Some(_) => "<?xml version=\"1.0\" encoding=\"UTF-8\"?><retval>1</retval>".to_owned(),
            None => wire::to_text(&answer),
        }
    }
}

impl Content {
    /// Forgets what came behind the confirmed bytes.
    pub(super) fn rewind(&mut self) {
        if let (Some(bytes), Ok(confirmed)) = (&mut self.bytes, usize::try_from(self.confirmed)) {
            bytes.truncate(confirmed);
        }
    }
}
