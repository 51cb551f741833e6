//! The state machine of the update stream, without network and time. A step takes a state and an input, and returns the
//! next state and an effect.

use std::{collections::VecDeque, time::Duration};

use serde_json::value::RawValue;

use super::page::Page;
use crate::{
    api::types::Update,
    client::retry::Backoff,
    error::{Error, ErrorKind},
};

/// The minimum time between two polls if the first one returned no updates. Prevents a busy loop if the server does not
/// hold polls.
pub(super) const LEAST_INTERVAL: Duration = Duration::from_millis(100);
/// The default delays after failed polls.
pub(crate) const BACKOFF: Backoff = Backoff { first: Duration::from_millis(500), most: Duration::from_secs(30) };
/// The page size that the server chooses if the request has no `limit`, in updates.
const DEFAULT_LIMIT: i64 = 100;
/// The largest page size of the API, in updates.
const LARGEST_LIMIT: i64 = 1000;
/// Pages within the size limit before the page size is doubled again, up to the configured size. A larger page may
/// be over the limit once more, and is then downloaded for nothing.
const FITTING_PAGES: u32 = 16;
/// The maximum time for skipping pending updates. A bot that always receives updates would otherwise never start.
const LONGEST_SKIP: Duration = Duration::from_secs(10);

/// Retries after a response that the operation does not exist. A gateway may answer so while the server behind it
/// restarts. After these retries, the error is permanent.
pub(super) const ASKED_AGAIN: u32 = 3;

/// The position at which a stream of updates begins. Set by
/// [`Updates::start_from`](crate::updates::Updates::start_from).
///
/// The stream commits (confirms) handled updates to the server. The server keeps the uncommitted updates. The position
/// determines which of these updates a new stream receives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartFrom {
    /// The position in the [marker store](crate::updates::Updates::marker_store) (default). This position is after the
    /// last handled page. A page is the list of updates in one response. Without a store or a saved position, `Stored`
    /// is the same as [`Backlog`](Self::Backlog).
    #[default]
    Stored,
    /// The oldest update that was not committed. The stream begins with the updates that the server has kept, and
    /// ignores the position in a marker store. MAX can skip some of these updates: see
    /// [Commits](crate::updates::Updates#commits).
    Backlog,
    /// The first update that arrives after the start. The stream first skips the updates that the server has kept, for
    /// at most about 10 s. If kept updates remain after this time, the stream returns them.
    Latest,
}

/// An event that changes the state.
#[derive(Debug)]
pub(super) enum Input {
    /// The consumer requests an update, so all earlier ones are handled.
    Asked,
    /// The marker store was read.
    Loaded(Option<i64>),
    /// No webhook is subscribed, or all were removed.
    Cleared,
    /// A poll was answered, `took` after it began.
    Page { page: Page, took: Duration },
    /// The save of the marker has ended. Polling continues also if it failed.
    Saved { ok: bool },
    /// The effect failed. `chance` is a random number from 0 to 1.
    Failed { error: Error, chance: f64 },
    /// The wait is over.
    Waited,
    /// The last commit has ended, successfully or not.
    Committed,
    /// The stream is to end after the fetched updates are handled.
    Stop,
}

/// An action for the stream to take.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most effects are the large `Yield`")]
pub(super) enum Effect {
    /// Return an update.
    Yield(Update),
    /// Return an error. The stream has ended.
    Fail(Error),
    /// The stream has ended.
    End,
    /// Continue the effect in progress.
    Continue,
    /// Read the marker store.
    Load,
    /// Make sure that no webhook is subscribed. `failures` is the number of failed attempts before.
    ClearWebhooks { failures: u32 },
    /// Request a page, which commits all updates before the marker. Without a `limit`, the server chooses the page
    /// size.
    Poll { marker: Option<i64>, limit: Option<i64> },
    /// Request a page to skip: like [`Poll`](Self::Poll), but without a hold, of all types, and as large as possible.
    Skip { marker: Option<i64>, limit: i64 },
    /// Save the marker.
    Save { marker: i64 },
    /// Send the marker to the server, without waiting for new updates.
    Commit { marker: i64 },
    /// Wait.
    Wait(Duration),
    /// Log that updates came without a new marker and will be delivered again, then wait.
    Stuck { delay: Duration },
    /// Log a temporary failure, then wait.
    Retry { error: Error, delay: Duration },
}

/// The phase of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    New,
    Loading,
    Clearing,
    Skipping,
    Polling,
    /// Between two polls.
    Pausing,
    Saving,
    Committing,
    Ended,
}

