//! The upload host: how it is reached, and that neither it nor a redirect target receives the bot's token.

use serde_json::json;
use tamtam::{Bot, ErrorKind, settings::RetryPolicy};
use tracing::level_filters::LevelFilter;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use super::{PROTOCOLS, as_everything, content};
use crate::{
    common::{
        ENCODED_TOKEN, SERVICES, TOKEN, answering, answering_json, bot_at, bot_of, mock_server, refusing, requests,
    },
    fault_server::quick,
    traced::Traced,
};

/// Starts an API that returns this upload URL, and a bot for it.
async fn api_with(url: impl Into<String>) -> (MockServer, Bot) {
    let api = answering_json(&json!({ "url": url.into() })).await;
    let bot = bot_at(api.uri()).build().unwrap();
    (api, bot)
}

/// Starts a host that accepts every upload of every kind.
async fn taking() -> MockServer {
    answering_json(&json!({ "token": "t", "fileId": 1 })).await
}

fn assert_no_token(request: &Request) {
    let head = format!("{} {:?}", request.url, request.headers);
    let body = String::from_utf8_lossy(&request.body);
    for token in [TOKEN, ENCODED_TOKEN, "s3cr3t", "access_token"] {
        assert!(!head.contains(token) && !body.contains(token), "{head}\n{body}");
    }
}

#[tokio::test]
async fn the_token_does_not_go_to_the_upload_host() {
    for service in SERVICES {
        let host = taking().await;
        let api = answering_json(&json!({ "url": format!("{}/up?id=1", host.uri()) })).await;
        as_everything(&bot_of(&service, &api), || content(2500)).await;
        let requests = requests(&host).await;
        assert_eq!(requests.len(), 4 * (1 + 3));
        for request in &requests {
            assert_no_token(request);
            assert_eq!((request.url.path(), request.url.query()), ("/up", Some("id=1")), "the URL is used unchanged");
            assert!(!request.headers.contains_key("referer") && !request.headers.contains_key("authorization"));
        }
    }
}

#[tokio::test]
async fn the_token_does_not_go_to_the_upload_host_over_http_2() {
    let host = taking().await;
    let api = answering_json(&json!({ "url": host.uri() })).await;
    let bot = Bot::builder(TOKEN).base_url(api.uri()).http(|http| http.no_proxy().http2_prior_knowledge());
    as_everything(&bot.build().unwrap(), || content(2500)).await;
    let requests = requests(&host).await;
    assert_eq!(requests.len(), 4 * (1 + 3));
    assert_eq!(requests[1].body, content(2500)[..1000]);
    requests.iter().for_each(assert_no_token);
}

#[tokio::test]
async fn redirects_of_the_upload_host_are_not_followed() {
    for resumable in PROTOCOLS {
        for status in [301, 302, 303, 307, 308] {
            let other = taking().await;
            let location = format!("{}/elsewhere", other.uri());
            let host = answering(ResponseTemplate::new(status).insert_header("location", location.as_str())).await;
            let (_api, bot) = api_with(format!("{}/up", host.uri())).await;
            let error = bot.upload_file(content(10)).resumable(resumable).await.unwrap_err();
            assert_eq!(error.status().unwrap(), status);
            requests(&host).await.iter().for_each(assert_no_token);
            assert!(requests(&other).await.is_empty(), "a redirect was followed");
        }
    }
}

#[tokio::test]
async fn a_status_query_does_not_carry_the_token() {
    let host = mock_server().await;
    let answer = |request: &Request| match request.method.as_str() {
        "GET" => ResponseTemplate::new(200).set_body_string("0-4/10"),
        _ if request.headers["content-range"] == "bytes 0-9/10" => ResponseTemplate::new(503),
        _ => ResponseTemplate::new(200).set_body_json(json!({ "token": "t" })),
    };
    Mock::given(any()).respond_with(answer).mount(&host).await;
    let api = answering_json(&json!({ "url": host.uri() })).await;
    let bot = bot_at(api.uri()).retry(quick()).build().unwrap();
    bot.upload_file(content(10)).resumable(true).await.unwrap();
    let requests = requests(&host).await;
    let seen: Vec<_> = requests.iter().map(|one| (one.method.as_str(), one.body.len())).collect();
    assert_eq!(seen, [("POST", 10), ("GET", 0), ("POST", 5)]);
    assert_eq!(requests[2].body, content(10)[5..]);
    requests.iter().for_each(assert_no_token);
}

