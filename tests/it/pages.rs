//! Paginated lists: on the sandbox for the behavior of TamTam, on wiremock for timestamps and markers that TamTam
//! never sends.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::{TryStreamExt as _, future::poll_immediate};
use serde_json::{Value, json};
use tamtam::{Bot, ChatId, ErrorKind};
use tamtam_sandbox::{Fault, Sandbox};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::{
    common::{bot, chat, member, mock_server, parameter, requests},
    conformance,
};

/// Counts the calls of an operation of the sandbox from now on.
fn calls(tamtam: &Sandbox, operation: &'static str) -> Arc<AtomicUsize> {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    tamtam.on_exchange(move |exchange| {
        if exchange.operation() == Some(operation) {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    calls
}

#[tokio::test]
async fn chats_are_listed_page_by_page_each_once() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    let groups: Vec<_> = (0..7).map(|number| tamtam.group(format!("Group {number}"), [&alice]).chat_id()).collect();
    let asked = calls(&tamtam, "getChats");
    let mut chats = tamtam.bot().chats().page_size(3);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    let mut seen = Vec::new();
    while let Some(chat) = chats.try_next().await.unwrap() {
        seen.push(chat.chat_id);
        // No page is requested before it is needed.
        assert_eq!(asked.load(Ordering::SeqCst), seen.len().div_ceil(3));
    }
    assert_eq!(seen, groups);
    assert!(chats.next().await.is_none());
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn members_are_listed_page_by_page_each_once() {
    let tamtam = conformance::start().await;
    let people: Vec<_> = (0..5).map(|number| tamtam.user(format!("Person {number}"))).collect();
    let team = tamtam.group("Team", &people);
    let members = tamtam.bot().members(team.chat_id()).page_size(2).all().await.unwrap();
    let mut names: Vec<_> = members.iter().map(|member| member.name.as_str()).filter(|name| *name != "Bot").collect();
    names.retain(|name| name.starts_with("Person"));
    names.sort_unstable();
    assert_eq!(names, ["Person 0", "Person 1", "Person 2", "Person 3", "Person 4"]);
    assert_eq!(members.len(), 6, "the bot is a member, too");
}

#[tokio::test]
async fn messages_are_listed_newest_first_each_once() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    alice.starts();
    for number in 0..8 {
        alice.says(number.to_string());
    }
    for page_size in [2, 3, 4, 8, 9, 100] {
        let messages = tamtam.bot().messages(alice.chat_id()).page_size(page_size).all().await.unwrap();
        let texts: Vec<_> = messages.iter().filter_map(|message| message.text()).collect();
        assert_eq!(texts, ["7", "6", "5", "4", "3", "2", "1", "0"], "{page_size}");
    }
}

#[tokio::test]
async fn since_and_until_are_inclusive() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    alice.starts();
    for number in 0..6 {
        alice.says(number.to_string());
    }
    let bot = tamtam.bot();
    let all = bot.messages(alice.chat_id()).all().await.unwrap();
    let times: Vec<_> = all.iter().rev().map(|message| message.timestamp).collect();
    let texts = async |messages: tamtam::pages::Messages| {
        let messages = messages.page_size(2).all().await.unwrap();
        messages.iter().map(|message| message.text().unwrap().to_owned()).collect::<String>()
    };
    let chat = alice.chat_id();
    assert_eq!(texts(bot.messages(chat).since(times[1]).until(times[4])).await, "4321");
    assert_eq!(texts(bot.messages(chat).since(times[1] + 1).until(times[4] - 1)).await, "32");
    assert_eq!(texts(bot.messages(chat).since(times[4])).await, "54");
    assert_eq!(texts(bot.messages(chat).until(times[1])).await, "10");
    assert_eq!(texts(bot.messages(chat).since(times[2]).until(times[2])).await, "2");
    assert_eq!(texts(bot.messages(chat).since(i64::MIN).until(i64::MAX)).await, "543210");
    assert_eq!(texts(bot.messages(chat).until(times[0] - 1)).await, "");
}

