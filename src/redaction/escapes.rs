//! Removes URL, HTML and JSON escapes from text, one layer at a time.

use std::ops::Range;

/// Unescaped text: its bytes, each with its range in the original text.
pub(super) struct Unescaped {
    bytes: Vec<(u8, Range<usize>)>,
}

/// The maximum length of an escape, in bytes: a character reference with leading zeros.
const LONGEST_ESCAPE: usize = 24;
/// The maximum length of a partial escape at the end of a truncated text, in bytes.
const LONGEST_REST: usize = 16;
/// The first byte of U+FFFD, which replaces a partial character at the end of a truncated text.
const REPLACED: u8 = 0xef;

impl Unescaped {
    /// Returns the text, then the text without one layer of escapes, and so on, up to `times` layers.
    pub(super) fn views(text: &str, times: usize) -> Vec<Self> {
        let bytes = text.bytes().enumerate().map(|(at, byte)| (byte, at..at + 1)).collect();
        let mut views = vec![Self { bytes }];
        while let Some(next) = views.last().filter(|_| views.len() <= times).and_then(Self::unescape) {
            views.push(next);
        }
        views
    }

    /// Removes one layer of escapes. Returns `None` if there is no escape.
    fn unescape(&self) -> Option<Self> {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut at = 0;
        while at < self.bytes.len() {
            let Some((char, length)) = self.escape(at) else {
                bytes.push(self.bytes[at].clone());
                at += 1;
                continue;
            };
            let place = self.bytes[at].1.start..self.bytes[at + length - 1].1.end;
            match char {
                Escaped::Byte(byte) => bytes.push((byte, place)),
                Escaped::Char(char) => {
                    let mut buffer = [0; 4];
                    bytes.extend(char.encode_utf8(&mut buffer).bytes().map(|byte| (byte, place.clone())));
                }
            }
            at += length;
        }
        // An escape is always longer than its value.
        (bytes.len() < self.bytes.len()).then_some(Self { bytes })
    }

