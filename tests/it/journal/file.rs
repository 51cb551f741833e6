//! The file of a journal: damaged, of another program, or in use.

use super::*;

fn error(path: impl AsRef<std::path::Path>) -> String {
    let error = Journal::open(path).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Journal, "{error:?}");
    error.to_string()
}

/// Fills a journal with unhandled updates.
async fn fill(directory: &Directory) {
    let updates: Vec<_> = (0..500).map(|number| numbered(number, 1)).collect();
    let (_server, bot, pages) = serve([json!({"updates": updates, "marker": 10}), page(&[], 10)]).await;
    let run = bot.updates().journal(directory.open()).run(async |_, _| std::future::pending::<()>().await);
    kill_when(run, |_| pages.polls() > 1).await;
}

#[test]
fn a_file_that_is_not_a_journal_is_refused_and_not_changed() {
    let directory = Directory::new();
    let path = directory.path();
    for contents in [&b"SELECT * FROM updates;"[..], &[0; 4096], b"SQLite format 3\0", b"x"] {
        fs::write(&path, contents).unwrap();
        let error = error(&path);
        assert!(error.contains("is not a journal") && error.contains("choose another path"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), contents);
    }
    fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE updates (seq INTEGER PRIMARY KEY); PRAGMA user_version = 1").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    assert!(error(&path).contains("the SQLite database of another program"));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(!directory.0.join("bot.journal-wal").exists() && !directory.0.join("bot.journal-journal").exists());
}

#[tokio::test]
async fn a_damaged_journal_is_refused_and_not_changed() {
    let directory = Directory::new();
    fill(&directory).await;
    // The journal was closed, so all its data are in the one file.
    let path = directory.path();
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() > 100_000);
    let torn = whole[..whole.len() / 2].to_vec();
    let mut scratched = whole.clone();
    scratched[4096..40960].fill(0x5a);
    for damaged in [torn, scratched] {
        fs::write(&path, &damaged).unwrap();
        let error = error(&path);
        assert!(error.contains("is damaged and was not changed"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
    fs::write(&path, &whole).unwrap();
    assert_eq!(directory.open().health().depth, 500);
}

#[test]
fn a_journal_of_a_newer_version_is_refused() {
    let directory = Directory::new();
    drop(directory.open());
    let newer = rusqlite::Connection::open(directory.path()).unwrap();
    newer.pragma_update(None, "user_version", 2).unwrap();
    drop(newer);
    let error = error(directory.path());
    assert!(error.contains("newer version of this crate (format 2)"), "{error}");
}

#[test]
fn an_unusable_journal_path_is_an_error_with_the_reason() {
    let directory = Directory::new();
    assert!(error(&directory.0).contains("it is not a regular file"));
    let missing = directory.0.join("missing/bot.journal");
    let error = error(&missing);
    assert!(error.contains("cannot open the journal") && error.contains("No such file"), "{error}");
}

/// Returns which locks of a journal another process can take: the lock file, and the lock of SQLite.
fn locks_for_another_process(path: &std::path::Path) -> String {
    let script = "import fcntl, sqlite3, sys\n\
        lock = open(sys.argv[1] + '.lock', 'r+')\n\
        try: fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB); print('lock', end=' ')\n\
        except BlockingIOError: print('no lock', end=' ')\n\
        db = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n\
        try: db.execute('BEGIN IMMEDIATE'); print('database')\n\
        except sqlite3.OperationalError: print('no database')";
    let output = std::process::Command::new("python3").args(["-c", script]).arg(path).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_second_handle_is_refused_until_the_first_is_dropped() {
    let directory = Directory::new();
    let first = directory.open();
    assert!(error(directory.path()).contains("is in use"));
    // The refused handle must not have released the locks of the first one.
    assert_eq!(locks_for_another_process(&directory.path()), "no lock no database");
    drop(first);
    assert_eq!(locks_for_another_process(&directory.path()), "lock database");
    drop(directory.open());
}

#[test]
fn a_journal_that_another_process_has_open_is_refused() {
    let directory = Directory::new();
    drop(directory.open());
    let script = "import fcntl, sys; lock = open(sys.argv[1] + '.lock', 'r+'); fcntl.flock(lock, fcntl.LOCK_EX)\n\
        print('locked', flush=True); sys.stdin.read()";
    let mut other = std::process::Command::new("python3");
    other.args(["-c", script]).arg(directory.path());
    let mut other = other.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(other.stdout.take().unwrap()), &mut line).unwrap();
    assert_eq!(line, "locked\n");
    assert!(error(directory.path()).contains("is in use"));
    drop(other.stdin.take());
    other.wait().unwrap();
    drop(directory.open());
}

#[test]
fn an_empty_file_beside_a_log_is_refused_and_the_log_is_kept() {
    let directory = Directory::new();
    let log = directory.0.join("bot.journal-wal");
    fs::write(&log, "updates").unwrap();
    assert!(error(directory.path()).contains("bot.journal-wal"));
    fs::write(directory.path(), "").unwrap();
    assert!(error(directory.path()).contains("is damaged and was not changed"));
    assert_eq!(fs::read(&log).unwrap(), b"updates");
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_files_of_a_journal() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = Directory::new();
    let _journal = directory.open();
    for entry in fs::read_dir(&directory.0).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
}
