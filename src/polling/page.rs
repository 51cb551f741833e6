//! A page of updates as the server sends it: the envelope first, then each update by itself, when it is asked for.
//!
//! A handler need not wait for the last update to be parsed. But what is handed out cannot be taken back, so that all of a
//! page must be there before: HTTP tells of most bodies that were cut, and a page that does not end as pages end is read
//! whole, or refused. What is wrong in the middle comes out when it is reached: see [`Broken`].

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Update, union};

/// A page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) updates: Waiting,
    /// What commits this page; `None` says nothing.
    pub(crate) marker: Option<i64>,
}

/// Updates that were fetched and not handed out yet: first those that are parsed, then those that are not.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    parsed: VecDeque<Update>,
    text: Option<Text>,
}

/// The text of a page up to the end of its list, of which the next update, which there is, begins at `at`.
#[derive(Debug)]
struct Text {
    json: String,
    first: usize,
    at: usize,
}

/// The rest of a page cannot be read: the page has to be asked for again, and to be read whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Broken {
    /// The JSON of each update that was handed out. If it comes again, to the letter, it has been dealt with.
    handed_out: Vec<String>,
}

impl Page {
    /// Reads a page. A strange update costs nobody but itself: it is [`Update::Unknown`].
    pub(crate) fn read(json: impl Into<String>) -> serde_json::Result<Self> {
        let json = json.into();
        match Envelope::of(&json) {
            Some(envelope) => Ok(envelope.around(json)),
            None => Whole::read(&json).map(Whole::page),
        }
    }
}

/// What is around the updates of a page that begins and ends as always: `{"updates":[` and `],"marker":1}`.
struct Envelope {
    /// Where the first update, which there is, begins, and where the list ends.
    list: Range<usize>,
    marker: Option<i64>,
}

impl Envelope {
    fn of(json: &str) -> Option<Self> {
        let mut start = Cursor { json, at: 0 };
        let begins = start.takes('{') && start.takes_key("updates") && start.takes('[') && !start.takes(']');
        let (list, marker) = json.trim_ascii_end().strip_suffix('}')?.rsplit_once(',')?;
        let list = list.trim_ascii_end();
        let mut end = Cursor { json: marker.trim_ascii_end(), at: 0 };
        (begins && list.ends_with(']') && end.takes_key("marker")).then_some(())?;
        let marker = end.value()?;
        end.rest().is_empty().then_some(Self { list: start.at..list.len(), marker })
    }

    fn around(self, mut json: String) -> Page {
        json.truncate(self.list.end);
        let text = Text { json, first: self.list.start, at: self.list.start };
        Page { updates: Waiting { parsed: VecDeque::new(), text: Some(text) }, marker: self.marker }
    }
}

/// A page that was read to its end, with the JSON of each update.
#[derive(Debug)]
pub(super) struct Whole {
    updates: Vec<(Box<RawValue>, Update)>,
    marker: Option<i64>,
}

impl Whole {
    pub(super) fn read(json: &str) -> serde_json::Result<Self> {
        #[derive(Default, Deserialize)]
        struct Members {
            #[serde(default)]
            updates: Option<Vec<Box<RawValue>>>,
            marker: Option<i64>,
        }
        let Members { updates, marker } =
            if json.trim_ascii().is_empty() { Members::default() } else { serde_json::from_str(json)? };
        let read = |raw: Box<RawValue>| Update::read(raw.get()).map(|update| (raw, update));
        Ok(Self { updates: updates.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?, marker })
    }

    pub(super) fn page(self) -> Page {
        self.after(&Broken { handed_out: Vec::new() })
    }

    /// The page without the updates that were handed out before it broke off.
    pub(super) fn after(self, broken: &Broken) -> Page {
        let mut handed_out: HashMap<&str, usize> = HashMap::new();
        for json in &broken.handed_out {
            *handed_out.entry(json).or_default() += 1;
        }
        let is_new = |(raw, _): &(Box<RawValue>, Update)| match handed_out.get_mut(raw.get()) {
            Some(times) if *times > 0 => {
                *times -= 1;
                false
            }
            _ => true,
        };
        Page {
            updates: self.updates.into_iter().filter(is_new).map(|(_, update)| update).collect(),
            marker: self.marker,
        }
    }
}

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.parsed.is_empty() && self.text.is_none()
    }

    /// With an update before the others.
    pub(crate) fn after(mut self, first: Update) -> Self {
        self.parsed.push_front(first);
        self
    }
}