#[tokio::test]
async fn invalid_parameters_of_a_list_are_errors_with_a_hint() {
    let server = mock_server().await;
    let bot = bot(&server);
    for (error, words) in [
        (
            bot.chats().page_size(0).all().await.unwrap_err(),
            "getChats: not sent: page_size is 0, expected from 1 to 100",
        ),
        (
            bot.members(7).page_size(101).all().await.unwrap_err(),
            "getMembers: not sent: page_size is 101, expected from 1 to 100",
        ),
        (
            bot.messages(7).page_size(1).all().await.unwrap_err(),
            "getMessages: not sent: page_size is 1, expected from 2 to 100",
        ),
        (
            bot.messages(7).since(2).until(1).all().await.unwrap_err(),
            "getMessages: not sent: since is 2, which is later than `until`, 1: swap them",
        ),
    ] {
        assert_eq!(error.to_string(), words);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
    let api = bot.api();
    for (error, words) in [
        (api.get_chats().count(101).await.unwrap_err(), "getChats: not sent: count is 101, expected from 1 to 100"),
        (api.get_members(7).count(0).await.unwrap_err(), "getMembers: not sent: count is 0, expected from 1 to 100"),
        (api.get_messages().count(-1).await.unwrap_err(), "getMessages: not sent: count is -1, expected from 1 to 100"),
        (
            api.get_updates().limit(1001).await.unwrap_err(),
            "getUpdates: not sent: limit is 1001, expected from 1 to 1000",
        ),
        (
            api.get_updates().timeout(91).await.unwrap_err(),
            "getUpdates: not sent: timeout is 91, expected from 0 to 90",
        ),
    ] {
        assert_eq!(error.to_string(), words);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    }
    assert!(requests(&server).await.is_empty());
    let mut chats = bot.chats().page_size(0);
    assert!(chats.next().await.is_some_and(|chat| chat.is_err()));
    assert!(chats.next().await.is_none());
}

#[tokio::test]
async fn the_stream_continues_after_a_retryable_error_and_ends_after_others() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    alice.starts();
    for number in 0..3 {
        alice.says(number.to_string());
    }
    let bot = Bot::builder(tamtam.token())
        .base_url(tamtam.base_url())
        .retry(tamtam::settings::RetryPolicy::none())
        .build()
        .unwrap();
    let mut messages = bot.messages(alice.chat_id()).page_size(2);
    let text = |message: tamtam::Message| message.text().unwrap().to_owned();
    assert_eq!(messages.try_next().await.unwrap().map(text).as_deref(), Some("2"));
    assert_eq!(messages.try_next().await.unwrap().map(text).as_deref(), Some("1"));
    tamtam.fails("getMessages", Fault::status(502));
    assert!(messages.try_next().await.unwrap_err().is_retryable());
    assert_eq!(messages.try_next().await.unwrap().map(text).as_deref(), Some("0"));
    tamtam.fails("getMessages", Fault::error(403, "chat.denied", "error.dialog.suspended"));
    assert!(messages.try_next().await.unwrap_err().is_forbidden());
    assert_eq!(messages.try_next().await.unwrap(), None);
}

#[tokio::test]
async fn a_stream_whose_errors_are_collected_ends() {
    let tamtam = conformance::start().await;
    let bot = Bot::builder(tamtam.token())
        .base_url(tamtam.base_url())
        .retry(tamtam::settings::RetryPolicy::none())
        .build()
        .unwrap();
    tamtam.fails("getChats", Fault::status(502).times(10));
    let mut chats = bot.chats();
    for _ in 0..3 {
        assert!(chats.next().await.unwrap().unwrap_err().is_retryable());
    }
    assert!(chats.next().await.is_none());
}

#[tokio::test]
async fn a_canceled_wait_continues_the_same_request() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    tamtam.group("Team", [&alice]);
    let asked = calls(&tamtam, "getChats");
    let mut chats = tamtam.bot().chats();
    assert!(poll_immediate(chats.next()).await.is_none());
    assert_eq!(chats.try_next().await.unwrap().unwrap().title.as_deref(), Some("Team"));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(chats.try_next().await.unwrap(), None);
}

#[tokio::test]
async fn a_list_is_a_stream() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    let team = tamtam.group("Team", [&alice]);
    alice.in_chat(&team).says("hi");
    let bot = tamtam.bot();
    assert_eq!(bot.chats().try_collect::<Vec<_>>().await.unwrap().len(), 1);
    assert_eq!(bot.members(team.chat_id()).try_collect::<Vec<_>>().await.unwrap().len(), 2);
    assert_eq!(bot.messages(team.chat_id()).try_collect::<Vec<_>>().await.unwrap().len(), 1);
    // The future can be sent to another task.
    let chats = tokio::spawn(bot.chats().all()).await.unwrap();
    assert_eq!(chats.unwrap().len(), 1);
}

