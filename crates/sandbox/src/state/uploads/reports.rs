//! Reports of the upload host: files, requests, and the progress of an upload.

use bytes::Bytes;

/// How the host reports the received part of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadStatus {
    /// The received range and the size of the file, in the body: `0-2047999/6291456`.
    #[default]
    Range,
    /// The number of received bytes, in the body: `2048000`.
    Offset,
    /// The position of the last received byte, in the header `X-Last-Known-Byte`: `2047999`.
    Header,
}

/// A completely received file.
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
    /// Returns the type that `getUploadUrl` was called with: `image`, `video`, `audio` or `file`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the file name in the request.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the content type of the file in the request. Empty if the request has none.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Returns the size of the file, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the SHA-256 digest of the file.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Returns the bytes of the file. `None` if there are more than
    /// [`Uploads::set_most_kept`](crate::Uploads::set_most_kept) allows.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}

/// A request to the upload host.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UploadRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) status: Option<u16>,
}

impl UploadRequest {
    /// Returns the HTTP method, in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path without the query. `...` if it contains a bot's token.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the value of a header. `name` must be in lower case. `None` if the header is missing, or if it carried a
    /// bot's token.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the status of the answer. `None` if the request was not answered.
    pub fn status(&self) -> Option<u16> {
        self.status
    }
}
