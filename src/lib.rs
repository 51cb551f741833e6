//! An async SDK for the Bot APIs of the messengers [MAX](https://max.ru) and TamTam. The types and operations are
//! generated from OpenAPI documents.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! # let max = tamtam_sandbox::Sandbox::max().await;
//! # let (bot, alice) = (max.bot(), max.user("Alice"));
//! # alice.says("Hello");
//! # let reader = alice.clone();
//! # let shutdown = async move { while reader.reads().await.text() != "Hello" {} };
//! use tamtam::{Bot, Update};
//!
//! async fn echo(bot: Bot, update: Update) -> tamtam::Result<()> {
//!     if let Update::MessageCreated(created) = update
//!         && let Some(message) = &created.message
//!     {
//!         bot.reply(message, message.text().unwrap_or("(no text)")).await?;
//!     }
//!     Ok(())
//! }
//!
//! // `bot` is `Bot::from_env()?` or `Bot::max(token)?`.
//! // `shutdown` is a future such as `tamtam::shutdown_signal()`.
//! bot.run(echo).graceful_shutdown_on(shutdown).await?;
//! # Ok(())
//! # }
//! ```
//!
//! The crate requires the runtime `tokio` and Rust 1.90 or later. These commands add both crates to a program:
//!
//! ```text
//! cargo add tamtam
//! cargo add tokio --features macros,rt-multi-thread
//! ```
//!
//! # Where to start
//!
//! | you want to | see |
//! |---|---|
//! | send, edit and delete messages | [`Bot::send`], [`Bot::reply`], [`Bot::edit`], [`Bot::delete`], [`Bot::send_long`] |
//! | add buttons, and answer presses | [`Keyboard`], [`Button`], [`Bot::answer`] |
//! | format a text | [`text::Text`] |
//! | upload files | [`Bot::upload_photo`], [`upload`] |
//! | handle updates | [`Bot::run`], [`updates::Run`], [`Update`] |
//! | read updates in your own loop | [`Bot::updates`], [`updates::Updates`] |
//! | keep the position in the updates across restarts | [`updates::FileStore`] |
//! | store updates on disk until they are handled | `updates::Journal` (feature `journal`) |
//! | receive updates by webhook | `webhook` (feature `webhook`) |
//! | manage chats and members | [`Bot::chat`], [`Bot::members`], [`Bot::member`], [`Bot::block_member`], [`Bot::pin`] |
//! | list chats, members, messages, comments | [`pages`] |
//! | write to many chats | [`Bot::background`], [`guide::broadcast`] |
//! | handle errors | [`Error`], [`ErrorKind`], [`settings::RetryPolicy`] |
//! | call any operation of the API | [`Bot::api`], [`Bot::request`] |
//! | test a bot | the crate `tamtam-sandbox` |
//! | monitor a bot | [`updates::Health`], [`guide::logging`] |
//! | move from another library, or from TamTam to MAX | [`guide`] |
//!
//! # Services
//!
//! [`Bot::max`] creates a client for a bot of MAX, and [`Bot::new`] creates a client for a bot of TamTam. TamTam closed
//! to users on 27 February 2026. Use MAX for new bots.
//!
//! "MAX only" and "TamTam only" mark items that only one service has. If you call an operation that the service of the
//! bot does not have, the call fails and sends no request ([`ErrorKind::Unsupported`]).
//!
//! By default, a bot of TamTam uses version 0.5.6 of the API. To use another version, call [`BotBuilder::version`]. The
//! API of MAX has no versions.
//!
//! # Guarantees
//!
//! - The bot calls your handler (an async function) at least once for each update. By default, an update is not retried
//!   if the handler fails. See [`updates::Run`].
//! - With polling, updates of one chat are handled in order. With a webhook, this guarantee requires a
//!   `updates::Journal` (feature `journal`) or the crate `tamtam-nats`.
//! - An update, attachment or button of an unknown kind becomes the variant `Unknown`. This variant contains the JSON.
//!   Unknown properties are ignored.
//! - A value in a response can be of another type than this crate expects. If the response is usable without the value,
//!   the value is left out, replaced by a default, or kept as `Unknown`. The log contains the path of the value.
//!   Otherwise, the call fails ([`ErrorKind::Decode`]).
//! - By default, a request that the server may already have applied is retried only if it is idempotent (a repetition
//!   has no further effect). So a retry does not post a message twice. See [`settings::RetryPolicy`].
//! - By default, a request that would exceed a rate limit of the service is delayed. See [`settings::Pace`].
//! - Errors, logs, `Debug` output and panic messages never contain tokens, webhook secrets or upload URLs.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `rustls` (default) | TLS by `rustls`, with the certificate verifier of the operating system |
//! | `native-tls` | TLS by the library of the operating system. Replaces `rustls` if both features are enabled. |
//! | `webhook` | the module `webhook`, with an axum router that receives updates by webhook |
//! | `journal` | `updates::Journal`, a durable queue of updates in a file |
//! | `mini-app` | the module `mini_app`, which checks data that MAX signed: data of Mini Apps (web pages inside MAX), shared contacts and shared phone numbers |
//! | `socks` | support for SOCKS proxies |
//! | `full` | the features `webhook`, `journal`, `mini-app` and `socks` |

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