/// Starts a server that answers with these pages in order. The last page is repeated.
async fn pages(pages: Vec<Value>) -> (MockServer, Bot) {
    let server = mock_server().await;
    let next = AtomicUsize::new(0);
    let answer = move |_: &Request| {
        let at = next.fetch_add(1, Ordering::SeqCst).min(pages.len() - 1);
        ResponseTemplate::new(200).set_body_json(&pages[at])
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let bot = bot(&server);
    (server, bot)
}

#[tokio::test]
async fn a_member_that_moves_while_a_list_is_read_is_returned_once() {
    let page = |ids: &[i64], marker: Value| {
        let members: Vec<_> = ids.iter().map(|id| member(*id, "M")).collect();
        json!({"members": members, "marker": marker})
    };
    let (server, bot) = pages(vec![page(&[1, 2], json!(5)), page(&[2, 1], json!(6)), page(&[2, 3], json!(null))]).await;
    let ids: Vec<_> = bot.members(7).all().await.unwrap().iter().map(|member| member.user_id.0).collect();
    assert_eq!(ids, [1, 2, 3]);
    let markers: Vec<_> = requests(&server).await.iter().flat_map(|request| parameter(request, "marker")).collect();
    assert_eq!(markers, ["5", "6"]);
}

#[tokio::test]
async fn a_page_that_names_itself_as_the_next_one_is_an_error_after_its_items() {
    let page = |id: i64| json!({"chats": [chat(id, "C")], "marker": 5});
    let (server, bot) = pages(vec![page(1), page(2)]).await;
    let mut chats = bot.chats();
    assert_eq!(chats.try_next().await.unwrap().unwrap().chat_id, ChatId(1));
    assert_eq!(chats.try_next().await.unwrap().unwrap().chat_id, ChatId(2));
    let error = chats.try_next().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Pagination && !error.is_retryable());
    assert_eq!(
        error.to_string(),
        "getChats: cannot read the next page of the list: the page of the marker 5 has the same marker for the next page"
    );
    assert_eq!(chats.try_next().await.unwrap(), None);
    assert_eq!(requests(&server).await.len(), 2);
}

#[tokio::test]
async fn pages_that_repeat_or_stay_empty_are_an_error() {
    let circle = |marker: usize| json!({"chats": [chat(1, "C")], "marker": marker % 2});
    let empty = |marker: usize| json!({"chats": [], "marker": marker});
    for endless in [(0..100).map(circle).collect::<Vec<_>>(), (0..100).map(empty).collect()] {
        let (server, bot) = pages(endless).await;
        let error = bot.chats().all().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Pagination, "{error}");
        assert!(requests(&server).await.len() < 20);
    }
}

/// A mock chat with these messages. It follows the document for `from` and `to`.
#[derive(Clone)]
struct Past(Vec<Value>);

impl Past {
    /// Returns a chat with messages of these times.
    fn of(times: &[i64]) -> Self {
        Self(times.iter().enumerate().map(|(number, time)| past(&format!("mid.{number}"), *time)).collect())
    }

    async fn serve(&self) -> (MockServer, Bot) {
        let server = mock_server().await;
        Mock::given(any()).respond_with(self.clone()).mount(&server).await;
        let bot = bot(&server);
        (server, bot)
    }
}

fn past(mid: &str, time: i64) -> Value {
    json!({
        "recipient": {"chat_id": 7, "chat_type": "dialog"},
        "timestamp": time,
        "body": {"mid": mid, "seq": 1, "text": time.to_string()},
    })
}

impl Respond for Past {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let number = |name| parameter(request, name).first().map(|value| value.parse::<i64>().unwrap());
        let (from, to) = (number("from").unwrap_or(i64::MAX), number("to").unwrap_or(i64::MIN));
        if to >= from {
            let error = json!({"code": "proto.payload", "message": "to: must be smaller than from"});
            return ResponseTemplate::new(400).set_body_json(error);
        }
        let time = |message: &Value| message["timestamp"].as_i64().unwrap();
        let mut found: Vec<_> = self.0.iter().filter(|message| (to..=from).contains(&time(message))).collect();
        found.sort_by_key(|message| std::cmp::Reverse(time(message)));
        found.truncate(number("count").unwrap() as usize);
        ResponseTemplate::new(200).set_body_json(json!({ "messages": found }))
    }
}

