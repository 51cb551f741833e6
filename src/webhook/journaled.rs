//! A webhook that stores updates in a journal.

use std::{future::Future, sync::Arc, time::Duration};

use axum::Router;
use tokio::sync::OnceCell;

use super::endpoint::Webhook;
use crate::{
    api::types::Update,
    client::bot::Bot,
    error::Error,
    updates::{
        failed::{Cause, Recovery},
        handler::HandlerResult,
        journal::Journal,
        journaled::run_stored,
        run::Run,
    },
};

/// How long storing an update may take. Servers wait for 30 s before they deliver the update again.
const STORE_TIME: Duration = Duration::from_secs(20);

/// A webhook that stores each update in a [`Journal`] (a queue of updates in a file) before the update is handled.
/// Created by [`Webhook::journal`].
#[derive(Debug)]
#[must_use = "a webhook does nothing until its router is served"]
pub struct JournaledWebhook {
    webhook: Webhook,
    journal: Journal,
}

impl Webhook {
    /// Stores each update in a [`Journal`] (a queue of updates in a file) before the update is handled. Call
    /// [`run`](JournaledWebhook::run) on the result.
    ///
    /// The service gets a 200 as soon as the update is stored, so a slow handler does not delay the response. The
    /// service gets a 503, and delivers the update again later, in these cases:
    ///
    /// - The journal is full, cannot be written within 20 s, or belongs to another bot.
    /// - The API does not return the id of the bot. The webhook requests this id before the first update is stored, to
    ///   check that the journal belongs to the bot.
    ///
    /// Updates of one chat are handled in the order in which they were stored. An update that gets a 503 is stored
    /// later, so it can be handled after newer updates.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # let secret_path = "/0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c";
    /// # let path = std::env::temp_dir().join(format!("tamtam-doc-{}-webhook.journal", std::process::id()));
    /// # let reader = alice.clone();
    /// # let shutdown = async move { assert_eq!(reader.reads().await.text(), "Hello!") };
    /// use tamtam::{Bot, Update, updates::Journal, webhook::{Webhook, axum}};
    ///
    /// async fn on_update(bot: Bot, update: Update) -> tamtam::Result<()> {
    ///     if let Update::BotStarted(started) = update {
    ///         bot.send(started.chat_id, "Hello!").await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let journal = Journal::open(&path)?;
    /// let webhook = Webhook::new(bot.clone(), secret_path)?;
    /// let (app, run) = webhook.journal(journal).run(on_update);
    /// # /*
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    /// # */
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let url = format!("http://{}{secret_path}", listener.local_addr()?);
    /// # bot.subscribe_webhook(url, []).await?;
    /// # alice.starts();
    /// // Stop the server and the run together: without the run, updates are not handled.
    /// tokio::select! {
    ///     served = axum::serve(listener, app).into_future() => served?,
    ///     ran = run.graceful_shutdown_on(shutdown).run() => ran?,
    /// }
    /// # std::fs::remove_file(&path)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn journal(self, journal: Journal) -> JournaledWebhook {
        JournaledWebhook { webhook: self, journal }
    }
}

impl JournaledWebhook {
    /// Returns a router that stores updates, and a [`Run`] that calls the handler with the stored updates.
    ///
    /// Serve the router. At the same time, await the `Run`, or spawn the future that [`Run::run`] returns. While the
    /// `Run` is not running, updates are stored but not handled.
    ///
    /// The settings [`on_error`](Webhook::on_error), [`handler_timeout`](Webhook::handler_timeout) and
    /// [`chat_book`](Webhook::chat_book) of the webhook apply to the `Run`. The router also calls the function of
    /// `on_error` if the body of a request is not an update.
    #[must_use = "a router does nothing until it is served, and a run until it is awaited"]
    pub fn run<H, F>(self, handler: H) -> (Router, Run)
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        let Self { mut webhook, journal } = self;
        let mut run = run_stored(webhook.bot.clone(), &journal, handler).handler_timeout(webhook.handler_timeout);
        let on_error = webhook.on_error.clone();
        if let Some(on_error) = on_error.clone() {
            run = run.on_error(move |failed| on_error(failed));
        }
        if let Some(book) = webhook.chat_book.take() {
            run = run.chat_book(book);
        }
        let receiver = webhook.handler_timeout(STORE_TIME).on_error(move |failed| match (failed.cause(), &on_error) {
            (Cause::NotAnUpdate(_), Some(on_error)) => on_error(failed.clone()),
            _ => Box::pin(std::future::ready(Recovery::Retry)),
        });
        let queue = journal.queue();
        let bound = Arc::new(OnceCell::new());
        let router = receiver.raw_router(move |bot, raw| {
            let (queue, bound) = (Arc::clone(&queue), Arc::clone(&bound));
            async move {
                bound.get_or_try_init(|| queue.bind(&bot)).await?;
                queue.store_one(raw).await.map_err(Error::from)
            }
        });
        (router, run)
    }
}
