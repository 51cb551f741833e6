//! Reads the header `Content-Disposition`.

use percent_encoding::percent_decode_str;

/// Returns the name of the file: `filename*` (RFC 5987) if it is valid, otherwise `filename`.
pub(super) fn file_name(header: &str) -> Option<String> {
    let parameters = parameters(header);
    let find = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let extended = find("filename*").and_then(extended);
    // Browsers percent-encode only these three characters.
    let plain = || find("filename").map(|name| name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"));
    extended.or_else(plain)
}

/// Returns the name of a form part.
pub(super) fn part_name(header: &str) -> Option<String> {
    parameters(header).into_iter().find(|(key, _)| key == "name").map(|(_, value)| value)
}

/// Decodes an extended value, such as `UTF-8''%D0%BA.txt`.
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let text = percent_decode_str(text).decode_utf8().ok()?;
    charset.eq_ignore_ascii_case("utf-8").then(|| text.into_owned())
}

/// Returns the parameters of the header. Names are in lower case, values without quotes and escapes.
fn parameters(header: &str) -> Vec<(String, String)> {
    let (mut parts, mut quoted, mut escaped) = (vec![String::new()], false, false);
    for c in header.chars() {
        let is_quote = c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        quoted ^= is_quote;
        match parts.last_mut() {
            _ if c == ';' && !quoted => parts.push(String::new()),
            // Spaces are part of a value only within quotes.
            Some(part) if !is_quote && !escaped && (quoted || !c.is_whitespace()) => part.push(c),
            _ => {}
        }
    }
    let pairs = parts.iter().filter_map(|part| part.split_once('='));
    pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_the_extended_file_name() {
        let header = "attachment; filename=\"___.txt\"; filename*=UTF-8''%D0%BA%D0%BE%D1%82.txt";
        assert_eq!(file_name(header).unwrap(), "кот.txt");
        assert_eq!(file_name("attachment; filename=\"a.txt\"; filename*=KOI8-R''%CB").unwrap(), "a.txt");
    }

    #[test]
    fn reads_semicolons_and_escapes_in_quotes() {
        let header = r#"form-data; name="data"; filename="a;b \"c\" %22d%22=.txt""#;
        assert_eq!(file_name(header).unwrap(), r#"a;b "c" "d"=.txt"#);
        assert_eq!(part_name(header).unwrap(), "data");
        assert_eq!(file_name("attachment ;  filename = \" a \" ").unwrap(), " a ");
        assert_eq!(file_name("attachment"), None);
    }
}
