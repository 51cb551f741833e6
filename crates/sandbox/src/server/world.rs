//! The state behind its lock, the tasks that wait for changes, and the hooks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::delivery::Delivery;
use super::exchange::Exchange;
use super::faults::Faults;
use super::save_signal::SaveSignal;
use crate::state::State;
use crate::state::event::Event;
use crate::state::file::StateFileError;
use crate::state::uploads::reports::UploadRequest;

type Hook<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// The state that the server and the people share. The lock is never held across an await or a call of a hook.
pub(crate) struct World {
    state: Mutex<State>,
    changed: watch::Sender<()>,
    requests: watch::Sender<Requests>,
    events: Mutex<Listeners>,
    exchange_hooks: Mutex<Vec<Hook<Exchange>>>,
    delivery_hooks: Mutex<Vec<Hook<Delivery>>>,
    upload_hooks: Mutex<Vec<Hook<UploadRequest>>>,
    save_hooks: Mutex<Vec<Hook<Result<(), StateFileError>>>>,
    /// Triggered after each access to the state, because the access may have changed the state.
    state_writer: Option<Arc<SaveSignal>>,
    faults: Mutex<Faults>,
    /// How many of the next deliveries are dropped.
    lost: Mutex<u32>,
}

#[derive(Default)]
struct Listeners {
    hooks: Vec<Hook<Event>>,
    /// How many events were taken from the state to be reported.
    taken: usize,
    /// For how many events all hooks have run.
    told: usize,
    /// Whether a thread is calling hooks. It continues until all events are reported.
    busy: bool,
}

/// The number of unanswered requests to the API.
#[derive(Clone, Copy, Default)]
pub(super) struct Requests {
    all: usize,
    /// The number of held polls among them.
    held_polls: usize,
}

/// A guard that counts a request until it is dropped.
pub(super) struct Counted<'a> {
    world: &'a World,
    count: fn(&mut Requests) -> &mut usize,
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.world.requests.send_modify(|requests| *(self.count)(requests) -= 1);
    }
}

impl World {
    pub(crate) fn new(state: State, state_writer: Option<Arc<SaveSignal>>) -> Self {
        // Events from before a restart are not reported again.
        let told = state.events.len();
        Self {
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
            requests: watch::Sender::default(),
            events: Mutex::new(Listeners { taken: told, told, ..Listeners::default() }),
            exchange_hooks: Mutex::default(),
            delivery_hooks: Mutex::default(),
            upload_hooks: Mutex::default(),
            save_hooks: Mutex::default(),
            state_writer,
            faults: Mutex::default(),
            lost: Mutex::default(),
        }
    }

