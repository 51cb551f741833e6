//! Receiving updates by webhook: the service sends each update in an HTTP request to the bot.
//!
//! [`Webhook`] makes an axum router from the secret path of the webhook and a handler (an async function):
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
//! // `secret_path` is a slash and the output of `openssl rand -hex 32`.
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
//! # Rules of the services
//!
//! - Both services post one update at a time to the subscribed URL. Such a request is a delivery. A delivery succeeds
//!   only if the response has status 200.
//! - **MAX** requires `https://` on port 443, and waits 30 s for the response. MAX repeats a failed delivery up to 10
//!   times: after 60 s, then after delays that grow by a factor of 2.5. After 8 h without a success, MAX removes the
//!   subscription.
//! - **TamTam** accepts the ports 80, 8080, 443, 8443, and 16384 to 32383. TamTam repeats a failed delivery for up to 8
//!   h, every 30 to 60 s. Then TamTam may remove the subscription.
//! - If you set a secret with [`Webhook::secret`], MAX sends the secret in a header of each delivery.
//! - Neither service signs the body. Without the secret header, the path of the URL is the only secret: anyone who
//!   knows the path can post updates to the bot. Protect the path like the token. Keep the path out of the logs of your
//!   proxy and your middleware. On TamTam, [`is_tamtam_address`] is an additional check.
//! - While a webhook is subscribed, polling returns no updates.
//! - A bot can have several webhooks. If you subscribe a new URL, [`unsubscribe`](crate::api::Api::unsubscribe) the old
//!   URL.
//!
//! # What this module does
//!
//! **TLS.** The router serves plain HTTP. Your proxy (nginx, Caddy, a load balancer) must terminate TLS. Let axum
//! listen on an address that only the proxy can reach.
//!
//! **Status codes.** Only POST requests to the path, with the secret if you set one, reach the handler:
//!
//! | status | condition |
//! |---|---|
//! | 200 | The handler succeeded, or failed and the update was given up. |
//! | 404 | The path is wrong, or the secret is missing or wrong. The response is the same as for a path without a route in axum. |
//! | 405 | The method is not POST. |
//! | 413 | The body is larger than the [limit](Webhook::body_limit). |
//! | 400, 408 | The body did not arrive completely: the connection broke, or the body took longer than 30 s. |
//! | 503 | [`on_error`](Webhook::on_error) returned [`Retry`](crate::updates::Recovery::Retry). Or the body is not an update, and `on_error` is not set. |
//!
//! **Failures.** If a handler fails, [`on_error`](Webhook::on_error) decides. Without `on_error`, the update is given
//! up ([`Skip`](crate::updates::Recovery::Skip)). A complete body that is not an update is passed to `on_error` as
//! bytes. Without `on_error`, the response is then 503. A value that does not fit the types of this crate is left out,
//! as in polling. The rest of the update is kept, and the log has the path of the value.
//!
//! **Slow handlers.** A handler runs to its end, or to its [time limit](Webhook::handler_timeout), even if the service
//! closes the connection. Meanwhile, the service may deliver the update again. The second delivery then waits for the
//! first delivery, and gets the same response. For 5 min after a response with 200, a repeated delivery also gets a
//! 200, and the handler is not called. The bot remembers at most 20,000 handled updates for this purpose. If a handler
//! often takes longer than the service waits, use a queue.
//!
//! **Guarantees.** Updates arrive at least once: if a response with 200 is lost, the service delivers the update again.
//! Updates are handled concurrently and in no order, not even within a chat. For example, a repeated update can arrive
//! after newer updates. If the order matters, compare the `timestamp` of the updates, or [poll](crate::Bot::updates).
//!
//! # A durable queue
//!
//! With the feature `journal`, `Webhook::journal` stores updates in a file, and responds with 200 as soon as an update
//! is stored. Updates of a chat are handled in the order in which they were stored. Repeated updates are dropped. The
//! crate `tamtam-nats` stores updates in a queue that many processes share. For your own queue, use
//! [`Webhook::raw_router`].
//!
//! The service does not deliver an update again after a response with 200. So write a handler that stores the update
//! durably and then returns. Such a handler is fast even if the work takes long. An update that cannot be stored is
//! delivered again:
//!
//! ```
//! # use std::{io::{self, Write as _}, sync::{Arc, Mutex}};
//! use tamtam::{updates::Recovery, webhook::Webhook};
//!
//! # /// A table, a stream or a file.
//! # #[derive(Clone, Default)]
//! # struct Queue(Arc<Mutex<Vec<u8>>>);
//! # impl Queue {
//! /// Writes a job, and returns when the job is on the disk.
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
//!         // If the body is not an update, a retry does not help. Retry other failures.
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
//! A job in this queue is exactly the JSON that the service sent. Read a job with `serde_json::from_slice::<Update>`,
//! or as a [`RawUpdate`](crate::updates::RawUpdate). Do not store a serialized [`Update`](crate::Update): it lacks the
//! properties that this version of the crate does not support.
//!
//! The same update may be stored twice. Make the jobs idempotent, or recognize repeated updates by their
//! [`Update::key`](crate::Update::key). Programs in other languages can use the `mid` of a message or the `callback_id`
//! of a callback. For other updates, they can use the kind, chat, user and timestamp.
//!
//! # Several bots, and other routes
//!
//! The webhook is an ordinary axum router. `merge` the router with the routers of other bots and with your own routes.
//! You can also `nest` or `layer` the router.
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

mod delivery;
mod endpoint;
mod header;
mod in_flight;
#[cfg(feature = "journal")]
mod journaled;
mod path;
mod source_address;

/// The web framework of the router, without its default features. To use `Json` and other extras, add a dependency on
/// axum 0.8.
#[doc(no_inline)]
pub use axum;
pub use endpoint::Webhook;
#[cfg(feature = "journal")]
pub use journaled::JournaledWebhook;
pub use source_address::is_tamtam_address;
