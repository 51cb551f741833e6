//! The start of the stream: stored markers, a backlog that is read or skipped, and subscribed webhooks.

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use tamtam::{
    ErrorKind, Update, UpdateType,
    types::BotStartedUpdate,
    updates::{FileStore, MarkerKey, MarkerStore, MemoryStore, StartFrom, Updates},
};
use wiremock::{Mock, ResponseTemplate, matchers::path};

use super::{MOMENT, Pages, chat_of_next, page};
use crate::{
    common::{bot_at, bot_info, refusing, requests},
    conformance,
    traced::Traced,
};

/// A store that records its calls, and can be set to fail.
#[derive(Clone, Default)]
struct Watched {
    asked: Arc<Mutex<Vec<String>>>,
    stored: Option<i64>,
    fails_to_load: bool,
    fails_to_save: bool,
}

impl Watched {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl MarkerStore for Watched {
    type Error = io::Error;

    async fn load(&self, key: &MarkerKey) -> Result<Option<i64>, io::Error> {
        self.asked.lock().unwrap().push(format!("load of {}", key.bot_id()));
        if self.fails_to_load { Err(io::Error::other("the disk is gone")) } else { Ok(self.stored) }
    }

    async fn save(&self, _: &MarkerKey, marker: i64) -> Result<(), io::Error> {
        self.asked.lock().unwrap().push(format!("save of {marker}"));
        if self.fails_to_save { Err(io::Error::other("the disk is full")) } else { Ok(()) }
    }
}

/// A unique path of a file, in a directory that is removed on drop.
struct Place(PathBuf);

impl Place {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tamtam-it-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("marker.json")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Starts a server with these pages and the bot's profile.
async fn pages(chats: &[&[i64]]) -> (wiremock::MockServer, tamtam::Bot, Pages) {
    let bodies = chats.iter().zip(10..).map(|(chats, marker)| page(chats, marker));
    let (server, bot, pages) = Pages::serve(bodies).await;
    let me = ResponseTemplate::new(200).set_body_json(bot_info());
    Mock::given(path("/me")).respond_with(me).mount(&server).await;
    (server, bot, pages)
}

fn markers(markers: &[i64]) -> Vec<Option<String>> {
    markers.iter().map(|marker| (*marker != 0).then(|| marker.to_string())).collect()
}

#[tokio::test]
async fn the_first_poll_sends_the_stored_marker() {
    let (_server, bot, pages) = pages(&[&[1]]).await;
    let store = Watched { stored: Some(7), ..Watched::default() };
    chat_of_next(&mut bot.updates().marker_store(store.clone())).await;
    assert_eq!(pages.markers(), markers(&[7]));
    assert_eq!(store.asked(), [format!("load of {}", bot.me().await.unwrap().user_id)]);
}

#[tokio::test]
async fn a_marker_is_saved_before_the_poll_that_commits_it() {
    let (_server, bot, pages) = pages(&[&[1, 2], &[3], &[4]]).await;
    let store = Watched::default();
    let mut updates = bot.updates().marker_store(store.clone());
    chat_of_next(&mut updates).await;
    chat_of_next(&mut updates).await;
    assert_eq!(store.asked().len(), 1, "the marker is not saved before the next update is requested");
    chat_of_next(&mut updates).await;
    assert_eq!(store.asked()[1..], ["save of 10"]);
    chat_of_next(&mut updates).await;
    assert_eq!(store.asked()[1..], ["save of 10", "save of 11"]);
    assert_eq!(pages.markers(), markers(&[0, 10, 11]));
}

#[tokio::test]
async fn a_failed_save_is_reported_and_polling_continues() {
    let (traced, _guard) = Traced::start(tracing::level_filters::LevelFilter::ERROR);
    let (_server, bot, pages) = pages(&[&[1], &[2]]).await;
    let mut updates = bot.updates().marker_store(Watched { fails_to_save: true, ..Watched::default() });
    assert_eq!((chat_of_next(&mut updates).await, chat_of_next(&mut updates).await), (1, 2));
    assert_eq!(pages.markers(), markers(&[0, 10]));
    assert!(traced.text().contains("marker save failed marker=10 error=\"the disk is full\""), "{}", traced.text());
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_an_error_before_the_first_poll() {
    for start in [StartFrom::Stored, StartFrom::Backlog, StartFrom::Latest] {
        let (_server, bot, pages) = pages(&[&[1]]).await;
        let store = Watched { fails_to_load: true, ..Watched::default() };
        let mut updates = bot.updates().marker_store(store).start_from(start);
        let error = updates.try_next().await.unwrap_err();
        assert!(error.kind() == ErrorKind::MarkerStore && !error.is_retryable(), "{error}");
        assert_eq!(error.to_string(), "the marker store cannot be read: the disk is gone");
        assert!(updates.next().await.is_none());
        assert_eq!(pages.polls(), 0);
    }
}

#[tokio::test]
async fn a_torn_or_foreign_file_is_an_error_and_is_not_overwritten() {
    let place = Place::new("torn");
    for text in ["{\"format\":\"tamtam-mar", "somebody's notes"] {
        std::fs::write(place.file(), text).unwrap();
        let (_server, bot, _) = pages(&[&[1], &[2]]).await;
        let error = bot.updates().marker_store(FileStore::new(place.file())).try_next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MarkerStore, "{error}");
        assert!(error.to_string().contains("marker.json is not a valid marker file"), "{error}");
        assert_eq!(std::fs::read_to_string(place.file()).unwrap(), text);
    }
}

#[tokio::test]
async fn a_killed_bot_continues_from_the_marker_in_its_file() {
    let place = Place::new("killed");
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    for text in ["one", "two", "three", "four"] {
        alice.says(text);
    }
    let text = |update: Option<Update>| match update {
        Some(Update::MessageCreated(created)) => created.message.unwrap().body.unwrap().text.unwrap(),
        other => panic!("{other:?}"),
    };
    let updates = || {
        let updates = tamtam.bot().updates().types([UpdateType::MessageCreated]).limit(2);
        updates.marker_store(FileStore::new(place.file()))
    };
    let mut first = updates();
    for expected in ["one", "two", "three"] {
        assert_eq!(text(first.try_next().await.unwrap()), expected);
    }
    drop(first);
    let mut second = updates();
    for expected in ["three", "four"] {
        assert_eq!(text(second.try_next().await.unwrap()), expected, "the page of `three` was not committed");
    }
}

#[tokio::test]
async fn markers_are_stored_per_bot_and_server() {
    let store = MemoryStore::new();
    for _ in 0..2 {
        let (_server, bot, pages) = pages(&[&[1], &[2]]).await;
        let mut updates = bot.updates().marker_store(store.clone());
        chat_of_next(&mut updates).await;
        chat_of_next(&mut updates).await;
        assert_eq!(pages.markers(), markers(&[0, 10]), "the marker of the other server is not used");
        let again = bot.updates().marker_store(store.clone());
        chat_of_next(&mut { again }).await;
        assert_eq!(pages.markers(), markers(&[0, 10, 10]));
    }
}

#[tokio::test]
async fn the_backlog_can_be_read_despite_a_stored_marker() {
    let (_server, bot, pages) = pages(&[&[1]]).await;
    let store = Watched { stored: Some(7), ..Watched::default() };
    chat_of_next(&mut bot.updates().marker_store(store).start_from(StartFrom::Backlog)).await;
    assert_eq!(pages.markers(), markers(&[0]));
}

#[tokio::test]
async fn pending_updates_can_be_skipped() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    for number in 0..1_500 {
        alice.says(number.to_string());
    }
    let bob = tamtam.user("Bob");
    tamtam.on_exchange(move |exchange| {
        if exchange.operation() == Some("getUpdates") && exchange.response_body().starts_with(br#"{"updates":[]"#) {
            // All waiting updates are skipped. The next update is a new one.
            bob.starts();
        }
    });
    let bot_started = async |mut updates: tamtam::updates::Updates| match updates.try_next().await.unwrap() {
        Some(Update::BotStarted(BotStartedUpdate { user, .. })) => user.name,
        other => panic!("{other:?}"),
    };
    assert_eq!(bot_started(tamtam.bot().updates().skip_pending()).await, "Bob");
}

#[tokio::test]
async fn skip_pending_polls_with_the_maximum_limit_and_no_timeout() {
    let (_server, bot, pages) = pages(&[&[1], &[], &[2]]).await;
    assert_eq!(chat_of_next(&mut bot.updates().limit(7).skip_pending()).await, 2);
    let polls = pages.polls.lock().unwrap();
    let skip = |marker: Option<&str>| {
        let marker = marker.map(|marker| ("marker".to_owned(), marker.to_owned()));
        let rest = [("limit".to_owned(), "1000".to_owned()), ("timeout".to_owned(), "0".to_owned())];
        rest.into_iter().chain(marker).collect::<std::collections::BTreeSet<_>>()
    };
    let sent = |poll: usize| polls[poll].iter().cloned().collect::<std::collections::BTreeSet<_>>();
    assert_eq!((sent(0), sent(1)), (skip(None), skip(Some("10"))));
    assert!(polls[2].contains(&("limit".to_owned(), "7".to_owned())), "{polls:?}");
}

#[tokio::test]
async fn a_store_that_hangs_in_save_does_not_prevent_the_shutdown() {
    struct Hangs;
    impl MarkerStore for Hangs {
        type Error = io::Error;

        async fn load(&self, _: &MarkerKey) -> Result<Option<i64>, io::Error> {
            Ok(None)
        }

        async fn save(&self, _: &MarkerKey, _: i64) -> Result<(), io::Error> {
            std::future::pending().await
        }
    }
    let (_server, bot, _) = pages(&[&[1], &[]]).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut updates = bot.updates().marker_store(Hangs).graceful_shutdown_on(stopped);
    let health = updates.health();
    chat_of_next(&mut updates).await;
    drop(stop);
    // From here on, time passes only by sleeping.
    tokio::time::pause();
    assert!(updates.try_next().await.unwrap().is_none());
    assert_eq!(health.failed_saves(), 1);
}

#[tokio::test]
async fn an_unsaved_marker_is_saved_with_the_next_poll() {
    let (_server, bot, _) = pages(&[&[1], &[2], &[3]]).await;
    let store = Watched { fails_to_save: true, ..Watched::default() };
    let mut updates = bot.updates().marker_store(Arc::new(store.clone()));
    let health = updates.health();
    for _ in 0..3 {
        chat_of_next(&mut updates).await;
    }
    assert_eq!(store.asked()[1..], ["save of 10", "save of 11"]);
    assert_eq!(health.failed_saves(), 2);
}

/// Answers the stream's check for webhooks. Returns the first item of the stream, and the number of checks.
async fn asked_for_webhooks(answers: Vec<ResponseTemplate>) -> (tamtam::Result<Option<Update>>, usize) {
    let (server, bot, _) = pages(&[&[1]]).await;
    let next = std::sync::atomic::AtomicUsize::new(0);
    let answer = move |_: &wiremock::Request| {
        let number = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        answers.get(number).or(answers.last()).cloned().unwrap()
    };
    Mock::given(path("/subscriptions")).respond_with(answer).mount(&server).await;
    let update = bot.updates().backoff(MOMENT, MOMENT).try_next().await;
    let asked = requests(&server).await.iter().filter(|request| request.url.path() == "/subscriptions").count();
    (update, asked)
}

#[tokio::test]
async fn a_server_without_a_list_of_webhooks_is_polled() {
    let unknown = json!({"code": "method.not.found", "message": "Path /subscriptions is not recognized"});
    let (update, asked) = asked_for_webhooks(vec![ResponseTemplate::new(404).set_body_json(unknown)]).await;
    assert!(matches!(update, Ok(Some(Update::BotStarted(_)))));
    assert_eq!(asked, 1, "an answer of the API is not checked again");
    let proxy = ResponseTemplate::new(404).set_body_string("<html>Not Found</html>");
    let (update, asked) = asked_for_webhooks(vec![proxy.clone()]).await;
    assert!(matches!(update, Ok(Some(Update::BotStarted(_)))));
    assert_eq!(asked, 4, "an answer of a proxy is checked again");
    let webhook =
        ResponseTemplate::new(200).set_body_json(json!({"subscriptions": [{"url": "https://example.org/x"}]}));
    let (update, _) = asked_for_webhooks(vec![proxy, webhook]).await;
    assert_eq!(update.unwrap_err().kind(), ErrorKind::WebhookSubscribed);
}

/// A store that never answers.
struct Hanging(Arc<tokio::sync::Notify>);

impl MarkerStore for Hanging {
    type Error = io::Error;

