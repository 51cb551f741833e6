//! Receivers: every update is stored once, even with several receivers.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::StreamExt as _;
use tamtam::{Bot, Service};
use tamtam_nats::{ErrorKind, async_nats::jetstream};
use tokio::sync::oneshot;

use crate::{NatsServer, World, has, receive, until};

/// Returns the JSON of all updates in the queue.
async fn stored(world: &World) -> Vec<String> {
    let context = jetstream::new(world.client().await);
    let stream = context.get_stream(world.queue().await.name()).await.unwrap();
    let count = stream.cached_info().state.messages as usize;
    let consumer = stream.create_consumer(jetstream::consumer::pull::Config::default()).await.unwrap();
    let messages = consumer.stream().messages().await.unwrap().take(count);
    messages.map(|message| String::from_utf8(message.unwrap().payload.to_vec()).unwrap()).collect().await
}

#[tokio::test]
async fn updates_are_stored_in_order_and_committed() {
    let world = World::start().await;
    let queue = world.queue().await;
    let alice = world.sandbox.user("Alice");
    alice.starts();
    alice.says("one");
    alice.says("two");
    receive(&world, &queue, 3).await;
    let stored = stored(&world).await;
    assert!(stored[0].contains("bot_started") && stored[1].contains("one") && stored[2].contains("two"), "{stored:?}");
    // All updates are committed.
    let page = world.bot.api().get_updates().timeout(0).await.unwrap();
    assert!(page.updates.is_empty(), "{page:?}");
}

#[tokio::test]
async fn the_json_of_an_update_is_stored_unchanged() {
    let world = World::start().await;
    let queue = world.queue().await;
    let json =
        r#"{"update_type":"bot_started", "timestamp":1,"chat_id":5,"new":[1.0],"user":{"user_id":7,"name":"A"}}"#;
    assert!(queue.writer().store(&serde_json::from_str(json).unwrap()).await.unwrap());
    assert_eq!(stored(&world).await, [json]);
}

#[tokio::test]
async fn a_backlog_is_skipped_at_the_first_start_only() {
    let world = World::start().await;
    let queue = world.queue().await;
    let alice = world.sandbox.user("Alice");
    alice.says("old");
    let receive = |waiting: u64| {
        let stored = queue.clone();
        let stored = async move { until("the update is stored", async || has(&stored, waiting).await).await };
        queue.receive(world.bot.updates().skip_pending()).graceful_shutdown_on(stored)
    };
    let first = receive(1);
    let polled = first.health();
    let first = tokio::spawn(first.run());
    until("the receiver polls", async || polled.last_poll().is_some()).await;
    alice.says("one");
    first.await.unwrap().unwrap();
    alice.says("while no receiver runs");
    receive(2).await.unwrap();
}

