//! The chat book: it collects the chats of a bot from the actions of people in the sandbox.

use std::{
    collections::BTreeMap,
    fs, io,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tamtam::{
    Button, ChatId, ErrorKind, Keyboard, NewMessageBody, Update, UserId,
    types::ChatType,
    updates::{ChatBook, ChatRecord, ChatRole, ChatStore, FileChats, Journal, Updates},
    webhook::{
        Webhook,
        axum::{self, Router},
    },
};
use tamtam_sandbox::Sandbox;
use tokio::net::TcpListener;
use tracing::level_filters::LevelFilter;

use crate::{
    conformance,
    run::until,
    traced::Traced,
    updates::{Pages, page, started},
};

const PATH: &str = "/h00kS3cr3t-9d2f4b6a8c0e1d3f5a7b9c";

/// A directory that is removed at the end of its test.
struct Directory(PathBuf);

impl Directory {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tamtam-it-chat-book-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> PathBuf {
        self.0.join("chats.jsonl")
    }

    async fn open(&self) -> ChatBook {
        ChatBook::open(FileChats::new(self.path())).await.unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A table in memory that can be set to fail.
#[derive(Clone, Default)]
struct Table {
    rows: Arc<Mutex<BTreeMap<ChatId, ChatRecord>>>,
    saves: Arc<AtomicUsize>,
    fails: Arc<AtomicBool>,
}

impl Table {
    fn chats(&self) -> Vec<i64> {
        self.rows.lock().unwrap().keys().map(|chat_id| chat_id.0).collect()
    }
}

impl ChatStore for Table {
    type Error = io::Error;

    async fn load(&self) -> Result<Vec<ChatRecord>, io::Error> {
        Ok(self.rows.lock().unwrap().values().cloned().collect())
    }

    async fn save(&self, chat_id: ChatId, record: Option<&ChatRecord>) -> Result<(), io::Error> {
        self.saves.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("the disk is full"));
        }
        let mut rows = self.rows.lock().unwrap();
        match record {
            Some(record) => rows.insert(chat_id, record.clone()),
            None => rows.remove(&chat_id),
        };
        Ok(())
    }
}

fn update(json: &Value) -> Update {
    serde_json::from_str(&json.to_string()).unwrap()
}

async fn next(updates: &mut Updates, count: usize) -> Vec<Update> {
    let mut seen = Vec::new();
    while seen.len() < count {
        seen.push(updates.try_next().await.unwrap().unwrap());
    }
    seen
}

/// Serves a webhook, and returns its URL.
async fn listen(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

#[tokio::test]
async fn a_run_collects_the_chats_of_its_bot() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let team = tamtam.group("Team", [&alice]);
    let news = tamtam.channel("News", [&alice]);
    alice.in_chat(&team).renames_chat("Crew");
    let book = ChatBook::new();
    until(bot.run(async |_, _| {}).chat_book(book.clone()), 4).await;

    let chats = book.chats();
    assert!(chats.is_sorted_by_key(|chat| chat.chat_id), "{chats:?}");
    assert_eq!((chats.len(), book.len(), book.is_empty()), (3, 3, false));
    let dialog = book.get(alice.chat_id()).unwrap();
    assert_eq!(dialog.role, ChatRole::Dialog { user_id: Some(alice.user_id()), is_stopped: false });
    assert_eq!((dialog.chat_type, dialog.title), (Some(ChatType::Dialog), None));
    let crew = book.get(team.chat_id()).unwrap();
    assert!(crew.since < crew.last_update);
    assert_eq!((crew.role, crew.chat_type), (ChatRole::Member, Some(ChatType::Chat)));
    assert_eq!(crew.title.as_deref(), Some("Crew"));
    assert_eq!(book.get(news.chat_id()).unwrap().chat_type, Some(ChatType::Channel));
}

#[tokio::test]
async fn an_old_message_does_not_bring_back_a_chat_from_which_the_bot_was_removed() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    let team = tamtam.group("Team", [&alice]);
    let alice = alice.in_chat(&team);
    alice.says("hi");
    alice.removes_bot();
    let mut updates = bot.updates();
    let seen = next(&mut updates, 3).await;
    let book = ChatBook::new();
    for update in &seen[..2] {
        book.observe(update).await.unwrap();
        assert_eq!(book.chats()[0].chat_id, team.chat_id());
    }
    // In order, and then all updates once more.
    for update in seen[2..].iter().chain(&seen) {
        book.observe(update).await.unwrap();
        assert!(book.is_empty(), "{update:?}");
    }
    alice.adds_bot();
    let added = next(&mut updates, 1).await;
    book.observe(&added[0]).await.unwrap();
    assert_eq!(Some(book.get(team.chat_id()).unwrap().since), added[0].timestamp());
}

