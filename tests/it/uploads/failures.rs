//! Failures of the upload host, and the errors of the caller.

use std::{future::IntoFuture as _, time::Duration};

use serde_json::json;
use tamtam::{Bot, ErrorKind, settings::RetryPolicy};
use tamtam_sandbox::{Fault, UploadFault};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};
use wiremock::{MockServer, ResponseTemplate};

use super::{PROTOCOLS, content, operations, sandbox};
use crate::common::{answering, answering_json, bot_at, read_request};

#[tokio::test]
async fn a_failed_form_upload_starts_over_with_a_fresh_url() {
    for fault in [
        UploadFault::ResetAt(0),
        UploadFault::ResetAt(50_000),
        UploadFault::ResetAt(100_000),
        UploadFault::StatusAt(50_000, 500),
        UploadFault::StatusAt(50_000, 416),
        UploadFault::StatusAt(50_000, 502),
        UploadFault::Answer(200, "<html>Welcome to the hotel</html>".to_owned()),
        UploadFault::Answer(429, String::new()),
    ] {
        let (tamtam, bot) = sandbox().await;
        let (host, asked) = (tamtam.uploads(), operations(&tamtam));
        host.fail_next(fault.clone());
        bot.upload_photo(content(100_000)).resumable(false).await.unwrap();
        assert_eq!(host.received().last().unwrap().bytes().unwrap(), content(100_000));
        assert_eq!(*asked.lock().unwrap(), ["getUploadUrl", "getUploadUrl"], "{fault:?}");
    }
}

#[tokio::test]
async fn an_upload_ends_after_the_attempts_of_the_policy() {
    for (fault, retryable) in [
        (UploadFault::ResetAt(500), true),
        (UploadFault::StatusAt(500, 503), true),
        (UploadFault::Answer(200, "<html>".to_owned()), true),
        (UploadFault::StatusAt(500, 416), false),
    ] {
        for resumable in PROTOCOLS {
            let (tamtam, bot) = sandbox().await;
            for _ in 0..10 {
                tamtam.uploads().fail_next(fault.clone());
            }
            let error = bot.upload_photo(content(1000)).resumable(resumable).await.unwrap_err();
            assert_eq!((error.attempts(), error.is_retryable()), (3, retryable), "{fault:?} {error}");
            assert_eq!(error.operation(), Some("uploadPhoto"));
            assert!(!error.may_have_been_applied(), "a file that is not attached has no effect");
        }
    }
}

#[tokio::test]
async fn a_refusal_of_the_host_is_final_and_keeps_its_text() {
    for resumable in PROTOCOLS {
        let (tamtam, bot) = sandbox().await;
        let (host, asked) = (tamtam.uploads(), operations(&tamtam));
        for (status, body, words) in [
            (400, r#"{"code": "upload.error", "message": "too big"}"#, "too big"),
            (413, "<html>Request Entity Too Large</html>", "Too Large"),
            (403, "", "403"),
        ] {
            host.fail_next(UploadFault::Answer(status, body.to_owned()));
            let error = bot.upload_file(content(10)).resumable(resumable).await.unwrap_err();
            assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (status, 1), "{error}");
            assert!(error.to_string().contains(words) && !error.is_retryable(), "{error}");
        }
        for body in ["<retval>0</retval>", r#"{"error_code": 4, "error_msg": "UPLOAD_FAIL"}"#] {
            host.fail_next(UploadFault::Answer(200, body.to_owned()));
            let error = bot.upload_file(content(10)).resumable(resumable).await.unwrap_err();
            assert!(error.is_refused() && error.attempts() == 1, "{error}");
        }
        host.fail_next(UploadFault::Answer(200, r#"{"photos": {}}"#.to_owned()));
        let error = bot.upload_photo(content(10)).resumable(resumable).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && !error.is_retryable() && error.attempts() == 1, "{error}");
        assert_eq!(asked.lock().unwrap().len(), 6);
    }
}

#[tokio::test]
async fn a_stalled_host_is_given_up_and_retried() {
    for resumable in PROTOCOLS {
        let (tamtam, bot) = sandbox().await;
        let host = tamtam.uploads();
        let upload = || {
            let upload = bot.upload_file(content(1000)).resumable(resumable).chunk_size(100);
            upload.idle_timeout(Duration::from_millis(50))
        };
        host.fail_next(UploadFault::StallAt(550));
        upload().await.unwrap();
        assert_eq!(host.received()[0].bytes().unwrap(), content(1000));

        for _ in 0..10 {
            host.fail_next(UploadFault::StallAt(50));
        }
        let error = upload().await.unwrap_err();
        assert!(error.is_timeout() && error.is_retryable(), "{error}");
        assert_eq!((error.attempts(), error.status()), (3, None));
        assert!(error.to_string().contains("no bytes transferred for 50ms"), "{error}");
    }
}

#[tokio::test]
async fn an_upload_may_take_longer_than_the_timeout_of_a_call() {
    let tamtam = crate::conformance::start().await;
    let builder = tamtam::Bot::builder(tamtam.token()).base_url(tamtam.base_url()).retry(RetryPolicy::none());
    // Both timeouts apply to requests of the bot, but not to the whole upload.
    let builder = builder.timeout(Duration::from_millis(400));
    let bot = builder.http(|http| http.no_proxy().timeout(Duration::from_millis(400))).build().unwrap();
    let (mut writer, reader) = tokio::io::duplex(16);
    let drip = async {
        for byte in content(10) {
            tokio::time::sleep(Duration::from_millis(60)).await;
            tokio::io::AsyncWriteExt::write_all(&mut writer, &[byte]).await.unwrap();
        }
    };
    let upload = bot.upload_file(tamtam::upload::Source::reader(reader, 10)).send();
    let (result, ()) = tokio::join!(upload, drip);
    result.unwrap();
    assert_eq!(tamtam.uploads().received()[0].bytes().unwrap(), content(10));
}

#[tokio::test]
async fn a_failed_get_upload_url_is_the_error_of_the_upload() {
    let tamtam = tamtam_sandbox::Sandbox::start().await;
    let bot = tamtam::Bot::builder("wrong").base_url(tamtam.base_url()).http(|http| http.no_proxy()).build().unwrap();
    let error = bot.upload_file(content(10)).await.unwrap_err();
    assert!(error.is_unauthorized(), "{error}");
    assert_eq!(error.operation(), Some("getUploadUrl"));
    assert!(tamtam.uploads().requests().is_empty());
}

#[tokio::test]
async fn an_answer_that_arrives_byte_by_byte_is_given_up() {
    for resumable in PROTOCOLS {
        let (_api, bot) = dripping_host().await;
        let upload = bot.upload_photo(content(1000)).resumable(resumable).idle_timeout(Duration::from_millis(100));
        let upload = tokio::time::timeout(Duration::from_secs(20), upload.into_future());
        let error = upload.await.expect("the upload hangs").unwrap_err();
        assert!(error.is_timeout() && error.is_retryable() && !error.may_have_been_applied(), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_an_error_that_names_the_limit() {
    let host = answering(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 256 * 1024 + 1])).await;
    let api = answering_json(&json!({ "url": host.uri() })).await;
    let bot = bot_at(api.uri()).build().unwrap();
    for resumable in PROTOCOLS {
        let error = bot.upload_photo(content(1000)).resumable(resumable).await.unwrap_err();
        assert!(
            error.kind() == ErrorKind::TooLarge && error.to_string().contains("limit of 262144 bytes"),
            "{error:?}"
        );
    }
}

/// Starts an API whose upload host accepts everything, and sends an endless answer byte by byte.
async fn dripping_host() -> (MockServer, Bot) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                if read_request(&mut connection).await.is_none() {
                    return;
                }
                let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
                // Each byte comes well before the idle timeout.
                let mut drip = tokio::time::interval(Duration::from_millis(10));
                while connection.write_all(b"1\r\n \r\n").await.is_ok() {
                    drip.tick().await;
                }
            });
        }
    });
    let api = answering_json(&json!({ "url": url })).await;
    let bot = bot_at(api.uri()).build().unwrap();
    (api, bot)
}

