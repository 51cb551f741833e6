//! A page of updates as the server sends it: the envelope first, then each update by itself.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Update;

/// A page, read.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Page {
    pub(super) updates: VecDeque<Update>,
    /// What commits this page; `None` says nothing.
    pub(super) marker: Option<i64>,
}

impl Page {
    /// Reads a page. A strange update costs nobody but itself: it is [`Update::Unknown`].
    pub(super) fn read(text: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            #[serde(borrow, default)]
            updates: Option<Vec<&'a RawValue>>,
            marker: Option<i64>,
        }
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let Envelope { updates, marker } = serde_json::from_str(text)?;
        let updates =
            updates.unwrap_or_default().into_iter().map(|raw| Update::read(raw.get())).collect::<Result<_, _>>()?;
        Ok(Self { updates, marker })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_body_is_an_empty_page() {
        for body in ["", " \n", "{}", r#"{"updates":null,"marker":null}"#] {
            assert_eq!(Page::read(body).unwrap(), Page::default(), "{body}");
        }
    }

    #[test]
    fn strange_updates_do_not_fail_their_page() {
        let body = r#"{"updates":[5,{"update_type":"new"},{"update_type":"bot_started"},null],"marker":7}"#;
        let page = Page::read(body).unwrap();
        assert_eq!(page.marker, Some(7));
        let tags: Vec<&str> = page.updates.iter().map(Update::tag).collect();
        assert_eq!(tags, ["", "new", "bot_started", ""]);
        assert!(page.updates.iter().all(|update| matches!(update, Update::Unknown(_))));
    }

    #[test]
    fn a_body_that_is_no_page_is_an_error() {
        for body in ["<html>", r#"{"updates":[{"#, "[]", r#"{"updates":{}}"#] {
            assert!(Page::read(body).is_err(), "{body}");
        }
    }
}
