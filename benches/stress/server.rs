//! A server that delivers the planned updates like TamTam, and fails one request in five.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::plan::{Kind, Plan};

/// One of this number of polls fails.
const FAILING: usize = 5;
/// One of this number of pages has elements that are not updates.
const RUBBISH: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    ResetBeforeReading,
    ResetAfterReading,
    Silence,
    CutBody,
    CutBodyOfUnknownLength,
    GarbageBody,
    GarbageInTheMiddle,
    EmptyBody,
    NullMarker,
    TooMany,
    Internal,
    BadGateway,
    Unavailable,
    ProxysForbidden,
}

const FAULTS: [Fault; 14] = [
    Fault::ResetBeforeReading,
    Fault::ResetAfterReading,
    Fault::Silence,
    Fault::CutBody,
    Fault::CutBodyOfUnknownLength,
    Fault::GarbageBody,
    Fault::GarbageInTheMiddle,
    Fault::EmptyBody,
    Fault::NullMarker,
    Fault::TooMany,
    Fault::Internal,
    Fault::BadGateway,
    Fault::Unavailable,
    Fault::ProxysForbidden,
];

/// The server, on a thread of its own.
pub(crate) struct Server {
    base_url: String,
    shared: Arc<Shared>,
}

struct Shared {
    plan: Arc<Plan>,
    /// All updates before this index are committed.
    committed: AtomicUsize,
    polls: AtomicUsize,
    rubbish: AtomicUsize,
    faults: Mutex<BTreeMap<Fault, usize>>,
    chance: Mutex<fastrand::Rng>,
}

impl Server {
    pub(crate) fn start(plan: Arc<Plan>, seed: u64) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            plan,
            committed: AtomicUsize::new(0),
            polls: AtomicUsize::new(0),
            rubbish: AtomicUsize::new(0),
            faults: Mutex::default(),
            chance: Mutex::new(fastrand::Rng::with_seed(seed + 1)),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (connection, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(connection, Arc::clone(&serving)));
                }
            });
        });
        Self { base_url, shared }
    }

    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    pub(crate) fn committed(&self) -> usize {
        self.shared.committed.load(SeqCst)
    }

    pub(crate) fn polls(&self) -> usize {
        self.shared.polls.load(SeqCst)
    }

    pub(crate) fn rubbish(&self) -> usize {
        self.shared.rubbish.load(SeqCst)
    }

    pub(crate) fn faults(&self) -> BTreeMap<Fault, usize> {
        self.shared.faults.lock().unwrap().clone()
    }
}

impl Shared {
    /// Returns the fault of the next request, if any.
    fn fault(&self) -> Option<Fault> {
        let mut chance = self.chance.lock().unwrap();
        let fault = (chance.usize(..FAILING) == 0).then(|| FAULTS[chance.usize(..FAULTS.len())]);
        if let Some(fault) = fault {
            *self.faults.lock().unwrap().entry(fault).or_default() += 1;
        }
        fault
    }

