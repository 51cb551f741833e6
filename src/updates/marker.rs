//! Marker stores: the trait, and those in memory and in a file.

mod file;
mod store;

pub(crate) use store::ErasedStore;
pub use {
    file::{FileStore, FileStoreError},
    store::{MarkerKey, MarkerStore, MemoryStore},
};