/// The state of a stream.
#[derive(Debug)]
pub(super) struct StreamState {
    phase: Phase,
    start_from: StartFrom,
    /// Whether there is a marker store.
    stored: bool,
    backoff: Backoff,
    /// The page size that was set, in updates.
    limit: Option<i64>,
    /// How often the page size is halved because a page was over the size limit.
    halvings: u32,
    /// Pages that arrived since the page size changed.
    fitting: u32,
    /// Updates that were fetched and not returned yet.
    page: VecDeque<Update>,
    /// The JSON of `page`, if it is kept.
    json: VecDeque<Box<RawValue>>,
    /// The JSON of the update that was returned last, if it is kept.
    yielded_json: Option<Box<RawValue>>,
    /// The marker that commits `page` and all earlier pages.
    marker: Option<i64>,
    /// Whether the server may not have the marker yet.
    uncommitted: bool,
    /// Whether the store does not have the marker yet.
    unsaved: bool,
    /// Whether the marker is from the store, and the server has not accepted it yet.
    from_store: bool,
    /// The time that polls of skipped pages took.
    skipped_for: Duration,
    /// Consecutive pages with updates but without a new marker.
    stuck: u32,
    /// Whether webhooks were checked again since the last page.
    looked_again: bool,
    /// Failures since the last success.
    failures: u32,
    /// How many of these failures were `method.not.found`.
    missing: u32,
    stopping: bool,
}

impl StreamState {
    pub(super) fn new(start_from: StartFrom, stored: bool, backoff: Backoff, limit: Option<i64>) -> Self {
        Self {
            phase: Phase::New,
            start_from,
            stored,
            backoff,
            limit,
            halvings: 0,
            fitting: 0,
            page: VecDeque::new(),
            json: VecDeque::new(),
            yielded_json: None,
            marker: None,
            uncommitted: false,
            unsaved: false,
            from_store: false,
            skipped_for: Duration::ZERO,
            stuck: 0,
            looked_again: false,
            failures: 0,
            missing: 0,
            stopping: false,
        }
    }

    pub(super) fn marker(&self) -> Option<i64> {
        self.marker
    }

    /// Whether updates are fetched and not returned yet.
    pub(super) fn is_waiting(&self) -> bool {
        !self.page.is_empty()
    }

    /// Takes the JSON of the update that was returned last, if it is kept.
    pub(super) fn take_json(&mut self) -> Option<Box<RawValue>> {
        self.yielded_json.take()
    }

    /// Takes the rest of the page, for a consumer that handles pages as a whole.
    pub(super) fn take_page(&mut self) -> VecDeque<Update> {
        std::mem::take(&mut self.page)
    }

    /// Takes the JSON of the rest of the page, if it is kept.
    pub(super) fn take_page_json(&mut self) -> VecDeque<Box<RawValue>> {
        std::mem::take(&mut self.json)
    }

    /// Applies an input. Returns the next state and the effect to perform.
    pub(super) fn step(mut self, input: Input) -> (Self, Effect) {
        let effect = match input {
            Input::Asked => self.asked(),
            Input::Waited if self.phase == Phase::Pausing => self.go_on(),
            Input::Waited => self.act(),
            Input::Loaded(marker) => {
                if self.start_from == StartFrom::Stored {
                    self.marker = marker;
                    (self.uncommitted, self.from_store) = (marker.is_some(), marker.is_some());
                }
                self.succeeded(Phase::Clearing)
            }
            Input::Cleared => self.cleared(),
            Input::Page { page, took } => self.answered(page, took),
            Input::Saved { ok } => {
                self.unsaved = !ok;
                // A failed save is retried after the next poll.
                if self.stopping { self.commit() } else { self.enter(Phase::Polling) }
            }
            Input::Failed { error, chance } => self.failed(error, chance),
            Input::Committed => self.enter(Phase::Ended),
            Input::Stop => self.stop(),
        };
        (self, effect)
    }

    fn asked(&mut self) -> Effect {
        if let Some(update) = self.next_of_page() {
            return Effect::Yield(update);
        }
        match self.phase {
            Phase::Ended => Effect::End,
            _ if self.stopping => self.finish(),
            Phase::New => self.enter(if self.stored { Phase::Loading } else { Phase::Clearing }),
            _ if self.stuck > 0 => {
                self.phase = Phase::Pausing;
                Effect::Stuck { delay: self.backoff.step(self.stuck).max(LEAST_INTERVAL) }
            }
            _ => self.go_on(),
        }
    }

    fn next_of_page(&mut self) -> Option<Update> {
        self.yielded_json = self.json.pop_front();
        self.page.pop_front()
    }

    fn cleared(&mut self) -> Effect {
        let skips = self.start_from == StartFrom::Latest && !self.looked_again;
        self.succeeded(if skips { Phase::Skipping } else { Phase::Polling })
    }

    /// Saves the marker if it is not saved, else polls.
    fn go_on(&mut self) -> Effect {
        self.enter(if self.stored && self.unsaved { Phase::Saving } else { Phase::Polling })
    }

