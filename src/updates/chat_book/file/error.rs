//! The errors of a chat book's file.

use std::{io, path::PathBuf};

use crate::updates::file_lock::LockError;

/// An error of a [`FileChats`](crate::updates::FileChats) store, with the path of the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileChatsError {
    /// The file or its lock file cannot be read or written.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// The path of the file, or of the lock file, whose name ends with `.lock`.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The file was not written by a [`FileChats`](crate::updates::FileChats) store, has a damaged first line, or is
    /// larger than 1 GiB. The store did not change the file.
    #[error("{path} is not a chat book ({problem}): choose another path, or remove the file", path = path.display())]
    NotAChatBook {
        /// The path of the file.
        path: PathBuf,
        /// A description of the problem.
        problem: String,
    },
    /// A line after the first line is damaged. The store did not change the file. An incomplete last line is not an
    /// error: the store removes this line.
    #[error(
        "line {line} of {path} is damaged ({problem}): remove this line, or remove the file to start over",
        path = path.display()
    )]
    Damaged {
        /// The path of the file.
        path: PathBuf,
        /// The number of the line. The first line is 1.
        line: usize,
        /// A description of the problem in the line.
        problem: String,
    },
    /// Another process, or another [`ChatBook`](crate::updates::ChatBook) of this process, uses the file.
    #[error("{path} is in use: stop the other process, or clone the `ChatBook` that has it open", path = path.display())]
    InUse {
        /// The path of the file.
        path: PathBuf,
    },
    /// Another program changed or removed the file while a [`ChatBook`](crate::updates::ChatBook) used the file. All
    /// later saves fail with this error, and do not change the file. Restart the bot to read the file again.
    #[error("{path} was changed by another program: restart the bot to read it again", path = path.display())]
    Changed {
        /// The path of the file.
        path: PathBuf,
    },
}

impl From<LockError> for FileChatsError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::InUse { path } => Self::InUse { path },
            LockError::Io { lock, error } => Self::Io { path: lock, error },
        }
    }
}
