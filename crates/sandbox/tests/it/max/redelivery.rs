//! Redeliveries to webhooks: their pauses, their number, and the end of a failing webhook, on the sandbox's clock.

use std::time::Duration;

use serde_json::{Value, json};
use tamtam_sandbox::{Account, Person, Sandbox, SandboxBuilder};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::unlimited;
use crate::client::Api;
use crate::conformance::{self, Checked};
use crate::webhook::{Reply, Webhook};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const EIGHT_HOURS: Duration = Duration::from_secs(8 * 60 * 60);
/// Retries of an update.
const RETRIES: usize = 10;
/// The patience of the sandbox. It is short, because tests wait for deliveries that fail.
const IMPATIENCE: Duration = Duration::from_millis(50);

/// An attempt: the type of the update, the number of the attempt, and the status.
type Attempt = (String, u32, Option<u16>);

/// A webhook that fails on demand, and the webhook of another bot, which takes all updates.
struct Scene {
    max: Checked,
    api: Api,
    alice: Person,
    webhook: Webhook,
    attempts: UnboundedReceiver<Attempt>,
    watch: Watch,
}

/// A bot whose webhook takes all updates. When it gets an update, everything that was due before has been sent.
struct Watch {
    account: Account,
    webhook: Webhook,
}

impl Scene {
    async fn start(builder: SandboxBuilder, types: Value) -> Self {
        let max = conformance::checked(builder).await;
        let (api, alice) = (Api::of(&max), max.user("Alice"));
        let (webhook, watching) = (Webhook::start().await, Webhook::start().await);
        let account = max.add_bot("Watch", "watch_bot");
        for (api, url, types) in
            [(&api, webhook.url(), types), (&api.of_bot(&account), watching.url(), json!(["message_created"]))]
        {
            api.call("POST", "/subscriptions", json!({ "url": url, "update_types": types })).await.ok();
        }
        let (tell, attempts) = unbounded_channel();
        let own = webhook.url();
        max.on_delivery(move |delivery| {
            if delivery.url() == own {
                let update: Value = serde_json::from_str(delivery.update()).unwrap();
                let kind = update["update_type"].as_str().unwrap().to_owned();
                tell.send((kind, delivery.attempt(), delivery.status())).unwrap();
            }
        });
        Self { max, api, alice, webhook, attempts, watch: Watch { account, webhook: watching } }
    }

    /// Waits for the next attempt to deliver to the failing webhook.
    async fn attempt(&mut self) -> Attempt {
        self.attempts.recv().await.unwrap()
    }

    /// Waits until everything that is due has been sent. Returns the undelivered updates.
    async fn undelivered(&self) -> String {
        let (sent, mut arrived) = unbounded_channel();
        self.watch.webhook.on_update(move |_| {
            let sent = sent.clone();
            async move { sent.send(()).unwrap() }
        });
        self.alice.with_bot(&self.watch.account).says("now");
        arrived.recv().await.unwrap();
        let sandbox = Sandbox::clone(&self.max);
        let waiting = tokio::spawn(async move { sandbox.delivers().await });
        match waiting.await {
            Ok(()) => String::new(),
            Err(panic) => panic.into_panic().downcast_ref::<String>().unwrap().clone(),
        }
    }

    async fn is_subscribed(&self) -> bool {
        self.api.get("/subscriptions").await.ok()["subscriptions"] != json!([])
    }
}

/// Returns the pause after an attempt. `first`: the first pause.
fn pause(first: Duration, attempt: usize) -> Duration {
    first.mul_f64(2.5_f64.powi(i32::try_from(attempt).unwrap() - 1))
}

#[tokio::test]
async fn an_update_is_redelivered_after_a_minute_and_then_after_growing_pauses() {
    let mut scene = Scene::start(unlimited().patience(IMPATIENCE), json!(["bot_started"])).await;
    scene.webhook.answers([Reply::Status(500); 4]);
    scene.alice.starts();
    for (attempt, seconds) in (1..).zip([60, 150, 375, 937]) {
        assert_eq!(scene.attempt().await, ("bot_started".to_owned(), attempt, Some(500)));
        let pause = Duration::from_secs(seconds);
        scene.max.time_passes(pause - 10 * SECOND);
        let told = scene.undelivered().await;
        let line = format!("bot_started: attempt {attempt} failed: status 500\n");
        assert!(told.contains(&line), "no redelivery before {pause:?}: {told}");
        scene.max.time_passes(11 * SECOND);
    }
    assert_eq!(scene.attempt().await, ("bot_started".to_owned(), 5, Some(200)));
    let bodies = scene.webhook.bodies();
    assert!(bodies.len() == 5 && bodies.windows(2).all(|pair| pair[0] == pair[1]), "all attempts have the same body");
}

