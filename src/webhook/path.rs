//! The secret path of a webhook: its rules, and its check.

use std::fmt;

use subtle::ConstantTimeEq as _;

use crate::error::{Error, Result};

/// Minimum length of the last segment, which is the secret. 32 hexadecimal digits are 128 bits.
const SECRET_LENGTH: usize = 32;
/// Number of characters of the secret in the route. Two random secrets share them once in billions.
const SELECTOR_LENGTH: usize = 8;
/// The name of the rest of the secret in axum's route. Only the panic of a conflicting merge shows it.
const REST: &str = "{rest_of_the_secret_path_of_a_webhook}";

/// A path that only the service receives.
///
/// Without a secret header, the path is the only proof that a delivery is genuine, so response times must not reveal
/// it. The lookup time of a router depends on the path. So the router gets only the beginning of the secret, which
/// selects the webhook. The rest is long enough to be a secret of its own, and is compared here in constant time.
#[derive(Clone)]
pub(super) struct SecretPath(String);

impl SecretPath {
    /// Checks a path. Fails if it can be guessed or misread.
    pub(super) fn new(path: String) -> Result<Self> {
        match problem(&path) {
            None => Ok(Self(path)),
            // The error must not show the path.
            Some(problem) => Err(Error::build(format!(
                "the webhook's path {problem}: use a slash and the output of `openssl rand -hex 32`, and keep it as \
                 secret as the token"
            ))),
        }
    }

    /// Returns the route of the webhook. It has only the beginning of the secret.
    pub(super) fn route(&self) -> String {
        let secret = self.0.rfind('/').map_or(0, |slash| slash + 1);
        format!("{}{REST}", &self.0[..secret + SELECTOR_LENGTH])
    }

    /// Returns the path, for the service only.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether `path` is the secret path. The time depends only on the lengths.
    pub(super) fn is(&self, path: &str) -> bool {
        self.0.as_bytes().ct_eq(path.as_bytes()).into()
    }
}

/// Returns the problem of a path. `None` if the path is valid.
fn problem(path: &str) -> Option<String> {
    let Some(segments) = path.strip_prefix('/') else { return Some("does not begin with a slash".to_owned()) };
    // Clients and proxies write other characters in more than one way.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if !segments.split('/').all(|segment| segment.chars().all(is_plain)) {
        return Some("has characters other than letters, digits, `-`, `.`, `_` and `~` between its slashes".to_owned());
    }
    let (public, secret) =
        segments.rsplit_once('/').map_or((None, segments), |(public, secret)| (Some(public), secret));
    if secret.len() < SECRET_LENGTH {
        let length = secret.len();
        return Some(format!("has {length} characters in its last segment, fewer than {SECRET_LENGTH}"));
    }
    let leads_elsewhere = |public: &str| public.split('/').any(|segment| matches!(segment, "" | "." | ".."));
    public.is_some_and(leads_elsewhere).then(|| "has a segment that is empty, `.` or `..`".to_owned())
}

impl fmt::Debug for SecretPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret path>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const SECRET: &str = "0123456789abcdefghijklmnopqrstuv";

    #[test]
    fn a_path_that_can_be_guessed_or_misread_is_refused_with_advice() {
        let cases = [
            ("", "does not begin with a slash"),
            ("hook", "does not begin with a slash"),
            ("/", "has 0 characters in its last segment, fewer than 32"),
            ("/webhook", "has 7 characters in its last segment, fewer than 32"),
            (&format!("/{SECRET}/"), "has 0 characters in its last segment, fewer than 32"),
            (&format!("/{SECRET}/hook"), "has 4 characters in its last segment, fewer than 32"),
            (&format!("/{}", &SECRET[1..]), "has 31 characters in its last segment, fewer than 32"),
            (&format!("//{SECRET}"), "has a segment that is empty, `.` or `..`"),
            (&format!("/a//{SECRET}"), "has a segment that is empty, `.` or `..`"),
            (&format!("/a/../{SECRET}"), "has a segment that is empty, `.` or `..`"),
        ];
        for (path, problem) in cases {
            let error = SecretPath::new(path.to_owned()).unwrap_err();
            let expected = format!(
                "the webhook's path {problem}: use a slash and the output of `openssl rand -hex 32`, and keep it as \
                 secret as the token"
            );
            assert_eq!(error.to_string(), expected);
            assert_eq!(error.kind(), ErrorKind::Build);
        }
        for odd in ["%", "?", "#", "{", "}", "*", ":", ";", "\\", " ", "\n", "é", "@", "&", "=", "+"] {
            let error = SecretPath::new(format!("/{SECRET}{odd}")).unwrap_err().to_string();
            assert!(
                error.contains("has characters other than letters, digits, `-`, `.`, `_` and `~`"),
                "{odd}: {error}"
            );
            assert!(!error.contains(SECRET), "{error}");
        }
    }

    #[test]
    fn a_long_last_segment_is_a_secret() {
        for path in [
            format!("/{SECRET}"),
            format!("/a/b.c/~{SECRET}-_."),
            "/hook/018f4e2a-77c1-4e7b-9d35-2f6a8c90b1de".to_owned(),
        ] {
            assert!(SecretPath::new(path.clone()).is_ok(), "{path}");
        }
    }

    #[test]
    fn only_the_exact_path_matches() {
        let path = SecretPath::new(format!("/hook/{SECRET}")).unwrap();
        assert!(path.is(&format!("/hook/{SECRET}")));
        let same_length = format!("/hook/{}w", &SECRET[..31]);
        for other in [
            "",
            "/",
            "/hook",
            SECRET,
            &same_length,
            &same_length.replace("hook", "nook"),
            &format!("/hook/{SECRET}/"),
            &format!("/hook/{SECRET}0"),
            &format!("/hook/{}", SECRET.to_uppercase()),
            &format!("/hook/{}", &SECRET[..31]),
            &format!("/hook/%30{}", &SECRET[1..]),
        ] {
            assert!(!path.is(other), "{other}");
        }
    }

    #[test]
    fn the_route_has_only_the_beginning_of_the_secret() {
        let route = |path: &str| SecretPath::new(path.to_owned()).unwrap().route();
        assert_eq!(route(&format!("/a/b/{SECRET}")), format!("/a/b/01234567{REST}"));
        assert_eq!(route(&format!("/{SECRET}")), format!("/01234567{REST}"));
        // Without the beginning, 96 bits of hexadecimal digits remain to guess.
        const { assert!((SECRET_LENGTH - SELECTOR_LENGTH) * 4 >= 96) };
    }

    #[test]
    fn debug_does_not_show_the_path() {
        let path = SecretPath::new(format!("/{SECRET}")).unwrap();
        assert_eq!(format!("{path:?}"), "<secret path>");
    }
}
