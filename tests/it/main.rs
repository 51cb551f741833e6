//! Integration tests of the public API: on the sandbox for the behavior of TamTam and MAX, on wiremock and raw sockets
//! for requests and network failures.

mod accessors;
mod actions;
mod builder;
mod chat_book;
mod chats;
mod codegen;
mod commands;
mod common;
mod conformance;
mod document;
mod engine;
mod errors;
mod fault_server;
mod faults;
mod guides;
mod http2;
mod instances;
mod journal;
mod limits;
mod links;
mod logging;
mod models;
mod names;
mod pace;
mod pages;
mod run;
mod schemas;
mod services;
#[cfg(unix)]
mod shutdown;
mod subscriptions;
mod text;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod tls;
mod token;
mod traced;
mod updates;
mod uploads;
mod vocabulary;
mod webhook;
mod wire;
