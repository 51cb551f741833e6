//! The lock of a journal, a file beside it.
//!
//! SQLite locks the journal itself, too. But on Unix its locks end when any handle of the file in the same process is closed.
//! The lock of a file of its own holds until the process ends.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::problem::Problem;

/// How long the lock is waited for: a process, or a handle, that has ended lets go of it a moment later.
const LOCK_TIME: Duration = Duration::from_secs(1);
/// The wait between two looks at the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Held as long as the journal is open.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the lock is released when the file is closed")] File);

impl Lock {
    pub(super) fn take(journal: &Path) -> Result<Self, Problem> {
        let mut path = journal.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let mut options = private();
        let file = options.truncate(false).open(&path).map_err(|error| Problem::of_io(&path, &error))?;
        let deadline = Instant::now() + LOCK_TIME;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => return Err(Problem::InUse { path: journal.to_owned() }),
                Err(TryLockError::Error(error)) => return Err(Problem::of_io(&path, &error)),
            }
        }
    }
}

/// Creates a file that only its owner reads: the journal has what people write to the bot.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
