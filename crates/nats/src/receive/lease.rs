//! The lease of the receiver: one process at a time has it, by compare-and-set on a key of NATS.
//!
//! No clocks are compared. The holder rewrites the key regularly. Another process may write the key after it has seen
//! the same revision for the duration of the lease. The server accepts only one of several such writes. The holder
//! stops when 4/5 of the duration have passed since its last successful write began.

use std::{fmt::Write as _, time::Duration};

use async_nats::jetstream::kv;
use tokio::time::{Instant, sleep, timeout};

/// The key.
const KEY: &str = "receiver";
/// The value of a lease that was released.
const FREE: &[u8] = b"";

pub(super) struct Lease {
    state: kv::Store,
    duration: Duration,
    /// A name that no other process has.
    holder: String,
    /// The revision of the own last write, and when that write began.
    held: Option<(u64, Instant)>,
}

impl Lease {
    pub(super) fn new(state: kv::Store, duration: Duration) -> Self {
        let mut holder = String::with_capacity(32);
        for _ in 0..2 {
            // Writing to a string cannot fail.
            let _ = write!(holder, "{:016x}", fastrand::u64(..));
        }
        Self { state, duration, holder, held: None }
    }

    /// Waits until no other process has the lease, and takes it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the lease may be taken. It then expires.
    pub(super) async fn acquire(&mut self) {
        let mut seen: Option<(u64, Instant)> = None;
        let mut is_failing = false;
        loop {
            match self.try_acquire(&mut seen).await {
                Ok(true) => return,
                Ok(false) => is_failing = false,
                Err(error) => {
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!(error, "lease cannot be read, retrying");
                    }
                }
            }
            sleep(self.duration / 10).await;
        }
    }

    async fn try_acquire(&mut self, seen: &mut Option<(u64, Instant)>) -> Result<bool, String> {
        let entry = timeout(self.duration, self.state.entry(KEY)).await;
        let entry = entry.map_err(|_| "NATS does not answer".to_owned())?.map_err(|error| error.to_string())?;
        let now = Instant::now();
        let revision = match entry {
            None => 0,
            Some(entry) if entry.operation != kv::Operation::Put => entry.revision,
            Some(entry) if *entry.value == *FREE => entry.revision,
            // An own write whose answer was lost.
            Some(entry) if *entry.value == *self.holder.as_bytes() => entry.revision,
            Some(entry) => match *seen {
                Some((revision, since)) if revision == entry.revision => {
                    if now.duration_since(since) < self.duration {
                        return Ok(false);
                    }
                    revision
                }
                _ => {
                    *seen = Some((entry.revision, now));
                    return Ok(false);
                }
            },
        };
        Ok(self.write(self.holder.clone().into(), revision).await.is_ok())
    }

    /// Keeps the lease. Ends when the lease is lost, or may be lost.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future keeps the lease for the rest of its time.
    pub(super) async fn hold(&mut self) {
        while let Some((revision, since)) = self.held {
            sleep(self.duration / 4).await;
            // Another process may take the lease after the duration, so the holder stops earlier.
            let left = (self.duration * 4 / 5).saturating_sub(since.elapsed());
            if left.is_zero() {
                break;
            }
            let renewed = timeout(left, async {
                loop {
                    let Err(error) = self.write(self.holder.clone().into(), revision).await else { return true };
                    // Another process has written, or the answer to an own write was lost.
                    if error.kind() == kv::UpdateErrorKind::WrongLastRevision {
                        return self.is_own().await;
                    }
                    sleep(self.duration / 20).await;
                }
            });
            if !matches!(renewed.await, Ok(true)) {
                break;
            }
        }
        self.held = None;
    }

    /// Releases the lease, so that another process can take it at once.
    pub(super) async fn release(&mut self) {
        let Some((revision, _)) = self.held.take() else { return };
        let release = async {
            if self.state.update(KEY, FREE.into(), revision).await.is_ok() {
                return;
            }
            // A write that was under way may have succeeded.
            if let Ok(Some(entry)) = self.state.entry(KEY).await
                && *entry.value == *self.holder.as_bytes()
            {
                let _ = self.state.update(KEY, FREE.into(), entry.revision).await;
            }
        };
        // If the release fails, the lease expires.
        let _ = timeout(self.duration / 4, release).await;
    }

    async fn write(&mut self, value: bytes::Bytes, revision: u64) -> Result<(), kv::UpdateError> {
        let began = Instant::now();
        self.held = Some((self.state.update(KEY, value, revision).await?, began));
        Ok(())
    }

    /// Returns whether this process made the last write. The time of that write is unknown, so `held` keeps the time of
    /// the last confirmed write, which is earlier.
    async fn is_own(&mut self) -> bool {
        let Ok(Some(entry)) = self.state.entry(KEY).await else { return false };
        let is_own = *entry.value == *self.holder.as_bytes();
        if let (true, Some((revision, _))) = (is_own, &mut self.held) {
            *revision = entry.revision;
        }
        is_own
    }
}
