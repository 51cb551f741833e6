//! The schedule of deliveries to one webhook: a state machine without network access. The caller passes the time.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::queue::{Position, Update};
use crate::protocol::service::UnsubscribeRule;
use crate::state::clock::Millis;

/// How long a webhook may fail before it is unsubscribed, in milliseconds: 8 h.
const PERSISTENCE: Millis = 8 * 60 * 60 * 1_000;
/// The maximum number of updates that are sent again in parallel. TamTam sends at most 100 per second.
const REDELIVERED_AT_ONCE: usize = 100;

/// The updates that one webhook has not taken yet.
///
/// New updates are sent in order, one at a time, each after the first attempt of the one before has ended. A failed
/// update is sent again later, in parallel, so that it does not block the others.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Schedule {
    /// Updates that were never sent.
    fresh: BTreeMap<Position, Undelivered>,
    /// Updates that were sent at least once.
    tried: BTreeMap<Position, Tried>,
    /// The update that is being sent for the first time.
    first: Option<Position>,
    /// The time of the first failure after the last success.
    #[serde(default)]
    failing_since: Option<Millis>,
}

/// An update that this webhook has not taken yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Undelivered {
    pub(crate) update: Update,
    pub(crate) since: Millis,
    /// Whether another webhook of the bot has taken the update.
    pub(crate) is_known: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Tried {
    parcel: Undelivered,
    attempts: u32,
    /// The time of the next attempt, and the error of the last one. `None` while the update is being sent.
    again: Option<(Millis, String)>,
}

/// An update to send now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) position: Position,
    /// The number of the attempt, starting at 1.
    pub(crate) attempt: u32,
    pub(crate) json: Arc<str>,
}

impl Schedule {
    pub(crate) fn add(&mut self, position: Position, update: Update, now: Millis) {
        self.fresh.insert(position, Undelivered { update, since: now, is_known: false });
    }

    /// Continues after a restart. Updates that were being sent are due at once, before those that were never sent. The
    /// time until the webhook is unsubscribed starts over.
    pub(crate) fn resume(&mut self, now: Millis) {
        for parcel in self.fresh.values_mut().chain(self.tried.values_mut().map(|tried| &mut tried.parcel)) {
            parcel.since = now;
        }
        for tried in self.tried.values_mut() {
            tried.again.get_or_insert_with(|| (now, "the sandbox ended during the attempt".to_owned()));
        }
        self.failing_since = self.failing_since.map(|_| now);
    }

    /// Takes the updates to send now. Report each one with [`delivered`](Self::delivered) or [`failed`](Self::failed).
    pub(crate) fn take_due(&mut self, now: Millis) -> Vec<Due> {
        let room = REDELIVERED_AT_ONCE.saturating_sub(self.sending());
        let again = self.tried.iter_mut().filter(|(_, tried)| tried.again.as_ref().is_some_and(|(due, _)| *due <= now));
        let mut due: Vec<_> = again.take(room).map(|(position, tried)| tried.send(*position)).collect();
        if self.first.is_none()
            && let Some((position, parcel)) = self.fresh.pop_first()
        {
            let tried = self.tried.entry(position).or_insert(Tried { parcel, attempts: 0, again: None });
            due.push(tried.send(position));
            self.first = Some(position);
        }
        due
    }

    /// Returns the time of the next redelivery. `None` if no update waits, or if the limit of parallel deliveries is
    /// reached: the end of a delivery makes room.
    pub(crate) fn next_due(&self) -> Option<Millis> {
        if self.sending() >= REDELIVERED_AT_ONCE {
            return None;
        }
        self.tried.values().filter_map(|tried| tried.again.as_ref().map(|(due, _)| *due)).min()
    }

    /// Returns the time at which the webhook is unsubscribed if it takes no update until then.
    pub(crate) fn gives_up_at(&self) -> Option<Millis> {
        self.failing_since.filter(|_| self.sending() == 0).map(|since| since + PERSISTENCE)
    }

    pub(crate) fn delivered(&mut self, position: Position) {
        self.tried.remove(&position);
        self.failing_since = None;
        self.came_back(position);
    }

    /// Records that an update was not taken. The update is sent again at `again`, or never if `None`.
    pub(crate) fn failed(&mut self, position: Position, now: Millis, again: Option<Millis>, why: String) {
        if let Some(tried) = self.tried.get_mut(&position) {
            self.failing_since.get_or_insert(now);
            match again {
                Some(again) => tried.again = Some((again, why)),
                None => drop(self.tried.remove(&position)),
            }
        }
        self.came_back(position);
    }

