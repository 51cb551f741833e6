//! Updates by webhook: the service calls the bot, through an axum router.
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
//! # What the services do
//!
//! - Both services post one update at a time to the subscribed URL. Only status 200 counts as success.
//! - **MAX** requires `https://` on port 443, and waits 30 s for the response. Otherwise it delivers again, up to 10 times:
//!   after 60 s, then after delays that grow by a factor of 2.5. After 8 h without a success, it removes the subscription.
//! - **TamTam** accepts port 80, 8080, 443, 8443 or one from 16384 to 32383. It delivers again for up to 8 h, every 30 to
//!   60 s. Then it may remove the subscription.
//! - If you set a secret with [`Webhook::secret`], MAX sends it in a header. A request without the secret is answered with
//!   404.
//! - Neither service signs the body. Without the secret header, the path of the URL is the only secret: anyone who knows
//!   the path can post updates to the bot. Protect the path like the token, and keep it out of the logs of your proxy and
//!   your middleware. On TamTam, [`is_tamtam_address`] is an additional check.
//! - While a webhook is subscribed, polling returns no updates. Another URL is subscribed in addition to the first one:
//!   [`unsubscribe`](crate::api::Api::unsubscribe) the old URL.
//!
//! # What this module does
//!
//! - It serves HTTP. **Your proxy must terminate TLS** (nginx, Caddy, a load balancer). Let axum listen on an address that
//!   only the proxy can reach.
//! - It answers 200 only after the handler has succeeded, or after [`on_error`](Webhook::on_error) has returned
//!   [`Skip`](crate::updates::Recovery::Skip). `Skip` is the default if a handler fails. [`Retry`](crate::updates::Recovery::Retry) is a 503.
//!   A complete body that is not an update is passed to `on_error` as bytes. Without `on_error`, the answer is 503. An
//!   incomplete body is never answered with 200.
//! - A value that does not fit the models is left out, as in polling. The rest of the update is kept, and the log has the
//!   path of the value.
//! - A handler runs to its end, or to its [timeout](Webhook::handler_timeout), even if the service closes the connection.
//!   If the update is delivered again before that, the second delivery waits for the first and gets the same answer: the
//!   handler runs once. For 5 min after that, a repeated delivery is answered with 200 without a call of the handler.
//!   At most 20,000 handled updates are remembered. So a handler that takes longer than the service waits does not run
//!   twice. If a handler often takes that long, use a queue.
//! - Updates arrive **at least once**: if the answer is lost after the handler has succeeded, the update is delivered
//!   again. Updates are handled concurrently and in **no order**, not even within a chat: a repeated update can arrive
//!   after newer ones. If the order matters, compare the `timestamp` of the updates, or [poll](crate::Bot::updates).
//! - Only POST requests to the path reach the handler. A wrong path is answered with 404, like a path without a route in
//!   axum. Another method is answered with 405, and a body over the [limit](Webhook::body_limit) with 413.
//!
//! # A durable queue
//!
//! With the feature `journal`, `Webhook::journal` stores updates in a file and answers 200 once they are stored. Within a
//! chat, it handles updates in the order in which they were stored, and it drops repeated updates. The crate `tamtam-nats`
//! stores them in a queue that many processes share. For a queue of your own, use [`Webhook::raw_router`].
//!
//! After a 200, the service forgets the update. So a queue only needs a handler that stores the update durably and then
//! returns. The handler is fast even if the work takes long, and an update that cannot be stored is delivered again:
//!
//! ```
//! # use std::{io::{self, Write as _}, sync::{Arc, Mutex}};
//! use tamtam::{updates::Recovery, webhook::Webhook};
//!
//! # /// The table, stream or file that you have.
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
//!         // A body that is not an update never becomes one. Retry other failures.
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
//! The jobs in the queue are exactly the JSON that the service sent. Read one with `serde_json::from_slice::<Update>`, or as a
//! [`RawUpdate`](crate::updates::RawUpdate). (A serialized [`Update`](crate::Update) lacks the properties that the crate does
//! not support.) The same update may be stored twice: make the jobs idempotent, or recognise a repeated update by the
//! `mid` of its message, the `callback_id` of its callback, else by kind, chat, user and timestamp.
//!
//! # Several bots, and other routes
//!
//! The router is an ordinary axum router: `merge` it with the routers of other bots and with your own routes, `nest`
//! it, or `layer` it.
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

/// The web framework of the router, without axum's default features: for `Json` and other extras, depend on axum 0.8
/// yourself.
#[doc(no_inline)]
pub use axum;
pub use endpoint::Webhook;
#[cfg(feature = "journal")]
pub use journaled::JournaledWebhook;
pub use source_address::is_tamtam_address;
