//! The marker of the bot in the key-value bucket, saved by compare-and-set.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use async_nats::jetstream::kv;
use tamtam::updates::{MarkerKey, MarkerStore};
use tokio::{sync::Notify, time::sleep};

use crate::{
    backoff::Backoff,
    error::{Error, Problem, Result},
    queue::Queue,
};

/// The key.
const KEY: &str = "marker";

/// The marker store of one receiver.
pub(super) struct Markers {
    queue: Queue,
    /// The marker when the receiver began.
    first: Option<i64>,
    /// The revision that was read or written last.
    revision: AtomicU64,
    /// Values whose saving was not confirmed.
    unconfirmed: Mutex<Vec<String>>,
    /// Notified when another receiver has saved a marker.
    overtaken: Arc<Notify>,
}

impl Markers {
    /// Reads the marker. Waits while NATS does not answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub(super) async fn load(queue: Queue) -> Result<Self> {
        let mut backoff = Backoff::default();
        let entry = loop {
            match queue.0.state.entry(KEY).await {
                Ok(entry) => break entry,
                Err(error) => {
                    tracing::warn!(error = %error, "marker cannot be read, retrying");
                    sleep(backoff.next()).await;
                }
            }
        };
        let revision = AtomicU64::new(entry.as_ref().map_or(0, |entry| entry.revision));
        let text = entry.filter(|entry| entry.operation == kv::Operation::Put).map(|entry| entry.value);
        let first = match text {
            Some(text) => {
                let marker = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
                let wrong = || Problem::Data(format!("the marker of queue `{}` is not a number", queue.name()));
                Some(marker.ok_or_else(wrong)?)
            }
            None => None,
        };
        Ok(Self { queue, first, revision, unconfirmed: Mutex::default(), overtaken: Arc::default() })
    }

    /// Whether there was a marker when the receiver began.
    pub(super) fn is_known(&self) -> bool {
        self.first.is_some()
    }

    fn unconfirmed(&self) -> MutexGuard<'_, Vec<String>> {
        self.unconfirmed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn overtaken(&self) -> Arc<Notify> {
        Arc::clone(&self.overtaken)
    }
}

impl MarkerStore for Markers {
    type Error = Error;

    async fn load(&self, key: &MarkerKey) -> Result<Option<i64>> {
        self.queue.0.check_bot(key.bot_id())?;
        Ok(self.first)
    }

    async fn save(&self, _: &MarkerKey, marker: i64) -> Result<()> {
        const ACTION: &str = "save the marker";
        let (state, value) = (&self.queue.0.state, marker.to_string());
        // A save is abandoned after 5 s, and may still succeed later.
        self.unconfirmed().push(value.clone());
        let saved = state.update(KEY, value.clone().into(), self.revision.load(Ordering::Relaxed)).await;
        let revision = match saved {
            Ok(revision) => revision,
            Err(error) if error.kind() == kv::UpdateErrorKind::WrongLastRevision => {
                let entry = state.entry(KEY).await.map_err(|error| Error::nats(ACTION, error))?;
                let own = entry.filter(|entry| self.unconfirmed().iter().any(|own| *own.as_bytes() == *entry.value));
                let Some(own) = own else {
                    self.overtaken.notify_one();
                    return Err(Error::nats(ACTION, "another receiver has saved a marker"));
                };
                match *own.value == *value.as_bytes() {
                    true => own.revision,
                    false => {
                        let saved = state.update(KEY, value.into(), own.revision).await;
                        saved.map_err(|error| Error::nats(ACTION, error))?
                    }
                }
            }
            Err(error) => return Err(Error::nats(ACTION, error)),
        };
        self.revision.store(revision, Ordering::Relaxed);
        self.unconfirmed().clear();
        Ok(())
    }
}
