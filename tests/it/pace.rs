//! The pace of a bot, against the rate limits of the sandbox.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tamtam::{
    Bot, Service, UserId,
    settings::{Pace, RetryPolicy},
    updates::PaceHealth,
};
use tamtam_sandbox::{RateLimit, Sandbox};
use tokio::{
    sync::oneshot,
    time::{self, Instant},
};
use tracing::level_filters::LevelFilter;
use wiremock::ResponseTemplate;

use crate::{
    common::{answering, answering_json, bot_at},
    fault_server::{BY_API, FaultServer, Step},
    traced::Traced,
};

/// Returns the ids of `count` new people who have started the bot.
fn people(max: &Sandbox, count: usize) -> Vec<UserId> {
    let person = |number| {
        let person = max.user(format!("Person {number}"));
        person.starts();
        person.user_id()
    };
    (0..count).map(person).collect()
}

/// Sends a message to each user, 20 at a time, and returns how many failed.
async fn send(bot: &Bot, users: &[UserId]) -> usize {
    let sends = stream::iter(users).map(|user| bot.send(*user, "news").into_future());
    sends.buffer_unordered(20).filter(|sent| std::future::ready(sent.is_err())).count().await
}

/// Returns a bot of the sandbox with this pace and without retries.
fn bot(max: &Sandbox, pace: Pace) -> Bot {
    let builder = Bot::builder(max.token()).base_url(max.base_url()).service(Service::Max).no_proxy();
    builder.retry(RetryPolicy::none()).pace(pace).build().unwrap()
}

#[tokio::test]
async fn a_bot_of_max_keeps_within_the_limits_of_max() {
    let max = Sandbox::max().await;
    let users = people(&max, 45);
    let bot = bot(&max, Service::Max.pace());
    assert_eq!(send(&bot, &users).await, 0);
    assert_eq!(send(&bot, &[users[0]; 4]).await, 0, "a single chat has a lower limit");
    assert_eq!(max.rate_limited(), 0);
}

#[tokio::test]
async fn without_a_pace_a_bot_of_max_is_refused() {
    let limit = RateLimit::none().requests_per_second(5);
    let max = Sandbox::builder().service(Service::Max).rate_limit(limit).start().await;
    // All messages are sent before the first one is refused.
    let users = people(&max, 12);
    let failed = send(&bot(&max, Pace::none()), &users).await;
    assert!(failed > 0);
    assert_eq!(max.rate_limited(), failed as u64);
}

#[test]
fn the_default_pace_depends_on_the_service() {
    let max = Pace::none().requests_per_second(30).chat_requests_per_second(2).polls_per_second(2);
    assert_eq!((Service::Max.pace(), Service::TamTam.pace()), (max, Pace::none()));
    assert_eq!(Service::TamTam.with_pace(max).pace(), max);
    assert_eq!(Pace::none().requests_per_second(0), Pace::none().requests_per_second(1));
}

#[tokio::test]
async fn health_counts_waiting_requests() {
    let server = answering_json(&json!({"user_id": 1, "name": "Bot", "updates": [], "marker": 1})).await;
    let pace = Pace::none().requests_per_second(1);
    let bot = Bot::builder("token").base_url(server.uri()).no_proxy().pace(pace).build().unwrap();
    let updates = bot.updates();
    let health = updates.health();
    let idle = health.pace();
    assert_eq!((idle.waiting, idle.waiting_in_background, idle.pause), (0, 0, None));
    bot.me().await.unwrap();
    let waiting = |health: PaceHealth| (health.waiting, health.waiting_in_background);
    let background = bot.background();
    let calls = async { tokio::join!(bot.me(), bot.me(), background.me()) };
    tokio::select! {
        _ = calls => panic!("no request waited"),
        () = async { while waiting(health.pace()) != (2, 1) { tokio::task::yield_now().await } } => {}
        () = time::sleep(Duration::from_secs(60)) => panic!("no request waits"),
    }
    assert_eq!(waiting(health.pace()), (0, 0), "the calls were dropped");
}

