//! Limits of response bodies: endless bodies, gzip bombs, and pages that are too large.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
};

use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use tamtam::{Bot, BotBuilder, ChatId, Error, ErrorKind, Update, settings::RetryPolicy};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::path};

use crate::{
    common::{answering, bot_at, mock_server, read_request, requests},
    fault_server::quick,
};

/// A limit in bytes that tests reach quickly.
const LIMIT: usize = 100_000;

/// Starts a server that answers every request with this head and an endless body.
async fn endless(head: &'static str) -> BotBuilder {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                if read_request(&mut connection).await.is_none() {
                    return;
                }
                let _ = connection.write_all(head.as_bytes()).await;
                // A chunk of 4096 spaces, which JSON allows everywhere.
                let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
                while connection.write_all(chunk.as_bytes()).await.is_ok() {}
            });
        }
    });
    Bot::builder("token").base_url(url).retry(quick()).http(|http| http.no_proxy())
}

fn assert_names(error: &Error, limit: usize, setting: &str) {
    assert!(
        error.kind() == ErrorKind::TooLarge && !error.is_retryable() && error.status().unwrap() == 200,
        "{error:?}"
    );
    let words = error.to_string();
    assert!(words.contains(&format!("limit of {limit} bytes")) && words.contains(setting), "{words}");
}

const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
const UNTIL_THE_END: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
const A_GIGABYTE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";

#[tokio::test]
async fn a_body_without_an_end_is_read_up_to_the_limit() {
    for head in [CHUNKED, UNTIL_THE_END, A_GIGABYTE] {
        let bot = endless(head).await.max_response_bytes(LIMIT).max_page_bytes(2 * LIMIT).build().unwrap();
        let error = bot.me().await.unwrap_err();
        assert_names(&error, LIMIT, "max_response_bytes");
        assert_eq!(error.attempts(), 1, "another attempt would fail, too");
        assert!(!error.may_have_been_applied());
        let error = bot.send(ChatId(1), "hi").await.unwrap_err();
        assert_names(&error, LIMIT, "max_response_bytes");
        assert!(error.may_have_been_applied() && error.attempts() == 1, "{error:?}");
        assert_names(&bot.request(http::Method::GET, "/me").await.unwrap_err(), LIMIT, "max_response_bytes");
        assert_names(&bot.api().get_updates().await.unwrap_err(), 2 * LIMIT, "max_page_bytes");
    }
}

#[tokio::test]
async fn a_gzip_bomb_is_decompressed_up_to_the_limit() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let spaces = vec![b' '; 1024 * 1024];
    for _ in 0..64 {
        encoder.write_all(&spaces).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < LIMIT, "the compressed body must be within the limit");
    let server =
        answering(ResponseTemplate::new(200).insert_header("content-encoding", "gzip").set_body_bytes(bomb)).await;
    let bot = bot_at(server.uri()).max_response_bytes(LIMIT).max_page_bytes(LIMIT).build().unwrap();
    assert_names(&bot.me().await.unwrap_err(), LIMIT, "max_response_bytes");
    assert_names(&bot.api().get_updates().await.unwrap_err(), LIMIT, "max_page_bytes");
}

#[tokio::test]
async fn a_body_as_large_as_the_limit_is_read() {
    let body = crate::common::bot_info().to_string();
    let server = answering(ResponseTemplate::new(200).set_body_string(&body)).await;
    let with = |limit| bot_at(server.uri()).max_response_bytes(limit).build().unwrap();
    with(body.len()).me().await.unwrap();
    assert_names(&with(body.len() - 1).me().await.unwrap_err(), body.len() - 1, "max_response_bytes");
}

#[tokio::test]
async fn the_default_limits_are_16_mib_and_64_mib_for_pages() {
    let mib = 1024 * 1024;
    let body = |bytes: usize| ResponseTemplate::new(200).set_body_bytes(vec![b' '; bytes]);
    let server = answering(body(16 * mib + 1)).await;
    let bot = bot_at(server.uri()).retry(RetryPolicy::none()).build().unwrap();
    assert_names(&bot.me().await.unwrap_err(), 16 * mib, "max_response_bytes");
    let server = answering(body(64 * mib + 1)).await;
    let bot = bot_at(server.uri()).build().unwrap();
    assert_names(&bot.api().get_updates().await.unwrap_err(), 64 * mib, "max_page_bytes");
}

/// Starts a server with `updates` waiting updates of `bytes` bytes each. It respects the `limit` of requests.
async fn backlog(updates: usize, bytes: usize) -> (MockServer, Arc<Mutex<Vec<usize>>>) {
    let server = mock_server().await;
    let limits = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&limits);
    let page = move |request: &Request| {
        let parameter = |name: &str| {
            let value = request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
            value.map(|value| value.parse::<usize>().unwrap())
        };
        let (first, limit) = (parameter("marker").unwrap_or(0), parameter("limit").unwrap_or(100));
        asked.lock().unwrap().push(limit);
        let end = updates.min(first + limit);
        let update = |number: usize| json!({"update_type": "x", "number": number, "filler": "x".repeat(bytes)});
        let page: Vec<_> = (first..end).map(update).collect();
        ResponseTemplate::new(200).set_body_json(json!({"updates": page, "marker": end}))
    };
    Mock::given(path("/updates")).respond_with(page).mount(&server).await;
    let none = ResponseTemplate::new(200).set_body_json(json!({"subscriptions": []}));
    Mock::given(path("/subscriptions")).respond_with(none).mount(&server).await;
    (server, limits)
}

#[tokio::test]
async fn a_page_over_the_limit_is_requested_in_smaller_pages_without_loss() {
    let (server, limits) = backlog(300, 2000).await;
    let bot = bot_at(server.uri()).max_page_bytes(LIMIT).build().unwrap();
    let mut updates = bot.updates();
    for expected in 0..300 {
        let Some(Update::Unknown(update)) = updates.try_next().await.unwrap() else { panic!("no update {expected}") };
        assert_eq!(update.to_value()["number"], expected);
    }
    let limits = limits.lock().unwrap();
    assert_eq!(limits[..4], [100, 50, 25, 25], "the limit is not halved until a page fits: {limits:?}");
}

#[tokio::test]
async fn a_single_update_over_the_limit_ends_the_stream() {
    let (server, limits) = backlog(300, LIMIT).await;
    let bot = bot_at(server.uri()).max_page_bytes(LIMIT).build().unwrap();
    let mut updates = bot.updates().limit(10);
    assert_names(&updates.try_next().await.unwrap_err(), LIMIT, "max_page_bytes");
    assert!(updates.try_next().await.unwrap().is_none());
    assert_eq!(*limits.lock().unwrap(), [10, 5, 2, 1]);
}

#[tokio::test]
async fn a_backlog_over_the_limit_is_skipped() {
    let (server, limits) = backlog(300, 2000).await;
    let bot = bot_at(server.uri()).max_page_bytes(LIMIT).build().unwrap();
    let mut updates = bot.updates().skip_pending();
    tokio::select! {
        next = updates.next() => panic!("{next:?}"),
        () = async {
            let mut skipped = false;
            while !skipped {
                tokio::task::yield_now().await;
                skipped = requests(&server).await.iter().any(|request| {
                    request.url.query().unwrap().contains("marker=300") && !request.url.query().unwrap().contains("limit=")
                });
            }
        } => {}
    }
    assert_eq!(limits.lock().unwrap()[..6], [1000, 500, 250, 125, 62, 31]);
}
