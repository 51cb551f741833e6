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

/// A webhook of a bot: the secret path at which the bot receives updates, and the settings of the handler.
///
/// [`router`](Self::router) makes an axum router from the webhook and a handler. See [the module](crate::webhook) for
/// an example and for the guarantees.
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
    /// Creates a webhook that receives the updates of a bot at a path.
    ///
    /// - `bot`: Bot that is passed to the handler.
    /// - `secret_path`: Path of the URL that you [subscribe](Self::subscribe). The path begins with `/`. The last
    ///   segment is the secret, for example the output of `openssl rand -hex 32`. Other segments can be before the
    ///   secret.
    ///
    /// Protect the path like the token. Neither errors nor `Debug` show the path. Response times do not reveal the path
    /// either.
    ///
    /// # Errors
    ///
    /// - If the path does not begin with `/`.
    /// - If the last segment has fewer than 32 characters.
    /// - If a segment has characters other than ASCII letters, digits, `-`, `.`, `_` and `~`.
    /// - If another segment is empty, `.` or `..`.
    ///
    /// The message of the error contains a command that makes a secret.
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

    /// Requires a secret in a header of each request: `X-Max-Bot-Api-Secret` for MAX. By default, only the path is
    /// secret.
    ///
    /// [`subscribe`](Self::subscribe) sends the secret to the service. The response to a request without the secret is
    /// 404, as for a wrong path. The secret is compared in constant time. Neither errors nor `Debug` show the secret.
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
    /// - If the secret has fewer than 5 or more than 256 characters.
    /// - If the secret has characters other than ASCII letters, digits, `_` and `-`.
    /// - If the service sends no secrets, as TamTam.
    pub fn secret(mut self, secret: impl Into<String>) -> Result<Self> {
        self.secret = Some(SecretHeader::new(self.bot.service(), secret.into())?);
        Ok(self)
    }

    /// Subscribes the URL of the webhook to updates. If a [secret](Self::secret) is set, the request contains the
    /// secret.
    ///
    /// - `origin`: Beginning of the URL, before the secret path, such as `https://bot.example`.
    /// - `types`: Types of updates to receive. If `types` is empty, the bot receives all types.
    ///
    /// Await the returned request to send it. See [`Bot::subscribe_webhook`] for the details.
    ///
    /// # Errors
    ///
    /// The errors of [`Bot::subscribe_webhook`].
    pub fn subscribe(&self, origin: impl AsRef<str>, types: impl Into<Vec<UpdateType>>) -> Subscribe {
        let url = format!("{}{}", origin.as_ref().trim_end_matches('/'), self.path.expose());
        let mut request = self.bot.subscribe_webhook(url, types);
        if let Some(secret) = &self.secret {
            request.body.secret = Some(secret.expose().to_owned());
        }
        request
    }

    /// Sets the function that decides about updates that were not handled, and about bodies that are not an update.
    ///
    /// The function returns a [`Recovery`](crate::updates::Recovery), or a future of a `Recovery`. For `Retry`, the
    /// response is 503, and the service delivers the update again. For `Skip`, the response is 200. By default, an
    /// update that was not handled is skipped, and the response to a body that is not an update is 503.
    ///
    /// Return `Retry` only if the update may succeed later. Otherwise, the service delivers the update again for hours.
    /// After 8 h, the service may remove the subscription.
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
    /// The function runs on the task of the handler, so the function must not block its thread. A returned future has
    /// the same time limit as the handler. With a journal, the limit for a body that is not an update is 20 s.
    pub fn on_error<D: Decision>(mut self, on_error: impl Fn(Failed) -> D + Send + Sync + 'static) -> Self {
        self.on_error = Some(failed::boxed(on_error));
        self
    }

    /// Sets the time limit of the handler. Defaults to 120 s. After this time, the handler is dropped at its current
    /// `await`, and counts as failed. For longer work, use a [queue](crate::webhook#a-durable-queue).
    pub fn handler_timeout(mut self, timeout: Duration) -> Self {
        self.handler_timeout = timeout;
        self
    }

    /// Sets the maximum size of the body of a request, in bytes. Defaults to 4 MiB. The response to a larger body is
    /// 413.
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Records every update in a [`ChatBook`] before its handler is called. See
    /// [`Run::chat_book`](crate::updates::Run::chat_book) for the details.
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
    /// The handler is an async function. A closure can capture other values, and pass them to the function.
    /// [`HandlerResult`] lists the return types of a handler.
    ///
    /// axum panics if routers with the same route are merged. A route has the path up to the first 8 characters of the
    /// secret. So give each bot its own random secret.
    ///
    /// # Cancel safety
    ///
    /// If a client closes the connection, or if the server's future is dropped, the handler continues in its own task.
    /// The end of the tokio runtime drops the handler. The service then delivers the update again.
    #[must_use = "a router does nothing until it is served"]
    pub fn router<H, F>(self, handler: H) -> Router
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        self.serve(handler)
    }

    /// Returns an axum router that calls a handler with the bot and each update, including the exact JSON of the
    /// update.
    ///
    /// Use this method, for example, to store the JSON in a [queue](crate::webhook#a-durable-queue). Except for the
    /// type of the update, the router is the same as the router of [`router`](Self::router).
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
    ///
    /// # Cancel safety
    ///
    /// The same as for [`router`](Self::router).
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
        // A service covers every method. With another secret, a 405 from axum would reveal the route of this one.
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
