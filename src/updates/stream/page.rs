//! A page of updates: reads the text of a response, as a whole, before the first update is returned.

use std::{borrow::Cow, collections::VecDeque};

use serde::{
    Deserialize,
    de::{Error as _, IgnoredAny},
};
use serde_json::value::RawValue;

use crate::{
    api::types::Update,
    json::{misfit, read},
};

/// The size of a short update as JSON, in bytes. Used to reserve capacity: a list that grows is copied.
const TYPICAL_BYTES: usize = 500;

/// A page of updates.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) updates: VecDeque<Update>,
    /// The JSON of each update. Empty unless it is kept.
    pub(crate) json: VecDeque<Box<RawValue>>,
    /// The marker that commits this page. `None` does not change the marker of the stream.
    pub(crate) marker: Option<i64>,
    /// How many values did not fit the models.
    pub(crate) misfits: usize,
}

impl Page {
    /// Reads a page, and logs values that do not fit the models. An empty body is an empty page. An update that cannot
    /// be read becomes [`Update::Unknown`]. A marker that cannot be read becomes `None`.
    ///
    /// Text that is not JSON is an error. A second `updates` or `marker` is an error, too: it may belong to another
    /// response.
    ///
    /// The updates are read one by one, not as a list: serde cannot continue after an update that does not fit.
    pub(crate) fn read(json: &str, keep_json: bool) -> serde_json::Result<Self> {
        let (mut page, misfits) = read::read_text(json, |json| {
            Self::read_members(json, keep_json).map_err(|error| match serde_json::from_str::<IgnoredAny>(json) {
                // This error has the position in the whole text, and shows whether the text was cut off.
                Err(not_json) => not_json,
                Ok(_) => error,
            })
        })?;
        misfit::report(&misfits);
        page.misfits = misfits.count;
        Ok(page)
    }

    fn read_members(json: &str, keep_json: bool) -> serde_json::Result<Self> {
        let mut text = PageText { json, at: 0, kept: keep_json.then(VecDeque::new) };
        let (mut updates, mut marker) = (None, None);
        if text.is_at_end() {
            return Ok(Self::default());
        }
        text.members(|key, text| {
            match key {
                "updates" if updates.is_none() => updates = Some(text.updates()?),
                "marker" if marker.is_none() => marker = Some(text.marker()?),
                "updates" | "marker" => return Err(text.error(&format!("duplicate field `{key}`"))),
                _ => {
                    text.value::<IgnoredAny>()?;
                }
            }
            Ok(())
        })?;
        if !text.is_at_end() {
            return Err(text.error("trailing characters"));
        }
        // The response may be of a captive portal or a gateway, not of the API.
        let updates = updates.ok_or_else(|| text.error("missing field `updates`"))?;
        let (json, marker) = (text.kept.unwrap_or_default(), marker.unwrap_or_default());
        Ok(Self { updates: updates.into(), json, marker, misfits: 0 })
    }
}

/// A JSON text, read up to `at`.
struct PageText<'a> {
    json: &'a str,
    at: usize,
    /// The JSON of the updates, if it is kept.
    kept: Option<VecDeque<Box<RawValue>>>,
}

