//! The upload host: its received files, and its faults.

use std::fmt;
use std::sync::Arc;

use crate::sandbox::Sandbox;
use crate::state::uploads::fault::UploadFault;
use crate::state::uploads::reports::{ReceivedFile, UploadRequest, UploadStatus};
use crate::state::uploads::store::Store;

/// The upload host of a sandbox: the server to which bots upload files. Returned by [`Sandbox::uploads`].
///
/// A bot can upload a file in two ways:
///
/// - As one form (`multipart/form-data`).
/// - As ranges of bytes, one after another. Each request contains one range, and the header `Content-Range`.
///
/// A bot must not send its token to an upload host. The upload host responds with the status 400 if a bot's token is in
/// the URL, in a form field, or in a header. The exception is the header `Authorization`, because real upload hosts
/// ignore this header. [`leaks`](Self::leaks) lists all places that contained a token, including `Authorization`. The
/// upload host does not search the bytes of files for tokens.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam_sandbox::UploadFault;
///
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let fast = tamtam::settings::RetryPolicy::default().backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
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

impl Sandbox {
    /// Returns the upload host, the server to which bots upload files. Use it to read the received files, and to inject
    /// faults into uploads.
    pub fn uploads(&self) -> Uploads {
        Uploads { sandbox: self.clone() }
    }
}

impl Uploads {
    /// Returns the URL of the upload host, such as `http://127.0.0.1:40124`, without a trailing slash.
    pub fn base_url(&self) -> String {
        self.act(|store| store.base_url.clone())
    }

    /// Returns the files that were received completely, the oldest first.
    pub fn received(&self) -> Vec<ReceivedFile> {
        self.act(|store| store.received.clone())
    }

    /// Returns all requests to the upload host, the oldest first. A request uploads data, downloads a file, or queries
    /// how many bytes of a file the upload host has received.
    pub fn requests(&self) -> Vec<UploadRequest> {
        self.act(|store| store.requests.clone())
    }

    /// Adds a hook, which is a function that the sandbox calls at the end of a request to the upload host. A request
    /// ends in these cases:
    ///
    /// - The response is ready.
    /// - The sandbox resets the connection.
    /// - The client disconnects before the upload host has received the whole request.
    ///
    /// `hook` is not called for a request that a fault [stalls](UploadFault::StallAt), even if the client disconnects
    /// later.
    ///
    /// `hook` runs on the server's thread, and must not wait for a bot.
    pub fn on_request(&self, hook: impl Fn(&UploadRequest) + Send + Sync + 'static) {
        self.sandbox.world().on_upload(Arc::new(hook));
    }

    /// Returns the number of file bytes that the upload host has received. The number includes discarded and
    /// repeated bytes.
    pub fn bytes_taken(&self) -> u64 {
        self.act(|store| store.bytes_taken)
    }

    /// Returns the places at which requests contained a bot's token, such as `the URL` or `header referer`. For a
    /// correct bot, this list is empty.
    pub fn leaks(&self) -> Vec<String> {
        self.act(|store| store.leaks.clone())
    }

    /// Injects a fault into the next upload that reaches the [position](UploadFault) of the fault (a number of bytes).
    /// [`UploadFault::Answer`] has no position, and happens when an upload completes a file. If you call this method
    /// several times, the faults happen one at a time, in the order of the calls.
    pub fn fail_next(&self, fault: UploadFault) {
        self.act(|store| store.fail_next(fault));
    }

    /// Makes the API refuse the first `times` messages with each uploaded file, as if the file were still being
    /// processed. The setting affects only files that are uploaded after this call. Defaults to 0.
    ///
    /// The refusals alternate between two errors of the real API. One error has the code `attachment.not.ready`. The
    /// other error has the code `proto.payload`, and the text `errors.process.attachment.file.not.processed` in its
    /// field `message`.
    pub fn set_not_ready(&self, times: u32) {
        self.act(|store| store.set_not_ready(times));
    }

    /// Sets how the bot gets the token of an uploaded video or audio file. A message refers to the file by this token.
    ///
    /// - `true`: the response of `getUploadUrl` contains the token. The response to the upload contains
    ///   `<retval>1</retval>`. This is the default on MAX.
    /// - `false`: the response to the upload is JSON with the token. This is the default on TamTam.
    pub fn set_retval(&self, retval: bool) {
        self.act(|store| store.settings.retval = retval);
    }

    /// Sets the format in which the upload host reports the received part of a file. Defaults to
    /// [`UploadStatus::Range`].
    pub fn set_status(&self, form: UploadStatus) {
        self.act(|store| store.settings.status = form);
    }

    /// Sets whether upload URLs omit the scheme (`//host/path` instead of `http://host/path`). Defaults to `false`.
    pub fn set_scheme_relative(&self, relative: bool) {
        self.act(|store| store.settings.scheme_relative = relative);
    }

    /// Sets whether the upload host keeps the received part of an interrupted range. If `false`, the bot must send the
    /// whole range again. Defaults to `false`.
    pub fn set_keep_partial(&self, keep: bool) {
        self.act(|store| store.settings.keep_partial = keep);
    }

    /// Sets the maximum size of the files that the upload host stores, in bytes. Defaults to 64 MiB. A larger file can
    /// be uploaded, but a download of the file fails with the status 410. [`ReceivedFile::size`] and
    /// [`ReceivedFile::sha256`] still describe the whole file.
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
