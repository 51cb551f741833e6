//! Tests of the sandbox through HTTP and through its people.

mod bots;
mod channels;
mod chat_buttons;
mod chats;
mod client;
mod constructors;
mod control;
mod demo;
mod errors;
mod faults;
#[cfg(feature = "foreign-clients")]
mod foreign;
mod formats;
#[cfg(target_os = "linux")]
mod leaks;
mod lifecycle;
mod max;
mod members;
mod messages;
#[cfg(feature = "foreign-clients")]
mod node;
mod people;
mod program;
mod protocol;
#[cfg(feature = "foreign-clients")]
mod python;
mod robust;
mod seeds;
mod sending;
mod state_file;
mod strict;
mod subscriptions;
mod updates;
mod uploads;
mod webhook;

// Helpers of the tests of `tamtam`.
#[path = "../../../../tests/it/common.rs"]
#[allow(dead_code)]
mod common;
#[path = "../../../../tests/it/conformance.rs"]
#[allow(dead_code)]
mod conformance;
#[path = "../../../../tests/it/document.rs"]
#[allow(dead_code)]
mod document;
#[path = "../../../../tests/it/fault_server.rs"]
#[allow(dead_code)]
mod fault_server;
#[path = "../../../../tests/it/schemas.rs"]
#[allow(dead_code)]
mod schemas;
