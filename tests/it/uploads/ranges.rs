//! Resumable uploads: they send ranges, and continue from the bytes that the host has.

use std::sync::{Arc, Mutex};

use tamtam_sandbox::{UploadFault, UploadStatus, Uploads};

use super::{bot, content, operations, sandbox};
use crate::fault_server::quick;

/// Returns the received ranges, in order.
fn ranges(host: &Uploads) -> Vec<String> {
    host.requests().iter().filter_map(|request| request.header("content-range").map(str::to_owned)).collect()
}

#[tokio::test]
async fn ranges_are_consecutive_and_only_the_last_one_is_shorter() {
    let (tamtam, bot) = sandbox().await;
    bot.upload_file(content(1000)).resumable(true).chunk_size(400).await.unwrap();
    let host = tamtam.uploads();
    assert_eq!(ranges(&host), ["bytes 0-399/1000", "bytes 400-799/1000", "bytes 800-999/1000"]);
    let statuses: Vec<_> = host.requests().iter().map(|request| request.status().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 200]);
    let lengths: Vec<_> = host.requests().iter().map(|one| one.header("content-length").unwrap().to_owned()).collect();
    assert_eq!(lengths, ["400", "400", "200"]);
}

#[tokio::test]
async fn the_protocol_is_chosen_by_size_unless_it_is_set() {
    let (tamtam, bot) = sandbox().await;
    let host = tamtam.uploads();
    let is_form = || {
        let requests = host.requests();
        requests.last().unwrap().header("content-type").unwrap().starts_with("multipart/form-data")
    };
    for (size, from, given, form) in [
        (999, Some(1000), None, true),
        (1000, Some(1000), None, false),
        (999, Some(1000), Some(true), false),
        (1000, Some(1000), Some(false), true),
        ((16 << 20) - 1, None, None, true),
        (16 << 20, None, None, false),
    ] {
        let mut upload = bot.upload_file(vec![7; size]);
        if let Some(from) = from {
            upload = upload.resumable_from(from);
        }
        if let Some(given) = given {
            upload = upload.resumable(given);
        }
        upload.await.unwrap();
        assert_eq!(is_form(), form, "{size} {from:?} {given:?}");
    }
    assert_eq!(ranges(&host).last().unwrap(), "bytes 16384000-16777215/16777216", "2,048,000 bytes by default");
}

