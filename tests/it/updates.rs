//! The update stream: on the sandbox for the behavior of TamTam, on wiremock for the requests.

mod faults;
mod misfits;
mod pages;
mod shutdown;
mod start;

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt as _, TryStreamExt as _, future::poll_immediate};
use serde_json::{Value, json};
use tamtam::{
    Bot, Update, UpdateType,
    updates::{MarkerKey, MarkerStore, Updates},
};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::path};

use crate::{
    common::{bot_at, mock_server},
    conformance,
    fault_server::{FaultServer, Step},
};

/// A negligible delay between polls.
pub(crate) const MOMENT: Duration = Duration::from_millis(1);

/// A responder that answers polls with these pages in order, and records their queries. The last page is repeated.
#[derive(Clone, Default)]
pub(crate) struct Pages {
    bodies: Vec<String>,
    polls: Arc<Mutex<Vec<Query>>>,
}

/// The parameters of a poll, except token and version.
type Query = Vec<(String, String)>;

impl Respond for Pages {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut polls = self.polls.lock().unwrap();
        let query = request.url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
        polls.push(query.filter(|(name, _)| name != "access_token" && name != "v").collect());
        let body = self.bodies.get(polls.len() - 1).or(self.bodies.last()).cloned().unwrap_or_default();
        ResponseTemplate::new(if body.is_empty() { 204 } else { 200 }).set_body_string(body)
    }
}

impl Pages {
    pub(crate) async fn serve(bodies: impl IntoIterator<Item = impl ToString>) -> (MockServer, Bot, Self) {
        let pages = Self { bodies: bodies.into_iter().map(|body| body.to_string()).collect(), ..Self::default() };
        let server = mock_server().await;
        Mock::given(path("/updates")).respond_with(pages.clone()).mount(&server).await;
        let none = ResponseTemplate::new(200).set_body_json(json!({"subscriptions": []}));
        Mock::given(path("/subscriptions")).respond_with(none).with_priority(9).mount(&server).await;
        let bot = bot_at(server.uri()).build().unwrap();
        (server, bot, pages)
    }

    pub(crate) fn polls(&self) -> usize {
        self.polls.lock().unwrap().len()
    }

    /// Returns the marker of each poll so far.
    pub(crate) fn markers(&self) -> Vec<Option<String>> {
        let marker = |query: &Query| query.iter().find(|(name, _)| name == "marker").map(|(_, value)| value.clone());
        self.polls.lock().unwrap().iter().map(marker).collect()
    }
}

pub(crate) fn page(chats: &[i64], marker: impl Into<Value>) -> Value {
    let updates: Vec<Value> = chats.iter().map(|chat| started(*chat)).collect();
    json!({"updates": updates, "marker": marker.into()})
}

pub(crate) fn started(chat: i64) -> Value {
    json!({"timestamp": 1, "chat_id": chat, "user": {"user_id": 7, "name": "A"}, "update_type": "bot_started"})
}

async fn chat_of_next(updates: &mut Updates) -> i64 {
    match updates.try_next().await.unwrap().unwrap() {
        Update::BotStarted(started) => started.chat_id.0,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn people_talk_and_the_bot_answers() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    alice.says("hi");
    let bot = tamtam.bot();
    let mut updates = bot.updates();
    let started = updates.try_next().await.unwrap().unwrap();
    assert!(matches!(started, Update::BotStarted(_)), "{started:?}");
    let Some(Update::MessageCreated(created)) = updates.try_next().await.unwrap() else { panic!() };
    let message = created.message.unwrap();
    assert_eq!(message.body.as_ref().unwrap().text.as_deref(), Some("hi"));
    bot.reply(&message, "hello").await.unwrap();
    assert_eq!(alice.reads().await.text(), "hello");
    bot.send(alice.chat_id(), "again").await.unwrap();
    assert_eq!(alice.reads().await.text(), "again");
}

#[tokio::test]
async fn starts_without_a_marker_and_commits_a_page_with_the_next_poll() {
    let (_server, bot, pages) = Pages::serve([page(&[1, 2], 10), page(&[3], 11), page(&[4], 12)]).await;
    let mut updates = bot.updates();
    assert_eq!(chat_of_next(&mut updates).await, 1);
    assert_eq!(chat_of_next(&mut updates).await, 2);
    assert_eq!(pages.markers(), [None], "a page is not committed before the next update is requested");
    assert_eq!(chat_of_next(&mut updates).await, 3);
    assert_eq!(pages.markers(), [None, Some("10".to_owned())]);
    assert_eq!(chat_of_next(&mut updates).await, 4);
    assert_eq!(pages.markers(), [None, Some("10".to_owned()), Some("11".to_owned())]);
}

#[tokio::test]
async fn uncommitted_updates_are_returned_again() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    alice.starts();
    for text in ["one", "two", "three"] {
        alice.says(text);
    }
    let text = |update: Option<Update>| match update {
        Some(Update::MessageCreated(created)) => created.message.unwrap().body.unwrap().text.unwrap(),
        other => panic!("{other:?}"),
    };
    let bot = tamtam.bot();
    let mut updates = bot.updates().types([UpdateType::MessageCreated]).limit(2);
    assert_eq!(text(updates.try_next().await.unwrap()), "one");
    assert_eq!(text(updates.try_next().await.unwrap()), "two");
    assert_eq!(text(updates.try_next().await.unwrap()), "three");
    // A new stream, as after a crash. Only the page of "three" was not committed.
    let mut updates = bot.updates().types([UpdateType::MessageCreated]);
    assert_eq!(text(updates.try_next().await.unwrap()), "three");
}