    /// Returns the value of the escape at this index, and the length of the escape in bytes.
    fn escape(&self, at: usize) -> Option<(Escaped, usize)> {
        if !matches!(self.bytes[at].0, b'%' | b'\\' | b'&') {
            return None;
        }
        let end = self.bytes.len().min(at + LONGEST_ESCAPE);
        let window: Vec<u8> = self.bytes[at..end].iter().map(|(byte, _)| *byte).collect();
        let number = |digits: &[u8], radix| u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok();
        let hex = |range: Range<usize>| window.get(range).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match window[0] {
            b'%' => {
                let byte = number(hex(1..3)?, 16)?;
                Some((Escaped::Byte(u8::try_from(byte).ok()?), 3))
            }
            b'\\' => match window.get(1)? {
                b'u' if window.get(2) == Some(&b'{') => {
                    let length = window.iter().position(|byte| *byte == b'}')?;
                    Some((Escaped::Char(char::from_u32(number(&window[3..length], 16)?)?), length + 1))
                }
                b'u' => match number(hex(2..6)?, 16)? {
                    high @ 0xd800..0xdc00 if window.get(6..8) == Some(b"\\u") => {
                        let low = number(hex(8..12)?, 16)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                        let code = 0x1_0000 + ((high - 0xd800) << 10) + low;
                        Some((Escaped::Char(char::from_u32(code)?), 12))
                    }
                    code => Some((Escaped::Char(char::from_u32(code)?), 6)),
                },
                b'x' => Some((Escaped::Char(char::from_u32(number(hex(2..4)?, 16)?)?), 4)),
                b'0'..=b'3' => Some((Escaped::Byte(u8::try_from(number(window.get(1..4)?, 8)?).ok()?), 4)),
                byte @ (b'/' | b'"' | b'\'' | b'\\') => Some((Escaped::Byte(*byte), 2)),
                _ => None,
            },
            _ => {
                // Without a semicolon at the end, because browsers do not require it.
                let (skipped, is_part): (usize, fn(&u8) -> bool) = match window[1..] {
                    [b'#', b'x' | b'X', ..] => (3, u8::is_ascii_hexdigit),
                    [b'#', ..] => (2, u8::is_ascii_digit),
                    _ => (1, u8::is_ascii_alphabetic),
                };
                let length = skipped + window[skipped..].iter().take_while(|byte| is_part(byte)).count();
                let char = match &window[1..length] {
                    [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
                    [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
                    name => match name.to_ascii_lowercase().as_slice() {
                        b"amp" => '&',
                        b"lt" => '<',
                        b"gt" => '>',
                        b"quot" => '"',
                        b"apos" => '\'',
                        b"sol" => '/',
                        b"plus" => '+',
                        b"equals" => '=',
                        _ => return None,
                    },
                };
                Some((Escaped::Char(char), length + usize::from(window.get(length) == Some(&b';'))))
            }
        }
    }

    /// Returns the ranges of the original text that contain the value.
    pub(super) fn find(&self, value: &str) -> impl Iterator<Item = Range<usize>> {
        let found = self.bytes.windows(value.len()).filter(move |window| is_same(window, value.as_bytes()));
        found.filter_map(|window| Some(window.first()?.1.start..window.last()?.1.end))
    }

    /// Returns the start of a partial value at the truncated end of the original text. `None` if there is no match. The
    /// longest match counts. The text may end with one or several partial escapes.
    pub(super) fn find_cut(&self, value: &str) -> Option<usize> {
        let whole = self.bytes.len();
        let is_rest = |at: &usize| {
            let rest = &self.bytes[*at..];
            let begins = rest.first().is_none_or(|(byte, _)| matches!(*byte, b'%' | b'\\' | b'&' | REPLACED));
            begins && rest.iter().all(|(byte, _)| !byte.is_ascii_whitespace())
        };
        let starts = (whole.saturating_sub(LONGEST_REST)..=whole).filter(is_rest).filter_map(|end| {
            let is_beginning = |length: &usize| {
                let from = end.checked_sub(*length);
                from.is_some_and(|from| is_same(&self.bytes[from..end], &value.as_bytes()[..*length]))
            };
            let longest = (1..value.len()).rev().find(is_beginning)?;
            Some(self.bytes[end - longest].1.start)
        });
        starts.min()
    }
}

/// The value of an escape.
enum Escaped {
    Byte(u8),
    Char(char),
}

/// Returns whether the bytes are equal to a value. `+` is equal to a space, because HTML forms encode a space as `+`.
fn is_same(bytes: &[(u8, Range<usize>)], value: &[u8]) -> bool {
    let spaced = |byte: u8| if byte == b'+' { b' ' } else { byte };
    bytes.iter().map(|(byte, _)| spaced(*byte)).eq(value.iter().map(|byte| spaced(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(text: &str, value: &str) -> Vec<String> {
        let views = Unescaped::views(text, 4);
        let places = views.iter().flat_map(|view| view.find(value));
        let mut found: Vec<_> = places.map(|place| text[place].to_owned()).collect();
        found.dedup();
        found
    }

    #[test]
    fn finds_a_value_in_every_kind_of_escape() {
        for escaped in [
            "a/b+c=",
            "a%2Fb%2Bc%3D",
            "a%2fb%2bc%3d",
            "a%252Fb%252Bc%253D",
            "a%25252Fb%25252Bc%25253D",
            "a%2Fb+c%3D",
            r"a\/b+c=",
            r"a\u002fb\u002Bc\u003d",
            r"a\x2fb+c=",
            "a&#x2F;b&#43;c&#61;",
            "a&#x2f;b&#x2B;c&#x3D;",
            "a&sol;b&plus;c&equals;",
            "a%26%23x2F%3Bb%2Bc%3D",
            "a&amp;#x2F;b+c=",
            "a&#x000000002F;b&#43;c=",
            "a&#47b+c=",
            "a&SOL;b+c=",
            r"a\u{2f}b+c=",
            r"a\057b\053c\075",
        ] {
            assert_eq!(finds(&format!("<{escaped}>"), "a/b+c="), [escaped], "{escaped}");
        }
    }

    #[test]
    fn ignores_invalid_escapes() {
        for text in [
            "100%",
            "100% sure",
            "a & b",
            "&;",
            "&nope;",
            r"C:\temp",
            r"\u12",
            "&#xZZ;",
            "%zz",
            "&#1114112;",
            "\\",
            r"\ud83d",
        ] {
            assert!(Unescaped::views(text, 4)[0].unescape().is_none(), "{text}");
        }
    }

    #[test]
    fn finds_characters_of_several_bytes() {
        assert_eq!(finds("/%D0%BA%D1%80%D1%8E%D0%BA/", "крюк"), ["%D0%BA%D1%80%D1%8E%D0%BA"]);
        assert_eq!(finds("/&#1082;рюк/", "крюк"), ["&#1082;рюк"]);
        assert_eq!(finds(r"/\ud83d\ude00/", "😀"), [r"\ud83d\ude00"]);
    }

    #[test]
    fn finds_a_partial_value_before_a_truncated_escape() {
        let cut = |text: &str| Unescaped::views(text, 4).iter().filter_map(|view| view.find_cut("s3cr3t/token")).min();
        for end in
            ["s3cr3t", "s3cr3t%", "s3cr3t%2", "s3cr3t%2F", "s3cr3t%25", "s3cr3t%252", "s3cr3t&#x2", "s3cr3t\\", "s"]
        {
            assert_eq!(cut(&format!("x {end}")), Some(2), "{end}");
        }
        assert_eq!(cut("x s3cr3t%26am%3"), Some(2), "two partial layers of escapes");
        assert_eq!(cut("x s3cr3t\u{fffd}"), Some(2), "a partial character");
        for text in ["Bad Gateway", "", "100%", "x s3cr3t?", "s3cr3t% and more"] {
            assert_eq!(cut(text), None, "{text}");
        }
    }
}
