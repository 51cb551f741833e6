//! `bot.run(handler)`: order within a chat, concurrency between chats, and failed handlers.

use std::{
    collections::HashMap,
    error::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tamtam::{
    Bot, Update, UpdateType,
    types::MessageCreatedUpdate,
    updates::{Cause, Failed, Recovery, Run},
};
use tamtam_sandbox::Sandbox;
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::{
    common::bot_at,
    conformance,
    updates::{MOMENT, Pages, page},
};

/// The recorded actions of handlers, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Longer than a test takes. It passes at once if the time is paused.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Returns the chat of an update, for a diary.
fn chat(update: &Update) -> i64 {
    update.chat_id().unwrap().0
}

/// Returns an update in a chat, with a number that distinguishes it from others.
fn numbered(chat: i64, number: i64) -> Value {
    json!({"update_type": "message_removed", "timestamp": number, "message_id": "mid.1", "chat_id": chat, "user_id": 7})
}

fn numbered_page(updates: &[(i64, i64)], marker: i64) -> Value {
    let updates: Vec<Value> = updates.iter().map(|(chat, number)| numbered(*chat, *number)).collect();
    json!({"updates": updates, "marker": marker})
}

/// Runs until `handled` updates are handled or skipped.
pub(crate) async fn until(run: Run, handled: u64) {
    let health = run.health();
    let done = async move {
        while health.handled() + health.skipped() < handled {
            tokio::time::sleep(MOMENT).await;
        }
    };
    run.graceful_shutdown_on(done).await.unwrap();
}

#[tokio::test]
async fn updates_of_a_chat_are_handled_one_at_a_time_and_in_order() {
    let page: Vec<(i64, i64)> = (1..=100).map(|number| (number % 5, number)).collect();
    let (_server, bot, _) = Pages::serve([numbered_page(&page, 10), numbered_page(&[], 10)]).await;
    let (diary, busy) = (Diary::default(), Arc::new(Mutex::new(HashMap::new())));
    let written = diary.clone();
    let run = bot.run(move |_, update| {
        let (diary, busy) = (written.clone(), Arc::clone(&busy));
        async move {
            let chat = chat(&update);
            assert_eq!(busy.lock().unwrap().insert(chat, true), None, "two handlers of chat {chat} run at a time");
            tokio::task::yield_now().await;
            diary.write(format!("{chat} {}", update.timestamp().unwrap()));
            busy.lock().unwrap().remove(&chat);
        }
    });
    until(run, 100).await;
    for chat in 0..5 {
        let of_chat = |line: &String| line.strip_prefix(&format!("{chat} ")).map(|number| number.parse().unwrap());
        let numbers: Vec<i64> = diary.lines().iter().filter_map(of_chat).collect();
        assert_eq!(numbers, (1..=100).filter(|number| number % 5 == chat).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn chats_do_not_wait_for_each_other() {
    let tamtam = conformance::start().await;
    let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    alice.starts();
    bob.starts();
    let bob_was_handled = Arc::new(Notify::new());
    let alices = alice.chat_id();
    let run = tamtam.bot().run(move |bot: Bot, update: Update| {
        let bob_was_handled = Arc::clone(&bob_was_handled);
        async move {
            let chat = update.chat_id().unwrap();
            if chat == alices {
                bob_was_handled.notified().await;
            } else {
                bob_was_handled.notify_one();
            }
            bot.send(chat, "hello").await.map(drop)
        }
    });
    until(run, 2).await;
    assert_eq!((alice.sees(), bob.sees()), (vec!["hello".to_owned()], vec!["hello".to_owned()]));
}

#[tokio::test]
async fn later_updates_in_a_page_reach_a_chat_that_was_already_done() {
    // More updates than are parsed at once. With one thread, the first update of each chat is handled before its second
    // one is parsed.
    let chats: Vec<i64> = (0..200).map(|number| number % 100).collect();
    let (_server, bot, _) = Pages::serve([page(&chats, 10), page(&[], 10)]).await;
    until(bot.run(async |_, _| {}).concurrency(200), 200).await;
}

#[tokio::test]
async fn at_most_concurrency_chats_are_handled_at_a_time() {
    for bound in [1, 3] {
        let chats: Vec<i64> = (0..20).collect();
        let (_server, bot, _) = Pages::serve([page(&chats, 10), page(&[], 10)]).await;
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let seen = Arc::clone(&most);
        let run = bot.run(move |_, _| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
            }
        });
        until(run.concurrency(bound), 20).await;
        assert_eq!(seen.load(Ordering::SeqCst), bound);
    }
}

#[tokio::test]
async fn updates_without_a_chat_keep_the_order_of_their_session_or_user() {
    let constructor = |session: &str, number: i64| {
        json!({"update_type": "message_construction_request", "timestamp": number, "session_id": session,
            "user": {"user_id": number, "name": "A"}, "input": {"input_type": "message", "messages": []}})
    };
    let pressed = |user: i64, number: i64| {
        json!({"update_type": "message_callback", "timestamp": number, "message": null, "callback":
            {"timestamp": number, "callback_id": "c", "payload": "", "user": {"user_id": user, "name": "A"}}})
    };
    let other = |number: i64| json!({"update_type": "weather", "timestamp": number});
    let updates = json!([
        constructor("a", 1),
        pressed(7, 2),
        other(3),
        constructor("b", 4),
        constructor("a", 5),
        pressed(7, 6),
        other(7),
    ]);
    let (_server, bot, _) = Pages::serve([json!({"updates": updates, "marker": 10}), page(&[], 10)]).await;
    let diary = Diary::default();
    let (written, gates) = (diary.clone(), Arc::new(Semaphore::new(0)));
    let opened = Arc::clone(&gates);
    let run = bot.run(move |_, update| {
        let (diary, gates) = (written.clone(), Arc::clone(&gates));
        async move {
            diary.write(format!("begin {}", update.timestamp().unwrap()));
            gates.acquire().await.unwrap().forget();
            diary.write("end");
        }
    });
    let first = async {
        while diary.lines().len() < 4 {
            tokio::time::sleep(MOMENT).await;
        }
        let mut lines = diary.lines();
        lines.sort();
        assert_eq!(lines, ["begin 1", "begin 2", "begin 3", "begin 4"], "only the first update of each may begin");
        opened.add_permits(7);
    };
    tokio::join!(until(run, 7), first);
}

#[tokio::test]
async fn the_next_page_is_requested_after_the_current_one_is_handled() {
    let (_server, bot, pages) = Pages::serve([page(&[1, 2, 3], 10), page(&[4], 11), page(&[], 11)]).await;
    let polls = Arc::new(Mutex::new(Vec::new()));
    let (seen, asked) = (Arc::clone(&polls), pages.clone());
    let run = bot.run(move |_, update| {
        let (polls, pages) = (Arc::clone(&seen), asked.clone());
        async move {
            tokio::time::sleep(MOMENT).await;
            polls.lock().unwrap().push((chat(&update) > 3, pages.polls()));
        }
    });
    until(run, 4).await;
    assert_eq!(*polls.lock().unwrap(), [(false, 1), (false, 1), (false, 1), (true, 2)]);
    assert_eq!(pages.markers()[..2], [None, Some("10".to_owned())]);
}

/// Runs a handler over three chats. It fails once for the second chat. Returns the failure that `on_error` received.
async fn failing_in_the_second<F>(fail: impl Fn() -> F + Send + Sync + 'static) -> String
where
    F: Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    let (_server, bot, _) = Pages::serve([page(&[1, 2, 3], 10), page(&[2], 11), page(&[], 11)]).await;
    let (told, fail) = (Diary::default(), Arc::new(fail));
    let written = told.clone();
    let failed = AtomicUsize::new(0);
    let run = bot
        .run(move |_, update| {
            let fails = chat(&update) == 2 && failed.fetch_add(1, Ordering::SeqCst) == 0;
            // `fail` runs outside of the future, where a handler can panic, too.
            let failure = fails.then(|| fail());
            async move { if let Some(failure) = failure { failure.await } else { Ok(()) } }
        })
        .handler_timeout(Duration::from_millis(50))
        .on_error(move |failed: Failed| {
            let update = failed.update().unwrap();
            written.write(format!("{} in {}, attempt {}", failed.cause(), chat(update), failed.attempts()));
            Recovery::Skip
        });
    let health = run.health();
    until(run, 4).await;
    assert_eq!((health.handled(), health.skipped()), (3, 1), "only one update is skipped");
    let [told] = &told.lines()[..] else { panic!("`on_error` was not called once: {:?}", told.lines()) };
    told.clone()
}

#[tokio::test]
async fn a_failed_handler_affects_only_its_update() {
    let told = failing_in_the_second(|| async { Err("no luck".into()) }).await;
    assert_eq!(told, "the handler failed: no luck in 2, attempt 1");
}

#[tokio::test]
async fn a_panic_in_a_handler_affects_only_its_update() {
    let told = failing_in_the_second(|| async { panic!("oh {}", "no") }).await;
    assert_eq!(told, "the handler panicked: oh no in 2, attempt 1");
    fn before_its_future() -> std::future::Pending<Result<(), Box<dyn Error + Send + Sync>>> {
        panic!("at once")
    }
    let told = failing_in_the_second(before_its_future).await;
    assert_eq!(told, "the handler panicked: at once in 2, attempt 1");
}

#[tokio::test]
async fn a_panic_while_dropping_a_handler_affects_only_its_update() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("boom");
            }
        }
    }
    let told = failing_in_the_second(|| {
        let bomb = Bomb;
        async move {
            // Held until the handler is dropped at its timeout.
            let _bomb = bomb;
            std::future::pending().await
        }
    })
    .await;
    assert_eq!(told, "the handler took longer than 50ms in 2, attempt 1");
}

