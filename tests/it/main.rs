//! Behaviour through the public API: on the sandbox for what TamTam does, on wiremock for what the wire does.

mod builder;
mod codegen;
mod common;
mod conformance;
mod document;
mod errors;
mod fault_server;
mod faults;
mod instances;
mod models;
mod run;
mod sandbox;
mod schemas;
mod token;
mod traced;
mod updates;
mod uploads;
mod webhook;
mod wire;
