//! Updates by webhook: TamTam calls the bot, through an axum router.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let tamtam = tamtam_sandbox::Sandbox::start().await;
//! # let bot = tamtam.bot();
//! # let alice = tamtam.user("Alice");
//! # let secret_path = "/0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c";
//! use tamtam::{Bot, Update, webhook::{Webhook, axum}};
//!
//! async fn on_update(bot: Bot, update: Update) -> tamtam::Result<()> {
//!     if let Update::BotStarted(started) = update {
//!         bot.send(started.chat_id, "Hello!").await?;
//!     }
//!     Ok(())
//! }
//!
//! // `secret_path` is a slash and what `openssl rand -hex 32` printed.
//! let app = Webhook::new(bot.clone(), secret_path)?.router(on_update);
//! # /*
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! bot.subscribe_webhook(format!("https://bot.example{secret_path}"), []).await?;
//! axum::serve(listener, app).await?;
//! # */
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let url = format!("http://{}{secret_path}", listener.local_addr()?);
//! # tokio::spawn(axum::serve(listener, app).into_future());
//! # bot.subscribe_webhook(url, []).await?;
//! # alice.starts();
//! # assert_eq!(alice.reads().await.text(), "Hello!");
//! # tamtam.delivers().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What TamTam does
//!
//! - It posts one update at a time to the URL that was subscribed, on port 80, 8080, 443, 8443 or one from 16384 to
//!   32383. What is not answered with 200 it delivers again, every 30 to 60 seconds for up to 8 hours; then it may drop
//!   the subscription.
//! - It signs nothing. The path of the URL is the secret: whoever knows it can post updates to the bot. Keep it as you
//!   keep the token, and out of the logs of your proxy and your middleware. [`is_tamtam_address`] is a second fence.
//! - While a webhook is subscribed, polling brings nothing. Subscribing another URL adds it to the first, which goes on:
//!   [`unsubscribe`](crate::api::Api::unsubscribe) the old one.
//!
//! # What this module does
//!
//! - It speaks HTTP. **TLS is your proxy's business** (nginx, Caddy, a load balancer), in front of the address that axum
//!   listens on: one that others cannot reach.
//! - It answers 200 only after the handler has succeeded, or after [`on_error`](Webhook::on_error) has returned
//!   [`Skip`](Recovery::Skip), which is the default if a handler fails. [`Retry`](Recovery::Retry) is a 503. A body that
//!   arrives whole but is not an update is passed to `on_error` as bytes; without `on_error` the answer is 503. A body that
//!   was cut is never answered with 200.
//! - A value that does not fit the models costs only itself, as in polling: it is left out, and the log says where it was.
//! - A handler runs to its end, or to its [timeout](Webhook::handler_timeout), even if TamTam hangs up meanwhile. If the
//!   update is delivered again before that, the second delivery waits for the first and gets its answer: the handler runs
//!   once.
//! - Updates come **at least once**: an answer can get lost after the handler has succeeded, and then the update comes
//!   again. They are handled as they come, all at the same time, and what is delivered again comes later than what came
//!   after it: there is **no order**, not even within a chat. Where order matters, look at the updates' `timestamp`, or
//!   [poll](Bot::updates).
//! - Only POST to the path itself gets that far. At a wrong path there seems to be nothing: 404, as axum answers where it
//!   has no route. Another method is answered with 405, a body beyond the [limit](Webhook::body_limit) with 413.
//!
//! # A durable queue
//!
//! 200 says to TamTam that it may forget the update. So a handler that writes it down durably and then returns is all
//! that a queue needs. It is fast, however long the work takes, and what cannot be written down is delivered again:
//!
//! ```
//! # use std::{io::{self, Write as _}, sync::{Arc, Mutex}};
//! use tamtam::{Recovery, webhook::Webhook};
//!
//! # /// The table, stream or file that you have.
//! # #[derive(Clone, Default)]
//! # struct Queue(Arc<Mutex<Vec<u8>>>);
//! # impl Queue {
//! /// Writes a job down, and returns when it is on the disk.
//! async fn push(&self, job: &[u8]) -> io::Result<()> {
//! #   self.0.lock().unwrap().write_all(job)
//!     // ...
//! }
//! # }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (bot, queue) = (tamtam::Bot::new("token")?, Queue::default());
//! # let secret_path = "/0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c";
//! # let written = queue.clone();
//! let app = Webhook::new(bot, secret_path)?
//!     .on_error(|failed| {
//!         eprintln!("{}", failed.cause());
//!         // What is no update never will be one; anything else may be written down next time.
//!         if failed.update().is_some() { Recovery::Retry } else { Recovery::Skip }
//!     })
//!     .raw_router(move |_bot, raw| {
//!         let queue = queue.clone();
//!         async move { queue.push(raw.json.get().as_bytes()).await }
//!     });
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let url = format!("http://{}{secret_path}", listener.local_addr()?);
//! # tokio::spawn(tamtam::webhook::axum::serve(listener, app).into_future());
//! # let http = tamtam::reqwest::Client::builder().no_proxy().build()?;
//! # let update = r#"{"update_type":"bot_started","timestamp":1,"chat_id":2,"user":{"user_id":3,"name":"A"},"new":0.10}"#;
//! # assert_eq!(http.post(url).body(update).send().await?.status(), 200);
//! # assert_eq!(*written.0.lock().unwrap(), update.as_bytes());
//! # Ok(())
//! # }
//! ```
//!
//! The jobs in the queue are exactly the JSON that TamTam sent. Read one with `serde_json::from_slice::<Update>`, or as a
//! [`RawUpdate`]. (An [`Update`] that is serialized has lost the properties that the crate does not know.) The same update
//! may be stored twice: make the jobs idempotent, or recognise a repeated one by the `mid` of its message, the
//! `callback_id` of its callback, else by kind, chat, user and timestamp.
//!
//! # Several bots, and other routes
//!
//! The router is an ordinary one: `merge` it with those of other bots and with routes of your own, `nest` it, `layer` it.
//!
//! ```
//! # use tamtam::{Bot, Update};
//! # async fn weather(_: Bot, _: Update) {}
//! # async fn quiz(_: Bot, _: Update) {}
//! # fn main() -> tamtam::Result<()> {
//! # let (weather_bot, quiz_bot) = (Bot::new("token")?, Bot::new("other token")?);
//! # let (weather_path, quiz_path) =
//! #     ("/weather/7Qm2xV9sKd4TzB8fLw3JhN6yRc5GpA1e", "/quiz/Zk8Ew1uXo5Ti3Bv7Nq9Yd2Rf6Hs4Mc0j");
//! use tamtam::webhook::{Webhook, axum::{Router, routing::get}};
//!
//! let app = Router::new()
//!     .route("/health", get(|| async { "ok" }))
//!     .merge(Webhook::new(weather_bot, weather_path)?.router(weather))
//!     .merge(Webhook::new(quiz_bot, quiz_path)?.router(quiz));
//! # let _: Router = app;
//! # Ok(())
//! # }
//! ```

