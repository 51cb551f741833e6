//! The receiver: polls updates and stores them. If several receivers run, only the holder of the lease polls.

mod lease;
mod marker;

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use tamtam::updates::{Health, RawUpdate, StartFrom, Updates};
use tokio::{sync::watch, time::sleep};

use crate::{
    error::{Error, Problem, Result},
    queue::Queue,
};
use lease::Lease;
use marker::Markers;

const LEASE: Duration = Duration::from_secs(10);
const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(10);

type Refused = Arc<dyn Fn(RawUpdate, Error) + Send + Sync>;

impl Queue {
    /// Creates a receiver, which polls updates and stores them in the queue. Await the returned value to run the
    /// receiver.
    ///
    /// Run one receiver in each of two processes. One receiver polls, and the other receiver waits. If the receiver
    /// that polls dies, the other receiver starts to poll, by default within about 12 s (see [`Receive::lease`]).
    ///
    /// `updates`: Settings of the polls. Create them with [`Bot::updates`](tamtam::Bot::updates). The receiver ignores
    /// these settings:
    ///
    /// - The marker store. The queue itself stores the marker, which is the position at which the next poll starts.
    /// - [`Updates::start_from`], if the queue already contains a marker.
    /// - The shutdown signal. Use [`Receive::graceful_shutdown_on`] instead.
    ///
    #[doc = crate::doc_example!("
# alice.says(\"hi\");
# let signal = { let queue = queue.clone(); async move { while queue.lag().await.unwrap().waiting == 0 {} } };
queue.receive(bot.updates()).graceful_shutdown_on(signal).await?;
")]
    pub fn receive(&self, updates: Updates) -> Receive {
        Receive::new(self.clone(), updates)
    }
}

/// A receiver that polls updates and stores them in a queue. Created by [`Queue::receive`]. If you `.await` the
/// receiver, it polls until a shutdown or a permanent error.
///
/// A poll is a request for updates, and a page is the list of updates in one response. The marker is the position at
/// which the next page starts. The receiver repeats three steps:
///
/// 1. It stores the updates of a page in the queue.
/// 2. It saves the marker in the queue.
/// 3. It polls the next page with this marker. This poll *commits* the stored page, so that the messenger does not
///    return the stored page again.
///
/// If a receiver dies before it has saved the marker, the next receiver polls the same page again. An update that was
/// stored within the [deduplication window](crate::Open::dedup_window) is not stored again.
///
#[doc = crate::doc_example!("
use std::time::Duration;

