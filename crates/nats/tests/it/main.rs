//! Tests of queues on real NATS servers. Each test starts its own server.

// Without `required-features`, because `cargo test --test it` in the workspace would fail.
#![cfg(feature = "server-tests")]

mod cluster;
mod dead;
mod open;
mod receive;
mod server;
mod webhook;
mod work;

use std::{
    collections::HashMap,
    future::{Future, Ready},
    sync::{Arc, Mutex},
    time::Duration,
};

use server::{NatsServer, connect};
use tamtam::{Bot, Update};
use tamtam_nats::{Open, Queue, async_nats::Client};
use tamtam_sandbox::Sandbox;

/// A sandbox, a NATS server, and a bot.
struct World {
    sandbox: Sandbox,
    nats: NatsServer,
    bot: Bot,
}

impl World {
    async fn start() -> Self {
        Self::with(NatsServer::start()).await
    }

    async fn with(nats: NatsServer) -> Self {
        let sandbox = Sandbox::max().await;
        let bot = sandbox.bot();
        Self { sandbox, nats, bot }
    }

    /// Returns a client of the server, even if the server is not running yet.
    async fn client(&self) -> Client {
        connect(&self.nats.url()).await
    }

    /// Returns a builder of a queue with few slots and a short `ack_wait`, so that tests are fast.
    async fn opening(&self) -> Open {
        Queue::open(self.client().await, &self.bot).slots(4).ack_wait(Duration::from_secs(1))
    }

    async fn queue(&self) -> Queue {
        self.opening().await.await.unwrap()
    }
}

/// Waits until `is_so` returns true. Panics after a minute.
async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let waits = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waits)
        .await
        .unwrap_or_else(|_| panic!("not within a minute: {what}"));
}

/// The texts that a handler got, by chat.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<HashMap<i64, Vec<String>>>>);

impl Seen {
    fn add(&self, update: &Update) {
        let (Some(chat), Some(text)) = (update.chat_id(), update.text()) else { return };
        self.0.lock().unwrap().entry(chat.0).or_default().push(text.to_owned());
    }

    /// Returns a handler that records the texts of its updates.
    fn handler(&self) -> impl Fn(Bot, Update) -> Ready<()> + Send + Sync + 'static {
        let seen = self.clone();
        move |_, update| {
            seen.add(&update);
            std::future::ready(())
        }
    }

    fn all(&self) -> usize {
        self.0.lock().unwrap().values().map(Vec::len).sum()
    }

    fn in_chat(&self, chat: tamtam::ChatId) -> Vec<String> {
        self.0.lock().unwrap().get(&chat.0).cloned().unwrap_or_default()
    }

    /// Waits until at least `texts` texts were seen.
    async fn reaches(&self, texts: usize) {
        until(&format!("{texts} updates are handled"), async || self.all() >= texts).await;
    }
}

/// Returns whether exactly `waiting` updates wait in the queue.
async fn has(queue: &Queue, waiting: u64) -> bool {
    queue.lag().await.is_ok_and(|lag| lag.waiting == waiting)
}

/// Polls until `updates` updates wait in the queue.
async fn receive(world: &World, queue: &Queue, updates: u64) {
    let (waits, has_all) = (queue.clone(), updates);
    let stored = async move { until("the updates are stored", async || has(&waits, has_all).await).await };
    queue.receive(world.bot.updates()).graceful_shutdown_on(stored).await.unwrap();
}
