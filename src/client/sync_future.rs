//! A boxed `Sync` future, for streams and other types that store a pending call and must be `Sync`.

use std::pin::Pin;

use sync_wrapper::SyncWrapper;

/// A boxed future that is `Sync`, because polling needs exclusive access.
pub(crate) type SyncFuture<T> = SyncWrapper<Pin<Box<dyn Future<Output = T> + Send>>>;

pub(crate) fn sync_future<T>(future: impl Future<Output = T> + Send + 'static) -> SyncFuture<T> {
    SyncWrapper::new(Box::pin(future))
}