/// Waits until a condition is met, for at most a minute.
async fn until(is_so: impl Fn() -> bool) {
    let waits = async {
        while !is_so() {
            time::sleep(Duration::from_millis(1)).await;
        }
    };
    time::timeout(Duration::from_secs(60), waits).await.expect("the condition was not met within a minute");
}

#[tokio::test]
async fn a_429_of_a_poll_pauses_all_requests_of_the_bot() {
    let server = answering(ResponseTemplate::new(429).insert_header("retry-after", "3600")).await;
    let bot = bot_at(server.uri()).build().unwrap();
    let mut updates = bot.updates();
    let health = updates.health();
    let calls = async {
        tokio::join!(updates.try_next(), async {
            until(|| health.pace().pause.is_some()).await;
            bot.me().await
        })
    };
    tokio::select! {
        _ = calls => panic!("no request waited"),
        () = until(|| health.pace().waiting == 1) => {}
    }
    let pause = health.pace().pause.unwrap();
    assert!(pause <= Duration::from_secs(3_600) && pause > Duration::from_secs(3_500), "{pause:?}");
}

#[tokio::test]
async fn a_429_of_an_upload_host_pauses_only_the_upload() {
    let host = answering(ResponseTemplate::new(429).insert_header("retry-after", "3600")).await;
    let api = answering_json(&json!({"url": host.uri(), "user_id": 1, "name": "Bot"})).await;
    let bot = bot_at(api.uri()).build().unwrap();
    let error = bot.upload_file(vec![0; 10]).await.unwrap_err();
    assert!(error.is_rate_limited(), "{error}");
    bot.me().await.unwrap();
    assert_eq!(bot.updates().health().pace().pause, None);
}

#[tokio::test(start_paused = true)]
async fn a_429_counts_before_its_body_has_arrived_and_for_a_call_that_is_dropped() {
    // The paused time does not advance while this task blocks.
    let (release, released) = std::sync::mpsc::channel::<()>();
    let block = tokio::task::spawn_blocking(move || released.recv_timeout(Duration::from_secs(60)));
    let server = FaultServer::start([Step::StalledErrorBody(429)]).await;
    let bot = bot_at(server.base_url()).build().unwrap();
    let health = bot.updates().health();
    let began = Instant::now();
    tokio::select! {
        _ = bot.me() => panic!("the call ended, although the body stalls"),
        () = async { while health.pace().pause.is_none() { tokio::task::yield_now().await } } => {}
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(health.pace().pause.is_some());
    drop(release);
    let _ = block.await;
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_the_end_of_a_pause() {
    let server = FaultServer::start([Step::Good, Step::Good, Step::Status(429, BY_API, Some("3600"))]).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let bot = bot_at(server.base_url()).build().unwrap();
    let mut updates = bot.updates().graceful_shutdown_on(stopped);
    assert!(updates.try_next().await.unwrap().is_some());
    assert!(bot.me().await.unwrap_err().is_rate_limited());
    drop(stop);
    // From here on, time passes only by sleeping.
    time::pause();
    let began = Instant::now();
    assert!(updates.try_next().await.unwrap().is_none());
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(server.requests().len(), 3, "the marker must not be committed");
}

#[tokio::test]
async fn the_span_of_a_call_has_its_waiting_time() {
    let (traced, _guard) = Traced::start(LevelFilter::INFO);
    let server = answering_json(&json!({"user_id": 1, "name": "Bot"})).await;
    let pace = Pace::none().requests_per_second(1);
    let bot = Bot::builder("token").base_url(server.uri()).no_proxy().pace(pace).build().unwrap();
    bot.me().await.unwrap();
    assert!(!traced.text().contains("paced_ms"));
    bot.me().await.unwrap();
    let text = traced.text();
    let value = |field: &str| {
        let (_, value) = text.rsplit_once(field).unwrap();
        value.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse::<u64>().unwrap()
    };
    assert!((1..=value("elapsed_ms=")).contains(&value("paced_ms=")), "{text}");
}