    /// Reads or changes the state. After a change, wakes all waiting tasks and calls the event hooks.
    pub(crate) fn act<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.state);
        let result = change(&mut state);
        let touched = std::mem::take(&mut state.touched);
        drop(state);
        if let Some(state_writer) = &self.state_writer {
            state_writer.ring();
        }
        if touched {
            self.changed.send_replace(());
            self.tell_events();
        }
        result
    }

    /// Returns a copy of the state.
    pub(crate) fn copy(&self) -> State {
        lock(&self.state).clone()
    }

    /// Waits until `look` returns a value, at most until the deadline. Before the deadline, it returns only after the
    /// event hooks have run for all events so far. So a message is in the log before a test reads it.
    pub(crate) async fn wait<T>(&self, deadline: Instant, mut look: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let mut changed = self.changed.subscribe();
        let mut found = None;
        loop {
            // Marked as seen before looking: a change between the look and the wait ends the wait.
            changed.mark_unchanged();
            found = found.or_else(|| self.act(|state| Some((look(state)?, state.events.len()))));
            if found.as_ref().is_some_and(|(_, happened)| lock(&self.events).told >= *happened)
                || !matches!(timeout_at(deadline, changed.changed()).await, Ok(Ok(())))
            {
                return found.map(|(found, _)| found);
            }
        }
    }

    /// Wakes all tasks that wait for a change.
    pub(super) fn wake(&self) {
        self.changed.send_replace(());
    }

    /// Counts a request until the guard is dropped.
    pub(super) fn request(&self) -> Counted<'_> {
        self.count(|requests| &mut requests.all)
    }

    /// Counts a poll as held until the guard is dropped.
    pub(super) fn hold_poll(&self) -> Counted<'_> {
        self.count(|requests| &mut requests.held_polls)
    }

    fn count(&self, count: fn(&mut Requests) -> &mut usize) -> Counted<'_> {
        self.requests.send_modify(|requests| *count(requests) += 1);
        Counted { world: self, count }
    }

    /// Waits until this many polls are held, at most until the deadline. Returns whether they are.
    pub(crate) async fn holds_polls(&self, count: usize, deadline: Instant) -> bool {
        let mut requests = self.requests.subscribe();
        let held = requests.wait_for(|requests| requests.held_polls >= count);
        matches!(timeout_at(deadline, held).await, Ok(Ok(_)))
    }

    /// Waits until the bots are idle: all updates are handled, only held polls are unanswered, and nothing happens for
    /// `quiet`. Returns `false` at the deadline.
    pub(crate) async fn settles(&self, quiet: Duration, deadline: Instant) -> bool {
        let (mut changed, mut requests) = (self.changed.subscribe(), self.requests.subscribe());
        loop {
            // Marked as seen before the check: a change between the check and the wait ends the wait.
            changed.mark_unchanged();
            let asks = *requests.borrow_and_update();
            let is_idle = asks.all == asks.held_polls && self.act(|state| state.is_all_handled());
            let happens = async {
                tokio::select! {
                    _ = changed.changed() => {}
                    _ = requests.changed() => {}
                }
            };
            let until = if is_idle { deadline.min(Instant::now() + quiet) } else { deadline };
            if timeout_at(until, happens).await.is_err() {
                return is_idle;
            }
        }
    }

    /// Returns a receiver that is notified of each change from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    pub(crate) fn on_event(&self, hook: Hook<Event>) {
        lock(&self.events).hooks.push(hook);
    }

    pub(crate) fn on_exchange(&self, hook: Hook<Exchange>) {
        lock(&self.exchange_hooks).push(hook);
    }

    pub(crate) fn on_delivery(&self, hook: Hook<Delivery>) {
        lock(&self.delivery_hooks).push(hook);
    }

    pub(crate) fn on_upload(&self, hook: Hook<UploadRequest>) {
        lock(&self.upload_hooks).push(hook);
    }

    pub(crate) fn on_save(&self, hook: Hook<Result<(), StateFileError>>) {
        lock(&self.save_hooks).push(hook);
    }

    pub(crate) fn tell_exchange(&self, exchange: &Exchange) {
        tell(&self.exchange_hooks, exchange);
    }

    pub(crate) fn tell_delivery(&self, delivery: &Delivery) {
        tell(&self.delivery_hooks, delivery);
    }

    pub(crate) fn tell_upload(&self, request: &UploadRequest) {
        tell(&self.upload_hooks, request);
    }

    pub(crate) fn tell_save(&self, result: &Result<(), StateFileError>) {
        tell(&self.save_hooks, result);
    }

    /// Returns the faults of requests.
    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    /// Drops the next `times` deliveries.
    pub(crate) fn lose_deliveries(&self, times: u32) {
        let mut lost = lock(&self.lost);
        *lost = lost.saturating_add(times);
    }

    /// Returns whether the current delivery must be dropped, and counts it.
    pub(crate) fn loses_delivery(&self) -> bool {
        let mut lost = lock(&self.lost);
        let is_lost = *lost > 0;
        *lost = lost.saturating_sub(1);
        is_lost
    }

    /// Calls the event hooks in order, on one thread at a time. This thread also reports the events that hooks and
    /// other threads cause meanwhile.
    fn tell_events(&self) {
        let mut done = Telling { world: self, active: false };
        loop {
            let (batch, hooks) = {
                let mut listeners = lock(&self.events);
                if listeners.busy && !done.active {
                    return;
                }
                let state = lock(&self.state);
                let batch = state.events[listeners.taken..].to_vec();
                listeners.told = listeners.taken;
                listeners.taken = state.events.len();
                listeners.busy = !batch.is_empty();
                done.active = listeners.busy;
                (batch, listeners.hooks.clone())
            };
            if batch.is_empty() {
                self.changed.send_replace(());
                return;
            }
            for event in &batch {
                for hook in &hooks {
                    hook(event);
                }
            }
        }
    }
}

/// A guard that lets other threads report events again if a hook panics.
struct Telling<'a> {
    world: &'a World,
    active: bool,
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if self.active {
            let mut listeners = lock(&self.world.events);
            listeners.busy = false;
            listeners.told = listeners.taken;
        }
    }
}

fn tell<T>(hooks: &Mutex<Vec<Hook<T>>>, what: &T) {
    let hooks = lock(hooks).clone();
    for hook in hooks {
        hook(what);
    }
}

/// Locks a mutex, even if it is poisoned: a panic in a hook must not stop the sandbox.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