#[tokio::test]
async fn a_handler_that_hangs_is_dropped_at_its_timeout() {
    let told = failing_in_the_second(std::future::pending).await;
    assert_eq!(told, "the handler took longer than 50ms in 2, attempt 1");
}

#[tokio::test]
async fn a_failed_update_is_retried_as_on_error_decides_while_its_chat_waits() {
    let first = numbered_page(&[(1, 1), (1, 2), (2, 3)], 10);
    let (_server, bot, pages) = Pages::serve([first, numbered_page(&[(1, 4)], 11), page(&[], 11)]).await;
    let diary = Diary::default();
    let (written, attempts) = (diary.clone(), Arc::new(AtomicUsize::new(0)));
    let run = bot.updates().backoff(MOMENT, MOMENT).run(move |_, update| {
        let (diary, attempts) = (written.clone(), Arc::clone(&attempts));
        async move {
            diary.write(update.timestamp().unwrap().to_string());
            if update.timestamp() == Some(1) && attempts.fetch_add(1, Ordering::SeqCst) < 4 {
                return Err("not yet");
            }
            Ok(())
        }
    });
    let told = Diary::default();
    let tells = told.clone();
    let run = run.on_error(move |failed| {
        tells.write(failed.attempts().to_string());
        Recovery::Retry
    });
    until(run, 4).await;
    let of_first_chat: Vec<String> = diary.lines().into_iter().filter(|line| line != "3").collect();
    assert_eq!(of_first_chat, ["1", "1", "1", "1", "1", "2", "4"]);
    assert_eq!(told.lines(), ["1", "2", "3", "4"]);
    assert_eq!(pages.markers()[1], Some("10".to_owned()));
}