fn mids(messages: &[tamtam::Message]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_ref().unwrap().mid.as_str()).collect()
}

#[tokio::test]
async fn messages_of_one_millisecond_are_not_lost_between_pages() {
    let (server, bot) = Past::of(&[9, 8, 8, 8, 7, 7]).serve().await;
    for (page_size, pages) in [(4, 3), (5, 2), (6, 2), (7, 2)] {
        let before = requests(&server).await.len();
        let messages = bot.messages(7).page_size(page_size).all().await.unwrap();
        assert_eq!(mids(&messages), ["mid.0", "mid.1", "mid.2", "mid.3", "mid.4", "mid.5"], "{page_size}");
        assert_eq!(requests(&server).await.len() - before, pages, "{page_size}");
    }
}

#[tokio::test]
async fn a_full_page_of_one_timestamp_is_an_error() {
    let (_server, bot) = Past::of(&[9, 8, 8, 8, 7]).serve().await;
    let mut messages = bot.messages(7).page_size(3);
    for mid in ["mid.0", "mid.1", "mid.2", "mid.3"] {
        assert_eq!(mids(&[messages.try_next().await.unwrap().unwrap()]), [mid]);
    }
    let error = messages.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pagination, "{error}");
    assert_eq!(
        error.to_string(),
        "getMessages: cannot read the next page of the list: a full page of 3 messages up to the time 8 has no earlier message, \
         so messages of that time may be missing: set a larger `page_size` or an earlier `until`"
    );
    assert_eq!(messages.try_next().await.unwrap(), None);
    // Both ways around the error work.
    assert_eq!(mids(&bot.messages(7).page_size(3).until(7).all().await.unwrap()), ["mid.4"]);
    assert_eq!(bot.messages(7).page_size(4).all().await.unwrap().len(), 5);
}

#[tokio::test]
async fn for_any_timestamps_all_messages_are_returned_once_or_an_error_is() {
    // Pseudo-random numbers that are the same in every run.
    let mut state = 7_u64;
    let mut below = move |limit: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as i64) % limit
    };
    let (mut whole, mut failed) = (0, 0);
    for _ in 0..60 {
        // A time of 0 means that there is no time.
        let mut times: Vec<_> = (0..below(20)).map(|_| 1 + below(12)).collect();
        times.sort_by_key(|time| -time);
        let (_server, bot) = Past::of(&times).serve().await;
        let page_size = 2 + below(5);
        let (since, until) = (below(6), 6 + below(6));
        let messages = bot.messages(7).page_size(page_size as u32).since(since).until(until).all().await;
        let wanted: Vec<_> = times.iter().copied().filter(|time| (since..=until).contains(time)).collect();
        let crowded = |time: &i64| wanted.iter().filter(|other| *other == time).count() as i64 >= page_size;
        match messages {
            Ok(messages) => {
                assert!(!wanted.iter().any(crowded), "{times:?} {page_size} {since} {until}");
                let got: Vec<_> = messages.iter().map(|message| message.timestamp).collect();
                assert_eq!(got, wanted, "{times:?} {page_size} {since} {until}");
                let mut mids = mids(&messages);
                mids.sort_unstable();
                mids.dedup();
                assert_eq!(mids.len(), wanted.len());
                whole += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Pagination, "{error}");
                assert!(wanted.iter().any(crowded), "{times:?} {page_size} {since} {until}");
                failed += 1;
            }
        }
    }
    assert!(whole > 5 && failed > 5, "{whole} {failed}");
}

#[tokio::test]
async fn a_forward_without_a_body_is_returned_once() {
    let forward = |mid: &str, time: i64| {
        json!({
            "recipient": {"chat_id": 7, "chat_type": "dialog"},
            "timestamp": time,
            "body": null,
            "link": {"type": "forward", "message": {"mid": mid, "seq": 1, "text": "old"}},
        })
    };
    let (_server, bot) =
        Past(vec![past("mid.1", 9), forward("mid.2", 8), forward("mid.3", 8), past("mid.4", 7)]).serve().await;
    let messages = bot.messages(7).page_size(3).all().await.unwrap();
    let times: Vec<_> = messages.iter().map(|message| message.timestamp).collect();
    assert_eq!(times, [9, 8, 8, 7]);
}

