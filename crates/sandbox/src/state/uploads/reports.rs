//! Reports of the upload host: files, requests, and the progress of an upload.

use bytes::Bytes;

/// A format in which the upload host reports the received part of a file, for
/// [`Uploads::set_status`](crate::Uploads::set_status).
///
/// The upload host is the server to which bots upload files. To resume an interrupted upload, a bot requests this
/// report by a `GET` of the upload URL. The format defaults to [`Range`](Self::Range).
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam_sandbox::{UploadFault, UploadStatus};
///
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let fast = tamtam::settings::RetryPolicy::default().backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
/// # let bot = tamtam::Bot::builder(tamtam.token()).base_url(tamtam.base_url()).retry(fast).http(|http| http.no_proxy()).build()?;
/// # /*
/// let bot = tamtam.bot();
/// # */
/// let host = tamtam.uploads();
/// host.set_status(UploadStatus::Header);
/// host.fail_next(UploadFault::ResetAt(450));
/// bot.upload_file(vec![7; 1000]).resumable(true).chunk_size(100).await?;
/// assert_eq!(host.received()[0].size(), 1000);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadStatus {
    /// The received range and the size of the file, in the body of the response, such as `0-2047999/6291456`. The body
    /// is empty if no bytes were received.
    #[default]
    Range,
    /// The number of received bytes, in the body of the response, such as `2048000`. The body is `0` if no bytes were
    /// received.
    Offset,
    /// The position of the last received byte, in the header `X-Last-Known-Byte` of the response, such as `2047999`.
    /// The first byte has the position 0. The header is not sent if no bytes were received.
    Header,
}

/// A file that the upload host has received completely. Returned by [`Uploads::received`](crate::Uploads::received).
/// The upload host is the server to which bots upload files.
///
/// If a bot uploads a file as ranges of bytes, [`name`](Self::name) and [`content_type`](Self::content_type) come from
/// the request with the first range.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// tamtam.bot().upload_file(b"my notes").file_name("notes.txt").await?;
/// let file = &tamtam.uploads().received()[0];
/// assert_eq!((file.kind(), file.name(), file.size()), ("file", "notes.txt", 8));
/// assert_eq!(file.bytes(), Some(&b"my notes"[..]));
/// # Ok(())
/// # }
/// ```
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
    /// Returns the type of the file (`image`, `video`, `audio` or `file`). The bot sets this type in the operation
    /// `getUploadUrl`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Returns the file name in the upload request. The name is empty if the request has no file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the content type of the file in the upload request, such as `image/png`. The result is empty if the
    /// request has no content type.
    pub fn content_type(&self) -> &str {
        &self.content_type
    }

    /// Returns the size of the file, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the SHA-256 digest of the file's bytes.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// Returns the bytes of the file. `None` if the file exceeds the limit of
    /// [`Uploads::set_most_kept`](crate::Uploads::set_most_kept). The limit defaults to 64 MiB.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}

/// A request to the upload host. Returned by [`Uploads::requests`](crate::Uploads::requests).
///
/// The upload host is the server to which bots upload files. A request uploads data, downloads a file, or queries how
/// many bytes of a file the host has received.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// tamtam.bot().upload_file(b"my notes").await?;
/// let request = &tamtam.uploads().requests()[0];
/// assert_eq!((request.method(), request.status()), ("POST", Some(200)));
/// let content_type = request.header("content-type").unwrap();
/// assert!(content_type.starts_with("multipart/form-data"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UploadRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) status: Option<u16>,
}

impl UploadRequest {
    /// Returns the HTTP method, such as `POST`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the path in the request, without the query. If the path contains a bot's token, the result is `...`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the value of a header. `None` if the request has no such header, or if the value contains a bot's token.
    ///
    /// `name`: the name of the header, in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the HTTP status of the response. `None` if the upload host has not responded, for example because it
    /// reset the connection.
    pub fn status(&self) -> Option<u16> {
        self.status
    }
}