#[tokio::test]
async fn an_upload_continues_from_the_last_confirmed_byte_in_every_status_format() {
    let all = content(1_000_000);
    for status in [UploadStatus::Range, UploadStatus::Offset, UploadStatus::Header] {
        for keep_partial in [false, true] {
            for at in [0, 1, 99_999, 100_000, 100_001, 250_000, 899_999, 900_000, 999_999] {
                let (tamtam, bot) = sandbox().await;
                let (host, asked) = (tamtam.uploads(), operations(&tamtam));
                host.set_status(status);
                host.set_keep_partial(keep_partial);
                host.fail_next(UploadFault::ResetAt(at));
                bot.upload_file(all.clone()).resumable(true).chunk_size(100_000).await.unwrap();
                let case = format!("{status:?}, {keep_partial}, {at}");
                assert_eq!(host.received()[0].bytes().unwrap(), all, "{case}");
                assert_eq!(asked.lock().unwrap().len(), 1, "{case}: one URL is enough");
                let confirmed = if keep_partial { at } else { at / 100_000 * 100_000 };
                let next = format!("bytes {confirmed}-");
                assert!(ranges(&host).iter().any(|range| range.starts_with(&next)), "{case}: {:?}", ranges(&host));
                assert_eq!(host.requests().iter().filter(|request| request.method() == "GET").count(), 1, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn lost_connections_are_retried_without_limit_while_bytes_are_confirmed() {
    let (tamtam, bot) = sandbox().await;
    let (host, asked, all) = (tamtam.uploads(), operations(&tamtam), content(100_000));
    for part in 0..10 {
        host.fail_next(UploadFault::ResetAt(part * 10_000 + 5_000));
        host.fail_next(UploadFault::StatusAt(part * 10_000 + 6_000, 503));
    }
    bot.upload_file(all.clone()).resumable(true).chunk_size(10_000).await.unwrap();
    assert_eq!(host.received()[0].bytes().unwrap(), all);
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn without_progress_an_upload_ends_after_the_attempts_of_the_policy() {
    let (tamtam, bot) = sandbox().await;
    let host = tamtam.uploads();
    for _ in 0..10 {
        host.fail_next(UploadFault::ResetAt(15_000));
    }
    let error = bot.upload_file(content(100_000)).resumable(true).chunk_size(10_000).await.unwrap_err();
    assert!(error.is_retryable() && error.attempts() == 3, "{error:?}");
    assert!(!error.may_have_been_applied());
    assert_eq!(error.operation(), Some("uploadFile"));
    let patient = super::bot(&tamtam, quick().attempts(20));
    patient.upload_file(content(100_000)).resumable(true).chunk_size(10_000).await.unwrap();
}

#[tokio::test]
async fn a_416_or_500_restarts_the_upload_with_a_fresh_url() {
    for status in [416, 500] {
        for at in [0, 150, 999] {
            let (tamtam, bot) = sandbox().await;
            let (host, asked) = (tamtam.uploads(), operations(&tamtam));
            host.fail_next(UploadFault::StatusAt(at, status));
            bot.upload_file(content(1000)).resumable(true).chunk_size(100).await.unwrap();
            assert_eq!(host.received()[0].bytes().unwrap(), content(1000));
            assert_eq!(*asked.lock().unwrap(), ["getUploadUrl", "getUploadUrl"]);
            assert_eq!(ranges(&host).iter().filter(|range| *range == "bytes 0-99/1000").count(), 2);
        }
    }
    let (tamtam, bot) = sandbox().await;
    for _ in 0..10 {
        tamtam.uploads().fail_next(UploadFault::StatusAt(950, 500));
    }
    let asked = operations(&tamtam);
    let error = bot.upload_file(content(1000)).resumable(true).chunk_size(100).await.unwrap_err();
    assert_eq!(error.status().unwrap(), 500);
    assert_eq!(asked.lock().unwrap().len(), 3, "three upload URLs, one for each attempt");
}

#[tokio::test]
async fn a_lost_final_answer_repeats_the_upload_unless_the_token_is_known() {
    let (tamtam, bot) = sandbox().await;
    let host = tamtam.uploads();
    host.fail_next(UploadFault::ResetAt(1000));
    bot.upload_video(content(1000)).resumable(true).chunk_size(100).await.unwrap();
    assert_eq!(host.bytes_taken(), 2000);

    // Without checks against the document, which has no token beside the URL.
    let tamtam = tamtam_sandbox::Sandbox::start().await;
    let (host, bot) = (tamtam.uploads(), super::bot(&tamtam, quick()));
    host.set_retval(true);
    host.fail_next(UploadFault::ResetAt(1000));
    let video = bot.upload_video(content(1000)).resumable(true).chunk_size(100).await.unwrap();
    assert_eq!(host.bytes_taken(), 1000);
    let alice = tamtam.user("Alice");
    alice.starts();
    bot.send(alice.chat_id(), tamtam::NewMessageBody::new().attach(video)).await.unwrap();
}

#[tokio::test]
async fn progress_ends_at_the_full_size_and_goes_back_to_the_confirmed_bytes() {
    let (tamtam, bot) = sandbox().await;
    let told = Arc::<Mutex<Vec<u64>>>::default();
    let upload = |resumable| {
        let told = Arc::clone(&told);
        bot.upload_file(content(1_000_000)).resumable(resumable).chunk_size(100_000).on_progress(move |progress| {
            assert_eq!(progress.total, 1_000_000);
            told.lock().unwrap().push(progress.sent);
        })
    };
    for resumable in super::PROTOCOLS {
        upload(resumable).await.unwrap();
        let told = std::mem::take(&mut *told.lock().unwrap());
        assert!(told.is_sorted() && told.last() == Some(&1_000_000) && told.len() >= 4, "{told:?}");
    }
    tamtam.uploads().fail_next(UploadFault::ResetAt(550_000));
    upload(true).await.unwrap();
    let told = told.lock().unwrap();
    assert_eq!(told.iter().filter(|sent| **sent == 600_000).count(), 2, "this range is sent twice: {told:?}");
}

#[tokio::test]
async fn every_retry_of_an_upload_is_reported() {
    let tamtam = crate::conformance::start().await;
    let told = Arc::<Mutex<Vec<String>>>::default();
    let hook = Arc::clone(&told);
    let builder = tamtam::Bot::builder(tamtam.token()).base_url(tamtam.base_url()).retry(quick());
    let bot = builder
        .http(|http| http.no_proxy())
        .on_retry(move |retry| hook.lock().unwrap().push(retry.error().to_string()))
        .build()
        .unwrap();
    tamtam.uploads().fail_next(UploadFault::ResetAt(5));
    tamtam.uploads().fail_next(UploadFault::StatusAt(5, 503));
    bot.upload_audio(content(10)).resumable(true).await.unwrap();
    let told = told.lock().unwrap();
    assert!(told.len() == 2 && told.iter().all(|error| error.starts_with("uploadAudio: ")), "{told:?}");
    assert!(told[1].contains("503"), "{told:?}");
}

#[tokio::test]
async fn without_retries_an_upload_is_tried_once() {
    let tamtam = crate::conformance::start().await;
    let bot = bot(&tamtam, tamtam::settings::RetryPolicy::none());
    for resumable in super::PROTOCOLS {
        tamtam.uploads().fail_next(UploadFault::ResetAt(5));
        let error = bot.upload_audio(content(10)).resumable(resumable).await.unwrap_err();
        assert_eq!(error.attempts(), 1);
    }
}
