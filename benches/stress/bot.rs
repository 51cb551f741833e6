//! The bot under stress: reports handled updates on standard output, and ends at the end of standard input.

use std::{
    collections::HashSet,
    fs::File,
    future::IntoFuture as _,
    io::{Read as _, Write as _},
    net::Ipv4Addr,
    os::fd::AsFd as _,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tamtam::{
    Bot, Update,
    types::MessageCreatedUpdate,
    updates::{FileStore, Journal, Recovery},
    webhook::{Webhook, axum},
};

use crate::plan::panics;

/// The base URL of the server. A process with this variable is the bot.
pub(crate) const BASE_URL: &str = "TAMTAM_STRESS_BASE_URL";
/// The file of the marker.
pub(crate) const MARKER: &str = "TAMTAM_STRESS_MARKER";
/// The file of the journal.
pub(crate) const JOURNAL: &str = "TAMTAM_STRESS_JOURNAL";
/// The way in which updates are delivered.
pub(crate) const WAY: &str = "TAMTAM_STRESS_WAY";
/// The port of the webhook.
pub(crate) const PORT: &str = "TAMTAM_STRESS_PORT";
/// The path of the webhook.
pub(crate) const PATH: &str = "/0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e2f1a0b9c";
/// Chats that are handled at a time: the default.
pub(crate) const CONCURRENCY: usize = 64;
/// Maximum updates of a page.
pub(crate) const PAGE: usize = 1000;
/// Bytes of a report: chat and number.
pub(crate) const RECORD: usize = 8;

pub(crate) fn read_record(record: &[u8]) -> (u32, u32) {
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
    (number(&record[..4]), number(&record[4..]))
}

/// Runs the bot until its standard input ends.
#[tokio::main]
pub(crate) async fn run() {
    let base_url = std::env::var(BASE_URL).unwrap();
    // Hides the planned panics of a thousand handlers.
    std::panic::set_hook(Box::new(|_| {}));
    let (stop, stopped) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read(&mut [0]);
        let _ = stop.send(());
    });
    // Without a buffer, so that handled updates are reported even if the bot is killed right after.
    let report = Arc::new(File::from(std::io::stdout().as_fd().try_clone_to_owned().unwrap()));
    let panicked = Arc::new(Mutex::new(HashSet::new()));
    let marker = PathBuf::from(std::env::var_os(MARKER).unwrap());
    let bot = Bot::builder("token")
        .base_url(base_url)
        .poll_margin(Duration::from_millis(500))
        .http(|http| http.no_proxy())
        .build()
        .unwrap();
    let pause = Duration::from_millis(1);
    let handler = move |_: Bot, update: Update| {
        let (report, panicked) = (Arc::clone(&report), Arc::clone(&panicked));
        async move {
            let Some((chat, number)) = what(&update) else { return };
            if number % 7 == 0 {
                tokio::task::yield_now().await;
            }
            if panics(chat, number) && panicked.lock().unwrap().insert((chat, number)) {
                panic!("the first time");
            }
            let mut record = [0; RECORD];
            record[..4].copy_from_slice(&chat.to_le_bytes());
            record[4..].copy_from_slice(&number.to_le_bytes());
            // A write of so few bytes to a pipe is atomic.
            (&*report).write_all(&record).unwrap();
        }
    };
    let updates = bot.updates().limit(PAGE as u32).timeout(Duration::ZERO).backoff(pause, pause * 20);
    let journal = || Journal::open(std::env::var_os(JOURNAL).unwrap()).unwrap();
    let way = std::env::var(WAY).unwrap();
    let run = match way.as_str() {
        "polling" => updates.marker_store(FileStore::new(marker)).run(handler),
        "journal" => updates.journal(journal()).run(handler),
        "webhook" => {
            let port = std::env::var(PORT).unwrap().parse().unwrap();
            let (app, run) = Webhook::new(bot, PATH).unwrap().journal(journal()).run(handler);
            let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.unwrap();
            tokio::spawn(axum::serve(listener, app).into_future());
            run
        }
        _ => panic!("{way}"),
    };
    run.backoff(pause, pause * 20).on_error(|_| Recovery::Retry).graceful_shutdown_on(stopped).await.unwrap();
}

/// Returns the chat of an update, and its number in the chat. `None` for other elements.
fn what(update: &Update) -> Option<(u32, u32)> {
    let number = match update {
        Update::MessageCreated(MessageCreatedUpdate { message: Some(message), .. }) => {
            message.body.as_ref()?.text.as_ref()?.parse().ok()?
        }
        Update::Unknown(unknown) => unknown.to_value().get("number").and_then(Value::as_u64)?,
        _ => return None,
    };
    Some((u32::try_from(update.chat_id()?.0).ok()?, u32::try_from(number).ok()?))
}