    /// Returns the updates after the marker. The marker commits all updates before it.
    fn page(&self, marker: Option<usize>, limit: usize) -> String {
        self.polls.fetch_add(1, SeqCst);
        let first = self.committed.fetch_max(marker.unwrap_or(0), SeqCst).max(marker.unwrap_or(0));
        let end = (first + limit).min(self.plan.len());
        let mut page = String::from("{\"updates\":[");
        for index in first..end {
            if index > first {
                page.push(',');
            }
            page.push_str(&update(&self.plan, index));
        }
        if end > first && self.chance.lock().unwrap().usize(..RUBBISH) == 0 {
            self.rubbish.fetch_add(3, SeqCst);
            page.push_str(r#",null,5,{"update_type":7}"#);
        }
        let _ = write!(page, "],\"marker\":{end}}}");
        page
    }
}

/// Returns the JSON of an update.
pub(crate) fn update(plan: &Plan, index: usize) -> String {
    let (chat, number) = plan.update(index);
    match plan.kind(index) {
        Kind::Message => format!(
            r#"{{"timestamp":{index},"message":{{"recipient":{{"chat_id":{chat},"chat_type":"chat"}},"timestamp":{index},"sender":{{"user_id":{chat},"name":"Алиса","is_bot":false}},"body":{{"mid":"mid.{index}","seq":{index},"text":"{number}"}}}},"update_type":"message_created"}}"#
        ),
        Kind::Unknown => {
            format!(r#"{{"timestamp":{index},"chat_id":{chat},"number":{number},"update_type":"weather"}}"#)
        }
        Kind::Malformed => {
            format!(r#"{{"timestamp":"soon","chat_id":{chat},"number":{number},"update_type":"bot_started"}}"#)
        }
    }
}

async fn serve(mut connection: TcpStream, shared: Arc<Shared>) {
    loop {
        let fault = shared.fault();
        if fault == Some(Fault::ResetBeforeReading) {
            return reset(connection);
        }
        let Some(request) = read_request(&mut connection).await else { return };
        let path = request.split_whitespace().nth(1).unwrap_or_default();
        let parameter = |name: &str| {
            let query = path.split_once('?')?.1;
            query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse::<usize>().ok())
        };
        let is_poll = path.starts_with("/updates");
        let body = match path.split('?').next() {
            Some("/me") => r#"{"user_id":1,"name":"Bot","is_bot":true,"last_activity_time":1}"#.to_owned(),
            Some("/subscriptions") => r#"{"subscriptions":[]}"#.to_owned(),
            // A request commits even if its answer is lost.
            _ => shared.page(parameter("marker"), parameter("limit").unwrap_or(100)),
        };
        let cut = (0..=body.len() / 2).rev().find(|cut| body.is_char_boundary(*cut)).unwrap_or(0);
        let ok = |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        let refused =
            |status: &str, body: &str| format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let answer = match fault {
            None => ok(body.len()) + &body,
            Some(Fault::ResetBeforeReading | Fault::ResetAfterReading) => return reset(connection),
            Some(Fault::Silence) => {
                // Waits until the client gives up.
                let _ = connection.read(&mut [0]).await;
                return;
            }
            Some(Fault::CutBody) => ok(body.len()) + &body[..cut],
            Some(Fault::CutBodyOfUnknownLength) => {
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", &body[..cut])
            }
            Some(Fault::GarbageBody) => refused("200 OK", "<html>Sign in to the hotel's network</html>"),
            // An unmatched quote, because the crate accepts control characters in texts.
            Some(Fault::GarbageInTheMiddle) => refused("200 OK", &[&body[..cut], "\"", &body[cut..]].concat()),
            Some(Fault::EmptyBody) => ok(0),
            // As the answer to another request, this page would end the bot.
            Some(Fault::NullMarker) if !is_poll => ok(body.len()) + &body,
            Some(Fault::NullMarker) => refused("200 OK", r#"{"updates":[],"marker":null}"#),
            Some(Fault::TooMany) => refused("429 Too Many Requests", r#"{"code":"too.many.requests","message":""}"#),
            Some(Fault::Internal) => refused("500 X", r#"{"code":"internal.error","message":"1"}"#),
            Some(Fault::BadGateway) => refused("502 Bad Gateway", "<html>Sorry</html>"),
            Some(Fault::Unavailable) => refused("503 X", r#"{"code":"service.unavailable","message":""}"#),
            Some(Fault::ProxysForbidden) => refused("403 Forbidden", "<html>Forbidden</html>"),
        };
        if connection.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        if matches!(fault, Some(Fault::CutBody | Fault::CutBodyOfUnknownLength)) {
            return;
        }
    }
}

/// Resets a connection.
fn reset(connection: TcpStream) {
    let _ = connection.set_zero_linger();
}

/// Reads the head of a request. Polls have no body.
async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        if connection.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    String::from_utf8(read).ok()
}
