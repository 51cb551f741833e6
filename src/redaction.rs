//! Redacts secrets in texts of servers and proxies, which may quote a request.

mod escapes;
mod hash;

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    ops::Range,
};

use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::Value;

use escapes::Unescaped;
pub(crate) use hash::fnv_1a;

/// The minimum length of a part of a URL, or of a JSON value, that is hidden, in characters. Shorter values are not
/// secret, and occur in ordinary text.
const SHORTEST_PART: usize = 8;
/// The maximum length of text that is searched and shown, in bytes. The rest is cut off.
const LONGEST_TEXT: usize = 64 * 1024;
/// The number of layers of escapes that are removed to find a secret. Enough for HTML in JSON in a URL in another URL.
const ESCAPED_TIMES: usize = 4;

/// A secret that texts may quote. `Debug` prints a placeholder.
#[derive(Clone)]
pub(crate) struct Secret {
    /// The spellings of the secret, without escapes.
    values: Vec<String>,
    shown: &'static str,
}

impl Secret {
    pub(crate) fn new(secret: &str, shown: &'static str) -> Self {
        let mut values = vec![secret.to_owned(), percent_decode_str(secret).decode_utf8_lossy().into_owned()];
        values.retain(|value| !value.is_empty());
        values.dedup();
        Self { values, shown }
    }

    /// Returns the parts of a URL after its origin. `None` if they are too short to be secret.
    pub(crate) fn beyond_the_origin(url: &str) -> Option<Self> {
        let (authority, path) = parts(url);
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        // A server may normalize the path, and encode non-ASCII characters.
        let normal = Url::parse(url).ok();
        let normal = normal.as_ref().map_or("", |url| parts(url.as_str()).1);
        let parts = [path, without_query(path), normal, without_query(normal), user];
        let mut values: Vec<String> = parts.iter().flat_map(|part| Self::new(part, "").values).collect();
        values.retain(|value| value.chars().count() >= SHORTEST_PART);
        values.sort_unstable();
        values.dedup();
        (!values.is_empty()).then_some(Self { values, shown: "..." })
    }

    /// Combines several secrets. All are shown as the placeholder of the first one.
    pub(crate) fn all(secrets: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        secrets.into_iter().flatten().reduce(|mut all, secret| {
            all.values.extend(secret.values);
            all
        })
    }

    /// Returns the ranges in a text that contain the secret, plain or escaped.
    fn places(&self, text: &str) -> Vec<Range<usize>> {
        let views = Unescaped::views(text, ESCAPED_TIMES);
        views.iter().flat_map(|view| self.values.iter().flat_map(|value| view.find(value))).collect()
    }

    /// Returns the start of a partial secret at the end of a truncated text. The length of the text if there is no
    /// match.
    fn beginning_at_the_end(&self, text: &str) -> usize {
        let views = Unescaped::views(text, ESCAPED_TIMES);
        let ends = views.iter().flat_map(|view| self.values.iter().filter_map(|value| view.find_cut(value)));
        ends.min().unwrap_or(text.len())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown)
    }
}

/// Returns whether a property with this name contains a secret, in JSON without a schema.
fn is_secret_name(name: &str) -> bool {
    ["token", "secret", "password"].iter().any(|word| name.to_ascii_lowercase().contains(word))
}

/// Hides the values of [secret properties](is_secret_name) in JSON.
pub(crate) fn hide_in_json(json: &str) -> Cow<'_, str> {
    // JSON that is nested too deeply cannot be searched for secrets, so it is not shown.
    let Ok(mut parsed) = serde_json::from_str::<Value>(json) else {
        return format!("<{} bytes>", json.len()).into();
    };
    let has_secrets = for_each_secret(&mut parsed, &mut |value| *value = "<hidden>".into());
    if has_secrets { parsed.to_string().into() } else { json.into() }
}

/// Calls `act` for the string of each secret property. Returns whether there is one.
fn for_each_secret(value: &mut Value, act: &mut impl FnMut(&mut Value)) -> bool {
    let mut found = false;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| found |= for_each_secret(item, act)),
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| {
            if value.is_string() && is_secret_name(name) {
                act(value);
                found = true;
            } else {
                found |= for_each_secret(value, act);
            }
        }),
        _ => {}
    }
    found
}

