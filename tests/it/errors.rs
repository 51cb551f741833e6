//! Errors of calls: their causes, predicates and texts.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    future::IntoFuture,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tamtam::{
    Bot, ErrorKind, NewMessageBody,
    reqwest::dns::{Name, Resolve, Resolving},
    settings::RetryPolicy,
    types::{
        CallbackAnswer, ChatPatch, ConstructedMessageBody, ConstructorAnswer, MessageLinkType, NewMessageLink,
        PinMessageBody, SubscriptionRequestBody, UserIdsList,
    },
    updates::{FileStore, MarkerKey, MarkerStore},
};
use wiremock::{MockServer, ResponseTemplate};

use crate::common::{
    ENCODED_TOKEN, RawServer, answering, answering_json, bot, bot_at, bot_info, cut_answer, http_answer, message,
    only_request, refusing, requests,
};

/// Returns the names of all predicates that are true.
fn predicates(error: &tamtam::Error) -> Vec<&'static str> {
    [
        ("attachment_not_ready", error.is_attachment_not_ready()),
        ("build", error.kind() == ErrorKind::Build),
        ("connect", error.kind() == ErrorKind::Connect),
        ("decode", error.kind() == ErrorKind::Decode),
        ("forbidden", error.is_forbidden()),
        ("invalid_request", error.kind() == ErrorKind::InvalidRequest),
        ("may_have_been_applied", error.may_have_been_applied()),
        ("not_found", error.is_not_found()),
        ("payload", error.kind() == ErrorKind::Payload),
        ("rate_limited", error.is_rate_limited()),
        ("refused", error.is_refused()),
        ("retryable", error.is_retryable()),
        ("timeout", error.is_timeout()),
        ("unauthorized", error.is_unauthorized()),
    ]
    .into_iter()
    .filter_map(|(name, holds)| holds.then_some(name))
    .collect()
}

/// Returns the error of a call that was sent once.
async fn failure<T: Debug>(call: impl IntoFuture<Output = tamtam::Result<T>>) -> tamtam::Error {
    let started = Instant::now();
    let error = call.await.unwrap_err();
    assert_eq!(error.attempts(), 1, "{error:?}");
    assert!(!error.elapsed().is_zero() && error.elapsed() <= started.elapsed(), "{error:?}");
    error
}

#[tokio::test]
async fn an_error_of_the_api_has_its_code_message_and_predicates() {
    #[rustfmt::skip]
    let cases: &[(u16, &str, &str, ErrorKind, &[&str])] = &[
        (401, "verify.token", "Invalid access_token", ErrorKind::Unauthorized, &["unauthorized"]),
        (403, "verify.token", "Invalid access_token", ErrorKind::Unauthorized, &["unauthorized"]),
        (401, "other", "", ErrorKind::Unauthorized, &["unauthorized"]),
        (403, "chat.denied", "error.dialog.suspended", ErrorKind::Forbidden, &["forbidden"]),
        (403, "access.denied", "", ErrorKind::Forbidden, &["forbidden"]),
        (404, "chat.not.found", "Chat -7 not found", ErrorKind::NotFound, &["not_found"]),
        (404, "dialog.not.found", "dialog.not.found", ErrorKind::NotFound, &["not_found"]),
        (404, "method.not.found", "Path /x is not recognized", ErrorKind::NotFound, &["not_found"]),
        (405, "not.allowed", "A webhook is subscribed", ErrorKind::Rejected, &[]),
        (400, "proto.payload", "text: size must be between 0 and 4000", ErrorKind::Rejected, &[]),
        (400, "attachment.not.ready", "", ErrorKind::AttachmentNotReady, &["attachment_not_ready", "retryable"]),
        (400, "attachment.not.ready", "Key: errors.process.attachment.video.not.processed", ErrorKind::AttachmentNotReady, &["attachment_not_ready", "retryable"]),
        (400, "proto.payload", "Key: errors.process.attachment.file.not.processed", ErrorKind::AttachmentNotReady, &["attachment_not_ready", "retryable"]),
        (403, "chat.denied", "chat.not.processed", ErrorKind::Forbidden, &["forbidden"]),
        (408, "timeout", "", ErrorKind::Server, &["may_have_been_applied", "retryable"]),
        (429, "too.many.requests", "Slow down", ErrorKind::RateLimited, &["rate_limited", "retryable"]),
        (500, "internal.error", "Something broke: 0a1b2c", ErrorKind::Server, &["may_have_been_applied", "retryable"]),
        (503, "service.unavailable", "Later", ErrorKind::Server, &["retryable"]),
    ];
    for (status, code, words, kind, expected) in cases {
        let body = json!({"code": code, "message": words});
        let server = answering(ResponseTemplate::new(*status).set_body_json(body)).await;
        let error = failure(bot(&server).api().send_message("hi").chat_id(-7)).await;
        assert_eq!((error.kind(), predicates(&error)), (*kind, expected.to_vec()), "{error}");
        assert_eq!(error.operation(), Some("sendMessage"));
        assert_eq!(error.status(), StatusCode::from_u16(*status).ok());
        assert_eq!((error.code().map(tamtam::ErrorCode::as_str), error.message()), (Some(*code), Some(*words)));
        assert_eq!(error.retry_after(), None);
        assert_eq!(requests(&server).await.len(), 1, "{error}");
    }
}

