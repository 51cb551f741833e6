//! Workers: every update is handled, in order within its chat, even when workers die.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tamtam::{Bot, Update, updates::Recovery};
use tamtam_nats::{Queue, async_nats::jetstream};
use tokio::{
    sync::{Notify, oneshot},
    time::sleep,
};

use crate::{Seen, World, receive, until};

#[tokio::test]
async fn three_workers_handle_all_updates_in_order_within_a_chat() {
    let world = World::start().await;
    let queue = world.queue().await;
    let people: Vec<_> = (0..10).map(|number| world.sandbox.user(format!("Person {number}"))).collect();
    for number in 0..20 {
        for person in &people {
            person.says(number.to_string());
        }
    }
    let receiver = tokio::spawn(queue.receive(world.bot.updates()).run());
    let seen = Seen::default();
    let work = |_| tokio::spawn(queue.work(world.bot.clone(), seen.handler()).run());
    let workers: Vec<_> = (0..3).map(work).collect();
    seen.reaches(200).await;
    let expected: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    for person in &people {
        assert_eq!(seen.in_chat(person.chat_id()), expected);
    }
    until("the queue is empty", async || queue.lag().await.is_ok_and(|lag| lag.waiting + lag.in_flight == 0)).await;
    assert_eq!(queue.lag().await.unwrap().oldest, None);
    receiver.abort();
    workers.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Returns a queue with one message. The update about the start of the bot is in it, too.
async fn one_update(world: &World) -> Queue {
    let queue = world.queue().await;
    world.sandbox.user("Alice").says("hi");
    receive(world, &queue, 2).await;
    queue
}

#[tokio::test]
async fn the_update_of_a_dead_worker_goes_to_another_worker() {
    let world = World::start().await;
    let queue = one_update(&world).await;
    let began = Arc::new(Notify::new());
    let begins = Arc::clone(&began);
    let hangs = move |_: Bot, update: Update| {
        let begins = Arc::clone(&begins);
        async move {
            if update.text().is_some() {
                begins.notify_one();
                std::future::pending::<()>().await;
            }
        }
    };
    let first = tokio::spawn(queue.work(world.bot.clone(), hangs).run());
    began.notified().await;
    let seen = Seen::default();
    let second = tokio::spawn(queue.work(world.bot.clone(), seen.handler()).run());
    // Longer than `ack_wait`. The update stays with the first worker while its handler runs.
    sleep(Duration::from_secs(2)).await;
    assert_eq!(seen.all(), 0);
    first.abort();
    seen.reaches(1).await;
    second.abort();
}

#[tokio::test]
async fn a_shutdown_waits_for_handlers_and_returns_the_other_updates_at_once() {
    let world = World::start().await;
    let queue = world.opening().await.ack_wait(Duration::from_secs(3_600)).await.unwrap();
    let people: Vec<_> = (0..20).map(|number| world.sandbox.user(format!("Person {number}"))).collect();
    for person in &people {
        person.says("hi");
    }
    receive(&world, &queue, 40).await;
    let (begun, finish) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let handler = {
        let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
        move |_: Bot, _: Update| {
            let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                finish.notified().await;
            }
        }
    };
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = queue.work(world.bot.clone(), handler).concurrency(2).graceful_shutdown_on(stopped);
    let worker = tokio::spawn(worker.run());
    until("two handlers run", async || begun.load(Ordering::SeqCst) == 2).await;
    drop(stop);
    // While these handlers run, the next worker gets the updates of the other two slots.
    let next = tokio::spawn(queue.work(world.bot.clone(), async |_, _| {}).run());
    until("the other updates are handled", async || {
        let slots = busy(&world, &queue).await;
        slots == 2
    })
    .await;
    assert!(!worker.is_finished());
    finish.notify_waiters();
    worker.await.unwrap().unwrap();
    assert_eq!(begun.load(Ordering::SeqCst), 2);
    // With an `ack_wait` of an hour, an update that the worker did not return would be missing.
    until("all others are handled", async || queue.lag().await.is_ok_and(|lag| lag.waiting + lag.in_flight == 0)).await;
    next.abort();
}

/// Returns the number of slots with unhandled updates.
async fn busy(world: &World, queue: &Queue) -> usize {
    let stream = jetstream::new(world.client().await).get_stream(queue.name()).await.unwrap();
    let mut busy = 0;
    for slot in 0..4 {
        let slot = stream.consumer_info(format!("slot-{slot}")).await.unwrap();
        busy += usize::from(slot.num_pending > 0 || slot.num_ack_pending > 0);
    }
    busy
}

#[tokio::test]
async fn a_handler_is_retried_in_the_same_worker() {
    let world = World::start().await;
    let queue = one_update(&world).await;
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&attempts);
    let work = queue
        .work(world.bot.clone(), async |_, update: Update| match update.text() {
            Some(_) => Err("not now"),
            None => Ok(()),
        })
        .backoff(Duration::from_millis(1), Duration::from_millis(1))
        .on_error(move |failed| {
            seen.lock().unwrap().push(failed.attempts());
            if failed.attempts() < 3 { Recovery::Retry } else { Recovery::Skip }
        });
    let worker = tokio::spawn(work.run());
    until("the update is skipped", async || queue.lag().await.is_ok_and(|lag| lag.waiting + lag.in_flight == 0)).await;
    assert_eq!(*attempts.lock().unwrap(), [1, 2, 3]);
    assert_eq!(queue.lag().await.unwrap().dead, 0);
    worker.abort();
}

