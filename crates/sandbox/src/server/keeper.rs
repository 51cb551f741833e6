//! The thread that writes the state file.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::bell::Bell;
use super::world::World;
use crate::state::file::StateFile;

/// How long the file is left alone after it was written.
const PAUSE: Duration = Duration::from_millis(100);
/// Large states take their time, and are left alone for longer: for so many times as long as writing them took, up to a
/// limit.
const SHARE: u32 = 9;
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// The thread that writes a state file after every change; dropping it writes the last of them.
pub(crate) struct Keeper {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Keeps the state of a world that rings this bell.
    pub(crate) fn start(mut file: StateFile, world: Arc<World>, bell: Arc<Bell>) -> io::Result<Self> {
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
pub(crate) fn join(thread: Option<JoinHandle<()>>) {
    if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
        let _ = thread.join();
    }
}
