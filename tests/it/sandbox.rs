//! The sandbox, seen from outside: by HTTP, and by its people.

mod bots;
mod channels;
mod chat_buttons;
mod chats;
mod client;
mod constructors;
mod formats;
#[cfg(target_os = "linux")]
mod leaks;
mod lifecycle;
mod members;
mod messages;
mod people;
mod protocol;
mod robust;
mod seeds;
mod sending;
mod subscriptions;
mod updates;
mod uploads;
mod webhook;
