//! Calls, polls and idle waiting, by the crate and by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use tamtam::{Bot, ChatId, settings::Pace};
use tokio::sync::Notify;

use crate::{corpus::PAGE, measure::status, model::tagged, server::IDLE_TOKEN};

const TIMEOUT: Duration = Duration::from_secs(30);
/// The text of every message.
const TEXT: &str = "Привет, это ответ бота";

#[derive(Deserialize)]
struct Sent {
    message: Box<tagged::Message>,
}

/// Runs the program `name` against the server, `times` times.
pub(crate) fn work(name: &str, url: &str, times: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let token = if name.ends_with("idle") { IDLE_TOKEN } else { "token" };
    let bot = || Bot::builder(token).base_url(url).build().unwrap();
    match name {
        "send" => runtime.block_on(send(&bot(), times)),
        "paced-send" => {
            // The limits are too high to make a send wait, but each send is counted.
            let pace = Pace::none().requests_per_second(1_000_000).chat_requests_per_second(1_000_000);
            runtime.block_on(send(&Bot::builder(token).base_url(url).pace(pace).build().unwrap(), times));
        }
        "traced-send" => {
            let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(std::io::sink);
            subscriber.init();
            runtime.block_on(send(&bot(), times));
        }
        "bare-send" => runtime.block_on(bare_send(&reqwest::Client::new(), url, times)),
        "run" => runtime.block_on(run(bot(), times)),
        "bare-run" => runtime.block_on(poll(url, token, times)),
        "idle" => runtime.block_on(idle(bot(), times)),
        "bare-idle" => {
            let polls = async { tokio::time::timeout(idle_for(times), poll(url, token, usize::MAX)).await };
            runtime.block_on(polls).expect_err("it polls forever");
        }
        _ => panic!("{name}"),
    }
    if name.ends_with("idle") {
        println!("{} {}", status("voluntary_ctxt_switches:"), status("VmRSS:"));
    }
}

/// Sends `times` messages, one after the other.
pub(crate) async fn send(bot: &Bot, times: usize) {
    for _ in 0..times {
        let sent = bot.send(ChatId(5), TEXT).await.unwrap();
        assert!(sent.message.body.is_some());
    }
}

/// Sends `times` messages with bare reqwest, one after the other.
pub(crate) async fn bare_send(client: &reqwest::Client, url: &str, times: usize) {
    let url = format!("{url}/messages");
    for _ in 0..times {
        let request = client.post(&url).query(&[("chat_id", "5"), ("access_token", "token"), ("v", "0.3.0")]);
        let answer = request.timeout(TIMEOUT).json(&json!({"text": TEXT})).send().await.unwrap();
        let sent: Sent = answer.error_for_status().unwrap().json().await.unwrap();
        assert!(sent.message.body.is_some());
    }
}

/// Runs a bot with an empty handler for `times` pages.
async fn run(bot: Bot, times: usize) {
    let (handled, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let ended = Arc::clone(&all);
    let run = bot.run(move |_, _| {
        if handled.fetch_add(1, Relaxed) + 1 == times * PAGE {
            all.notify_one();
        }
        async {}
    });
    run.graceful_shutdown_on(async move { ended.notified().await }).await.unwrap();
}

/// Returns the time of `times` polls without updates: the minimum interval of the stream is 100 ms.
fn idle_for(times: usize) -> Duration {
    Duration::from_millis(100) * u32::try_from(times).unwrap()
}

/// Runs a bot that gets no updates.
async fn idle(bot: Bot, times: usize) {
    let run = bot.run(async |_, _| {});
    run.graceful_shutdown_on(tokio::time::sleep(idle_for(times))).await.unwrap();
}

/// Fetches and parses `times` pages by hand.
async fn poll(url: &str, token: &str, times: usize) {
    let mut poller = Poller::new(url, token);
    for _ in 0..times {
        poller.page().await;
        if token == IDLE_TOKEN {
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
    }
}

/// Polling by hand.
pub(crate) struct Poller {
    client: reqwest::Client,
    url: String,
    token: String,
    marker: Option<i64>,
}

impl Poller {
    pub(crate) fn new(url: &str, token: &str) -> Self {
        Self { client: reqwest::Client::new(), url: format!("{url}/updates"), token: token.to_owned(), marker: None }
    }

    /// Fetches and parses the next page.
    pub(crate) async fn page(&mut self) -> Vec<tagged::Update> {
        let query = [("access_token", &*self.token), ("v", "0.3.0"), ("timeout", "30")];
        let mut request = self.client.get(&self.url).query(&query);
        if let Some(marker) = self.marker {
            request = request.query(&[("marker", marker)]);
        }
        let answer = request.timeout(TIMEOUT).send().await.unwrap();
        let page: tagged::Page = answer.error_for_status().unwrap().json().await.unwrap();
        self.marker = page.marker;
        page.updates
    }
}