#[tokio::test]
async fn an_error_reads_as_a_sentence() {
    let cases = [
        (
            403,
            json!({"code": "chat.denied", "message": "error.dialog.suspended"}),
            "getMyInfo: 403 Forbidden, chat.denied: error.dialog.suspended",
        ),
        (
            400,
            json!({"code": "attachment.not.ready", "message": ""}),
            "getMyInfo: 400 Bad Request, attachment.not.ready",
        ),
        (404, json!({"message": "no such chat"}), "getMyInfo: 404 Not Found: no such chat"),
        (500, json!({"error": "Oops"}), "getMyInfo: 500 Internal Server Error: Oops"),
    ];
    for (status, body, text) in cases {
        let server = answering(ResponseTemplate::new(status).set_body_json(body)).await;
        assert_eq!(failure(bot(&server).me()).await.to_string(), text);
    }
    let server = answering(ResponseTemplate::new(502)).await;
    let bot = bot(&server);
    assert_eq!(failure(bot.me()).await.to_string(), "getMyInfo: 502 Bad Gateway");
    assert_eq!(failure(bot.request(Method::PUT, "/new")).await.to_string(), "PUT /new: 502 Bad Gateway");
    assert_eq!(failure(bot.api().get_updates()).await.to_string(), "getUpdates: 502 Bad Gateway");
}

#[tokio::test]
async fn an_error_body_that_is_not_from_the_api_keeps_status_and_text() {
    let huge = format!("<html>{}", "ы".repeat(1_000_000));
    let huge_shown = format!("<html>{}...", "ы".repeat((2048 - "<html>".len()) / 2));
    let cases: [(&[u8], Option<&str>, &str); 15] = [
        (b"<html>\n<h1>502 Bad Gateway</h1>\n</html>\n", None, r"<html>\n<h1>502 Bad Gateway</h1>\n</html>"),
        (b"upstream connect error", None, "upstream connect error"),
        (b"", None, ""),
        (b" \r\n", None, ""),
        (b"{\"code\": \"chat.den", None, "{\"code\": \"chat.den"),
        (b"{}", None, "{}"),
        (b"null", None, "null"),
        (b"[1, 2]", None, "[1, 2]"),
        (b"\"quoted\"", None, "\"quoted\""),
        (b"{\"code\": 5, \"message\": \"x\"}", None, "x"),
        (b"{\"code\": null, \"message\": \"words\"}", None, "words"),
        (b"{\"code\": \"only.code\"}", Some("only.code"), ""),
        (b"{\"code\": \"c\", \"message\": \"m\", \"error\": \"e\", \"more\": {}}", Some("c"), "m"),
        (b"not utf-8: \xff\xfe", None, "not utf-8: \u{fffd}\u{fffd}"),
        (huge.as_bytes(), None, &huge_shown),
    ];
    for (body, code, text) in cases {
        // The content type must not matter.
        for content_type in ["text/html", "application/json"] {
            let server = answering(ResponseTemplate::new(502).set_body_raw(body, content_type)).await;
            let error = failure(bot(&server).me()).await;
            assert_eq!(error.status(), Some(StatusCode::BAD_GATEWAY));
            assert_eq!((error.code().map(tamtam::ErrorCode::as_str), error.message()), (code, Some(text)));
            assert_eq!(predicates(&error), ["retryable"]);
        }
    }
}

