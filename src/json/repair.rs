//! Repairs text that is almost JSON.

use std::borrow::Cow;

/// Non-finite numbers, which are not JSON but written by some serializers.
const NO_NUMBERS: [&str; 6] = ["NaN", "nan", "Infinity", "-Infinity", "inf", "-inf"];

/// Repairs common errors of serializers. Other text is returned unchanged.
///
/// - Half of a surrogate pair (`\ud83d`) becomes U+FFFD.
/// - A control character in a string is escaped.
/// - The backslash of an invalid escape (`\x`) is escaped.
/// - `NaN` and infinite numbers inside of an object or list become `null`.
/// - A byte order mark at the start is removed.
///
/// Brackets and quotes are not added, so truncated text stays invalid.
pub(crate) fn repair(text: &str) -> Cow<'_, str> {
    let mut repair = Repair { text, at: 0, copied: 0, repaired: String::new() };
    if text.starts_with('\u{feff}') {
        repair.replace('\u{feff}'.len_utf8(), "");
    }
    repair.run();
    match repair.copied {
        0 => Cow::Borrowed(text),
        copied => Cow::Owned(repair.repaired + &text[copied..]),
    }
}

/// Invariant: `repaired` is the repaired `text[..copied]`, and `copied <= at`.
struct Repair<'a> {
    text: &'a str,
    at: usize,
    copied: usize,
    repaired: String,
}

impl<'a> Repair<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Replaces the next `length` bytes with `words`.
    fn replace(&mut self, length: usize, words: &str) {
        self.repaired.push_str(&self.text[self.copied..self.at]);
        self.repaired.push_str(words);
        self.at += length;
        self.copied = self.at;
    }

    fn run(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.rest().bytes().next() {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => {
                    self.at += 1;
                    self.string();
                    continue;
                }
                b',' | b':' => {}
                byte if byte.is_ascii_whitespace() => {}
                _ => {
                    let length = self.rest().find([',', ':', '}', ']', '{', '[', '"', ' ', '\n', '\r', '\t']);
                    let length = length.unwrap_or(self.rest().len());
                    if depth > 0 && NO_NUMBERS.contains(&&self.rest()[..length]) {
                        self.replace(length, "null");
                    } else {
                        self.at += length;
                    }
                    continue;
                }
            }
            self.at += 1;
        }
    }

    /// Repairs the rest of a string, up to its closing quote.
    fn string(&mut self) {
        while let Some(next) = self.rest().find(|char: char| char == '"' || char == '\\' || char < ' ') {
            self.at += next;
            match self.rest().as_bytes() {
                [b'"', ..] => {
                    self.at += 1;
                    return;
                }
                [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => self.at += 2,
                [b'\\'] => self.at += 1,
                [b'\\', ..] => self.escape(),
                [control, ..] => self.replace(1, &format!("\\u{control:04x}")),
                [] => return,
            }
        }
        self.at = self.text.len();
    }

    /// Repairs an escape that is not a valid single-character escape.
    fn escape(&mut self) {
        match (code_unit(self.rest()), self.rest().get(6..).and_then(code_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => self.at += 12,
            (Some(0xd800..=0xdfff), _) => self.replace(6, "\\ufffd"),
            (Some(_), _) => self.at += 6,
            // The text may be truncated in the escape.
            (None, _) if self.rest().len() < 6 && self.rest().starts_with("\\u") && !self.rest().contains('"') => {
                self.at = self.text.len();
            }
            (None, _) => self.replace(1, "\\\\"),
        }
    }
}

/// Returns the code unit of the escape (`\u0041`) at the start of a text.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn repairs_common_errors_of_serializers() {
        let cases = [
            (r#"{"a":"half \ud83d"}"#, r#"{"a":"half \ufffd"}"#),
            (r#"["\ude00\ud83d","\ud83d\ud83d\ude00"]"#, r#"["\ufffd\ufffd","\ufffd\ud83d\ude00"]"#),
            (r#"["\uD83Dx\u0041"]"#, r#"["\ufffdx\u0041"]"#),
            ("[\"a\nb\u{0}\u{1f}\"]", r#"["a\u000ab\u0000\u001f"]"#),
            (r#"["\x41","\u12","\'"]"#, r#"["\\x41","\\u12","\\'"]"#),
            (r#"{"a":NaN,"b":[ -Infinity , Infinity],"c":nan}"#, r#"{"a":null,"b":[ null , null],"c":null}"#),
            ("\u{feff}{}", "{}"),
        ];
        for (text, repaired) in cases {
            assert_eq!(repair(text), repaired);
            assert!(serde_json::from_str::<Value>(repaired).is_ok(), "{repaired}");
        }
    }

    #[test]
    fn does_not_change_json_and_other_text() {
        for text in [
            r#"{"a":[1,-2.5e3,true,null,"NaN \ud83d\ude00 \\x \" \u0041 é"],"NaN":{}}"#,
            "NaN",
            "<html>NaN</html>",
            r#"{"a":tru}"#,
            "",
            "}",
        ] {
            assert!(matches!(repair(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn truncated_text_stays_invalid() {
        let whole = r#"{"a":"\ud83d\ude00 \n \x","b":[NaN,"é"]}"#;
        for length in (1..whole.len()).filter(|length| whole.is_char_boundary(*length)) {
            let error = serde_json::from_str::<Value>(&repair(&whole[..length])).unwrap_err();
            assert!(error.is_eof() || whole[..length].ends_with(['N', 'a']), "{}", &whole[..length]);
        }
    }
}
