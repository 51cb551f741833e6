//! File names and content types: they arrive unchanged, or are refused.

use tamtam::{ErrorKind, upload::Source};

use super::{PROTOCOLS, TempFile, operations, sandbox};

fn long(bytes: usize) -> String {
    format!("{}{}.txt", "ы".repeat((bytes - 4) / 2), "y".repeat((bytes - 4) % 2))
}

#[tokio::test]
async fn any_file_name_arrives_unchanged_by_both_protocols() {
    let (tamtam, bot) = sandbox().await;
    for name in [
        "plain.txt",
        "Отчёт за май.txt",
        "🐈‍⬛ 🎉.txt",
        "\"quoted\" 'name'.txt",
        "back\\slash.txt",
        "100%22 %D0%BA; x=y.txt",
        " spaces .txt",
        "no extension",
        &long(255),
    ] {
        for resumable in PROTOCOLS {
            bot.upload_file(vec![1]).file_name(name).resumable(resumable).await.unwrap();
            assert_eq!(tamtam.uploads().received().last().unwrap().name(), name);
            let file = TempFile::new(name, &[1]);
            bot.upload_file(file.path()).resumable(resumable).await.unwrap();
            assert_eq!(tamtam.uploads().received().last().unwrap().name(), name, "the name from the path");
        }
    }
}

#[tokio::test]
async fn a_file_name_that_cannot_be_transmitted_is_refused_before_sending() {
    let (tamtam, bot) = sandbox().await;
    let asked = operations(&tamtam);
    for (name, words) in [
        ("a\r\nb.txt", "control character '\\r'"),
        ("a\nb.txt", "control character"),
        ("a\0b.txt", "control character"),
        ("a\u{7f}.txt", "control character"),
        (long(256).as_str(), "has 256 bytes"),
        ("", "is empty, `.` or `..`"),
        ("..", "is empty, `.` or `..`"),
        ("/etc/passwd", "slash"),
    ] {
        let error = bot.upload_file(vec![1]).file_name(name).await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidRequest && error.to_string().contains(words), "{name:?}: {error}");
        assert!(error.to_string().contains("file_name"), "{error}");
    }
    #[cfg(unix)]
    {
        let file = TempFile::new("a\nb.txt", &[1]);
        let error = bot.upload_file(file.path()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        use std::os::unix::ffi::OsStrExt as _;
        let path = file.path().with_file_name(std::ffi::OsStr::from_bytes(b"\xff.txt"));
        std::fs::write(&path, [1]).unwrap();
        let error = bot.upload_file(path.as_path()).await.unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidRequest && error.to_string().contains("not Unicode"), "{error}");
        assert_eq!(asked.lock().unwrap().len(), 0);
        bot.upload_file(path).file_name("ÿ.txt").await.unwrap();
        assert_eq!(tamtam.uploads().received()[0].name(), "ÿ.txt");
    }
}

#[tokio::test]
async fn an_upload_without_a_name_is_named_after_its_kind() {
    let (tamtam, bot) = sandbox().await;
    bot.upload_photo(vec![1]).await.unwrap();
    bot.upload_video(vec![1]).await.unwrap();
    bot.upload_audio(Source::reader(std::io::Cursor::new([1]), 1)).await.unwrap();
    bot.upload_file(vec![1]).await.unwrap();
    let names: Vec<String> = tamtam.uploads().received().iter().map(|file| file.name().to_owned()).collect();
    assert_eq!(names, ["photo", "video", "audio", "file"]);
}

#[tokio::test]
async fn the_content_type_is_guessed_from_the_name_unless_it_is_set() {
    let (tamtam, bot) = sandbox().await;
    for resumable in PROTOCOLS {
        for (name, given, expected) in [
            ("кот.JPG", None, "image/jpeg"),
            ("movie.mp4", None, "video/mp4"),
            ("what is this", None, "application/octet-stream"),
            ("movie.mp4", Some("application/x-cat; v=1"), "application/x-cat; v=1"),
        ] {
            let mut upload = bot.upload_file(vec![1]).file_name(name).resumable(resumable);
            if let Some(given) = given {
                upload = upload.content_type(given);
            }
            upload.await.unwrap();
            assert_eq!(tamtam.uploads().received().last().unwrap().content_type(), expected, "{name}");
        }
        for bad in ["a\r\nb: c", "multipart/form-data", ""] {
            let error = bot.upload_file(vec![1]).content_type(bad).resumable(resumable).await.unwrap_err();
            assert!(error.kind() == ErrorKind::InvalidRequest && error.to_string().contains("content_type"), "{error}");
        }
    }
}
