//! The updates that wait for one bot, and what of them is committed. No network and no time here.

use std::collections::VecDeque;
use std::fmt::Write as _;

/// An update as it will be sent. It is written once, when it happens: later changes do not show in it.
#[derive(Debug)]
pub(super) struct Update {
    pub(super) kind: &'static str,
    pub(super) json: String,
}

/// Updates in order of happening. A marker is the position of the next update.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<Update>,
    /// Position of the first that waits; everything before it is committed.
    committed: i64,
}

impl Queue {
    /// An empty queue whose first update will have the position `first`.
    pub(super) fn new(first: i64) -> Self {
        Self { waiting: VecDeque::new(), committed: first }
    }

    pub(super) fn push(&mut self, update: Update) {
        self.waiting.push_back(update);
    }

    /// Forgets everything before `marker`. A marker from the past or from the future (say, of an earlier sandbox)
    /// cannot take back a commit, nor commit what has not happened yet.
    pub(super) fn commit(&mut self, marker: i64) {
        let seen = marker.clamp(self.committed, self.next()) - self.committed;
        self.waiting.drain(..usize::try_from(seen).unwrap_or(0));
        self.committed += seen;
    }

    /// A page of what waits, and whether there is anything in it. With `types`, other updates are passed over: the
    /// page's marker is behind them.
    pub(super) fn page(&self, limit: usize, types: &[String]) -> (String, bool) {
        let mut text = String::from(r#"{"updates":["#);
        let mut taken = 0;
        let mut marker = self.next();
        for (position, update) in (self.committed..).zip(&self.waiting) {
            if taken == limit {
                marker = position;
                break;
            }
            if types.is_empty() || types.iter().any(|kind| kind == update.kind) {
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

    fn next(&self) -> i64 {
        self.committed + i64::try_from(self.waiting.len()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: i64 = 1_000;

    fn queue(kinds: &[&'static str]) -> Queue {
        let mut queue = Queue::new(FIRST);
        for (index, kind) in kinds.iter().enumerate() {
            queue.push(Update { kind, json: index.to_string() });
        }
        queue
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
        queue.push(Update { kind: "a", json: "2".to_owned() });
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
}
