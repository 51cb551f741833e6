//! A lock for a file that one process at a time may use: another file beside it.
//!
//! A lock on the used file itself would be lost when the file is replaced. On Unix, SQLite's locks also end when any
//! handle of the file in the same process is closed. A separate lock file has neither problem.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// How long to wait for the lock. A process or handle that has ended releases the lock a moment later.
const LOCK_TIME: Duration = Duration::from_secs(1);
/// The delay between two attempts to take the lock.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct FileLock(#[expect(dead_code, reason = "the lock is released when the file is closed")] File);

/// The error of [`FileLock::take`].
#[derive(Debug)]
pub(super) enum LockError {
    /// Another process, or another handle of this process, uses the file.
    InUse { path: PathBuf },
    /// The lock file cannot be opened or locked.
    Io { lock: PathBuf, error: io::Error },
}

impl FileLock {
    /// Takes the lock of the file at `path`. The lock file has the same name with `.lock` at the end. Blocks the thread
    /// for at most [`LOCK_TIME`].
    pub(super) fn take(path: &Path) -> Result<Self, LockError> {
        let mut lock = path.as_os_str().to_owned();
        lock.push(".lock");
        let lock = PathBuf::from(lock);
        let file = match private().truncate(false).open(&lock) {
            Ok(file) => file,
            Err(error) => return Err(LockError::Io { lock, error }),
        };
        let deadline = Instant::now() + LOCK_TIME;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self(file)),
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => return Err(LockError::InUse { path: path.to_owned() }),
                Err(TryLockError::Error(error)) => return Err(LockError::Io { lock, error }),
            }
        }
    }
}

/// Returns options that create a file for writing. On Unix, only its owner can read the file.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
