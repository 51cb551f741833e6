//! Waiting until the bots are idle.

use std::time::Duration;

use tamtam::types::SubscriptionRequestBody;
use tamtam::{Bot, Update, UpdateType};
use tamtam_sandbox::{Fault, Sandbox};
use tokio::sync::mpsc::unbounded_channel;

use super::{dialog, unlimited};
use crate::client::unlimited as unlimited_on;
use crate::common::SERVICES;
use crate::conformance;
use crate::webhook::{Reply, Webhook};

/// The patience of waits that fail.
const IMPATIENCE: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60 * 60);

/// Returns the message of a wait for bots that are not idle.
async fn complaint(sandbox: &Sandbox) -> String {
    let sandbox = sandbox.clone();
    let settling = tokio::spawn(async move { sandbox.settles().await });
    settling.await.unwrap_err().into_panic().downcast_ref::<String>().unwrap().clone()
}

#[tokio::test]
async fn a_bot_that_stays_silent_is_idle() {
    for service in SERVICES {
        let sandbox = conformance::checked(unlimited_on(&service)).await;
        let alice = sandbox.user("Alice");
        let running = tokio::spawn(sandbox.bot().run(async |_: Bot, _: Update| Ok::<_, tamtam::Error>(())).run());
        for text in ["Hello?", "Anybody?"] {
            alice.says(text);
            sandbox.settles().await;
        }
        assert_eq!(alice.sees(), ["Hello?", "Anybody?"]);
        running.abort();
    }
}

#[tokio::test]
async fn all_answers_are_sent_when_the_bots_are_idle() {
    let (max, _, alice) = dialog().await;
    let running = tokio::spawn(
        max.bot()
            .run(async |bot: Bot, update: Update| {
                if let (Update::MessageCreated(_), Some(chat)) = (&update, update.chat_id()) {
                    bot.send(chat, "1").await?;
                    bot.send(chat, "2").await?;
                }
                Ok::<_, tamtam::Error>(())
            })
            .run(),
    );
    for round in 1..=5 {
        alice.says("hi");
        max.settles().await;
        assert_eq!(alice.sees().len(), 3 * round);
    }
    running.abort();
}

#[tokio::test]
async fn settles_waits_for_a_running_handler() {
    let max = conformance::checked(unlimited().patience(IMPATIENCE)).await;
    let alice = max.user("Alice");
    let (release, released) = tokio::sync::watch::channel(false);
    let (begins, mut begun) = unbounded_channel();
    let running = tokio::spawn(
        max.bot()
            .run(move |bot: Bot, update: Update| {
                let (mut released, begins) = (released.clone(), begins.clone());
                async move {
                    if let (Update::MessageCreated(_), Some(chat)) = (&update, update.chat_id()) {
                        begins.send("begun").unwrap();
                        released.wait_for(|is_released| *is_released).await.unwrap();
                        bot.send(chat, "done").await?;
                        begins.send("ended").unwrap();
                    }
                    Ok::<_, tamtam::Error>(())
                }
            })
            .run(),
    );
    alice.says("work");
    assert_eq!(begun.recv().await, Some("begun"));
    let told = complaint(&max).await;
    assert!(
        told.contains("the bots were not idle in 1s:\nSandbox Bot: 2 updates are not polled and committed\n"),
        "{told}"
    );
    release.send(true).unwrap();
    assert_eq!(begun.recv().await, Some("ended"));
    max.holds_polls(1).await;
    max.settles().await;
    assert_eq!(alice.sees(), ["work", "done"]);
    running.abort();
}

#[tokio::test]
async fn settles_panics_with_the_numbers_of_unhandled_updates() {
    let max = conformance::checked(unlimited().patience(IMPATIENCE)).await;
    let helper = max.add_bot("Helper", "helper_bot");
    let alice = max.user("Alice");
    max.settles().await;
    alice.says("anybody?");
    alice.with_bot(&helper).starts();
    let told = complaint(&max).await;
    assert!(told.contains("settles.rs:"), "{told}");
    for line in [
        "the bots were not idle in 1s:\n",
        "Sandbox Bot: 2 updates are not polled and committed\n",
        "Helper: 1 updates are not polled and committed\n",
        "The transcript:\n",
        "Alice: anybody?\n",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
}

#[tokio::test]
async fn a_bot_with_a_running_request_is_not_idle() {
    let max = conformance::checked(unlimited().patience(IMPATIENCE)).await;
    let (bot, alice) = (max.bot(), max.user("Alice"));
    alice.starts();
    let marker = bot.api().get_updates().timeout(0).await.unwrap().marker.unwrap();
    bot.api().get_updates().timeout(0).marker(marker).await.unwrap();
    max.settles().await;
    // The message is posted before the delay.
    max.fails("sendMessage", Fault::delay(LONG));
    let chat = alice.chat_id();
    let sending = tokio::spawn(async move { bot.send(chat, "hi").await });
    alice.reads().await;
    let told = complaint(&max).await;
    assert!(told.contains("the bots were not idle in 1s:\nThe transcript:\n"), "{told}");
    sending.abort();
}

#[tokio::test]
async fn a_bot_with_a_held_poll_is_idle() {
    let (max, api, _) = dialog().await;
    let (_, marker) = api.updates().await;
    let held = tokio::spawn(async move { api.get(&format!("/updates?timeout=90&marker={marker}")).await });
    max.holds_polls(1).await;
    max.settles().await;
    held.abort();
}

#[tokio::test]
async fn settles_ignores_update_types_that_a_bot_does_not_request() {
    let (max, api, alice) = dialog().await;
    alice.says("hi");
    api.get("/updates?timeout=0&types=message_callback").await.ok();
    max.settles().await;
    let webhook = Webhook::start().await;
    let body = SubscriptionRequestBody::new(webhook.url()).update_types([UpdateType::MessageCallback]);
    max.bot().api().subscribe(body).await.unwrap();
    alice.says("hi");
    max.settles().await;
    assert_eq!(webhook.bodies(), [""; 0]);
}

#[tokio::test]
async fn settles_waits_for_deliveries_that_a_webhook_has_refused() {
    let max = conformance::checked(unlimited().patience(IMPATIENCE)).await;
    let alice = max.user("Alice");
    let webhook = Webhook::start().await;
    webhook.answers([Reply::Status(500)]);
    let (tell, mut told) = unbounded_channel();
    max.on_delivery(move |delivery| tell.send(delivery.status()).unwrap());
    let body = SubscriptionRequestBody::new(webhook.url()).update_types([UpdateType::MessageCreated]);
    max.bot().api().subscribe(body).await.unwrap();
    alice.says("refused");
    assert_eq!(told.recv().await.unwrap(), Some(500));
    let complaint = complaint(&max).await;
    let line = format!("{}: message_created: attempt 1 failed: status 500\n", webhook.url());
    assert!(complaint.contains(&line), "{complaint}");
    max.time_passes(LONG);
    assert_eq!(told.recv().await.unwrap(), Some(200));
    max.settles().await;
}
