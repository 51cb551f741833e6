//! A page of updates as the server sends it: the envelope first, then each update by itself, when it is asked for.
//!
//! A handler need not wait for the last update to be parsed. But what is handed out cannot be taken back, so that all of a
//! page must be there before: HTTP tells of most bodies that were cut, and a page that does not end as pages end is read
//! whole, or refused. What is wrong in the middle comes out when it is reached: see [`Broken`].

use std::{collections::VecDeque, ops::Range};

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

/// The text of a page up to the end of its list, of which the next update, which there is, begins at `at`; `taken` are
/// before it.
#[derive(Debug)]
struct Text {
    json: String,
    at: usize,
    taken: usize,
}

/// The rest of a page is no JSON: the page has to be asked for again, and to be read whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Broken {
    /// What was read of it. If it comes again, so do the updates in it, which were handed out.
    read: String,
    taken: usize,
}

impl Page {
    /// Reads a page. A strange update costs nobody but itself: it is [`Update::Unknown`].
    pub(crate) fn read(json: impl Into<String>) -> serde_json::Result<Self> {
        let json = json.into();
        match Envelope::of(&json) {
            Some(envelope) => Ok(envelope.around(json)),
            None => Self::read_whole(&json),
        }
    }

    fn read_whole(json: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Whole<'a> {
            #[serde(borrow, default)]
            updates: Option<Vec<&'a RawValue>>,
            marker: Option<i64>,
        }
        if json.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let Whole { updates, marker } = serde_json::from_str(json)?;
        let updates =
            updates.unwrap_or_default().into_iter().map(|raw| Update::read(raw.get())).collect::<Result<_, _>>()?;
        Ok(Self { updates: Waiting { parsed: updates, text: None }, marker })
    }
}

/// What is around the updates of a page that begins and ends as always: `{"updates":[`, `],"marker":1}`, or the marker
/// first.
struct Envelope {
    /// Where the first update, which there is, begins, and where the list ends.
    list: Range<usize>,
    marker: Option<i64>,
}

impl Envelope {
    fn of(json: &str) -> Option<Self> {
        let mut start = Cursor { json, at: 0 };
        start.takes('{').then_some(())?;
        let first = if start.takes_key("marker") {
            let marker = start.value::<Option<i64>>()?;
            start.takes(',').then_some(())?;
            Some(marker)
        } else {
            None
        };
        (start.takes_key("updates") && start.takes('[') && !start.takes(']')).then_some(())?;
        let end = json.trim_ascii_end().strip_suffix('}')?.trim_ascii_end();
        let (list, marker) = match first {
            Some(marker) => (end, marker),
            None => {
                let (list, member) = end.rsplit_once(',')?;
                let mut end = Cursor { json: member, at: 0 };
                end.takes_key("marker").then_some(())?;
                let marker = end.value::<Option<i64>>()?;
                (list.trim_ascii_end(), (end.at == member.len()).then_some(marker)?)
            }
        };
        list.ends_with(']').then_some(())?;
        Some(Self { list: start.at..list.len(), marker })
    }

    fn around(self, mut json: String) -> Page {
        json.truncate(self.list.end);
        let text = Text { json, at: self.list.start, taken: 0 };
        Page { updates: Waiting { parsed: VecDeque::new(), text: Some(text) }, marker: self.marker }
    }
}

/// The answer to a poll for a page that was [`Broken`].
#[derive(Debug)]
pub(super) struct Again {
    page: Page,
    json: String,
}

impl Again {
    pub(super) fn read(json: impl Into<String>) -> serde_json::Result<Self> {
        let json = json.into();
        Page::read_whole(&json).map(|page| Self { page, json })
    }

    /// The page without the updates that were handed out, if it begins as it did.
    pub(super) fn after(self, broken: &Broken) -> Page {
        let Self { mut page, json } = self;
        if json.starts_with(&broken.read) {
            page.updates.parsed.drain(..broken.taken.min(page.updates.parsed.len()));
        }
        page
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
                (text.at, text.taken) = (rest.at, text.taken + 1);
                self.text = (!is_last).then_some(text);
                Some(Ok(update))
            }
            _ => {
                text.json.truncate(text.at);
                Some(Err(Broken { read: text.json, taken: text.taken }))
            }
        }
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
        (Page::read(body).unwrap(), Page::read_whole(body).unwrap())
    }

    #[test]
    fn updates_are_parsed_when_they_are_asked_for() {
        for body in [
            r#"{"updates":[{"update_type":"a"},{"update_type":"b"}],"marker":7}"#,
            "\n{ \"updates\" : [ {\"update_type\":\"a\"} , {\"update_type\":\"b\"} ] , \"marker\" : 7 } \n",
            r#"{"marker":7,"updates":[{"update_type":"a"},{"update_type":"b"}]}"#,
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
        let body = r#"{"updates":[{"update_type":"a","x":[1],"y":{"marker":5}},{"update_type":"b"}],"marker":71}"#;
        for length in 1..body.len() {
            let cut = &body[..length];
            match Page::read(cut) {
                Err(_) => {}
                Ok(page) => panic!("{cut}: {page:?}"),
            }
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
            assert!(Again::read(&body).is_err(), "it is still broken");
            let good = format!(r#"{{"updates":[{first},{second}],"marker":7}}"#);
            let tags =
                |page: Page| -> Vec<String> { page.updates.map(|update| update.unwrap().tag().to_owned()).collect() };
            assert_eq!(tags(Again::read(&good).unwrap().after(&told)), ["b"]);
            let other = format!(r#"{{"updates":[{second},{second}],"marker":7}}"#);
            assert_eq!(tags(Again::read(&other).unwrap().after(&told)), ["b", "b"], "another page");
        }
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
        let mut again = Again::read(&more).unwrap().after(&told);
        assert_eq!((tags(&mut again.updates), again.marker), (vec!["b".to_owned()], Some(7)));
        for left in [format!("{first}],{second}"), format!(r#"{first}],"updates":[{second}"#)] {
            for body in
                [format!(r#"{{"updates":[{left}],"marker":7}}"#), format!(r#"{{"marker":7,"updates":[{left}]}}"#)]
            {
                let mut page = Page::read(&body).unwrap();
                assert!(page.updates.next().unwrap().is_err(), "{body}");
                assert!(page.updates.is_empty() && Again::read(&body).is_err(), "{body}");
            }
        }
    }

    #[test]
    fn a_body_that_is_no_page_is_an_error() {
        for body in ["<html>", r#"{"updates":[{"#, "[]", r#"{"updates":{}}"#] {
            assert!(Page::read(body).is_err(), "{body}");
        }
    }
}
