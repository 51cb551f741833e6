//! Sources of uploads: valid and invalid ones, and files that change during an upload.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use tamtam::{ErrorKind, upload::Source};
use tamtam_sandbox::UploadFault;
use tokio::io::{AsyncRead, ReadBuf};

use super::{PROTOCOLS, TempFile, as_everything, content, operations, sandbox};

#[tokio::test]
async fn every_source_arrives_byte_for_byte_as_every_kind_by_both_protocols() {
    let (tamtam, bot) = sandbox().await;
    let all = content(3500);
    let file = TempFile::new("a.bin", &all);
    let path = file.path();
    as_everything(&bot, || path).await;
    as_everything(&bot, || path.to_owned()).await;
    as_everything(&bot, || path.to_str().unwrap()).await;
    as_everything(&bot, || path.to_str().unwrap().to_owned()).await;
    as_everything(&bot, || all.clone()).await;
    as_everything(&bot, || Bytes::from(all.clone())).await;
    as_everything(&bot, || Source::reader(std::io::Cursor::new(all.clone()), 3500)).await;
    let received = tamtam.uploads().received();
    assert_eq!(received.len(), 7 * 4 * 2);
    for file in &received {
        assert_eq!(file.bytes().unwrap(), all);
    }
    let kinds: Vec<&str> = received.iter().take(8).map(|file| file.kind()).collect();
    assert_eq!(kinds, ["image", "image", "video", "video", "audio", "audio", "file", "file"]);
}

#[tokio::test]
async fn a_file_of_many_pieces_arrives_byte_for_byte() {
    let (tamtam, bot) = sandbox().await;
    let all = content(2_000_001);
    let file = TempFile::new("a.bin", &all);
    for resumable in PROTOCOLS {
        // Ranges begin and end in the middle of the blocks that are read.
        bot.upload_file(file.path()).resumable(resumable).chunk_size(300_007).await.unwrap();
        assert_eq!(tamtam.uploads().received().last().unwrap().bytes().unwrap(), all);
    }
}

#[tokio::test]
async fn an_invalid_source_is_refused_before_sending() {
    let (tamtam, bot) = sandbox().await;
    let asked = operations(&tamtam);
    let empty = TempFile::new("empty", b"");
    let folder = empty.path().parent().unwrap();
    let invalid = [
        (Source::from(empty.path()), "is empty"),
        (Source::from(Vec::new()), "is empty"),
        (Source::reader(tokio::io::empty(), 0), "is empty"),
        (Source::from(folder), "is a directory"),
        #[cfg(unix)]
        (Source::from(Path::new("/dev/zero")), "is not a regular file"),
    ];
    for (source, words) in invalid {
        let error = bot.upload_file(source).await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidRequest && error.to_string().contains(words), "{error}");
        assert_eq!((error.operation(), error.attempts()), (Some("uploadFile"), 0));
    }
    let error = bot.upload_file(folder.join("nowhere")).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Source && error.to_string().contains("does not exist"), "{error}");
    assert!(!error.is_retryable() && !error.may_have_been_applied(), "{error}");
    assert_eq!(asked.lock().unwrap().len(), 0);
}

