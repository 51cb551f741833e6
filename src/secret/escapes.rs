//! A text as it is before it was escaped for a URL, for HTML, for JSON, or for several of these.

use std::ops::Range;

/// A text without some layers of escapes: its bytes, and for each the part of the original that stands for it.
pub(super) struct Unescaped {
    bytes: Vec<(u8, Range<usize>)>,
}

/// The longest escape, in bytes: `&#x10FFFF;`.
const LONGEST_ESCAPE: usize = 10;

impl Unescaped {
    /// The text as it is, then without one layer of escapes, and so on: at most `times` layers.
    pub(super) fn views(text: &str, times: usize) -> Vec<Self> {
        let bytes = text.bytes().enumerate().map(|(at, byte)| (byte, at..at + 1)).collect();
        let mut views = vec![Self { bytes }];
        while let Some(next) = views.last().filter(|_| views.len() <= times).and_then(Self::unescape) {
            views.push(next);
        }
        views
    }

    /// Without one more layer; `None` if it has no escape.
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
        // An escape is always longer than what it stands for.
        (bytes.len() < self.bytes.len()).then_some(Self { bytes })
    }

    /// The escape at this place, and its length in bytes.
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
                b'u' => Some((Escaped::Char(char::from_u32(number(hex(2..6)?, 16)?)?), 6)),
                b'x' => Some((Escaped::Char(char::from_u32(number(hex(2..4)?, 16)?)?), 4)),
                byte @ (b'/' | b'"' | b'\'' | b'\\') => Some((Escaped::Byte(*byte), 2)),
                _ => None,
            },
            _ => {
                let length = window.iter().position(|byte| *byte == b';')?;
                let char = match &window[1..length] {
                    [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
                    [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
                    b"amp" => '&',
                    b"lt" => '<',
                    b"gt" => '>',
                    b"quot" => '"',
                    b"apos" => '\'',
                    b"sol" => '/',
                    b"plus" => '+',
                    b"equals" => '=',
                    _ => return None,
                };
                Some((Escaped::Char(char), length + 1))
            }
        }
    }

    /// The parts of the original that are this value.
    pub(super) fn find(&self, value: &str) -> impl Iterator<Item = Range<usize>> {
        let found = self.bytes.windows(value.len()).filter(move |window| is_same(window, value.as_bytes()));
        found.filter_map(|window| Some(window.first()?.1.start..window.last()?.1.end))
    }

    /// Where in the original the longest beginning of this value starts that ends the text, if one does. A text that was
    /// cut may end within an escape.
    pub(super) fn find_cut(&self, value: &str) -> Option<usize> {
        let whole = self.bytes.len();
        let cut_escape = (whole.saturating_sub(LONGEST_ESCAPE)..whole)
            .rev()
            .find(|at| matches!(self.bytes[*at].0, b'%' | b'\\' | b'&'))
            .filter(|at| self.escape(*at).is_none());
        let starts = [Some(whole), cut_escape].into_iter().flatten().filter_map(|end| {
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

/// What an escape stands for.
enum Escaped {
    Byte(u8),
    Char(char),
}

/// Whether these are the bytes of a value. A form writes a space as `+`.
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
    fn a_value_is_found_in_every_escape_that_texts_use() {
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
        ] {
            assert_eq!(finds(&format!("<{escaped}>"), "a/b+c="), [escaped], "{escaped}");
        }
    }

    #[test]
    fn a_text_that_only_looks_escaped_is_left_as_it_is() {
        for text in
            ["100%", "100% sure", "a & b", "&;", "&nope;", r"C:\temp", r"\u12", "&#xZZ;", "%zz", "&#1114112;", "\\"]
        {
            assert!(Unescaped::views(text, 4)[0].unescape().is_none(), "{text}");
        }
    }

    #[test]
    fn characters_of_several_bytes_are_found_whole() {
        assert_eq!(finds("/%D0%BA%D1%80%D1%8E%D0%BA/", "крюк"), ["%D0%BA%D1%80%D1%8E%D0%BA"]);
        assert_eq!(finds("/&#1082;рюк/", "крюк"), ["&#1082;рюк"]);
    }

    #[test]
    fn a_beginning_is_found_at_the_end_of_a_text_that_was_cut_within_an_escape() {
        let cut = |text: &str| Unescaped::views(text, 4).iter().filter_map(|view| view.find_cut("s3cr3t/token")).min();
        for end in
            ["s3cr3t", "s3cr3t%", "s3cr3t%2", "s3cr3t%2F", "s3cr3t%25", "s3cr3t%252", "s3cr3t&#x2", "s3cr3t\\", "s"]
        {
            assert_eq!(cut(&format!("x {end}")), Some(2), "{end}");
        }
        for text in ["Bad Gateway", "", "100%", "x s3cr3t?"] {
            assert_eq!(cut(text), None, "{text}");
        }
    }
}