mod address;
mod delivery;
mod in_flight;
mod path;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use axum::{Router, extract::Request, handler::HandlerWithoutStateExt as _};

pub use address::is_tamtam_address;
/// The web framework, as the router is one of its own. It is bare: for `Json` and the like, depend on axum 0.8 yourself.
#[doc(no_inline)]
pub use axum;

use crate::{
    api::types::Update,
    client::bot::Bot,
    error::Result,
    updates::{
        handler::{Failed, HANDLER_TIMEOUT, Handed, HandlerResult, Handling, OnError, Recovery},
        raw_update::RawUpdate,
    },
};
use delivery::Receiver;
use in_flight::InFlight;
use path::SecretPath;

/// How long a body may be unless it is set, in bytes. The longest update that the API's limits allow is far shorter.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// A bot's webhook: where TamTam calls, and what is done then.
///
/// [This module](self) says what is promised.
#[derive(Clone)]
#[must_use = "a webhook does nothing until its router is served"]
pub struct Webhook {
    bot: Bot,
    path: SecretPath,
    on_error: Option<OnError>,
    handler_timeout: Duration,
    body_limit: usize,
}

impl Webhook {
    /// A webhook at this path of the URL that TamTam is [told](Bot::subscribe_webhook).
    ///
    /// The last segment of the path is the secret: a slash and what `openssl rand -hex 32` prints will do, with other
    /// segments before it or without. It is as secret as the token, and neither errors nor `Debug` show it. Asking for
    /// paths does not find it out either, since the time that a wrong one takes says nothing.
    ///
    /// # Errors
    ///
    /// When the path can be guessed, its last segment having fewer than 32 characters, and when it has more than
    /// letters, digits, `-`, `.`, `_` and `~` between its slashes. The error says how to make one.
    pub fn new(bot: Bot, secret_path: impl Into<String>) -> Result<Self> {
        let path = SecretPath::new(secret_path.into())?;
        Ok(Self { bot, path, on_error: None, handler_timeout: HANDLER_TIMEOUT, body_limit: BODY_LIMIT })
    }

