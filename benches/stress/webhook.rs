//! Delivers updates to the bot's webhook, in order in each chat, with broken connections and repeated updates.

use std::{
    fmt,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{bot::PATH, plan::Plan, server::update};

/// Connections that deliver at the same time. Each has its own chats.
const CONNECTIONS: usize = 32;
/// One of this number of deliveries fails.
const FAILING: usize = 20;
/// The wait before the same update is delivered again.
const PAUSE: Duration = Duration::from_millis(1);
/// The timeout of an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A fault of a delivery.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// The connection ends within the body.
    Cut,
    /// The connection ends before the answer.
    HangUp,
    /// The update is delivered again although it was accepted.
    Again,
}

#[derive(Default)]
struct Counts {
    accepted: AtomicUsize,
    refused: AtomicUsize,
    broken: AtomicUsize,
    again: AtomicUsize,
}

/// The delivering side, on a separate thread.
pub(crate) struct Deliveries {
    port: u16,
    counts: Arc<Counts>,
}

impl Deliveries {
    pub(crate) fn start(plan: Arc<Plan>, seed: u64) -> Self {
        // A free port: the bot binds it, and binds it again after each kill.
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let counts = Arc::<Counts>::default();
        let counting = Arc::clone(&counts);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let connection = |number: usize| {
                    let (plan, counts) = (Arc::clone(&plan), Arc::clone(&counting));
                    let chance = fastrand::Rng::with_seed(seed + number as u64);
                    tokio::spawn(deliver_all(plan, number, port, chance, counts))
                };
                for connection in (0..CONNECTIONS).map(connection).collect::<Vec<_>>() {
                    connection.await.unwrap();
                }
            });
        });
        Self { port, counts }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the number of updates that were answered with 200.
    pub(crate) fn accepted(&self) -> usize {
        self.counts.accepted.load(SeqCst)
    }
}

impl fmt::Display for Deliveries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { accepted, refused, broken, again } = &*self.counts;
        let [accepted, refused, broken, again] = [accepted, refused, broken, again].map(|count| count.load(SeqCst));
        write!(f, "{accepted} deliveries accepted, {refused} refused, {broken} broken, {again} repeated after a 200")
    }
}

/// Delivers the updates of a connection's chats, one after the other.
async fn deliver_all(plan: Arc<Plan>, number: usize, port: u16, mut chance: fastrand::Rng, counts: Arc<Counts>) {
    let mut connection = None;
    for index in (0..plan.len()).filter(|index| plan.update(*index).0 as usize % CONNECTIONS == number) {
        let body = update(&plan, index);
        let request = format!("POST {PATH} HTTP/1.1\r\nhost: bot\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        loop {
            let fault =
                (chance.usize(..FAILING) == 0).then(|| [Fault::Cut, Fault::HangUp, Fault::Again][chance.usize(..3)]);
            let status = match connection.take() {
                Some(open) => Ok(open),
                None => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await,
            };
            let answer = match status {
                Ok(open) => timeout(PATIENCE, post(open, request.as_bytes(), fault)).await.ok().flatten(),
                Err(_) => None,
            };
            match answer {
                Some((open, 200)) => {
                    connection = Some(open);
                    if let Some(Fault::Again) = fault {
                        counts.again.fetch_add(1, SeqCst);
                        continue;
                    }
                    counts.accepted.fetch_add(1, SeqCst);
                    break;
                }
                Some((open, _)) => {
                    counts.refused.fetch_add(1, SeqCst);
                    connection = Some(open);
                }
                None => {
                    counts.broken.fetch_add(1, SeqCst);
                }
            }
            sleep(PAUSE).await;
        }
    }
}

/// Posts a request, and returns the connection and the status. `None` if the connection broke.
async fn post(mut connection: TcpStream, request: &[u8], fault: Option<Fault>) -> Option<(TcpStream, u16)> {
    if let Some(Fault::Cut) = fault {
        connection.write_all(&request[..request.len() - 10]).await.ok()?;
        return None;
    }
    connection.write_all(request).await.ok()?;
    if let Some(Fault::HangUp) = fault {
        return None;
    }
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        if connection.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8(read).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((connection, status))
}
