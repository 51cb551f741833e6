//! The log of the program: one line for each request, upload and delivery, without tokens.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tamtam_sandbox::{Delivery, Exchange, Sandbox, UploadRequest};

/// How many lines may wait to be written. Further lines are lost.
const WAITING: usize = 4_096;
/// How long the program waits at its end for these lines.
const LAST_LINES: Duration = Duration::from_secs(1);

/// A handle of a thread that writes lines to stderr. A slow reader does not block the sandbox: if too many lines wait,
/// further lines are lost and counted.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    lines: SyncSender<String>,
    lost: Arc<AtomicU64>,
}

/// A handle to wait until the last line is written.
#[derive(Debug)]
pub(crate) struct Written(Receiver<()>);

impl Log {
    pub(crate) fn start() -> io::Result<(Self, Written)> {
        let (lines, waiting) = sync_channel::<String>(WAITING);
        let (written, done) = channel();
        let lost = Arc::<AtomicU64>::default();
        let counted = Arc::clone(&lost);
        thread::Builder::new().name("tamtam-sandbox-log".to_owned()).spawn(move || {
            // Dropping it at the end wakes `Written::wait`.
            let _written = written;
            // An error means that stderr is closed, so there is no place to report it.
            let write = |line: &str| drop(writeln!(io::stderr(), "{line}"));
            for line in waiting {
                write(&line);
                match counted.swap(0, Ordering::Relaxed) {
                    0 => {}
                    lost => write(&format!("{} {lost} lines lost: stderr is read too slowly", now())),
                }
            }
        })?;
        Ok((Self { lines, lost }, Written(done)))
    }

    pub(crate) fn line(&self, line: &str) {
        if self.lines.try_send(format!("{} {line}", now())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes a line for every request, upload and delivery from now on.
    pub(crate) fn listen(&self, tamtam: &Sandbox) {
        let log = self.clone();
        tamtam.on_exchange(move |exchange| log.line(&request(exchange)));
        let log = self.clone();
        tamtam.uploads().on_request(move |request| log.line(&upload(request)));
        let log = self.clone();
        tamtam.on_delivery(move |one| log.line(&delivery(one)));
    }
}

impl Written {
    /// Waits until the last line is written, for at most 1 s. All clones of the log must be dropped before.
    pub(crate) fn wait(self) {
        let (Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected)) =
            self.0.recv_timeout(LAST_LINES);
    }
}

/// Formats a request: `GET /chats?count=5 200 getChats`.
fn request(exchange: &Exchange) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in exchange.query() {
        query.append_pair(name, value);
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    let (method, path) = (exchange.method(), exchange.path());
    let operation = exchange.operation().unwrap_or("-");
    let fault = if exchange.is_faulty() { " (fault)" } else { "" };
    format!("{method} {path}{mark}{query} {} {operation}{fault}", outcome(Some(exchange.status())))
}

/// Formats a request to the upload host: `POST /upload/4ab1 200 (upload host)`.
fn upload(request: &UploadRequest) -> String {
    format!("{} {} {} (upload host)", request.method(), request.path(), outcome(request.status()))
}

/// Formats a delivery: `POST http://127.0.0.1:3000 200 message_created (webhook, attempt 1)`.
fn delivery(delivery: &Delivery) -> String {
    let update = serde_json::from_str::<serde_json::Value>(delivery.update()).unwrap_or_default();
    let kind = update["update_type"].as_str().unwrap_or("-");
    let (url, attempt) = (delivery.origin(), delivery.attempt());
    let outcome = delivery.status().map_or("failed".to_owned(), |status| status.to_string());
    let why = delivery.error().map(|why| format!(": {why}")).unwrap_or_default();
    format!("POST {url} {outcome} {kind} (webhook, attempt {attempt}){why}").replace(char::is_control, " ")
}

fn outcome(status: Option<u16>) -> String {
    status.filter(|status| *status > 0).map_or("reset".to_owned(), |status| status.to_string())
}

/// Returns the time of day in UTC, such as `21:05:09.123`.
fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, millis) = (since.as_secs(), since.subsec_millis());
    format!("{:02}:{:02}:{:02}.{millis:03}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}
