//! Uploads: the host that takes the bytes, what it can be told to do wrong, and what has arrived there.

use std::fmt;
use std::sync::Arc;

use crate::sandbox::Sandbox;
use crate::state::uploads::fault::UploadFault;
use crate::state::uploads::reports::{ReceivedFile, UploadRequest, UploadStatus};
use crate::state::uploads::store::Store;

/// The sandbox's upload host, made by [`Sandbox::uploads`]: what has arrived there, and what is to go wrong.
///
/// It is a host of its own, on another port than the API, and takes both protocols: a form in one piece
/// (`multipart/form-data`) and sequential ranges. [`leaks`](Self::leaks) returns the requests that carry a bot's token
/// anywhere but in the bytes of the file. They are refused, unless the token is in the header `Authorization`: real hosts
/// ignore that header.
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

impl Sandbox {
    /// The host that takes uploads: what has arrived there, and what is to go wrong.
    pub fn uploads(&self) -> Uploads {
        Uploads { sandbox: self.clone() }
    }
}

impl Uploads {
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
