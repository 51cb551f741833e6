#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod action;
pub mod api;
mod attachment;
mod bot;
mod builder;
mod callback;
mod chats;
mod check;
mod clock;
mod command;
mod constructor;
mod error;
pub mod guide;
mod handler;
mod health;
mod id;
#[doc(hidden)]
pub mod internals;
mod keyboard;
mod link;
mod marker;
mod message;
mod open_enum;
mod pages;
mod payload;
mod polling;
mod raw;
mod request;
mod retry;
mod run;
mod secret;
mod shared;
mod subscriptions;
pub mod text;
mod token;
mod transport;
mod union;
mod update;
mod upload;
#[cfg(feature = "webhook")]
pub mod webhook;
mod whole_file;

pub use action::ActionGuard;
pub use api::generated::types;
pub use bot::{Bot, Target};
pub use builder::BotBuilder;
pub use command::Command;
pub use error::{ChatDenied, Error, ErrorCode};
pub use handler::{Cause, Failed, HandlerResult, Recovery};
pub use health::Health;
/// Methods and statuses, as [`Bot::request`] takes and [`Error::status`] gives them.
#[doc(no_inline)]
pub use http;
pub use id::{CallbackId, ChatId, MessageId, SessionId, UserId};
pub use keyboard::Buttons;
pub use link::{ChatLink, DeepLink};
pub use marker::{FileStore, FileStoreError, MarkerKey, MarkerStore, MemoryStore};
pub use pages::{Chats, Members, Messages};
pub use polling::{StartFrom, Updates};
pub use raw::RawRequest;
/// The HTTP client underneath, for [`BotBuilder::http`].
#[doc(no_inline)]
pub use reqwest;
pub use retry::{Retry, RetryPolicy};
pub use run::Run;
pub use types::{AttachmentRequest, Button, Callback, Keyboard, Message, NewMessageBody, Update, UpdateType};
pub use union::Unknown;
pub use upload::{EditUploads, Media, Progress, SendUploads, Sendable, Source, Upload, UploadMessage, UploadSession};

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