// First, so that the documentation of `Bot` begins with its methods, and that of `Update` with the generated accessors.
mod bot_methods;

pub mod api;

mod accessors;
mod builder;
mod chats;
mod client;
mod compose;
mod error;
pub mod guide;
mod id;
#[doc(hidden)]
pub mod internals;
mod json;
#[cfg(feature = "mini-app")]
pub mod mini_app;
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

/// The types of requests, responses and updates, generated from the OpenAPI documents of MAX and TamTam.
///
/// The types have the fields and values of both services. "MAX only" and "TamTam only" mark items that only one service
/// has.
///
/// Types for values that a bot sends have a function `new`, which takes the required fields. Each field of these types
/// also has a setter. Many of these types also implement `Default` or `From`.
///
/// A *dialog* is the private chat of one user and the bot. A *constructor* (TamTam only) is a window in which a user
/// composes a message with the help of the bot.
///
/// Servers can send new values, such as new kinds of updates, without notice. So enums such as [`Update`] and
/// [`ChatType`](types::ChatType) have a variant `Unknown` for values that this crate does not define or cannot parse.
/// Serialization writes an unknown value unchanged.
///
/// ```
/// use tamtam::types::{ChatType, SenderAction, Unknown};
///
/// assert_eq!(ChatType::from("channel"), ChatType::Channel);
/// assert_eq!(SenderAction::TypingOn.as_str(), "typing_on");
/// let update: tamtam::Update = serde_json::from_str(r#"{"update_type": "moon_risen"}"#)?;
/// assert!(matches!(update, tamtam::Update::Unknown(Unknown { .. })));
/// # Ok::<_, serde_json::Error>(())
/// ```
pub mod types {
    pub use crate::{
        api::generated::types::*,
        compose::keyboard::Buttons,
        id::{CallbackId, SessionId},
        json::union::Unknown,
    };
}

/// The requests and guards that the methods of [`Bot`] return, and the traits for the parameters of these methods.
///
/// Set the optional values of a request, and then `.await` the request. The requests of [`Bot::api`] are in the module
/// [`api`].
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
            member::{GetMember, IsAdmin},
            messages::{edit::EditRequest, send::SendRequest, send_long::SendLong, sendable::Sendable},
            target::IntoTarget,
        },
        client::raw_request::RawRequest,
        compose::text::long::LongText,
        id::IntoMessageId,
    };
}

/// The types for the settings of a bot: retries, rate limits, API version, and limits for messages, keyboards and
/// files.
///
/// To set the retries, the rate limits or the API version of a bot, use [`BotBuilder`]. To set the limits for messages,
/// keyboards and files, use [`Service::with_limits`].
///
/// ```
/// use std::time::Duration;
///
/// use tamtam::{Bot, settings::{Pace, RetryPolicy}};
///
/// # fn main() -> tamtam::Result<()> {
/// let bot = Bot::builder("token")
///     .retry(RetryPolicy::default().attempts(5).budget(Duration::from_secs(60)))
///     .pace(Pace::none().requests_per_second(10))
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
