//! The pace of a bot, against the limits that the sandbox has.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use tamtam::{Bot, Pace, RetryPolicy, Service, UserId, updates::PaceHealth};
use tamtam_sandbox::{RateLimit, Sandbox};
use tracing::level_filters::LevelFilter;

use crate::{common::answering_json, traced::Traced};

/// People who have started the bot.
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

/// A bot of the sandbox with another pace, which sends every request once.
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
    assert_eq!(send(&bot, &[users[0]; 4]).await, 0, "one chat takes fewer");
    assert_eq!(max.rate_limited(), 0);
}

#[tokio::test]
async fn without_a_pace_a_bot_of_max_is_refused() {
    let limit = RateLimit::none().requests_per_second(5);
    let max = Sandbox::builder().service(Service::Max).rate_limit(limit).start().await;
    // All of them are under way before the first is refused.
    let users = people(&max, 12);
    let failed = send(&bot(&max, Pace::none()), &users).await;
    assert!(failed > 0);
    assert_eq!(max.rate_limited(), failed as u64);
}

#[test]
fn services_have_their_pace() {
    let max = Pace::none().requests_per_second(30).chat_requests_per_second(2).polls_per_second(2);
    assert_eq!((Service::Max.pace(), Service::TamTam.pace()), (max, Pace::none()));
    assert_eq!(Service::TamTam.with_pace(max).pace(), max);
    assert_eq!(Pace::none().requests_per_second(0), Pace::none().requests_per_second(1));
}

#[tokio::test]
async fn health_counts_the_requests_that_wait() {
    let server = answering_json(&serde_json::json!({"user_id": 1, "name": "Bot", "updates": [], "marker": 1})).await;
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
        _ = calls => panic!("nothing waited"),
        () = async { while waiting(health.pace()) != (2, 1) { tokio::task::yield_now().await } } => {}
        () = tokio::time::sleep(Duration::from_secs(60)) => panic!("the requests do not wait"),
    }
    assert_eq!(waiting(health.pace()), (0, 0), "the calls were dropped");
}

#[tokio::test]
async fn the_span_of_a_call_has_the_time_that_it_waited() {
    let (traced, _guard) = Traced::start(LevelFilter::INFO);
    let server = answering_json(&serde_json::json!({"user_id": 1, "name": "Bot"})).await;
    let pace = Pace::none().requests_per_second(20);
    let bot = Bot::builder("token").base_url(server.uri()).no_proxy().pace(pace).build().unwrap();
    bot.me().await.unwrap();
    assert!(!traced.text().contains("paced_ms"));
    // Six are sent at once.
    futures_util::future::join_all((0..8).map(|_| bot.me().into_future())).await;
    assert!(traced.text().contains("paced_ms"));
}
