//! Uploads: the host that takes the bytes, what it can be told to do wrong, and what has arrived there.

mod disposition;
mod host;
mod multipart;
mod store;
mod take;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use super::Sandbox;

pub(super) use host::run;
pub(super) use store::{Media, MediaKind, Store};

/// The sandbox's upload host, made by [`Sandbox::uploads`]: what has arrived there, and what is to go wrong.
///
/// It is a host of its own, on another port than the API, and takes both protocols: a form in one piece
/// (`multipart/form-data`) and sequential ranges. A request that carries a bot's token, anywhere but in the bytes of the
/// file, is refused and told by [`leaks`](Self::leaks).
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam_sandbox::UploadFault;
///
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let fast = tamtam::RetryPolicy::default().backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
/// # let bot = tamtam::Bot::builder(tamtam.token()).base_url(tamtam.base_url()).retry(fast).http(|http| http.no_proxy()).build()?;
/// let host = tamtam.uploads();
/// host.fail_next(UploadFault::ResetAt(3));
/// bot.upload_file(b"all of it").file_name("it.txt").await?;
/// let file = &host.received()[0];
/// assert_eq!((file.name(), file.bytes().unwrap()), ("it.txt", &b"all of it"[..]));
/// assert!(host.leaks().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Uploads {
    sandbox: Sandbox,
}

/// What goes wrong with an upload. Places are counted in bytes from the beginning of the file, however it is sent. A
/// place that no request reaches leaves the fault waiting for one that does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UploadFault {
    /// The connection is reset when so many bytes have arrived. At the end of a request these bytes are kept, and only
    /// the answer is lost.
    ResetAt(u64),
    /// From so many bytes on nothing is read or said any more.
    StallAt(u64),
    /// A request that gets so far is read to its end, forgotten, and answered with this status.
    StatusAt(u64, u16),
    /// The file arrives, and is answered with this status and body.
    Answer(u16, String),
}

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
    kind: String,
    name: String,
    content_type: String,
    size: u64,
    sha256: [u8; 32],
    bytes: Option<Bytes>,
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

    /// Its bytes; `None` if there are more than [`Uploads::set_most_kept`] allows to keep.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}

/// A request that came to the upload host.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UploadRequest {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    status: Option<u16>,
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

impl Uploads {
    pub(super) fn new(sandbox: Sandbox) -> Self {
        Self { sandbox }
    }

    /// Where the host is, such as `http://127.0.0.1:40124`: without a slash at the end.
    pub fn base_url(&self) -> String {
        self.act(|store| store.base_url.clone())
    }

    /// The files that have arrived whole, in order.
    pub fn received(&self) -> Vec<ReceivedFile> {
        self.act(|store| store.received.clone())
    }

    /// The requests that came, in order.
    pub fn requests(&self) -> Vec<UploadRequest> {
        self.act(|store| store.requests.clone())
    }

    /// Calls `hook` for every request that is answered or reset, downloads included; one whose client went away, or that
    /// [stalls](UploadFault::StallAt), is not told.
    ///
    /// It is called on the server's thread, and must not wait for the bot.
    pub fn on_request(&self, hook: impl Fn(&UploadRequest) + Send + Sync + 'static) {
        self.sandbox.world().on_upload(Arc::new(hook));
    }

    /// How many bytes of files have arrived, what was lost or came again included.
    pub fn bytes_taken(&self) -> u64 {
        self.act(|store| store.bytes_taken)
    }

    /// Where a request carried a bot's token, such as `header referer`. A bot is as it should be if this is empty.
    pub fn leaks(&self) -> Vec<String> {
        self.act(|store| store.leaks.clone())
    }

    /// Something goes wrong with the next upload, after the faults that are waiting already.
    pub fn fail_next(&self, fault: UploadFault) {
        self.act(|store| store.fail_next(fault));
    }

    /// How often sending a message is refused because a file that arrives from now on is still being processed: never,
    /// unless it is set. Both forms in which TamTam says so take turns.
    pub fn set_not_ready(&self, times: u32) {
        self.act(|store| store.set_not_ready(times));
    }

    /// Whether videos and audio are answered with `<retval>1</retval>`, and have their token from `getUploadUrl`; if not
    /// set, the answer is JSON and has the token.
    pub fn set_retval(&self, retval: bool) {
        self.act(|store| store.settings.retval = retval);
    }

    /// How the host tells how much of a file it has; a range if not set.
    pub fn set_status(&self, form: UploadStatus) {
        self.act(|store| store.settings.status = form);
    }

    /// Whether upload URLs come without their scheme (`//host/path`); they have it if not set.
    pub fn set_scheme_relative(&self, relative: bool) {
        self.act(|store| store.settings.scheme_relative = relative);
    }

    /// Whether a range that breaks off is kept as far as it came; if not set, it is forgotten.
    pub fn set_keep_partial(&self, keep: bool) {
        self.act(|store| store.settings.keep_partial = keep);
    }

    /// The largest file whose bytes are kept, in bytes; 64 MiB if not set. Of larger ones only size and hash are known,
    /// so that they take no memory, and their `url` has nothing to give.
    pub fn set_most_kept(&self, bytes: u64) {
        self.act(|store| store.settings.most_kept = bytes);
    }

    fn act<T>(&self, act: impl FnOnce(&mut Store) -> T) -> T {
        self.sandbox.world().act(|state| act(&mut state.uploads))
    }
}

impl fmt::Debug for Uploads {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Uploads").field("sandbox", &self.sandbox).finish()
    }
}
