//! A boxed future for types that keep a pending call and must be `Sync`, such as streams.

use std::pin::Pin;

use sync_wrapper::SyncWrapper;

/// A boxed future that is `Sync`: only its owner polls it.
pub(crate) type SyncFuture<T> = SyncWrapper<Pin<Box<dyn Future<Output = T> + Send>>>;

pub(crate) fn sync_future<T>(future: impl Future<Output = T> + Send + 'static) -> SyncFuture<T> {
    SyncWrapper::new(Box::pin(future))
}
