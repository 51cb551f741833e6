//! The scenarios, and the figures that they measure.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::{fleet::Fleet, history::History, process::now};

/// Number of slots of a queue, which is the default.
const SLOTS: usize = 64;

/// The size of a measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    chats: usize,
    /// Updates per chat.
    each: usize,
    /// The maximum number of handler calls per second. Sets the duration of a handler call.
    rate: usize,
}

impl Size {
    pub(crate) const FULL: Self = Self { chats: 500, each: 40, rate: 40_000 };
    pub(crate) const SMALL: Self = Self { chats: 100, each: 20, rate: 10_000 };

    fn all(self) -> usize {
        self.chats * self.each
    }

    fn part(self, tenths: usize) -> usize {
        self.all() * tenths / 10
    }
}

pub(crate) struct Figure {
    name: String,
    bar: f64,
    is_most: bool,
    is: f64,
}

impl Figure {
    fn most(name: impl Into<String>, bar: f64, is: f64) -> Self {
        Self { name: name.into(), bar, is_most: true, is }
    }

    fn least(name: impl Into<String>, bar: f64, is: f64) -> Self {
        Self { name: name.into(), bar, is_most: false, is }
    }

    pub(crate) fn is_reached(&self) -> bool {
        if self.is_most { self.is <= self.bar } else { self.is >= self.bar }
    }

    pub(crate) fn row(&self) -> String {
        let (sign, reached) = (if self.is_most { "<=" } else { ">=" }, if self.is_reached() { "yes" } else { "no" });
        format!("| {} | {sign} {} | {:.3} | {reached} |\n", self.name, self.bar, self.is)
    }
}

/// Returns the figures of a run without lost, reordered or overlapping updates. `repeats`: the bar for repeated calls.
fn strict(name: &str, history: &History, size: Size, repeats: usize) -> Vec<Figure> {
    vec![
        Figure::most(format!("{name}: lost"), 0.0, history.lost(size.chats, size.each) as f64),
        Figure::most(format!("{name}: first deliveries out of order"), 0.0, history.out_of_order() as f64),
        Figure::most(format!("{name}: overlaps within a chat"), 0.0, history.overlaps() as f64),
        Figure::most(format!("{name}: handled again"), repeats as f64, history.repeats() as f64),
    ]
}

pub(crate) async fn all(size: Size) -> Vec<Figure> {
    let mut figures = counted(size).await;
    figures.extend(rate(1, size).await);
    figures.extend(rate(3, size).await);
    figures
}

/// Runs all scenarios except the rates.
pub(crate) async fn counted(size: Size) -> Vec<Figure> {
    let mut figures = Vec::new();
    for name in ["chaos", "receivers", "workers", "servers", "pause", "full", "full-3"] {
        figures.extend(one(name, size).await);
    }
    figures
}

pub(crate) async fn one(name: &str, size: Size) -> Vec<Figure> {
    let began = Instant::now();
    let figures = match name {
        "chaos" => chaos(size).await,
        "receivers" => receivers(size).await,
        "workers" => workers(size).await,
        "servers" => servers(size).await,
        "pause" => pause(size).await,
        "full" => full(1, size).await,
        "full-3" => full(3, size).await,
        "rate-1" => rate(1, size).await,
        "rate-3" => rate(3, size).await,
        _ => panic!("no such scenario: {name}"),
    };
    eprintln!("{name}: {:?}", began.elapsed());
    for figure in &figures {
        eprint!("{}", figure.row());
    }
    figures
}

/// Starts two receivers, three workers and `servers` servers. One poll in five fails.
async fn fleet(servers: usize, size: Size) -> Fleet {
    // Slow enough that all kills happen before the run ends.
    let handler = Duration::from_secs(1).mul_f64(SLOTS as f64 / size.rate as f64);
    let mut fleet = Fleet::start(servers, size.chats, handler).await;
    fleet.polls_fail();
    fleet.talk(0..size.each);
    for _ in 0..2 {
        fleet.add_receiver();
    }
    for _ in 0..3 {
        fleet.add_worker();
    }
    fleet
}

/// Waits until at least `updates` updates are stored.
async fn until_stored(fleet: &Fleet, updates: usize) {
    while fleet.stored().await < updates as u64 {
        sleep(Duration::from_millis(20)).await;
    }
}

