//! Calls of stores: within a time limit, and off the threads of the runtime.

use std::{future::Future, time::Duration};

use tokio::time::timeout;

use crate::error::BoxError;

/// Time limit of a store. A store that hangs must not stop the bot or block its shutdown.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// Waits for a store, for at most [`STORE_TIMEOUT`].
pub(super) async fn in_time<T>(work: impl Future<Output = Result<T, BoxError>>) -> Result<T, BoxError> {
    let done = timeout(STORE_TIMEOUT, work).await;
    done.unwrap_or_else(|_| Err(format!("the store took longer than {STORE_TIMEOUT:?}").into()))
}

/// Runs blocking work on a separate thread, so that the other tasks of the runtime continue.
pub(super) async fn off_the_runtime<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down: no task waits for the result.
            Err(_) => std::future::pending().await,
        },
    }
}
