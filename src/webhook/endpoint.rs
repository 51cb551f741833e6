//! The webhook of a bot: its settings and its router.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use axum::{Router, extract::Request, handler::HandlerWithoutStateExt as _};

use super::{delivery::Receiver, header::SecretHeader, in_flight::InFlight, path::SecretPath};
use crate::{
    api::{
        Subscribe,
        types::{Update, UpdateType},
    },
    client::bot::Bot,
    error::Result,
    updates::{
        chat_book::ChatBook,
        failed::{self, Decision, Failed, OnError},
        handler::{HANDLER_TIMEOUT, Handed, HandlerResult, Handling},
        raw_update::RawUpdate,
    },
};

/// Default limit of a body, in bytes. The longest update that the API's limits allow is far shorter.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// A builder of the axum router with which a bot receives updates by webhook.
///
/// Create a `Webhook`, call its setters, and create the request for the subscription with
/// [`subscribe`](Self::subscribe). Then pass a handler to [`router`](Self::router), serve the router, and send the
/// request. The handler is an async function that receives each update. The module [`webhook`](crate::webhook) contains
/// an example, and describes the delivery guarantees.
#[derive(Clone)]
#[must_use = "a webhook does nothing until its router is served"]
pub struct Webhook {
    pub(super) bot: Bot,
    pub(super) path: SecretPath,
    pub(super) secret: Option<SecretHeader>,
    pub(super) on_error: Option<OnError>,
    pub(super) handler_timeout: Duration,
    pub(super) body_limit: usize,
    pub(super) chat_book: Option<ChatBook>,
}

impl Webhook {
    /// Creates a webhook from a bot and a secret path.
    ///
    /// - `bot`: Bot that is passed to the handler.
    /// - `secret_path`: Path of the URL that you [subscribe](Self::subscribe), such as `/bots/<random>`. The last
    ///   segment must be hard to guess, for example the output of `openssl rand -hex 32`.
    ///
    /// Protect the path like the token of the bot. Errors, `Debug` and response times do not reveal the path.
    ///
    /// # Errors
    ///
    /// Returns an error of the kind [`ErrorKind::Build`](crate::ErrorKind::Build) in these cases:
    ///
    /// - If the path does not begin with `/`.
    /// - If the last segment has fewer than 32 characters.
    /// - If a segment contains a character that is not an ASCII letter, a digit, `-`, `.`, `_` or `~`.
    /// - If a segment before the last segment is empty, `.` or `..`.
    pub fn new(bot: Bot, secret_path: impl Into<String>) -> Result<Self> {
        let path = SecretPath::new(secret_path.into())?;
        Ok(Self {
            bot,
            path,
            secret: None,
            on_error: None,
            handler_timeout: HANDLER_TIMEOUT,
            body_limit: BODY_LIMIT,
            chat_book: None,
        })
    }

    /// Requires a secret in the header `X-Max-Bot-Api-Secret` of each request. MAX only.
    ///
    /// Call this method before [`subscribe`](Self::subscribe), so that the subscription contains the secret. A request
    /// without the correct secret gets a 404, like a request with a wrong path. The secret is compared in constant
    /// time. Errors and `Debug` do not show the secret.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let secret_path = "/0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c";
    /// use tamtam::{Bot, Update, webhook::Webhook};
    ///
    /// let bot = Bot::max("token")?;
    /// let webhook = Webhook::new(bot, secret_path)?.secret("c7a1f0e9d2b34c58a6e7")?;
    /// let subscribing = webhook.subscribe("https://bot.example", []);
    /// let app = webhook.router(async |_bot, update: Update| println!("{}", update.tag()));
    /// # let _ = (subscribing, app);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error of the kind [`ErrorKind::Build`](crate::ErrorKind::Build) in these cases:
    ///
    /// - If the secret has fewer than 5 or more than 256 characters.
    /// - If the secret contains a character that is not an ASCII letter, a digit, `_` or `-`.
    /// - If the bot is a TamTam bot, because TamTam does not send secrets.
    pub fn secret(mut self, secret: impl Into<String>) -> Result<Self> {
        self.secret = Some(SecretHeader::new(self.bot.service(), secret.into())?);
        Ok(self)
    }

    /// Creates a request that subscribes the URL of the webhook to updates. Await the request to send it.
    ///
    /// - `origin`: Beginning of the URL, before the secret path, such as `https://bot.example`.
    /// - `types`: Types of updates to receive. If `types` is empty, the bot receives all types.
    ///
    /// If a [secret](Self::secret) is set, the request contains the secret. [`Bot::subscribe_webhook`] describes the
    /// effect on polling and on other webhooks of the bot.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Bot::subscribe_webhook`].
    pub fn subscribe(&self, origin: impl AsRef<str>, types: impl Into<Vec<UpdateType>>) -> Subscribe {
        let url = format!("{}{}", origin.as_ref().trim_end_matches('/'), self.path.expose());
        let mut request = self.bot.subscribe_webhook(url, types);
        if let Some(secret) = &self.secret {
            request.body.secret = Some(secret.expose().to_owned());
        }
        request
    }