#[tokio::test]
async fn a_truncated_error_body_keeps_the_status_and_the_received_text() {
    let server = RawServer::answering(cut_answer("403 Forbidden", "<html>Access den")).await;
    let error = failure(bot_at(server.url()).build().unwrap().me()).await;
    assert_eq!(error.to_string(), "getMyInfo: 403 Forbidden: <html>Access den");
    assert_eq!(predicates(&error), ["forbidden"]);
}

#[tokio::test]
async fn a_503_may_have_been_applied_unless_it_has_a_code_of_the_api() {
    let answer = |body: &str| ResponseTemplate::new(503).set_body_string(body);
    let cases = [
        (answer("<html>Service Unavailable"), true),
        (answer(""), true),
        (answer("").insert_header("retry-after", "1"), true),
        (answer(r#"{"code": "", "message": ""}"#), true),
        (answer(r#"{"code": 503, "message": "upstream"}"#), true),
        (answer(r#"{"code": "service.unavailable", "message": ""}"#), false),
    ];
    for (answer, may_have_been_applied) in cases {
        let server = answering(answer).await;
        let error = failure(bot(&server).send(tamtam::ChatId(-7), "hi")).await;
        assert_eq!(error.may_have_been_applied(), may_have_been_applied, "{error:?}");
        assert!(error.is_retryable());
        let error = failure(bot(&server).me()).await;
        assert!(!error.may_have_been_applied(), "a read-only call changes nothing: {error:?}");
    }
}

#[tokio::test]
async fn retry_after_is_read_in_seconds() {
    for (header, expected) in [("5", Some(5)), ("0", Some(0)), (" 120 ", Some(120)), ("-1", None), ("soon", None)] {
        for status in [429, 503, 403] {
            let server = answering(ResponseTemplate::new(status).insert_header("retry-after", header)).await;
            let error = failure(bot(&server).me()).await;
            assert_eq!(error.retry_after(), expected.map(Duration::from_secs), "{status} {header}");
        }
    }
}

#[tokio::test]
async fn success_false_is_an_error_with_the_message_of_the_server() {
    let server = answering_json(&json!({"success": false, "message": "No pinned message in the chat"})).await;
    let bot = bot(&server);
    let api = bot.api();
    let refusals = [
        failure(api.unpin_message(-7)).await,
        failure(api.add_members(-7, UserIdsList::new([1]))).await,
        failure(bot.edit("mid.1", "")).await,
        failure(api.unsubscribe("https://bot.example")).await,
    ];
    for (error, operation) in refusals.iter().zip(["unpinMessage", "addMembers", "editMessage", "unsubscribe"]) {
        assert_eq!(predicates(error), ["refused"]);
        assert_eq!(error.to_string(), format!("{operation}: refused: No pinned message in the chat"));
        assert_eq!(error.message(), Some("No pinned message in the chat"));
        assert_eq!((error.status(), error.code()), (Some(StatusCode::OK), None));
    }
}

#[tokio::test]
async fn a_refusal_is_an_error_for_every_type_of_answer() {
    // Messages and pinned messages have no required property, so these bodies fit their schemas, too.
    for (body, words) in [
        (json!({"success": false, "message": "not now"}), Some("not now")),
        (json!({"success": false, "message": 5}), Some("5")),
        (json!({"success": false}), None),
    ] {
        let server = answering_json(&body).await;
        let bot = bot(&server);
        for error in [
            failure(bot.api().get_pinned_message(-7)).await,
            failure(bot.api().get_message_by_id("mid.1")).await,
            failure(bot.api().get_messages().chat_id(-7)).await,
            failure(bot.me()).await,
            failure(bot.send(tamtam::ChatId(-7), "hi")).await,
        ] {
            assert_eq!((predicates(&error), error.message()), (vec!["refused"], words), "{error}");
        }
    }
}

#[tokio::test]
async fn a_refusal_with_properties_of_the_answer_is_still_a_refusal() {
    let body = json!({"success": false, "timestamp": 1_700_000_000_000_i64, "url": "u", "message": "Chat is muted"});
    let server = answering_json(&body).await;
    let error = failure(bot(&server).api().get_message_by_id("mid.1")).await;
    assert_eq!((predicates(&error), error.message()), (vec!["refused"], Some("Chat is muted")));
}

#[tokio::test]
async fn a_type_of_the_caller_is_read_by_plain_serde() {
    #[derive(Debug, serde::Deserialize)]
    #[serde(untagged)]
    enum Known {
        Update(Box<tamtam::Update>),
        Other(serde::de::IgnoredAny),
    }
    let server = answering_json(&json!({"update_type": "moon_risen"})).await;
    let read: Known = bot(&server).request(tamtam::http::Method::GET, "/moon").send_as().await.unwrap();
    match read {
        Known::Update(update) => assert!(matches!(*update, tamtam::Update::Unknown(_)), "{update:?}"),
        Known::Other(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refusal_without_a_message_says_so() {
    for body in [
        json!({"success": false}),
        json!({"success": false, "message": ""}),
        json!({"success": false, "message": null}),
    ] {
        let server = answering_json(&body).await;
        let error = failure(bot(&server).api().leave_chat(-7)).await;
        assert_eq!(error.to_string(), "leaveChat: refused: the server gave no reason");
        assert_eq!(error.message(), None);
    }
}

#[tokio::test]
async fn a_success_is_returned_as_unit() {
    for body in [
        json!({"success": true}),
        json!({"success": true, "message": "done"}),
        json!({"message": null, "success": true}),
    ] {
        let server = answering_json(&body).await;
        let () = bot(&server).api().leave_chat(-7).await.unwrap();
    }
    // A raw request returns the answer unchanged, because its schema is unknown.
    let server = answering_json(&json!({"success": false})).await;
    assert_eq!(bot(&server).request(Method::POST, "/new").await.unwrap(), json!({"success": false}));
}

#[tokio::test]
async fn a_redirect_is_an_error_with_its_status() {
    for status in [300, 301, 302, 303, 304, 307, 308] {
        let answer = ResponseTemplate::new(status).insert_header("location", "/elsewhere");
        let server = answering(answer).await;
        let error = failure(bot(&server).send(tamtam::ChatId(-7), "hi")).await;
        assert_eq!(error.status().unwrap(), status);
        assert!(predicates(&error).is_empty(), "{error:?}");
        only_request(&server).await;
    }
    let server = answering(ResponseTemplate::new(302).set_body_string("moved")).await;
    assert_eq!(failure(bot(&server).me()).await.to_string(), "getMyInfo: 302 Found: moved");
}

#[tokio::test]
async fn a_redirect_error_names_its_target_without_secrets() {
    for (location, shown) in [
        ("https://login.example/hotel?next=a#top", "https://login.example/hotel"),
        ("https://user:pa55word@login.example:8443/", "https://login.example:8443/"),
        (
            &format!("https://mirror.example/{ENCODED_TOKEN}/me?access_token={ENCODED_TOKEN}"),
            "https://mirror.example/<token>/me",
        ),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let answer = ResponseTemplate::new(status).insert_header("location", location).set_body_string("moved");
            let server = answering(answer).await;
            let error = failure(bot(&server).send(tamtam::ChatId(-7), "hi")).await;
            let line = error.status().unwrap();
            assert_eq!(error.to_string(), format!("sendMessage: {line} (redirect to {shown}, not followed): moved"));
            assert_eq!(error.message(), Some("moved"));
        }
    }
    // The path of the base URL may be secret, and a relative `Location` begins with it.
    let server = answering(ResponseTemplate::new(302).insert_header("location", "/b4se-path/other?a=b")).await;
    let bot = bot_at(format!("{}/b4se-path", server.uri())).build().unwrap();
    let text = failure(bot.me()).await.to_string();
    assert_eq!(text, format!("getMyInfo: 302 Found (redirect to {}/.../other, not followed)", server.uri()));
    // The `Location` header is shown only for redirects.
    let server = answering(ResponseTemplate::new(403).insert_header("location", "https://login.example")).await;
    assert_eq!(failure(bot_at(server.uri()).build().unwrap().me()).await.to_string(), "getMyInfo: 403 Forbidden");
}

/// Returns the texts of an error and all its sources, as `anyhow` prints them.
fn chain(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect()
}

/// Returns errors of every kind that is easy to cause.
async fn errors_of_every_kind() -> Vec<tamtam::Error> {
    let (_port, nowhere) = refusing();
    let (silent, cut) = (RawServer::silent().await, RawServer::answering(cut_answer("200 OK", "{")).await);
    let broken = RawServer::answering("").await;
    let quick = |url: String| bot_at(url).timeout(Duration::from_millis(50)).build().unwrap();
    let mut errors = vec![
        quick(nowhere).me().await.unwrap_err(),
        quick(silent.url()).me().await.unwrap_err(),
        quick(cut.url()).me().await.unwrap_err(),
        quick(broken.url()).me().await.unwrap_err(),
        Bot::new("").unwrap_err(),
    ];
    for (status, body) in [
        (403, r#"{"code":"chat.denied","message":"error.dialog.suspended"}"#),
        (502, "<html>Bad luck</html>"),
        (200, r#"{"success":false,"message":"No pinned message"}"#),
        (200, "<html>Welcome</html>"),
        (200, r#"{"user_id":"x"}"#),
    ] {
        let server = answering(ResponseTemplate::new(status).set_body_string(body)).await;
        errors.push(bot(&server).me().await.unwrap_err());
    }
    let bot = bot_at("http://127.0.0.1:1").build().unwrap();
    errors.push(bot.delete("").await.unwrap_err());
    errors.push(bot.upload_file("/no/such/file").await.unwrap_err());
    errors.push(bot.upload_file("/").await.unwrap_err());
    errors.push("https://example.org".parse::<tamtam::link::DeepLink>().unwrap_err());
    errors
}

#[tokio::test]
async fn an_error_prints_its_text_once_in_every_format() {
    for error in errors_of_every_kind().await {
        let words = error.to_string();
        assert_eq!(chain(&error), [words.as_str()], "the sources do not repeat the text of the error");
        // `main` prints the `Debug` form. It once repeated the cause, the last part of the text, three times.
        let (debug, cause) = (format!("{error:?}"), words.rsplit(": ").next().unwrap());
        for words in [&*words, cause] {
            assert_eq!(debug.matches(words).count(), 1, "{debug}");
        }
        if let Some(operation) = error.operation() {
            assert_eq!(debug.matches(operation).count(), 1, "{debug}");
        }
        assert!(debug.contains("attempts: ") && debug.contains("may_have_been_applied: "), "{debug}");
    }
}

#[tokio::test]
async fn the_cause_behind_an_error_of_a_marker_store_is_its_source() {
    #[derive(Debug)]
    struct Locked(std::io::Error);
    impl std::fmt::Display for Locked {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("the database is locked")
        }
    }
    impl std::error::Error for Locked {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    struct Store;
    impl MarkerStore for Store {
        type Error = Locked;

        async fn load(&self, _: &MarkerKey) -> Result<Option<i64>, Locked> {
            Err(Locked(std::io::Error::other("no lease")))
        }

        async fn save(&self, _: &MarkerKey, _: i64) -> Result<(), Locked> {
            Ok(())
        }
    }
    let server = answering_json(&bot_info()).await;
    let error = bot(&server).updates().marker_store(Store).try_next().await.unwrap_err();
    assert_eq!(chain(&error), ["the marker store cannot be read: the database is locked", "no lease"]);
    // The error of a file already includes the text of the system error.
    let directory = std::env::temp_dir();
    let error = bot(&server).updates().marker_store(FileStore::new(&directory)).try_next().await.unwrap_err();
    let words = chain(&error);
    assert!(words.len() == 1 && words[0].contains(directory.to_str().unwrap()), "{words:?}");
}

#[tokio::test]
async fn an_unreadable_answer_is_a_decode_error() {
    let bodies = [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("<html>Welcome to the hotel's network</html>", "expected value at line 1 column 1"),
        (r#"{"user_id": 5, "na"#, "EOF while parsing a string at line 1 column 18"),
        (r#"{"user_id": "x", "name": "Bot"}"#, "invalid type: string, expected i64 at line 1 column 15, in user_id"),
        (r#"{"name": "Bot"}"#, "missing field `user_id` at line 1 column 15"),
        ("null", "invalid type: null, expected an object at line 1 column 4"),
        ("[]", "invalid type: sequence, expected an object at line 1 column 0"),
    ];
    for status in [200, 201, 202] {
        for (body, problem) in bodies {
            let server = answering(ResponseTemplate::new(status).set_body_string(body)).await;
            let error = failure(bot(&server).me()).await;
            assert_eq!(error.to_string(), format!("getMyInfo: the response does not fit the API document: {problem}"));
            // Invalid JSON may be temporary. JSON that does not fit the model is not.
            let passes = problem.starts_with("EOF") || problem.starts_with("expected value");
            assert_eq!(predicates(&error), if passes { vec!["decode", "retryable"] } else { vec!["decode"] });
            assert_eq!(error.status().unwrap(), status);
            assert_eq!((error.code().map(tamtam::ErrorCode::as_str), error.message()), (None, None));
        }
    }
}

#[tokio::test]
async fn an_answer_without_a_field_that_has_a_default_is_a_success() {
    let server = answering(ResponseTemplate::new(200).set_body_string(r#"{"user_id": 5}"#)).await;
    let me = bot(&server).me().await.unwrap();
    assert_eq!((me.user_id.0, me.name.as_str()), (5, ""));
}

#[tokio::test]
async fn any_2xx_with_the_right_body_is_a_success() {
    for status in [200, 201, 202, 299] {
        let server = answering(ResponseTemplate::new(status).set_body_json(bot_info())).await;
        assert_eq!(bot(&server).me().await.unwrap().name, "Погода");
        assert_eq!(bot(&server).request(Method::GET, "/me").await.unwrap(), bot_info());
    }
}

#[tokio::test]
async fn a_204_is_a_decode_error() {
    let server = answering(ResponseTemplate::new(204)).await;
    let bot = bot(&server);
    for error in [
        failure(bot.me()).await,
        failure(bot.request(Method::GET, "/me")).await,
        failure(bot.request(Method::GET, "/me").send_as::<BTreeMap<String, Value>>()).await,
    ] {
        assert_eq!(predicates(&error), ["decode", "retryable"]);
        assert_eq!(error.status(), Some(StatusCode::NO_CONTENT));
    }
    let error = failure(bot.api().leave_chat(-7)).await;
    assert_eq!(predicates(&error), ["decode", "may_have_been_applied", "retryable"]);
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let (_port, url) = refusing();
    let error = failure(bot_at(url).build().unwrap().send(tamtam::ChatId(-7), "hi")).await;
    assert_eq!(predicates(&error), ["connect", "retryable"]);
    let text = error.to_string();
    assert!(text.starts_with("sendMessage: cannot connect: ") && text.contains("refused"), "{text}");
    assert_eq!((error.status(), error.code().map(tamtam::ErrorCode::as_str), error.message()), (None, None, None));
}

#[tokio::test]
async fn a_timeout_may_have_been_applied() {
    let server = RawServer::silent().await;
    let timeout = Duration::from_millis(100);
    let bot = bot_at(server.url()).timeout(timeout).build().unwrap();
    let error = failure(bot.send(tamtam::ChatId(-7), "hi")).await;
    assert_eq!(predicates(&error), ["may_have_been_applied", "retryable", "timeout"]);
    assert_eq!(error.to_string(), "sendMessage: no response in time");
    assert!(error.elapsed() >= timeout, "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_timeout_while_reading_the_body_is_a_timeout() {
    // The head announces a longer body, and the connection stays open.
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{";
    let server = RawServer::answering_and_waiting(head).await;
    let bot = bot_at(server.url()).timeout(Duration::from_millis(50)).build().unwrap();
    let error = failure(bot.me()).await;
    assert_eq!(predicates(&error), ["retryable", "timeout"]);
}

/// A DNS resolver that never answers.
struct Unresolved;

impl Resolve for Unresolved {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_connect_timeout_says_that_nothing_was_sent() {
    let bot = Bot::builder("token")
        .base_url("http://tamtam.invalid")
        .connect_timeout(Duration::from_millis(20))
        .retry(RetryPolicy::none())
        .http(|http| http.no_proxy().dns_resolver(Arc::new(Unresolved)))
        .build()
        .unwrap();
    let error = failure(bot.send(tamtam::ChatId(-7), "hi")).await;
    assert_eq!(predicates(&error), ["connect", "retryable"]);
    assert_eq!(error.to_string(), "sendMessage: cannot connect in time");
}

#[tokio::test]
async fn a_connection_that_breaks_may_have_been_applied() {
    let whole = http_answer("200 OK", &["content-encoding: gzip"], "this is not gzip");
    let broken = "sendMessage: the connection broke: ";
    let cut = "sendMessage: 200 OK, but the response body is incomplete: ";
    for (name, answer, beginning) in [
        ("no answer", String::new(), broken),
        ("half a head", "HTTP/1.1 200 OK\r\nconte".to_owned(), broken),
        ("half a body", cut_answer("200 OK", &bot_info().to_string()), cut),
        ("half a chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10\r\n{".to_owned(), cut),
        ("not HTTP", "220 mail.example ESMTP\r\n".to_owned(), broken),
        ("not gzip", whole, cut),
    ] {
        let server = RawServer::answering(answer).await;
        let error = failure(bot_at(server.url()).build().unwrap().send(tamtam::ChatId(-7), "hi")).await;
        assert_eq!(predicates(&error), ["may_have_been_applied", "retryable"], "{name}: {error:?}");
        assert_eq!(error.status(), (beginning == cut).then_some(StatusCode::OK), "{name}");
        assert_eq!(error.message(), None, "{name}");
        let text = error.to_string();
        let reason = text.strip_prefix(beginning).unwrap_or_else(|| panic!("{name}: {text}"));
        assert!(!reason.is_empty(), "{name}");
        assert_eq!(server.requests().len(), 1, "{name}: it is not sent again behind our back");
    }
}

/// Returns the error of a request that was not sent.
async fn unsent<T: Debug>(server: &MockServer, call: impl IntoFuture<Output = tamtam::Result<T>>) -> String {
    let error = call.await.unwrap_err();
    assert_eq!(predicates(&error), ["invalid_request"], "{error:?}");
    assert_eq!((error.attempts(), error.status()), (0, None), "{error:?}");
    assert!(requests(server).await.is_empty(), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_in_every_request() {
    let server = answering_json(&json!({"success": true})).await;
    let bot = bot(&server);
    let api = bot.api();
    // Each character counts as one code point, regardless of its number of bytes or UTF-16 units.
    for character in ["x", "ы", "😀"] {
        let long = character.repeat(4001);
        let too_long = |place: &str| format!("{place} has 4001 characters, the limit is 4000: shorten it, or split it");
        assert_eq!(
            unsent(&server, api.send_message(&*long).chat_id(-7)).await,
            too_long("sendMessage: not sent: body.text")
        );
        assert_eq!(
            unsent(&server, api.edit_message("mid.1", &*long)).await,
            too_long("editMessage: not sent: body.text")
        );
        assert_eq!(
            unsent(&server, api.answer_on_callback("cb", CallbackAnswer::new().message(&*long))).await,
            too_long("answerOnCallback: not sent: body.message.text")
        );
        let messages = ["fine", "fine", &long].map(|text| ConstructedMessageBody::new().text(text));
        assert_eq!(
            unsent(&server, api.construct("s", ConstructorAnswer::new().messages(messages))).await,
            too_long("construct: not sent: body.messages[2].text")
        );
    }
}

#[tokio::test]
async fn a_text_of_4000_code_points_is_sent() {
    let server = answering_json(&json!({"message": message("mid.1", "hi")})).await;
    for character in ["x", "ы", "😀"] {
        bot(&server).send(tamtam::ChatId(-7), character.repeat(4000)).await.unwrap();
    }
    assert_eq!(requests(&server).await.len(), 3);
}

#[tokio::test]
async fn a_message_goes_to_exactly_one_place() {
    let server = answering_json(&json!({})).await;
    let api = bot(&server).api();
    assert_eq!(
        unsent(&server, api.send_message("hi")).await,
        "sendMessage: not sent: user_id, chat_id are all missing: set exactly one"
    );
    assert_eq!(
        unsent(&server, api.send_message("hi").chat_id(-7).user_id(1)).await,
        "sendMessage: not sent: user_id, chat_id are exclusive, but 2 are set: set exactly one"
    );
}

#[tokio::test]
async fn an_empty_id_is_refused_in_every_request() {
    let server = answering_json(&json!({})).await;
    let api = bot(&server).api();
    let link = || NewMessageBody::from("hi").link(NewMessageLink::new(MessageLinkType::Reply, ""));
    let errors = [
        unsent(&server, api.edit_message("", "hi")).await,
        unsent(&server, api.delete_message("")).await,
        unsent(&server, api.answer_on_callback("", CallbackAnswer::new())).await,
        unsent(&server, api.construct("", ConstructorAnswer::new())).await,
        unsent(&server, api.pin_message(-7, PinMessageBody::new(""))).await,
        unsent(&server, api.edit_chat(-7, ChatPatch::new().pin(""))).await,
        unsent(&server, api.send_message(link()).chat_id(-7)).await,
        unsent(&server, api.edit_message("mid.1", link())).await,
        unsent(&server, api.answer_on_callback("cb", CallbackAnswer::new().message(link()))).await,
    ];
    let places = [
        "editMessage: not sent: message_id",
        "deleteMessage: not sent: message_id",
        "answerOnCallback: not sent: callback_id",
        "construct: not sent: session_id",
        "pinMessage: not sent: body.message_id",
        "editChat: not sent: body.pin",
        "sendMessage: not sent: body.link.mid",
        "editMessage: not sent: body.link.mid",
        "answerOnCallback: not sent: body.message.link.mid",
    ];
    for (error, place) in errors.iter().zip(places) {
        assert_eq!(*error, format!("{place} is empty: use the id that the API returned"));
    }
}

#[tokio::test]
async fn a_path_parameter_that_changes_the_resource_is_refused() {
    let server = answering_json(&json!({})).await;
    let api = bot(&server).api();
    let cases = [
        ("", "is empty: a value is required"),
        (".", "is `.`, which would change the path of the URL"),
        ("..", "is `..`, which would change the path of the URL"),
        ("..\\me", "has a backslash, which would change the path of the URL"),
        ("a\\b", "has a backslash, which would change the path of the URL"),
    ];
    for (value, problem) in cases {
        let error = unsent(&server, api.get_chat_by_link(value)).await;
        assert_eq!(error, format!("getChatByLink: not sent: chatLink {problem}"));
        let error = unsent(&server, api.get_message_by_id(value)).await;
        assert_eq!(error, format!("getMessageById: not sent: messageId {problem}"));
    }
}

#[tokio::test]
async fn a_webhook_url_without_http_is_refused() {
    let server = answering_json(&json!({})).await;
    let api = bot(&server).api();
    for (url, problem) in [
        ("", "no scheme"),
        ("bot.example/s3cr3t", "no scheme"),
        ("//bot.example/s3cr3t", "no scheme"),
        ("ftp://bot.example/s3cr3t", "the scheme `ftp`"),
        ("https:/bot.example/s3cr3t", "no scheme"),
        ("s3cr3t-https://bot.example", "no scheme"),
        ("wss://bot.example/s3cr3t", "the scheme `wss`"),
    ] {
        let error = unsent(&server, api.subscribe(SubscriptionRequestBody::new(url))).await;
        // The URL is a secret.
        let problem = format!("has {problem}, expected https:// or http://");
        assert_eq!(error, format!("subscribe: not sent: body.url {problem}"));
    }
}

#[test]
fn an_error_is_send_sync_and_static() {
    fn anywhere<T: std::error::Error + Send + Sync + 'static>() {}
    anywhere::<tamtam::Error>();
}
