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
//! - Both post one update at a time to the URL that was subscribed. Only 200 counts as success.
//! - **MAX** wants `https://` on port 443. It waits for 30 s. Then it delivers again, up to 10 times: after 60 s, and after waits
//!   that grow by a factor of 2.5. After 8 h without a success it removes the subscription.
//! - **TamTam** takes port 80, 8080, 443, 8443 or one from 16384 to 32383. It delivers again every 30 to 60 s for up to 8 h. Then it
//!   may drop the subscription.
//! - MAX sends a secret in a header if you set one: [`Webhook::secret`]. A request without it is answered with 404.
//! - Neither signs the body. Without the secret header, the path of the URL is the only secret: whoever knows it can post
//!   updates to the bot. Keep it as you keep the token, and out of the logs of your proxy and your middleware. On TamTam,
//!   [`is_tamtam_address`] is a second fence.
//! - While a webhook is subscribed, polling brings nothing. Subscribing another URL adds it to the first, which goes on:
//!   [`unsubscribe`](crate::api::Api::unsubscribe) the old one.
//!
//! # What this module does
//!
//! - It speaks HTTP. **TLS is your proxy's business** (nginx, Caddy, a load balancer), in front of the address that axum
//!   listens on: one that others cannot reach.
//! - It answers 200 only after the handler has succeeded, or after [`on_error`](Webhook::on_error) has returned
//!   [`Skip`](crate::Recovery::Skip), which is the default if a handler fails. [`Retry`](crate::Recovery::Retry) is a 503. A body that
//!   arrives whole but is not an update is passed to `on_error` as bytes; without `on_error` the answer is 503. A body that
//!   was cut is never answered with 200.
//! - A value that does not fit the models costs only itself, as in polling: it is left out, and the log says where it was.
//! - A handler runs to its end, or to its [timeout](Webhook::handler_timeout), even if the service hangs up meanwhile. If the
//!   update is delivered again before that, the second delivery waits for the first and gets its answer: the handler runs
//!   once. An update that was handled is remembered for 5 min, and answered with 200 if it is delivered again. So a handler that
//!   takes longer than the service waits does not run twice. For handlers that often do, use a queue.
//! - Updates come **at least once**: an answer can get lost after the handler has succeeded, and then the update comes
//!   again. They are handled as they come, all at the same time, and what is delivered again comes later than what came
//!   after it: there is **no order**, not even within a chat. Where order matters, look at the updates' `timestamp`, or
//!   [poll](crate::Bot::updates).
//! - Only POST to the path itself gets that far. At a wrong path there seems to be nothing: 404, as axum answers where it
//!   has no route. Another method is answered with 405, a body beyond the [limit](Webhook::body_limit) with 413.
//!
//! # A durable queue
//!
//! With the feature `journal`, `Webhook::journal` stores updates in a file and answers 200 once they are stored. Within a
//! chat, it handles updates in the order in which they were stored, and it drops repeated updates. For a queue of your own,
//! use [`Webhook::raw_router`].
//!
//! 200 says to the service that it may forget the update. So a handler that writes it down durably and then returns is all
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
//! The jobs in the queue are exactly the JSON that the service sent. Read one with `serde_json::from_slice::<Update>`, or as a
//! [`RawUpdate`](crate::RawUpdate). (An [`Update`](crate::Update) that is serialized has lost the properties that the crate does not know.) The same update
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
mod endpoint;
mod header;
mod in_flight;
#[cfg(feature = "journal")]
mod journaled;
mod path;

pub use address::is_tamtam_address;
/// The web framework, as the router is one of its own. It is bare: for `Json` and the like, depend on axum 0.8 yourself.
#[doc(no_inline)]
pub use axum;
pub use endpoint::Webhook;
#[cfg(feature = "journal")]
pub use journaled::JournaledWebhook;
