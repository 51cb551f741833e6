//! The marker of the bot in the key-value bucket, saved by compare-and-set.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_nats::jetstream::kv;
use tamtam::{MarkerKey, MarkerStore};
use tokio::{sync::Notify, time::sleep};

use crate::{
    backoff::Backoff,
    error::{Error, Result},
};

/// The key.
const KEY: &str = "marker";

/// The marker as one receiver knows it.
pub(super) struct Markers {
    state: kv::Store,
    /// The marker when the receiver began.
    first: Option<i64>,
    /// The revision that was read or written last.
    revision: AtomicU64,
    /// Another receiver has saved a marker.
    overtaken: Arc<Notify>,
}

impl Markers {
    /// Reads the marker. Waits while NATS does not answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub(super) async fn load(state: kv::Store) -> Result<Self> {
        const ACTION: &str = "read the marker";
        let mut backoff = Backoff::default();
        let entry = loop {
            match state.entry(KEY).await {
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
                Some(marker.ok_or_else(|| Error::nats(ACTION, "it is not a number"))?)
            }
            None => None,
        };
        Ok(Self { state, first, revision, overtaken: Arc::default() })
    }

    pub(super) fn overtaken(&self) -> Arc<Notify> {
        Arc::clone(&self.overtaken)
    }
}

impl MarkerStore for Markers {
    type Error = Error;

    async fn load(&self, _: &MarkerKey) -> Result<Option<i64>> {
        Ok(self.first)
    }

    async fn save(&self, _: &MarkerKey, marker: i64) -> Result<()> {
        const ACTION: &str = "save the marker";
        let (value, revision) = (marker.to_string(), self.revision.load(Ordering::Relaxed));
        match self.state.update(KEY, value.clone().into(), revision).await {
            Ok(revision) => self.revision.store(revision, Ordering::Relaxed),
            Err(error) if error.kind() == kv::UpdateErrorKind::WrongLastRevision => {
                let entry = self.state.entry(KEY).await.map_err(|error| Error::nats(ACTION, error))?;
                match entry {
                    // An earlier save whose answer did not come.
                    Some(entry) if entry.value == value => self.revision.store(entry.revision, Ordering::Relaxed),
                    _ => {
                        self.overtaken.notify_one();
                        return Err(Error::nats(ACTION, "another receiver has saved one"));
                    }
                }
            }
            Err(error) => return Err(Error::nats(ACTION, error)),
        }
        Ok(())
    }
}
