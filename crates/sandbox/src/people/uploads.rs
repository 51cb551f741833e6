//! The upload host: its received files, and its faults.

use std::fmt;
use std::sync::Arc;

use crate::sandbox::Sandbox;
use crate::state::uploads::fault::UploadFault;
use crate::state::uploads::reports::{ReceivedFile, UploadRequest, UploadStatus};
use crate::state::uploads::store::Store;

/// The sandbox's upload host, returned by [`Sandbox::uploads`]: its received files, and its faults.
///
/// The host has its own port, and accepts both protocols: a form in one piece (`multipart/form-data`) and sequential
/// ranges. [`leaks`](Self::leaks) lists where requests carried a bot's token, except in the bytes of a file. Such a
/// request is refused, unless the token is only in the header `Authorization`: real hosts ignore that header.
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
    /// Returns the upload host.
    pub fn uploads(&self) -> Uploads {
        Uploads { sandbox: self.clone() }
    }
}

impl Uploads {
    /// Returns the URL of the host, such as `http://127.0.0.1:40124`, without a trailing slash.
    pub fn base_url(&self) -> String {
        self.act(|store| store.base_url.clone())
    }

    /// Returns the completely received files, in order.
    pub fn received(&self) -> Vec<ReceivedFile> {
        self.act(|store| store.received.clone())
    }

    /// Returns the received requests, in order.
    pub fn requests(&self) -> Vec<UploadRequest> {
        self.act(|store| store.requests.clone())
    }

    /// Calls `hook` for every request that is answered or reset, including downloads. Requests whose client
    /// disconnects, and requests that [stall](UploadFault::StallAt), are not reported.
    ///
    /// `hook` runs on the server's thread, and must not wait for the bot.
    pub fn on_request(&self, hook: impl Fn(&UploadRequest) + Send + Sync + 'static) {
        self.sandbox.world().on_upload(Arc::new(hook));
    }

    /// Returns how many bytes of files have arrived, including lost and repeated bytes.
    pub fn bytes_taken(&self) -> u64 {
        self.act(|store| store.bytes_taken)
    }

    /// Returns where requests carried a bot's token, such as `header referer`. A correct bot leaves this list empty.
    pub fn leaks(&self) -> Vec<String> {
        self.act(|store| store.leaks.clone())
    }

    /// Injects a fault into the next upload, after the faults that are already waiting.
    pub fn fail_next(&self, fault: UploadFault) {
        self.act(|store| store.fail_next(fault));
    }

    /// Sets how many times a message is refused because its file is still being processed. Applies to files that are
    /// uploaded from now on. Defaults to 0. The two forms of this error alternate.
    pub fn set_not_ready(&self, times: u32) {
        self.act(|store| store.set_not_ready(times));
    }

    /// Sets whether uploads of videos and audio are answered with `<retval>1</retval>`, and `getUploadUrl` returns
    /// their token. Otherwise, the answer is JSON with the token. Defaults to `true` on MAX, and to `false` on TamTam.
    pub fn set_retval(&self, retval: bool) {
        self.act(|store| store.settings.retval = retval);
    }

    /// Sets how the host reports the received part of a file. Defaults to [`UploadStatus::Range`].
    pub fn set_status(&self, form: UploadStatus) {
        self.act(|store| store.settings.status = form);
    }

    /// Sets whether upload URLs have no scheme (`//host/path`). Defaults to `false`.
    pub fn set_scheme_relative(&self, relative: bool) {
        self.act(|store| store.settings.scheme_relative = relative);
    }

    /// Sets whether the received part of an interrupted range is kept. Defaults to `false`.
    pub fn set_keep_partial(&self, keep: bool) {
        self.act(|store| store.settings.keep_partial = keep);
    }

    /// Sets the size of the largest file whose bytes are kept, in bytes. Defaults to 64 MiB. Of larger files, only size
    /// and hash are kept, to save memory. Their `url` is answered with 410.
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
