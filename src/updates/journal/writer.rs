//! The thread that owns the journal's database. It groups queued jobs into one transaction.

use std::{
    io, iter,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
};

use tokio::sync::oneshot;

use super::{
    database::Database,
    error::Problem,
    gauge::{Gauge, unix_now},
};

/// The most jobs in one transaction. Each waits for the commit of all.
const GROUP: usize = 256;

/// Called after the transaction with its result.
type Done = Box<dyn FnOnce(Result<(), Problem>)>;
/// Reads and writes within a transaction.
type Job = Box<dyn FnOnce(&Database) -> Done + Send>;

/// The handle of the thread. Dropping it waits until the thread has closed the database.
pub(super) struct Writer {
    /// `None` after the drop has begun, which ends the thread.
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(database: Database, gauge: Arc<Gauge>) -> io::Result<Self> {
        let (jobs, received) = mpsc::channel();
        let thread = thread::Builder::new().name("tamtam-journal".to_owned());
        let thread = thread.spawn(move || write(&database, &gauge, &received))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `work` in a transaction. After the commit, `commit` is called with the result on the thread of the writer,
    /// before any later work.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses the result. `work` and `commit` are still called.
    pub(super) async fn write<T: 'static, R: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> rusqlite::Result<T> + Send + 'static,
        commit: impl FnOnce(T) -> R + Send + 'static,
    ) -> Result<R, Problem> {
        let (reply, answer) = oneshot::channel();
        // Sending fails if the future was dropped: the result is not needed then.
        self.submit(work, move |result: Result<T, Problem>| drop(reply.send(result.map(commit))));
        answer.await.unwrap_or(Err(Problem::Ended))
    }

    /// Runs `work` in a transaction, and calls `done` with the result after the commit.
    pub(super) fn submit<T: 'static>(
        &self,
        work: impl FnOnce(&Database) -> rusqlite::Result<T> + Send + 'static,
        done: impl FnOnce(Result<T, Problem>) + Send + 'static,
    ) {
        let job: Job = Box::new(move |database| {
            let worked = database.part(work).map_err(Problem::from);
            Box::new(move |committed| done(committed.and(worked)))
        });
        // If the thread has ended, the job is dropped with its reply channel, so waiting callers get `Problem::Ended`.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(job));
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        let thread = self.thread.take().filter(|thread| thread.thread().id() != thread::current().id());
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn write(database: &Database, gauge: &Gauge, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let mut all_done = Vec::new();
        let committed = database.transaction(|database| {
            all_done.extend(iter::once(first).chain(jobs.try_iter()).take(GROUP).map(|job| job(database)));
            Ok(())
        });
        // If the contents cannot be read, the gauge keeps the earlier ones.
        if committed.is_ok()
            && let Ok(contents) = database.contents()
        {
            gauge.set(contents);
        }
        let committed = committed.map_err(Problem::from);
        for done in all_done {
            done(committed.clone());
        }
        if let Err(error) = database.clean_up(unix_now()) {
            // Retried after the next jobs.
            tracing::error!(error = %error, "journal access failed");
        }
    }
}
