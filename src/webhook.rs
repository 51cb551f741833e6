//! Receives updates by webhook. The service (MAX or TamTam) sends each update to the bot in an HTTP request.
//!
//! [`Webhook`] creates a router of the web framework axum from a secret path and a handler. The handler is an async
//! function that receives each update:
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
//! // An empty list subscribes the webhook to all types of updates.
//! bot.subscribe_webhook(format!("https://bot.example{secret_path}"), []).await?;
//! let shutdown = tamtam::shutdown_signal();
//! axum::serve(listener, app).with_graceful_shutdown(shutdown).await?;
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
//! A *delivery* is a request with which the service sends one update to the subscribed URL. A delivery succeeds only if
//! the response has status 200.
//!
//! | | MAX | TamTam |
//! |---|---|---|
//! | URL | `https://`, port 443 | `https://` or `http://`, port 80, 443, 8080, 8443, or 16384 to 32383 |
//! | time to respond | 30 s | not documented |
//! | retries of a failed delivery | At most 10. The first delay is 60 s. Each further delay is 2.5 times the previous delay. | Every 30 to 60 s, for up to 8 h. |
//! | if deliveries fail for 8 h | MAX removes the subscription. | TamTam may remove the subscription. |
//!
//! - While a URL is subscribed, polling receives no updates.
//! - A bot can have several subscribed URLs. Each URL receives all updates of the types in its subscription.
//! - A new subscription does not remove the subscriptions of other URLs. To replace a URL, subscribe the new URL, and
//!   then call [`unsubscribe_webhook`](crate::Bot::unsubscribe_webhook) with the old URL.
//!
//! # Security
//!
//! Neither service signs its deliveries. By default, the path of the URL is the only secret. Anyone who knows the path
//! can send forged updates to the bot.
//!
//! - Protect the path like the token. Keep the path out of the logs of your proxy and your middleware.
//! - On MAX, set a secret with [`Webhook::secret`]. MAX sends the secret in a header of each delivery.
//! - On TamTam, check the source address of each request with [`is_tamtam_address`]. Behind a proxy, check the
//!   address that the proxy writes to a header.
//! - The router accepts only plain HTTP. If the URL begins with `https://`, a proxy (nginx, Caddy, a load balancer)
//!   must receive the requests, and forward them by HTTP. Behind a proxy, let axum listen on an address that only the
//!   proxy can reach.
//!
//! # Responses
//!
//! | status | condition |
//! |---|---|
//! | 200 | The handler succeeded, or the delivery was skipped (see [Failures](#failures)). |
//! | 404 | The path is wrong, or the header with the secret is missing or wrong. |
//! | 405 | The method is not POST. |
//! | 413 | The body is larger than [`Webhook::body_limit`] (4 MiB by default). |
//! | 400 | The connection broke before the body was complete. |
//! | 408 | The body was not complete after 30 s. |
//! | 503 | The handler failed, or the body is not an update, and the delivery is not skipped (see [Failures](#failures)). |
//!
//! After any status other than 200, the service sends the delivery again.
//!
//! With `Webhook::journal` (see [A durable queue](#a-durable-queue)), the status is 200 as soon as the update is
//! stored. The next three sections describe a webhook without a journal. With a journal, only the second and the third
//! rule of [Failures](#failures) apply.
//!
//! # Failures
//!
//! - A handler fails if it returns an error, panics or exceeds [`Webhook::handler_timeout`] (120 s by default). After
//!   this time, the handler is dropped. If a handler fails, the function that you pass to
//!   [`on_error`](Webhook::on_error) returns a `Recovery`, which decides the status of the response.
//!   `Recovery::Retry` causes status 503, so the service delivers the update again. `Recovery::Skip` and
//!   `Recovery::DeadLetter` skip the update (status 200). Without `on_error`, the update is skipped.
//! - If a complete body is not an update, the function that you pass to `on_error` receives the body. The returned
//!   `Recovery` decides the status in the same way. Without `on_error`, the status is 503, so that no update is lost
//!   if a proxy has damaged the body.
//! - If a value in an update does not fit the types of this crate, the value is left out or replaced by a default. If
//!   neither is possible, the update becomes [`Update::Unknown`](crate::Update::Unknown). The handler still receives
//!   the update. The log contains the path of the value in the JSON.
//!
//! # Slow handlers
//!
//! A handler continues if the service closes the connection. If a handler often takes longer than the service waits
//! (30 s on MAX), use a [queue](#a-durable-queue).
//!
//! If the service delivers an update again while the handler is running, the second delivery waits for the handler.
//! Both deliveries get the same response.
//!
//! After a response with 200, the router remembers the update for 5 min. The router remembers at most 20,000 updates.
//! If the service delivers a remembered update again, the response is also 200, and the handler is not called.
//!
//! # Guarantees
//!
//! - **At least once, while the service retries.** The handler may be called more than once for an update, for example
//!   if a response with 200 is lost and the router no longer remembers the update. The router remembers no updates
//!   after a restart.
//! - **No order.** Updates are handled concurrently, even updates of one chat. If the order matters, use a
//!   [queue](#a-durable-queue) or [polling](crate::Bot::run), or compare the `timestamp` of the updates.
//!
//! # A durable queue
//!
//! You can store each update durably before the response, and handle the update later. There are three ways:
//!
//! - `Webhook::journal` (feature `journal`) stores updates in a file. Updates of one chat are handled in the order in
//!   which they were stored. If the service delivers an update again within one hour, the copy is usually
//!   dropped.
//! - The crate `tamtam-nats` stores updates in a queue that many processes share.
//! - [`Webhook::raw_router`] passes the JSON of each update to a handler that writes to your own queue.
//!
//! After the service has received a 200, it does not deliver the update again. So a handler for your own queue must
//! not return `Ok` before the update is stored. In this example, the service delivers an update again if storing the
//! update failed:
//!
//! ```
//! # use std::{io::{self, Write as _}, sync::{Arc, Mutex}};
//! use tamtam::{updates::Recovery, webhook::Webhook};
//!
//! # /// A table, a stream or a file.
//! # #[derive(Clone, Default)]
//! # struct Queue(Arc<Mutex<Vec<u8>>>);
//! # impl Queue {
//! /// Writes a job (the JSON of an update), and returns when the job is on the disk.
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
//!         // Skip a body that is not an update. Retry an update that was not stored.
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
//! Parse the stored JSON with `serde_json::from_slice`, as an [`Update`](crate::Update) or as a
//! [`RawUpdate`](crate::updates::RawUpdate). Store the received JSON, not a serialized `Update`. A serialized `Update`
//! contains only the properties that this version of the crate supports.
//!
//! The queue can contain the same update twice. Make the processing of an update idempotent, or recognize repeated
//! updates by [`Update::key`](crate::Update::key). Programs in other languages can build a key from these values:
//!
//! | update | values |
//! |---|---|
//! | `message_callback` | `callback_id` |
//! | about a message | update type, timestamp, id of the message |
//! | any other type | update type, timestamp, id of the chat, id of the user |
//!
//! # Several bots, and other routes
//!
//! The result of [`Webhook::router`] is an ordinary axum router, which you can `merge`, `nest` and `layer`. This
//! example merges the routers of two bots with another route:
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
