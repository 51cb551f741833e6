//! The bot's token: the one secret, never shown.

use std::{borrow::Cow, fmt};

/// What stands in a text where the token was.
const REDACTED: &str = "<token>";

/// The token of a bot. Printing it in any way prints a placeholder.
#[derive(Clone)]
pub(crate) struct Token {
    secret: String,
    /// Every form in which a page may quote it: plain, and as URLs and JSON write it.
    forms: Vec<String>,
}

impl Token {
    pub(crate) fn new(secret: String) -> Self {
        let url = reqwest::Url::parse_with_params("http://localhost", [("t", &secret)]).ok();
        let encoded = url.and_then(|url| Some(url.query()?.strip_prefix("t=")?.to_owned())).unwrap_or_default();
        let spaced = encoded.replace('+', "%20");
        let escaped = serde_json::to_string(&secret).unwrap_or_default().trim_matches('"').to_owned();
        let mut forms = vec![
            lower_hex(&spaced),
            lower_hex(&encoded),
            spaced,
            encoded,
            escaped.replace('/', "\\/"),
            escaped,
            secret.clone(),
        ];
        forms.retain(|form| !form.is_empty());
        forms.dedup();
        Self { secret, forms }
    }

    /// The secret itself, for the query string of a request and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.secret
    }

    /// A text that came from outside, such as a proxy's error page that quotes the URL, without the token.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for form in &self.forms {
            if text.contains(form.as_str()) {
                text = Cow::Owned(text.replace(form.as_str(), REDACTED));
            }
        }
        text
    }

    /// A text that was cut, without what may be the beginning of the token at its end.
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

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_redacted_plain_and_as_it_stands_in_a_url() {
        let token = Token::new("s3cret/+ =".to_owned());
        assert_eq!(format!("{token:?}"), "<token>");
        assert_eq!(token.redact("GET /me?access_token=s3cret%2F%2B+%3D failed"), "GET /me?access_token=<token> failed");
        for quoted in ["s3cret%2F%2B%20%3D", "s3cret%2f%2b+%3d", "s3cret%2f%2b%20%3d", r"s3cret\/+ ="] {
            assert_eq!(token.redact(quoted), "<token>", "{quoted}");
        }
        assert_eq!(token.redact("no token s3cret/+ = here"), "no token <token> here");
        assert_eq!(token.redact("nothing to hide"), "nothing to hide");
    }
}
