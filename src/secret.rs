//! Secrets, and how they are kept out of texts that come from outside: a server or proxy may quote what it was sent.

use std::{borrow::Cow, fmt};

use reqwest::Url;

/// The shortest part of a URL that is hidden, in characters. A shorter one is no secret, and stands in many a text.
const SHORTEST_PART: usize = 8;

/// A secret as others may quote it. Printing it in any way prints what is shown in its place.
#[derive(Clone)]
pub(crate) struct Secret {
    /// Every form in which a text may quote it: plain, and as URLs and JSON write it.
    forms: Vec<String>,
    shown: &'static str,
}

impl Secret {
    pub(crate) fn new(secret: &str, shown: &'static str) -> Self {
        Self { forms: forms(secret), shown }
    }

    /// All of a URL but its origin, unless there is little more.
    pub(crate) fn beyond_the_origin(url: &str) -> Option<Self> {
        let (authority, path) = parts(url);
        let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
        // A server may write the path in its own way, with what is not ASCII encoded.
        let normal = Url::parse(url).ok();
        let normal = normal.as_ref().map_or("", |url| parts(url.as_str()).1);
        let parts = [path, normal, user].into_iter().filter(|part| part.len() >= SHORTEST_PART);
        let forms: Vec<String> = parts.flat_map(forms).collect();
        (!forms.is_empty()).then_some(Self { forms, shown: "..." })
    }

    /// A text that came from outside, such as a proxy's error page that quotes the URL, without the secret.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = Cow::Owned(text.replace(form.as_str(), self.shown));
            }
        }
        text
    }

    /// A text that was cut, without what may be the beginning of the secret at its end.
    pub(crate) fn without_its_beginning_at_the_end<'a>(&self, text: &'a str) -> &'a str {
        let longest = self
            .forms
            .iter()
            .filter_map(|form| {
                let ends = form.char_indices().skip(1).map(|(end, _)| &form[..end]);
                ends.filter(|beginning| text.ends_with(beginning)).map(str::len).max()
            })
            .max();
        &text[..text.len() - longest.unwrap_or(0)]
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown)
    }
}

/// All secrets of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Secrets<'a> {
    pub(crate) token: &'a Secret,
    /// What the call itself has that nobody may see.
    pub(crate) own: Option<&'a Secret>,
}

impl Secrets<'_> {
    /// As [`Secret::redact`].
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let text = self.token.redact(text);
        match self.own.map(|own| own.redact(&text)) {
            Some(Cow::Owned(text)) => Cow::Owned(text),
            _ => text,
        }
    }

    /// As [`Secret::without_its_beginning_at_the_end`].
    pub(crate) fn without_a_beginning_at_the_end<'a>(&self, text: &'a str) -> &'a str {
        let without = |secret: &Secret| secret.without_its_beginning_at_the_end(text);
        let (one, other) = (without(self.token), self.own.map_or(text, without));
        if one.len() < other.len() { one } else { other }
    }
}

/// The authority of a URL, and what comes after the slash that ends it.
fn parts(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()));
    (authority, path.strip_prefix('/').unwrap_or(path))
}

/// Every form in which a text may quote a secret, the longest first where one is in another.
fn forms(secret: &str) -> Vec<String> {
    let url = Url::parse_with_params("http://localhost", [("t", secret)]).ok();
    let encoded = url.and_then(|url| Some(url.query()?.strip_prefix("t=")?.to_owned())).unwrap_or_default();
    let spaced = encoded.replace('+', "%20");
    let escaped = serde_json::to_string(secret).unwrap_or_default().trim_matches('"').to_owned();
    let mut forms = vec![
        lower_hex(&spaced),
        lower_hex(&encoded),
        spaced,
        encoded,
        escaped.replace('/', "\\/"),
        escaped,
        secret.to_owned(),
    ];
    forms.retain(|form| !form.is_empty());
    forms.dedup();
    forms
}

/// `%2F` as `%2f`: some servers quote a URL so.
fn lower_hex(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (hex, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        out.push('%');
        out.push_str(&hex.to_ascii_lowercase());
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_redacted_plain_and_as_it_stands_in_a_url() {
        let secret = Secret::new("s3cret/+ =", "<token>");
        assert_eq!(format!("{secret:?}"), "<token>");
        assert_eq!(
            secret.redact("GET /me?access_token=s3cret%2F%2B+%3D failed"),
            "GET /me?access_token=<token> failed"
        );
        for quoted in ["s3cret%2F%2B%20%3D", "s3cret%2f%2b+%3d", "s3cret%2f%2b%20%3d", r"s3cret\/+ ="] {
            assert_eq!(secret.redact(quoted), "<token>", "{quoted}");
        }
        assert_eq!(secret.redact("no token s3cret/+ = here"), "no token <token> here");
        assert_eq!(secret.redact("nothing to hide"), "nothing to hide");
    }

    #[test]
    fn of_a_url_the_origin_is_left() {
        let secret = Secret::beyond_the_origin("https://bot.example:8443/hook/s3cr3t-крюк?v=1").unwrap();
        for (quoted, shown) in [
            ("no https://bot.example:8443/hook/s3cr3t-крюк?v=1 here", "no https://bot.example:8443/... here"),
            (r"https:\/\/bot.example:8443\/hook\/s3cr3t-крюк?v=1", r"https:\/\/bot.example:8443\/..."),
            ("path /hook/s3cr3t-%D0%BA%D1%80%D1%8E%D0%BA?v=1", "path /..."),
            (
                "https%3A%2F%2Fbot.example%3A8443%2Fhook%2Fs3cr3t-%D0%BA%D1%80%D1%8E%D0%BA%3Fv%3D1",
                "https%3A%2F%2Fbot.example%3A8443%2F...",
            ),
        ] {
            assert_eq!(secret.redact(quoted), shown);
        }
        let secret = Secret::beyond_the_origin("https://user:pa55word@bot.example").unwrap();
        assert_eq!(secret.redact("https://user:pa55word@bot.example"), "https://...@bot.example");
        assert_eq!(Secret::beyond_the_origin("https://bot.example?s3cr3t-word").unwrap().redact("?s3cr3t-word"), "...");
        for nothing_to_hide in
            ["https://bot.example", "https://bot.example/", "http://bot.example:8080/hook", "bot", ""]
        {
            assert!(Secret::beyond_the_origin(nothing_to_hide).is_none(), "{nothing_to_hide}");
        }
    }

    #[test]
    fn of_two_secrets_neither_is_shown_whole_or_in_part() {
        let (token, own) = (Secret::new("t0ken", "<token>"), Secret::new("s3cr3t", "..."));
        let secrets = Secrets { token: &token, own: Some(&own) };
        assert_eq!(secrets.redact("t0ken s3cr3t"), "<token> ...");
        assert_eq!(secrets.redact("s3cr3t"), "...");
        assert_eq!(secrets.redact("neither"), "neither");
        for cut in ["page t0k", "page s3c"] {
            assert_eq!(secrets.without_a_beginning_at_the_end(cut), "page ");
        }
        assert_eq!(Secrets { own: None, ..secrets }.redact("t0ken s3cr3t"), "<token> s3cr3t");
    }
}