impl<'a> PageText<'a> {
    fn rest(&self) -> &'a str {
        &self.json[self.at..]
    }

    fn is_at_end(&self) -> bool {
        self.rest().trim_ascii_start().is_empty()
    }

    /// Skips white space and `char`, if `char` is next. Returns whether it was.
    fn skip(&mut self, char: char) -> bool {
        let rest = self.rest().trim_ascii_start();
        let is_next = rest.starts_with(char);
        if is_next {
            self.at = self.json.len() - rest.len() + char.len_utf8();
        }
        is_next
    }

    fn expect(&mut self, char: char) -> serde_json::Result<()> {
        if self.skip(char) { Ok(()) } else { Err(self.error(&format!("expected `{char}`"))) }
    }

    fn value<T: Deserialize<'a>>(&mut self) -> serde_json::Result<T> {
        let (value, length) = read::read_prefix(self.rest())?;
        self.at += length;
        Ok(value)
    }

    /// Reads an object; `read` reads the value of each member.
    fn members(&mut self, mut read: impl FnMut(&str, &mut Self) -> serde_json::Result<()>) -> serde_json::Result<()> {
        self.expect('{')?;
        if self.skip('}') {
            return Ok(());
        }
        loop {
            let key: Cow<'_, str> = self.value()?;
            self.expect(':')?;
            read(&key, self)?;
            if self.skip('}') {
                return Ok(());
            }
            self.expect(',')?;
        }
    }

    /// Reads a list of updates, or `null`.
    fn updates(&mut self) -> serde_json::Result<Vec<Update>> {
        let mut updates = Vec::new();
        if !self.skip('[') {
            // Anything but `null` is an error.
            self.value::<Option<[(); 0]>>()?;
            return Ok(updates);
        }
        if self.skip(']') {
            return Ok(updates);
        }
        updates.reserve(self.rest().len() / TYPICAL_BYTES);
        loop {
            let length = Update::read_prefix(self.rest(), &mut updates)?;
            if let Some(kept) = &mut self.kept {
                kept.push_back(serde_json::from_str::<&RawValue>(&self.json[self.at..self.at + length])?.to_owned());
            }
            self.at += length;
            if self.skip(']') {
                return Ok(updates);
            }
            self.expect(',')?;
        }
    }

    /// Reads a marker. Some servers write it as a string, or with a decimal point.
    fn marker(&mut self) -> serde_json::Result<Option<i64>> {
        let raw: &RawValue = self.value()?;
        let json = raw.get();
        if json == "null" {
            return Ok(None);
        }
        let number = json.trim_matches('"').trim();
        let marker = number.parse().ok().or_else(|| whole(number.parse().ok()?));
        if marker.is_none() {
            misfit::record(json, &serde_json::Error::custom("not a whole number of 64 bits"));
        }
        Ok(marker)
    }

    fn error(&self, words: &str) -> serde_json::Error {
        serde_json::Error::custom(format_args!("{words} at byte {}", self.at))
    }
}