    /// Sets a function that is called if the handler fails, or if the body of a request is not an update.
    ///
    /// The function returns a [`Recovery`](crate::updates::Recovery), or a future of a `Recovery`. Without a journal (a
    /// queue of updates in a file), the `Recovery` sets the status of the response:
    ///
    /// | `Recovery` | status | effect |
    /// |---|---|---|
    /// | `Retry` | 503 | The service (MAX or TamTam) sends the update or the body again. |
    /// | `Skip`, `DeadLetter` | 200 | The update or the body is skipped. |
    ///
    /// These rules apply if no function is set, if the function panics, or if the returned future exceeds its time
    /// limit:
    ///
    /// - An update whose handler fails is skipped (status 200).
    /// - A body that is not an update gets a 503.
    ///
    /// Return `Retry` only if a later attempt may succeed. If deliveries fail for 8 h, MAX removes the subscription,
    /// and TamTam may remove the subscription.
    ///
    /// ```
    /// # fn check(webhook: tamtam::webhook::Webhook) -> tamtam::webhook::Webhook {
    /// use tamtam::updates::{Cause, Recovery};
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
    /// The function runs on an async task, so it must not block the thread. A returned future has the time limit that
    /// [`handler_timeout`](Self::handler_timeout) sets.
    ///
    /// With [`Webhook::journal`](crate::webhook#a-durable-queue), the rules of
    /// [`Run::on_error`](crate::updates::Run::on_error) apply to a failed handler. For a body that is not an update,
    /// the rules above apply, but the time limit of a returned future is 20 s.
    pub fn on_error<D: Decision>(mut self, on_error: impl Fn(Failed) -> D + Send + Sync + 'static) -> Self {
        self.on_error = Some(failed::boxed(on_error));
        self
    }

    /// Sets the time limit of the handler. Defaults to 120 s.
    ///
    /// After this time, the handler is dropped at its current `await`, and counts as failed. If a handler often
    /// takes longer than the service waits for a response (30 s on MAX), use a
    /// [durable queue](crate::webhook#a-durable-queue).
    pub fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.handler_timeout = timeout;
        self
    }

    /// Sets the maximum size of the body of a request, in bytes. Defaults to 4 MiB. A request with a larger body gets a
    /// response with status 413.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Sets a [`ChatBook`], which is a list of the chats that the bot is in. Before each call of the handler, the bot
    /// records the update in the book. See [`Run::chat_book`](crate::updates::Run::chat_book).
    ///
    /// ```
    /// # fn check(webhook: tamtam::webhook::Webhook) -> tamtam::webhook::axum::Router {
    /// use tamtam::{Update, updates::ChatBook};
    ///
    /// let book = ChatBook::new();
    /// webhook
    ///     .chat_book(book.clone())
    ///     .router(async |_bot, update: Update| println!("{}", update.tag()))
    /// # }
    /// ```
    pub fn chat_book(mut self, book: ChatBook) -> Self {
        self.chat_book = Some(book);
        self
    }

    /// Returns an axum router that calls a handler with the bot and each update.
    ///
    /// If the handler needs more arguments, such as a database pool, use [`with_state`](crate::updates::with_state) or
    /// pass a closure. [`HandlerResult`] lists the return types of a handler.
    ///
    /// Give each bot its own random path. The route contains only the first 8 characters of the last segment. If two
    /// paths are equal up to the 8th character, axum panics when you merge the routers.
    ///
    /// # Cancel safety
    ///
    /// The handler runs in its own task. The handler continues if the service closes the connection, or if the future
    /// of `axum::serve` is dropped. When the tokio runtime shuts down, the handler is dropped. The service then
    /// delivers the update again.
    #[must_use = "a router does nothing until it is served"]
    pub fn router<H, F>(self, handler: H) -> Router
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        self.serve(handler)
    }

    /// Returns an axum router that calls a handler with the bot and each update, including the JSON of the update.
    ///
    /// Use this method, for example, to store the JSON in a [queue](crate::webhook#a-durable-queue). The handler
    /// receives a `RawUpdate` instead of an `Update`, so `with_state` does not accept the handler. In all other
    /// respects, the method is the same as [`router`](Self::router).
    ///
    /// ```
    /// # fn check(webhook: tamtam::webhook::Webhook) -> tamtam::webhook::axum::Router {
    /// use tamtam::updates::RawUpdate;
    ///
    /// webhook.raw_router(async |_bot, raw: RawUpdate| {
    ///     println!("{}: {}", raw.update.tag(), raw.json);
    /// })
    /// # }
    /// ```
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
        let Self { bot, path, secret, on_error, handler_timeout, body_limit, chat_book } = self;
        let mut handling = Handling::new(Arc::clone(&bot.transport().clock), handler);
        handling.set_timeout(handler_timeout);
        if let Some(on_error) = on_error {
            handling.set_on_error(on_error);
        }
        if let Some(book) = chat_book {
            handling.set_chat_book(book);
        }
        let route = path.route();
        let receiver = Receiver { bot, path, secret, body_limit, handling, in_flight: InFlight::default() };
        let receive = move |request: Request| receiver.clone().receive(request);
        // A service handles every method. Otherwise, a 405 from axum would reveal the route despite a wrong secret.
        Router::new().route_service(&route, receive.into_service())
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("bot", &self.bot)
            .field("path", &self.path)
            .field("secret", &self.secret)
            .field("handler_timeout", &self.handler_timeout)
            .field("body_limit", &self.body_limit)
            .finish_non_exhaustive()
    }
}