impl FromIterator<Update> for Waiting {
    fn from_iter<I: IntoIterator<Item = Update>>(updates: I) -> Self {
        Self { parsed: updates.into_iter().collect(), text: None }
    }
}

impl Iterator for Waiting {
    type Item = Result<Update, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(update) = self.parsed.pop_front() {
            return Some(Ok(update));
        }
        let mut text = self.text.take()?;
        let mut rest = Cursor { json: &text.json, at: text.at };
        let update = rest.update();
        let list_ends = rest.takes(']');
        // A list that ends before the text does leaves something unread.
        let is_last = list_ends && rest.rest().is_empty();
        match update {
            Some(update) if is_last || (!list_ends && rest.takes(',')) => {
                text.at = rest.at;
                self.text = (!is_last).then_some(text);
                Some(Ok(update))
            }
            _ => Some(Err(text.broken())),
        }
    }
}

impl Text {
    fn broken(&self) -> Broken {
        let mut before = Cursor { json: self.json.get(..self.at).unwrap_or_default(), at: self.first };
        let updates = std::iter::from_fn(|| {
            let raw: &RawValue = before.value()?;
            before.takes(',');
            Some(raw.get().to_owned())
        });
        Broken { handed_out: updates.collect() }
    }
}

/// A place in a JSON text.
struct Cursor<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.json.get(self.at..).unwrap_or_default()
    }

    /// Goes past white space and this, if it is next.
    fn takes(&mut self, what: char) -> bool {
        let rest = self.rest().trim_ascii_start();
        let is_next = rest.starts_with(what);
        if is_next {
            self.at = self.json.len() - rest.len() + what.len_utf8();
        }
        is_next
    }

    /// Goes past a key and its colon, if it is next.
    fn takes_key(&mut self, key: &str) -> bool {
        let before = self.at;
        let is_next = self.takes('"') && self.rest().strip_prefix(key).is_some_and(|rest| rest.starts_with('"')) && {
            self.at += key.len() + 1;
            self.takes(':')
        };
        if !is_next {
            self.at = before;
        }
        is_next
    }

    fn value<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let (value, length) = union::first(self.rest()).ok()?;
        self.at += length;
        Some(value)
    }

    fn update(&mut self) -> Option<Update> {
        let (update, length) = Update::read_first(self.rest()).ok()?;
        self.at += length;
        Some(update)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_body_is_an_empty_page() {
        for body in ["", " \n", "{}", r#"{"updates":null,"marker":null}"#] {
            let page = Page::read(body).unwrap();
            assert!(page.updates.is_empty() && page.marker.is_none(), "{body}");
        }
    }

    #[test]
    fn strange_updates_do_not_fail_their_page() {
        let body = r#"{"updates":[5,{"update_type":"new"},{"update_type":"bot_started"},null],"marker":7}"#;
        let page = Page::read(body).unwrap();
        assert_eq!(page.marker, Some(7));
        let updates: Vec<Update> = page.updates.map(Result::unwrap).collect();
        let tags: Vec<&str> = updates.iter().map(Update::tag).collect();
        assert_eq!(tags, ["", "new", "bot_started", ""]);
        assert!(updates.iter().all(|update| matches!(update, Update::Unknown(_))));
    }

    /// A page, and a reader of the same page who takes no short cut.
    fn both(body: &str) -> (Page, Page) {
        (Page::read(body).unwrap(), Whole::read(body).unwrap().page())
    }

    #[test]
    fn updates_are_parsed_when_they_are_asked_for() {
        for body in [
            r#"{"updates":[{"update_type":"a"},{"update_type":"b"}],"marker":7}"#,
            "\n{ \"updates\" : [ {\"update_type\":\"a\"} , {\"update_type\":\"b\"} ] , \"marker\" : 7 } \n",
        ] {
            let (page, whole) = both(body);
            assert!(page.updates.text.is_some(), "{body}");
            assert_eq!((page.marker, whole.marker), (Some(7), Some(7)), "{body}");
            let parsed: Vec<Update> = page.updates.map(Result::unwrap).collect();
            assert_eq!(parsed, Vec::from(whole.updates.parsed), "{body}");
        }
        let nulled = r#"{"updates":[5],"marker":null}"#;
        assert_eq!(Page::read(nulled).unwrap().marker, None);
    }

    #[test]
    fn a_page_that_is_not_as_always_is_read_whole() {
        for body in [
            r#"{"updates":[5]}"#,
            r#"{"updates":[5],"marker":7,"more":[]}"#,
            r#"{"marker":7,"updates":[{"update_type":"a"},{"update_type":"b"}]}"#,
            r#"{"marker":7,"updates":[5],"more":1}"#,
            r#"{"more":1,"updates":[5],"marker":7}"#,
            r#"{"updates":[],"marker":7}"#,
        ] {
            let (page, whole) = both(body);
            assert!(page.updates.text.is_none(), "{body}");
            assert_eq!((page.marker, page.updates.parsed), (whole.marker, whole.updates.parsed), "{body}");
        }
    }

    #[test]
    fn no_update_of_a_page_that_was_cut_is_handed_out() {
        for body in [
            r#"{"updates":[{"update_type":"a","x":[1],"y":{"marker":5}},{"update_type":"b"}],"marker":71}"#,
            r#"{"marker":71,"updates":[{"update_type":"a"},{"update_type":"b","x":[1]}]}"#,
        ] {
            for length in 1..body.len() {
                let cut = &body[..length];
                assert!(Page::read(cut).is_err(), "{cut}");
            }
        }
    }

    #[test]
    fn a_page_that_was_cut_where_it_seems_to_end_is_broken() {
        let body = r#"{"updates":[{"update_type":"a"},{"update_type":"b","x":[1],"marker":5}],"marker":71}"#;
        for length in 1..body.len() {
            assert_eq!(outcome(&body[..length]), None);
        }
    }

    #[test]
    fn what_is_broken_in_the_middle_is_told_and_the_rest_comes_once() {
        let (first, second) = (r#"{"update_type":"a"}"#, r#"{"update_type":"b"}"#);
        for broken in [r#"{"update_type":tru}"#, "<html>", "", r#"{"update_type":"b"} {}"#] {
            let body = format!(r#"{{"updates":[{first},{broken},{second}],"marker":7}}"#);
            let mut page = Page::read(&body).unwrap();
            assert_eq!(page.updates.next().unwrap().unwrap().tag(), "a");
            let told = page.updates.next().unwrap().unwrap_err();
            assert!(page.updates.next().is_none());
            assert!(Whole::read(&body).is_err(), "it is still broken");
            let good = format!(r#"{{"updates":[{first},{second}],"marker":7}}"#);
            let tags =
                |page: Page| -> Vec<String> { page.updates.map(|update| update.unwrap().tag().to_owned()).collect() };
            assert_eq!(tags(Whole::read(&good).unwrap().after(&told)), ["b"]);
            let other = format!(r#"{{"updates":[{second},{second}],"marker":7}}"#);
            assert_eq!(tags(Whole::read(&other).unwrap().after(&told)), ["b", "b"], "another page");
        }
    }

    /// What comes of a page without asking for it again: the tags handed out, and the marker that is then sent.
    fn outcome(body: &str) -> Option<(Vec<String>, Option<i64>)> {
        let Page { updates, marker } = Page::read(body).ok()?;
        let tags = updates.map(|update| update.ok().map(|update| update.tag().to_owned())).collect::<Option<_>>()?;
        Some((tags, marker))
    }

    #[test]
    fn no_update_is_lost_of_a_body_that_a_strict_reader_refuses() {
        for body in [
            // Two answers in one body, as a cache or proxy that mixes connections makes them.
            r#"{"updates":[{"update_type":"a"}],"marker":5}{"updates":[{"update_type":"b"}],"marker":7}"#,
            r#"{"updates":[{"update_type":"a"}],"updates":[{"update_type":"b"}],"marker":7}"#,
            r#"{"updates":[{"update_type":"a"}],"\u0075pdates":[{"update_type":"b"}],"marker":7}"#,
            r#"{"marker":7,"updates":[{"update_type":"a"}],"updates":[{"update_type":"b"}]}"#,
            r#"{"updates":[{"update_type":"a"}],{"update_type":"b"}],"marker":7}"#,
            r#"{"updates":[{"update_type":"a"}]{"update_type":"b"}],"marker":7}"#,
        ] {
            assert!(Whole::read(body).is_err(), "{body}");
            assert_eq!(outcome(body), None, "{body}");
        }
    }

    #[test]
    fn a_body_with_two_markers_commits_neither() {
        for body in [
            r#"{"updates":[{"update_type":"a"}],"marker":5,"x":[],"marker":7}"#,
            r#"{"marker":7,"updates":[{"update_type":"a"}],"marker":[]}"#,
        ] {
            assert!(Whole::read(body).is_err(), "{body}");
            assert_eq!(outcome(body), None, "{body}");
        }
    }

    fn tags_again(broken: &str, again: &str) -> Vec<String> {
        let mut page = Page::read(broken).unwrap();
        assert_eq!(page.updates.next().unwrap().unwrap().tag(), "a");
        let told = page.updates.next().unwrap().unwrap_err();
        Whole::read(again).unwrap().after(&told).updates.map(|update| update.unwrap().tag().to_owned()).collect()
    }

    #[test]
    fn what_was_handed_out_of_a_broken_page_is_not_handed_out_again_when_more_has_come_since() {
        let broken = r#"{"updates":[{"update_type":"a"},{"update_type":tru}],"marker":7}"#;
        let again = r#"{"marker":8,"updates":[{"update_type":"b"},{"update_type":"a"},{"update_type":"c"}]}"#;
        assert_eq!(tags_again(broken, again), ["b", "c"]);
        let twice = r#"{"updates":[{"update_type":"a"},{"update_type":"a"}],"marker":7}"#;
        assert_eq!(tags_again(broken, twice), ["a"], "only one of them was handed out");
    }

    #[test]
    fn what_was_handed_out_of_a_broken_page_is_not_handed_out_again_when_the_rest_has_gone() {
        let broken = r#"{"updates":[{"update_type":"a"},{"update_type":tru}],"marker":7}"#;
        let again = r#"{"updates":[{"update_type":"a"}],"marker":6}"#;
        assert_eq!(tags_again(broken, again), Vec::<String>::new());
    }

    #[test]
    fn nothing_behind_the_list_passes_for_read() {
        let tags = |updates: &mut Waiting| -> Vec<String> {
            updates.by_ref().map_while(Result::ok).map(|update| update.tag().to_owned()).collect()
        };
        let (first, second) = (r#"{"update_type":"a"}"#, r#"{"update_type":"b"}"#);
        let more = format!(r#"{{"updates":[{first},{second}],"more":[{{"x":"]"}}],"marker":7}}"#);
        let mut page = Page::read(&more).unwrap();
        assert_eq!(page.updates.next().unwrap().unwrap().tag(), "a");
        let told = page.updates.next().unwrap().unwrap_err();
        let mut again = Whole::read(&more).unwrap().after(&told);
        assert_eq!((tags(&mut again.updates), again.marker), (vec!["b".to_owned()], Some(7)));
        for left in [format!("{first}],{second}"), format!(r#"{first}],"updates":[{second}"#)] {
            let body = format!(r#"{{"updates":[{left}],"marker":7}}"#);
            let mut page = Page::read(&body).unwrap();
            assert!(page.updates.next().unwrap().is_err(), "{body}");
            assert!(page.updates.is_empty() && Whole::read(&body).is_err(), "{body}");
        }
    }

    #[test]
    fn a_body_that_is_no_page_is_an_error() {
        for body in ["<html>", r#"{"updates":[{"#, "[]", r#"{"updates":{}}"#, r#"{"updates":[5],"marker":7}}"#] {
            assert!(Page::read(body).is_err(), "{body}");
        }
    }
}
