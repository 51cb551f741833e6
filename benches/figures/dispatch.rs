//! Measures polling, handlers and sends on the multi-thread runtime, by the crate and by hand.
//!
//! Each program is a separate process. It prints the wall seconds, CPU seconds (user and system) and voluntary context
//! switches of its work after a warm-up. The programs of a comparison run in turns, and the median of the paired ratios
//! counts. The values of all rounds go to stderr, so that the noise is visible.

use std::{
    collections::HashMap,
    future,
    hint::black_box,
    pin::Pin,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tamtam::{
    Bot, Update,
    updates::{Run, Updates},
};
use tokio::{sync::Notify, task::JoinSet};

use crate::{
    calls::{Poller, bare_send, send},
    corpus::PAGE,
    figure::Figure,
    measure::{Server, Usage, median, printed, status},
    model::tagged,
    server::{MANY_CHATS, TEN_CHATS},
};

/// Enough for a median, and for two outliers.
const ROUNDS: usize = 5;
/// Rounds of 64 sends at a time, whose CPU time varies by a tenth from round to round.
const SEND_64_ROUNDS: usize = 15;
/// Pages with an empty handler: 1 to 5 s of CPU time, whose clock has steps of 10 ms.
const PAGES: usize = 300;
/// Pages with a handler of 50 us: 1 s of wall time on two cores.
const WORK_PAGES: usize = 40;
/// Messages: 0.6 to 2 s of CPU time. A multiple of [`SENDERS`].
const SENDS: usize = 25_600;
/// The tasks that send at the same time.
const SENDERS: usize = 64;
/// Steps of a handler's work: 50 us at 3 GHz, as a step takes five cycles.
const STEPS: u64 = 30_000;
/// The time after which memory is measured, in seconds. Fetching and parsing ten pages takes less than 0.1 s.
const HOLD: usize = 3;
/// Pages of the warm-up. Far fewer are enough to open connections and fill caches.
const WARM_UP_PAGES: usize = 10;
/// Messages of the warm-up. A multiple of [`SENDERS`].
const WARM_UP_SENDS: usize = 1280;
const TOKEN: &str = "token";

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) fn figures() -> Vec<Figure> {
    let server = Server::start("server");
    let mut figures = Vec::new();
    let kinds = [("1000 chats", String::new()), ("10 chats", TEN_CHATS.to_owned())];
    let kinds = kinds.map(|(kind, prefix)| (kind, format!("{}{prefix}", server.url)));
    for (kind, url) in &kinds {
        let [bare, stream, run] = rounds(ROUNDS, ["bare", "stream", "run"], url, PAGES, kind);
        let mut add = |name: &str, bar, is| figures.push(Figure::most(&format!("{name}, pages of {kind}"), bar, is));
        add("stream / bare fetch and parse, CPU seconds", 0.8, ratio(&stream, &bare, |took| took.cpu));
        add("run / bare fetch and parse, CPU seconds", 0.8, ratio(&run, &bare, |took| took.cpu));
        let switches = median(run.iter().map(|took| took.switches / PAGES as f64));
        add("run, voluntary context switches per 1000 updates", 60.0, switches);
    }
    for (kind, url) in &kinds {
        let [by_hand, run] = rounds(ROUNDS, ["work-by-hand", "work"], url, WORK_PAGES, kind);
        let name = format!("run with 50 us of work / tasks by hand, wall seconds, pages of {kind}");
        figures.push(Figure::most(&name, 1.1, ratio(&run, &by_hand, |took| took.wall)));
    }
    let [bare, ours] = rounds(ROUNDS, ["bare-send", "send"], &server.url, SENDS, "one at a time");
    let name = "sends one at a time / bare reqwest, CPU seconds";
    figures.push(Figure::most(name, 1.05, ratio(&ours, &bare, |took| took.cpu)));
    let [bare, ours] = rounds(SEND_64_ROUNDS, ["bare-send-64", "send-64"], &server.url, SENDS, "64 at a time");
    let name = "sends 64 at a time / bare reqwest, CPU seconds";
    figures.push(Figure::most(name, 1.05, ratio(&ours, &bare, |took| took.cpu)));
    figures.push(resident("pending", "run", &server));
    figures
}

