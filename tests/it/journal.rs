//! The journal: no update is lost when a bot stops, and a slow chat does not delay other chats.

mod failures;
mod file;
mod webhooks;

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tamtam::{
    Bot, ErrorKind, Update,
    updates::{Health, Journal, Run, StartFrom},
};
use tokio::sync::{Semaphore, oneshot};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

use crate::updates::{MOMENT, Pages, page, started};

/// A directory that is removed at the end of its test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("tamtam-journal-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> PathBuf {
        self.0.join("bot.journal")
    }

    fn open(&self) -> Journal {
        Journal::open(self.path()).unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Starts a server with these pages for the bot with the id 1.
async fn serve(bodies: impl IntoIterator<Item = impl ToString>) -> (MockServer, Bot, Pages) {
    let (server, bot, pages) = Pages::serve(bodies).await;
    is_bot(&server, 1).await;
    (server, bot, pages)
}

/// Makes a server return this id of the bot.
async fn is_bot(server: &MockServer, id: i64) {
    let me = ResponseTemplate::new(200).set_body_json(json!({"user_id": id, "name": "Bot"}));
    Mock::given(path("/me")).respond_with(me).mount(server).await;
}

fn chat(update: &Update) -> i64 {
    update.chat_id().unwrap().0
}

/// The chats of the handled updates, in order.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<i64>>>);

impl Diary {
    fn write(&self, update: &Update) {
        self.0.lock().unwrap().push(chat(update));
    }

    fn chats(&self) -> Vec<i64> {
        self.0.lock().unwrap().clone()
    }
}

/// Returns a handler that only records the chats.
fn writing(diary: &Diary) -> impl Fn(Bot, Update) -> std::future::Ready<()> + Send + Sync + 'static + use<> {
    let diary = diary.clone();
    move |_, update| {
        diary.write(&update);
        std::future::ready(())
    }
}

/// Returns an update in a chat, with a number as its timestamp.
fn numbered(chat: i64, number: i64) -> Value {
    let mut update = started(chat);
    update["timestamp"] = number.into();
    update
}

/// Waits until a condition is met, for at most 30 s.
async fn wait_until(holds: impl Fn() -> bool) {
    let patience = async {
        while !holds() {
            tokio::time::sleep(MOMENT).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), patience).await.expect("the condition was not met within 30 s");
}

