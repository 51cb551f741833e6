//! Tests the retry contract: 64 tasks make 100,000 calls while one connection in five and one request in five fail.
//!
//! Half of the calls use TLS, and a quarter use HTTP/2. The faults cover all cases of the retry contract.
//! `cargo bench --bench load` prints the figures and checks that:
//!
//! - no call is lost
//! - each result agrees with what the server did
//! - no message is posted twice
//! - nothing is sent without a connection
//!
//! The optional argument is a seed: `cargo bench --bench load -- 42`.

mod client;
mod faults;
mod http2;
mod ledger;
mod memory;
mod network;
mod report;
mod server;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tamtam::{Bot, settings::RetryPolicy};

use client::{METHODS, Notes, Outcome};
use faults::Chance;
use ledger::Ledger;
use network::{NAME, Network};
use report::Run;
use server::Server;

const TASKS: usize = 64;
const CALLS: usize = 100_000;
/// The timeout of a request. Half of it is the timeout of the connection.
const TIMEOUT: Duration = Duration::from_millis(100);
/// The timeout of a request over HTTP/2. Pings close a frozen connection long before.
const HTTP2_TIMEOUT: Duration = Duration::from_secs(20);
/// The interval of pings, and the timeout of their answer. Shorter times fail on a busy machine.
const KEEP_ALIVE: Duration = Duration::from_millis(250);
/// The largest response, in bytes.
const LARGEST_RESPONSE: usize = 64 * 1024;
/// One call of this number is made by a bot without kept connections. Other calls rarely need a new connection, and a
/// kept one is often free before the new one fails.
const AFRESH: usize = 8;

#[tokio::main]
async fn main() {
    let seed = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1);
    let (chance, ledger) = (Arc::new(Chance::new(seed)), Arc::new(Ledger::new(CALLS)));
    let server = Server { chance, ledger: Arc::clone(&ledger) };
    let network = Arc::new(Network::start(server).await);
    let notes = Arc::new(Mutex::new(Notes::default()));
    let bots = WAYS.map(|way| [false, true].map(|afresh| bot(&network, &notes, way, afresh)));

    let started = Instant::now();
    let (results, early_memory) = make_calls(bots, &notes).await;
    let elapsed = started.elapsed();
    let notes = notes.lock().unwrap();
    report::print_and_check(&Run {
        seed,
        elapsed,
        results,
        early_memory,
        network: &network,
        ledger: &ledger,
        notes: &notes,
    });
}

/// The protocol of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Tls,
    Http2,
}

/// The protocols of the calls, in turn.
const WAYS: [Way; 4] = [Way::Plain, Way::Tls, Way::Http2, Way::Tls];

fn bot(network: &Arc<Network>, notes: &Arc<Mutex<Notes>>, way: Way, afresh: bool) -> Bot {
    let (first, most) = (Duration::from_millis(1), Duration::from_millis(5));
    let (network, notes) = (Arc::clone(network), Arc::clone(notes));
    Bot::builder("token")
        .base_url(format!("{}://{NAME}", if way == Way::Tls { "https" } else { "http" }))
        .timeout(if way == Way::Http2 { HTTP2_TIMEOUT } else { TIMEOUT })
        .http2_keep_alive(KEEP_ALIVE, KEEP_ALIVE)
        .max_response_bytes(LARGEST_RESPONSE)
        .retry(RetryPolicy::default().backoff(first, most).attachment_backoff(first, most))
        .on_retry(move |retry| notes.lock().unwrap().retry(retry.error()))
        .http(move |http| {
            let http = match way {
                Way::Plain => network.plain(http),
                Way::Tls => network.tls(http),
                Way::Http2 => network.http2(http),
            };
            if afresh { http.pool_max_idle_per_host(0) } else { http }
        })
        .build()
        .expect("a bot")
}

/// Returns the outcome of every call by its number, and the resident memory after a tenth of the calls.
async fn make_calls(bots: [[Bot; 2]; WAYS.len()], notes: &Arc<Mutex<Notes>>) -> (BTreeMap<usize, Outcome>, u64) {
    let (next, early_memory) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (bots, notes) = (bots.clone(), Arc::clone(notes));
            let (next, early_memory) = (Arc::clone(&next), Arc::clone(&early_memory));
            tokio::spawn(async move {
                let mut results = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= CALLS {
                        return results;
                    }
                    if number == CALLS / 10 {
                        early_memory.store(memory::resident(), Ordering::Relaxed);
                    }
                    // Each bot makes calls of every method.
                    let round = number / METHODS.len();
                    let (way, afresh) = (round % WAYS.len(), (round / WAYS.len()).is_multiple_of(AFRESH));
                    let bot = &bots[way][usize::from(afresh)];
                    results.push((number, client::call(bot, number, &notes).await));
                }
            })
        })
        .collect();
    let mut results = BTreeMap::new();
    for task in tasks {
        results.extend(task.await.expect("a task that ends"));
    }
    (results, early_memory.load(Ordering::Relaxed))
}
