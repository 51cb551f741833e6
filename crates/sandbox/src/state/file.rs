//! The file that keeps a sandbox's state.

use std::path::PathBuf;
use std::{fs, io};

use sha2::{Digest, Sha256};
use tamtam::internals;

use super::State;
use super::snapshot;

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateFileError {
    /// It cannot be read or written.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is not a sandbox's state, not a whole one, or one of another version. It stays as it is.
    #[error(
        "{path} is not a sandbox's state ({problem}): look at it, and remove it or name another file to begin anew",
        path = path.display()
    )]
    NotAState {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

/// A state file, and what was written there last.
pub(crate) struct StateFile {
    path: PathBuf,
    written: Option<[u8; 32]>,
}

impl StateFile {
    /// The file at this path; where a link leads there, it stays.
    pub(crate) fn new(path: PathBuf) -> Self {
        let path = fs::canonicalize(&path).unwrap_or(path);
        Self { path, written: None }
    }

    /// The state that is kept there, ready to go on; `None` if there is no file yet.
    pub(crate) fn read(&self, upload_url: &str) -> Result<Option<State>, StateFileError> {
        // Reading a pipe or a device might never end.
        if fs::metadata(&self.path).is_ok_and(|found| !found.is_file()) {
            return Err(self.io(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")));
        }
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io(error)),
        };
        let state = snapshot::read(&text, upload_url);
        let mut state = state.map_err(|problem| StateFileError::NotAState { path: self.path.clone(), problem })?;
        state.resume();
        Ok(Some(state))
    }

    /// Replaces the file; false if it would be the same.
    pub(crate) fn write(&mut self, state: &State) -> Result<bool, StateFileError> {
        let text = snapshot::write(state).map_err(|error| self.io(error.into()))?;
        let digest = Sha256::digest(&text).into();
        if self.written == Some(digest) {
            return Ok(false);
        }
        internals::replace(&self.path, &text).map_err(|error| self.io(error))?;
        self.written = Some(digest);
        Ok(true)
    }

    fn io(&self, error: io::Error) -> StateFileError {
        StateFileError::Io { path: self.path.clone(), error }
    }
}
