//! Begins uploads, and turns complete files into media.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::Digest;
use tokio::sync::Mutex;

use super::State;
use super::media::{Media, MediaKind};
use super::message::{Attachment, Photo};
use super::uploads::reports::ReceivedFile;
use super::uploads::store::{PartialFile, UploadSession};
use crate::protocol::wire;

impl State {
    /// Begins an upload. Returns the answer of `getUploadUrl`.
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
        let mut limits = self.service.traits().upload_bytes.iter();
        let most_bytes = limits.find(|(limited, _)| *limited == kind).map(|(_, bytes)| *bytes);
        let session = UploadSession { kind, token, most_bytes, content: Mutex::default() };
        self.uploads.sessions.insert(id, Arc::new(session));
        answer
    }

    /// Stores media that a person sends, without an upload request.
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

    /// Turns a complete file into media. Returns the answer of the upload host.
    pub(crate) fn finish_upload(&mut self, session: &UploadSession, content: &mut PartialFile) -> String {
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
                // Real keys have all characters of base64 that URLs must encode.
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
            Some(_) => self.service.traits().retval.to_owned(),
            None => wire::to_text(&answer),
        }
    }
}