    async fn load(&self, _: &MarkerKey) -> Result<Option<i64>, io::Error> {
        self.0.notify_one();
        std::future::pending().await
    }

    async fn save(&self, _: &MarkerKey, _: i64) -> Result<(), io::Error> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_marker_store_that_hangs_in_load_ends_the_stream_with_a_logged_error() {
    let (traced, _guard) = Traced::start(tracing::level_filters::LevelFilter::ERROR);
    let (_server, bot, pages) = pages(&[&[1]]).await;
    let is_asked = Arc::new(tokio::sync::Notify::new());
    let mut updates = bot.updates().marker_store(Hanging(Arc::clone(&is_asked)));
    let next = tokio::spawn(async move { updates.try_next().await });
    is_asked.notified().await;
    // From here on, time passes only by sleeping.
    tokio::time::pause();
    let error = next.await.unwrap().unwrap_err();
    assert!(
        error.kind() == ErrorKind::MarkerStore && error.to_string().contains("the store took longer than 5s"),
        "{error}"
    );
    assert!(traced.text().contains("marker load failed"), "{}", traced.text());
    assert_eq!(pages.polls(), 0);
}

#[tokio::test]
async fn a_webhook_with_an_invalid_description_still_prevents_polling() {
    for webhook in
        [json!({"url": "https://example.org/x", "time": null, "update_types": "all", "version": 5}), json!(5)]
    {
        let list = ResponseTemplate::new(200).set_body_json(json!({"subscriptions": [webhook]}));
        let (update, _) = asked_for_webhooks(vec![list]).await;
        assert_eq!(update.unwrap_err().kind(), ErrorKind::WebhookSubscribed, "{webhook}");
    }
}

#[tokio::test]
async fn a_subscribed_webhook_is_an_error_that_hides_its_secret() {
    let (server, bot, pages) = pages(&[&[1]]).await;
    let subscriptions = json!({"subscriptions": [
        {"url": "https://example.org:8443/s3cret", "time": 1},
        {"url": "https://bots.example.com/s3cret", "time": 1},
    ]});
    let answer = ResponseTemplate::new(200).set_body_json(subscriptions);
    Mock::given(path("/subscriptions")).respond_with(answer).mount(&server).await;
    let mut updates = bot.updates();
    let error = updates.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WebhookSubscribed, "{error}");
    assert_eq!(
        error.to_string(),
        "cannot poll while a webhook receives the updates (https://example.org:8443, https://bots.example.com): \
         unsubscribe it, or poll with `remove_webhooks(true)`"
    );
    assert!(!format!("{error:?}").contains("s3cret"));
    assert!(updates.next().await.is_none());
    assert_eq!(pages.polls(), 0);
}

#[tokio::test]
async fn remove_webhooks_removes_all_webhooks() {
    let (server, bot, pages) = pages(&[&[1]]).await;
    let list = json!({"subscriptions": [
        {"url": "https://example.org/a", "time": 1}, {"url": "https://example.org/b", "time": 1},
    ]});
    let list = ResponseTemplate::new(200).set_body_json(list);
    let get = || Mock::given(wiremock::matchers::method("GET")).and(path("/subscriptions"));
    get().respond_with(list).up_to_n_times(1).mount(&server).await;
    // The second webhook is already removed.
    for (url, answer) in [("a", json!({"success": true})), ("b", json!({"success": false, "message": "unknown"}))] {
        Mock::given(wiremock::matchers::method("DELETE"))
            .and(wiremock::matchers::query_param("url", format!("https://example.org/{url}")))
            .respond_with(ResponseTemplate::new(200).set_body_json(answer))
            .expect(1)
            .mount(&server)
            .await;
    }
    chat_of_next(&mut bot.updates().remove_webhooks(true).backoff(MOMENT, MOMENT)).await;
    assert_eq!(pages.polls(), 1);
    assert_eq!(requests(&server).await.len(), 5, "the webhooks are listed again after the removal");
}

#[tokio::test]
async fn a_webhook_that_cannot_be_removed_is_an_error() {
    let (server, bot, pages) = pages(&[&[1]]).await;
    let list = json!({"subscriptions": [{"url": "https://example.org/a", "time": 1}]});
    let get = Mock::given(wiremock::matchers::method("GET")).and(path("/subscriptions"));
    get.respond_with(ResponseTemplate::new(200).set_body_json(list)).mount(&server).await;
    let refused = ResponseTemplate::new(200).set_body_json(json!({"success": false, "message": "try later"}));
    Mock::given(wiremock::matchers::method("DELETE")).respond_with(refused).mount(&server).await;
    let error = bot.updates().remove_webhooks(true).try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WebhookSubscribed, "{error}");
    assert_eq!(pages.polls(), 0);
}

