//! The state file of a sandbox.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tamtam::internals;

use super::State;
use super::snapshot;
use crate::protocol::service::Service;

/// The largest state file that is read, in bytes: 4 GiB. A state must fit into memory, and is far smaller.
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// The error of a [state file](crate::SandboxBuilder::state_file) that cannot be used. A state file keeps the state of
/// a sandbox.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tamtam_sandbox::{Sandbox, StartError, StateFileError};
///
/// # let directory = std::env::temp_dir().join(format!("tamtam-doc-error-{}", std::process::id()));
/// # std::fs::create_dir_all(&directory)?;
/// # let path = directory.join("state.json");
/// std::fs::write(&path, "a shopping list")?;
/// let start = Sandbox::builder().state_file(&path).try_start().await;
/// let Err(StartError::StateFile(error)) = start else { panic!("the sandbox started") };
/// assert!(matches!(error, StateFileError::NotAState { .. }));
/// assert_eq!(std::fs::read_to_string(&path)?, "a shopping list");
/// # std::fs::remove_dir_all(&directory)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateFileError {
    /// The file cannot be read, written or locked.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// The path of the state file.
        path: PathBuf,
        /// The I/O error with the reason.
        error: io::Error,
    },
    /// Another sandbox, in this process or in another process, uses the file.
    #[error("{path} is open in another sandbox: end that sandbox, or name another file", path = path.display())]
    InUse {
        /// The path of the state file.
        path: PathBuf,
    },
    /// The service in the file is not the service that [`SandboxBuilder::service`](crate::SandboxBuilder::service)
    /// sets.
    #[error("{path} is a state of {kept}, not of {asked}: start the sandbox as {kept}, or name another file", path = path.display())]
    OtherService {
        /// The path of the state file.
        path: PathBuf,
        /// The name of the service in the file.
        kept: &'static str,
        /// The name of the service that was set.
        asked: &'static str,
    },
    /// The file does not contain the complete state of a sandbox, or this version of the crate cannot read the format
    /// of the file. The sandbox does not change the file.
    #[error(
        "{path} is not a sandbox's state ({problem}): remove the file, or name another one to start over",
        path = path.display()
    )]
    NotAState {
        /// The path of the state file.
        path: PathBuf,
        /// The reason why the content of the file cannot be used.
        problem: String,
    },
}

/// A state file that is locked for this sandbox, with a digest of the last write.
pub(crate) struct StateFile {
    path: PathBuf,
    written: Option<[u8; 32]>,
    /// The locked file. Closing it releases the lock, also if the process is killed.
    lock: File,
}

impl Drop for StateFile {
    fn drop(&mut self) {
        // While a child process is being started, it also has the file open. Closing the file would not unlock it.
        let _ = self.lock.unlock();
    }
}

impl StateFile {
    /// Opens and locks the file at `path`, which need not exist yet. A symbolic link is followed, not replaced.
    pub(crate) fn open(path: PathBuf) -> Result<Self, StateFileError> {
        let path = fs::canonicalize(&path).unwrap_or(path);
        let io = |error| StateFileError::Io { path: path.clone(), error };
        internals::check_place(&path).map_err(io)?;
        let lock = match lock(&path) {
            Ok(lock) => lock,
            Err(TryLockError::WouldBlock) => return Err(StateFileError::InUse { path }),
            Err(TryLockError::Error(error)) => {
                let problem = format!("cannot lock the file with this name plus `.lock`: {error}");
                return Err(io(io::Error::new(error.kind(), problem)));
            }
        };
        // The lock is held, so a `.new` file is a leftover.
        internals::remove_left_behind(&path, Duration::ZERO);
        Ok(Self { path, written: None, lock })
    }

    /// Reads the state, and prepares it to continue. Returns `None` if the file does not exist.
    pub(crate) fn read(&self, upload_url: &str, service: Option<Service>) -> Result<Option<State>, StateFileError> {
        let text = internals::read(&self.path, MOST_BYTES).map_err(|error| self.io(error))?;
        let Some(text) = text else { return Ok(None) };
        let state = snapshot::read(&text, upload_url);
        let mut state = state.map_err(|problem| StateFileError::NotAState { path: self.path.clone(), problem })?;
        if let Some(service) = service.filter(|service| *service != state.service) {
            return Err(StateFileError::OtherService {
                path: self.path.clone(),
                kept: state.service.traits().name,
                asked: service.traits().name,
            });
        }
        state.resume();
        Ok(Some(state))
    }

    /// Replaces the file. Returns false if the state is the same as in the last write.
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

/// Locks the file at `path` plus `.lock`, and creates it if needed. The state file itself cannot be locked, because
/// each write replaces it. The lock file is never removed, because two sandboxes could then lock different files.
fn lock(path: &Path) -> Result<File, TryLockError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    // Opening a pipe may block forever.
    if fs::metadata(&name).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(TryLockError::Error(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    let file = File::options().create(true).truncate(false).write(true).open(name).map_err(TryLockError::Error)?;
    file.try_lock().map(|()| file)
}
