//! The API for tests: people, groups, constructors, bots and uploads.

pub(crate) mod account;
pub(crate) mod actor;
mod comments;
pub(crate) mod constructor;
mod create;
mod demo;
mod dialog;
pub(crate) mod enclosure;
pub(crate) mod group;
mod members;
pub(crate) mod mini_app;
pub(crate) mod person;
mod sending;
mod updates;
pub(crate) mod uploads;