/// Uploads a file that is changed as soon as its first bytes are sent. Returns the error.
async fn changed_in_mid_upload(resumable: bool, change: impl Fn(&Path) + Send + Sync + 'static) -> tamtam::Error {
    let (tamtam, bot) = sandbox().await;
    let file = TempFile::new("log.txt", &content(4 << 20));
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(file.path()).unwrap().set_modified(long_ago).unwrap();
    let (path, once) = (file.path().to_owned(), AtomicBool::new(true));
    let upload = bot.upload_file(file.path()).resumable(resumable).on_progress(move |_| {
        if once.swap(false, Ordering::Relaxed) {
            change(&path);
        }
    });
    let error = upload.await.unwrap_err();
    assert!(error.kind() == ErrorKind::Source && !error.is_retryable(), "{error}");
    assert!(tamtam.uploads().received().is_empty(), "an incomplete file was accepted");
    error
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_uploaded_fails_the_upload() {
    let open = |path: &Path| File::options().write(true).open(path).unwrap();
    for resumable in PROTOCOLS {
        let error = changed_in_mid_upload(resumable, move |path| {
            open(path).set_len(2 << 20).unwrap();
        });
        assert!(error.await.to_string().contains("shrank from 4194304 to 2097152 bytes"));
        let error = changed_in_mid_upload(resumable, move |path| {
            let mut file = open(path);
            file.seek(SeekFrom::End(0)).unwrap();
            file.write_all(b"one more line").unwrap();
        });
        assert!(error.await.to_string().contains("grew from 4194304 to 4194317 bytes"));
        let error = changed_in_mid_upload(resumable, move |path| open(path).write_all(b"other").unwrap());
        assert!(error.await.to_string().contains("was written to"));
    }
}

#[tokio::test]
async fn a_file_that_vanishes_between_two_attempts_fails_the_upload() {
    for resumable in PROTOCOLS {
        let (tamtam, bot) = sandbox().await;
        tamtam.uploads().fail_next(UploadFault::ResetAt(100_000));
        let file = TempFile::new("a.bin", &content(200_000));
        let path = file.path().to_owned();
        let upload = bot.upload_file(file.path()).resumable(resumable);
        let error = upload.on_progress(move |_| drop(fs::remove_file(&path))).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Source && error.to_string().contains("does not exist"), "{error}");
    }
}

#[tokio::test]
async fn a_reader_is_read_up_to_its_size_and_fails_if_it_is_shorter() {
    let (tamtam, bot) = sandbox().await;
    for resumable in PROTOCOLS {
        let longer = Source::reader(std::io::Cursor::new(content(20)), 10);
        bot.upload_file(longer).resumable(resumable).await.unwrap();
        assert_eq!(tamtam.uploads().received().last().unwrap().bytes().unwrap(), content(10));
        let shorter = Source::reader(std::io::Cursor::new(content(5)), 10);
        let error = bot.upload_file(shorter).resumable(resumable).await.unwrap_err();
        assert!(
            error.kind() == ErrorKind::Source && error.to_string().contains("ended after 5 of 10 bytes"),
            "{error}"
        );
        let broken = Source::reader(broken_reader(), 10);
        let error = bot.upload_file(broken).resumable(resumable).await.unwrap_err();
        assert!(error.kind() == ErrorKind::Source && error.to_string().contains("the disk is on fire"), "{error}");
    }
}

/// Returns a reader that fails.
fn broken_reader() -> impl AsyncRead + Send {
    struct Broken;
    impl AsyncRead for Broken {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Err(std::io::Error::other("the disk is on fire")))
        }
    }
    Broken
}

/// Returns a stream of unknown length.
fn pieces(all: &[u8]) -> Source {
    let pieces: Vec<_> = all.chunks(1000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    Source::stream(futures_util::stream::iter(pieces))
}

#[tokio::test]
async fn a_stream_of_unknown_length_is_uploaded_and_retried_like_a_file() {
    let (tamtam, bot) = sandbox().await;
    let all = content(250_000);
    for resumable in PROTOCOLS {
        tamtam.uploads().fail_next(UploadFault::ResetAt(100_000));
        bot.upload_file(pieces(&all)).file_name("a.bin").resumable(resumable).await.unwrap();
        assert_eq!(tamtam.uploads().received().last().unwrap().bytes().unwrap(), all);
    }
    let error = bot.upload_file(pieces(&[])).await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidRequest && error.to_string().contains("is empty"), "{error}");
}