/// Runs a bot until a condition is met, and then drops it, like a kill.
async fn kill_when(run: Run, holds: impl Fn(&Health) -> bool) {
    let health = run.health();
    tokio::select! {
        result = run.run() => panic!("the run ended by itself: {result:?}"),
        () = wait_until(|| holds(&health)) => {}
    }
    // The journal stays open until the runtime has dropped the handlers.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// Runs a bot until `settled` updates are settled, and shuts it down gracefully.
async fn until(run: Run, settled: u64) {
    let health = run.health();
    let done = async move { wait_until(|| health.handled() + health.skipped() >= settled).await };
    run.graceful_shutdown_on(done).await.unwrap();
}

fn depth(health: &Health) -> usize {
    health.journal().unwrap().depth
}

#[tokio::test]
async fn stored_updates_are_handled_after_a_restart_before_new_ones() {
    let directory = Directory::new();
    let (_server, bot, pages) = serve([page(&[1, 2, 3], 10), page(&[], 10), page(&[4], 11), page(&[], 11)]).await;
    let diary = Diary::default();
    let run = bot.updates().journal(directory.open()).run(async |_, _| std::future::pending::<()>().await);
    kill_when(run, |_| pages.polls() > 1).await;
    assert_eq!(pages.markers()[..2], [None, Some("10".to_owned())], "the page is committed after it is stored");

    let run = bot.updates().journal(directory.open()).run(writing(&diary));
    until(run.concurrency(1), 4).await;
    assert_eq!(diary.chats(), [1, 2, 3, 4]);
    assert_eq!(directory.open().health().depth, 0);
}

#[tokio::test]
async fn polling_continues_from_the_stored_marker() {
    let directory = Directory::new();
    let (_server, bot, pages) = serve([page(&[1], 10), page(&[], 12), page(&[], 12)]).await;
    let run = bot.updates().journal(directory.open()).run(async |_, _| {});
    kill_when(run, |health| pages.polls() > 2 && health.handled() == 1).await;
    let polls = pages.polls();
    kill_when(bot.updates().journal(directory.open()).run(async |_, _| {}), |_| pages.polls() > polls).await;
    assert_eq!(pages.markers()[polls], Some("12".to_owned()), "{:?}", pages.markers());
}

#[tokio::test]
async fn skip_pending_skips_updates_on_the_server_but_not_stored_ones() {
    let directory = Directory::new();
    let (_server, bot, pages) = serve([page(&[1], 10), page(&[], 10)]).await;
    let run = bot.updates().journal(directory.open()).run(async |_, _| std::future::pending::<()>().await);
    kill_when(run, |_| pages.polls() > 1).await;
    let updates = bot.updates().start_from(StartFrom::Latest);
    until(updates.journal(directory.open()).run(async |_, _| {}), 1).await;
}

#[tokio::test]
async fn a_slow_chat_does_not_delay_other_chats() {
    let directory = Directory::new();
    let slow: Vec<_> = (1..=100).map(|number| numbered(1, number)).collect();
    let slow = json!({"updates": slow, "marker": 10});
    let (_server, bot, _) = serve([slow, page(&[2], 11), page(&[], 11)]).await;
    let diary = Diary::default();
    let written = diary.clone();
    let run = bot.updates().journal(directory.open()).run(move |_, update| {
        let diary = written.clone();
        async move {
            if chat(&update) == 1 {
                std::future::pending::<()>().await;
            }
            diary.write(&update);
        }
    });
    kill_when(run, |health| diary.chats() == [2] && depth(health) == 100).await;
}

#[tokio::test]
async fn an_update_received_twice_is_handled_once() {
    let directory = Directory::new();
    let bodies = [page(&[1, 2], 10), page(&[2, 1, 3], 11), page(&[], 11), page(&[3, 4, 4], 12), page(&[], 12)];
    let (_server, bot, pages) = serve(bodies).await;
    let diary = Diary::default();
    let run = bot.updates().journal(directory.open()).run(writing(&diary));
    kill_when(run.concurrency(1), |_| pages.polls() > 2 && diary.chats() == [1, 2, 3]).await;
    let run = bot.updates().journal(directory.open()).run(writing(&diary));
    kill_when(run.concurrency(1), |health| pages.polls() > 5 && depth(health) == 0).await;
    assert_eq!(diary.chats(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn an_unreadable_update_received_twice_is_handled_once() {
    let directory = Directory::new();
    let malformed = |number: i64| json!({"update_type": "bot_started", "timestamp": "soon", "chat_id": 1, "n": number});
    let first = json!({"updates": [malformed(1), malformed(2)], "marker": 10});
    let again = json!({"updates": [malformed(2), malformed(1), malformed(3)], "marker": 11});
    let (_server, bot, pages) = serve([first, again, page(&[], 11)]).await;
    let run = bot.updates().journal(directory.open()).run(async |_, _| {});
    let health = run.health();
    // An update leaves the journal before it is counted.
    kill_when(run, |health| pages.polls() > 2 && depth(health) == 0 && health.handled() >= 3).await;
    assert_eq!(health.handled(), 3);
}

#[tokio::test]
async fn polling_pauses_while_the_journal_is_full() {
    let directory = Directory::new();
    let (_server, bot, pages) = serve([page(&[1, 2], 10), page(&[3], 11), page(&[], 11)]).await;
    let gate = Arc::new(Semaphore::new(0));
    let closed = Arc::clone(&gate);
    let journal = Journal::builder(directory.path()).capacity(2).open().unwrap();
    let run = bot.updates().journal(journal).run(move |_, _| {
        let gate = Arc::clone(&closed);
        async move { gate.acquire().await.unwrap().forget() }
    });
    let health = run.health();
    let watch = async {
        wait_until(|| health.in_flight() == 2).await;
        assert_eq!((depth(&health), pages.polls()), (2, 1));
        assert!(health.journal().unwrap().oldest.is_some());
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pages.polls(), 1, "the server is not polled while the journal is full");
        gate.add_permits(3);
    };
    tokio::join!(until(run, 3), watch);
    assert_eq!(health.journal().unwrap().oldest, None);
    assert!(pages.polls() > 1);
}

#[tokio::test]
async fn a_graceful_shutdown_leaves_waiting_updates_for_the_next_start() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[1, 2, 3], 10), page(&[], 10)]).await;
    let diary = Diary::default();
    let (stop, stopped) = oneshot::channel::<()>();
    let (written, stop) = (diary.clone(), Mutex::new(Some(stop)));
    let run = bot.updates().journal(directory.open()).run(move |_, update| {
        let stop = stop.lock().unwrap().take();
        let diary = written.clone();
        async move {
            drop(stop);
            tokio::time::sleep(MOMENT).await;
            diary.write(&update);
        }
    });
    run.concurrency(1).graceful_shutdown_on(stopped).await.unwrap();
    assert_eq!(diary.chats(), [1], "the shutdown waits for the running handler");
    let run = bot.updates().journal(directory.open()).run(writing(&diary));
    until(run.concurrency(1), 2).await;
    assert_eq!(diary.chats(), [1, 2, 3]);
}