# let signal = std::future::ready(());
let receive = queue
    .receive(bot.updates())
    .lease(Duration::from_secs(5))
    .on_refused(|raw, error| eprintln!(\"{}: {error}\", raw.update.tag()))
    .graceful_shutdown_on(signal);
receive.await?;
")]
#[must_use = "a receiver does nothing until it is awaited"]
pub struct Receive {
    queue: Queue,
    updates: Updates,
    lease: Duration,
    refused: Refused,
    shutdown: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    deadline: Duration,
}

/// Why a receiver stopped polling.
enum Ended {
    /// Another receiver has the lease, or may have it.
    Lost,
    Stopped,
    Failed(Error),
}

impl Receive {
    pub(crate) fn new(queue: Queue, updates: Updates) -> Self {
        let refused: Refused = Arc::new(|raw, error| {
            let (kind, chat) = (raw.update.tag(), raw.update.chat_id().map(|chat| chat.0));
            tracing::error!(error = %error, kind, chat, "update skipped");
        });
        Self { queue, updates, lease: LEASE, refused, shutdown: None, deadline: SHUTDOWN_DEADLINE }
    }

    /// Sets the duration of the lease, which is the right to poll. Only one receiver at a time has the lease. Defaults
    /// to 10 s. Values below 1 s count as 1 s. Use the same value for all receivers of a queue.
    ///
    /// If the polling receiver dies, another receiver starts to poll within about 1.2 times this duration.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease.max(Duration::from_secs(1));
        self
    }

    /// Sets the function that is called if an update is too large for NATS. The limit is `max_payload` of the NATS
    /// server minus 8 KiB. The receiver does not store such an update. By default, the receiver logs an ERROR with the
    /// type and the chat of the update.
    pub fn on_refused(mut self, refused: impl Fn(RawUpdate, Error) + Send + Sync + 'static) -> Self {
        self.refused = Arc::new(refused);
        self
    }

    /// Shuts the receiver down when the future `signal` completes. The receiver first stores and commits its current
    /// page, within the [`shutdown_deadline`](Self::shutdown_deadline). Then the receiver releases the
    /// [`lease`](Self::lease), so that a waiting receiver can poll.
    pub fn graceful_shutdown_on<F>(mut self, signal: F) -> Self
    where
        F: Future + Send + 'static,
    {
        self.shutdown = Some(Box::pin(async move {
            signal.await;
        }));
        self
    }

    /// Sets the maximum time to store and commit the current page after a shutdown begins. Defaults to 10 s. If the
    /// receiver needs more time, the next receiver polls the page again when the [`lease`](Self::lease) has ended.
    pub fn shutdown_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Returns a handle to monitor the polls of this receiver. While the receiver waits for the
    /// [`lease`](Self::lease), the time since its last poll ([`Health::last_poll`]) grows, or stays `None` if the
    /// receiver has never polled.
    #[must_use]
    pub fn health(&self) -> Health {
        self.updates.health()
    }

    /// Receives updates until a shutdown or a permanent error. `receive.run().await` and `receive.await` have the same
    /// effect.
    ///
    /// While NATS does not respond, or while the queue is full, the receiver retries and logs a WARN.
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If [`Updates::next`] fails, for example because the API refuses the token or a webhook is subscribed
    ///   ([`ErrorKind::Bot`](crate::ErrorKind::Bot)).
    /// - If the queue belongs to another bot ([`ErrorKind::Bot`](crate::ErrorKind::Bot)).
    /// - If the stored marker is not a number ([`ErrorKind::Data`](crate::ErrorKind::Data)).
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, no update is lost. Another receiver polls the current page again when the
    /// [`lease`](Self::lease) has ended.
    pub async fn run(self) -> Result<()> {
        let Self { queue, updates, lease, refused, shutdown, deadline } = self;
        let shutdown = shutdown.unwrap_or_else(|| Box::pin(std::future::pending()));
        let (stop, stopped) = watch::channel(false);
        let receiver = Receiver { queue: queue.clone(), updates, refused, stopped: stopped.clone() };
        let mut stopped = stopped;
        let receive = async {
            let mut lease = Lease::new(queue.0.state.clone(), lease);
            loop {
                tokio::select! {
                    () = lease.acquire() => {}
                    _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
                }
                tracing::info!(queue = queue.name(), "receiving updates");
                let ended = tokio::select! {
                    biased;
                    () = lease.hold() => Ended::Lost,
                    ended = receiver.receive() => ended,
                };
                match ended {
                    Ended::Lost => tracing::warn!(queue = queue.name(), "lease lost"),
                    Ended::Stopped => {
                        lease.release().await;
                        return Ok(());
                    }
                    Ended::Failed(error) => {
                        lease.release().await;
                        return Err(error);
                    }
                }
            }
        };
        let mut receive = pin!(receive);
        tokio::select! {
            biased;
            result = &mut receive => return result,
            () = shutdown => {}
        }
        let _ = stop.send(true);
        tokio::select! {
            biased;
            result = &mut receive => result,
            () = sleep(deadline) => {
                // The lease is not released. It expires.
                tracing::warn!(queue = queue.name(), "shutdown deadline passed: the last page is not committed");
                Ok(())
            }
        }
    }
}

/// The receiver while it has the lease.
struct Receiver {
    queue: Queue,
    /// The settings of the stream.
    updates: Updates,
    refused: Refused,
    stopped: watch::Receiver<bool>,
}

impl Receiver {
    /// Receives updates until it is stopped, or another receiver saves a marker.
    async fn receive(&self) -> Ended {
        let mut stopped = self.stopped.clone();
        let markers = match Markers::load(self.queue.clone()).await {
            Ok(markers) => markers,
            Err(error) => return Ended::Failed(error),
        };
        let is_overtaken = markers.overtaken();
        // `start_from` applies only if no marker is stored.
        let updates = self.updates.restart();
        let updates = if markers.is_known() { updates.start_from(StartFrom::Stored) } else { updates };
        let mut updates = updates
            .marker_store(markers)
            .graceful_shutdown_on(async move { drop(stopped.wait_for(|stopped| *stopped).await) })
            .raw();
        let receive = async {
            loop {
                match updates.next_page().await {
                    Ok(Some(page)) => self.queue.store_page(page, &*self.refused).await,
                    Ok(None) => return Ended::Stopped,
                    Err(error) => return Ended::Failed(Problem::Updates(error).into()),
                }
            }
        };
        tokio::select! {
            biased;
            () = is_overtaken.notified() => Ended::Lost,
            ended = receive => ended,
        }
    }
}

impl IntoFuture for Receive {
    type Output = Result<()>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Receive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receive")
            .field("queue", &self.queue.name())
            .field("updates", &self.updates)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
