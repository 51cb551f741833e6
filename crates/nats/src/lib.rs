#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backoff;
mod dead;
mod doc_example;
mod error;
mod lag;
mod names;
mod open;
mod publish;
mod purge;
mod queue;
mod receive;
mod slots;
mod work;
mod writer;

pub use dead::{Dead, DeadLetter};
pub(crate) use doc_example::doc_example;
pub use error::{Error, ErrorKind, Result};
pub use lag::Lag;
pub use open::Open;
pub use queue::Queue;
pub use receive::Receive;
pub use work::Work;
pub use writer::Writer;

/// The crate of the NATS client. [`Queue::open`] needs a client of this version.
#[doc(no_inline)]
pub use async_nats;
