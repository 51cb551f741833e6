//! The journal as a source of deliveries, with or without polling.

use std::sync::Arc;

use tracing::Instrument as _;

use super::{
    error::Problem,
    queue::{Lease, Queue, SharedBatch, WRITE_PAUSE},
};
use crate::{
    client::{bot::Bot, clock::millis, retry::Backoff},
    error::{Error, Result},
    updates::{
        delivery::Delivery,
        health::Health,
        marker::{MarkerKey, MarkerStore},
        raw_update::RawUpdate,
        stream::{RawPage, Updates, poll_span},
    },
};

/// Stores polled updates, and delivers stored updates.
pub(crate) struct JournalSource {
    queue: Arc<Queue>,
    bot: Bot,
    health: Health,
    /// `None` for a webhook, and after the polling has ended.
    updates: Option<Updates>,
    backoff: Backoff,
    /// A polled page that may not be stored yet.
    unstored: Option<SharedBatch>,
    /// `None` until the source is started.
    lease: Option<Lease>,
    is_stopped: bool,
}

impl JournalSource {
    pub(crate) fn of_polling(queue: Arc<Queue>, updates: Updates) -> Self {
        let (bot, health, backoff) = (updates.bot().clone(), updates.health(), updates.waits());
        Self::new(queue, bot, health, backoff, Some(updates))
    }

    #[cfg(feature = "webhook")]
    pub(crate) fn of_webhook(queue: Arc<Queue>, bot: Bot) -> Self {
        let health = Health::new(&bot);
        Self::new(queue, bot, health, crate::updates::stream::BACKOFF, None)
    }

    fn new(queue: Arc<Queue>, bot: Bot, health: Health, backoff: Backoff, updates: Option<Updates>) -> Self {
        health.set_journal(Arc::clone(&queue.gauge));
        Self { queue, bot, health, updates, backoff, unstored: None, lease: None, is_stopped: false }
    }

    /// Returns the next updates to handle, or waits for them. `None` after the source was stopped.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Delivery>>> {
        if self.lease.is_none() {
            if self.is_stopped {
                return Ok(None);
            }
            self.start().await?;
        }
        let queue = Arc::clone(&self.queue);
        loop {
            if self.is_stopped && self.updates.is_none() {
                return Ok(None);
            }
            let is_polling = self.updates.is_some();
            tokio::select! {
                biased;
                deliveries = queue.arrivals() => return Ok(Some(deliveries)),
                polled = self.poll(), if is_polling => polled?,
            }
        }
    }

    /// Checks that the journal belongs to the bot, and starts to deliver stored updates.
    async fn start(&mut self) -> Result<()> {
        if let Some(updates) = &self.updates {
            updates.check()?;
            if updates.has_store() {
                return Err(Problem::MarkerStore.into());
            }
        }
        let key = self.bind().instrument(poll_span(&self.bot)).await?;
        self.lease = Some(self.queue.start().await?);
        if let Some(updates) = &mut self.updates {
            updates.keep_in_journal(JournalMarkers(Arc::clone(&self.queue)), key);
        }
        Ok(())
    }

    /// Binds the journal to the bot. Temporary failures of the request for the bot's id are retried.
    async fn bind(&self) -> Result<MarkerKey> {
        let clock = &self.bot.transport().clock;
        let mut failures = 0;
        loop {
            let error = match self.queue.bind(&self.bot).await {
                Ok(key) => return Ok(key),
                Err(error) if error.ends_polling() || error.is_misfit() => return Err(error),
                Err(error) => error,
            };
            failures += 1;
            let delay = self.backoff.jittered(failures, clock.chance()).max(error.retry_after().unwrap_or_default());
            tracing::warn!(operation = error.operation(), error = error.reason(), delay_ms = millis(delay), "retrying");
            self.bot.transport().wait_to_retry(&error, delay).await;
        }
    }

    /// Polls a page and stores it. An error ends the polling.
    async fn poll(&mut self) -> Result<()> {
        let Some(updates) = &mut self.updates else { return Ok(()) };
        if let Some(batch) = &self.unstored {
            if let Err(problem) = self.queue.store(batch).await {
                if matches!(problem, Problem::Ended) {
                    return Err(problem.into());
                }
                poll_span(&self.bot).in_scope(|| tracing::error!(error = %problem, "journal access failed"));
                self.bot.transport().clock.sleep(WRITE_PAUSE).await;
                return Ok(());
            }
            self.unstored = None;
        }
        // During a shutdown, the page of the poll in flight is stored at once.
        if !self.is_stopped {
            self.queue.room().await;
        }
        match updates.next_raw_page().await {
            Ok(Some(RawPage { updates, marker })) => {
                let updates = updates.into_iter().map(|(update, json)| RawUpdate::new(update, json));
                self.unstored = Some(self.queue.batch(updates.collect(), marker));
            }
            Ok(None) => self.updates = None,
            Err(error) => {
                self.updates = None;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Stops the polling. When the polling has ended, [`next`](Self::next) returns `None`.
    pub(crate) fn stop(&mut self) {
        self.is_stopped = true;
        if let Some(updates) = &mut self.updates {
            updates.stop();
        }
    }

    pub(crate) fn bot(&self) -> &Bot {
        &self.bot
    }

    pub(crate) fn health(&self) -> Health {
        self.health.clone()
    }

    pub(crate) fn backoff(&self) -> Backoff {
        self.backoff
    }
}

/// A marker store in the journal.
struct JournalMarkers(Arc<Queue>);

impl MarkerStore for JournalMarkers {
    type Error = Error;

    async fn load(&self, _: &MarkerKey) -> Result<Option<i64>> {
        Ok(self.0.marker().await?)
    }

    async fn save(&self, _: &MarkerKey, marker: i64) -> Result<()> {
        Ok(self.0.set_marker(marker).await?)
    }
}
