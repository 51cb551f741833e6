//! Behaviour through the public API: on the sandbox for what TamTam does, on wiremock for what the wire does.

mod codegen;
mod conformance;
mod document;
mod fault_server;
mod faults;
mod instances;
mod models;
mod sandbox;
mod updates;
