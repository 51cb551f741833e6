//! The bot's token: the one secret, never shown.

use std::{borrow::Cow, fmt};

/// What stands in a text where the token was.
const REDACTED: &str = "<token>";

/// The token of a bot. Printing it in any way prints a placeholder.
#[derive(Clone)]
pub(crate) struct Token {
    secret: String,
    /// The token as it stands in a URL, when that differs.
    encoded: Option<String>,
}

impl Token {
    pub(crate) fn new(secret: String) -> Self {
        let url = reqwest::Url::parse_with_params("http://localhost", [("t", &secret)]).ok();
        let encoded =
            url.and_then(|url| Some(url.query()?.strip_prefix("t=")?.to_owned())).filter(|encoded| *encoded != secret);
        Self { secret, encoded }
    }

    /// The secret itself, for the query string of a request and nothing else.
    pub(crate) fn expose(&self) -> &str {
        &self.secret
    }

    /// A text that came from outside, such as a proxy's error page that quotes the URL, without the token.
    pub(crate) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for form in self.encoded.iter().chain([&self.secret]) {
            if text.contains(form.as_str()) {
                text = Cow::Owned(text.replace(form.as_str(), REDACTED));
            }
        }
        text
    }
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
        assert_eq!(token.redact("no token s3cret/+ = here"), "no token <token> here");
        assert_eq!(token.redact("nothing to hide"), "nothing to hide");
    }
}