/// Returns a floating-point number as an integer, if it is whole and exact.
fn whole(number: f64) -> Option<i64> {
    // 2^53: `f64` does not represent all larger integers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tags of a page's updates, and its marker.
    fn page(json: &str) -> (Vec<String>, Option<i64>) {
        let Page { updates, marker, .. } = Page::read(json, false).unwrap();
        (updates.iter().map(|update| update.tag().to_owned()).collect(), marker)
    }

    #[test]
    fn an_empty_body_is_an_empty_page() {
        for body in ["", " \n", r#"{"updates":null,"marker":null}"#, r#"{"updates":[]}"#] {
            assert_eq!(page(body), (vec![], None), "{body}");
        }
    }

    #[test]
    fn reads_members_in_any_order_and_skips_other_members() {
        for body in [
            r#"{"updates":[{"update_type":"a"},{"update_type":"b"}],"marker":7}"#,
            "\n{ \"updates\" : [ {\"update_type\":\"a\"} , {\"update_type\":\"b\"} ] , \"marker\" : 7 } \n",
            r#"{"marker":7,"updates":[{"update_type":"a"},{"update_type":"b"}]}"#,
            r#"{"x":{"updates":[5]},"updates":[{"update_type":"a"},{"update_type":"b"}],"more":[{"]":"}"}],"marker":7}"#,
            r#"{"\u0075pdates":[{"update_type":"a"},{"update_type":"b"}],"marker":7}"#,
        ] {
            assert_eq!(page(body), (vec!["a".to_owned(), "b".to_owned()], Some(7)), "{body}");
        }
    }

    #[test]
    fn an_update_that_does_not_fit_becomes_unknown_and_the_rest_is_read() {
        let body = r#"{"updates":[5,{"update_type":"bot_started","timestamp":"x"},[],"s",null,
            {"update_type":"bot_started","timestamp":1,"chat_id":2,"user":{"user_id":3,"name":"A"}}],"marker":7}"#;
        let Page { updates, marker, .. } = Page::read(body, false).unwrap();
        let unknown: Vec<bool> = updates.iter().map(|update| matches!(update, Update::Unknown(_))).collect();
        assert_eq!((unknown, marker), (vec![true, true, true, true, true, false], Some(7)));
        let Update::Unknown(second) = &updates[1] else { panic!() };
        assert_eq!(second.raw.get(), r#"{"update_type":"bot_started","timestamp":"x"}"#);
    }

    #[test]
    fn reads_a_marker_written_as_a_string_or_with_a_decimal_point() {
        for (marker, read, misfits) in [
            (r#""7""#, Some(7), 0),
            ("7.0", Some(7), 0),
            (r#""-7.00""#, Some(-7), 0),
            ("1.592345678901E12", Some(1_592_345_678_901), 0),
            ("7e0", Some(7), 0),
            ("1e300", None, 1),
            ("9223372036854775807", Some(i64::MAX), 0),
            ("9223372036854775808", None, 1),
            ("7.5", None, 1),
            (r#""seven""#, None, 1),
            ("[7]", None, 1),
            ("null", None, 0),
        ] {
            let body = format!(r#"{{"updates":[{{"update_type":"a"}}],"marker":{marker}}}"#);
            let page = Page::read(&body, false).unwrap();
            assert_eq!((page.marker, page.misfits, page.updates.len()), (read, misfits, 1), "{body}");
        }
    }

    #[test]
    fn reads_all_updates_of_text_that_is_not_strict_json() {
        let started = r#""update_type":"bot_started","timestamp":1,"chat_id":2,"user":{"user_id":3,"name":"A"}"#;
        for strange in [
            format!("{{{started},\"payload\":\"a\u{1}b\"}}"),
            format!(r#"{{{started},"payload":"\x41"}}"#),
            format!(r#"{{{started},"payload":"half \ud83d"}}"#),
            format!(r#"{{{started},"score":NaN}}"#),
            r#"{"update_type":"moon_risen","phase":NaN,"name":"\ud83d"}"#.to_owned(),
        ] {
            for bom in ["", "\u{feff}"] {
                let body = format!(r#"{bom}{{"updates":[{{{started}}},{strange},{{{started}}}],"marker":7}}"#);
                let page = Page::read(&body, true).unwrap();
                let known = page.updates.iter().filter(|update| matches!(update, Update::BotStarted(_))).count();
                assert_eq!(known, if strange.contains("moon") { 2 } else { 3 }, "{body}");
                assert_eq!((page.updates.len(), page.json.len(), page.marker), (3, 3, Some(7)), "{body}");
                assert_eq!(page.json[0].get(), format!("{{{started}}}"));
            }
        }
    }

    #[test]
    fn keeps_the_json_of_each_update_unchanged() {
        let body = r#"{"updates":[ { "update_type" : "a", "x": 1.0 } ,5],"marker":7}"#;
        let json: Vec<String> = Page::read(body, true).unwrap().json.iter().map(|json| json.get().to_owned()).collect();
        assert_eq!(json, [r#"{ "update_type" : "a", "x": 1.0 }"#, "5"]);
        assert!(Page::read(body, false).unwrap().json.is_empty());
    }

    #[test]
    fn rejects_a_page_that_was_cut_off() {
        for body in [
            r#"{"updates":[{"update_type":"a","x":[1],"y":{"marker":5}},{"update_type":"b"}],"marker":71}"#,
            r#"{"marker":71,"updates":[{"update_type":"a"},{"update_type":"b","x":[1]}]}"#,
        ] {
            for length in 1..body.len() {
                assert!(Page::read(&body[..length], false).unwrap_err().is_eof(), "{}", &body[..length]);
            }
        }
    }

    #[test]
    fn rejects_a_body_that_is_not_a_page() {
        for body in [
            "<html>",
            "{}",
            r#"{"marker":7}"#,
            "[]",
            "5",
            r#"{"updates":{}}"#,
            r#"{"updates":[]"#,
            r#"{"updates":[{}"#,
            r#"{"updates":[,]}"#,
            r#"{"updates":[5,]}"#,
            r#"{"updates":[5 6]}"#,
            r#"{"updates":[5],}"#,
            r#"{"updates":[5] "marker":7}"#,
            r#"{"updates":[5],"marker":7}}"#,
            r#"{updates:[5]}"#,
            r#"{"updates":[{"update_type":tru}]}"#,
            // Two responses in one body, from a cache or proxy that mixes up connections.
            r#"{"updates":[{"update_type":"a"}],"marker":5}{"updates":[{"update_type":"b"}],"marker":7}"#,
            r#"{"updates":[{"update_type":"a"}],"updates":[{"update_type":"b"}],"marker":7}"#,
            r#"{"updates":[{"update_type":"a"}],"\u0075pdates":[{"update_type":"b"}],"marker":7}"#,
            r#"{"updates":[{"update_type":"a"}],{"update_type":"b"}],"marker":7}"#,
            r#"{"updates":[{"update_type":"a"}]{"update_type":"b"}],"marker":7}"#,
            r#"{"updates":[{"update_type":"a"}],"marker":5,"x":[],"marker":7}"#,
            r#"{"marker":7,"updates":[{"update_type":"a"}],"marker":8}"#,
        ] {
            assert!(Page::read(body, false).is_err(), "{body}");
        }
    }

    #[test]
    fn reports_an_error_in_the_middle_as_broken_json() {
        for body in ["<html>", r#"{"updates":[{"update_type":tru}],"marker":7}"#, r#"{"updates":[5] "marker":7}"#] {
            assert!(Page::read(body, false).unwrap_err().is_syntax(), "{body}");
        }
        assert!(Page::read(r#"{"marker":7}"#, false).unwrap_err().is_data());
    }
}
