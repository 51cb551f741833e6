//! Runs a bot with a journal, by polling or behind a webhook.

use std::{fmt, future::Future};

use crate::{
    api::types::Update,
    client::bot::Bot,
    updates::{
        handler::{HandlerResult, with_state},
        journal::{Journal, source::JournalSource},
        run::Run,
        source::Source,
        stream::Updates,
    },
};

/// The updates of a bot, received by long polling and stored in a [`Journal`] (a queue of updates in a file) before
/// they are handled. Created by [`Updates::journal`](crate::updates::Updates::journal). Call [`run`](Self::run) to
/// handle the updates.
#[must_use = "nothing is polled until it is run"]
pub struct JournaledUpdates {
    updates: Updates,
    journal: Journal,
}

impl fmt::Debug for JournaledUpdates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournaledUpdates").field("updates", &self.updates).field("journal", &self.journal).finish()
    }
}

impl Updates {
    /// Stores the updates in a [`Journal`] (a queue of updates in a file) before the stream commits the updates to the
    /// server. A slow handler then delays only later updates of the same chat.
    ///
    /// Change the settings of `Updates` before this call.
    ///
    /// The journal also stores the marker, so do not set a [`marker_store`](Self::marker_store). With a marker store,
    /// the [`Run`] ends with an error before the first poll ([`ErrorKind::Journal`](crate::ErrorKind::Journal)).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # let shutdown = async move { alice.reads().await };
    /// # let path = std::env::temp_dir().join(format!("tamtam-doc-{}-updates.journal", std::process::id()));
    /// use tamtam::{Update, updates::Journal};
    ///
    /// bot.updates()
    ///     .journal(Journal::open(&path)?)
    ///     .run(async |bot, update| match update {
    ///         Update::BotStarted(started) => {
    ///             bot.send(started.chat_id, "Hello!").await.map(drop)
    ///         }
    ///         _ => Ok(()),
    ///     })
    ///     .graceful_shutdown_on(shutdown)
    ///     .await?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn journal(self, journal: Journal) -> JournaledUpdates {
        JournaledUpdates { updates: self.keep_json(), journal }
    }
}

impl JournaledUpdates {
    /// Handles the updates with an async function. Updates of one chat are handled in order. Updates of different chats
    /// are handled concurrently. Await the returned [`Run`] to start the bot. See [`Journal`] for the guarantees.
    pub fn run<H, F>(self, handler: H) -> Run
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        let Self { mut updates, journal } = self;
        let shutdown = updates.take_shutdown();
        let source = JournalSource::of_polling(journal.queue(), updates);
        let mut run = Run::new(Source::Journal(Box::new(source)), handler);
        run.shutdown = shutdown;
        run
    }

    /// Handles the updates like [`run`](Self::run), and passes a clone of `state` to each call of the handler. See
    /// [`Bot::run_with`] for an example.
    pub fn run_with<S, H, F>(self, state: S, handler: H) -> Run
    where
        S: Clone + Send + Sync + 'static,
        H: Fn(Bot, Update, S) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        self.run(with_state(state, handler))
    }
}

/// Runs a handler on the updates that a webhook stores in a journal.
#[cfg(feature = "webhook")]
pub(crate) fn run_stored<H, F>(bot: Bot, journal: &Journal, handler: H) -> Run
where
    H: Fn(Bot, Update) -> F + Send + Sync + 'static,
    F: Future<Output: HandlerResult> + Send + 'static,
{
    Run::new(Source::Journal(Box::new(JournalSource::of_webhook(journal.queue(), bot))), handler)
}