#[tokio::test]
async fn an_upload_whose_url_is_refused_fails_with_the_message_of_the_server() {
    let api = answering_json(&json!({"success": false, "message": "Chat is muted"})).await;
    let error = bot_at(api.uri()).build().unwrap().upload_photo(content(10)).await.unwrap_err();
    assert!(error.is_refused() && !error.may_have_been_applied() && !error.is_retryable(), "{error:?}");
    assert_eq!(error.message(), Some("Chat is muted"));
}

#[tokio::test]
async fn a_failed_request_of_an_upload_url_posts_nothing_for_sure() {
    let (tamtam, bot) = super::sandbox().await;
    let alice = tamtam.user("Alice");
    alice.starts();
    for fault in [Fault::status(500), Fault::reset()] {
        tamtam.fails("getUploadUrl", fault.clone().times(100));
        let upload = bot.upload_photo(b"bytes").await.unwrap_err();
        assert!(upload.is_retryable() && !upload.may_have_been_applied(), "{upload:?}");
        assert_eq!(upload.operation(), Some("getUploadUrl"));
        let sent = bot.send(alice.chat_id(), bot.upload_photo(b"bytes")).await.unwrap_err();
        assert!(sent.is_retryable() && !sent.may_have_been_applied(), "{sent:?}");
        tamtam.fails("getUploadUrl", fault.times(0));
    }
}

#[tokio::test]
async fn the_files_of_an_invalid_message_are_not_uploaded() {
    let (tamtam, bot) = super::sandbox().await;
    let alice = tamtam.user("Alice");
    alice.starts();
    let caption = "x".repeat(4001);
    let error = bot.send(alice.chat_id(), bot.upload_photo(b"bytes").text(&caption)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::InvalidRequest, Some("sendMessage")));
    let error = bot.edit("mid.1", bot.upload_photo(b"bytes").text(&caption)).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::InvalidRequest, Some("editMessage")));
    let error = bot.edit("", bot.upload_photo(b"bytes")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(tamtam.uploads().received().is_empty());
    // Without a text, the file alone makes a valid message.
    bot.send(alice.chat_id(), bot.upload_photo(b"bytes")).await.unwrap();
    assert_eq!(tamtam.uploads().received().len(), 1);
}

#[tokio::test]
async fn an_edit_without_attachments_uploads_nothing() {
    let (tamtam, bot) = super::sandbox().await;
    let alice = tamtam.user("Alice");
    alice.starts();
    let sent = bot.send(alice.chat_id(), "text").await.unwrap();
    bot.edit(&sent, bot.upload_photo(b"bytes").text("new")).no_attachments().await.unwrap();
    assert!(tamtam.uploads().received().is_empty());
    assert_eq!(alice.sees(), ["new"]);
}
