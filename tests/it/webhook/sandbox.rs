//! Webhooks on the sandbox: subscription, delivery and redelivery.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tamtam::{Update, UpdateType, types::MessageCreatedUpdate, updates::Recovery, webhook::Webhook};
use tamtam_sandbox::{Delivery, Sandbox};
use tokio::sync::mpsc;

use super::{Gate, PATH, Seen, Server};
use crate::conformance;

/// Collects every delivery attempt when it ends.
fn deliveries(tamtam: &Sandbox) -> mpsc::UnboundedReceiver<Delivery> {
    let (sender, receiver) = mpsc::unbounded_channel();
    tamtam.on_delivery(move |delivery| drop(sender.send(delivery.clone())));
    receiver
}

#[tokio::test]
async fn people_talk_and_the_bot_answers() {
    let tamtam = conformance::start().await;
    let bot = tamtam.bot();
    let router = Webhook::new(bot.clone(), PATH).unwrap().router(async |bot, update| {
        let Update::MessageCreated(MessageCreatedUpdate { message: Some(message), .. }) = update else {
            return Err(format!("unexpected update: {update:?}"));
        };
        bot.reply(&message, "I heard you").await.map(drop).map_err(|error| error.to_string())
    });
    let server = Server::start(router).await;
    bot.subscribe_webhook(server.url(PATH), [UpdateType::MessageCreated]).await.unwrap();
    let subscriptions = bot.api().get_subscriptions().await.unwrap().subscriptions;
    assert_eq!(subscriptions.len(), 1);
    assert_eq!(subscriptions[0].version.as_deref(), bot.version());

    let mut deliveries = deliveries(&tamtam);
    let alice = tamtam.user("Alice");
    alice.says("hi");
    assert_eq!(alice.reads().await.text(), "I heard you");
    tamtam.delivers().await;
    bot.api().unsubscribe(server.url(PATH)).await.unwrap();
    let delivery = deliveries.recv().await.unwrap();
    assert_eq!((delivery.status(), delivery.attempt()), (Some(200), 1));
}

#[tokio::test]
async fn a_failed_update_is_redelivered_until_it_succeeds() {
    let tamtam = conformance::checked(Sandbox::builder().redelivery(Duration::from_millis(5))).await;
    let bot = tamtam.bot();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let webhook = Webhook::new(bot.clone(), PATH).unwrap().on_error(|_| Recovery::Retry);
    let router = webhook.router(move |_, _| {
        let call = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            assert!(call != 0, "the first call panics");
            if call == 1 { Err("the second call fails") } else { Ok(()) }
        }
    });
    let server = Server::start(router).await;
    let mut deliveries = deliveries(&tamtam);
    bot.subscribe_webhook(server.url(PATH), []).await.unwrap();
    tamtam.user("Alice").starts();
    tamtam.delivers().await;
    for (attempt, status) in [(1, 503), (2, 503), (3, 200)] {
        let delivery = deliveries.recv().await.unwrap();
        assert_eq!((delivery.attempt(), delivery.status()), (attempt, Some(status)));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_handler_slower_than_the_delivery_timeout_runs_once() {
    let builder = Sandbox::builder().delivery_timeout(Duration::from_millis(30)).redelivery(Duration::from_millis(5));
    let tamtam = conformance::checked(builder).await;
    let bot = tamtam.bot();
    let (seen, gate) = (Seen::default(), Gate::closed());
    let (noted, theirs) = (seen.clone(), gate.clone());
    let router = Webhook::new(bot.clone(), PATH).unwrap().router(move |_, update| {
        noted.add(&update);
        let gate = theirs.clone();
        async move { gate.pass().await }
    });
    let server = Server::start(router).await;
    let mut deliveries = deliveries(&tamtam);
    bot.subscribe_webhook(server.url(PATH), []).await.unwrap();
    tamtam.user("Alice").starts();
    for attempt in 1..=3 {
        let delivery = deliveries.recv().await.unwrap();
        assert_eq!((delivery.attempt(), delivery.status()), (attempt, None), "the sandbox did not time out");
    }
    assert_eq!(seen.count(), 1);
    // The next delivery may come before the handler ends, and wait for it. If it comes later, it is handled again, and
    // on a busy machine it may time out again.
    gate.let_through(1000);
    tamtam.delivers().await;
}