#[tokio::test]
async fn on_the_sandbox_removing_the_webhook_allows_polling_and_loses_no_update() {
    let tamtam = conformance::start().await;
    let (socket, url) = refusing();
    let bot = tamtam.bot();
    bot.subscribe_webhook(format!("{url}/s3cret"), []).await.unwrap();
    tamtam.user("Alice").starts();
    let error = bot.updates().try_next().await.unwrap_err();
    assert!(error.kind() == ErrorKind::WebhookSubscribed && error.to_string().contains(&url), "{error}");
    let first = bot.updates().remove_webhooks(true).try_next().await.unwrap();
    assert!(matches!(first, Some(Update::BotStarted(_))), "the undelivered update was lost: {first:?}");
    assert!(bot.api().get_subscriptions().await.unwrap().subscriptions.is_empty());
    drop(socket);
}

/// Bodies of a success that are JSON, but do not fit the document.
const MISFITS: [&str; 6] = ["{}", "[]", "[[]]", "[5]", "null", r#""text""#];
/// Bodies of a success that are not JSON.
const NOT_JSON: [&str; 5] = [
    "<html>Welcome to the hotel</html>",
    "",
    r#"{"subscriptions":[],"user_id":"#,
    r#"{"subscriptions":5,"user_id":"x","#,
    "5 <html>",
];
/// Time limit of the first item. A stream that only retries fails its test.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
const REFUSED: &str = r#"{"success":false,"message":"try later"}"#;

/// Starts a stream with these answers to the path `at`. The last answer is repeated. Returns the first item, the
/// retried failures, and the number of requests to the path.
async fn started_with(at: &str, answers: &[&str]) -> (Option<tamtam::Result<Update>>, Vec<String>, usize) {
    let (server, _, _) = pages(&[&[1]]).await;
    for (number, answer) in answers.iter().enumerate() {
        let mock = Mock::given(path(at)).respond_with(ResponseTemplate::new(200).set_body_string(*answer));
        let is_last = number + 1 == answers.len();
        let mock = if is_last { mock.with_priority(2) } else { mock.up_to_n_times(1).with_priority(1) };
        mock.mount(&server).await;
    }
    let retried = Arc::<Mutex<Vec<String>>>::default();
    let told = Arc::clone(&retried);
    let bot = bot_at(server.uri()).on_retry(move |retry| told.lock().unwrap().push(retry.error().to_string()));
    let mut updates = bot.build().unwrap().updates().marker_store(MemoryStore::new()).backoff(MOMENT, MOMENT);
    let first = tokio::time::timeout(PATIENCE, updates.next()).await.expect("the stream retries without end");
    if matches!(first, Some(Err(_))) {
        assert!(updates.next().await.is_none(), "the stream has ended");
    }
    let asked = requests(&server).await.iter().filter(|request| request.url.path() == at).count();
    let retried = retried.lock().unwrap().clone();
    (first, retried, asked)
}

#[tokio::test]
async fn a_marker_store_needs_only_the_id_of_the_bot() {
    for me in [
        r#"{"user_id":5}"#,
        r#"{"user_id":5,"name":null,"is_bot":"yes","last_activity_time":null,"commands":7}"#,
        r#"{"name":"\ud83d","user_id":5}"#,
    ] {
        let (first, retried, asked) = started_with("/me", &[me]).await;
        assert!(matches!(first, Some(Ok(Update::BotStarted(_)))), "{me}: {first:?}");
        assert_eq!((retried.len(), asked), (0, 1), "{me}");
    }
}

#[tokio::test]
async fn a_profile_or_list_of_webhooks_that_does_not_fit_ends_the_stream() {
    let profiles = [r#"{"user_id":"x"}"#, r#"{"user_id":null}"#, r#"{"subscriptions":[]}"#];
    let lists = [r#"{"subscriptions":5}"#, r#"{"subscriptions":{}}"#, r#"{"user_id":5}"#];
    for (at, bodies) in [("/me", profiles), ("/subscriptions", lists)] {
        for body in MISFITS.into_iter().chain(bodies) {
            let (first, retried, asked) = started_with(at, &[body]).await;
            let error = first.unwrap().unwrap_err();
            assert!(error.kind() == ErrorKind::Decode && !error.is_retryable(), "{at} {body}: {error:?}");
            assert_eq!((retried.len(), asked), (0, 1), "{at} {body}");
        }
    }
}

#[tokio::test]
async fn at_the_start_a_body_that_is_not_json_and_a_refusal_are_retried() {
    for (at, good) in [("/me", r#"{"user_id":5}"#), ("/subscriptions", r#"{"subscriptions":[]}"#)] {
        for body in NOT_JSON.into_iter().chain([REFUSED]) {
            let (first, retried, asked) = started_with(at, &[body, body, good]).await;
            assert!(matches!(first, Some(Ok(Update::BotStarted(_)))), "{at} {body}: {first:?}");
            assert_eq!((retried.len(), asked), (2, 3), "{at} {body}");
            assert_eq!(retried[0].ends_with(": refused: try later"), body == REFUSED, "{retried:?}");
        }
    }
}

#[tokio::test]
async fn a_null_or_empty_list_of_webhooks_means_no_webhooks() {
    for list in [r#"{"subscriptions":null}"#, r#"{"subscriptions":[]}"#] {
        let (first, retried, asked) = started_with("/subscriptions", &[list]).await;
        assert!(matches!(first, Some(Ok(Update::BotStarted(_)))), "{list}: {first:?}");
        assert_eq!((retried.len(), asked), (0, 1), "{list}");
    }
}

#[tokio::test]
async fn a_refused_poll_is_retried_and_reported_with_the_message_of_the_server() {
    let good = page(&[1], 10).to_string();
    let (first, retried, asked) = started_with("/updates", &[REFUSED, "{}", &good]).await;
    assert!(matches!(first, Some(Ok(Update::BotStarted(_)))), "{first:?}");
    assert_eq!(retried[0], "getUpdates: refused: try later");
    assert!(retried[1].contains("missing field `updates`"), "the answer of a captive portal: {retried:?}");
    assert_eq!(asked, 3);
}

#[tokio::test]
async fn after_an_unreadable_answer_to_a_removal_the_webhooks_are_listed_again() {
    let (server, bot, pages) = pages(&[&[1]]).await;
    let list = json!({"subscriptions": [{"url": "https://example.org/a", "time": 1}]});
    let get = Mock::given(wiremock::matchers::method("GET")).and(path("/subscriptions"));
    let list = ResponseTemplate::new(200).set_body_json(list);
    get.respond_with(list).up_to_n_times(1).mount(&server).await;
    let delete = Mock::given(wiremock::matchers::method("DELETE"));
    delete.respond_with(ResponseTemplate::new(200).set_body_string("{}")).expect(1).mount(&server).await;
    chat_of_next(&mut bot.updates().remove_webhooks(true)).await;
    assert_eq!(pages.polls(), 1);
}
#[tokio::test]
async fn a_setting_out_of_range_is_an_error_before_the_first_request() {
    type Set = fn(Updates) -> Updates;
    let settings: [(Set, &str); 5] = [
        (|updates| updates.limit(0), "limit is 0, expected from 1 to 1000"),
        (|updates| updates.limit(5000), "limit is 5000, expected from 1 to 1000"),
        (|updates| updates.timeout(Duration::from_secs(500)), "timeout is 500, expected from 0 to 90"),
        (|updates| updates.timeout(Duration::from_millis(90_001)), "timeout is 91, expected from 0 to 90"),
        (|updates| updates.timeout(Duration::MAX), "timeout is 4294967295, expected from 0 to 90"),
    ];
    for (set, problem) in settings {
        let (server, bot, _) = pages(&[&[1]]).await;
        let store = Watched::default();
        let mut updates = set(bot.updates().marker_store(store.clone()).skip_pending().remove_webhooks(true));
        let error = updates.try_next().await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidRequest && !error.is_retryable(), "{error:?}");
        assert_eq!(error.to_string(), format!("getUpdates: not sent: {problem}"));
        assert!(updates.next().await.is_none(), "the stream has ended");
        let error = set(bot.updates()).run(|_, _| async {}).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error:?}");
        assert!(requests(&server).await.is_empty() && store.asked().is_empty());
    }
    let (_server, bot, _) = pages(&[&[1], &[2]]).await;
    for limit in [1, 1000] {
        chat_of_next(&mut bot.updates().limit(limit).timeout(Duration::from_secs(90))).await;
    }
}
