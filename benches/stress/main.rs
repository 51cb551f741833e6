//! Tests delivery: a million updates of 10,000 chats, from a server with all faults, to a bot that is killed ten times.
//!
//! The updates are delivered by polling, by polling with a journal, and by a webhook with a journal.
//! `cargo bench --bench stress` prints the figures, and checks that:
//!
//! - no update is lost
//! - the updates of a chat are first handled in their order
//! - few updates are handled twice. By polling, at most the page that was being handled at a kill. With a journal, only
//!   the updates that were in a handler at a kill.
//!
//! The optional arguments are a seed, a number of updates and a way: `cargo bench --bench stress -- 42 100000 webhook`.

mod bot;
mod ledger;
mod plan;
mod server;
mod webhook;

use std::{
    fs,
    io::Read as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use ledger::Ledger;
use plan::Plan;
use server::Server;
use tamtam::updates::Journal;
use webhook::Deliveries;

const UPDATES: usize = 1_000_000;
const CHATS: usize = 10_000;
const KILLS: usize = 10;
/// The maximum memory of the bot, in MiB.
const MOST_MEMORY_MIB: u64 = 64;
/// A bot without progress for this time hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    if std::env::var_os(bot::BASE_URL).is_some() {
        return bot::run();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u64>().ok());
    let seed = numbers.next().unwrap_or_else(|| fastrand::u64(..1_000_000));
    let updates = numbers.next().map_or(UPDATES, |number| usize::try_from(number).unwrap_or(UPDATES));
    let named = |way: &&Way| arguments.iter().any(|argument| argument == way.name());
    let ways = if Way::ALL.iter().any(|way| named(&way)) {
        Way::ALL.iter().filter(named).copied().collect()
    } else {
        Way::ALL.to_vec()
    };
    for way in ways {
        println!("{}, seed {seed}", way.name());
        stress(way, seed, updates);
    }
    println!("all checks passed");
}

fn stress(way: Way, seed: u64, updates: usize) {
    let plan = Arc::new(Plan::new(seed, updates, CHATS));
    let server = Server::start(Arc::clone(&plan), seed);
    let deliveries = (way == Way::Webhook).then(|| Deliveries::start(Arc::clone(&plan), seed));
    let place = Place::new();
    let start = || Bot::start(way, server.base_url(), &place, deliveries.as_ref().map_or(0, Deliveries::port));
    let committed = || deliveries.as_ref().map_or_else(|| server.committed(), Deliveries::accepted);
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut ledger = Ledger::new(CHATS, way);
    let (began, mut memory) = (Instant::now(), 0);
    for kill in 1..=KILLS {
        // At a random place in its share of the updates.
        let until = updates / (KILLS + 1) * kill + chance.usize(..updates / (KILLS + 1));
        let mut bot = start();
        bot.report_to(&mut ledger, until);
        // At a random moment: while it handles, saves or polls.
        thread::sleep(Duration::from_micros(chance.u64(..20_000)));
        memory = memory.max(bot.memory_kib());
        bot.kill(&mut ledger);
        ledger.killed();
    }
    let mut bot = start();
    bot.report_to(&mut ledger, updates);
    let last = Instant::now();
    while committed() < updates {
        assert!(last.elapsed() < PATIENCE, "the last updates are not committed");
        thread::sleep(Duration::from_millis(1));
    }
    memory = memory.max(bot.memory_kib());
    bot.ends_in_order(&mut ledger);
    let took = began.elapsed();

    let kills = ledger.duplicates_after_kills();
    println!("  {updates} updates of {CHATS} chats in {:.1} s", took.as_secs_f64());
    println!("    {} of an unknown kind or form", plan.strange());
    println!("    {} elements that are not updates", server.rubbish());
    println!("  {} polls", server.polls());
    for (fault, count) in server.faults() {
        println!("    {count:>6} {fault:?}");
    }
    if let Some(deliveries) = &deliveries {
        println!("  {deliveries}");
    }
    println!("  {} handlers panicked once", plan.panics());
    println!("  {KILLS} kills, updates handled again after each: {kills:?}");
    println!("  lost {}, out of order {}", ledger.lost(&plan), ledger.out_of_order());
    println!("  handled twice without a kill {}", ledger.duplicates_without_kill());
    println!("  committed at the end {} of {updates}", committed());
    println!("  peak memory of the bot {:.1} MiB", memory as f64 / 1024.0);

    assert_eq!((ledger.lost(&plan), ledger.out_of_order(), ledger.duplicates_without_kill()), (0, 0, 0));
    assert!(kills.iter().all(|again| *again <= way.most_again()), "too many updates were handled again");
    assert_eq!(committed(), updates, "the last page is not committed");
    assert!(memory < MOST_MEMORY_MIB * 1024, "the bot's memory grows");
    if way != Way::Polling {
        let held = Journal::open(place.journal()).unwrap().health();
        assert_eq!((held.depth, held.dead_letters), (0, 0), "the journal is not empty at the end");
    }
}