#[tokio::test]
async fn the_updates_of_another_bot_are_refused() {
    let world = World::start().await;
    let queue = world.queue().await;
    let other = world.sandbox.add_bot("Other", "other_bot");
    let error = queue.receive(other.bot().updates()).await.unwrap_err();
    assert!(error.to_string().contains("belongs to max-"), "{error}");
    let error = queue.work(other.bot(), async |_, _| {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
}

#[tokio::test]
async fn stored_updates_are_not_stored_again() {
    let world = World::start().await;
    let queue = world.queue().await;
    let alice = world.sandbox.user("Alice");
    alice.starts();
    for number in 0..20 {
        alice.says(number.to_string());
    }
    // Simulates a receiver that died in the middle of its page.
    let page = world.bot.updates().raw().next_page().await.unwrap().unwrap();
    assert_eq!(page.len(), 21);
    for raw in &page[..10] {
        assert!(queue.writer().store(raw).await.unwrap());
    }
    assert!(!queue.writer().store(&page[0]).await.unwrap());
    receive(&world, &queue, 21).await;
    assert_eq!(stored(&world).await.len(), 21);
}

#[tokio::test]
async fn a_second_receiver_waits_and_takes_over_when_the_first_one_dies() {
    let world = World::start().await;
    let queue = world.queue().await;
    let alice = world.sandbox.user("Alice");
    alice.starts();
    let lease = Duration::from_secs(1);
    let first = tokio::spawn(queue.receive(world.bot.updates()).lease(lease).run());
    until("the first receiver polls", async || has(&queue, 1).await).await;
    let second = queue.receive(world.bot.updates()).lease(lease);
    let health = second.health();
    let second = tokio::spawn(second.run());
    // The first receiver renews the lease four times in its duration. Eight writes take longer than the lease.
    let state = jetstream::new(world.client().await).get_key_value(queue.name()).await.unwrap();
    let revision = async || state.entry("receiver").await.unwrap().unwrap().revision;
    let first_revision = revision().await;
    until("the lease is renewed", async || revision().await >= first_revision + 8).await;
    assert_eq!(health.last_poll(), None);
    first.abort();
    alice.says("hi");
    until("the second receiver polls", async || has(&queue, 2).await).await;
    assert!(health.last_poll().is_some());
    second.abort();
}

#[tokio::test]
async fn a_shutdown_of_a_receiver_releases_its_lease_at_once() {
    let world = World::start().await;
    let queue = world.queue().await;
    let alice = world.sandbox.user("Alice");
    alice.starts();
    receive(&world, &queue, 1).await;
    alice.says("hi");
    // With a lease of an hour, the second receiver would wait if the first one did not release it.
    let hour = Duration::from_secs(3_600);
    let (stop, stopped) = oneshot::channel::<()>();
    let first = tokio::spawn(queue.receive(world.bot.updates()).lease(hour).graceful_shutdown_on(stopped).run());
    until("the first receiver polls", async || has(&queue, 2).await).await;
    drop(stop);
    first.await.unwrap().unwrap();
    alice.says("ho");
    let second = tokio::spawn(queue.receive(world.bot.updates()).lease(hour).run());
    until("the second receiver polls", async || has(&queue, 3).await).await;
    second.abort();
}

#[tokio::test]
async fn a_receiver_waits_for_a_server_that_is_down() {
    let mut world = World::start().await;
    let queue = world.queue().await;
    let alice = world.sandbox.user("Alice");
    alice.starts();
    let receive = queue.receive(world.bot.updates()).lease(Duration::from_secs(1));
    let health = receive.health();
    let receiver = tokio::spawn(receive.run());
    until("the receiver polls", async || has(&queue, 1).await).await;
    world.nats.kill();
    for number in 0..10 {
        alice.says(number.to_string());
    }
    // A receiver without its lease stops polling.
    until("the lease is lost", async || health.last_poll().is_some_and(|ago| ago > Duration::from_secs(2))).await;
    assert!(!receiver.is_finished());
    world.nats.restart();
    until("all updates are stored", async || has(&queue, 11).await).await;
    receiver.abort();
}

#[tokio::test]
async fn a_too_large_update_is_refused_and_the_others_are_stored() {
    let world = World::with(NatsServer::with("max_payload: 10KB")).await;
    let queue = world.queue().await;
    let alice = world.sandbox.user("Alice");
    alice.starts();
    alice.says("\u{1F600}".repeat(1_500));
    alice.says("short");
    let refused = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&refused);
    let receive = queue.receive(world.bot.updates()).on_refused(move |raw, error| {
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        seen.lock().unwrap().push(raw.update.text().unwrap().len());
    });
    let receiver = tokio::spawn(receive.run());
    until("the other updates are stored", async || has(&queue, 2).await).await;
    assert_eq!(*refused.lock().unwrap(), [6_000]);
    receiver.abort();
}

#[tokio::test]
async fn a_full_stream_loses_nothing_and_recovers() {
    let world = World::start().await;
    let queue = world.opening().await.max_bytes(64 * 1024).await.unwrap();
    let alice = world.sandbox.user("Alice");
    alice.starts();
    for number in 0..300 {
        alice.says(format!("{number} {}", "x".repeat(300)));
    }
    let receiver = tokio::spawn(queue.receive(world.bot.updates()).run());
    let seen = crate::Seen::default();
    until("the stream is full", async || queue.lag().await.is_ok_and(|lag| lag.waiting > 50)).await;
    let worker = tokio::spawn(queue.work(world.bot.clone(), seen.handler()).run());
    seen.reaches(300).await;
    let texts = seen.in_chat(alice.chat_id());
    assert!(texts.iter().enumerate().all(|(number, text)| text.starts_with(&format!("{number} "))), "out of order");
    receiver.abort();
    worker.abort();
}

#[tokio::test]
async fn a_receiver_ends_if_the_token_is_refused() {
    let world = World::start().await;
    let queue = world.queue().await;
    let stranger = Bot::builder("wrong").base_url(world.sandbox.base_url()).service(Service::Max).no_proxy();
    let error = queue.receive(stranger.build().unwrap().updates()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Bot);
    assert!(std::error::Error::source(&error).is_some(), "{error:?}");
}
