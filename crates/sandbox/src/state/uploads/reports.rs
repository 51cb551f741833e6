//! What the upload host reports: files, requests, and the progress of an upload.

use bytes::Bytes;

/// How the host tells how much of a file it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadStatus {
    /// A range and the size, in the body: `0-2047999/6291456`.
    #[default]
    Range,
    /// How many bytes, in the body: `2048000`.
    Offset,
    /// The place of the last byte, in the header `X-Last-Known-Byte`: `2047999`.
    Header,
}

/// A file that has arrived whole.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReceivedFile {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) size: u64,
    pub(crate) sha256: [u8; 32],
    pub(crate) bytes: Option<Bytes>,
}

impl ReceivedFile {
    /// What it was announced as: `image`, `video`, `audio` or `file`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The name that came with it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The content type that came with it; empty if none did.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 of its bytes.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Its bytes; `None` if there are more than [`Uploads::set_most_kept`](crate::Uploads::set_most_kept) allows to keep.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}

/// A request that came to the upload host.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UploadRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) status: Option<u16>,
}

impl UploadRequest {
    /// The HTTP method, in capitals.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path, without the query; `/...` if there was a bot's token in it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The status that it was answered with; `None` if it was not.
    pub fn status(&self) -> Option<u16> {
        self.status
    }
}