#[tokio::test]
async fn the_chat_of_a_button_is_added_with_its_title() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    let team = tamtam.group("Team", [&alice]);
    let keyboard = Keyboard::default().row([Button::chat("Talk", "A talk")]);
    bot.send(team.chat_id(), NewMessageBody::from("Let us talk").keyboard(keyboard)).await.unwrap();
    alice.in_chat(&team).presses("Talk");
    let book = ChatBook::new();
    until(bot.run(async |_, _| {}).chat_book(book.clone()), 2).await;
    let talk = book.chats().into_iter().find(|chat| chat.title.as_deref() == Some("A talk")).unwrap();
    assert_eq!((talk.role, talk.chat_type), (ChatRole::Admin, Some(ChatType::Chat)));
}

#[tokio::test]
async fn updates_of_max_set_roles_and_stopped_dialogs() {
    let tamtam = Sandbox::start().await;
    let user = json!({"user_id": 7, "first_name": "Alice"});
    for update in [
        json!({"update_type": "bot_started", "timestamp": 1, "chat_id": 5, "user": user}),
        json!({"update_type": "bot_stopped", "timestamp": 2, "chat_id": 5, "user": user}),
        json!({
            "update_type": "bot_admin_permissions_changed", "timestamp": 3, "chat_id": -5, "user_id": 7, "bot_id": 1,
            "is_channel": true, "is_admin": true, "permissions": ["write"],
        }),
        json!({"update_type": "bot_started", "timestamp": 4, "chat_id": 6, "user": user}),
        json!({"update_type": "bot_stopped", "timestamp": 5, "chat_id": 6, "user": user}),
        json!({"update_type": "dialog_removed", "timestamp": 5, "chat_id": 6, "user": user}),
    ] {
        tamtam.pushes(&update);
    }
    let book = ChatBook::new();
    until(tamtam.bot().run(async |_, _| {}).chat_book(book.clone()), 6).await;
    let roles: Vec<_> = book.chats().into_iter().map(|chat| (chat.chat_id.0, chat.role)).collect();
    let stopped = ChatRole::Dialog { user_id: Some(UserId(7)), is_stopped: true };
    assert_eq!(roles, [(-5, ChatRole::Admin), (5, stopped)]);
}

#[tokio::test]
async fn a_chat_unknown_to_the_server_can_be_forgotten() {
    let tamtam = Sandbox::start().await;
    let bot = tamtam.bot();
    let table = Table::default();
    let book = ChatBook::open(table.clone()).await.unwrap();
    let added = json!({"update_type": "bot_added", "timestamp": 1, "chat_id": -404, "is_channel": false});
    book.observe(&update(&added)).await.unwrap();
    let chat_id = book.chats()[0].chat_id;
    assert!(bot.send(chat_id, "News").await.unwrap_err().is_not_found());
    assert!(book.forget(chat_id).await.unwrap());
    assert!(!book.forget(chat_id).await.unwrap());
    assert!(book.is_empty());
    let after_a_restart = ChatBook::open(table).await.unwrap();
    after_a_restart.observe(&update(&added)).await.unwrap();
    assert!(after_a_restart.is_empty(), "the repeated update changed the book");
}

#[tokio::test]
async fn a_chat_book_in_a_file_survives_a_restart() {
    let directory = Directory::new("restart");
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let team = tamtam.group("Team", [&alice]);
    let book = directory.open().await;
    until(bot.run(async |_, _| {}).chat_book(book.clone()), 2).await;
    let before = book.chats();
    assert_eq!(before.len(), 2);
    drop(book);

    let book = directory.open().await;
    assert_eq!(book.chats(), before);
    alice.in_chat(&team).removes_bot();
    until(bot.run(async |_, _| {}).chat_book(book.clone()), 1).await;
    drop(book);

    let chats = directory.open().await.chats();
    assert_eq!(chats.len(), 1, "{chats:?}");
    assert_eq!(chats[0].chat_id, alice.chat_id());
}

#[tokio::test]
async fn a_file_that_is_not_a_chat_book_is_an_error_and_is_kept() {
    let directory = Directory::new("foreign");
    fs::write(directory.path(), "somebody's notes\n").unwrap();
    let error = ChatBook::open(FileChats::new(directory.path())).await.unwrap_err();
    assert!(error.kind() == ErrorKind::ChatBook && !error.is_retryable(), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("the chat book cannot be opened: "), "{text}");
    assert!(text.contains("chats.jsonl is not a chat book"), "{text}");
    assert_eq!(fs::read_to_string(directory.path()).unwrap(), "somebody's notes\n");
}