#[tokio::test]
async fn concurrency_limits_the_handlers_of_a_worker() {
    let world = World::start().await;
    let queue = world.queue().await;
    let people: Vec<_> = (0..20).map(|number| world.sandbox.user(format!("Person {number}"))).collect();
    for person in &people {
        person.says("hi");
    }
    receive(&world, &queue, 40).await;
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let handler = {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        move |_: Bot, _: Update| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_millis(5)).await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
        }
    };
    let worker = tokio::spawn(queue.work(world.bot.clone(), handler).concurrency(2).run());
    until("all are handled", async || queue.lag().await.is_ok_and(|lag| lag.waiting + lag.in_flight == 0)).await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
    worker.abort();
}

#[tokio::test]
async fn workers_continue_after_a_server_outage() {
    let mut world = World::start().await;
    let queue = world.queue().await;
    let seen = Seen::default();
    let worker = tokio::spawn(queue.work(world.bot.clone(), seen.handler()).run());
    let receiver = tokio::spawn(queue.receive(world.bot.updates()).lease(Duration::from_secs(1)).run());
    let alice = world.sandbox.user("Alice");
    alice.says("one");
    seen.reaches(1).await;
    world.nats.kill();
    alice.says("two");
    world.nats.restart();
    seen.reaches(2).await;
    assert_eq!(seen.in_chat(alice.chat_id()), ["one", "two"]);
    worker.abort();
    receiver.abort();
}

#[tokio::test]
async fn the_lag_has_the_oldest_update_that_is_not_handled() {
    let world = World::start().await;
    let queue = world.queue().await;
    let empty = queue.lag().await.unwrap();
    assert_eq!((empty.waiting, empty.in_flight, empty.dead, empty.oldest), (0, 0, 0, None));
    world.sandbox.user("Alice").says("hi");
    receive(&world, &queue, 2).await;
    let stored = Instant::now();
    sleep(Duration::from_millis(20)).await;
    let lag = queue.lag().await.unwrap();
    assert_eq!(lag.waiting, 2);
    assert!(
        lag.oldest.unwrap() >= Duration::from_millis(20)
            && lag.oldest.unwrap() < stored.elapsed() + Duration::from_secs(60)
    );
}

#[tokio::test]
async fn handled_updates_are_removed_after_the_window() {
    let world = World::start().await;
    let queue = world.opening().await.dedup_window(Duration::from_secs(1)).await.unwrap();
    let people: Vec<_> = (0..20).map(|number| world.sandbox.user(format!("Person {number}"))).collect();
    for person in &people[..10] {
        person.says("hi");
    }
    people[10].says("wait");
    people[11].says("hi");
    receive(&world, &queue, 24).await;
    let worker = tokio::spawn(
        queue
            .work(world.bot.clone(), async |_, update: Update| {
                if update.text() == Some("wait") {
                    std::future::pending::<()>().await;
                }
            })
            .run(),
    );
    let stream = jetstream::new(world.client().await).get_stream(queue.name()).await.unwrap();
    until("handled updates are removed", async || stream.get_info().await.unwrap().state.messages < 24).await;
    worker.abort();
    let seen = Seen::default();
    let worker = tokio::spawn(queue.work(world.bot.clone(), seen.handler()).run());
    until("the unfinished update is still there", async || seen.in_chat(people[10].chat_id()) == ["wait"]).await;
    worker.abort();
}

#[tokio::test]
async fn an_update_in_a_handler_is_not_handled_by_another_worker() {
    let world = World::start().await;
    let queue = world.opening().await.slots(1).await.unwrap();
    world.sandbox.user("Alice").says("hi");
    receive(&world, &queue, 2).await;
    let (begun, finish) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let work = || {
        let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
        let handler = move |_: Bot, update: Update| {
            let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
            async move {
                if update.text().is_some() {
                    begun.fetch_add(1, Ordering::SeqCst);
                    finish.notified().await;
                }
            }
        };
        tokio::spawn(queue.work(world.bot.clone(), handler).run())
    };
    let workers = [work(), work()];
    until("a handler begins", async || begun.load(Ordering::SeqCst) == 1).await;
    // Simulates a new leader that lacks the last delivery: update 2 (delivery 2) is delivered again.
    let nats = world.client().await;
    nats.publish(format!("$JS.ACK.{}.slot-0.1.2.2.0.0", queue.name()), "-NAK".into()).await.unwrap();
    let stream = jetstream::new(nats).get_stream(queue.name()).await.unwrap();
    until("the update is delivered again", async || {
        stream.consumer_info("slot-0").await.is_ok_and(|slot| slot.num_redelivered > 0)
    })
    .await;
    // Longer than a worker waits before it asks again.
    sleep(Duration::from_secs(1)).await;
    finish.notify_one();
    until("all are settled", async || queue.lag().await.is_ok_and(|lag| lag.waiting + lag.in_flight == 0)).await;
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    workers.iter().for_each(tokio::task::JoinHandle::abort);
}
