//! File names in upload requests: sent unchanged, or refused.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::invalid;
use crate::error::Reason;

/// Maximum length of a name, in bytes of UTF-8. File systems cannot store a longer name.
const MOST_BYTES: usize = 255;
/// All characters except those that `filename*` has unencoded: `attr-char` of RFC 5987.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Refuses a name that would not arrive unchanged, or that a receiver could not use.
pub(super) fn check(name: &str) -> Result<(), Reason> {
    let problem = if name.is_empty() || name == "." || name == ".." {
        "is empty, `.` or `..`: a receiver could not save the file".to_owned()
    } else if name.len() > MOST_BYTES {
        format!("has {} bytes, the limit of file systems is {MOST_BYTES}: shorten it", name.len())
    } else if let Some(control) = name.chars().find(|c| c.is_control()) {
        format!("has the control character {:?}, which would break a header: remove it", control)
    } else if name.contains('/') {
        "has a slash: use the name without its directory".to_owned()
    } else {
        return Ok(());
    };
    Err(invalid("file_name", &problem))
}

/// Returns the parameters of a `Content-Disposition`: the name in ASCII, and the complete name (RFC 5987) if it
/// differs.
pub(super) fn parameters(name: &str) -> String {
    let fallback: String = name.chars().map(fallback).collect();
    let plain = format!("filename=\"{fallback}\"");
    if fallback == name && !name.contains('%') {
        return plain;
    }
    format!("{plain}; filename*=UTF-8''{}", utf8_percent_encode(name, ENCODED))
}

/// Returns the ASCII form of a character, for old servers. Quotes are encoded as in browsers.
fn fallback(c: char) -> String {
    match c {
        '"' => "%22".to_owned(),
        '\\' => "%5C".to_owned(),
        c if c.is_ascii() => c.to_string(),
        _ => "_".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_sent_unchanged() {
        assert_eq!(parameters("a b;c=1.txt"), r#"filename="a b;c=1.txt""#);
    }

    #[test]
    fn other_names_are_sent_completely_and_with_an_ascii_fallback() {
        for (name, expected) in [
            ("кот.txt", "filename=\"___.txt\"; filename*=UTF-8''%D0%BA%D0%BE%D1%82.txt"),
            ("🐈.png", "filename=\"_.png\"; filename*=UTF-8''%F0%9F%90%88.png"),
            (r#"a"b\c.txt"#, r#"filename="a%22b%5Cc.txt"; filename*=UTF-8''a%22b%5Cc.txt"#),
            ("100%22.txt", r#"filename="100%22.txt"; filename*=UTF-8''100%2522.txt"#),
            ("it's (1)*.txt é", "filename=\"it's (1)*.txt _\"; filename*=UTF-8''it%27s%20%281%29%2A.txt%20%C3%A9"),
        ] {
            assert_eq!(parameters(name), expected);
        }
    }

    #[test]
    fn a_name_that_cannot_arrive_unchanged_is_refused() {
        let long = format!("{}.txt", "ы".repeat(126));
        for bad in ["", ".", "..", "a\r\nb", "a\0b", "a\u{7f}b", "a\u{85}b", "a/b", &long] {
            assert!(check(bad).unwrap_err().to_string().contains("file_name"), "{bad:?}");
        }
        for good in ["a", "...", "кот.txt", "a\\b", "\"", &"ы".repeat(127)] {
            assert!(check(good).is_ok(), "{good}");
        }
    }
}
