//! 64 tasks make 100,000 calls through a server that fails one request in five, in every way the retry contract knows.
//!
//! `cargo bench --bench load` checks that no call is lost, that each result is true of what the server did, and that no
//! message is posted twice; then it prints the figures. A seed can be given: `cargo bench --bench load -- 42`.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tamtam::{Bot, ChatId, Result, RetryPolicy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const TASKS: usize = 64;
const CALLS: usize = 100_000;
/// One request in so many fails.
const FAILING: u32 = 5;
/// By how much memory may grow after the first tenth of the calls, results and all, in KiB.
const MOST_GROWTH_KIB: u64 = 16 * 1024;
/// How long the client waits for an answer.
const TIMEOUT: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    ResetBeforeReading,
    ResetAfterReading,
    Silence,
    CutBody,
    CutBodyOfUnknownLength,
    StalledBody,
    GarbageBody,
    MisfitBody,
    TooMany,
    TooManyWithRetryAfter,
    UnavailableByApi,
    UnavailableByProxy,
    Internal,
    BadGateway,
    RequestTimeout,
    NotReady,
}

const FAULTS: [Fault; 16] = [
    Fault::ResetBeforeReading,
    Fault::ResetAfterReading,
    Fault::Silence,
    Fault::CutBody,
    Fault::CutBodyOfUnknownLength,
    Fault::StalledBody,
    Fault::GarbageBody,
    Fault::MisfitBody,
    Fault::TooMany,
    Fault::TooManyWithRetryAfter,
    Fault::UnavailableByApi,
    Fault::UnavailableByProxy,
    Fault::Internal,
    Fault::BadGateway,
    Fault::RequestTimeout,
    Fault::NotReady,
];

impl Fault {
    /// Whether the server has carried the request out: never, always, or by chance where nobody could tell.
    fn applies(self, chance: u32) -> bool {
        match self {
            Self::ResetBeforeReading
            | Self::TooMany
            | Self::TooManyWithRetryAfter
            | Self::UnavailableByApi
            | Self::NotReady => false,
            Self::CutBody | Self::CutBodyOfUnknownLength | Self::StalledBody | Self::GarbageBody | Self::MisfitBody => {
                true
            }
            _ => chance.is_multiple_of(2),
        }
    }

    /// Whether nobody can tell after it if the request was carried out.
    fn is_ambiguous(self) -> bool {
        !self.allows_resending() && self != Self::ResetBeforeReading
    }

    /// Whether a message may be sent again after it.
    fn allows_resending(self) -> bool {
        matches!(self, Self::TooMany | Self::TooManyWithRetryAfter | Self::UnavailableByApi | Self::NotReady)
    }
}

/// What the server did, by the number of the call.
struct Ledger {
    applied: Vec<AtomicU32>,
    /// Requests of a call beyond what the faults before them allow.
    forbidden: AtomicUsize,
    /// Whether the last fault of a call allows a message to be sent again.
    may_come_again: Vec<AtomicU32>,
    /// Whether a request of a call met a fault that leaves open if it was carried out.
    ambiguous: Vec<AtomicU32>,
    /// Connections that were reset before a request was read: nobody knows whose.
    reset: AtomicUsize,
    requests: AtomicUsize,
    faults: Mutex<BTreeMap<Fault, usize>>,
    random: AtomicU64,
}

impl Ledger {
    fn new(seed: u64) -> Self {
        let counters = || (0..CALLS).map(|_| AtomicU32::new(0)).collect();
        Self {
            applied: counters(),
            forbidden: AtomicUsize::new(0),
            may_come_again: counters(),
            ambiguous: counters(),
            reset: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            faults: Mutex::default(),
            random: AtomicU64::new(seed),
        }
    }

    /// splitmix64, shared by all connections: the order is not repeatable, the distribution is.
    fn random(&self, below: u32) -> u32 {
        let state = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((mixed ^ (mixed >> 31)) % u64::from(below)).unwrap_or(0)
    }

    fn fault(&self) -> Option<Fault> {
        if self.random(FAILING) > 0 {
            return None;
        }
        let fault = FAULTS[self.random(u32::try_from(FAULTS.len()).unwrap_or(1)) as usize];
        *self.faults.lock().unwrap().entry(fault).or_default() += 1;
        Some(fault)
    }
}

/// What a call does, by its number.
fn kind(call: usize) -> &'static str {
    ["GET", "PUT", "DELETE", "POST"][call % 4]
}

