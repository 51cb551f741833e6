//! The retry contract, over real sockets: for each fault, the error of the caller and the number of requests.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tamtam::{Bot, ChatDenied, ChatId, Error, ErrorCode, NewMessageBody, Result, settings::RetryPolicy};
use tamtam::{
    ErrorKind,
    reqwest::dns::{Name, Resolve, Resolving},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use tracing::level_filters::LevelFilter;

use crate::{
    fault_server::{BY_API, BY_CACHE, BY_GATEWAY, BY_PROXY, FaultServer, Step, quick},
    traced::Traced,
};

/// One operation of each class. They are the columns of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Read,
    Edit,
    Delete,
    Send,
}

const OPS: [Op; 4] = [Op::Read, Op::Edit, Op::Delete, Op::Send];

impl Op {
    async fn call(self, bot: &Bot) -> Result<()> {
        match self {
            Self::Read => bot.me().await.map(drop),
            Self::Edit => bot.edit("mid.1", "hi").await,
            Self::Delete => bot.api().delete_message("mid.1").await,
            Self::Send => bot.send(ChatId(1), "hi").await.map(drop),
        }
    }
}

const USUAL_ATTEMPTS: usize = 3;

/// A row of the contract: a fault, the number of requests of each operation if the fault stays, and a check of the
/// resulting error.
struct Row {
    fault: Step,
    seen: [usize; 4],
    check: fn(Op, &Error),
}

fn rows() -> Vec<Row> {
    let ambiguous = |op: Op, error: &Error| assert_eq!(error.may_have_been_applied(), op != Op::Read, "{error}");
    let certain = |_: Op, error: &Error| assert!(!error.may_have_been_applied() && error.is_retryable(), "{error}");
    vec![
        Row { fault: Step::ResetBeforeReading, seen: [0, 0, 0, 0], check: ambiguous },
        Row { fault: Step::ResetAfterReading, seen: [3, 3, 3, 1], check: ambiguous },
        Row {
            fault: Step::Silence,
            seen: [3, 3, 3, 1],
            check: |op, error| {
                assert!(error.is_timeout(), "{error}");
                assert_eq!(error.may_have_been_applied(), op != Op::Read);
            },
        },
        Row {
            fault: Step::CutBody,
            seen: [3, 1, 1, 1],
            check: |op, error| {
                assert_eq!(error.status().unwrap(), 200, "{error}");
                assert_eq!(error.may_have_been_applied(), op != Op::Read);
            },
        },
        Row { fault: Step::CutBodyOfUnknownLength, seen: [3, 1, 1, 1], check: ambiguous },
        Row {
            fault: Step::StalledBody,
            seen: [3, 1, 1, 1],
            check: |op, error| {
                assert!(error.is_timeout() && error.status().unwrap() == 200, "{error}");
                assert_eq!(error.may_have_been_applied(), op != Op::Read);
            },
        },
        Row {
            fault: Step::GarbageBody,
            seen: [3, 1, 1, 1],
            check: |op, error| {
                assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
                assert_eq!(error.may_have_been_applied(), op != Op::Read);
            },
        },
        Row {
            fault: Step::MisfitBody,
            seen: [1, 1, 1, 1],
            check: |op, error| {
                assert!(error.kind() == ErrorKind::Decode && !error.is_retryable(), "{error}");
                assert_eq!(error.may_have_been_applied(), op != Op::Read);
            },
        },
        Row {
            fault: Step::Status(429, BY_API, None),
            seen: [3, 3, 3, 3],
            check: |_, error| {
                assert!(error.is_rate_limited() && error.retry_after().is_none(), "{error}");
                assert!(!error.may_have_been_applied());
            },
        },
        Row {
            fault: Step::Status(429, BY_PROXY, Some("0")),
            seen: [3, 3, 3, 3],
            check: |_, error| {
                assert!(error.is_rate_limited() && error.retry_after() == Some(Duration::ZERO), "{error}");
                assert!(error.message().unwrap().contains("Sorry") && !error.may_have_been_applied());
            },
        },
        Row { fault: Step::Status(503, BY_API, None), seen: [3, 3, 3, 3], check: certain },
        Row { fault: Step::Status(503, BY_API, Some("0")), seen: [3, 3, 3, 3], check: certain },
        Row { fault: Step::Status(503, BY_PROXY, Some("0")), seen: [3, 3, 3, 1], check: ambiguous },
        Row { fault: Step::Status(503, BY_PROXY, None), seen: [3, 3, 3, 1], check: ambiguous },
        Row { fault: Step::Status(503, BY_CACHE, Some("0")), seen: [3, 3, 3, 1], check: ambiguous },
        Row { fault: Step::Status(503, BY_GATEWAY, Some("0")), seen: [3, 3, 3, 1], check: ambiguous },
        Row { fault: Step::Status(503, "", Some("0")), seen: [3, 3, 3, 1], check: ambiguous },
        Row { fault: Step::Status(500, BY_API, None), seen: [3, 3, 3, 1], check: ambiguous },
        Row { fault: Step::Status(502, BY_PROXY, None), seen: [3, 3, 3, 1], check: ambiguous },
        Row { fault: Step::Status(504, BY_PROXY, None), seen: [3, 3, 3, 1], check: ambiguous },
        Row { fault: Step::Status(408, BY_PROXY, None), seen: [3, 3, 3, 1], check: ambiguous },
        Row {
            fault: Step::Status(400, BY_API, None),
            seen: [1, 1, 1, 1],
            check: |_, error| {
                assert_eq!(error.code(), Some(&ErrorCode::Other("some.code".to_owned())));
                assert!(!error.is_retryable() && !error.may_have_been_applied(), "{error}");
            },
        },
        Row {
            fault: Step::Status(403, BY_PROXY, None),
            seen: [1, 1, 1, 1],
            check: |_, error| assert!(error.is_forbidden() && !error.is_retryable(), "{error}"),
        },
        Row {
            fault: Step::Status(302, "", None),
            seen: [1, 1, 1, 1],
            check: |_, error| assert!(!error.is_retryable() && error.status().unwrap() == 302, "{error}"),
        },
    ]
}