/// All kinds of kills: workers, receivers and servers die while the fleet works.
async fn chaos(size: Size) -> Vec<Figure> {
    let mut fleet = fleet(3, size).await;
    until_stored(&fleet, size.part(2)).await;
    fleet.kill_receiver();
    fleet.add_receiver();
    for (tenths, index) in [(1, 0), (2, 0)] {
        fleet.until_handled(size.part(tenths)).await;
        fleet.kill_worker(index);
        fleet.add_worker();
    }
    fleet.until_handled(size.part(3)).await;
    fleet.kill_leader().await;
    fleet.until_handled(size.part(4)).await;
    fleet.kill_receiver();
    fleet.add_receiver();
    for (tenths, index) in [(5, 1), (6, 1)] {
        fleet.until_handled(size.part(tenths)).await;
        fleet.kill_worker(index);
        fleet.add_worker();
    }
    fleet.until_handled(size.part(7)).await;
    fleet.kill_servers().await;
    fleet.until_handled(size.all()).await;
    let history = fleet.history().await;
    strict("all kinds of kills", &history, size, 4 * SLOTS + 2 * size.all() / 50)
}

/// Receivers are killed in the middle of a page. Then a receiver and three workers are stopped by SIGTERM.
async fn receivers(size: Size) -> Vec<Figure> {
    let mut fleet = fleet(1, size).await;
    for tenths in [1, 4] {
        until_stored(&fleet, size.part(tenths) + size.part(1) / 2).await;
        fleet.kill_receiver();
        fleet.add_receiver();
    }
    fleet.until_handled(size.part(5)).await;
    fleet.stop_receiver().await;
    fleet.add_receiver();
    for tenths in [6, 7, 8] {
        fleet.until_handled(size.part(tenths)).await;
        fleet.stop_worker(0).await;
        fleet.add_worker();
    }
    fleet.until_handled(size.all()).await;
    let history = fleet.history().await;
    strict("receiver kills and graceful stops", &history, size, 0)
}

/// Two workers are killed.
async fn workers(size: Size) -> Vec<Figure> {
    let mut fleet = fleet(1, size).await;
    for tenths in [2, 5] {
        fleet.until_handled(size.part(tenths)).await;
        fleet.kill_worker(0);
        fleet.add_worker();
    }
    fleet.until_handled(size.all()).await;
    let history = fleet.history().await;
    let held_up = history.held_up().into_iter().max().unwrap_or(0) as f64 / 1e9;
    let mut figures = strict("two worker kills", &history, size, 2 * SLOTS);
    // The bar is `ack_wait` (3 s) plus 2 s.
    figures.push(Figure::most("a worker kill, until its updates are handled again, in seconds", 5.0, held_up));
    figures
}

/// The leader of three servers is killed, and then all servers.
async fn servers(size: Size) -> Vec<Figure> {
    let mut fleet = fleet(3, size).await;
    fleet.until_handled(size.part(2)).await;
    fleet.kill_leader().await;
    fleet.until_handled(size.part(5)).await;
    fleet.kill_servers().await;
    fleet.until_handled(size.all()).await;
    let history = fleet.history().await;
    strict("a leader and all servers killed", &history, size, 2 * size.all() / 50)
}

/// A worker is paused for 8 s and continues. Then a new worker starts.
async fn pause(size: Size) -> Vec<Figure> {
    let mut fleet = fleet(1, size).await;
    fleet.until_handled(size.part(2)).await;
    fleet.signal(0, "STOP");
    sleep(Duration::from_secs(8)).await;
    fleet.signal(0, "CONT");
    fleet.until_handled(size.part(4)).await;
    // More updates, so that the new worker has something to do.
    fleet.talk(size.each..2 * size.each);
    fleet.add_worker();
    let (log, started) = (fleet.workers[3].log.clone(), now());
    let has_share = loop {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        if let Some(first) = text.lines().next() {
            break first.split(' ').nth(1).unwrap().parse::<u64>().unwrap().saturating_sub(started) as f64 / 1e9;
        }
        sleep(Duration::from_millis(5)).await;
    };
    let (own_before, all_before) = (calls(&log), fleet.handled());
    sleep(Duration::from_secs(2)).await;
    let (own, all) = ((calls(&log) - own_before) as f64, (fleet.handled() - all_before) as f64);
    fleet.until_handled(2 * size.all()).await;
    let history = fleet.history().await;
    let both = Size { each: 2 * size.each, ..size };
    vec![
        Figure::most("a worker paused for 8 s: lost", 0.0, history.lost(both.chats, both.each) as f64),
        Figure::most("a worker paused for 8 s: out of order", 0.0, history.out_of_order() as f64),
        Figure::most("a worker paused for 8 s: overlaps", SLOTS as f64, history.overlaps() as f64),
        Figure::most("a new worker, until its first update, in seconds", 2.0, has_share),
        Figure::least("a new worker among four, its share of the next 2 s / an equal share", 0.5, own / (all / 4.0)),
    ]
}

