//! The file that keeps a sandbox's state, and the thread that writes it.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs, io};

use sha2::{Digest, Sha256};

use super::snapshot;
use super::state::State;
use super::world::World;
use tamtam::internals;

/// How long the file is left alone after it was written.
const PAUSE: Duration = Duration::from_millis(100);
/// Large states take their time, and are left alone for longer: for so many times as long as writing them took, up to a
/// limit.
const SHARE: u32 = 9;
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateFileError {
    /// It cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
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
pub(super) struct StateFile {
    path: PathBuf,
    written: Option<[u8; 32]>,
}

impl StateFile {
    /// The file at this path; where a link leads there, it stays.
    pub(super) fn new(path: PathBuf) -> Self {
        let path = fs::canonicalize(&path).unwrap_or(path);
        Self { path, written: None }
    }

    /// The state that is kept there, ready to go on; `None` if there is no file yet.
    pub(super) fn read(&self, upload_url: &str) -> Result<Option<State>, StateFileError> {
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
    pub(super) fn write(&mut self, state: &State) -> Result<bool, StateFileError> {
        let text = snapshot::write(state).map_err(|error| self.io(error.into()))?;
        let digest = Sha256::digest(&text).into();
        if self.written == Some(digest) {
            return Ok(false);
        }
        internals::replace(&self.path, &text).map_err(|error| self.io(error))?;
        self.written = Some(digest);
        Ok(true)
    }

    fn io(&self, source: io::Error) -> StateFileError {
        StateFileError::Io { path: self.path.clone(), source }
    }
}

/// Tells the keeper that something may have changed.
#[derive(Default)]
pub(super) struct Bell {
    rung: Mutex<Rung>,
    heard: Condvar,
}

#[derive(Default)]
struct Rung {
    changed: bool,
    stopped: bool,
}

impl Bell {
    /// Something may have changed.
    pub(super) fn ring(&self) {
        self.lock().changed = true;
        self.heard.notify_one();
    }

    fn stop(&self) {
        self.lock().stopped = true;
        self.heard.notify_one();
    }

    /// Waits for a change, or the end: then it is true.
    fn wait(&self) -> bool {
        let is_silent = |rung: &mut Rung| !rung.changed && !rung.stopped;
        let rung = self.heard.wait_while(self.lock(), is_silent);
        let mut rung = rung.unwrap_or_else(PoisonError::into_inner);
        rung.changed = false;
        rung.stopped
    }

    /// Lets time pass, unless it is the end.
    fn pause(&self, time: Duration) {
        drop(self.heard.wait_timeout_while(self.lock(), time, |rung| !rung.stopped));
    }

    fn lock(&self) -> MutexGuard<'_, Rung> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that writes a state file after every change; dropping it writes the last of them.
pub(super) struct Keeper {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Keeps the state of a world that rings this bell.
    pub(super) fn start(mut file: StateFile, world: Arc<World>, bell: Arc<Bell>) -> io::Result<Self> {
        let heard = Arc::clone(&bell);
        let thread = thread::Builder::new().name("tamtam-sandbox-state".to_owned());
        let thread = thread.spawn(move || {
            loop {
                let is_over = heard.wait();
                let began = Instant::now();
                // A copy, so that nobody waits for the disk.
                let mut state = world.copy();
                state.has_ended = is_over;
                match file.write(&state) {
                    Ok(false) => {}
                    Ok(true) => world.tell_save(&Ok(())),
                    Err(error) => {
                        tracing::error!(%error, "the sandbox's state was not written");
                        world.tell_save(&Err(error));
                    }
                }
                if is_over {
                    return;
                }
                heard.pause((began.elapsed() * SHARE).clamp(PAUSE, LONGEST_PAUSE));
            }
        })?;
        Ok(Self { bell, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.bell.stop();
        join(self.thread.take());
    }
}

/// Waits for a thread to end, unless it is this one: the last handle of a sandbox may be dropped in a hook.
pub(super) fn join(thread: Option<JoinHandle<()>>) {
    if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
        let _ = thread.join();
    }
}