/// Measures the memory of a program whose handlers do not end, with one update in each of 10,000 chats.
fn resident(program: &str, name: &str, server: &Server) -> Figure {
    let printed = printed(["dispatch", program, &format!("{}{MANY_CHATS}", server.url)], HOLD);
    let [handlers, now, peak] = printed[..] else { panic!("{printed:?}") };
    eprintln!("{program}: {handlers} handlers, {now:.1} MiB, at the peak {peak:.1} MiB");
    Figure::most(&format!("{name}, 10,000 chats and handlers that do not end, resident memory in MiB"), 30.0, now)
}

/// The cost of a program.
struct Took {
    wall: f64,
    cpu: f64,
    switches: f64,
}

/// Runs programs in turns, and returns the cost of each in each round.
fn rounds<const N: usize>(rounds: usize, names: [&str; N], url: &str, times: usize, kind: &str) -> [Vec<Took>; N] {
    let mut all = names.map(|_| Vec::new());
    for round in 0..rounds {
        for place in 0..N {
            // Every other round runs backwards, so that a steady drift of the machine cancels out.
            let place = if round % 2 == 0 { place } else { N - 1 - place };
            let printed = printed(["dispatch", names[place], url], times);
            let [wall, cpu, switches] = printed[..] else { panic!("{printed:?}") };
            all[place].push(Took { wall, cpu, switches });
        }
    }
    for (name, rounds) in names.iter().zip(&all) {
        let list = |value: fn(&Took) -> f64| {
            rounds.iter().map(|took| format!("{:.2}", value(took))).collect::<Vec<_>>().join(" ")
        };
        let [wall, cpu] = [list(|took| took.wall), list(|took| took.cpu)];
        let switches = median(rounds.iter().map(|took| took.switches));
        eprintln!("{name}, {kind}: wall {wall} s; CPU {cpu} s; {switches} voluntary context switches");
    }
    all
}

fn ratio(ours: &[Took], theirs: &[Took], value: fn(&Took) -> f64) -> f64 {
    median(ours.iter().zip(theirs).map(|(ours, theirs)| value(ours) / value(theirs)))
}

/// Runs the program `name` against the server, `times` times, after a warm-up.
pub(crate) fn work(name: &str, url: &str, times: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let bot = || Bot::builder(TOKEN).base_url(url).build().unwrap();
    runtime.block_on(async {
        match name {
            "bare" => {
                let mut poller = Poller::new(url, TOKEN);
                pages(times, async || drop(poller.page().await)).await;
            }
            "stream" => {
                let mut updates = bot().updates();
                pages(times, async || {
                    for _ in 0..PAGE {
                        updates.next().await.unwrap().unwrap();
                    }
                })
                .await;
            }
            "run" => run(bot().updates(), times, || {}).await,
            "work" => run(bot().updates(), times, spin).await,
            "work-by-hand" => {
                let mut poller = Poller::new(url, TOKEN);
                pages(times, async || handle_by_hand(poller.page().await).await).await;
            }
            "send" => sends(1, times, our_sender(bot())).await,
            "send-64" => sends(SENDERS, times, our_sender(bot())).await,
            "bare-send" => sends(1, times, bare_sender(url)).await,
            "bare-send-64" => sends(SENDERS, times, bare_sender(url)).await,
            "pending" => print_memory(|handler| bot().run(handler), times).await,
            _ => panic!("{name}"),
        }
    });
}

/// Fetches `times` pages, one after the other.
async fn pages(times: usize, mut next: impl AsyncFnMut()) {
    for _ in 0..WARM_UP_PAGES {
        next().await;
    }
    let began = Usage::now();
    for _ in 0..times {
        next().await;
    }
    began.print_since();
}

