//! The token of a bot. It is sent where the service expects it, and never printed.

use std::fmt;

use http::HeaderValue;

use crate::redaction::{Secret, fnv_1a};

/// The token of a bot. `Debug` prints a placeholder.
#[derive(Clone)]
pub(crate) struct Token {
    text: String,
    secret: Secret,
}

impl Token {
    pub(crate) fn new(text: String) -> Self {
        Self { secret: Secret::new(&text, "<token>"), text }
    }

    /// Returns the token itself, for requests only.
    pub(crate) fn expose(&self) -> &str {
        &self.text
    }

    /// Returns the value of a header with the token. `None` if a header cannot have this value. `Debug` does not show
    /// the value, and HTTP/2 does not index it.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&self.text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Returns 32 bits of a hash of the token, in hexadecimal digits. They distinguish bots, but do not reveal the
    /// token.
    pub(crate) fn fingerprint(&self) -> String {
        format!("{:08x}", fnv_1a(self.text.as_bytes()) & u64::from(u32::MAX))
    }

    /// Returns the token as a secret, to be redacted from texts.
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.secret.fmt(f)
    }
}
