//! The queue of updates that one bot polls and commits. No network access; the caller passes the time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Weak};

use serde::{Deserialize, Serialize};

use crate::state::clock::Millis;

/// The number of an update, in the order of events. Markers are such numbers. An update keeps its position at webhooks
/// and in the queue, so a marker never commits an update that it was not made for.
pub(crate) type Position = i64;

/// An update as it will be sent. Its JSON is written at the time of the event, and later changes do not affect it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Update {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) json: Arc<str>,
    /// The time of the event.
    #[serde(default)]
    pub(crate) time: Millis,
    /// Whether the update is only delivered by webhook.
    #[serde(default)]
    pub(crate) is_pushed_only: bool,
}

/// The sender of a poll, on a service where each update goes to one of several pollers.
#[derive(Clone, Debug)]
pub(crate) struct Poller {
    /// Cannot be upgraded after the connection is closed.
    pub(crate) connection: Weak<()>,
    pub(crate) marker: Option<Position>,
    /// The time of the poll.
    pub(crate) began: Millis,
}

/// A page that was sent to a poll.
#[derive(Clone, Debug)]
struct Lease {
    poller: Poller,
    /// The marker of the page, which is unique. A poll with this marker comes from the same poller.
    marker: Position,
    since: Millis,
}

/// The time after which a poll that repeats the marker of an earlier poll gets the page of the earlier poll, in
/// milliseconds. This concerns polls on different connections. Before this time, they count as two pollers.
const ASKS_AGAIN: Millis = 10_000;

impl Lease {
    /// Whether the page is hidden from a poll.
    fn hides_from(&self, other: &Poller) -> bool {
        let is_same = Weak::ptr_eq(&self.poller.connection, &other.connection) || other.marker == Some(self.marker);
        let asks_again = self.poller.marker == other.marker && other.began - self.since >= ASKS_AGAIN;
        !is_same && !asks_again && self.poller.connection.strong_count() > 0
    }
}

/// Updates in the order of events.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Queue {
    waiting: BTreeMap<Position, Update>,
    /// Updates that a poll got and has not committed. Only used if polls share the updates.
    #[serde(skip)]
    leases: BTreeMap<Position, Lease>,
    /// The position of the next new update.
    next: Position,
}

impl Queue {
    /// Creates an empty queue whose first update will have the position `first`.
    pub(crate) fn new(first: Position) -> Self {
        Self { waiting: BTreeMap::new(), leases: BTreeMap::new(), next: first }
    }

    /// Returns the position of a new update.
    pub(crate) fn issue(&mut self) -> Position {
        let position = self.next;
        self.next += 1;
        position
    }

    /// Continues after a restart. At most `lost` positions were issued and not saved. Updates from files of earlier
    /// versions have no time, and get `now`.
    pub(crate) fn resume(&mut self, now: Millis, lost: Position) {
        self.next = self.next.saturating_add(lost);
        for update in self.waiting.values_mut().filter(|update| update.time == 0) {
            update.time = now;
        }
    }

    /// Adds an update at its position, which may be before other updates.
    pub(crate) fn put(&mut self, position: Position, update: Update) {
        self.waiting.insert(position, update);
    }

    /// Removes the update at this position, if there is one.
    pub(crate) fn remove(&mut self, position: Position) {
        self.waiting.remove(&position);
        self.leases.remove(&position);
    }

    /// Returns how many updates of these types wait. Empty stands for all types.
    pub(crate) fn count(&self, types: &[String]) -> usize {
        let is_asked = |update: &&Update| types.is_empty() || types.iter().any(|kind| *kind == update.kind);
        self.waiting.values().filter(is_asked).count()
    }

    /// Discards the updates that happened before `time`.
    pub(crate) fn forget_before(&mut self, time: Millis) {
        while let Some((position, _)) = self.waiting.first_key_value().filter(|(_, update)| update.time < time) {
            let position = *position;
            self.remove(position);
        }
    }

    /// Removes and returns all updates, in order.
    pub(crate) fn take_all(&mut self) -> BTreeMap<Position, Update> {
        self.leases.clear();
        mem::take(&mut self.waiting)
    }

    /// Removes all updates before `marker`, except those that another poller has got. A marker from the past cannot
    /// undo a commit. A marker from the future, such as one of an earlier sandbox, cannot commit later updates.
    pub(crate) fn commit(&mut self, marker: Position, poller: Option<&Poller>) {
        let behind = self.waiting.split_off(&marker.min(self.next));
        let mut before = mem::replace(&mut self.waiting, behind);
        before.retain(|position, _| poller.is_some_and(|poller| self.is_kept_from(*position, poller)));
        self.waiting.append(&mut before);
        self.leases.retain(|position, _| self.waiting.contains_key(position));
    }