    /// Records that another webhook of the bot has taken an update.
    pub(crate) fn known(&mut self, position: Position) {
        let tried = self.tried.get_mut(&position).map(|tried| &mut tried.parcel);
        if let Some(parcel) = self.fresh.get_mut(&position).or(tried) {
            parcel.is_known = true;
        }
    }

    /// Whether the webhook has failed for too long: for all updates or for a single one, depending on
    /// `unsubscribe_rule`.
    pub(crate) fn is_given_up(&self, now: Millis, unsubscribe_rule: UnsubscribeRule) -> bool {
        if unsubscribe_rule == UnsubscribeRule::UntilSuccess {
            return self.sending() == 0 && self.failing_since.is_some_and(|since| now - since >= PERSISTENCE);
        }
        let mut refused = self.tried.values().filter(|tried| tried.again.is_some());
        refused.any(|tried| now - tried.parcel.since >= PERSISTENCE)
    }

    pub(crate) fn holds(&self, position: Position) -> bool {
        self.fresh.contains_key(&position) || self.tried.contains_key(&position)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.tried.is_empty()
    }

    /// Removes and returns the updates that match. An update that is being sent may still arrive.
    pub(crate) fn take_out(&mut self, is_out: impl Fn(&Update) -> bool) -> Vec<(Position, Undelivered)> {
        let (tried, kept): (BTreeMap<_, _>, _) =
            mem::take(&mut self.tried).into_iter().partition(|(_, tried)| is_out(&tried.parcel.update));
        self.tried = kept;
        let (mut out, kept): (Vec<_>, Vec<_>) =
            mem::take(&mut self.fresh).into_iter().partition(|(_, parcel)| is_out(&parcel.update));
        self.fresh = kept.into_iter().collect();
        out.extend(tried.into_iter().map(|(position, tried)| (position, tried.parcel)));
        out
    }

    /// Describes the updates that were not taken yet, one line of text each.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        let tried = self.tried.values().map(|tried| {
            let trouble = match &tried.again {
                Some((_, why)) => format!("attempt {} failed: {why}", tried.attempts),
                None => format!("attempt {} is under way", tried.attempts),
            };
            format!("{}: {trouble}", tried.parcel.update.kind)
        });
        tried.chain(self.fresh.values().map(|parcel| format!("{}: not sent yet", parcel.update.kind)))
    }

    fn sending(&self) -> usize {
        self.tried.values().filter(|tried| tried.again.is_none()).count()
    }

    fn came_back(&mut self, position: Position) {
        self.first = self.first.filter(|first| *first != position);
    }
}

