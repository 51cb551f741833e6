//! The updates that wait for one bot to poll them, and what of them is committed. No network and no time here.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::mem;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The number of an update in the order of happening; markers are such numbers. It stays with the update wherever it
/// goes: a marker can never commit an update that it was not made for.
pub(crate) type Position = i64;

/// An update as it will be sent. It is written once, when it happens: later changes do not show in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Update {
    pub(crate) kind: Cow<'static, str>,
    pub(crate) json: Arc<str>,
}

/// Updates in order of happening.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Queue {
    waiting: BTreeMap<Position, Update>,
    /// Position of the next update that happens.
    next: Position,
}

impl Queue {
    /// An empty queue whose first update will have the position `first`.
    pub(crate) fn new(first: Position) -> Self {
        Self { waiting: BTreeMap::new(), next: first }
    }

    /// A position for an update that has just happened.
    pub(crate) fn issue(&mut self) -> Position {
        let position = self.next;
        self.next += 1;
        position
    }

    /// Leaves out so many positions.
    pub(crate) fn skip(&mut self, positions: Position) {
        self.next = self.next.saturating_add(positions);
    }

    /// Lets an update wait at its place, which may be before others.
    pub(crate) fn put(&mut self, position: Position, update: Update) {
        self.waiting.insert(position, update);
    }

    /// Lets an update wait no longer, if it does.
    pub(crate) fn remove(&mut self, position: Position) {
        self.waiting.remove(&position);
    }

    /// Everything that waits, in order; nothing is left.
    pub(crate) fn take_all(&mut self) -> BTreeMap<Position, Update> {
        mem::take(&mut self.waiting)
    }

    /// Forgets everything before `marker`. A marker from the past or from the future (say, of an earlier sandbox)
    /// cannot take back a commit, nor commit what has not happened yet.
    pub(crate) fn commit(&mut self, marker: Position) {
        self.waiting = self.waiting.split_off(&marker.min(self.next));
    }

    /// A page of what waits, and whether there is anything in it. With `types`, other updates are passed over: the
    /// page's marker is behind them.
    pub(crate) fn page(&self, limit: usize, types: &[String]) -> (String, bool) {
        let mut text = String::from(r#"{"updates":["#);
        let mut taken = 0;
        let mut marker = self.next;
        for (position, update) in &self.waiting {
            if taken == limit {
                marker = *position;
                break;
            }
            if types.is_empty() || types.iter().any(|kind| *kind == update.kind) {
                if taken > 0 {
                    text.push(',');
                }
                text.push_str(&update.json);
                taken += 1;
            }
        }
        // Writing to a String cannot fail.
        let _ = write!(text, r#"],"marker":{marker}}}"#);
        (text, taken > 0)
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
        queue.put(position, Update { kind: kind.into(), json: json.into() });
    }

    #[test]
    fn an_empty_page_has_a_marker() {
        assert_eq!(queue(&[]).page(10, &[]), (r#"{"updates":[],"marker":1000}"#.to_owned(), false));
    }

    #[test]
    fn a_page_stops_at_the_limit_and_its_marker_is_the_next_update() {
        let (page, _) = queue(&["a", "a", "a"]).page(2, &[]);
        assert_eq!(page, r#"{"updates":[0,1],"marker":1002}"#);
    }

    #[test]
    fn reading_commits_nothing_and_a_marker_commits_what_is_before_it() {
        let mut queue = queue(&["a", "a", "a"]);
        assert_eq!(queue.page(10, &[]), queue.page(10, &[]));
        queue.commit(FIRST + 2);
        assert_eq!(queue.page(10, &[]).0, r#"{"updates":[2],"marker":1003}"#);
    }

    #[test]
    fn markers_of_the_past_and_of_the_future_do_no_harm() {
        let mut queue = queue(&["a", "a"]);
        queue.commit(FIRST + 1);
        queue.commit(i64::MIN);
        assert_eq!(queue.page(10, &[]).0, r#"{"updates":[1],"marker":1002}"#);
        queue.commit(i64::MAX);
        push(&mut queue, "a", "2");
        assert_eq!(queue.page(10, &[]).0, r#"{"updates":[2],"marker":1003}"#);
    }

    #[test]
    fn types_pass_over_the_others() {
        let queue = queue(&["a", "b", "a", "b"]);
        let types = ["b".to_owned()];
        assert_eq!(queue.page(10, &types).0, r#"{"updates":[1,3],"marker":1004}"#);
        assert_eq!(queue.page(1, &types).0, r#"{"updates":[1],"marker":1002}"#);
        assert_eq!(queue.page(10, &["c".to_owned()]), (r#"{"updates":[],"marker":1004}"#.to_owned(), false));
    }

    #[test]
    fn an_update_that_comes_back_has_its_old_place_and_its_marker_still_fits() {
        let mut queue = queue(&["a", "a", "a"]);
        let seen = FIRST + 2;
        let mut taken = queue.take_all();
        assert_eq!(queue.page(10, &[]).0, r#"{"updates":[],"marker":1003}"#);
        push(&mut queue, "a", "3");
        let middle = taken.remove(&(FIRST + 1)).unwrap();
        let last = taken.remove(&(FIRST + 2)).unwrap();
        queue.put(FIRST + 2, last);
        queue.put(FIRST + 1, middle);
        assert_eq!(queue.page(10, &[]).0, r#"{"updates":[1,2,3],"marker":1004}"#);
        queue.commit(seen);
        assert_eq!(queue.page(10, &[]).0, r#"{"updates":[2,3],"marker":1004}"#);
        queue.remove(FIRST + 2);
        assert_eq!(queue.page(10, &[]).0, r#"{"updates":[3],"marker":1004}"#);
    }
}
