//! Failed handlers: attempts across restarts, and dead letters.

use super::*;
use tamtam::updates::{Failed, Recovery};

#[tokio::test]
async fn a_failed_update_becomes_a_dead_letter_without_on_error() {
    let directory = Directory::new();
    let bodies = [
        r#"{"updates": [{"update_type": "bot_started", "timestamp": 1, "chat_id": 1, "x": [1.0],
        "user": {"user_id": 7, "name": "A"}}], "marker": 10}"#
            .to_owned(),
        page(&[2], 11).to_string(),
        page(&[], 11).to_string(),
    ];
    let (_server, bot, _) = serve(bodies).await;
    let journal = directory.open();
    let run = bot.updates().journal(journal.clone()).run(async |_, update| match chat(&update) {
        1 => Err("no luck"),
        _ => Ok(()),
    });
    let health = run.health();
    until(run, 2).await;
    let held = health.journal().unwrap();
    assert_eq!((held.depth, held.dead_letters, held.oldest), (0, 1, None));
    let [letter] = &journal.dead_letters().await.unwrap()[..] else { panic!("not exactly one dead letter") };
    assert_eq!((letter.attempts, letter.cause.as_str()), (1, "the handler failed: no luck"));
    assert!(
        letter.update.json.get().contains("\"x\": [1.0]"),
        "the dead letter does not have the JSON of the server: {}",
        letter.update.json
    );
    assert_eq!(chat(&letter.update.update), 1);
    assert!(letter.died_at >= letter.stored_at);
    drop(journal);

    let journal = directory.open();
    assert_eq!(journal.health().dead_letters, 1, "the dead letter is kept after a restart");
    let run = bot.updates().journal(journal).run(async |_, _| Err::<(), _>("no luck"));
    until(run.on_error(|_| Recovery::Skip), 0).await;
}

#[tokio::test]
async fn an_update_that_on_error_skips_is_removed() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[1], 10), page(&[], 10)]).await;
    let run = bot.updates().journal(directory.open()).run(async |_, _| Err::<(), _>("no luck"));
    until(run.on_error(|_| Recovery::Skip), 1).await;
    let held = directory.open().health();
    assert_eq!((held.depth, held.dead_letters), (0, 0));
}

#[tokio::test]
async fn on_error_may_keep_an_update_as_a_dead_letter() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[1], 10), page(&[], 10)]).await;
    let run = bot.updates().journal(directory.open()).run(async |_, _| Err::<(), _>("no luck"));
    until(run.on_error(|_| Recovery::DeadLetter), 1).await;
    let held = directory.open().health();
    assert_eq!((held.depth, held.dead_letters), (0, 1));
}

#[tokio::test]
async fn attempts_are_counted_across_restarts() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[1], 10), page(&[], 10)]).await;
    let attempts: Arc<Mutex<Vec<u32>>> = Arc::default();
    let open = || Journal::builder(directory.path()).attempts(3).open().unwrap();
    let moment = Duration::from_millis(1);
    for start in 1..=2 {
        let told = Arc::clone(&attempts);
        let wait = if start == 1 { Duration::from_secs(3600) } else { moment };
        // During the first start, the delay before the second attempt is longer than the test.
        let updates = bot.updates().backoff(wait, wait);
        let run = updates.journal(open()).run(async |_, _| Err::<(), _>("no luck")).on_error(move |failed: Failed| {
            told.lock().unwrap().push(failed.attempts());
            Recovery::Retry
        });
        if start == 1 {
            // The attempt is stored right after the handler.
            let health = run.health();
            kill_when(run, |_| attempts.lock().unwrap().len() == 1 && health.in_flight() == 0).await;
        } else {
            until(run, 1).await;
        }
    }
    assert_eq!(*attempts.lock().unwrap(), [1, 2, 3]);
    assert_eq!(open().health().dead_letters, 1);
}

