//! The sandbox, seen from outside: by HTTP, and by its people.

mod chats;
mod client;
mod errors;
mod faults;
mod lifecycle;
mod members;
mod messages;
mod people;
mod protocol;
mod python;
mod robust;
mod strict;
mod subscriptions;
mod updates;
mod uploads;
mod webhook;
