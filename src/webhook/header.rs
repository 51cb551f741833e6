//! The secret header of a webhook, and its check.

use std::fmt;

use axum::http::{HeaderMap, HeaderName};
use subtle::ConstantTimeEq as _;

use crate::{
    error::{Error, Result},
    service::Service,
};

/// The lengths that MAX accepts, in characters.
const LENGTHS: std::ops::RangeInclusive<usize> = 5..=256;

/// A header that every delivery must have.
#[derive(Clone)]
pub(super) struct SecretHeader {
    name: HeaderName,
    value: String,
}

impl SecretHeader {
    /// Creates the header. Fails if the service sends no secrets, or cannot send this one.
    pub(super) fn new(service: &Service, value: String) -> Result<Self> {
        let Some(name) = service.webhook_secret_header else {
            let service = service.name();
            return Err(Error::build(format!(
                "{service} sends no secret with a webhook: remove `secret`; the secret path is enough"
            )));
        };
        let name =
            HeaderName::try_from(name).map_err(|_| Error::build(format!("`{name}` is not the name of a header")))?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        // The error must not show the secret.
        if LENGTHS.contains(&value.len()) && value.bytes().all(is_plain) {
            return Ok(Self { name, value });
        }
        Err(Error::build(format!(
            "the secret of the webhook must have {} to {} letters, digits, `_` and `-`: make one with `openssl rand -hex 32`",
            LENGTHS.start(),
            LENGTHS.end()
        )))
    }

    /// Returns whether a request has the secret exactly once. The time depends only on the lengths.
    pub(super) fn is_in(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(&self.name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => value.as_bytes().ct_eq(self.value.as_bytes()).into(),
            _ => false,
        }
    }

    /// Returns the secret, for the service only.
    pub(super) fn expose(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for SecretHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_secret_follows_the_rules_of_max() {
        for good in ["abcde", "A-z_09", &"x".repeat(256)] {
            assert!(SecretHeader::new(&Service::Max, good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "abcd", "abc de", "abcd\u{e9}", "a.b.c.d", &"x".repeat(257)] {
            let error = SecretHeader::new(&Service::Max, bad.to_owned()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Build, "{bad}");
            assert!(bad.is_empty() || !error.to_string().contains(bad), "{error}");
        }
        let error = SecretHeader::new(&Service::TamTam, "abcde".to_owned()).unwrap_err().to_string();
        assert!(error.starts_with("TamTam sends no secret"), "{error}");
    }

    #[test]
    fn a_request_must_have_the_secret_exactly_once() {
        let secret = SecretHeader::new(&Service::Max, "s3cret-s3cret".to_owned()).unwrap();
        let headers = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-max-bot-api-secret", value.parse().unwrap());
            }
            headers
        };
        assert!(secret.is_in(&headers(&["s3cret-s3cret"])));
        for other in [&[][..], &[""], &["s3cret"], &["s3cret-s3creT"], &["s3cret-s3cret0"], &["s3cret-s3cret"; 2]] {
            assert!(!secret.is_in(&headers(other)), "{other:?}");
        }
        assert_eq!(format!("{secret:?}"), "<secret>");
    }
}
