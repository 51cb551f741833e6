//! Answers to deliveries: 200 if the update was handled or skipped, 503 if it must be delivered again.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tamtam::{
    Update,
    updates::{Cause, Failed, RawUpdate, Recovery},
    webhook::Webhook,
};
use tokio::sync::Semaphore;

use super::{Gate, PATH, Seen, Server, bot, started, webhook};

/// The failures that `on_error` received.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    /// Records cause, update and attempts.
    fn note(&self, failed: &Failed) {
        let update = failed.update().map_or("none", Update::tag);
        self.0.lock().unwrap().push(format!("{} ({update}, {})", failed.cause(), failed.attempts()));
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Returns a webhook that records failures and decides `recovery` for each of them.
fn noting(told: &Told, recovery: Recovery) -> Webhook {
    let told = told.clone();
    webhook().on_error(move |failed| {
        told.note(&failed);
        recovery
    })
}

#[tokio::test]
async fn answers_200_only_after_the_handler_has_succeeded() {
    let gate = Gate::closed();
    let theirs = gate.clone();
    let router = webhook().router(move |_, _| {
        let gate = theirs.clone();
        async move { gate.pass().await }
    });
    let server = Server::start(router).await;
    let delivery = server.begin_to_post(started(1));
    gate.is_reached().await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!delivery.is_finished());
    gate.let_through(1);
    assert_eq!(delivery.await.unwrap(), 200);
}

#[tokio::test]
async fn the_handler_gets_the_bot_and_the_update() {
    let seen = Seen::default();
    let theirs = seen.clone();
    let router = webhook().router(move |bot, update| {
        let seen = theirs.clone();
        async move {
            assert_eq!(format!("{bot:?}"), format!("{:?}", super::bot()));
            seen.add(&update);
        }
    });
    let server = Server::start(router).await;
    assert_eq!(server.post(started(-7)).await, 200);
    assert_eq!(seen.all(), ["-7"]);
}

#[tokio::test]
async fn a_failure_is_skipped_without_on_error() {
    let server = Server::start(webhook().router(async |_, _| Err::<(), _>("no luck"))).await;
    assert_eq!(server.post(started(1)).await, 200);
}

#[tokio::test]
async fn a_skipped_failure_is_answered_with_200() {
    let told = Told::default();
    let router = noting(&told, Recovery::Skip).router(async |_, _| Err::<(), _>("no luck"));
    let server = Server::start(router).await;
    assert_eq!(server.post(started(1)).await, 200);
    assert_eq!(told.all(), ["the handler failed: no luck (bot_started, 1)"]);
}

#[tokio::test]
async fn a_failure_to_retry_is_answered_with_503_and_handled_at_the_next_delivery() {
    let told = Told::default();
    let calls = Arc::new(AtomicUsize::new(0));
    let router = noting(&told, Recovery::Retry).router(move |_, _| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        async move { if call < 2 { Err("no luck") } else { Ok(()) } }
    });
    let server = Server::start(router).await;
    for expected in [503, 503, 200] {
        assert_eq!(server.post(started(1)).await, expected);
    }
    // A webhook does not count deliveries.
    assert_eq!(told.all(), ["the handler failed: no luck (bot_started, 1)"; 2]);
}

#[tokio::test]
async fn a_panic_counts_as_a_failure() {
    let told = Told::default();
    let router = noting(&told, Recovery::Retry).router(|_, update| {
        let Update::BotStarted(started) = update else { panic!() };
        assert!(started.chat_id.0 != 1, "before the first await");
        async move {
            tokio::task::yield_now().await;
            assert!(started.chat_id.0 != 2, "after it: {}", started.chat_id);
        }
    });
    let server = Server::start(router).await;
    for (chat, expected) in [(1, 503), (2, 503), (3, 200)] {
        assert_eq!(server.post(started(chat)).await, expected);
    }
    let expected = ["before the first await", "after it: 2"]
        .map(|message| format!("the handler panicked: {message} (bot_started, 1)"));
    assert_eq!(told.all(), expected);
}

#[tokio::test]
async fn a_handler_over_its_timeout_is_dropped_and_reported() {
    let told = Told::default();
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let webhook = noting(&told, Recovery::Retry).handler_timeout(Duration::from_millis(5));
    let router = webhook.router(move |_, _| {
        let held = Arc::clone(&held);
        async move {
            let _held = held;
            std::future::pending::<()>().await;
        }
    });
    let server = Server::start(router).await;
    assert_eq!(server.post(started(1)).await, 503);
    assert_eq!(told.all(), ["the handler took longer than 5ms (bot_started, 1)"]);
    assert_eq!(Arc::strong_count(&alive), 2, "only the test and the closure hold a reference, no handler");
}

#[tokio::test]
async fn a_handler_that_never_waits_is_dropped_at_its_timeout() {
    let told = Told::default();
    let webhook = noting(&told, Recovery::Skip).handler_timeout(Duration::from_millis(5));
    let router = webhook.router(async |_, _| -> () {
        // Always ready. Only tokio's cooperative budget makes it yield.
        let semaphore = Semaphore::new(1);
        loop {
            drop(semaphore.acquire().await);
        }
    });
    let server = Server::start(router).await;
    assert_eq!(server.post(started(1)).await, 200);
    assert_eq!(told.all(), ["the handler took longer than 5ms (bot_started, 1)"]);
}

#[tokio::test]
async fn a_panic_in_on_error_leaves_the_default_answers() {
    let router =
        webhook().on_error(|_| -> Recovery { panic!("no luck either") }).router(async |_, _| Err::<(), _>("no luck"));
    let server = Server::start(router).await;
    assert_eq!(server.post(started(1)).await, 200);
    assert_eq!(server.post("no update").await, 503);
}

