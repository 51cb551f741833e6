//! Behaviour through the public API: on the sandbox for what TamTam does, on wiremock for what the wire does.

mod conformance;
mod document;
mod sandbox;
mod updates;