fn calls(log: &std::path::Path) -> usize {
    std::fs::read_to_string(log).unwrap_or_default().lines().filter(|line| line.starts_with('e')).count()
}

/// No worker runs until the stream is full.
async fn full(servers: usize, size: Size) -> Vec<Figure> {
    let mut fleet = Fleet::start(servers, size.chats, Duration::ZERO).await;
    // Room for a tenth of the updates.
    let bytes = size.all() as u64 * 90;
    let nats = crate::server::connect(&crate::server::urls(&fleet.servers)).await;
    fleet.queue = tamtam_nats::Queue::open(nats, &fleet.sandbox.bot()).max_bytes(bytes).await.unwrap();
    fleet.talk(0..size.each);
    fleet.add_receiver();
    let mut last = 0;
    // The stream is full if no update is stored for 3 s.
    let stored = loop {
        sleep(Duration::from_secs(3)).await;
        let stored = fleet.stored().await;
        if stored > 0 && stored == last {
            break stored;
        }
        last = stored;
    };
    assert!((stored as usize) < size.all(), "the stream is not full");
    let before = Fleet::memory(&fleet.receivers[0]);
    sleep(Duration::from_secs(5)).await;
    let after = Fleet::memory(&fleet.receivers[0]);
    fleet.add_worker();
    fleet.until_handled(size.all()).await;
    let history = fleet.history().await;
    let name = if servers == 1 { "a full stream" } else { "a full stream on three servers" };
    let mut figures = strict(name, &history, size, 0);
    figures.push(Figure::most(format!("{name}: growth of the receiver's memory in MiB"), 2.0, after - before));
    figures
}

/// Measures the rates without kills, with an empty handler.
async fn rate(servers: usize, size: Size) -> Vec<Figure> {
    let mut fleet = Fleet::start(servers, size.chats, Duration::ZERO).await;
    fleet.talk(0..size.each);
    fleet.add_receiver();
    until_stored(&fleet, size.part(1)).await;
    let began = Instant::now();
    until_stored(&fleet, size.all()).await;
    let stored_per_second = size.part(9) as f64 / began.elapsed().as_secs_f64();
    for _ in 0..3 {
        fleet.add_worker();
    }
    fleet.until_handled(size.all()).await;
    let history = fleet.history().await;
    // From a tenth to nine tenths of the calls, without the start and the end of the run.
    let (low, high) = (history.ends[size.part(1)], history.ends[size.part(9) - 1]);
    let per_second = (size.part(9) - size.part(1)) as f64 / ((high - low) as f64 / 1e9);
    let name = if servers == 1 { "one server that syncs always" } else { "three servers" };
    let bar = if servers == 1 { 2_000.0 } else { 500.0 };
    let mut figures = vec![
        Figure::least(format!("{name}: stored per second"), bar, stored_per_second),
        Figure::least(format!("{name}: handled per second"), bar, per_second),
    ];
    if servers > 1 {
        figures.push(Figure::most(format!("{name}: ack of a stored update, p99 in ms"), 300.0, ack_p99(&fleet).await));
    }
    figures
}

/// Returns the time until a stored update is confirmed, with 64 at a time: the 99th percentile, in milliseconds.
async fn ack_p99(fleet: &Fleet) -> f64 {
    use futures_util::StreamExt as _;

    let writer = fleet.queue.writer();
    let update = |number: usize| {
        let json = format!(
            r#"{{"update_type":"bot_started","timestamp":{number},"chat_id":{},"user":{{"user_id":7,"name":"A"}}}}"#,
            number % 500
        );
        serde_json::from_str::<tamtam::updates::RawUpdate>(&json).unwrap()
    };
    let store = |number| {
        let (writer, update) = (writer.clone(), update(number));
        async move {
            let began = Instant::now();
            writer.store(&update).await.unwrap();
            began.elapsed().as_secs_f64() * 1e3
        }
    };
    let mut times: Vec<f64> = futures_util::stream::iter(1..5_000).map(store).buffer_unordered(64).collect().await;
    times.sort_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}