#[tokio::test]
async fn a_handler_dropped_by_a_shutdown_does_not_count_as_an_attempt() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[1], 10), page(&[], 10)]).await;
    let open = || Journal::builder(directory.path()).attempts(1).open().unwrap();
    for _ in 0..4 {
        let run = bot.updates().journal(open()).run(async |_, _| std::future::pending::<()>().await);
        kill_when(run, |health| health.in_flight() == 1).await;
    }
    let diary = Diary::default();
    until(bot.updates().journal(open()).run(writing(&diary)), 1).await;
    assert_eq!(diary.chats(), [1], "the update is not a dead letter");
}

#[tokio::test]
async fn an_update_that_crashes_the_process_becomes_a_dead_letter_and_its_chat_continues() {
    let directory = Directory::new();
    let updates = json!({"updates": [numbered(1, 1), numbered(1, 2)], "marker": 10});
    let (_server, bot, _) = serve([updates, page(&[], 10)]).await;
    let open = |path: PathBuf| Journal::builder(path).attempts(2).open().unwrap();
    // A copy of the files equals the files of a process that was killed during a handler. The first start does not
    // store that it begins an update; the next two starts do.
    let mut place = directory.path();
    for number in 0..3 {
        let begun = Arc::new(AtomicUsize::new(0));
        let begins = Arc::clone(&begun);
        let run = bot.updates().journal(open(place.clone())).run(move |_, _| {
            begins.fetch_add(1, Ordering::SeqCst);
            std::future::pending::<()>()
        });
        let copy = directory.0.join(format!("{number}.journal"));
        kill_when(run, |_| {
            let is_begun = begun.load(Ordering::SeqCst) == 1;
            if is_begun {
                for end in ["", "-wal"] {
                    let _ = fs::copy(format!("{}{end}", place.display()), format!("{}{end}", copy.display()));
                }
            }
            is_begun
        })
        .await;
        place = copy;
    }
    let journal = open(place);
    let diary = Diary::default();
    until(bot.updates().journal(journal.clone()).run(writing(&diary)), 2).await;
    assert_eq!(diary.chats(), [1], "the second update is handled");
    let [letter] = &journal.dead_letters().await.unwrap()[..] else { panic!("not exactly one dead letter") };
    assert_eq!(letter.cause, "the process ended during its handler, 2 times");
    assert_eq!(letter.update.update.timestamp(), Some(1));
}

#[tokio::test]
async fn dead_letters_are_replayed_and_discarded() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[1, 2], 10), page(&[], 10)]).await;
    let journal = directory.open();
    until(bot.updates().journal(journal.clone()).run(async |_, _| Err::<(), _>("no luck")), 2).await;
    let letters = journal.dead_letters().await.unwrap();
    assert_eq!(letters.len(), 2);
    assert!(journal.discard(letters[0].id).await.unwrap());
    assert!(!journal.discard(letters[0].id).await.unwrap(), "the letter is already removed");
    assert!(!journal.replay(letters[0].id).await.unwrap(), "the letter is already removed");

    // Replays a letter while a bot runs.
    let diary = Diary::default();
    let run = bot.updates().journal(journal.clone()).run(writing(&diary));
    let health = run.health();
    let replay = async {
        wait_until(|| health.last_poll().is_some()).await;
        assert!(journal.replay(letters[1].id).await.unwrap());
    };
    tokio::join!(until(run, 1), replay);
    assert_eq!(diary.chats(), [chat(&letters[1].update.update)]);
    let held = journal.health();
    assert_eq!((held.depth, held.dead_letters), (0, 0));
}

#[tokio::test]
async fn the_oldest_dead_letters_over_the_maximum_are_removed() {
    let directory = Directory::new();
    let (_server, bot, _) = serve([page(&[1, 2, 3], 10), page(&[], 10)]).await;
    let journal = Journal::builder(directory.path()).dead_letter_capacity(2).open().unwrap();
    let run = bot.updates().journal(journal.clone()).run(async |_, _| Err::<(), _>("no luck"));
    until(run.concurrency(1), 3).await;
    let letters = journal.dead_letters().await.unwrap();
    assert_eq!(letters.iter().map(|letter| chat(&letter.update.update)).collect::<Vec<_>>(), [2, 3]);
}