#[tokio::test]
async fn a_lasting_fault_is_reported_and_the_request_is_sent_as_often_as_the_contract_says() {
    for Row { fault, seen, check } in rows() {
        for (op, seen) in OPS.into_iter().zip(seen) {
            let server = FaultServer::start([fault]).await;
            let error = op.call(&server.bot()).await.unwrap_err();
            assert_eq!(server.requests().len(), seen, "{fault:?}: {op:?}: {error}");
            check(op, &error);
            let tried = error.attempts() as usize;
            // The server does not record a request if it resets the connection before reading.
            let expected = match (fault, op) {
                (Step::ResetBeforeReading, Op::Send) => 1,
                (Step::ResetBeforeReading, _) => USUAL_ATTEMPTS,
                _ => seen,
            };
            assert_eq!(tried, expected, "{fault:?}: {op:?}: {error}");
        }
    }
}

#[tokio::test]
async fn a_temporary_fault_is_hidden_where_the_contract_allows_a_retry() {
    for Row { fault, seen, .. } in rows() {
        for (op, seen) in OPS.into_iter().zip(seen) {
            let server = FaultServer::start([fault, Step::Good]).await;
            let result = op.call(&server.bot()).await;
            let repeated = match fault {
                Step::ResetBeforeReading => op != Op::Send,
                _ => seen == USUAL_ATTEMPTS,
            };
            assert_eq!(result.is_ok(), repeated, "{fault:?}: {op:?}: {result:?}");
        }
    }
}

#[tokio::test]
async fn a_message_is_resent_only_if_the_server_said_that_it_was_not_posted() {
    for Row { fault, .. } in rows() {
        let server = FaultServer::start([fault, Step::Good]).await;
        if let Err(error) = Op::Send.call(&server.bot()).await {
            assert!(fault != Step::ResetBeforeReading || error.attempts() == 1, "{error}");
        }
        let not_posted = matches!(fault, Step::Status(429, ..) | Step::Status(503, BY_API, _));
        let most = if not_posted { 2 } else { 1 };
        assert!(server.requests().len() <= most, "{fault:?}: {:?}", server.requests());
    }
}