#[tokio::test]
async fn overlapping_saves_all_reach_the_file() {
    let directory = Directory::new("overlap");
    let book = directory.open().await;
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let book = book.clone();
            tokio::spawn(async move {
                for chat in 0..20 {
                    book.observe(&update(&started(1 + task * 20 + chat))).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let before = book.chats();
    assert_eq!(before.len(), 160);
    drop(book);
    assert_eq!(directory.open().await.chats(), before);
}

#[tokio::test]
async fn an_unsaved_change_is_saved_with_the_next_one() {
    let table = Table::default();
    let book = ChatBook::open(table.clone()).await.unwrap();
    table.fails.store(true, Ordering::SeqCst);
    let error = book.observe(&update(&started(1))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ChatBook, "{error}");
    assert_eq!(error.to_string(), "the chat book cannot be saved: the disk is full");
    assert_eq!((book.len(), table.chats()), (1, vec![]));

    table.fails.store(false, Ordering::SeqCst);
    book.observe(&update(&started(1))).await.unwrap();
    assert_eq!(table.saves.load(Ordering::SeqCst), 1, "the repeated update changes nothing and is not saved");
    book.observe(&update(&started(2))).await.unwrap();
    assert_eq!(table.chats(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_save_that_hangs_fails_after_5_s() {
    struct Hangs;

    impl ChatStore for Hangs {
        type Error = io::Error;

        async fn load(&self) -> Result<Vec<ChatRecord>, io::Error> {
            Ok(Vec::new())
        }

        async fn save(&self, _: ChatId, _: Option<&ChatRecord>) -> Result<(), io::Error> {
            std::future::pending().await
        }
    }

    let book = ChatBook::open(Hangs).await.unwrap();
    let error = book.observe(&update(&started(1))).await.unwrap_err();
    assert_eq!(error.to_string(), "the chat book cannot be saved: the store took longer than 5s");
    assert_eq!(book.len(), 1);
}

#[tokio::test]
async fn the_handler_is_called_if_the_book_cannot_be_saved() {
    let (traced, _guard) = Traced::start(LevelFilter::WARN);
    let (_server, bot, _) = Pages::serve([page(&[1], 10), page(&[], 10)]).await;
    let table = Table::default();
    table.fails.store(true, Ordering::SeqCst);
    let book = ChatBook::open(table).await.unwrap();
    until(bot.run(async |_, _| {}).chat_book(book.clone()), 1).await;
    assert_eq!(book.len(), 1);
    let event = "chat book save failed error=\"the chat book cannot be saved: the disk is full\"";
    assert!(traced.text().contains(event), "{}", traced.text());
}

#[tokio::test]
async fn the_handler_is_called_if_the_store_panics() {
    struct Panics;

    impl ChatStore for Panics {
        type Error = io::Error;

        async fn load(&self) -> Result<Vec<ChatRecord>, io::Error> {
            Ok(Vec::new())
        }

        async fn save(&self, _: ChatId, _: Option<&ChatRecord>) -> Result<(), io::Error> {
            panic!("the store panics")
        }
    }

    let (traced, _guard) = Traced::start(LevelFilter::WARN);
    let (_server, bot, _) = Pages::serve([page(&[1], 10), page(&[], 10)]).await;
    let book = ChatBook::open(Panics).await.unwrap();
    until(bot.run(async |_, _| {}).chat_book(book.clone()), 1).await;
    assert_eq!(book.len(), 1);
    assert!(traced.text().contains("saving the chat book panicked"), "{}", traced.text());
}

#[tokio::test]
async fn the_chat_is_in_the_book_when_its_handler_is_called() {
    let (_server, bot, _) = Pages::serve([page(&[1], 10), page(&[], 10)]).await;
    let book = ChatBook::new();
    let known = book.clone();
    let run = bot.run(move |_, update: Update| {
        let is_known = update.chat_id().is_some_and(|chat_id| known.get(chat_id).is_some());
        async move { if is_known { Ok(()) } else { Err("the chat is not in the book") } }
    });
    let run = run.chat_book(book);
    let health = run.health();
    until(run, 1).await;
    assert_eq!((health.handled(), health.skipped()), (1, 0));
}

#[tokio::test]
async fn a_webhook_feeds_the_book_with_a_journal_and_without() {
    let directory = Directory::new("webhook");
    for with_journal in [false, true] {
        let tamtam = conformance::start().await;
        let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
        let book = ChatBook::new();
        let webhook = Webhook::new(bot.clone(), PATH).unwrap().chat_book(book.clone());
        if with_journal {
            let journal = Journal::open(directory.0.join("bot.journal")).unwrap();
            let (router, run) = webhook.journal(journal).run(async |_, _| {});
            bot.subscribe_webhook(listen(router).await, []).await.unwrap();
            alice.starts();
            until(run, 1).await;
        } else {
            let router = webhook.router(async |_, _| {});
            bot.subscribe_webhook(listen(router).await, []).await.unwrap();
            alice.starts();
            tamtam.delivers().await;
        }
        assert_eq!(book.chats()[0].chat_id, alice.chat_id());
    }
}

#[tokio::test]
async fn polling_with_a_journal_feeds_the_book() {
    let directory = Directory::new("journal");
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let book = ChatBook::new();
    let journal = Journal::open(directory.0.join("bot.journal")).unwrap();
    until(bot.updates().journal(journal).run(async |_, _| {}).chat_book(book.clone()), 1).await;
    assert_eq!(book.chats()[0].chat_id, alice.chat_id());
}
