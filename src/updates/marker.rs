//! Marker stores: the trait, a store in memory and a store in a file.

mod file;
mod store;

pub(crate) use store::ErasedStore;
pub use {
    file::{FileStore, FileStoreError},
    store::{MarkerKey, MarkerStore, MemoryStore},
};
