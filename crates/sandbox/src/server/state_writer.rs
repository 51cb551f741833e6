//! The thread that writes the state file.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::save_signal::SaveSignal;
use super::world::World;
use crate::state::file::StateFile;

/// The shortest pause after a write of the file. It bounds the number of writes per second.
const PAUSE: Duration = Duration::from_millis(100);
/// The pause is this many times as long as the write, up to [`LONGEST_PAUSE`]: writing takes about a tenth of the time.
const SHARE: u32 = 9;
/// The longest pause. It bounds the changes that a kill can lose.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A handle of the thread that writes the state file after changes. Dropping it writes the last changes.
pub(crate) struct StateWriter {
    save_signal: Arc<SaveSignal>,
    thread: Option<JoinHandle<()>>,
}

impl StateWriter {
    /// Starts the thread. `world` triggers `save_signal` after changes.
    pub(crate) fn start(mut file: StateFile, world: Arc<World>, save_signal: Arc<SaveSignal>) -> io::Result<Self> {
        let heard = Arc::clone(&save_signal);
        let thread = thread::Builder::new().name("tamtam-sandbox-state".to_owned());
        let thread = thread.spawn(move || {
            loop {
                let is_over = heard.wait();
                let began = Instant::now();
                // A copy, so that no request waits for the disk.
                let mut state = world.copy();
                state.has_ended = is_over;
                match file.write(&state) {
                    Ok(false) => {}
                    Ok(true) => world.tell_save(&Ok(())),
                    Err(error) => {
                        tracing::error!(%error, "state file not written");
                        world.tell_save(&Err(error));
                    }
                }
                if is_over {
                    return;
                }
                heard.pause((began.elapsed() * SHARE).clamp(PAUSE, LONGEST_PAUSE));
            }
        })?;
        Ok(Self { save_signal, thread: Some(thread) })
    }
}

impl Drop for StateWriter {
    fn drop(&mut self) {
        self.save_signal.stop();
        join(self.thread.take());
    }
}

/// Waits for a thread to end, unless it is the current thread: a hook may drop the last handle of a sandbox.
pub(crate) fn join(thread: Option<JoinHandle<()>>) {
    if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id()) {
        let _ = thread.join();
    }
}
