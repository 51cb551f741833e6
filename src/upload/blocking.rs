//! Blocking work on a separate thread: a disk, or the network behind it, may be slow.

use tokio::sync::oneshot;

use crate::error::Reason;

/// Runs blocking work on a separate thread, from the first poll on.
pub(super) async fn off_this_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Reason> {
    let (done, result) = oneshot::channel();
    let thread = std::thread::Builder::new().name("tamtam-upload".to_owned());
    let thread = thread.spawn(move || drop(done.send(work())));
    thread.map_err(|error| Reason::Source {
        problem: format!("cannot start a thread to read the source: {error}"),
        source: Some(error),
    })?;
    result
        .await
        .map_err(|_| Reason::Source { problem: "the thread that reads the source panicked".to_owned(), source: None })
}
