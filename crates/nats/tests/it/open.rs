//! Opening a queue: what is created, checked and changed.

use std::time::Duration;

use tamtam::{Bot, Service, settings::RetryPolicy};
use tamtam_nats::{ErrorKind, Queue, async_nats::jetstream};
use tamtam_sandbox::{Fault, Sandbox};

use crate::{NatsServer, World};

#[tokio::test]
async fn a_queue_is_created_and_opened_again() {
    let world = World::start().await;
    let queue = world.queue().await;
    let id = world.bot.me().await.unwrap().user_id;
    assert_eq!(queue.name(), format!("max-{id}"));
    let context = jetstream::new(world.client().await);
    let stream = context.get_stream(queue.name()).await.unwrap();
    let config = &stream.cached_info().config;
    assert_eq!((config.max_bytes, config.duplicate_window), (1 << 30, Duration::from_secs(3_600)));
    assert_eq!((config.discard, config.max_age), (jetstream::stream::DiscardPolicy::New, Duration::ZERO));
    assert_eq!(stream.cached_info().state.consumer_count, 4);
    let again = Queue::open(world.client().await, &world.bot).await.unwrap();
    assert_eq!(again.name(), queue.name());
    assert_eq!(stream.get_info().await.unwrap().state.consumer_count, 4, "without `slots`, the number stays");
}

#[tokio::test]
async fn opening_again_changes_only_the_given_settings() {
    let world = World::start().await;
    let queue = world.queue().await;
    let opening = Queue::open(world.client().await, &world.bot);
    opening.max_bytes(1 << 20).dedup_window(Duration::from_secs(60)).ack_wait(Duration::from_secs(7)).await.unwrap();
    Queue::open(world.client().await, &world.bot).await.unwrap();
    let stream = jetstream::new(world.client().await).get_stream(queue.name()).await.unwrap();
    let config = &stream.cached_info().config;
    assert_eq!((config.max_bytes, config.duplicate_window), (1 << 20, Duration::from_secs(60)));
    let slot = stream.consumer_info("slot-3").await.unwrap();
    assert_eq!((slot.config.ack_wait, slot.config.max_ack_pending), (Duration::from_secs(7), 1));
}

#[tokio::test]
async fn another_number_of_slots_is_refused() {
    let world = World::start().await;
    world.queue().await;
    let error = Queue::open(world.client().await, &world.bot).slots(8).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    let message = error.to_string();
    assert!(message.contains("has 4 slots, not 8") && message.contains("remove the streams"), "{message}");
}

#[tokio::test]
async fn bots_share_a_server_but_not_a_queue() {
    let world = World::start().await;
    let queue = world.queue().await;
    let other = Sandbox::start().await;
    let others = Queue::open(world.client().await, &other.bot()).slots(2).await.unwrap();
    assert!(others.name().starts_with("tamtam-") && others.name() != queue.name(), "{}", others.name());
    let error = Queue::open(world.client().await, &other.bot()).name(queue.name()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Mismatch);
    assert!(error.to_string().contains("belongs to max-"), "{error}");
}

#[tokio::test]
async fn invalid_settings_are_errors() {
    let world = World::start().await;
    let nats = world.client().await;
    let open = || Queue::open(nats.clone(), &world.bot);
    for opening in [
        open().slots(0),
        open().slots(1_025),
        open().replicas(0),
        open().replicas(6),
        open().name("a.b"),
        open().name(""),
        open().ack_wait(Duration::from_millis(10)),
        open().dedup_window(Duration::ZERO),
    ] {
        let debug = format!("{opening:?}");
        assert_eq!(opening.await.unwrap_err().kind(), ErrorKind::Setting, "{debug}");
    }
    let error = open().replicas(3).timeout(Duration::from_millis(500)).await.unwrap_err();
    assert!(error.to_string().contains("replicas"), "one server allows one replica: {error}");
}

#[tokio::test]
async fn a_stream_larger_than_the_storage_of_the_server_is_refused_at_once() {
    let world = World::start().await;
    let nats = world.client().await;
    let open = || Queue::open(nats.clone(), &world.bot).timeout(Duration::from_secs(3_600));
    let error = open().max_bytes(1 << 40).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let message = error.to_string();
    assert!(message.contains("1099511627776 bytes") && message.contains("`max_file_store`"), "{message}");
    open().max_bytes(1 << 20).await.unwrap();
    let error = open().max_bytes(1 << 40).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot change the stream"), "{error}");
}

#[tokio::test]
async fn opening_waits_until_the_server_starts() {
    let mut nats = NatsServer::start();
    nats.kill();
    let mut world = World::with(nats).await;
    let opening = world.opening().await;
    let opened = tokio::spawn(opening.into_future());
    tokio::task::yield_now().await;
    world.nats.restart();
    opened.await.unwrap().unwrap();
}

#[tokio::test]
async fn opening_fails_after_its_timeout() {
    let mut world = World::start().await;
    world.nats.kill();
    let opening = world.opening().await.timeout(Duration::from_millis(100));
    let error = opening.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_temporary() && error.to_string().contains("cannot open the queue"), "{error}");
}

#[tokio::test]
async fn a_queue_with_a_name_is_opened_without_the_api_of_the_bot() {
    let world = World::start().await;
    let queue = world.queue().await;
    world.sandbox.fails("getMyInfo", Fault::status(500).times(100));
    let bot = Bot::builder(world.sandbox.token()).base_url(world.sandbox.base_url()).service(Service::Max).no_proxy();
    let bot = bot.retry(RetryPolicy::none()).build().unwrap();
    let opened = Queue::open(world.client().await, &bot).name(queue.name()).await.unwrap();
    assert_eq!(opened.lag().await.unwrap().waiting, 0);
    let error = Queue::open(world.client().await, &bot).timeout(Duration::from_millis(300)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Bot);
    assert!(format!("{error:?}").starts_with("Bot: the bot cannot be identified"), "{error:?}");
}
