//! What a test drives the sandbox with: people, and the bots, groups and constructors they deal with.

pub(crate) mod account;
pub(crate) mod actor;
pub(crate) mod constructor;
mod create;
mod demo;
pub(crate) mod enclosure;
pub(crate) mod group;
mod members;
pub(crate) mod person;
mod sending;
mod updates;
pub(crate) mod uploads;
