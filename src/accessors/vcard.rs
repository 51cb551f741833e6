//! Reads properties of contact cards: vCard 2.1 as phones export it, 3.0 (RFC 2426) and 4.0 (RFC 6350).

use std::iter::Peekable;

/// Returns the first non-empty value of a property: `FN:Alice`, `fn;CHARSET=UTF-8:Alice` or `item1.FN:Alice`.
///
/// Only UTF-8 is read, because JSON is UTF-8. A quoted-printable value in another charset counts as empty.
pub(super) fn property(card: &str, name: &str) -> Option<String> {
    let mut lines = card.lines().peekable();
    std::iter::from_fn(|| content_line(&mut lines)).find_map(|line| {
        let (head, value) = split_head(&line)?;
        let key = head.split(';').next()?.rsplit('.').next()?;
        if !key.eq_ignore_ascii_case(name) {
            return None;
        }
        let decoded = if is_quoted_printable(head) { quoted_printable(value)? } else { value.to_owned() };
        Some(unescaped(&decoded).trim().to_owned()).filter(|value| !value.is_empty())
    })
}

/// Returns the first phone number, unchanged. For a URI (`tel:+1-555-0100;ext=7`, RFC 3966), returns only the number.
pub(super) fn phone(card: &str) -> Option<String> {
    const SCHEME: &str = "tel:";
    let value = property(card, "TEL")?;
    match value.split_at_checked(SCHEME.len()) {
        Some((scheme, uri)) if scheme.eq_ignore_ascii_case(SCHEME) => {
            uri.split(';').next().map(|number| number.trim().to_owned()).filter(|number| !number.is_empty())
        }
        _ => Some(value),
    }
}

/// Returns the next logical line. A line is continued if the next one starts with a space or a tab. A quoted-printable
/// line is continued if it ends with `=`.
fn content_line<'a>(lines: &mut Peekable<impl Iterator<Item = &'a str>>) -> Option<String> {
    let mut line = lines.next()?.to_owned();
    // Only the first line is checked: names of properties are short, and are not folded.
    let is_quoted = split_head(&line).is_some_and(|(head, _)| is_quoted_printable(head));
    loop {
        let is_soft = is_quoted && line.ends_with('=');
        let Some(next) = lines.next_if(|next| is_soft || next.starts_with([' ', '\t'])) else { return Some(line) };
        if is_soft {
            line.pop();
            line.push_str(next);
        } else {
            line.push_str(&next[1..]);
        }
    }
}

/// Splits a line at the colon after its name and parameters. Colons in quoted parameters are ignored.
fn split_head(line: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let colon = line.find(|letter| {
        is_quoted ^= letter == '"';
        letter == ':' && !is_quoted
    })?;
    Some((&line[..colon], &line[colon + 1..]))
}

/// Returns whether the parameters contain `ENCODING=QUOTED-PRINTABLE`, or `QUOTED-PRINTABLE` alone, as in vCard 2.1.
fn is_quoted_printable(head: &str) -> bool {
    head.split(';').skip(1).any(|parameter| {
        let value = parameter.rsplit('=').next().unwrap_or_default();
        value.trim_matches('"').eq_ignore_ascii_case("QUOTED-PRINTABLE")
    })
}

