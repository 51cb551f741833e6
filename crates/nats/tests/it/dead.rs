//! Dead letters: failed updates are kept, and can be replayed or discarded.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::StreamExt as _;
use tamtam::{Bot, Update, updates::Recovery};
use tamtam_nats::{Dead, async_nats::jetstream};

use crate::{Seen, World, receive, until};

/// Waits until there is a dead letter.
async fn until_dead_letter(dead: &Dead) {
    until("there is a dead letter", async || dead.list().await.is_ok_and(|letters| !letters.is_empty())).await;
}

async fn fails_on_text(_: Bot, update: Update) -> Result<(), String> {
    if update.text().is_some() { Err("жук".repeat(1_000)) } else { Ok(()) }
}

#[tokio::test]
async fn a_failed_update_becomes_a_dead_letter_and_can_be_replayed() {
    let world = World::start().await;
    let queue = world.queue().await;
    let alice = world.sandbox.user("Alice");
    alice.says("hi");
    receive(&world, &queue, 2).await;
    let worker = tokio::spawn(queue.work(world.bot.clone(), fails_on_text).run());
    until_dead_letter(&queue.dead()).await;
    worker.abort();
    let letters = queue.dead().list().await.unwrap();
    assert_eq!((letters.len(), letters[0].attempts, queue.lag().await.unwrap().dead), (1, 1, 1));
    assert!(letters[0].cause.starts_with("the handler failed: жук") && letters[0].cause.len() <= 1_024);
    assert!(letters[0].stored_at <= letters[0].died_at);
    assert_eq!(letters[0].update.as_ref().unwrap().update.text(), Some("hi"));
    assert!(queue.dead().replay(letters[0].id).await.unwrap());
    assert!(!queue.dead().replay(letters[0].id).await.unwrap());
    assert_eq!(queue.lag().await.unwrap().dead, 0);
    let seen = Seen::default();
    let worker = tokio::spawn(queue.work(world.bot.clone(), seen.handler()).run());
    seen.reaches(1).await;
    worker.abort();
}

#[tokio::test]
async fn a_replayed_update_can_become_a_dead_letter_again_and_be_discarded() {
    let world = World::start().await;
    let queue = world.queue().await;
    world.sandbox.user("Alice").says("hi");
    receive(&world, &queue, 2).await;
    let work = queue.work(world.bot.clone(), fails_on_text).backoff(Duration::ZERO, Duration::ZERO);
    let work = work.on_error(|failed| if failed.attempts() < 2 { Recovery::Retry } else { Recovery::DeadLetter });
    let worker = tokio::spawn(work.run());
    until_dead_letter(&queue.dead()).await;
    let first = queue.dead().list().await.unwrap().remove(0);
    assert_eq!(first.attempts, 2);
    assert!(queue.dead().replay(first.id).await.unwrap());
    until("there is another dead letter", async || {
        queue.dead().list().await.is_ok_and(|letters| letters.first().is_some_and(|letter| letter.id != first.id))
    })
    .await;
    worker.abort();
    let second = queue.dead().list().await.unwrap().remove(0);
    assert!(queue.dead().discard(second.id).await.unwrap());
    assert!(!queue.dead().discard(second.id).await.unwrap());
    assert_eq!(queue.dead().list().await.unwrap(), []);
}

#[tokio::test]
async fn an_update_that_ends_its_workers_becomes_a_dead_letter_and_its_chat_continues() {
    let world = World::start().await;
    let queue = world.queue().await;
    let alice = world.sandbox.user("Alice");
    alice.says("poison");
    alice.says("hi");
    receive(&world, &queue, 3).await;
    let (poisoned, seen) = (Arc::new(AtomicUsize::new(0)), Seen::default());
    for _ in 0..10 {
        let killed = Arc::new(tokio::sync::Notify::new());
        let kills = Arc::clone(&killed);
        let (poison, sees) = (Arc::clone(&poisoned), seen.clone());
        let handler = move |_: Bot, update: Update| {
            let (poison, sees, kills) = (Arc::clone(&poison), sees.clone(), Arc::clone(&kills));
            async move {
                if update.text() == Some("poison") {
                    poison.fetch_add(1, Ordering::SeqCst);
                    kills.notify_one();
                    std::future::pending::<()>().await;
                }
                sees.add(&update);
            }
        };
        let work = queue.work(world.bot.clone(), handler).dead_letter_after(2);
        tokio::select! {
            result = work.run() => panic!("{result:?}"),
            // The worker is dropped in the middle of its handler.
            () = killed.notified() => {}
            () = seen.reaches(1) => break,
        }
    }
    assert_eq!(poisoned.load(Ordering::SeqCst), 2);
    assert_eq!(seen.in_chat(alice.chat_id()), ["hi"]);
    let letters = queue.dead().list().await.unwrap();
    assert_eq!((letters.len(), letters[0].attempts), (1, 2));
    assert!(letters[0].cause.contains("ended during its handler"), "{}", letters[0].cause);
}

#[tokio::test]
async fn a_payload_that_is_not_an_update_becomes_a_dead_letter() {
    let world = World::start().await;
    let queue = world.queue().await;
    let subject = format!("tamtam.{}.slot.1", queue.name());
    jetstream::new(world.client().await).publish(subject, "nonsense".into()).await.unwrap().await.unwrap();
    let worker = tokio::spawn(queue.work(world.bot.clone(), async |_, _| {}).run());
    until_dead_letter(&queue.dead()).await;
    worker.abort();
    let letter = queue.dead().list().await.unwrap().remove(0);
    assert!(letter.update.is_none() && letter.cause.starts_with("not an update"), "{letter:?}");
    let error = queue.dead().replay(letter.id).await.unwrap_err();
    assert!(error.to_string().contains("not an update"), "{error}");
}

#[tokio::test]
async fn deliveries_without_a_handler_call_are_not_attempts() {
    let world = World::start().await;
    let queue = world.opening().await.slots(1).await.unwrap();
    world.sandbox.user("Alice").says("hi");
    receive(&world, &queue, 2).await;
    // Simulates workers that are stopped before they call the handler.
    let stream = jetstream::new(world.client().await).get_stream(queue.name()).await.unwrap();
    let slot: jetstream::consumer::PullConsumer = stream.get_consumer("slot-0").await.unwrap();
    for _ in 0..5 {
        let mut messages = slot.fetch().max_messages(1).messages().await.unwrap();
        let message = messages.next().await.unwrap().unwrap();
        message.ack_with(jetstream::AckKind::Nak(None)).await.unwrap();
    }
    let seen = Seen::default();
    let worker = tokio::spawn(queue.work(world.bot.clone(), seen.handler()).dead_letter_after(2).run());
    seen.reaches(1).await;
    worker.abort();
    assert_eq!(queue.lag().await.unwrap().dead, 0);
}
