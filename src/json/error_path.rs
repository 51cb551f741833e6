//! Finds the property at which an error in JSON text is. serde_json reports only the line and the column.
//!
//! `serde_path_to_error` is not used: it needs a second set of instantiations of all models, and loses the path if a
//! union is read from its `RawValue`.

use std::fmt::Write as _;

/// Adds the path of the property to an error: `invalid type: ... at line 1 column 7, in message.body.seq`.
pub(crate) fn at_its_place(json: &str, error: serde_json::Error) -> serde_json::Error {
    // Text that is not JSON has no properties.
    if !error.is_data() {
        return error;
    }
    let place = path_at(json, byte_of(json, &error));
    if place.is_empty() { error } else { serde::de::Error::custom(format_args!("{error}, in {place}")) }
}

/// Returns the index of the byte after the error.
pub(super) fn byte_of(json: &str, error: &serde_json::Error) -> usize {
    let before = json.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    (before + error.column()).min(json.len())
}

/// The object or list around a byte.
enum Around<'a> {
    /// An object, after this key. Empty before the first key.
    Object(&'a str),
    /// A list, in the element with this index.
    List(usize),
}

/// Returns the path to the value that ends, or continues, before the byte at `end`.
fn path_at(json: &str, end: usize) -> String {
    Paths::of(json).path_at(end)
}

/// Finds the paths of several bytes of a text in one pass.
pub(super) struct Paths<'a> {
    json: &'a str,
    /// The number of bytes that were read.
    at: usize,
    around: Vec<Around<'a>>,
    is_key: bool,
}

impl<'a> Paths<'a> {
    pub(super) fn of(json: &'a str) -> Self {
        Self { json, at: 0, around: Vec::new(), is_key: false }
    }

    /// Returns the path to the value that ends, or continues, before the byte at `end`. `end` must not decrease between
    /// calls.
    pub(super) fn path_at(&mut self, end: usize) -> String {
        let Self { json, at, around, is_key } = self;
        let bytes = json.as_bytes();
        while *at < end {
            match bytes[*at] {
                b'{' => {
                    around.push(Around::Object(""));
                    *is_key = true;
                }
                b'[' => around.push(Around::List(0)),
                b'}' | b']' => {
                    around.pop();
                }
                b':' => *is_key = false,
                b',' => match around.last_mut() {
                    Some(Around::List(index)) => *index += 1,
                    Some(Around::Object(_)) => *is_key = true,
                    None => {}
                },
                b'"' => {
                    let start = *at + 1;
                    *at = start;
                    while *at < bytes.len() && bytes[*at] != b'"' {
                        *at += if bytes[*at] == b'\\' { 2 } else { 1 };
                    }
                    if let (true, Some(Around::Object(key))) = (*is_key, around.last_mut()) {
                        *key = json.get(start..*at).unwrap_or_default();
                    }
                }
                _ => {}
            }
            *at += 1;
        }
        let mut place = String::new();
        for around in around {
            let _ = match around {
                Around::Object("") => Ok(()),
                Around::Object(key) if place.is_empty() => place.write_str(key),
                Around::Object(key) => write!(place, ".{key}"),
                Around::List(index) => write!(place, "[{index}]"),
            };
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "no value is read successfully")]
    struct Outer {
        inner: Vec<Inner>,
        after: Option<bool>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "no value is read successfully")]
    struct Inner {
        number: i64,
    }

    fn told(json: &str) -> String {
        at_its_place(json, serde_json::from_str::<Outer>(json).unwrap_err()).to_string()
    }

    #[test]
    fn errors_contain_the_path_of_the_property() {
        let cases = [
            (r#"{"inner":[{"number":1},{"number":"x"}]}"#, "column 36, in inner[1].number"),
            (
                "{\"inner\":[\n{\"number\":1},\n{\"num\": 2} ]}",
                "missing field `number` at line 3 column 10, in inner[1]",
            ),
            (r#"{"inner":[],"after":5}"#, "integer `5`, expected a boolean at line 1 column 21, in after"),
            (r#"{"inner":[],"x\",":[{"y":"]"}],"inner":[]}"#, "duplicate field `inner` at line 1 column 38, in inner"),
            (r#"{"inner":{"а":{}}}"#, "invalid type: map, expected a sequence at line 1 column 9, in inner"),
            (r#"{"after":true}"#, "missing field `inner` at line 1 column 14"),
            ("5", "invalid type: integer `5`, expected struct Outer at line 1 column 1"),
        ];
        for (json, words) in cases {
            assert!(told(json).ends_with(words), "{json}: {}", told(json));
        }
    }

    #[test]
    fn finds_the_same_paths_in_one_pass_and_separately() {
        let json = "{\"a\":[1,{\"b\":\"],\\\"\"},\n[]],\"é\":{\"c\":null}}";
        let mut paths = Paths::of(json);
        for end in 0..=json.len() {
            assert_eq!(paths.path_at(end), path_at(json, end), "{end}");
        }
        assert_eq!(path_at(json, json.len() - 2), "é.c");
    }

    #[test]
    fn invalid_json_has_no_path() {
        assert!(told(r#"{"inner":[{"number""#).starts_with("EOF while parsing"));
    }
}