#[tokio::test]
async fn a_stream_that_fails_is_not_uploaded() {
    let (tamtam, bot) = sandbox().await;
    let asked = operations(&tamtam);
    let broken = [Ok("begin"), Err(std::io::Error::other("the disk is on fire"))];
    let error = bot.upload_file(Source::stream(futures_util::stream::iter(broken))).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Source && error.to_string().contains("the disk is on fire"), "{error}");
    assert!(tamtam.uploads().received().is_empty() && asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_stream_has_no_session_to_resume() {
    let (tamtam, bot) = sandbox().await;
    let sessions = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&sessions);
    let keep = move |session: &tamtam::upload::UploadSession| kept.lock().unwrap().push(session.clone());
    bot.upload_file(pieces(&content(3000))).resumable(true).on_session(keep.clone()).await.unwrap();
    assert!(sessions.lock().unwrap().is_empty());
    bot.upload_file(content(3000)).resumable(true).on_session(keep).await.unwrap();
    let session = sessions.lock().unwrap().pop().unwrap();
    let received = tamtam.uploads().received().len();
    let error = bot.upload_file(pieces(&content(3000))).resume(session).await.unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidRequest && error.to_string().contains("stream"), "{error}");
    assert_eq!(tamtam.uploads().received().len(), received);
}

#[tokio::test]
async fn the_error_of_a_source_does_not_show_the_token() {
    let (tamtam, bot) = sandbox().await;
    let token = tamtam.token().to_owned();
    let failed = || std::io::Error::other(format!("cannot read https://x.example/?access_token={token}"));
    struct Broken(Option<std::io::Error>);
    impl AsyncRead for Broken {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
            Poll::Ready(Err(self.0.take().unwrap_or_else(|| std::io::Error::other("read again"))))
        }
    }
    let stream = futures_util::stream::iter([Err::<&str, _>(failed())]);
    for source in [Source::stream(stream), Source::reader(Broken(Some(failed())), 10)] {
        let error = bot.upload_file(source).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("x.example") && !shown.contains(&token), "{shown}");
    }
}

#[tokio::test]
async fn a_stream_without_an_end_is_refused_at_the_limit_of_the_service() {
    let max = tamtam_sandbox::Sandbox::max().await;
    let limit = max.bot().service().limits().image_bytes.unwrap();
    let piece = bytes::Bytes::from(vec![0; 1 << 20]);
    let endless = futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
    let error = max.bot().upload_photo(Source::stream(endless)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains(&format!("has more than {limit} bytes")), "{error}");
}

#[tokio::test]
async fn a_reader_is_read_once_and_resumed_only_if_no_byte_was_lost() {
    let (tamtam, bot) = sandbox().await;
    let reader = || Source::reader(std::io::Cursor::new(content(1000)), 1000);
    tamtam.uploads().fail_next(UploadFault::ResetAt(150));
    let error = bot.upload_file(reader()).resumable(false).await.unwrap_err();
    assert!(error.is_retryable() && error.attempts() == 1, "{error}");
    tamtam.uploads().fail_next(UploadFault::ResetAt(150));
    let error = bot.upload_file(reader()).resumable(true).chunk_size(100).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Source && error.to_string().contains("again from byte 100"), "{error}");
    // The range arrived, and only its answer was lost.
    tamtam.uploads().fail_next(UploadFault::ResetAt(200));
    bot.upload_file(reader()).resumable(true).chunk_size(100).await.unwrap();
    assert_eq!(tamtam.uploads().received()[0].bytes().unwrap(), content(1000));
    // The host received the first range, but answered with 500.
    tamtam.uploads().fail_next(UploadFault::StatusAt(100, 500));
    let error = bot.upload_file(reader()).resumable(true).chunk_size(100).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (500, 1));
}

/// A reader that is always pending, and records when it is dropped.
struct Endless(Arc<AtomicBool>);

impl AsyncRead for Endless {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn dropping_an_upload_cancels_it_and_a_slow_source_does_not() {
    let (tamtam, bot) = sandbox().await;
    for resumable in PROTOCOLS {
        let gone = Arc::<AtomicBool>::default();
        let upload = bot.upload_file(Source::reader(Endless(Arc::clone(&gone)), 10)).resumable(resumable);
        // The upload stalls for much longer than the idle timeout, but only because of the source.
        let upload = upload.idle_timeout(Duration::from_millis(5)).send();
        tokio::time::timeout(Duration::from_millis(100), upload).await.unwrap_err();
        // The task of the connection drops the reader when it runs again.
        while !gone.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    }
    assert!(tamtam.uploads().received().is_empty());
}
