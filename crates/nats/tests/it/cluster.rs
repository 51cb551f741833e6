//! A queue on a cluster of three servers continues without one of them.

use std::time::Duration;

use tamtam_nats::{Queue, async_nats::jetstream};
use tamtam_sandbox::Sandbox;

use crate::{
    Seen,
    server::{cluster, connect, urls},
};

#[tokio::test]
async fn a_queue_with_three_replicas_continues_without_its_leader() {
    let (tamtam, mut servers) = (Sandbox::start().await, cluster());
    let (bot, nats) = (tamtam.bot(), connect(&urls(&servers)).await);
    // The cluster is still electing its leaders.
    let opening = Queue::open(nats.clone(), &bot).replicas(3).slots(4).ack_wait(Duration::from_secs(1));
    let queue = opening.await.unwrap();
    let (alice, seen) = (tamtam.user("Alice"), Seen::default());
    let worker = tokio::spawn(queue.work(bot.clone(), seen.handler()).run());
    let receiver = tokio::spawn(queue.receive(bot.updates()).lease(Duration::from_secs(2)).run());
    alice.says("one");
    seen.reaches(1).await;
    let stream = jetstream::new(nats).get_stream(queue.name()).await.unwrap();
    assert_eq!(stream.cached_info().config.num_replicas, 3);
    let leader = stream.cached_info().cluster.as_ref().and_then(|cluster| cluster.leader.clone()).unwrap();
    let leader: usize = leader.trim_start_matches('n').parse().unwrap();
    servers[leader].kill();
    alice.says("two");
    seen.reaches(2).await;
    servers[leader].restart();
    alice.says("three");
    seen.reaches(3).await;
    assert_eq!(seen.in_chat(alice.chat_id()), ["one", "two", "three"]);
    worker.abort();
    receiver.abort();
}
