//! The processes of a fleet: a receiver, which logs its polls, and a worker, which logs its handler calls.

use std::{
    env,
    fs::{File, OpenOptions},
    io::Write as _,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tamtam::{Bot, Service, Update};
use tamtam_nats::Queue;
use tokio::signal::unix::{SignalKind, signal};

use crate::server::connect;

/// Returns the Unix time in nanoseconds. All processes share the clock of the machine.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("the environment variable {name} is not set"))
}

/// A file of lines. Each line is written at once, so a kill loses no line.
struct Log(File);

impl Log {
    fn open() -> Self {
        Self(OpenOptions::new().append(true).create(true).open(variable("FLEET_LOG")).unwrap())
    }

    fn line(&self, line: &str) {
        (&self.0).write_all(line.as_bytes()).unwrap();
    }
}

fn bot() -> Bot {
    let builder = Bot::builder(variable("FLEET_TOKEN")).base_url(variable("FLEET_API"));
    builder.service(Service::TamTam).no_proxy().build().unwrap()
}

async fn queue(bot: &Bot) -> Queue {
    Queue::open(connect(&variable("FLEET_NATS")).await, bot).await.unwrap()
}

/// Returns a future that ends at SIGTERM.
fn terminated() -> impl Future<Output = ()> + Send {
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    async move {
        terminated.recv().await;
    }
}

/// Receives updates. Logs a line every 100 ms while it polls.
pub(crate) async fn receive() {
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(std::io::stderr).init();
    let (bot, log) = (bot(), Log::open());
    let queue = queue(&bot).await;
    let updates = bot.updates().limit(1_000);
    let receive = queue.receive(updates).lease(Duration::from_secs(2)).graceful_shutdown_on(terminated());
    let health = receive.health();
    tokio::spawn(async move {
        loop {
            if health.last_poll().is_some_and(|ago| ago < Duration::from_secs(1)) {
                log.line(&format!("p {}\n", now()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    receive.await.unwrap();
}

/// Handles updates. Logs the begin and the end of each handler call.
pub(crate) async fn work() {
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_writer(std::io::stderr).init();
    let (bot, log) = (bot(), Arc::new(Log::open()));
    let queue = queue(&bot).await;
    let takes = Duration::from_micros(variable("FLEET_HANDLER_US").parse().unwrap());
    let handler = move |_: Bot, update: Update| {
        let log = Arc::clone(&log);
        async move {
            let (Some(chat), Some(text)) = (update.chat_id(), update.text()) else { return };
            log.line(&format!("b {} {chat} {text}\n", now()));
            if !takes.is_zero() {
                tokio::time::sleep(takes).await;
            }
            log.line(&format!("e {} {chat} {text}\n", now()));
        }
    };
    queue.work(bot, handler).graceful_shutdown_on(terminated()).await.unwrap();
}