impl Tried {
    fn send(&mut self, position: Position) -> Due {
        self.attempts += 1;
        self.again = None;
        Due { position, attempt: self.attempts, json: Arc::clone(&self.parcel.update.json) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Millis = 1_000_000;
    const WHILE: Millis = 200;

    fn schedule(count: i64) -> Schedule {
        let mut schedule = Schedule::default();
        for position in 0..count {
            let json = position.to_string().into();
            let update = Update { kind: "bot_started".into(), json, time: START, is_pushed_only: false };
            schedule.add(position, update, START);
        }
        schedule
    }

    /// Returns the positions and the attempts of the due updates.
    fn due(schedule: &mut Schedule, now: Millis) -> Vec<(Position, u32)> {
        schedule.take_due(now).into_iter().map(|due| (due.position, due.attempt)).collect()
    }

    fn fail(schedule: &mut Schedule, position: Position, now: Millis) {
        schedule.failed(position, now, Some(now + WHILE), "500".to_owned());
    }

    #[test]
    fn sends_new_updates_in_order_and_one_at_a_time() {
        let mut schedule = schedule(3);
        assert_eq!(due(&mut schedule, START), [(0, 1)]);
        assert_eq!(due(&mut schedule, START), []);
        schedule.delivered(0);
        assert_eq!(due(&mut schedule, START), [(1, 1)]);
        schedule.delivered(1);
        assert_eq!(due(&mut schedule, START), [(2, 1)]);
        schedule.delivered(2);
        assert!(schedule.is_empty());
        assert_eq!(schedule.next_due(), None);
    }

    #[test]
    fn a_failed_update_does_not_block_others_and_is_sent_again() {
        let mut schedule = schedule(2);
        assert_eq!(due(&mut schedule, START), [(0, 1)]);
        fail(&mut schedule, 0, START);
        assert_eq!(due(&mut schedule, START), [(1, 1)]);
        assert_eq!(schedule.next_due(), Some(START + WHILE));
        assert_eq!(due(&mut schedule, START + WHILE - 1), []);
        assert_eq!(due(&mut schedule, START + WHILE), [(0, 2)], "in parallel with the new update");
        assert_eq!(schedule.next_due(), None);
        fail(&mut schedule, 0, START + WHILE);
        assert_eq!(due(&mut schedule, START + 2 * WHILE), [(0, 3)]);
    }

    #[test]
    fn gives_up_after_eight_hours_but_not_while_sending() {
        let mut schedule = schedule(1);
        let given_up = |schedule: &Schedule, now| schedule.is_given_up(now, UnsubscribeRule::PerUpdate);
        assert!(!given_up(&schedule, START + PERSISTENCE), "never sent");
        due(&mut schedule, START);
        assert!(!given_up(&schedule, START + PERSISTENCE), "may still be taken");
        fail(&mut schedule, 0, START);
        assert!(!given_up(&schedule, START + PERSISTENCE - 1));
        assert!(given_up(&schedule, START + PERSISTENCE));
    }

    #[test]
    fn gives_up_a_webhook_that_takes_nothing_for_eight_hours() {
        let mut schedule = schedule(3);
        let given_up = |schedule: &Schedule, now| schedule.is_given_up(now, UnsubscribeRule::UntilSuccess);
        due(&mut schedule, START);
        fail(&mut schedule, 0, START);
        assert!(!given_up(&schedule, START + PERSISTENCE - 1));
        assert!(given_up(&schedule, START + PERSISTENCE));
        due(&mut schedule, START);
        schedule.delivered(1);
        assert!(!given_up(&schedule, START + PERSISTENCE), "another update was taken");
        due(&mut schedule, START + WHILE);
        schedule.failed(0, START + WHILE, None, "500".to_owned());
        assert!(!schedule.holds(0), "it is not sent again");
        assert!(!given_up(&schedule, START + WHILE + PERSISTENCE), "another update may still be taken");
        fail(&mut schedule, 2, START + WHILE);
        assert!(given_up(&schedule, START + WHILE + PERSISTENCE));
        assert_eq!(schedule.gives_up_at(), Some(START + WHILE + PERSISTENCE));
    }

    #[test]
    fn does_not_flood_a_webhook_that_comes_back() {
        let mut schedule = schedule(250);
        for position in 0..250 {
            assert_eq!(due(&mut schedule, START), [(position, 1)]);
            fail(&mut schedule, position, START);
        }
        assert_eq!(due(&mut schedule, START + WHILE).len(), REDELIVERED_AT_ONCE);
        assert_eq!(due(&mut schedule, START + WHILE), []);
        assert_eq!(schedule.next_due(), None, "the end of a delivery makes room");
        schedule.delivered(0);
        assert_eq!(due(&mut schedule, START + WHILE), [(100, 2)]);
    }

    #[test]
    fn removed_updates_say_whether_another_webhook_has_taken_them() {
        let mut schedule = schedule(3);
        due(&mut schedule, START);
        fail(&mut schedule, 0, START);
        due(&mut schedule, START);
        schedule.known(0);
        schedule.known(2);
        let out = schedule.take_out(|_| true);
        let mut out: Vec<_> = out.into_iter().map(|(position, parcel)| (position, parcel.is_known)).collect();
        out.sort_unstable();
        assert_eq!(out, [(0, true), (1, false), (2, true)]);
        assert!(schedule.is_empty());
        schedule.failed(1, START, Some(START), "500".to_owned());
        assert!(schedule.is_empty(), "a removed update does not come back");
    }

    #[test]
    fn continues_after_a_restart_in_the_same_order() {
        let mut schedule = schedule(2);
        due(&mut schedule, START);
        let text = serde_json::to_string(&schedule).unwrap();
        let mut schedule: Schedule = serde_json::from_str(&text).unwrap();
        let restart = START + PERSISTENCE;
        schedule.resume(restart);
        assert!(!schedule.is_given_up(restart, UnsubscribeRule::PerUpdate));
        assert_eq!(due(&mut schedule, restart), [(0, 2)], "before the update that was never sent");
        assert_eq!(due(&mut schedule, restart), []);
        schedule.delivered(0);
        assert_eq!(due(&mut schedule, restart), [(1, 1)]);
    }

    #[test]
    fn describes_updates_that_were_not_taken() {
        let mut schedule = schedule(3);
        due(&mut schedule, START);
        fail(&mut schedule, 0, START);
        due(&mut schedule, START);
        let lines: Vec<_> = schedule.lines().collect();
        let told = ["attempt 1 failed: 500", "attempt 1 is under way", "not sent yet"];
        assert_eq!(lines, told.map(|what| format!("bot_started: {what}")));
    }
}
