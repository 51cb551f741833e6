#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

// First, so that the documentation of `Bot` begins with its methods.
mod bot;

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
pub mod upload;
mod validation;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use builder::BotBuilder;
pub use chats::{command::Command, link, pages, target::Target};
pub use client::bot::Bot;
pub use compose::text;
pub use error::{ChatDenied, Error, ErrorCode, ErrorKind, Result};
/// The crate `http`, for the methods of [`Bot::request`] and the statuses of [`Error::status`].
#[doc(no_inline)]
pub use http;
pub use id::{ChatId, MessageId, UserId};
/// The HTTP client, for [`BotBuilder::http`].
#[doc(no_inline)]
pub use reqwest;
pub use service::Service;
#[doc(inline)]
pub use types::{
    Attachment, AttachmentRequest, BotCommand, Button, Callback, Chat, ChatMember, Keyboard, Message, NewMessageBody,
    Update, UpdateType, User,
};
pub use updates::{handler::HandlerResult, shutdown::shutdown_signal};

/// The models of the API, generated from the OpenAPI documents.
///
/// Unions such as [`Update`] and string enums have a variant `Unknown`: it keeps a kind or value that the crate does not
/// have, and writes it back unchanged. Create models by their `new`, `Default` or `From`, and set optional properties by
/// their setters or fields.
///
/// ```
/// use tamtam::types::{ChatAction, ChatType, Unknown};
///
/// assert_eq!(ChatType::from("channel"), ChatType::Channel);
/// assert_eq!(ChatAction::TypingOn.as_str(), "typing_on");
/// let update: tamtam::Update = serde_json::from_str(r#"{"update_type": "moon_risen"}"#)?;
/// assert!(matches!(update, tamtam::Update::Unknown(Unknown { .. })));
/// # Ok::<_, serde_json::Error>(())
/// ```
pub mod types {
    pub use crate::{
        api::generated::types::*,
        compose::keyboard::Buttons,
        id::{CallbackId, SessionId},
        model::union::Unknown,
    };
}

/// The requests that the methods of [`Bot`] return. Set optional values, then `.await` the request.
///
/// The requests of [`Bot::api`] are in [`api`].
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let max = tamtam_sandbox::Sandbox::max().await;
/// # let (bot, alice) = (max.bot(), max.user("Alice"));
/// # alice.starts();
/// use std::time::Duration;
///
/// let request = bot.send(alice.user_id(), "Good night").notify(false);
/// request.request_timeout(Duration::from_secs(5)).await?;
/// # assert_eq!(alice.reads().await.text(), "Good night");
/// # Ok(())
/// # }
/// ```
pub mod request {
    pub use crate::{
        chats::{
            action::ActionGuard,
            command::SetCommands,
            messages::{edit::EditRequest, send::SendRequest, send_long::SendLong, sendable::Sendable},
            target::IntoTarget,
        },
        client::raw_request::RawRequest,
        id::IntoMessageId,
    };
}

/// Types of the settings of a [`BotBuilder`]: retries, pace, limits, version.
///
/// ```
/// use std::time::Duration;
///
/// use tamtam::{Bot, settings::{Pace, RetryPolicy}};
///
/// # fn main() -> tamtam::Result<()> {
/// let bot = Bot::builder("token")
///     .retry(RetryPolicy::default().max_attempts(5).budget(Duration::from_secs(60)))
///     .pace(Pace::default().requests_per_second(10))
///     .build()?;
/// # let _ = bot;
/// # Ok(())
/// # }
/// ```
pub mod settings {
    pub use crate::{
        client::retry::{Retry, RetryPolicy},
        service::{ApiVersion, Limits, Pace},
    };
}
