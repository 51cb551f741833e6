//! Measures the journal: its speed compared with a bare file, the delay that a slow chat causes in others, and its
//! memory.

use std::{
    fs::{self, File},
    future,
    io::Write as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tamtam::{
    Bot, Update,
    internals::store_page,
    updates::{Journal, RawUpdate},
    webhook::Webhook,
};
use tokio::sync::Notify;

use crate::{
    corpus::{self, Tags},
    dispatch::print_memory,
    figure::Figure,
    measure::{Server, median, printed},
    server::MANY_CHATS,
};

/// The updates of a page: the default of the servers.
const PAGE: usize = 100;
/// Pages in a round.
const PAGES: usize = 500;
/// More rounds than elsewhere, because the speed of a disk varies more than the speed of a processor.
const ROUNDS: usize = 9;
/// The updates of a slow chat, and the time that each takes.
const SLOW: usize = 100;
const SLOW_TIME: Duration = Duration::from_millis(200);
/// The time after which memory is measured, in seconds.
const HOLD: usize = 5;

pub(crate) fn figures() -> Vec<Figure> {
    let server = Server::start("server");
    let measure = |name: &str, url: &str, times: usize| printed(["journal", name, url], times)[0];
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let [bare, journal] = ["bare", "journal"].map(|name| measure(name, &server.url, PAGES));
        eprintln!("bare append and fsync {bare:.0} updates per second, journal {journal:.0}");
        rates.push(journal / bare);
    }
    let rate = median(rates.into_iter());
    let slow = measure("slow-chat", &server.url, SLOW) - measure("slow-chat", &server.url, 0);
    let many_chats = format!("{}{MANY_CHATS}", server.url);
    let memory = printed(["journal", "pending", &many_chats], HOLD);
    eprintln!("{} handlers, {:.1} MiB, at the peak {:.1} MiB", memory[0], memory[1], memory[2]);
    vec![
        Figure::least("journal / bare append and fsync per page of 100, updates per second", 0.7, rate),
        Figure::most("journal, delay by a slow chat in seconds", 0.1, slow),
        Figure::most("journal, 10,000 chats and handlers that do not end, resident memory in MiB", 30.0, memory[1]),
    ]
}

/// A directory on the disk of the project, removed on drop. The temporary directory may be in memory.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("journal-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn open(&self) -> Journal {
        Journal::open(self.0.join("bot.journal")).unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Does the work `name`, and prints its figures.
pub(crate) fn work(name: &str, url: &str, times: usize) {
    let directory = Directory::new();
    if name == "bare" {
        return bare(&directory, &pages(times));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let bot = Bot::builder("token").base_url(url).build().unwrap();
    match name {
        "journal" => runtime.block_on(journal(&directory, bot, pages(times))),
        "slow-chat" => runtime.block_on(slow_chat(&directory, bot, times)),
        "pending" => runtime.block_on(pending(&directory, bot, times)),
        _ => panic!("{name}"),
    }
}

/// Returns pages of different updates.
fn pages(number: usize) -> Vec<Vec<RawUpdate>> {
    let page: Value = serde_json::from_str(&corpus::page(Tags::Last, 0)).unwrap();
    let mut updates = page["updates"].as_array().unwrap().iter().cycle().zip(1_700_000_000_000_u64..);
    let update = |(update, time): (&Value, u64)| {
        let mut update = update.clone();
        update["timestamp"] = time.into();
        serde_json::from_value(update).unwrap()
    };
    (0..number).map(|_| updates.by_ref().take(PAGE).map(update).collect()).collect()
}

fn print_rate(began: Instant, updates: usize) {
    println!("{}", updates as f64 / began.elapsed().as_secs_f64());
}

/// Appends each page to a file, and waits until it is on the disk.
fn bare(directory: &Directory, pages: &[Vec<RawUpdate>]) {
    let mut file = File::create(directory.0.join("bare")).unwrap();
    let began = Instant::now();
    for page in pages {
        let mut text = String::new();
        for raw in page {
            text.push_str(raw.json.get());
            text.push('\n');
        }
        file.write_all(text.as_bytes()).unwrap();
        file.sync_data().unwrap();
    }
    print_rate(began, pages.len() * PAGE);
}

/// Stores each page, handles its updates and removes them.
async fn journal(directory: &Directory, bot: Bot, pages: Vec<Vec<RawUpdate>>) {
    let journal = directory.open();
    let run = run(bot, &journal, |_, _| future::ready(()));
    let updates = pages.len() * PAGE;
    let began = Instant::now();
    for (page, marker) in pages.into_iter().zip(1..) {
        store_page(&journal, page, marker).await.unwrap();
    }
    while journal.health().depth > 0 {
        tokio::task::yield_now().await;
    }
    print_rate(began, updates);
    run.abort();
}

/// Runs a handler over the updates in a journal.
fn run<F: Future<Output = ()> + Send + 'static>(
    bot: Bot,
    journal: &Journal,
    handler: impl Fn(Bot, Update) -> F + Send + Sync + 'static,
) -> tokio::task::JoinHandle<tamtam::Result<()>> {
    let path = "/0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c";
    let (_, run) = Webhook::new(bot, path).unwrap().journal(journal.clone()).run(handler);
    tokio::spawn(run.run())
}

fn update(chat: i64, time: usize) -> RawUpdate {
    let json = format!(
        r#"{{"timestamp":{time},"chat_id":{chat},"user":{{"user_id":7,"name":"A"}},"update_type":"bot_started"}}"#
    );
    serde_json::from_str(&json).unwrap()
}

/// Prints the delay of an update that is stored after `slow` updates of a slow chat, in seconds.
async fn slow_chat(directory: &Directory, bot: Bot, slow: usize) {
    let (journal, begun, handled) = (directory.open(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counted, notified) = (Arc::clone(&begun), Arc::clone(&handled));
    let run = run(bot, &journal, move |_, update| {
        counted.fetch_add(1, Relaxed);
        let handled = (update.chat_id() == Some(2.into())).then(|| Arc::clone(&notified));
        async move {
            match handled {
                Some(handled) => handled.notify_one(),
                None => tokio::time::sleep(SLOW_TIME).await,
            }
        }
    });
    // The bot is running as soon as an update of a third chat was handled.
    store_page(&journal, vec![update(3, 1)], 1).await.unwrap();
    while begun.load(Relaxed) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    store_page(&journal, (1..=slow).map(|time| update(1, time)).collect(), 2).await.unwrap();
    let began = Instant::now();
    store_page(&journal, vec![update(2, 1)], 3).await.unwrap();
    handled.notified().await;
    println!("{}", began.elapsed().as_secs_f64());
    run.abort();
}

/// Prints the memory of a bot whose handlers do not end.
async fn pending(directory: &Directory, bot: Bot, seconds: usize) {
    print_memory(|handler| bot.updates().journal(directory.open()).run(handler), seconds).await;
}