#[tokio::test]
async fn thousands_of_updates_stay_in_order_across_kills() {
    const CHATS: i64 = 3;
    const PAGES: i64 = 5;
    const OF_EACH: i64 = 200;
    let directory = Directory::new();
    // More updates than the journal keeps in memory.
    let body = |number: i64| {
        let numbers = number * OF_EACH + 1..(number + 1) * OF_EACH + 1;
        let updates: Vec<_> = numbers.flat_map(|number| (1..=CHATS).map(move |chat| numbered(chat, number))).collect();
        json!({"updates": updates, "marker": number + 1})
    };
    let (_server, bot, pages) = serve((0..PAGES).map(body).chain([page(&[], PAGES)])).await;
    let last: Arc<Mutex<HashMap<i64, i64>>> = Arc::default();
    for start in 0..4 {
        let (seen, again) = (Arc::clone(&last), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&again);
        let run = bot.updates().journal(directory.open()).run(move |_, update| {
            let (last, again) = (Arc::clone(&seen), Arc::clone(&counted));
            async move {
                tokio::task::yield_now().await;
                let (chat, number) = (chat(&update), update.timestamp().unwrap());
                let mut last = last.lock().unwrap();
                let last = last.entry(chat).or_insert(0);
                if number == *last {
                    again.fetch_add(1, Ordering::SeqCst);
                } else {
                    assert_eq!(number, *last + 1, "chat {chat} is out of order");
                    *last = number;
                }
            }
        });
        let polls = usize::try_from(PAGES).unwrap();
        let is_over = |health: &Health| match start {
            0 => pages.polls() > polls,
            1 | 2 => health.handled() > 300,
            _ => depth(health) == 0,
        };
        let health = run.health();
        kill_when(run, is_over).await;
        assert_eq!(health.skipped(), 0, "a handler panicked");
        assert!(again.load(Ordering::SeqCst) <= 3, "more updates than those in handlers were handled again");
    }
    assert_eq!(*last.lock().unwrap(), (1..=CHATS).map(|chat| (chat, PAGES * OF_EACH)).collect());
}