    fn is_kept_from(&self, position: Position, poller: &Poller) -> bool {
        self.leases.get(&position).is_some_and(|lease| lease.hides_from(poller))
    }

    /// Returns a page of the waiting updates. Updates of other types than `types` are skipped: the marker is behind
    /// them.
    pub(crate) fn page(&self, limit: usize, types: &[String]) -> Page {
        self.read(limit, types, None)
    }

    /// Returns a page for one of several pollers. Updates that another poller has got are skipped as well. The page
    /// gets a unique marker. An empty page does not: call [`mark`](Self::mark) before you send it.
    pub(crate) fn shared_page(&mut self, limit: usize, types: &[String], poller: &Poller, now: Millis) -> Page {
        let mut page = self.read(limit, types, Some(poller));
        if !page.is_empty() {
            self.mark(&mut page);
            let lease = Lease { poller: poller.clone(), marker: page.marker, since: now };
            self.leases.extend(page.positions.iter().map(|position| (*position, lease.clone())));
        }
        page
    }

    /// Gives a page that ends behind the newest update a unique marker.
    pub(crate) fn mark(&mut self, page: &mut Page) {
        if page.marker == self.next {
            page.marker = self.issue();
        }
    }

    fn read(&self, limit: usize, types: &[String], poller: Option<&Poller>) -> Page {
        let (mut updates, mut positions) = (String::new(), Vec::new());
        let mut marker = self.next;
        for (position, update) in &self.waiting {
            if poller.is_some_and(|poller| self.is_kept_from(*position, poller)) {
                continue;
            }
            if positions.len() == limit {
                marker = *position;
                break;
            }
            if types.is_empty() || types.iter().any(|kind| *kind == update.kind) {
                if !positions.is_empty() {
                    updates.push(',');
                }
                updates.push_str(&update.json);
                positions.push(*position);
            }
        }
        Page { updates, marker, positions }
    }
}

/// The answer to a poll.
#[derive(Debug)]
pub(crate) struct Page {
    /// The updates as JSON, separated by commas.
    updates: String,
    marker: Position,
    positions: Vec<Position>,
}