/// The secrets of a call.
#[derive(Debug, Clone)]
pub(crate) struct Secrets<'a>(Vec<Cow<'a, Secret>>);

impl<'a> Secrets<'a> {
    pub(crate) fn of(secret: &'a Secret) -> Self {
        Self(vec![Cow::Borrowed(secret)])
    }

    pub(crate) fn and(mut self, secret: Option<&'a Secret>) -> Self {
        self.0.extend(secret.map(Cow::Borrowed));
        self
    }

    /// Adds the secret properties of a JSON body.
    pub(crate) fn and_in_json(mut self, body: Option<&[u8]>) -> Self {
        let mut body: Value = body.and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        for_each_secret(&mut body, &mut |value| {
            let value = value.as_str().filter(|value| value.chars().count() >= SHORTEST_PART);
            self.0.extend(value.map(|value| Cow::Owned(Secret::new(value, "..."))));
        });
        self
    }
}

impl Secrets<'_> {
    /// Redacts secrets and escapes control characters in external text, such as a proxy page that quotes the URL.
    /// Control characters could forge a line of the log. Text over 64 KiB is truncated.
    pub(crate) fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if text.len() > LONGEST_TEXT {
            let end = (0..=LONGEST_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            let beginning = self.without_a_beginning_at_the_end(&text[..end]);
            return format!("{}...", self.clean(beginning)).into();
        }
        let mut hits: Vec<_> = self
            .0
            .iter()
            .flat_map(|secret| secret.places(text).into_iter().map(|place| (place, secret.shown)))
            .collect();
        if hits.is_empty() {
            return printable(text);
        }
        // If secrets are nested, the outer secret is replaced.
        hits.sort_by_key(|(place, _)| (place.start, std::cmp::Reverse(place.end)));
        let (mut clean, mut end) = (String::with_capacity(text.len()), 0);
        for (place, shown) in hits {
            if place.start >= end {
                clean.push_str(&text[end..place.start]);
                clean.push_str(shown);
            }
            end = end.max(place.end);
        }
        clean.push_str(&text[end..]);
        Cow::Owned(printable(&clean).into_owned())
    }

    /// Removes a partial secret from the end of a truncated text.
    pub(crate) fn without_a_beginning_at_the_end<'a>(&self, text: &'a str) -> &'a str {
        let ends = self.0.iter().map(|secret| secret.beginning_at_the_end(text));
        &text[..ends.min().unwrap_or(text.len())]
    }
}

/// Escapes characters that affect a terminal or a log: control characters, line separators, bidirectional marks.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_obeyed = |char: char| {
        char.is_control()
            || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut printable = String::with_capacity(text.len() + 16);
    for char in text.chars() {
        if is_obeyed(char) {
            printable.extend(char.escape_default());
        } else {
            printable.push(char);
        }
    }
    Cow::Owned(printable)
}

/// Displays a value from outside the crate as [`printable`].
pub(crate) struct Printable<'a, T>(pub(crate) &'a T);

impl<T: fmt::Display> fmt::Display for Printable<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write!(text, "{}", self.0)?;
        f.write_str(&printable(&text))
    }
}

/// A placeholder for a secret value in `Debug` output.
pub(crate) struct Hidden;

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<hidden>")
    }
}

/// Shows only the origin of a secret URL in `Debug` output.
pub(crate) struct HiddenUrl<'a>(pub(crate) &'a str);

impl fmt::Debug for HiddenUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_more = Url::parse(self.0).is_ok_and(|url| url.path().len() > 1 || url.query().is_some());
        write!(f, "\"{}{}\"", origin(self.0), if has_more { "/..." } else { "" })
    }
}

/// Returns scheme, host and port of a URL, without user, path and query.
pub(crate) fn origin(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        _ => "not a URL".to_owned(),
    }
}

/// Splits a URL into its authority, and the rest without the slash between them.
fn parts(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
    (authority, path.strip_prefix('/').unwrap_or(path))
}