#[tokio::test]
async fn a_page_of_messages_that_do_not_fit_does_not_end_the_list() {
    let odd = json!({"body": 5});
    let list = |messages: &[&Value]| json!({ "messages": messages });
    let (two, one) = (past("mid.2", 9), past("mid.1", 8));
    // The times of the invalid messages are unknown, so the start of the next page is, too.
    for pages_of_two in [vec![list(&[&odd, &odd])], vec![list(&[&two, &odd]), list(&[&two, &odd])]] {
        let (_server, bot) = pages(pages_of_two).await;
        let error = bot.messages(7).page_size(2).all().await.unwrap_err();
        assert!(error.to_string().contains("cannot read the next page of the list"), "{error}");
    }
    let (_server, bot) = pages(vec![list(&[&two, &odd, &one]), list(&[&one])]).await;
    assert_eq!(mids(&bot.messages(7).page_size(3).all().await.unwrap()), ["mid.2", "mid.1"]);
}

#[tokio::test]
async fn a_message_without_a_time_on_every_page_is_returned_once() {
    let mut timeless = past("mid.x", 0);
    timeless["timestamp"] = json!("6");
    let list = |messages: &[&Value]| json!({ "messages": messages });
    let (ten, nine, six, five) = (past("mid.10", 10), past("mid.9", 9), past("mid.6", 6), past("mid.5", 5));
    let (_server, bot) = pages(vec![
        list(&[&ten, &nine, &timeless]),
        list(&[&nine, &timeless, &six]),
        list(&[&timeless, &six, &five]),
        list(&[&five]),
    ])
    .await;
    let messages = bot.messages(7).page_size(3).all().await.unwrap();
    assert_eq!(mids(&messages), ["mid.10", "mid.9", "mid.x", "mid.6", "mid.5"]);
}

#[tokio::test]
async fn a_message_without_a_time_is_returned_once_and_does_not_end_the_list() {
    let timeless = |mid: &str, time: Value| {
        let mut message = past(mid, 0);
        message["timestamp"] = time;
        message
    };
    let (first, second) = (timeless("mid.3", json!("8")), timeless("mid.1", Value::Null));
    let list = |messages: &[&Value]| json!({ "messages": messages });
    let (four, two, zero) = (past("mid.4", 9), past("mid.2", 7), past("mid.0", 5));
    for since in [None, Some(4)] {
        let (server, bot) =
            pages(vec![list(&[&four, &first, &two]), list(&[&first, &two, &second, &zero]), list(&[&second, &zero])])
                .await;
        let mut messages = bot.messages(7).page_size(4);
        if let Some(since) = since {
            messages = messages.since(since);
        }
        let messages = messages.all().await.unwrap();
        assert_eq!(mids(&messages), ["mid.4", "mid.3", "mid.2", "mid.1", "mid.0"]);
        let froms: Vec<_> = requests(&server).await.iter().flat_map(|request| parameter(request, "from")).collect();
        assert_eq!(froms, ["7", "5"], "{since:?}");
    }
    let (_server, bot) = pages(vec![list(&[&first, &second])]).await;
    assert_eq!(mids(&bot.messages(7).page_size(3).all().await.unwrap()), ["mid.3", "mid.1"]);
    let error = bot.messages(7).page_size(2).all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pagination, "without a time, the next page cannot be requested: {error}");
}

#[tokio::test]
async fn a_server_that_always_returns_the_newest_messages_is_an_error() {
    let newest = json!({"messages": [past("mid.3", 9), past("mid.2", 8)]});
    let (server, bot) = pages(vec![newest]).await;
    let mut messages = bot.messages(7).page_size(2);
    assert_eq!(mids(&[messages.try_next().await.unwrap().unwrap()]), ["mid.3"]);
    assert_eq!(mids(&[messages.try_next().await.unwrap().unwrap()]), ["mid.2"]);
    assert_eq!(messages.try_next().await.unwrap_err().kind(), ErrorKind::Pagination);
    assert_eq!(requests(&server).await.len(), 2);
}