#[tokio::test]
async fn bytes_that_the_host_did_not_confirm_are_sent_again() {
    let host = mock_server().await;
    let answer = |request: &Request| match request.headers["content-range"].to_str().unwrap() {
        "bytes 0-3/10" => ResponseTemplate::new(201).set_body_string("0-1/10"),
        "bytes 2-5/10" => ResponseTemplate::new(201).set_body_string("whatever"),
        "bytes 6-9/10" => ResponseTemplate::new(200).set_body_json(json!({ "token": "t" })),
        _ => ResponseTemplate::new(400),
    };
    Mock::given(any()).respond_with(answer).mount(&host).await;
    let (_api, bot) = api_with(host.uri()).await;
    bot.upload_file(content(10)).resumable(true).chunk_size(4).await.unwrap();
    let bodies: Vec<Vec<u8>> = requests(&host).await.into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [&content(10)[0..4], &content(10)[2..6], &content(10)[6..10]]);
}

#[tokio::test]
async fn an_impossible_confirmation_restarts_the_upload_with_a_fresh_url() {
    for told in ["0-9/10", "0-0/10", "5-3/10"] {
        let host = answering(ResponseTemplate::new(201).set_body_string(told)).await;
        let api = answering_json(&json!({ "url": host.uri() })).await;
        let bot = bot_at(api.uri()).retry(quick()).build().unwrap();
        let error = bot.upload_file(content(100)).resumable(true).chunk_size(1).await.unwrap_err();
        // `0-0` is correct for the first byte, but not for the second. `5-3` is not understood, and counts as a
        // confirmation.
        assert!(requests(&api).await.len() == if told == "5-3/10" { 1 } else { 3 }, "{told}: {error}");
    }
}

#[tokio::test]
async fn an_upload_url_without_a_scheme_uses_the_scheme_of_the_api() {
    let host = taking().await;
    let (_api, bot) = api_with(format!("{}/up", host.uri().strip_prefix("http:").unwrap())).await;
    bot.upload_file(content(10)).await.unwrap();
    assert_eq!(requests(&host).await[0].url.path(), "/up");
}

#[tokio::test]
async fn an_invalid_upload_url_is_an_error_that_does_not_show_it() {
    for url in ["", "s3cr3t", "ftp://example.org/s3cr3t", "file:///s3cr3t"] {
        let (_api, bot) = api_with(url).await;
        let error = bot.upload_file(content(10)).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && !format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
    }
}

#[tokio::test]
async fn errors_and_traces_show_neither_the_token_nor_the_upload_url() {
    let (traced, _guard) = Traced::start(LevelFilter::DEBUG);
    let (_port, nowhere) = refusing();
    let quoting = mock_server().await;
    // The host quotes the token, although it did not receive it.
    let page =
        |_: &Request| ResponseTemplate::new(200).set_body_json(json!({ "error": format!("{TOKEN} {ENCODED_TOKEN}") }));
    Mock::given(any()).respond_with(page).mount(&quoting).await;
    // A failing host quotes the upload URL.
    let repeating = mock_server().await;
    let page = |request: &Request| ResponseTemplate::new(502).set_body_string(format!("GET {}", request.url));
    Mock::given(any()).respond_with(page).mount(&repeating).await;
    let misfit = answering_json(&json!(TOKEN)).await;
    let failing = answering(ResponseTemplate::new(400).set_body_string(TOKEN)).await;
    for host in [nowhere, quoting.uri(), repeating.uri(), misfit.uri(), failing.uri()] {
        for resumable in PROTOCOLS {
            let (_api, bot) = api_with(format!("{host}/secret-place")).await;
            let upload = bot.upload_file(content(10)).resumable(resumable);
            assert!(!format!("{upload:?}").contains("s3cr3t"));
            let error = upload.await.unwrap_err();
            let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&error);
            while let Some(error) = next {
                let text = format!("{error} {error:?} {error:#?}");
                assert!(!text.contains("s3cr3t") && !text.contains("secret-place"), "{text}");
                next = error.source();
            }
        }
    }
    let traced = traced.text();
    assert!(traced.contains("uploadFile"), "{traced}");
    assert!(!traced.contains("s3cr3t"), "{traced}");
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_a_connect_error() {
    let (_port, nowhere) = refusing();
    let (api, _) = api_with(nowhere).await;
    let bot = Bot::builder(TOKEN).base_url(api.uri()).retry(quick()).http(|http| http.no_proxy()).build().unwrap();
    for resumable in PROTOCOLS {
        let error = bot.upload_file(content(10)).resumable(resumable).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Connect && error.is_retryable() && error.attempts() == 3, "{error}");
    }
    assert_eq!(requests(&api).await.len(), 2, "an unused URL is used again");
}

#[tokio::test]
async fn retry_after_of_the_upload_host_is_respected_and_returned() {
    let answer = ResponseTemplate::new(429).insert_header("retry-after", "7");
    let host = answering(answer).await;
    let (api, _) = api_with(host.uri()).await;
    let bot =
        bot_at(api.uri()).retry(RetryPolicy::default().budget(std::time::Duration::from_secs(5))).build().unwrap();
    let error = bot.upload_file(content(10)).await.unwrap_err();
    assert!(error.is_rate_limited() && error.attempts() == 1, "{error}");
    assert_eq!(error.retry_after(), Some(std::time::Duration::from_secs(7)));
}
