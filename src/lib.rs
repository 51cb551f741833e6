#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accessors;
pub mod api;
mod builder;
mod chats;
mod client;
mod compose;
mod error;
pub mod guide;
mod id;
#[doc(hidden)]
pub mod internals;
#[cfg(feature = "mini-app")]
pub mod mini_app;
mod model;
mod redaction;
mod service;
pub mod updates;
mod upload;
mod validation;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use api::generated::types;
pub use builder::BotBuilder;
pub use chats::{
    action::ActionGuard,
    command::{Command, SetCommands},
    link::{AppLink, ChatLink, DeepLink, ShareLink},
    pages::{Chats, Comments, Members, Messages},
};
pub use client::{
    bot::{Bot, Target},
    raw_request::RawRequest,
    retry::{Retry, RetryPolicy},
};
pub use compose::{keyboard::Buttons, text};
pub use error::{ChatDenied, Error, ErrorCode, ErrorKind, Result};
/// The crate `http`, for the methods of [`Bot::request`] and the statuses of [`Error::status`].
#[doc(no_inline)]
pub use http;
pub use id::{CallbackId, ChatId, MessageId, SessionId, UserId};
pub use model::union::Unknown;
/// The HTTP client of the crate, for [`BotBuilder::http`].
#[doc(no_inline)]
pub use reqwest;
pub use service::{ApiVersion, Limits, Pace, Service};
pub use types::{AttachmentRequest, Button, Callback, Keyboard, Message, NewMessageBody, Update, UpdateType};
pub use updates::{
    handler::{Cause, Failed, HandlerResult, Recovery},
    health::Health,
    marker::{FileStore, FileStoreError, MarkerKey, MarkerStore, MemoryStore},
    raw_update::{RawUpdate, RawUpdates},
    run::Run,
    stream::{StartFrom, Updates},
};
pub use upload::{Media, Progress, Source, Upload, UploadMessage, UploadSession};
/// x
pub mod request {
    pub use crate::chats::messages::{edit::EditRequest, send::SendRequest, send_long::SendLong, sendable::Sendable};
}