    fn answered(&mut self, page: Page, took: Duration) -> Effect {
        (self.failures, self.missing) = (0, 0);
        self.fitting = self.fitting.saturating_add(1);
        if self.halvings > 0 && self.fitting >= FITTING_PAGES {
            (self.halvings, self.fitting) = (self.halvings - 1, 0);
        }
        // The server has accepted the marker of the request. A page without a marker must not reset it.
        (self.uncommitted, self.from_store, self.looked_again) = (false, false, false);
        let moved = page.marker.filter(|marker| Some(*marker) != self.marker);
        if let Some(marker) = moved {
            (self.marker, self.uncommitted, self.unsaved) = (Some(marker), true, true);
        }
        if self.phase == Phase::Skipping {
            self.skipped_for += took;
            // Without a new marker, the next poll would return the same updates.
            let is_over = page.updates.is_empty() || moved.is_none() || self.skipped_for >= LONGEST_SKIP;
            return if is_over { self.go_on() } else { self.act() };
        }
        self.stuck = if page.updates.is_empty() || moved.is_some() { 0 } else { self.stuck.saturating_add(1) };
        (self.page, self.json) = (page.updates, page.json);
        match self.next_of_page() {
            Some(update) => Effect::Yield(update),
            None if took < LEAST_INTERVAL => {
                self.phase = Phase::Pausing;
                Effect::Wait(LEAST_INTERVAL - took)
            }
            None => self.go_on(),
        }
    }

    /// Returns the page size of the next request. If `None`, the server chooses it.
    fn page_limit(&self) -> Option<i64> {
        match (self.phase, self.limit) {
            (Phase::Skipping, _) => Some(self.halved(LARGEST_LIMIT)),
            (_, None) if self.halvings == 0 => None,
            (_, limit) => Some(self.halved(limit.unwrap_or(DEFAULT_LIMIT))),
        }
    }

    fn halved(&self, limit: i64) -> i64 {
        limit.checked_shr(self.halvings).unwrap_or_default().max(1)
    }

    fn failed(&mut self, error: Error, chance: f64) -> Effect {
        let is_page = matches!(self.phase, Phase::Polling | Phase::Skipping);
        // A captive portal may answer a poll, so a poll that misfits is retried. A misfit at the start is permanent.
        let is_start = matches!(self.phase, Phase::Loading | Phase::Clearing) && !self.looked_again;
        if is_page && error.kind() == ErrorKind::TooLarge && self.page_limit() != Some(1) {
            (self.halvings, self.fitting) = (self.halvings + 1, 0);
            return Effect::Retry { error, delay: Duration::ZERO };
        }
        if self.phase == Phase::Polling && error.is_method_not_allowed() && !self.looked_again {
            // Servers answer this while a webhook is subscribed. One may have been subscribed since the start.
            (self.phase, self.looked_again) = (Phase::Clearing, true);
        } else if error.is_method_not_found() && self.missing < ASKED_AGAIN {
            self.missing += 1;
        } else if error.ends_polling() || is_start && error.is_misfit() {
            let marker = self.marker.filter(|_| self.from_store && self.phase == Phase::Polling);
            self.phase = Phase::Ended;
            return Effect::Fail(match marker {
                Some(marker) => error.with_stored_marker(marker),
                None => error,
            });
        }
        self.failures = self.failures.saturating_add(1);
        let delay = self.backoff.jittered(self.failures, chance).max(error.retry_after().unwrap_or_default());
        Effect::Retry { error, delay }
    }

    fn stop(&mut self) -> Effect {
        self.stopping = true;
        match self.phase {
            // Fetched updates are handled first, and a write in progress is completed.
            _ if !self.page.is_empty() => Effect::Continue,
            Phase::Saving | Phase::Committing | Phase::Ended => Effect::Continue,
            _ => self.finish(),
        }
    }

    /// Saves and commits the marker if necessary, then ends.
    fn finish(&mut self) -> Effect {
        if self.stored && self.unsaved { self.enter(Phase::Saving) } else { self.commit() }
    }

    fn commit(&mut self) -> Effect {
        self.enter(if self.uncommitted { Phase::Committing } else { Phase::Ended })
    }

    fn succeeded(&mut self, next: Phase) -> Effect {
        (self.failures, self.missing) = (0, 0);
        self.enter(next)
    }

    fn enter(&mut self, phase: Phase) -> Effect {
        self.phase = phase;
        self.act()
    }

    /// Returns the effect of the current phase.
    fn act(&self) -> Effect {
        match (self.phase, self.marker) {
            (Phase::Loading, _) => Effect::Load,
            (Phase::Clearing, _) => Effect::ClearWebhooks { failures: self.failures },
            (Phase::Skipping, marker) => Effect::Skip { marker, limit: self.halved(LARGEST_LIMIT) },
            (Phase::Saving, Some(marker)) => Effect::Save { marker },
            (Phase::Committing, Some(marker)) => Effect::Commit { marker },
            (Phase::Polling | Phase::Pausing | Phase::Saving | Phase::New, marker) => {
                Effect::Poll { marker, limit: self.page_limit() }
            }
            (Phase::Committing | Phase::Ended, _) => Effect::End,
        }
    }
}

#[cfg(test)]
mod tests;
