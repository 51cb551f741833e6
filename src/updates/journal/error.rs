//! The errors of a journal.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;

use crate::{
    error::{Error, Reason},
    updates::{file_lock::LockError, marker::MarkerKey},
};

/// An error of a journal. Each message has the reason and what to do.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Problem {
    #[error("cannot open the journal {path}: {reason}", path = path.display())]
    Open { path: PathBuf, reason: String },
    #[error("{path} is not a journal ({reason}) and was not changed: choose another path, or remove the file", path = path.display())]
    Foreign { path: PathBuf, reason: &'static str },
    #[error(
        "the journal {path} is damaged and was not changed: {reason}; restore it from a backup, or move it away, with the \
         files `-wal` and `.lock` beside it, to start with an empty one",
        path = path.display()
    )]
    Damaged { path: PathBuf, reason: String },
    #[error("the journal {path} was written by a newer version of this crate (format {format}): update the crate", path = path.display())]
    Newer { path: PathBuf, format: i32 },
    #[error(
        "the journal {path} is in use: close it in the other process, or drop the other `Journal` of this process",
        path = path.display()
    )]
    InUse { path: PathBuf },
    #[error("the journal {path} holds the updates of {found}, not of {expected}: give each bot a journal of its own", path = path.display())]
    OtherBot { path: PathBuf, found: MarkerKey, expected: MarkerKey },
    #[error("the journal is used by another `Run`: end the other run first, a journal has one `Run` at a time")]
    AlreadyRun,
    #[cfg(feature = "webhook")]
    #[error("the journal is full: {stored} updates wait for their handlers")]
    Full { stored: usize },
    #[error("the journal's thread has ended: restart the process")]
    Ended,
    #[error("cannot write the journal: {0}")]
    Write(String),
    #[error("a bot has a marker store or a journal, not both: remove `marker_store`, the journal stores the marker")]
    MarkerStore,
}

impl Problem {
    /// Converts an error of SQLite that occurred while the file was opened.
    pub(super) fn of_open(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { path },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { path, reason: error.to_string() }
            }
            _ => Self::Open { path, reason: error.to_string() },
        }
    }

    pub(super) fn of_io(path: &Path, error: &io::Error) -> Self {
        Self::Open { path: path.to_owned(), reason: error.to_string() }
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Write(error.to_string())
    }
}

impl From<LockError> for Problem {
    fn from(error: LockError) -> Self {
        match error {
            LockError::InUse { path } => Self::InUse { path },
            LockError::Io { lock, error } => Self::of_io(&lock, &error),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::new(Reason::Journal(problem.into()))
    }
}