async fn call(bot: &Bot, number: usize) -> Result<()> {
    let mid = format!("mid.{number}");
    match kind(number) {
        "GET" => bot.api().get_message_by_id(mid).await.map(drop),
        "PUT" => bot.edit(mid, "text").await,
        "DELETE" => bot.api().delete_message(mid).await,
        _ => bot.send(ChatId(1), mid).await.map(drop),
    }
}

async fn serve(mut connection: TcpStream, ledger: Arc<Ledger>) {
    let mut read = Vec::new();
    loop {
        let fault = ledger.fault();
        if fault == Some(Fault::ResetBeforeReading) {
            // Whatever the client is about to send, or has just sent.
            ledger.reset.fetch_add(1, Ordering::Relaxed);
            let _ = connection.set_zero_linger();
            return;
        }
        let Some((method, number)) = next_request(&mut connection, &mut read).await else { return };
        ledger.requests.fetch_add(1, Ordering::Relaxed);
        let again = ledger.may_come_again[number].swap(2, Ordering::Relaxed);
        if method == "POST" && again == 2 {
            ledger.forbidden.fetch_add(1, Ordering::Relaxed);
        }
        if fault.is_some_and(Fault::allows_resending) {
            ledger.may_come_again[number].store(1, Ordering::Relaxed);
        }
        if fault.is_some_and(Fault::is_ambiguous) {
            ledger.ambiguous[number].store(1, Ordering::Relaxed);
        }
        let before = ledger.applied[number].load(Ordering::Relaxed);
        if fault.is_none_or(|fault| fault.applies(ledger.random(2))) {
            ledger.applied[number].fetch_add(1, Ordering::Relaxed);
        }
        let good = match method.as_str() {
            "GET" => message(number),
            "POST" => format!(r#"{{"message":{}}}"#, message(number)),
            "DELETE" if before > 0 => r#"{"success":false,"message":"already deleted"}"#.to_owned(),
            _ => r#"{"success":true}"#.to_owned(),
        };
        let ok = "HTTP/1.1 200 OK\r\n";
        let length = good.len();
        let status =
            |line: &str, body: &str| format!("HTTP/1.1 {line}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let (answer, stays) = match fault {
            None => (format!("{ok}content-length: {length}\r\n\r\n{good}"), true),
            Some(Fault::ResetAfterReading | Fault::ResetBeforeReading) => {
                let _ = connection.set_zero_linger();
                return;
            }
            Some(Fault::Silence) => (String::new(), false),
            Some(Fault::CutBody | Fault::StalledBody) => {
                (format!("{ok}content-length: {length}\r\n\r\n{}", &good[..length / 2]), false)
            }
            Some(Fault::CutBodyOfUnknownLength) => {
                (format!("{ok}connection: close\r\n\r\n{}", &good[..length / 2]), false)
            }
            Some(Fault::GarbageBody) => (format!("{ok}content-length: 7\r\n\r\ngarbage"), true),
            Some(Fault::MisfitBody) => (format!("{ok}content-length: 4\r\n\r\n[[]]"), true),
            Some(Fault::TooMany) => (status("429 X", r#"{"code":"too.many.requests","message":""}"#), true),
            Some(Fault::TooManyWithRetryAfter) => (status("429 X\r\nretry-after: 0", ""), true),
            Some(Fault::UnavailableByApi) => (status("503 X", r#"{"code":"service.unavailable","message":""}"#), true),
            Some(Fault::UnavailableByProxy) => (status("503 X", "<html>"), true),
            Some(Fault::Internal) => (status("500 X", r#"{"code":"internal.error","message":"1"}"#), true),
            Some(Fault::BadGateway) => (status("502 X", "<html>"), true),
            Some(Fault::RequestTimeout) => (status("408 X", ""), true),
            Some(Fault::NotReady) => (status("400 X", r#"{"code":"attachment.not.ready","message":""}"#), true),
        };
        let _ = connection.write_all(answer.as_bytes()).await;
        if matches!(fault, Some(Fault::Silence | Fault::StalledBody)) {
            let _ = connection.read(&mut [0; 1]).await;
        }
        if !stays {
            return;
        }
    }
}

fn message(number: usize) -> String {
    format!(
        r#"{{"recipient":{{"chat_id":1,"chat_type":"chat"}},"timestamp":1,"body":{{"mid":"mid.{number}","seq":1,"text":"t"}}}}"#
    )
}

/// Method and number of the next request, once it is there whole.
async fn next_request(connection: &mut TcpStream, read: &mut Vec<u8>) -> Option<(String, usize)> {
    loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            let whole = end + 4 + length;
            if read.len() >= whole {
                let request = String::from_utf8_lossy(&read[..whole]).into_owned();
                read.drain(..whole);
                let digits = request.split("mid.").nth(1)?.chars().take_while(char::is_ascii_digit).collect::<String>();
                return Some((head.split(' ').next()?.to_owned(), digits.parse().ok()?));
            }
        }
        if connection.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}

/// A figure of this process, in KiB, if the system tells.
fn memory(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim_start_matches(':').split_whitespace().next()?.parse().ok())
}

#[tokio::main]
async fn main() {
    let seed = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1);
    let ledger = Arc::new(Ledger::new(seed));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let book = Arc::clone(&ledger);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(serve(connection, Arc::clone(&book)));
        }
    });

    let (first, most) = (Duration::from_millis(1), Duration::from_millis(5));
    let policy = RetryPolicy::default().backoff(first, most).attachment_backoff(first, most);
    let retries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&retries);
    let bot = Bot::builder("token")
        .base_url(url)
        .timeout(TIMEOUT)
        .retry(policy)
        .on_retry(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
        })
        .build()
        .expect("a bot");

    let started = Instant::now();
    let next = Arc::new(AtomicUsize::new(0));
    let early_memory = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (bot, next, early_memory) = (bot.clone(), Arc::clone(&next), Arc::clone(&early_memory));
            tokio::spawn(async move {
                let mut results = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= CALLS {
                        return results;
                    }
                    if number == CALLS / 10 {
                        early_memory.store(memory("VmRSS").unwrap_or_default(), Ordering::Relaxed);
                    }
                    let failure = call(&bot, number).await.err();
                    // Only what is judged is kept, so that memory says something of the client.
                    results.push((number, failure.map(|error| error.may_have_been_applied())));
                }
            })
        })
        .collect();
    let mut results = BTreeMap::new();
    for task in tasks {
        results.extend(task.await.expect("a task that ends"));
    }
    let elapsed = started.elapsed();

    let (mut untrue, mut unexplained) = (Vec::new(), 0);
    let mut duplicates = 0;
    for (number, failure) in &results {
        let applied = ledger.applied[*number].load(Ordering::Relaxed);
        let (reads, once) = (kind(*number) == "GET", kind(*number) == "POST");
        duplicates += usize::from(once && applied > 1);
        let is_true = match failure {
            None => applied > 0,
            Some(false) => reads || applied == 0,
            Some(true) => {
                unexplained += usize::from(ledger.ambiguous[*number].load(Ordering::Relaxed) == 0);
                !reads
            }
        };
        if !is_true {
            untrue.push((number, kind(*number), failure, applied));
        }
    }
    let failed = results.values().filter(|failure| failure.is_some()).count();
    let injected: usize = ledger.faults.lock().unwrap().values().sum();
    println!("calls                 {CALLS} in {TASKS} tasks, {:.1} s, seed {seed}", elapsed.as_secs_f64());
    println!("results               {} ({} succeeded, {failed} failed)", results.len(), results.len() - failed);
    println!("requests              {}", ledger.requests.load(Ordering::Relaxed));
    println!("failures injected     {injected} {:?}", ledger.faults.lock().unwrap());
    println!("retries               {}", retries.load(Ordering::Relaxed));
    println!("messages posted twice {duplicates}");
    println!("messages sent again against the contract {}", ledger.forbidden.load(Ordering::Relaxed));
    println!(
        "resident memory       {} KiB after a tenth, {} KiB at the end, {} KiB at its peak",
        early_memory.load(Ordering::Relaxed),
        memory("VmRSS").unwrap_or_default(),
        memory("VmHWM").unwrap_or_default(),
    );
    // A reset before reading is seen by the client alone: it may account for that many errors that say "perhaps".
    let resets = ledger.reset.load(Ordering::Relaxed);
    println!("errors that say \"perhaps\" without such a fault {unexplained}, connections reset unread {resets}");
    assert!(unexplained <= resets, "errors say that the server may have done it, for no reason");
    let grown = memory("VmRSS").unwrap_or_default().saturating_sub(early_memory.load(Ordering::Relaxed));
    assert!(grown < MOST_GROWTH_KIB, "memory has grown by {grown} KiB");
    assert_eq!(results.len(), CALLS, "a call was lost");
    assert_eq!(duplicates, 0, "a message was posted twice");
    assert_eq!(ledger.forbidden.load(Ordering::Relaxed), 0, "a message was sent again");
    assert!(untrue.is_empty(), "results that are not true of what the server did: {untrue:?}");
}
