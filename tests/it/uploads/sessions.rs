//! Upload sessions: another process continues an upload.

use std::sync::{Arc, Mutex};

use tamtam::{ErrorKind, upload::UploadSession};
use tamtam_sandbox::UploadFault;

use super::{TempFile, bot, content, operations, sandbox};

/// Starts an upload that fails in the middle. Returns its session, as another process reads it.
async fn interrupted(tamtam: &tamtam_sandbox::Sandbox, source: impl Into<tamtam::upload::Source>) -> UploadSession {
    let kept = Arc::<Mutex<String>>::default();
    let keep = Arc::clone(&kept);
    let hasty = bot(tamtam, tamtam::settings::RetryPolicy::none());
    tamtam.uploads().fail_next(UploadFault::ResetAt(550));
    let upload = hasty.upload_file(source).file_name("a.bin").resumable(true).chunk_size(100);
    let upload = upload.on_session(move |session| *keep.lock().unwrap() = serde_json::to_string(session).unwrap());
    upload.await.unwrap_err();
    let json = kept.lock().unwrap();
    assert!(!json.contains(tamtam.token()), "{json}");
    serde_json::from_str(&json).unwrap()
}

#[tokio::test]
async fn another_process_continues_from_the_last_byte_of_the_host() {
    let (tamtam, bot) = sandbox().await;
    let file = TempFile::new("a.bin", &content(1000));
    let session = interrupted(&tamtam, file.path()).await;
    assert_eq!((session.kind().as_str(), session.confirmed(), session.total()), ("file", 500, 1000));
    let asked = operations(&tamtam);
    // A resumed upload uses ranges without `resumable(true)`.
    bot.upload_file(file.path()).chunk_size(100).resume(session).await.unwrap();
    assert_eq!(tamtam.uploads().received()[0].bytes().unwrap(), content(1000));
    assert!(asked.lock().unwrap().is_empty(), "the session has the upload URL");
    assert!(tamtam.uploads().bytes_taken() <= 1100, "{}", tamtam.uploads().bytes_taken());
}

#[tokio::test]
async fn an_outdated_session_continues_from_the_bytes_of_the_host() {
    let (tamtam, bot) = sandbox().await;
    let session = interrupted(&tamtam, content(1000)).await;
    let mut json = serde_json::to_value(&session).unwrap();
    json["confirmed"] = 100.into();
    let session = serde_json::from_value(json).unwrap();
    bot.upload_file(content(1000)).chunk_size(100).resume(session).await.unwrap();
    assert_eq!(tamtam.uploads().received()[0].bytes().unwrap(), content(1000));
    assert!(tamtam.uploads().bytes_taken() <= 1100);
}

#[tokio::test]
async fn a_session_of_another_file_is_refused() {
    let (tamtam, bot) = sandbox().await;
    let file = TempFile::new("a.bin", &content(1000));
    let session = interrupted(&tamtam, file.path()).await;
    let asked = operations(&tamtam);
    let requests = tamtam.uploads().requests().len();
    std::fs::write(file.path(), content(1001)).unwrap();
    let larger = bot.upload_file(file.path()).resume(session.clone()).await.unwrap_err();
    std::fs::write(file.path(), content(1000)).unwrap();
    let touched = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    std::fs::File::options().write(true).open(file.path()).unwrap().set_modified(touched).unwrap();
    let rewritten = bot.upload_file(file.path()).resume(session.clone()).await.unwrap_err();
    let bytes = interrupted(&tamtam, content(1000)).await;
    let others = content(1001).split_off(1);
    let other_bytes = bot.upload_file(others).resume(bytes).await.unwrap_err();
    for error in [larger, rewritten, other_bytes] {
        assert!(
            error.kind() == ErrorKind::Source && error.to_string().contains("does not match the session"),
            "{error}"
        );
    }
    let kind = bot.upload_video(content(1000)).resume(session).await.unwrap_err();
    assert!(kind.kind() == ErrorKind::InvalidRequest && kind.to_string().contains("upload as file"), "{kind}");
    // Only the second interrupted upload requested a URL.
    assert_eq!(*asked.lock().unwrap(), ["getUploadUrl"]);
    assert_eq!(tamtam.uploads().requests().len(), requests + 6);
}

#[tokio::test]
async fn a_session_unknown_to_the_host_starts_over() {
    let (tamtam, bot) = sandbox().await;
    let session = interrupted(&tamtam, content(1000)).await;
    let mut json = serde_json::to_value(&session).unwrap();
    json["url"] = format!("{}0", json["url"].as_str().unwrap()).into();
    let forgotten = serde_json::from_value(json).unwrap();
    bot.upload_file(content(1000)).chunk_size(100).resume(forgotten).await.unwrap();
    assert_eq!(tamtam.uploads().received()[0].bytes().unwrap(), content(1000));
    // A session whose file has arrived also starts over, because the answer of the host is lost.
    bot.upload_file(content(1000)).chunk_size(100).resume(session.clone()).await.unwrap();
    bot.upload_file(content(1000)).chunk_size(100).resume(session).await.unwrap();
    assert_eq!(tamtam.uploads().received().len(), 3);
}

#[tokio::test]
async fn a_session_does_not_show_its_url() {
    let (tamtam, _bot) = sandbox().await;
    let session = interrupted(&tamtam, content(1000)).await;
    let shown = format!("{session:?}");
    assert!(shown.contains("confirmed: 500") && !shown.contains("http"), "{shown}");
}

#[tokio::test]
async fn a_form_has_no_session() {
    let (_tamtam, bot) = sandbox().await;
    bot.upload_file(content(10)).on_session(|_| panic!("a form has no session")).await.unwrap();
}