impl Page {
    pub(crate) fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Writes an `UpdateList`.
    pub(crate) fn json(&self) -> String {
        format!(r#"{{"updates":[{}],"marker":{}}}"#, self.updates, self.marker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: i64 = 1_000;

    fn queue(kinds: &[&'static str]) -> Queue {
        let mut queue = Queue::new(FIRST);
        for (index, kind) in kinds.iter().enumerate() {
            push(&mut queue, kind, &index.to_string());
        }
        queue
    }

    fn push(queue: &mut Queue, kind: &'static str, json: &str) {
        let position = queue.issue();
        queue.put(position, Update { kind: kind.into(), json: json.into(), time: position, is_pushed_only: false });
    }

    #[test]
    fn an_empty_page_has_a_marker() {
        let page = queue(&[]).page(10, &[]);
        assert_eq!((page.json().as_str(), page.is_empty()), (r#"{"updates":[],"marker":1000}"#, true));
    }

    #[test]
    fn a_page_stops_at_the_limit_and_its_marker_is_the_next_update() {
        let page = queue(&["a", "a", "a"]).page(2, &[]);
        assert_eq!(page.json(), r#"{"updates":[0,1],"marker":1002}"#);
    }

    #[test]
    fn reading_commits_nothing_and_a_marker_commits_the_updates_before_it() {
        let mut queue = queue(&["a", "a", "a"]);
        assert_eq!(queue.page(10, &[]).json(), queue.page(10, &[]).json());
        queue.commit(FIRST + 2, None);
        assert_eq!(queue.page(10, &[]).json(), r#"{"updates":[2],"marker":1003}"#);
    }

    #[test]
    fn markers_of_the_past_and_of_the_future_are_harmless() {
        let mut queue = queue(&["a", "a"]);
        queue.commit(FIRST + 1, None);
        queue.commit(i64::MIN, None);
        assert_eq!(queue.page(10, &[]).json(), r#"{"updates":[1],"marker":1002}"#);
        queue.commit(i64::MAX, None);
        push(&mut queue, "a", "2");
        assert_eq!(queue.page(10, &[]).json(), r#"{"updates":[2],"marker":1003}"#);
    }

    #[test]
    fn updates_of_other_types_are_skipped() {
        let queue = queue(&["a", "b", "a", "b"]);
        let types = ["b".to_owned()];
        assert_eq!(queue.page(10, &types).json(), r#"{"updates":[1,3],"marker":1004}"#);
        assert_eq!(queue.page(1, &types).json(), r#"{"updates":[1],"marker":1002}"#);
        assert_eq!(queue.page(10, &["c".to_owned()]).json(), r#"{"updates":[],"marker":1004}"#);
    }

    #[test]
    fn a_returned_update_keeps_its_position_and_its_marker() {
        let mut queue = queue(&["a", "a", "a"]);
        let seen = FIRST + 2;
        let mut taken = queue.take_all();
        assert_eq!(queue.page(10, &[]).json(), r#"{"updates":[],"marker":1003}"#);
        push(&mut queue, "a", "3");
        let middle = taken.remove(&(FIRST + 1)).unwrap();
        let last = taken.remove(&(FIRST + 2)).unwrap();
        queue.put(FIRST + 2, last);
        queue.put(FIRST + 1, middle);
        assert_eq!(queue.page(10, &[]).json(), r#"{"updates":[1,2,3],"marker":1004}"#);
        queue.commit(seen, None);
        assert_eq!(queue.page(10, &[]).json(), r#"{"updates":[2,3],"marker":1004}"#);
        queue.remove(FIRST + 2);
        assert_eq!(queue.page(10, &[]).json(), r#"{"updates":[3],"marker":1004}"#);
    }

    /// Returns a connection, which is open until it is dropped, and a poller on it.
    fn poller(marker: Option<Position>, began: Millis) -> (Arc<()>, Poller) {
        let connection = Arc::new(());
        let poller = Poller { connection: Arc::downgrade(&connection), marker, began };
        (connection, poller)
    }

    /// Returns the updates of a page, and its marker.
    fn shared(queue: &mut Queue, poller: &Poller) -> (String, Position) {
        let mut page = queue.shared_page(10, &[], poller, poller.began);
        queue.mark(&mut page);
        (page.updates, page.marker)
    }

    #[test]
    fn two_pollers_share_the_updates_and_neither_commits_those_of_the_other() {
        let mut queue = queue(&["a", "a"]);
        let (_open, one) = poller(None, 0);
        let (_open_too, other) = poller(None, ASKS_AGAIN - 1);
        let (updates, marker) = shared(&mut queue, &one);
        assert_eq!(updates, "0,1");
        assert_eq!(shared(&mut queue, &other).0, "");
        push(&mut queue, "a", "2");
        let (updates, others) = shared(&mut queue, &other);
        assert_eq!(updates, "2");
        queue.commit(others, Some(&Poller { marker: Some(others), ..other }));
        assert_eq!(shared(&mut queue, &one).0, "0,1");
        queue.commit(marker, Some(&Poller { marker: Some(marker), ..one }));
        assert_eq!(queue.count(&[]), 0);
    }

    #[test]
    fn every_page_has_a_unique_marker_even_an_empty_one() {
        let mut queue = queue(&["a"]);
        let (_open, one) = poller(None, 0);
        let (_open_too, other) = poller(None, 0);
        let markers = [&one, &other, &one, &other].map(|poller| shared(&mut queue, poller).1);
        assert!(markers.windows(2).all(|pair| pair[0] < pair[1]), "{markers:?}");
    }

    #[test]
    fn a_marker_commits_its_page_on_any_connection() {
        let mut queue = queue(&["a"]);
        let (_open, poll) = poller(None, 0);
        let (_, marker) = shared(&mut queue, &poll);
        let (_open_too, next) = poller(Some(marker), 1);
        queue.commit(marker, Some(&next));
        assert_eq!(queue.count(&[]), 0);
    }

    #[test]
    fn updates_of_a_closed_connection_go_to_another_poller() {
        let mut queue = queue(&["a"]);
        let (open, one) = poller(None, 0);
        let (_open, other) = poller(Some(FIRST + 9), 1);
        assert_eq!(shared(&mut queue, &one).0, "0");
        queue.commit(FIRST + 9, Some(&other));
        assert_eq!(shared(&mut queue, &other).0, "");
        drop(open);
        assert_eq!(shared(&mut queue, &other).0, "0");
    }

    #[test]
    fn a_poll_repeated_on_another_connection_gets_the_same_page() {
        let mut queue = queue(&["a"]);
        let (_one, first) = poller(Some(FIRST), 0);
        let (_two, at_once) = poller(Some(FIRST), ASKS_AGAIN - 1);
        let (_three, again) = poller(Some(FIRST), ASKS_AGAIN);
        assert_eq!(shared(&mut queue, &first).0, "0");
        assert_eq!(shared(&mut queue, &at_once).0, "");
        assert_eq!(shared(&mut queue, &again).0, "0");
    }

    #[test]
    fn old_updates_are_forgotten() {
        let mut queue = queue(&["a", "a", "a"]);
        queue.forget_before(FIRST + 2);
        assert_eq!(queue.page(10, &[]).json(), r#"{"updates":[2],"marker":1003}"#);
        assert_eq!(queue.count(&[]), 1);
    }
}