    /// Decides about updates that were not handled, and about bodies that are not an update: [`Recovery::Retry`] answers
    /// 503, after which TamTam delivers again, and [`Recovery::Skip`] answers 200. Without `on_error`, an update that was
    /// not handled is skipped, and a body that is not an update is answered with 503.
    ///
    /// Retry what may succeed later. What never will is delivered again for 8 hours, and then TamTam may drop the
    /// subscription.
    ///
    /// ```
    /// # fn check(webhook: tamtam::webhook::Webhook) -> tamtam::webhook::Webhook {
    /// use tamtam::{Cause, Recovery};
    ///
    /// webhook.on_error(|failed| match failed.cause() {
    ///     Cause::Error(error) if error.is::<std::io::Error>() => Recovery::Retry,
    ///     cause => {
    ///         eprintln!("{cause}");
    ///         Recovery::Skip
    ///     }
    /// })
    /// # }
    /// ```
    ///
    /// It is called where the handler runs, so it must not block.
    pub fn on_error(mut self, on_error: impl Fn(&Failed) -> Recovery + Send + Sync + 'static) -> Self {
        self.on_error = Some(Arc::new(on_error));
        self
    }

    /// How long the handler may take; 120 s if not set. Then it is dropped where it stands, and the update counts as not
    /// handled. Work that takes longer belongs into a [queue](self#a-durable-queue).
    pub fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.handler_timeout = timeout;
        self
    }

    /// How long the body of a delivery may be, in bytes; 4 MiB if not set. A longer one is answered with 413.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// The webhook as a router, which hands the updates to an async function of the bot and the update. Whatever else that
    /// needs, a closure brings; [`HandlerResult`] says what it may return.
    ///
    /// axum panics when routers are merged that have the same route. Those of webhooks do if their secrets begin with the
    /// same 8 characters, which random ones do not: give each bot a secret of its own.
    ///
    /// # Cancel safety
    ///
    /// When a client hangs up, or the server's future is dropped, the handler goes on to its end in a task of its own. It
    /// is the end of the runtime that cuts it off; what it was at work on is then delivered again.
    #[must_use = "a router does nothing until it is served"]
    pub fn router<H, F>(self, handler: H) -> Router
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        self.serve(handler)
    }

    /// Returns the webhook as a router whose handler gets each update with its exact JSON, for example to store it in a
    /// [queue](self#a-durable-queue). Otherwise it is the same as [`router`](Self::router).
    ///
    /// ```
    /// # fn check(webhook: tamtam::webhook::Webhook) -> tamtam::webhook::axum::Router {
    /// use tamtam::RawUpdate;
    ///
    /// webhook.raw_router(async |_bot, raw: RawUpdate| println!("{}: {}", raw.update.tag(), raw.json))
    /// # }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// As [`router`](Self::router).
    #[must_use = "a router does nothing until it is served"]
    pub fn raw_router<H, F>(self, handler: H) -> Router
    where
        H: Fn(Bot, RawUpdate) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        self.serve(handler)
    }

    fn serve<U, H, F>(self, handler: H) -> Router
    where
        U: Handed,
        H: Fn(Bot, U) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        let Self { bot, path, on_error, handler_timeout, body_limit } = self;
        let mut handling = Handling::new(Arc::clone(&bot.transport().clock), handler);
        handling.set_timeout(handler_timeout);
        if let Some(on_error) = on_error {
            handling.set_on_error(move |failed| on_error(failed));
        }
        let route = path.route();
        let receiver = Receiver { bot, path, body_limit, handling, in_flight: InFlight::default() };
        let receive = move |request: Request| receiver.clone().receive(request);
        // As a service, which stands for every method: where there is another secret, a 405 would tell of this one.
        Router::new().route_service(&route, receive.into_service())
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("bot", &self.bot)
            .field("path", &self.path)
            .field("handler_timeout", &self.handler_timeout)
            .field("body_limit", &self.body_limit)
            .finish_non_exhaustive()
    }
}
