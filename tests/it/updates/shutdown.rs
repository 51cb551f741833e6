//! Graceful shutdown of the stream: fetched updates are returned and committed.

use std::time::Duration;

use futures_util::future::poll_immediate;
use tamtam::Update;
use tokio::sync::oneshot;

use super::{Pages, chat_of_next, page};
use crate::{
    conformance,
    fault_server::{FaultServer, Step},
};

#[tokio::test]
async fn shutdown_returns_fetched_updates_commits_them_and_ends() {
    let (_server, bot, pages) = Pages::serve([page(&[1, 2, 3], 10), page(&[4], 11)]).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let mut updates = bot.updates().graceful_shutdown_on(stopped);
    assert_eq!(chat_of_next(&mut updates).await, 1);
    drop(stop);
    assert_eq!(chat_of_next(&mut updates).await, 2);
    assert_eq!(chat_of_next(&mut updates).await, 3);
    assert!(updates.try_next().await.unwrap().is_none());
    assert!(updates.try_next().await.unwrap().is_none(), "the stream stays ended");
    assert_eq!(pages.markers(), [None, Some("10".to_owned())]);
    let commit = &pages.polls.lock().unwrap()[1];
    assert!(commit.contains(&("timeout".to_owned(), "0".to_owned())), "the commit waits for updates: {commit:?}");
}

#[tokio::test]
async fn no_update_is_redelivered_after_a_shutdown() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    alice.says("hi");
    let (stop, stopped) = oneshot::channel::<()>();
    let mut updates = tamtam.bot().updates().graceful_shutdown_on(stopped);
    assert!(matches!(updates.try_next().await.unwrap(), Some(Update::BotStarted(_))));
    assert!(matches!(updates.try_next().await.unwrap(), Some(Update::MessageCreated(_))));
    drop(stop);
    assert!(updates.try_next().await.unwrap().is_none());
    let waiting = tamtam.bot().api().get_updates().timeout(0).await.unwrap().updates;
    assert!(waiting.is_empty(), "{waiting:?}");
}

#[tokio::test]
async fn shutdown_cancels_a_poll_in_progress() {
    let tamtam = conformance::start().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let mut updates = tamtam.bot().updates().graceful_shutdown_on(stopped);
    assert!(poll_immediate(updates.try_next()).await.is_none());
    drop(stop);
    assert!(updates.try_next().await.unwrap().is_none());
}

#[tokio::test]
async fn an_unanswered_commit_delays_the_shutdown_by_at_most_5_s() {
    let server = FaultServer::start([Step::Good, Step::Good, Step::Silence]).await;
    let (stop, stopped) = oneshot::channel::<()>();
    let bot = server.builder().timeout(Duration::from_secs(30)).build().unwrap();
    let mut updates = bot.updates().graceful_shutdown_on(stopped);
    assert!(updates.try_next().await.unwrap().is_some());
    drop(stop);
    // From here on, time passes only by sleeping.
    tokio::time::pause();
    let began = tokio::time::Instant::now();
    assert!(updates.try_next().await.unwrap().is_none());
    assert_eq!(began.elapsed().as_secs(), 5);
}