#[tokio::test]
async fn on_error_gets_the_bytes_of_a_body_that_is_not_an_update() {
    for (recovery, expected) in [(Recovery::Skip, 200), (Recovery::Retry, 503)] {
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::clone(&bodies);
        let webhook = webhook().on_error(move |failed| {
            assert!(failed.update().is_none());
            let Cause::NotAnUpdate(body) = failed.cause() else { panic!("{failed:?}") };
            theirs.lock().unwrap().push(body.to_vec());
            recovery
        });
        let router = webhook.router(async |_, update: Update| assert_eq!(update.tag(), "there is no update"));
        let server = Server::start(router).await;
        let strange: [&[u8]; 7] =
            [b"", b"<html>", b"null", b"[]", br#"[{"update_type":"bot_started"}]"#, br#"{"update_type":"#, b"\xff\x00"];
        for body in strange {
            assert_eq!(server.post(body).await, expected);
        }
        assert_eq!(*bodies.lock().unwrap(), strange);
    }
}

#[tokio::test]
async fn a_body_that_is_not_an_update_is_answered_with_503_without_on_error() {
    let server = Server::start(webhook().router(async |_, _| {})).await;
    for body in ["<html>", "", "[]", r#"{"update_type":"#] {
        assert_eq!(server.post(body).await, 503, "{body}");
    }
}

#[tokio::test]
async fn nearly_valid_json_is_read_as_an_update() {
    let texts = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&texts);
    let router = webhook().router(move |_, update: Update| {
        theirs.lock().unwrap().push(update.text().map(str::to_owned));
        async {}
    });
    let server = Server::start(router).await;
    let message = |text: &str, more: &str| {
        format!(
            r#"{{"update_type":"message_created","timestamp":1,"message":{{"recipient":{{"chat_id":5,"chat_type":"dialog"}},
                "timestamp":1,"body":{{"mid":"m","seq":1,"text":"{text}"}}}}{more}}}"#
        )
    };
    for (body, text) in [
        (message(r"half \ud83d", ""), "half \u{fffd}"),
        (message("bell \u{7}", ""), "bell \u{7}"),
        (message(r"\x41", ""), r"\x41"),
        (message("hi", r#","score":NaN"#), "hi"),
        (format!("\u{feff}{}", message("hi", "")), "hi"),
    ] {
        assert_eq!(server.post(body).await, 200);
        assert_eq!(texts.lock().unwrap().pop().flatten().as_deref(), Some(text));
    }
}

#[tokio::test]
async fn an_update_of_an_unknown_type_is_handled() {
    let bodies = [
        r#"{"phase":0.10,"update_type":"moon_risen"}"#,
        r#"{"update_type":"bot_started","chat_id":"not a number"}"#,
        r#"{"no":"tag"}"#,
        "{}",
    ];
    let raw = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&raw);
    let router = webhook().router(move |_, update| {
        let Update::Unknown(unknown) = update else { panic!("{update:?}") };
        theirs.lock().unwrap().push(unknown.raw.get().to_owned());
        async {}
    });
    let server = Server::start(router).await;
    for body in bodies {
        assert_eq!(server.post(format!(" {body}\n")).await, 200);
    }
    assert_eq!(*raw.lock().unwrap(), bodies, "the bodies are kept unchanged");
}

#[tokio::test]
async fn a_byte_that_is_not_utf_8_is_replaced_and_the_update_is_handled() {
    let mut body = started(1).replace("\"A\"", "\"A?\"").into_bytes();
    let broken = body.windows(2).position(|pair| pair == b"A?").unwrap() + 1;
    body[broken] = 0xd0;
    let names = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&names);
    let router = webhook().router(move |_, update| {
        let Update::BotStarted(started) = update else { panic!("{update:?}") };
        theirs.lock().unwrap().push(started.user.name);
        async {}
    });
    assert_eq!(Server::start(router).await.post(body).await, 200);
    assert_eq!(*names.lock().unwrap(), ["A\u{fffd}"]);
}

#[tokio::test]
async fn handlers_are_functions_or_closures_with_any_result() {
    async fn plain(_: tamtam::Bot, _: Update) {}
    async fn ours(bot: tamtam::Bot, _: Update) -> tamtam::Result<()> {
        drop(bot);
        Ok(())
    }
    async fn boxed(_: tamtam::Bot, _: Update) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err("no luck".into())
    }
    for router in [webhook().router(plain), webhook().router(ours), webhook().router(boxed)] {
        assert_eq!(Server::start(router).await.post(started(1)).await, 200);
    }
    fn anywhere<T: Clone + Send + Sync + 'static>(_: &T) {}
    anywhere(&Webhook::new(bot(), PATH).unwrap());
}

#[tokio::test]
async fn a_raw_router_passes_on_the_received_json() {
    let jobs = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&jobs);
    let router = webhook().on_error(|_| Recovery::Retry).raw_router(move |_, raw: RawUpdate| {
        theirs.lock().unwrap().push((raw.update.chat_id(), raw.json.get().to_owned()));
        async move { if raw.update.tag() == "moon_risen" { Err("later") } else { Ok(()) } }
    });
    let server = Server::start(router).await;
    let json =
        r#"{ "update_type":"bot_started","timestamp":1,"chat_id":2,"user":{"user_id":3,"name":"A"},"new":[1.0] }"#;
    assert_eq!(server.post(json).await, 200);
    assert_eq!(server.post(r#"{"update_type":"moon_risen"}"#).await, 503);
    assert_eq!(server.post("no update").await, 503);
    let jobs = jobs.lock().unwrap();
    assert_eq!(jobs[0], (Some(2.into()), json.to_owned()));
    assert_eq!((jobs[1].1.as_str(), jobs.len()), (r#"{"update_type":"moon_risen"}"#, 2));
}