#[tokio::test]
async fn a_marker_store_and_a_journal_are_an_error_before_the_first_poll() {
    let directory = Directory::new();
    let (server, bot, pages) = serve([page(&[1], 10)]).await;
    let updates = bot.updates().marker_store(tamtam::updates::MemoryStore::new());
    let error = updates.journal(directory.open()).run(async |_, _| {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal, "{error:?}");
    assert!(error.to_string().contains("a marker store or a journal, not both"), "{error}");
    assert_eq!(pages.polls(), 0);
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_journal_has_one_run_at_a_time() {
    let directory = Directory::new();
    let (_server, bot, pages) = serve([page(&[], 10)]).await;
    let journal = directory.open();
    let first = bot.updates().journal(journal.clone()).run(async |_, _| {});
    let second = bot.updates().journal(journal.clone()).run(async |_, _| {});
    let then = async {
        wait_until(|| pages.polls() > 0).await;
        second.await.unwrap_err()
    };
    let error = tokio::select! {
        result = first.run() => panic!("{result:?}"),
        error = then => error,
    };
    assert!(error.kind() == ErrorKind::Journal && error.to_string().contains("one `Run` at a time"), "{error}");
    // The first run has ended.
    let polls = pages.polls();
    kill_when(bot.updates().journal(journal).run(async |_, _| {}), |_| pages.polls() > polls).await;
}

#[tokio::test]
async fn a_run_that_is_dropped_or_shut_down_while_it_starts_leaves_the_journal_free() {
    let directory = Directory::new();
    let (_server, bot, pages) = serve([page(&[], 10)]).await;
    let journal = directory.open();
    for polls in 0..40 {
        let run = bot.updates().journal(journal.clone()).run(async |_, _| {});
        let some_polls = async move {
            for _ in 0..polls {
                tokio::task::yield_now().await;
            }
        };
        if polls % 2 == 0 {
            run.graceful_shutdown_on(some_polls).await.unwrap();
        } else {
            tokio::select! {
                result = run.run() => panic!("{result:?}"),
                () = some_polls => {}
            }
        }
    }
    let polls = pages.polls();
    kill_when(bot.updates().journal(journal).run(async |_, _| {}), |_| pages.polls() > polls).await;
    drop(directory.open());
}

#[tokio::test]
async fn a_shutdown_while_the_journal_is_full_is_quick_and_commits() {
    let directory = Directory::new();
    let (_server, bot, pages) = serve([page(&[1, 2], 10), page(&[], 10)]).await;
    let journal = Journal::builder(directory.path()).capacity(1).open().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    let run = bot.updates().journal(journal).run(move |_, _| {
        // The other update waits, and keeps the journal full.
        drop(stop.lock().unwrap().take());
        async {}
    });
    let run = run.concurrency(1).graceful_shutdown_on(stopped).shutdown_deadline(Duration::from_secs(3600));
    tokio::time::timeout(Duration::from_secs(30), run.run()).await.expect("the run does not end early").unwrap();
    assert_eq!(pages.markers().last().unwrap().as_deref(), Some("10"));
}

#[tokio::test]
async fn two_bots_do_not_share_a_journal() {
    let directory = Directory::new();
    let (_server, first, pages) = serve([page(&[1], 10), page(&[], 10)]).await;
    let (_other_server, second, others) = serve([page(&[2], 77)]).await;
    let journal = directory.open();
    kill_when(first.updates().journal(journal.clone()).run(async |_, _| {}), |_| pages.polls() > 1).await;
    let error = second.updates().journal(journal.clone()).run(async |_, _| {}).await.unwrap_err();
    assert!(error.to_string().contains("give each bot a journal of its own"), "{error}");
    assert_eq!(others.polls(), 0, "the second bot does not use the marker of the first");
}

#[tokio::test]
async fn updates_without_distinguishing_ids_are_all_handled() {
    let directory = Directory::new();
    let nothing = json!({"update_type": "message_created", "message": null, "timestamp": 1});
    let other = json!({"update_type": "message_created", "message": null, "timestamp": 1, "more": 1});
    let timeless = json!({"update_type": "weather"});
    let updates = json!({"updates": [nothing, other, timeless, timeless], "marker": 10});
    let (_server, bot, _) = serve([updates, page(&[], 10)]).await;
    let run = bot.updates().journal(directory.open()).run(async |_, _| {});
    let health = run.health();
    kill_when(run, |health| health.handled() == 4 && depth(health) == 0).await;
    assert_eq!(health.handled(), 4);
}

#[tokio::test]
async fn the_journal_of_another_bot_is_refused_and_its_updates_are_not_handled() {
    let directory = Directory::new();
    let (_server, bot, pages) = serve([page(&[1], 10), page(&[], 10)]).await;
    let run = bot.updates().journal(directory.open()).run(async |_, _| std::future::pending::<()>().await);
    kill_when(run, |_| pages.polls() > 1).await;
    let (_other_server, other, pages) = serve([page(&[2], 10)]).await;
    let error = other.updates().journal(directory.open()).run(async |_, _| {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal, "{error:?}");
    assert!(error.to_string().contains("give each bot a journal of its own"), "{error}");
    assert_eq!(pages.polls(), 0);
    assert_eq!(directory.open().health().depth, 1);
}
