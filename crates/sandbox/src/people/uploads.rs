//! The upload host: its received files, and its faults.

use std::fmt;
use std::sync::Arc;

use crate::sandbox::Sandbox;
use crate::state::uploads::fault::UploadFault;
use crate::state::uploads::reports::{ReceivedFile, UploadRequest, UploadStatus};
use crate::state::uploads::store::Store;

/// The sandbox's upload host, returned by [`Sandbox::uploads`]. It receives the files that bots upload. Its methods
/// return the received files, inject faults, and change settings.
///
/// The host has its own port. A file can be uploaded in two ways: as one form (`multipart/form-data`), or as ranges of
/// bytes (`Content-Range`), one after another.
///
/// A bot must not send its token to an upload host. The host refuses a request with a bot's token, except if the token
/// is only in the header `Authorization`, which real hosts ignore. The bytes of files are not searched.
/// [`leaks`](Self::leaks) lists where the tokens were.
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
    /// Returns the upload host, to read the received files and to inject faults into uploads.
    pub fn uploads(&self) -> Uploads {
        Uploads { sandbox: self.clone() }
    }
}

impl Uploads {
    /// Returns the URL of the upload host, such as `http://127.0.0.1:40124`, without a trailing slash.
    pub fn base_url(&self) -> String {
        self.act(|store| store.base_url.clone())
    }

    /// Returns the files that were received completely, in order.
    pub fn received(&self) -> Vec<ReceivedFile> {
        self.act(|store| store.received.clone())
    }

    /// Returns all requests to the upload host, including queries of the upload status and downloads, in order.
    pub fn requests(&self) -> Vec<UploadRequest> {
        self.act(|store| store.requests.clone())
    }

    /// Adds a hook that is called for every request to the upload host, including downloads. The hook runs when the
    /// response is ready, or when the connection is reset. Requests whose client disconnects, and requests that
    /// [stall](UploadFault::StallAt), are not reported.
    ///
    /// `hook` runs on the server's thread, and must not wait for the bot.
    pub fn on_request(&self, hook: impl Fn(&UploadRequest) + Send + Sync + 'static) {
        self.sandbox.world().on_upload(Arc::new(hook));
    }

    /// Returns the number of bytes of files that have arrived, including bytes that were discarded or sent twice.
    pub fn bytes_taken(&self) -> u64 {
        self.act(|store| store.bytes_taken)
    }

    /// Returns the places in requests that contained a bot's token, such as `the URL` or `header referer`. A correct
    /// bot leaves this list empty.
    pub fn leaks(&self) -> Vec<String> {
        self.act(|store| store.leaks.clone())
    }

    /// Injects a fault into the next upload. If earlier faults have not happened yet, the new fault happens after them.
    pub fn fail_next(&self, fault: UploadFault) {
        self.act(|store| store.fail_next(fault));
    }

    /// Sets how many times the server refuses a message because its file is still being processed. Applies to files
    /// that are uploaded after this call. Defaults to 0.
    ///
    /// The refusals alternate between the two known errors: the code `attachment.not.ready`, and the message
    /// `errors.process.attachment.file.not.processed`.
    pub fn set_not_ready(&self, times: u32) {
        self.act(|store| store.set_not_ready(times));
    }

    /// Sets the form of responses to uploads of videos and audio. If `true`, the response is `<retval>1</retval>`, and
    /// the operation `getUploadUrl` returns the token. If `false`, the response is JSON with the token. Defaults to
    /// `true` on MAX, and to `false` on TamTam.
    pub fn set_retval(&self, retval: bool) {
        self.act(|store| store.settings.retval = retval);
    }

    /// Sets the format in which the host reports the received part of a file. Defaults to [`UploadStatus::Range`].
    pub fn set_status(&self, form: UploadStatus) {
        self.act(|store| store.settings.status = form);
    }

    /// Sets whether upload URLs have no scheme (`//host/path`). Defaults to `false`.
    pub fn set_scheme_relative(&self, relative: bool) {
        self.act(|store| store.settings.scheme_relative = relative);
    }

    /// Sets whether the host keeps the received part of an interrupted range. If `false`, the range must be sent again
    /// as a whole. Defaults to `false`.
    pub fn set_keep_partial(&self, keep: bool) {
        self.act(|store| store.settings.keep_partial = keep);
    }

    /// Sets the maximum size of a file whose bytes are kept, in bytes. Defaults to 64 MiB. For a larger file, only the
    /// size and the hash are kept, to save memory. A download of a larger file fails with the status 410.
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
