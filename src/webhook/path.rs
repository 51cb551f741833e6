//! The secret path of a webhook: what it must be, and who knows it.

use std::fmt;

use subtle::ConstantTimeEq as _;

use crate::error::{Error, Result};

/// The fewest characters of the last segment, which is the secret. In hexadecimal digits they are 128 bits.
const SECRET_LENGTH: usize = 32;
/// How much of the secret chooses the route, in characters. At random, two webhooks have them in common once in billions.
const SELECTOR_LENGTH: usize = 8;
/// What axum calls the rest of the secret. It shows in one place, the panic of a merge that cannot be.
const REST: &str = "{rest_of_the_secret_path_of_a_webhook}";

/// A path that only the service is given.
///
/// Without a secret header, the path is the only proof that a delivery is genuine. It must not be found out step by step. The
/// lookup of a router takes a time that depends on the path. So the router gets the beginning of the secret only, which
/// selects the webhook. The rest is long enough to be a secret of its own. It is compared here, in constant time.
#[derive(Clone)]
pub(super) struct SecretPath(String);

impl SecretPath {
    /// Takes a path if it is one that can be kept secret.
    pub(super) fn new(path: String) -> Result<Self> {
        match problem(&path) {
            None => Ok(Self(path)),
            // The path itself does not belong into an error.
            Some(problem) => Err(Error::build(format!(
                "the webhook's path {problem}: make one of a slash and what `openssl rand -hex 32` prints, and keep it \
                 as you keep the token"
            ))),
        }
    }

    /// The route that leads to the webhook, and to hardly anything else.
    pub(super) fn route(&self) -> String {
        let secret = self.0.rfind('/').map_or(0, |slash| slash + 1);
        format!("{}{REST}", &self.0[..secret + SELECTOR_LENGTH])
    }

    /// Returns the path, for the service only.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether this is the path, in a time that depends on nothing but its length.
    pub(super) fn is(&self, path: &str) -> bool {
        self.0.as_bytes().ct_eq(path.as_bytes()).into()
    }
}

/// What is wrong with a path.
fn problem(path: &str) -> Option<String> {
    let Some(segments) = path.strip_prefix('/') else { return Some("does not begin with a slash".to_owned()) };
    // What else a path may have, clients and proxies write in more than one way.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    if !segments.split('/').all(|segment| segment.chars().all(is_plain)) {
        return Some("has more than letters, digits, `-`, `.`, `_` and `~` between its slashes".to_owned());
    }
    let (public, secret) =
        segments.rsplit_once('/').map_or((None, segments), |(public, secret)| (Some(public), secret));
    if secret.len() < SECRET_LENGTH {
        let length = secret.len();
        return Some(format!("can be guessed, its last segment having {length} characters and not {SECRET_LENGTH}"));
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
    fn a_path_that_can_be_guessed_or_misread_is_refused_with_what_to_do() {
        let cases = [
            ("", "does not begin with a slash"),
            ("hook", "does not begin with a slash"),
            ("/", "can be guessed, its last segment having 0 characters and not 32"),
            ("/webhook", "can be guessed, its last segment having 7 characters and not 32"),
            (&format!("/{SECRET}/"), "can be guessed, its last segment having 0 characters and not 32"),
            (&format!("/{SECRET}/hook"), "can be guessed, its last segment having 4 characters and not 32"),
            (&format!("/{}", &SECRET[1..]), "can be guessed, its last segment having 31 characters and not 32"),
            (&format!("//{SECRET}"), "has a segment that is empty, `.` or `..`"),
            (&format!("/a//{SECRET}"), "has a segment that is empty, `.` or `..`"),
            (&format!("/a/../{SECRET}"), "has a segment that is empty, `.` or `..`"),
        ];
        for (path, problem) in cases {
            let error = SecretPath::new(path.to_owned()).unwrap_err();
            let expected = format!(
                "the webhook's path {problem}: make one of a slash and what `openssl rand -hex 32` prints, and keep it \
                 as you keep the token"
            );
            assert_eq!(error.to_string(), expected);
            assert_eq!(error.kind(), ErrorKind::Build);
        }
        for odd in ["%", "?", "#", "{", "}", "*", ":", ";", "\\", " ", "\n", "é", "@", "&", "=", "+"] {
            let error = SecretPath::new(format!("/{SECRET}{odd}")).unwrap_err().to_string();
            assert!(error.contains("has more than letters, digits, `-`, `.`, `_` and `~`"), "{odd}: {error}");
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
    fn the_path_is_this_one_and_no_other() {
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
    fn the_route_knows_the_beginning_of_the_secret_only() {
        let route = |path: &str| SecretPath::new(path.to_owned()).unwrap().route();
        assert_eq!(route(&format!("/a/b/{SECRET}")), format!("/a/b/01234567{REST}"));
        assert_eq!(route(&format!("/{SECRET}")), format!("/01234567{REST}"));
        // Without the beginning there are still 96 bits to guess, if they are in hexadecimal digits.
        const { assert!((SECRET_LENGTH - SELECTOR_LENGTH) * 4 >= 96) };
    }

    #[test]
    fn the_path_shows_nowhere() {
        let path = SecretPath::new(format!("/{SECRET}")).unwrap();
        assert_eq!(format!("{path:?}"), "<secret path>");
    }
}