/// Runs a bot for `times` pages.
async fn run(updates: Updates, times: usize, work: fn()) {
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    static BEGAN: OnceLock<Usage> = OnceLock::new();
    static ENDED: Notify = Notify::const_new();
    let (first, last) = (WARM_UP_PAGES * PAGE, (WARM_UP_PAGES + times) * PAGE);
    let run = updates.run(move |_, _| async move {
        work();
        let handled = HANDLED.fetch_add(1, Relaxed) + 1;
        if handled == first {
            BEGAN.set(Usage::now()).expect("one warm-up");
        } else if handled == last {
            BEGAN.get().expect("the warm-up is over").print_since();
            ENDED.notify_one();
        }
    });
    run.graceful_shutdown_on(ENDED.notified()).await.unwrap();
}

/// Works for each update: in order within a chat, and on all cores.
async fn handle_by_hand(page: Vec<tagged::Update>) {
    let mut chats: HashMap<i64, Vec<tagged::Update>> = HashMap::new();
    for update in page {
        chats.entry(update.chat()).or_default().push(update);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut shares: Vec<Vec<tagged::Update>> = (0..cores).map(|_| Vec::new()).collect();
    for updates in chats.into_values() {
        let smallest = shares.iter_mut().min_by_key(|share| share.len()).expect("a machine has a core");
        smallest.extend(updates);
    }
    let tasks: JoinSet<()> = shares
        .into_iter()
        .map(|share| async move {
            for update in share {
                spin();
                drop(update);
            }
        })
        .collect();
    tasks.join_all().await;
}

/// Uses a core for about 50 us: the same number of instructions each time.
fn spin() {
    let mut number = black_box(1_u64);
    for _ in 0..STEPS {
        // Each step depends on the previous one. The shift prevents the compiler from merging steps.
        number = (number ^ (number >> 29)).wrapping_mul(6_364_136_223_846_793_005);
    }
    black_box(number);
}

/// Sends `times` messages, each sender in a task of its own.
async fn sends<F: Future<Output = ()> + Send + 'static>(senders: usize, times: usize, send: impl Fn(usize) -> F) {
    let all = |times: usize| (0..senders).map(|_| send(times / senders)).collect::<JoinSet<()>>().join_all();
    all(WARM_UP_SENDS).await;
    let began = Usage::now();
    all(times).await;
    began.print_since();
}

fn our_sender(bot: Bot) -> impl Fn(usize) -> BoxFuture {
    move |times| {
        let bot = bot.clone();
        Box::pin(async move { send(&bot, times).await })
    }
}

fn bare_sender(url: &str) -> impl Fn(usize) -> BoxFuture {
    let (client, url) = (reqwest::Client::new(), url.to_owned());
    move |times| {
        let (client, url) = (client.clone(), url.clone());
        Box::pin(async move { bare_send(&client, &url, times).await })
    }
}

type Pending = fn(Bot, Update) -> future::Pending<()>;

/// Runs a bot whose handlers do not end. Prints the number of handlers, and the resident memory and its peak in MiB.
pub(crate) async fn print_memory(run: impl FnOnce(Pending) -> Run, seconds: usize) {
    static BEGUN: AtomicUsize = AtomicUsize::new(0);
    let run = run(|_, _| {
        BEGUN.fetch_add(1, Relaxed);
        future::pending::<()>()
    });
    // Printed while the bot runs, because a dropped bot frees its memory.
    let print = async {
        tokio::time::sleep(Duration::from_secs(seconds as u64)).await;
        let [now, peak] = ["VmRSS:", "VmHWM:"].map(|name| status(name) / 1024.0);
        println!("{} {now} {peak}", BEGUN.load(Relaxed));
    };
    tokio::select! {
        ended = run => panic!("{ended:?}"),
        () = print => {}
    }
}