/// Decodes `=D0=90` (RFC 2045) to text. Returns `None` if the bytes are not UTF-8. A `=` without two digits is kept.
fn quoted_printable(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, others @ ..] = rest {
        let encoded = match others {
            [high, low, ..] if *first == b'=' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        bytes.push(encoded.map_or(*first, |(high, low)| high << 4 | low));
        rest = if encoded.is_some() { &others[2..] } else { others };
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Removes the backslashes before `,`, `;`, `:` and `\`. `\n` becomes a line end. Other backslashes are kept.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut letters = value.chars().peekable();
    while let Some(letter) = letters.next() {
        let escaped = if letter == '\\' { letters.next_if(|next| ",;:\\nN".contains(*next)) } else { None };
        text.push(match escaped {
            Some('n' | 'N') => '\n',
            Some(escaped) => escaped,
            None => letter,
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(lines: &str) -> String {
        format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{lines}\r\nEND:VCARD\r\n")
    }

    #[track_caller]
    fn assert_name(lines: &str, expected: &str) {
        assert_eq!(property(&card(lines), "FN").as_deref(), Some(expected), "{lines}");
    }

    #[track_caller]
    fn assert_phone(lines: &str, expected: &str) {
        assert_eq!(phone(&card(lines)).as_deref(), Some(expected), "{lines}");
    }

    #[test]
    fn finds_a_property_with_any_case_group_and_parameters() {
        assert_name("FN:Alice", "Alice");
        assert_name("fn: Alice ", "Alice");
        assert_name("item1.FN;CHARSET=UTF-8:Alice", "Alice");
        assert_name("X-FN:x\r\nNOTE:FN:y\r\nFN:\r\nFN:Alice", "Alice");
        assert_phone("TEL;TYPE=cell:+15550100", "+15550100");
        assert_phone("item2.TEL;TYPE=\"cell:voice;work\";PREF=1:+1 555", "+1 555");
        for without in ["FN", "N:Alice;A", "FN:", "FN: ", ""] {
            assert_eq!(property(&card(without), "FN"), None, "{without}");
        }
        assert_eq!(property("", "FN"), None);
    }

    #[test]
    fn joins_folded_lines() {
        assert_name("FN:Ali\r\n ce\r\n  Liddell\r\nTEL:1", "Alice Liddell");
        assert_name("FN:Ali\n\tce", "Alice");
        assert_name("FN\r\n ;CHARSET=UTF-8\r\n :Alice", "Alice");
        assert_name("NOTE:a\r\n FN:Mallory\r\nFN:Alice", "Alice");
        assert_phone("TEL:+1555\r\n 0100", "+15550100");
    }

    #[test]
    fn reads_escapes() {
        assert_name(r"FN:Liddell\, Alice\; \\a\\ b\:", r"Liddell, Alice; \a\ b:");
        assert_name(r"FN:Alice\nLiddell\N!", "Alice\nLiddell\n!");
        assert_name(r"FN:\Alice\", r"\Alice\");
        assert_name(r"FN:\\n", r"\n");
    }

    #[test]
    fn reads_quoted_printable() {
        assert_name("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=90=D0=bd=D1=8F", "Аня");
        assert_name("FN;QUOTED-PRINTABLE:=41lice", "Alice");
        assert_name("FN;encoding=quoted-printable:a=3Db=,=zz", "a=b=,=zz");
        assert_name("FN:=41lice", "=41lice");
        // The line after a soft line break may start with a space.
        assert_name("FN;ENCODING=QUOTED-PRINTABLE:=D0=90=\r\n=D0=BD=D1=8F=\r\n =41\r\nTEL:1", "Аня A");
        assert_name("FN;ENCODING=QUOTED-PRINTABLE:=D0=90=\r\n\r\nTEL:1", "А");
        assert_name("PHOTO;ENCODING=BASE64:aGk=\r\nFN:Alice", "Alice");
        assert_name("FN;ENCODING=QUOTED-PRINTABLE:Alice=0D=0ALiddell=0D=0A", "Alice\r\nLiddell");
        // Windows-1251, and then UTF-8.
        assert_name("FN;CHARSET=WINDOWS-1251;ENCODING=QUOTED-PRINTABLE:=C0=ED=FF\r\nFN:Anya", "Anya");
    }

    #[test]
    fn removes_scheme_and_parameters_from_a_tel_uri() {
        assert_phone("TEL;VALUE=uri;TYPE=\"voice,home\":tel:+1-555-0100;ext=7", "+1-555-0100");
        assert_phone("TEL;VALUE=uri:TEL:+15550100", "+15550100");
        assert_phone("TEL:+1 (555) 01-00", "+1 (555) 01-00");
        assert_phone("TEL:телефон", "телефон");
        assert_eq!(phone(&card("TEL;VALUE=uri:tel:;ext=7")), None);
    }
}
