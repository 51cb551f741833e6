//! Stores updates in the stream: in order within a slot, and each update once.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::{
    context::{PublishError, PublishErrorKind},
    message::PublishMessage,
};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tamtam::updates::RawUpdate;
use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    error::{Error, ErrorKind, Problem, Result},
    purge::purge,
    queue::Queue,
    slots::slot_of,
};

/// Bytes of `max_payload` that are reserved for the headers of an update or dead letter. An update that does not leave
/// them free is refused.
pub(crate) const RESERVE: usize = 8 * 1024;
/// Failures for the same reason are logged at most this often.
const LOG_INTERVAL: Duration = Duration::from_secs(60);
/// A full stream is purged at most this often.
const PURGE_INTERVAL: Duration = Duration::from_secs(2);

/// The result of storing an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored {
    New,
    /// The update was stored before.
    Again,
}

impl Queue {
    /// Stores an update, unless it was stored before. Waits for earlier calls for the same slot.
    pub(crate) async fn store(&self, raw: &RawUpdate) -> Result<Stored> {
        self.store_as(raw, &raw.update.key()).await
    }

    /// Stores the update of a dead letter under a new key, so that NATS does not drop it as a repeat.
    pub(crate) async fn store_again(&self, raw: &RawUpdate, letter: u64) -> Result<Stored> {
        self.store_as(raw, &format!("{}/replay={letter}", raw.update.key())).await
    }

    /// Stores an update. If the stream is full, makes room and retries once.
    async fn store_as(&self, raw: &RawUpdate, key: &str) -> Result<Stored> {
        let slot = self.slot_of(raw);
        let _turn = self.0.storing.turns[usize::from(slot)].lock().await;
        match self.store_in(slot, raw, key).await {
            Err(error) if error.kind() == ErrorKind::Full => {
                self.make_room().await;
                self.store_in(slot, raw, key).await
            }
            stored => stored,
        }
    }

    /// Stores the updates of a page, with retries until all are stored. Updates that are too large are passed to
    /// `refused`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, some updates may be stored. The queue recognizes them when the page is polled again.
    pub(crate) async fn store_page(&self, page: Vec<RawUpdate>, refused: &(dyn Fn(RawUpdate, Error) + Send + Sync)) {
        let mut slots: BTreeMap<u16, Vec<RawUpdate>> = BTreeMap::new();
        for raw in page {
            slots.entry(self.slot_of(&raw)).or_default().push(raw);
        }
        let store = |(slot, updates): (u16, Vec<RawUpdate>)| async move {
            for raw in updates {
                if let Err(error) = self.store_for_sure(slot, &raw).await {
                    refused(raw, error);
                }
            }
        };
        slots.into_iter().map(store).collect::<FuturesUnordered<_>>().collect::<()>().await;
    }

    /// Stores an update of a slot, with retries. Fails only if the update is too large.
    async fn store_for_sure(&self, slot: u16, raw: &RawUpdate) -> Result<()> {
        let _turn = self.0.storing.turns[usize::from(slot)].lock().await;
        let (key, mut backoff) = (raw.update.key(), Backoff::default());
        loop {
            let error = match self.store_in(slot, raw, &key).await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::TooLarge => return Err(error),
                Err(error) => error,
            };
            self.log_failure(&error);
            if error.kind() == ErrorKind::Full {
                self.make_room().await;
            }
            tokio::time::sleep(backoff.next()).await;
        }
    }

    /// Logs a failure. The same reason is logged once a minute, because many slots fail at the same time.
    fn log_failure(&self, error: &Error) {
        let (mut failing, now) = (lock(&self.0.storing.failing), Instant::now());
        if failing.is_none_or(|(kind, logged)| kind != error.kind() || now - logged > LOG_INTERVAL) {
            *failing = Some((error.kind(), now));
            tracing::warn!(queue = self.name(), error = %error, "storing updates failed, retrying");
        }
    }

    /// Removes handled updates from a full stream, even if they are still needed to recognize repeats.
    async fn make_room(&self) {
        {
            let mut purged = lock(&self.0.storing.purged);
            if purged.is_some_and(|purged| purged.elapsed() < PURGE_INTERVAL) {
                return;
            }
            *purged = Some(Instant::now());
        }
        match purge(self, Duration::ZERO).await {
            Ok(0) => {}
            Ok(removed) => {
                tracing::warn!(queue = self.name(), removed, "stream is full: handled updates removed early");
            }
            Err(error) => tracing::warn!(queue = self.name(), error = %error, "purge failed"),
        }
    }

    fn slot_of(&self, raw: &RawUpdate) -> u16 {
        slot_of(&raw.update.lane(), self.0.slots)
    }

    async fn store_in(&self, slot: u16, raw: &RawUpdate, key: &str) -> Result<Stored> {
        const ACTION: &str = "store an update";
        let json = raw.json.get();
        let (bytes, most) = (json.len() + key.len(), self.0.context.client().server_info().max_payload);
        // Before the first connection, the limit is not known.
        if most > 0 && bytes + RESERVE > most {
            return Err(Problem::TooLarge { bytes: json.len(), most: most.saturating_sub(RESERVE) }.into());
        }
        let message = PublishMessage::build()
            .payload(Bytes::copy_from_slice(json.as_bytes()))
            .message_id(key)
            .expected_stream(self.name());
        let fails = |error: PublishError| match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => Problem::TooLarge { bytes, most }.into(),
            _ => Error::nats(ACTION, error),
        };
        let ack =
            self.0.context.send_publish(self.0.names.slot(slot), message).await.map_err(fails)?.await.map_err(fails)?;
        Ok(if ack.duplicate { Stored::Again } else { Stored::New })
    }
}

fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
