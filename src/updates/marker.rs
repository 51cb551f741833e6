//! Where a bot keeps its place among its updates: the marker store.

mod file;
mod store;

pub(crate) use store::ErasedStore;
pub use {
    file::{FileStore, FileStoreError},
    store::{MarkerKey, MarkerStore, MemoryStore},
};