/// Removes the string that an error of serde quotes. The result is, for example, `invalid type: string, expected i64`.
pub(crate) fn without_strings(words: &str) -> Cow<'_, str> {
    match (words.find("string \""), words.rfind("\", expected")) {
        (Some(from), Some(to)) if from < to => format!("{}string{}", &words[..from], &words[to + 1..]).into(),
        (Some(from), _) => format!("{}string", &words[..from]).into(),
        (None, _) => words.into(),
    }
}

/// Removes query and fragment from a path. A redirect may quote the path alone.
fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(secret: &Secret, text: &str) -> String {
        Secrets::of(secret).clean(text).into_owned()
    }

    #[test]
    fn removes_the_string_from_an_error_of_serde() {
        for (json, words) in [
            (r#""s3cr3t\", expected x""#, "invalid type: string, expected u32 at line 1 column 22"),
            ("[1]", "invalid type: sequence, expected u32 at line 1 column 0"),
            ("-1", "invalid value: integer `-1`, expected u32 at line 1 column 2"),
        ] {
            assert_eq!(without_strings(&serde_json::from_str::<u32>(json).unwrap_err().to_string()), words);
        }
    }

    #[test]
    fn redacts_a_plain_and_a_url_encoded_secret() {
        let secret = Secret::new("s3cret/+ =", "<token>");
        assert_eq!(format!("{secret:?}"), "<token>");
        assert_eq!(
            redact(&secret, "GET /me?access_token=s3cret%2F%2B+%3D failed"),
            "GET /me?access_token=<token> failed"
        );
        for quoted in ["s3cret%2F%2B%20%3D", "s3cret%2f%2b+%3d", "s3cret%2f%2b%20%3d", r"s3cret\/+ ="] {
            assert_eq!(redact(&secret, quoted), "<token>", "{quoted}");
        }
        assert_eq!(redact(&secret, "no token s3cret/+ = here"), "no token <token> here");
        assert_eq!(redact(&secret, "nothing to hide"), "nothing to hide");
    }

    #[test]
    fn redacts_a_secret_that_is_html_escaped_or_encoded_twice() {
        let secret = Secret::new("s3cret&\"/'<", "<token>");
        for quoted in [
            "s3cret&amp;&quot;/&#39;&lt;",
            "s3cret&#38;&#34;&#x2F;&#x27;&#60;",
            "s3cret%2526%2522%252F%2527%253C",
            "s3cret%26amp%3B%26quot%3B/%26%2339%3B%26lt%3B",
        ] {
            assert_eq!(redact(&secret, &format!("<a href=\"?t={quoted}\">")), "<a href=\"?t=<token>\">", "{quoted}");
        }
    }

    #[test]
    fn keeps_the_origin_of_a_url() {
        let secret = Secret::beyond_the_origin("https://bot.example:8443/hook/s3cr3t-крюк?v=1").unwrap();
        for (quoted, shown) in [
            ("no https://bot.example:8443/hook/s3cr3t-крюк?v=1 here", "no https://bot.example:8443/... here"),
            (r"https:\/\/bot.example:8443\/hook\/s3cr3t-крюк?v=1", r"https:\/\/bot.example:8443\/..."),
            ("path /hook/s3cr3t-%D0%BA%D1%80%D1%8E%D0%BA?v=1", "path /..."),
            (
                "without its query: /hook/s3cr3t-крюк, /hook/s3cr3t-%D0%BA%D1%80%D1%8E%D0%BA",
                "without its query: /..., /...",
            ),
            (
                "https%3A%2F%2Fbot.example%3A8443%2Fhook%2Fs3cr3t-%D0%BA%D1%80%D1%8E%D0%BA%3Fv%3D1",
                "https%3A%2F%2Fbot.example%3A8443%2F...",
            ),
        ] {
            assert_eq!(redact(&secret, quoted), shown);
        }
        let secret = Secret::beyond_the_origin("https://user:pa55word@bot.example").unwrap();
        assert_eq!(redact(&secret, "https://user:pa55word@bot.example"), "https://...@bot.example");
        let secret = Secret::beyond_the_origin("https://bot.example?s3cr3t-word").unwrap();
        assert_eq!(redact(&secret, "?s3cr3t-word"), "...");
        for nothing_to_hide in
            ["https://bot.example", "https://bot.example/", "http://bot.example:8080/hook", "bot", ""]
        {
            assert!(Secret::beyond_the_origin(nothing_to_hide).is_none(), "{nothing_to_hide}");
        }
    }

    #[test]
    fn redacts_two_secrets_and_their_beginnings() {
        let (token, own) = (Secret::new("t0ken", "<token>"), Secret::new("s3cr3t", "..."));
        let secrets = Secrets::of(&token).and(Some(&own));
        assert_eq!(secrets.clean("t0ken s3cr3t"), "<token> ...");
        assert_eq!(secrets.clean("s3cr3t"), "...");
        assert_eq!(secrets.clean("neither"), "neither");
        for cut in ["page t0k", "page s3c"] {
            assert_eq!(secrets.without_a_beginning_at_the_end(cut), "page ");
        }
        let around = Secret::new("a t0ken b", "<all>");
        assert_eq!(Secrets::of(&token).and(Some(&around)).clean("(a t0ken b) t0ken"), "(<all>) <token>");
    }

    #[test]
    fn escapes_characters_that_could_forge_a_line_of_the_log() {
        for (text, shown) in [
            ("Bad\nGateway", r"Bad\nGateway"),
            ("a\r\n2026-11-29 INFO all is well", r"a\r\n2026-11-29 INFO all is well"),
            ("\u{1b}[31mred\u{9b}0m", r"\u{1b}[31mred\u{9b}0m"),
            ("a\u{2028}b\u{202e}c\u{0}", r"a\u{2028}b\u{202e}c\u{0}"),
            ("обычный «текст» 😀", "обычный «текст» 😀"),
        ] {
            assert_eq!(printable(text), shown);
            assert_eq!(Printable(&text).to_string(), shown);
        }
        let token = Secret::new("t0ken", "<token>");
        assert_eq!(redact(&token, "t0ken\nt0ken"), r"<token>\n<token>");
    }

    #[test]
    fn shows_only_the_origin_of_a_hidden_url() {
        for (url, shown) in [
            ("https://bot.example/s3cr3t", "https://bot.example/..."),
            ("https://user:s3cr3t@bot.example:8443?s3cr3t", "https://bot.example:8443/..."),
            ("https://bot.example", "https://bot.example"),
            ("s3cr3t", "not a URL"),
            ("s3cr3t://", "not a URL"),
        ] {
            assert_eq!(format!("{:?}", HiddenUrl(url)), format!("\"{shown}\""));
        }
    }

    #[test]
    fn truncates_a_long_text_without_showing_a_partial_secret() {
        let token = Secret::new("s3cr3t-t0ken", "<token>");
        for before in LONGEST_TEXT - 20..LONGEST_TEXT + 2 {
            let shown = redact(&token, &format!("{}s3cr3t-t0ken{}", "x".repeat(before), "y".repeat(100)));
            assert!(shown.ends_with("...") && !shown.contains("s3c") && shown.len() <= LONGEST_TEXT + 10, "{before}");
        }
        assert!(redact(&token, &"ы".repeat(LONGEST_TEXT)).ends_with("ы..."));
    }

    #[test]
    fn hides_secret_properties_of_json_at_any_depth() {
        let json =
            r#"{"a":[{"payload":{"token":"t0ken-of-a-file","url":5}}],"api_token":"b","tokens":["x"],"text":"token"}"#;
        let hidden: Value = serde_json::from_str(&hide_in_json(json)).unwrap();
        assert_eq!(hidden["a"][0]["payload"]["token"], "<hidden>");
        assert_eq!((&hidden["api_token"], &hidden["text"]), (&"<hidden>".into(), &"token".into()));
        assert_eq!(hide_in_json(r#"{ "text": 1 }"#), r#"{ "text": 1 }"#, "the text is unchanged");
        let token = Secret::new("bot", "<token>");
        let secrets = Secrets::of(&token).and_in_json(Some(json.as_bytes()));
        assert_eq!(secrets.clean("t0ken-of-a-file b x bot"), "... b x <token>", "a short value is not a secret");
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        assert_eq!(hide_in_json(&deep), "<1000 bytes>");
    }
}