#[tokio::test]
async fn a_dropped_wait_loses_no_update_and_keeps_the_poll() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&polls);
    tamtam.on_exchange(move |exchange| {
        counted.fetch_add(usize::from(exchange.operation() == Some("getUpdates")), Ordering::SeqCst);
    });
    let mut updates = tamtam.bot().updates();
    for _ in 0..100 {
        assert!(poll_immediate(pin!(updates.next())).await.is_none());
        tokio::task::yield_now().await;
    }
    alice.starts();
    assert!(matches!(updates.try_next().await.unwrap(), Some(Update::BotStarted(_))));
    assert_eq!(polls.load(Ordering::SeqCst), 1, "dropped waits started more polls");
}

#[tokio::test]
async fn dropped_waits_do_not_repeat_any_step() {
    // A slow store, so that waits are dropped in the middle of every step.
    #[derive(Clone, Default)]
    struct Slow(Arc<Mutex<Vec<String>>>);
    impl MarkerStore for Slow {
        type Error = std::convert::Infallible;

        async fn load(&self, _: &MarkerKey) -> Result<Option<i64>, Self::Error> {
            self.0.lock().unwrap().push("load".to_owned());
            tokio::task::yield_now().await;
            Ok(None)
        }

        async fn save(&self, _: &MarkerKey, marker: i64) -> Result<(), Self::Error> {
            self.0.lock().unwrap().push(format!("save {marker}"));
            tokio::task::yield_now().await;
            Ok(())
        }
    }
    let server = FaultServer::start([Step::Good]).await;
    let (store, (stop, stopped)) = (Slow::default(), tokio::sync::oneshot::channel::<()>());
    let mut updates = server.bot().updates().marker_store(store.clone()).graceful_shutdown_on(stopped);
    // Drops the future each time that it is pending, and creates a new one.
    async fn patiently(updates: &mut Updates) -> Option<Update> {
        for _ in 0..5_000 {
            if let Some(update) = poll_immediate(pin!(updates.try_next())).await {
                return update.unwrap();
            }
            tokio::time::sleep(MOMENT).await;
        }
        panic!("no progress: dropped steps are started again")
    }
    assert!(patiently(&mut updates).await.is_some());
    drop(stop);
    assert!(patiently(&mut updates).await.is_none());
    assert_eq!(*store.0.lock().unwrap(), ["load", "save 10"]);
    let asked: Vec<String> =
        server.requests().iter().map(|request| request.split(['?', ' ']).nth(1).unwrap().to_owned()).collect();
    assert_eq!(asked, ["/me", "/subscriptions", "/updates", "/updates"], "the last poll commits");
}