#[tokio::test]
async fn the_first_pause_can_be_set_and_the_others_grow_from_it() {
    let first = Duration::from_secs(10 * 60);
    let mut scene = Scene::start(unlimited().redelivery(first).patience(IMPATIENCE), json!(["bot_started"])).await;
    scene.webhook.answers([Reply::Status(500); 2]);
    scene.alice.starts();
    for attempt in 1..=2 {
        assert_eq!(scene.attempt().await.1, attempt);
        scene.max.time_passes(pause(first, attempt as usize) - MINUTE);
        assert!(scene.undelivered().await.contains(&format!("attempt {attempt} failed")));
        scene.max.time_passes(2 * MINUTE);
    }
    assert_eq!(scene.attempt().await, ("bot_started".to_owned(), 3, Some(200)));
}

#[tokio::test]
async fn an_update_is_dropped_after_ten_retries() {
    // All retries are within the 8 h after which the webhook would be unsubscribed.
    let mut scene = Scene::start(unlimited().redelivery(SECOND), json!(["bot_started"])).await;
    scene.webhook.answers([Reply::Status(503); RETRIES + 1]);
    scene.alice.starts();
    for attempt in 1..=RETRIES + 1 {
        assert_eq!(scene.attempt().await.1 as usize, attempt);
        scene.max.time_passes(pause(SECOND, attempt) + SECOND);
    }
    assert_eq!(scene.undelivered().await, "");
    assert_eq!(scene.webhook.bodies().len(), RETRIES + 1);
    assert!(scene.is_subscribed().await);
    scene.api.delete(&format!("/subscriptions?url={}", scene.webhook.url())).await.ok();
    assert_eq!(scene.api.kinds().await, [""; 0], "the update must not be polled either");
}

#[tokio::test]
async fn a_webhook_that_fails_for_eight_hours_is_removed_and_its_updates_can_be_polled() {
    let mut scene = Scene::start(unlimited(), json!([])).await;
    scene.webhook.answers([Reply::Status(500); 100]);
    let news = scene.max.channel("News", [&scene.alice]).with_comments();
    let post = scene.api.say(news.chat_id().0, "post").await;
    scene.alice.in_chat(&news).comments(post.as_str(), "by webhook only");
    scene.alice.says("hi");
    for kind in ["bot_added", "comment_created", "bot_started", "message_created"] {
        assert_eq!(scene.attempt().await, (kind.to_owned(), 1, Some(500)));
    }
    scene.max.time_passes(EIGHT_HOURS - MINUTE);
    for _ in 0..4 {
        assert_eq!(scene.attempt().await.2, Some(500));
    }
    assert!(scene.is_subscribed().await);
    scene.max.time_passes(MINUTE);
    assert!(!scene.is_subscribed().await);
    assert_eq!(scene.api.kinds().await, ["bot_added", "bot_started", "message_created"]);
}

#[tokio::test]
async fn a_successful_delivery_restarts_the_eight_hours() {
    let mut scene = Scene::start(unlimited(), json!([])).await;
    scene.webhook.answers([Reply::Status(500)]);
    scene.alice.starts();
    assert_eq!(scene.attempt().await.1, 1);
    scene.webhook.answers([Reply::Status(500), Reply::Status(200)]);
    scene.max.time_passes(EIGHT_HOURS - HOUR);
    assert_eq!(scene.attempt().await, ("bot_started".to_owned(), 2, Some(500)));
    scene.alice.says("taken");
    assert_eq!(scene.attempt().await, ("message_created".to_owned(), 1, Some(200)));
    scene.webhook.answers([Reply::Status(500); 2]);
    scene.max.time_passes(2 * HOUR);
    assert_eq!(scene.attempt().await, ("bot_started".to_owned(), 3, Some(500)));
    assert!(scene.is_subscribed().await, "the 8 h begin with the first failure after the success");
    scene.max.time_passes(EIGHT_HOURS - MINUTE);
    assert_eq!(scene.attempt().await, ("bot_started".to_owned(), 4, Some(500)));
    assert!(scene.is_subscribed().await);
    scene.max.time_passes(MINUTE);
    assert!(!scene.is_subscribed().await);
}

#[tokio::test]
async fn every_status_except_200_is_a_failure() {
    let mut scene = Scene::start(unlimited().redelivery(SECOND), json!(["bot_started"])).await;
    let statuses = [201, 204, 302, 404, 500];
    scene.webhook.answers(statuses.map(Reply::Status));
    scene.alice.starts();
    for (attempt, status) in (1..).zip(statuses) {
        assert_eq!(scene.attempt().await, ("bot_started".to_owned(), attempt, Some(status)));
        scene.max.time_passes(pause(SECOND, attempt as usize) + SECOND);
    }
    assert_eq!(scene.attempt().await, ("bot_started".to_owned(), 6, Some(200)));
}