#[tokio::test]
async fn a_refused_connection_is_retried_for_every_operation() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let bot = Bot::builder("token").base_url(format!("http://{free}")).retry(quick()).build().unwrap();
    for op in OPS {
        let error = op.call(&bot).await.unwrap_err();
        assert!(
            error.kind() == ErrorKind::Connect && error.is_retryable() && !error.may_have_been_applied(),
            "{error}"
        );
        assert_eq!(error.attempts(), 3);
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_failed_connection() {
    let bot = Bot::builder("token").base_url("http://nowhere.invalid").retry(quick()).build().unwrap();
    let error = Op::Send.call(&bot).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Connect && !error.may_have_been_applied(), "{error}");
    assert_eq!(error.attempts(), 3);
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
#[tokio::test]
async fn tls_that_fails_is_a_failed_connection() {
    // The server speaks plain HTTP instead of TLS.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 1024]).await;
            let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let bot = Bot::builder("token").base_url(url).retry(quick()).build().unwrap();
    let error = Op::Send.call(&bot).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Connect && !error.may_have_been_applied(), "{error:?}");
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn every_request_with_an_attachment_is_retried_until_it_is_processed() {
    let by_code = Step::Status(400, r#"{"code":"attachment.not.ready","message":""}"#, None);
    let by_message =
        Step::Status(400, r#"{"code":"x","message":"Key: errors.process.attachment.file.not.processed"}"#, None);
    for op in [Op::Send, Op::Edit] {
        let mut script = [by_code, by_message].repeat(4);
        script.push(Step::Good);
        let server = FaultServer::start(script).await;
        op.call(&server.bot()).await.unwrap();
        assert_eq!(server.requests().len(), 9, "{op:?}: more than the usual attempts");
    }
    let server = FaultServer::start([by_code, by_message, Step::Status(400, BY_API, None)]).await;
    let answer = tamtam::types::CallbackAnswer::new().message("hi");
    let error = server.bot().api().answer_on_callback("c", answer).await.unwrap_err();
    assert_eq!((error.attempts(), server.requests().len()), (3, 3));
    let server = FaultServer::start([by_code, by_message, Step::Status(400, BY_API, None)]).await;
    let error = server.bot().api().construct("s", tamtam::types::ConstructorAnswer::new()).await.unwrap_err();
    assert_eq!((error.attempts(), server.requests().len()), (3, 3));
}

#[tokio::test]
async fn the_wait_for_an_attachment_is_limited() {
    let never = Step::Status(400, r#"{"code":"attachment.not.ready","message":""}"#, None);
    let server = FaultServer::start([never]).await;
    let bot = server.builder().retry(quick().attachment_budget(Duration::from_millis(500))).build().unwrap();
    let error = Op::Send.call(&bot).await.unwrap_err();
    assert!(error.is_attachment_not_ready() && !error.may_have_been_applied(), "{error}");
    assert!(error.attempts() > 3 && error.elapsed() >= Duration::from_millis(500), "{error:?}");
}

#[tokio::test]
async fn waiting_for_an_attachment_leaves_the_attempts_for_other_failures() {
    let not_ready = Step::Status(400, r#"{"code":"attachment.not.ready","message":""}"#, None);
    let busy = Step::Status(429, BY_API, None);
    let server = FaultServer::start([not_ready, busy, not_ready, not_ready, busy, not_ready, Step::Good]).await;
    Op::Send.call(&server.bot()).await.unwrap();
    assert_eq!(server.requests().len(), 7);
}

#[tokio::test]
async fn an_attachment_that_a_200_refuses_as_not_processed_is_waited_for() {
    let refused = r#"{"success":false,"message":"errors.process.attachment.video.not.processed"}"#;
    for op in [Op::Send, Op::Edit] {
        let server = FaultServer::start([Step::Status(200, refused, None), Step::Good]).await;
        op.call(&server.bot()).await.unwrap();
        assert_eq!(server.requests().len(), 2, "{op:?}");
        let server = FaultServer::start([Step::Status(200, refused, None)]).await;
        let bot = server.builder().retry(quick().attachment_budget(Duration::ZERO)).build().unwrap();
        let error = op.call(&bot).await.unwrap_err();
        assert!(error.is_attachment_not_ready() && error.is_refused() && !error.may_have_been_applied(), "{error}");
    }
}

#[tokio::test]
async fn success_false_is_a_refusal_for_every_operation() {
    for op in OPS {
        let server = FaultServer::start([Step::Status(200, r#"{"success":false,"message":"no"}"#, None)]).await;
        let error = op.call(&server.bot()).await.unwrap_err();
        assert!(error.is_refused() && !error.may_have_been_applied() && !error.is_retryable(), "{op:?}: {error:?}");
        assert_eq!((error.message(), server.requests().len()), (Some("no"), 1), "{op:?}");
    }
}

#[tokio::test]
async fn a_message_is_posted_once_when_a_cache_answers_503_with_retry_after() {
    let server = FaultServer::start([Step::Status(503, BY_CACHE, Some("5"))]).await;
    let error = Op::Send.call(&server.bot()).await.unwrap_err();
    assert_eq!((server.requests().len(), error.attempts()), (1, 1));
    assert!(error.may_have_been_applied() && error.retry_after() == Some(Duration::from_secs(5)), "{error:?}");
}

#[tokio::test]
async fn text_of_a_proxy_or_the_api_cannot_forge_log_lines() {
    let forged = "Sorry\n2026-11-29T00:00:00Z  INFO all is well \u{1b}[31m\u{202e}";
    let by_api = serde_json::json!({"code": format!("c{forged}"), "message": forged}).to_string();
    let refused = serde_json::json!({"success": false, "message": forged}).to_string();
    let misfit = serde_json::json!({"success": true, forged: 1, "user_id": forged}).to_string();
    for (status, body) in [(502, forged.to_owned()), (403, by_api), (200, refused), (200, misfit)] {
        let (traced, _guard) = Traced::start(LevelFilter::TRACE);
        let server = FaultServer::start([Step::Status(status, body.leak(), None)]).await;
        let error = Op::Read.call(&server.bot()).await.unwrap_err();
        tracing::error!("{error}");
        tracing::error!(?error);
        let texts = [error.to_string(), format!("{error:?}"), error.message().unwrap_or_default().to_owned()];
        for text in texts.iter().map(String::as_str).chain(traced.text().lines()) {
            assert!(!text.chars().any(|char| char.is_control() || char == '\u{202e}'), "{status}: {text:?}");
            assert!(!text.starts_with("2026-11-29T00:00:00Z"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_retry_after_over_the_budget_fails_at_once_and_is_returned() {
    let server = FaultServer::start([Step::Status(503, BY_API, Some("31"))]).await;
    let error = Op::Send.call(&server.bot()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(31)));
    assert_eq!((error.attempts(), server.requests().len()), (1, 1));
    let far = Step::Status(503, BY_PROXY, Some("Fri, 31 Dec 9999 23:59:59 GMT"));
    let server = FaultServer::start([far]).await;
    let error = Op::Send.call(&server.bot()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)), "capped");
}

#[tokio::test]
async fn an_error_with_a_stalled_body_is_retried_by_its_status() {
    let server = FaultServer::start([Step::StalledErrorBody(429), Step::Good]).await;
    let bot = server.builder().timeout(Duration::from_secs(20)).build().unwrap();
    Op::Send.call(&bot).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_connect_that_takes_the_whole_timeout_was_not_applied() {
    struct Unresolved;
    impl Resolve for Unresolved {
        fn resolve(&self, _: Name) -> Resolving {
            Box::pin(std::future::pending())
        }
    }
    let bot = Bot::builder("token")
        .base_url("http://tamtam.invalid")
        // Half of this is the connect timeout, far enough from the whole for a busy machine.
        .timeout(Duration::from_millis(400))
        .retry(quick())
        .http(|http| http.no_proxy().dns_resolver(Arc::new(Unresolved)))
        .build()
        .unwrap();
    let error = Op::Send.call(&bot).await.unwrap_err();
    assert!(
        error.kind() == ErrorKind::Connect && error.to_string().contains("in time") && !error.may_have_been_applied(),
        "{error:?}"
    );
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn a_request_that_is_invalid_in_http_was_not_sent() {
    let server = FaultServer::start([Step::Good]).await;
    let error = server.bot().api().delete_message("m".repeat(70_000)).await.unwrap_err();
    assert!(
        error.kind() == ErrorKind::InvalidRequest && !error.is_retryable() && !error.may_have_been_applied(),
        "{error:?}"
    );
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_removal_succeeds_if_a_retry_after_an_unknown_outcome_finds_nothing() {
    let gone = Step::Status(404, r#"{"code":"not.found","message":"no such message"}"#, None);
    let refused = Step::Status(200, r#"{"success":false,"message":"already removed"}"#, None);
    for (script, is_ok) in [
        (vec![Step::ResetAfterReading, gone], true),
        (vec![Step::Silence, refused], true),
        (vec![Step::Status(502, BY_PROXY, None), Step::Status(429, BY_API, None), gone], true),
        // No earlier attempt has an unknown outcome.
        (vec![gone], false),
        // A 404 of a proxy or for an unknown path does not prove that the message is gone.
        (vec![Step::ResetAfterReading, Step::Status(404, BY_PROXY, None)], false),
        (vec![Step::ResetAfterReading, Step::Status(404, r#"{"code":"method.not.found","message":""}"#, None)], false),
        (vec![refused], false),
        (vec![Step::Status(429, BY_API, None), gone], false),
    ] {
        let server = FaultServer::start(script.clone()).await;
        let result = Op::Delete.call(&server.bot()).await;
        assert_eq!(result.is_ok(), is_ok, "{script:?}: {result:?}");
    }
    // An edit of a missing message was not applied.
    let server = FaultServer::start([Step::ResetAfterReading, gone]).await;
    let error = Op::Edit.call(&server.bot()).await.unwrap_err();
    assert!(error.is_not_found() && error.may_have_been_applied(), "{error}");
}

#[tokio::test]
async fn an_attempt_with_an_unknown_outcome_stays_in_the_error() {
    let server = FaultServer::start([Step::ResetAfterReading, Step::Status(403, BY_API, None)]).await;
    let error = Op::Edit.call(&server.bot()).await.unwrap_err();
    assert!(error.is_forbidden() && error.may_have_been_applied(), "{error}");
    assert_eq!(error.attempts(), 2);
}

#[tokio::test]
async fn the_caller_can_mark_requests_as_idempotent_or_not() {
    let server = FaultServer::start([Step::ResetAfterReading, Step::Good]).await;
    server.bot().send(ChatId(1), "hi").idempotent(true).await.unwrap();
    assert_eq!(server.requests().len(), 2);
    let server = FaultServer::start([Step::ResetAfterReading, Step::Good]).await;
    server.bot().edit("mid.1", "hi").idempotent(false).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    let server = FaultServer::start([Step::ResetAfterReading, Step::Good]).await;
    let raw = server.bot().request(http::Method::POST, "/messages");
    raw.clone().await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
    let server = FaultServer::start([Step::ResetAfterReading, Step::Good]).await;
    server.bot().request(http::Method::POST, "/messages").idempotent(true).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_call_without_retries_is_sent_once() {
    for fault in [Step::Status(429, BY_API, None), Step::Status(400, r#"{"code":"attachment.not.ready"}"#, None)] {
        let server = FaultServer::start([fault, Step::Good]).await;
        server.bot().send(ChatId(1), "hi").no_retry().await.unwrap_err();
        assert_eq!(server.requests().len(), 1, "{fault:?}");
        let server = FaultServer::start([fault, Step::Good]).await;
        let bot = server.builder().retry(RetryPolicy::none()).build().unwrap();
        Op::Send.call(&bot).await.unwrap_err();
        assert_eq!(server.requests().len(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn every_attempt_sends_the_same_request() {
    let server =
        FaultServer::start([Step::Status(429, BY_API, None), Step::Status(503, BY_API, None), Step::Good]).await;
    server.bot().send(ChatId(-7), NewMessageBody::markdown("**hi**, ы 😀")).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| *request == requests[0]), "{requests:?}");
    assert!(requests[0].starts_with("POST /messages?chat_id=-7&v="), "{}", requests[0]);
    assert!(requests[0].ends_with(r#"{"text":"**hi**, ы 😀","format":"markdown"}"#), "{}", requests[0]);
}

#[tokio::test]
async fn the_hook_is_called_for_every_retry() {
    let server =
        FaultServer::start([Step::Status(429, BY_API, None), Step::Status(503, BY_API, Some("0")), Step::Good]).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let bot = server
        .builder()
        .on_retry(move |retry| {
            let error = retry.error();
            tell.lock().unwrap().push((
                error.attempts(),
                error.status().unwrap().as_u16(),
                error.operation().map(str::to_owned),
                retry.delay() <= Duration::from_millis(2),
            ));
        })
        .build()
        .unwrap();
    Op::Send.call(&bot).await.unwrap();
    let operation = Some("sendMessage".to_owned());
    assert_eq!(*told.lock().unwrap(), [(1, 429, operation.clone(), true), (2, 503, operation, true)]);
}

#[tokio::test]
async fn a_panic_in_the_hook_does_not_fail_the_call() {
    let server = FaultServer::start([Step::Status(429, BY_API, None), Step::Good]).await;
    let bot = server.builder().on_retry(|_| panic!("the hook panics")).build().unwrap();
    Op::Send.call(&bot).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn chat_denied_returns_the_reason() {
    for (message, why) in [
        ("error.dialog.suspended", ChatDenied::BotStopped),
        ("chat.send.msg.no.permission.because.not.admin", ChatDenied::NotAdmin),
        ("something else", ChatDenied::Other),
    ] {
        let body: &'static str = format!(r#"{{"code":"chat.denied","message":"{message}"}}"#).leak();
        let server = FaultServer::start([Step::Status(403, body, None)]).await;
        let error = Op::Send.call(&server.bot()).await.unwrap_err();
        assert_eq!(error.code(), Some(&ErrorCode::ChatDenied));
        assert_eq!(error.chat_denied(), Some(why));
    }
}

#[tokio::test]
async fn traces_at_info_have_the_outcome_of_a_call_but_no_texts() {
    let (traced, _guard) = Traced::start(LevelFilter::INFO);
    let quoting = Step::Status(429, r#"{"code":"too.many.requests","message":"you said: secret words"}"#, None);
    let server = FaultServer::start([quoting, Step::Status(503, BY_API, Some("0")), Step::Good]).await;
    server.bot().send(ChatId(1), "secret words").await.unwrap();
    let server = FaultServer::start([Step::Status(403, r#"{"code":"x","message":"secret words"}"#, None)]).await;
    server.bot().send(ChatId(1), "secret words").await.unwrap_err();

    let text = traced.text();
    let tells = |line: &&str| line.contains("retrying") || line.contains(": close");
    let lines: Vec<&str> = text.lines().filter(tells).collect();
    assert_eq!(lines.len(), 4, "expected two retries and two ends of calls:\n{text}");
    for (line, told) in [
        (
            lines[0],
            &["WARN", "sendMessage", "attempt=1", "RateLimited", "status=429", "too.many.requests", "delay_ms="][..],
        ),
        (lines[1], &["WARN", "sendMessage", "attempt=2", "NotProcessed", "status=503", "delay_ms="]),
        (lines[2], &["INFO", "sendMessage", "attempts=3", "status=200", "elapsed_ms="]),
        (lines[3], &["INFO", "sendMessage", "attempts=1", "status=403", "elapsed_ms="]),
    ] {
        assert!(told.iter().all(|word| line.contains(word)), "{told:?}:\n{line}");
    }
    assert!(!text.contains("secret") && !text.contains("token"), "{text}");
}