#[tokio::test]
async fn a_panic_in_an_error_affects_only_its_update() {
    #[derive(Debug)]
    struct Bomb;
    impl std::fmt::Display for Bomb {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("boom")
        }
    }
    impl Error for Bomb {}
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("boom")
        }
    }
    let (_server, bot, _) = Pages::serve([page(&[1, 2, 3], 10), page(&[], 10)]).await;
    let run = bot.run(|_, update| async move {
        match chat(&update) {
            1 => Err(Bomb),
            2 => std::panic::panic_any(Payload),
            _ => Ok(()),
        }
    });
    let health = run.health();
    until(run, 3).await;
    assert_eq!((health.handled(), health.skipped()), (1, 2));
}

#[tokio::test]
async fn unknown_updates_keep_the_order_of_their_chat() {
    let strange = |number: i64, text: &str| {
        format!(r#"{{"update_type":"weather","timestamp":{number},"chat_id":5,"text":{text}}}"#)
    };
    let known = numbered(5, 1);
    let session = r#"{"update_type":"weather","timestamp":4,"chat_id":5,"session_id":"s"}"#;
    let body = format!(
        r#"{{"updates":[{known},{},{},{session}],"marker":10}}"#,
        strange(2, "\"\\ud83d\""),
        strange(3, "1e999")
    );
    let (_server, bot, _) = Pages::serve([body, page(&[], 10).to_string()]).await;
    let (diary, busy) = (Diary::default(), Arc::new(AtomicUsize::new(0)));
    let written = diary.clone();
    let run = bot.run(move |_, update| {
        let (diary, busy) = (written.clone(), Arc::clone(&busy));
        async move {
            assert_eq!(busy.fetch_add(1, Ordering::SeqCst), 0, "two handlers run at a time");
            tokio::task::yield_now().await;
            diary.write(update.timestamp().unwrap().to_string());
            busy.fetch_sub(1, Ordering::SeqCst);
        }
    });
    until(run, 4).await;
    assert_eq!(diary.lines(), ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn a_shutdown_set_on_the_updates_applies_to_the_run() {
    let tamtam = conformance::start().await;
    tamtam.bot().updates().graceful_shutdown_on(std::future::ready(())).run(async |_, _| {}).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_are_dropped_when_a_run_ends_at_its_deadline() {
    let tamtam = conformance::start().await;
    tamtam.user("Alice").starts();
    let (held, (began, begun)) = (Arc::new(()), oneshot::channel::<()>());
    let once = Arc::new(Mutex::new(Some((began, Arc::clone(&held)))));
    let run = tamtam.bot().run(move |_, _| {
        let held = once.lock().unwrap().take();
        async move {
            let Some((began, _held)) = held else { return };
            drop(began);
            std::future::pending().await
        }
    });
    run.graceful_shutdown_on(begun).shutdown_deadline(MOMENT).await.unwrap();
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn the_end_of_the_runtime_does_not_commit_the_page() {
    // The server runs in another runtime than the bot.
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (_server, bot, pages) = servers.block_on(Pages::serve([page(&[1, 2, 3], 10), page(&[], 11)]));
    let bots = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (began, begun) = std::sync::mpsc::channel();
    bots.spawn(
        bot.run(move |_, _| {
            let _ = began.send(());
            std::future::pending::<()>()
        })
        .run(),
    );
    begun.recv().unwrap();
    bots.shutdown_timeout(Duration::from_secs(5));
    assert_eq!(pages.markers(), [None], "the page must not be committed");
}

#[tokio::test]
async fn a_panic_in_on_error_skips_the_update() {
    let (_server, bot, _) = Pages::serve([page(&[1, 2], 10), page(&[], 10)]).await;
    let run = bot.run(|_, _| async { Err::<(), _>("no luck") }).on_error(|_| -> Recovery { panic!("worse luck") });
    let health = run.health();
    until(run, 2).await;
    assert_eq!(health.skipped(), 2);
}

#[tokio::test]
async fn an_async_on_error_that_exceeds_the_time_limit_skips_the_update() {
    let (_server, bot, _) = Pages::serve([page(&[1, 2], 10), page(&[], 10)]).await;
    let run = bot.run(|_, _| async { Err::<(), _>("no luck") });
    let run = run.handler_timeout(MOMENT).on_error(async |_| {
        std::future::pending::<()>().await;
        Recovery::Retry
    });
    let health = run.health();
    until(run, 2).await;
    assert_eq!(health.skipped(), 2);
}

#[tokio::test]
async fn an_async_on_error_decides_after_its_calls() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let attempts = Arc::new(AtomicUsize::new(0));
    let run = bot.updates().backoff(MOMENT, MOMENT).run_with(attempts.clone(), async |_, _, attempts| {
        if attempts.fetch_add(1, Ordering::Relaxed) == 0 { Err("no luck") } else { Ok(()) }
    });
    let run = run.on_error(async |failed: Failed| {
        let chat = failed.update().unwrap().chat_id().unwrap();
        failed.bot().send(chat, "One moment").await.unwrap();
        // A clone that outlives the decision does not lose the update.
        tokio::spawn(std::future::ready(failed.clone()));
        Recovery::Retry
    });
    until(run, 1).await;
    assert_eq!((attempts.load(Ordering::Relaxed), alice.sees()), (2, vec!["One moment".to_owned()]));
}

#[tokio::test]
async fn unknown_updates_are_handled() {
    let body = json!({"updates": [{"update_type": "weather"}, 5], "marker": 10});
    let (_server, bot, _) = Pages::serve([body, page(&[], 10)]).await;
    let diary = Diary::default();
    let written = diary.clone();
    let run = bot.run(move |_, update| {
        written.write(format!("`{}`", update.tag()));
        async {}
    });
    until(run, 2).await;
    assert_eq!(diary.lines(), ["`weather`", "``"]);
}

#[tokio::test]
async fn shutdown_waits_for_the_handlers_and_commits_their_page() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    alice.says("hi");
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Arc::new(Mutex::new(Some(stop)));
    let run = tamtam.bot().run(move |bot: Bot, update: Update| {
        let stop = stop.lock().unwrap().take();
        async move {
            // The shutdown begins while the first update is being handled. The second one is not yet handled.
            drop(stop);
            tokio::time::sleep(MOMENT).await;
            bot.send(update.chat_id().unwrap(), update.tag()).await.map(drop)
        }
    });
    run.graceful_shutdown_on(stopped).await.unwrap();
    assert_eq!(alice.sees(), ["hi", "bot_started", "message_created"]);
    assert!(waiting(&tamtam.bot()).await.is_empty(), "the page is committed");
}

/// Returns the updates that the server still has for the bot.
async fn waiting(bot: &Bot) -> Vec<Update> {
    bot.api().get_updates().timeout(0).await.unwrap().updates
}

#[tokio::test]
async fn a_handler_running_at_the_deadline_is_dropped_and_its_page_is_redelivered() {
    let tamtam = conformance::start().await;
    tamtam.user("Alice").says("hi");
    let (began, begun) = oneshot::channel::<()>();
    let began = Arc::new(Mutex::new(Some(began)));
    let run = tamtam.bot().run(move |_, _| {
        drop(began.lock().unwrap().take());
        std::future::pending::<()>()
    });
    run.graceful_shutdown_on(begun).shutdown_deadline(MOMENT).await.unwrap();
    assert_eq!(waiting(&tamtam.bot()).await.len(), 2);
}

#[tokio::test]
async fn dropping_a_run_drops_its_handlers_and_commits_nothing() {
    struct Dropped(Option<oneshot::Sender<()>>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.take().unwrap().send(());
        }
    }
    let tamtam = conformance::start().await;
    tamtam.user("Alice").starts();
    let (began, begun) = oneshot::channel::<()>();
    let (dropped, was_dropped) = oneshot::channel::<()>();
    let once = Arc::new(Mutex::new(Some((began, Dropped(Some(dropped))))));
    let run = tamtam.bot().run(move |_, _| {
        let once = once.lock().unwrap().take();
        async move {
            let Some((began, _dropped)) = once else { return };
            began.send(()).unwrap();
            std::future::pending().await
        }
    });
    tokio::select! {
        _ = run.run() => panic!("the run ended by itself"),
        _ = begun => {}
    }
    was_dropped.await.unwrap();
    assert_eq!(waiting(&tamtam.bot()).await.len(), 1);
}

#[tokio::test]
async fn a_run_ends_with_a_permanent_error() {
    let tamtam = conformance::start().await;
    let bot = bot_at(tamtam.base_url()).build().unwrap();
    let error = bot.run(async |_, _| {}).await.unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
}

#[tokio::test]
async fn an_echo_bot_survives_its_server_being_killed_and_restarted() {
    async fn echo(bot: Bot, update: Update) -> tamtam::Result<()> {
        if let Update::MessageCreated(MessageCreatedUpdate { message: Some(message), .. }) = update {
            bot.reply(&message, message.text().unwrap_or("(no text)")).await?;
        }
        Ok(())
    }
    let mut tamtam = Sandbox::start().await;
    let port = tamtam.base_url().rsplit(':').next().unwrap().parse().unwrap();
    let bot = tamtam.bot();
    let (stop, stopped) = oneshot::channel::<()>();
    let run = bot.updates().backoff(MOMENT, MOMENT).run(echo).graceful_shutdown_on(stopped);
    let running = tokio::spawn(run.run());
    for text in ["one", "two", "three"] {
        let alice = tamtam.user("Alice");
        alice.says(text);
        assert_eq!(alice.reads().await.text(), text);
        drop((alice, tamtam));
        tamtam = Sandbox::builder().port(port).start().await;
    }
    drop(stop);
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn health_reports_the_state_of_the_bot() {
    let tamtam = conformance::start().await;
    let run = tamtam.bot().updates().types([UpdateType::BotStarted]).run(async |_, _| {
        std::future::pending::<()>().await;
    });
    let run = run.handler_timeout(Duration::from_millis(50));
    let health = run.health();
    assert!(health.last_poll().is_none() && health.lag().is_none());
    assert_eq!((health.in_flight(), health.handled(), health.skipped()), (0, 0, 0));
    let watched = health.clone();
    let watch = async move {
        while watched.in_flight() == 0 {
            tokio::time::sleep(MOMENT).await;
        }
        assert!(watched.last_poll().is_some() && watched.lag().is_some());
        assert!(format!("{watched:?}").contains("in_flight: 1"));
    };
    tamtam.user("Alice").starts();
    tokio::join!(until(run, 1), watch);
    assert_eq!((health.in_flight(), health.handled(), health.skipped()), (0, 0, 1));
}

#[tokio::test]
async fn the_lag_grows_while_an_update_is_in_its_handler_or_waits_for_a_retry() {
    let (_server, bot, _) = Pages::serve([page(&[1], 10)]).await;
    let (began, begun) = oneshot::channel::<()>();
    let began = Arc::new(Mutex::new(Some(began)));
    let run = bot.updates().backoff(HOUR, HOUR).run(move |_, _| {
        drop(began.lock().unwrap().take());
        std::future::pending::<()>()
    });
    let run = run.handler_timeout(HOUR).on_error(|_| Recovery::Retry);
    let health = run.health();
    let watch = async move {
        begun.await.unwrap_err();
        // From here on, time passes only by sleeping.
        tokio::time::pause();
        let at_first = health.lag().unwrap();
        tokio::time::sleep(HOUR / 2).await;
        assert_eq!(health.in_flight(), 1);
        assert!(health.lag().unwrap() >= at_first + HOUR / 2);
        // The handler reaches its timeout, and the update then waits for the retry.
        while health.in_flight() == 1 {
            tokio::time::sleep(HOUR / 10).await;
        }
        assert!(health.lag().unwrap() >= at_first + HOUR);
    };
    tokio::select! {
        result = run.run() => panic!("{result:?}"),
        () = watch => {}
    }
}

#[tokio::test]
async fn the_lag_of_a_stream_grows_until_the_next_update_is_requested() {
    let (_server, bot, _) = Pages::serve([page(&[1, 2], 10)]).await;
    let mut updates = bot.updates();
    let health = updates.health();
    updates.next().await.unwrap().unwrap();
    tokio::time::pause();
    let at_first = health.lag().unwrap();
    tokio::time::advance(HOUR).await;
    assert!(health.lag().unwrap() >= at_first + HOUR);
    updates.next().await.unwrap().unwrap();
    let second = health.lag().unwrap();
    tokio::time::advance(HOUR).await;
    assert!(health.lag().unwrap() >= second + HOUR);
    drop(updates);
    assert!(health.lag().unwrap() < second + HOUR, "the lag starts again after the stream is dropped");
}

#[tokio::test]
async fn handlers_return_unit_or_any_error() {
    fn takes(_: Run) {}
    let bot = bot_at("http://127.0.0.1:1").build().unwrap();
    takes(bot.run(async |_, _| {}));
    takes(bot.run(async |bot: Bot, _| bot.me().await.map(drop)));
    takes(bot.run(async |_, _| Err::<(), std::io::Error>(std::io::ErrorKind::Other.into())));
    takes(bot.run(async |_, _| Err::<(), Box<dyn Error + Send + Sync>>("words".into())));
    let failed =
        |failed: Failed| if matches!(failed.cause(), Cause::Panic(_)) { Recovery::Skip } else { Recovery::Retry };
    takes(bot.run(async |_, _| Err::<(), String>("words".to_owned())).on_error(failed));
}
