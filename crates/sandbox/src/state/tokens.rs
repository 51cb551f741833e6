//! Hides the tokens of bots in reports of requests.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::State;

/// Replaces a text that contains a token.
const HIDDEN: &str = "...";
/// The maximum number of nested URL encodings in which a token is found.
const ENCODINGS: usize = 4;

/// The tokens of all bots at one moment.
pub(crate) struct Tokens(Vec<String>);

impl Tokens {
    pub(crate) fn of(state: &State) -> Self {
        Self(state.bots.values().map(|bot| bot.token.clone()).collect())
    }

    /// Returns whether a text contains a token, plain or URL-encoded.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        let mut text = Cow::Borrowed(text);
        for _ in 0..ENCODINGS {
            // In a query a plus is a space.
            let spaced = text.replace('+', " ");
            let spaced_first = percent_decode_str(&spaced).decode_utf8_lossy().into_owned();
            if self
                .0
                .iter()
                .any(|token| [&*text, &spaced, &spaced_first].iter().any(|text| text.contains(token.as_str())))
            {
                return true;
            }
            let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
            if decoded == text {
                return false;
            }
            text = Cow::Owned(decoded);
        }
        false
    }

    /// Returns the text, or `...` if it contains a token.
    pub(crate) fn hide<'a>(&self, text: &'a str) -> &'a str {
        if self.are_in(text) { HIDDEN } else { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_token_in_any_url_encoding() {
        let tokens = Tokens(vec!["s3 c/t+".to_owned()]);
        for text in
            ["s3 c/t+", "/bots3 c/t+/me", "s3%20c%2Ft%2B", "s3+c%2Ft%2B", "%73%33+c/t%2b", "s3%2520c%252Ft%252B"]
        {
            assert!(tokens.are_in(text), "{text}");
            assert_eq!(tokens.hide(text), HIDDEN);
        }
        for text in ["", "s3", "/chats/5", "%ff%", "s3 c/t"] {
            assert_eq!(tokens.hide(text), text);
        }
    }
}