#[tokio::test]
async fn a_select_loop_sees_every_update_once() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    alice.starts();
    let mut updates = tamtam.bot().updates().types([UpdateType::MessageCreated]);
    let (mut seen, mut ticks) = (Vec::new(), 0_u32);
    for number in 0..50 {
        alice.says(number.to_string());
    }
    while seen.len() < 50 {
        tokio::select! {
            biased;
            // Always ready, so it cancels the wait for an update repeatedly.
            () = tokio::task::yield_now(), if ticks % 3 != 2 => ticks += 1,
            update = updates.try_next() => {
                ticks += 1;
                let Some(Update::MessageCreated(created)) = update.unwrap() else { panic!() };
                seen.push(created.message.unwrap().body.unwrap().text.unwrap());
            }
        }
    }
    assert_eq!(seen, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_invalid_update_does_not_block_the_ones_after_it() {
    let strange = json!({"update_type": "moon_risen", "phase": 0.1});
    let broken = json!({"chat_id": "not a number", "update_type": "bot_started"});
    let updates = json!([started(1), strange, 5, broken, null, started(2)]);
    let (_server, bot, pages) = Pages::serve([json!({"updates": updates, "marker": 10}), page(&[3], 11)]).await;
    let mut updates = bot.updates();
    let mut tags = Vec::new();
    for _ in 0..6 {
        let update = updates.try_next().await.unwrap().unwrap();
        if let Update::Unknown(unknown) = &update {
            assert_eq!(unknown.error.is_some(), unknown.tag != "moon_risen", "{unknown:?}");
        }
        tags.push(update.tag().to_owned());
    }
    assert_eq!(tags, ["bot_started", "moon_risen", "", "bot_started", "", "bot_started"]);
    assert_eq!(chat_of_next(&mut updates).await, 3);
    assert_eq!(pages.markers().last().unwrap().as_deref(), Some("10"), "the marker moves past the invalid updates");
}

#[tokio::test]
async fn an_empty_page_a_null_marker_and_an_empty_body_keep_the_marker() {
    let empty = || json!({"updates": [], "marker": null}).to_string();
    let bodies = [
        page(&[1], 10).to_string(),
        empty(),
        String::new(),
        " ".into(),
        page(&[2], Value::Null).to_string(),
        page(&[3], 12).to_string(),
    ];
    let (_server, bot, pages) = Pages::serve(bodies).await;
    let mut updates = bot.updates();
    for chat in 1..=3 {
        assert_eq!(chat_of_next(&mut updates).await, chat);
    }
    let markers: Vec<Option<String>> = pages.markers();
    let kept = Some("10".to_owned());
    assert_eq!(markers, [None, kept.clone(), kept.clone(), kept.clone(), kept.clone(), kept]);
}

#[tokio::test]
async fn an_empty_page_with_a_marker_moves_it() {
    let (_server, bot, pages) = Pages::serve([page(&[], 10), page(&[1], 11)]).await;
    assert_eq!(chat_of_next(&mut bot.updates()).await, 1);
    assert_eq!(pages.markers(), [None, Some("10".to_owned())]);
}

#[tokio::test]
async fn the_settings_are_sent_in_the_query() {
    let (_server, bot, pages) = Pages::serve([page(&[1], 10)]).await;
    let types = [UpdateType::BotStarted, UpdateType::MessageCreated];
    let mut updates = bot.updates().limit(7).timeout(Duration::from_secs(45)).types(types);
    chat_of_next(&mut updates).await;
    let expected = [("limit", "7"), ("timeout", "45"), ("types", "bot_started,message_created")];
    let query: Query = pages.polls.lock().unwrap()[0].clone();
    assert_eq!(query, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_failed_poll_is_retried_with_the_same_marker() {
    let garbage = "<html>".to_owned();
    let (_server, bot, pages) = Pages::serve([page(&[1], 10).to_string(), garbage, page(&[2], 11).to_string()]).await;
    let mut updates = bot.updates().backoff(MOMENT, MOMENT);
    assert_eq!(chat_of_next(&mut updates).await, 1);
    assert_eq!(chat_of_next(&mut updates).await, 2);
    assert_eq!(pages.markers(), [None, Some("10".to_owned()), Some("10".to_owned())]);
}

#[tokio::test]
async fn a_byte_that_is_not_utf_8_is_replaced_and_the_page_is_read() {
    let text = page(&[1], 10).to_string().replace("\"A\"", "\"A?\"");
    let mut body = text.into_bytes();
    let broken = body.windows(2).position(|pair| pair == b"A?").unwrap() + 1;
    body[broken] = 0xd0;
    let server = mock_server().await;
    Mock::given(path("/updates")).respond_with(ResponseTemplate::new(200).set_body_bytes(body)).mount(&server).await;
    let bot = bot_at(server.uri()).build().unwrap();
    let Some(Update::BotStarted(started)) = bot.updates().try_next().await.unwrap() else { panic!() };
    assert_eq!(started.user.name, "A\u{fffd}");
    let page = bot.api().get_updates().await.unwrap();
    assert!(matches!(page.updates[0], Update::BotStarted(_)));
}

#[tokio::test]
async fn a_server_that_answers_empty_polls_at_once_is_not_polled_in_a_busy_loop() {
    let (_server, bot, pages) = Pages::serve([page(&[], 10)]).await;
    let mut updates = bot.updates();
    tokio::time::timeout(Duration::from_millis(350), updates.try_next()).await.unwrap_err();
    assert!((2..=4).contains(&pages.polls()), "{} polls in 350 ms", pages.polls());
}

#[tokio::test]
async fn a_timeout_of_a_fraction_of_a_second_is_rounded_up() {
    let (_server, bot, pages) = Pages::serve([page(&[1], 10)]).await;
    chat_of_next(&mut bot.updates().timeout(Duration::from_millis(900))).await;
    assert_eq!(pages.polls.lock().unwrap()[0], [("timeout".to_owned(), "1".to_owned())]);
}

#[tokio::test]
async fn updates_implements_stream() {
    let (_server, bot, pages) = Pages::serve([page(&[1, 2], 10), page(&[3, 4], 11)]).await;
    let chats: Vec<String> =
        bot.updates().map_ok(|update| update.tag().to_owned()).take(3).try_collect().await.unwrap();
    assert_eq!(chats.len(), 3);
    assert_eq!(pages.polls(), 2);
    fn spawnable<T: Send + Sync + Unpin + 'static>(_: &T) {}
    spawnable(&bot.updates());
}