/// The way in which updates are delivered to the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Polling,
    Journal,
    Webhook,
}

impl Way {
    const ALL: [Self; 3] = [Self::Polling, Self::Journal, Self::Webhook];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::Journal => "journal",
            Self::Webhook => "webhook",
        }
    }

    /// Returns the maximum number of updates that are handled again after a kill: a page, or the number of handlers.
    fn most_again(self) -> usize {
        match self {
            Self::Polling => bot::PAGE,
            Self::Journal | Self::Webhook => bot::CONCURRENCY,
        }
    }
}

/// A directory for marker and journal, removed on drop.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("tamtam-stress-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn marker(&self) -> PathBuf {
        self.0.join("marker.json")
    }

    fn journal(&self) -> PathBuf {
        self.0.join("bot.journal")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The bot, in a separate process of this program.
struct Bot {
    process: Child,
    /// The reports of the bot.
    reports: Receiver<Vec<u8>>,
    /// Unread bytes of the reports: less than a record.
    rest: Vec<u8>,
}

impl Bot {
    fn start(way: Way, base_url: &str, place: &Place, port: u16) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(bot::BASE_URL, base_url).env(bot::WAY, way.name()).env(bot::PORT, port.to_string());
        command.env(bot::MARKER, place.marker()).env(bot::JOURNAL, place.journal());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (mut output, (send, reports)) = (process.stdout.take().unwrap(), mpsc::channel());
        thread::spawn(move || {
            let mut buffer = [0; 64 * 1024];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                let _ = send.send(buffer[..read].to_vec());
            }
        });
        Self { process, reports, rest: Vec::new() }
    }

    /// Records the reports of the bot until `until` updates are handled.
    fn report_to(&mut self, ledger: &mut Ledger, until: usize) {
        while ledger.handled() < until {
            assert!(self.take_down(ledger), "the bot ended by itself: {:?}", self.process.wait());
        }
    }

    /// Records the available reports, or waits for more. Returns whether more can follow.
    fn take_down(&mut self, ledger: &mut Ledger) -> bool {
        let report = match self.reports.recv_timeout(PATIENCE) {
            Ok(report) => report,
            Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => panic!("the bot hangs"),
        };
        self.rest.extend_from_slice(&report);
        let whole = self.rest.len() / bot::RECORD * bot::RECORD;
        for record in self.rest[..whole].chunks_exact(bot::RECORD) {
            let (chat, number) = bot::read_record(record);
            ledger.take_down(chat, number);
        }
        self.rest.drain(..whole);
        true
    }

    /// Returns the peak of its memory, in KiB.
    fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
    }

    /// Kills the bot at once. The reports before the kill count.
    fn kill(mut self, ledger: &mut Ledger) {
        self.process.kill().unwrap();
        while self.take_down(ledger) {}
        self.process.wait().unwrap();
    }

    /// Shuts the bot down gracefully, and checks that it ends.
    fn ends_in_order(mut self, ledger: &mut Ledger) {
        drop(self.process.stdin.take());
        while self.take_down(ledger) {}
        assert!(self.process.wait().unwrap().success());
    }
}
