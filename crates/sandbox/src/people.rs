//! What a test drives the sandbox with: people, and the bots, groups and constructors they deal with.

mod account;
pub(super) mod actor;
mod constructor;
mod enclosure;
mod group;
mod person;
mod seen;
mod sending;

pub use account::Account;
pub use constructor::{Constructor, Prepared};
pub use enclosure::Enclosure;
pub use group::Group;
pub use person::Person;
pub use seen::Seen;
