//! Checks of requests before they are sent. Only values that every server rejects fail.

use std::collections::BTreeMap;

use reqwest::Url;

/// The error of an invalid request, which was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub(crate) struct Invalid {
    field: String,
    problem: String,
}

impl Invalid {
    pub(crate) fn new(at: &Place<'_>, problem: impl Into<String>) -> Self {
        Self { field: at.to_string(), problem: problem.into() }
    }
}

/// The path of a value in a request, for messages: `body.attachments[0].payload`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    pub(crate) const fn root(name: &'a str) -> Self {
        Self { parent: None, step: Step::Field(name) }
    }

    pub(crate) const fn field(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Field(name) }
    }

    pub(crate) const fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match (self.step, self.parent) {
            (Step::Field(name), None) => f.write_str(name),
            (Step::Field(name), Some(_)) => write!(f, ".{name}"),
            (Step::Index(index), _) => write!(f, "[{index}]"),
        }
    }
}

/// A type that may be part of a request. Implemented by the generator.
pub(crate) trait Check {
    /// Fails with the first invalid value.
    fn check(&self, at: &Place<'_>) -> Result<(), Invalid>;
}

impl<T: Check> Check for Option<T> {
    fn check(&self, at: &Place<'_>) -> Result<(), Invalid> {
        self.as_ref().map_or(Ok(()), |value| value.check(at))
    }
}

impl<T: Check> Check for Box<T> {
    fn check(&self, at: &Place<'_>) -> Result<(), Invalid> {
        (**self).check(at)
    }
}

impl<T: Check> Check for Vec<T> {
    fn check(&self, at: &Place<'_>) -> Result<(), Invalid> {
        self.iter().enumerate().try_for_each(|(index, value)| value.check(&at.index(index)))
    }
}

impl<T: Check> Check for BTreeMap<String, T> {
    fn check(&self, at: &Place<'_>) -> Result<(), Invalid> {
        self.iter().try_for_each(|(key, value)| value.check(&at.field(key)))
    }
}

/// Fails if a text is longer than `limit`, in Unicode code points. A server may count more, but never fewer.
pub(crate) fn max_length(text: &str, limit: usize, at: &Place<'_>) -> Result<(), Invalid> {
    // A code point has at least one byte, so a short text need not be counted.
    if text.len() <= limit {
        return Ok(());
    }
    match text.chars().count() {
        length if length <= limit => Ok(()),
        length => {
            Err(Invalid::new(at, format!("has {length} characters, the limit is {limit}: shorten it, or split it")))
        }
    }
}

/// Fails if a text is shorter than `limit`, in Unicode code points.
pub(crate) fn min_length(text: &str, limit: usize, at: &Place<'_>) -> Result<(), Invalid> {
    match text.chars().take(limit).count() {
        length if length >= limit => Ok(()),
        0 => Err(Invalid::new(at, "is empty: set a text")),
        length => Err(Invalid::new(at, format!("has {length} characters, expected at least {limit}"))),
    }
}

/// Fails if a list has fewer than `min` or more than `max` items.
pub(crate) fn items(count: usize, min: Option<usize>, max: Option<usize>, at: &Place<'_>) -> Result<(), Invalid> {
    match (min, max) {
        (Some(min), _) if count < min => {
            Err(Invalid::new(at, format!("has {count} items, expected at least {min}: add some, or omit it")))
        }
        (_, Some(max)) if count > max => {
            Err(Invalid::new(at, format!("has {count} items, the limit is {max}: remove some")))
        }
        _ => Ok(()),
    }
}

/// Fails if a number is less than `min` or greater than `max`.
pub(crate) fn range(value: i64, min: Option<i64>, max: Option<i64>, at: &Place<'_>) -> Result<(), Invalid> {
    if min.is_none_or(|min| min <= value) && max.is_none_or(|max| value <= max) {
        return Ok(());
    }
    let expected = match (min, max) {
        (Some(min), Some(max)) => format!("from {min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, max) => format!("at most {}", max.unwrap_or(i64::MAX)),
    };
    Err(Invalid::new(at, format!("is {value}, expected {expected}")))
}

/// Rejects an empty id.
pub(crate) fn id(id: impl AsRef<str>, at: &Place<'_>) -> Result<(), Invalid> {
    if id.as_ref().is_empty() { Err(Invalid::new(at, "is empty: use the id that the API returned")) } else { Ok(()) }
}

/// Rejects a path segment that is empty, or that would change the rest of the path.
pub(crate) fn path_segment(segment: impl AsRef<str>, at: &Place<'_>) -> Result<(), Invalid> {
    match segment.as_ref() {
        "" => Err(Invalid::new(at, "is empty: a value is required")),
        dots @ ("." | "..") => Err(Invalid::new(at, format!("is `{dots}`, which would change the path of the URL"))),
        // In http and https URLs, a backslash is a slash.
        segment if segment.contains('\\') => {
            Err(Invalid::new(at, "has a backslash, which would change the path of the URL"))
        }
        _ => Ok(()),
    }
}

/// Rejects a path that is not below the base URL.
pub(crate) fn path(path: &str) -> Result<(), Invalid> {
    let place = Place::root("path");
    // A URL parser removes tabs and line ends, so a different path would be requested.
    if path.contains(char::is_control) {
        return Err(Invalid::new(&place, format!("is `{path}`, which has a control character: remove it")));
    }
    // In URLs, `%2e` is a dot.
    let leads_up = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if path.starts_with('/') && !path.contains(['?', '#', '\\']) && !path.split('/').any(leads_up) {
        return Ok(());
    }
    Err(Invalid::new(
        &place,
        format!("is `{path}`, expected a leading slash and no `..`, `?`, `#` or backslash; set the query with `query`"),
    ))
}

/// Rejects a URL that is not absolute. Any scheme is allowed.
pub(crate) fn url(url: &str, at: &Place<'_>) -> Result<(), Invalid> {
    // The URL may be a secret: the message does not show it.
    match Url::parse(url) {
        Ok(_) => Ok(()),
        Err(error) => Err(Invalid::new(
            at,
            format!("is not an absolute URL ({error}): begin it with a scheme, for example https://"),
        )),
    }
}

/// Rejects a URL that is not an absolute `http` or `https` URL.
pub(crate) fn http_url(text: &str, at: &Place<'_>) -> Result<(), Invalid> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    // The URL of a webhook is secret. Only a valid scheme is shown.
    let problem = match scheme {
        Some(scheme) if ["http", "https"].iter().any(|good| scheme.eq_ignore_ascii_case(good)) => return url(text, at),
        Some(scheme) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => format!("has the scheme `{scheme}`"),
        _ => "has no scheme".to_owned(),
    };
    Err(Invalid::new(at, format!("{problem}, expected https:// or http://")))
}

/// Fails unless exactly one of these optional parameters is set.
pub(crate) fn exactly_one(parameters: &[(&str, bool)]) -> Result<(), Invalid> {
    let names: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    match parameters.iter().filter(|(_, given)| *given).count() {
        1 => Ok(()),
        0 => Err(Invalid { field: names, problem: "are all missing: set exactly one".to_owned() }),
        count => Err(Invalid { field: names, problem: format!("are exclusive, but {count} are set: set exactly one") }),
    }
}

/// Fails unless at least one of these optional fields is set.
pub(crate) fn at_least_one(fields: &[(&str, bool)], at: &Place<'_>) -> Result<(), Invalid> {
    if fields.iter().any(|(_, given)| *given) {
        return Ok(());
    }
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    Err(Invalid::new(at, format!("has none of {}: set at least one of them", names.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_text_in_code_points_and_names_field_limit_and_length() {
        let at = Place::root("body");
        let at = at.field("messages");
        let at = at.index(2);
        let at = at.field("text");
        assert_eq!(max_length(&"ы".repeat(4000), 4000, &at), Ok(()));
        assert_eq!(max_length(&"😀".repeat(4000), 4000, &at), Ok(()));
        let error = max_length(&"ы".repeat(4001), 4000, &at).unwrap_err().to_string();
        assert!(error.starts_with("body.messages[2].text has 4001 characters, the limit is 4000"), "{error}");
    }

    #[test]
    fn rejects_a_path_segment_that_changes_the_path() {
        let at = Place::root("messageId");
        for bad in ["", ".", "..", "..\\me", "a\\b"] {
            assert!(path_segment(bad, &at).is_err(), "{bad}");
        }
        for good in ["mid.0a", "@name", "...", "a/b", "имя"] {
            assert!(path_segment(good, &at).is_ok(), "{good}");
        }
    }

    #[test]
    fn rejects_a_path_outside_the_base_url() {
        for bad in
            ["", "me", "/a/../b", "/a/.", "/%2e%2E/a", "/.%2e", "/.\t./a", "/a\\b", "/a?b=c", "/a#b", "http://a/b"]
        {
            assert!(path(bad).is_err(), "{bad}");
        }
        for bad in ["/\0", "/me\n", "/\tme", "/a\u{7f}", "/a\u{85}b"] {
            let problem = path(bad).unwrap_err().to_string();
            assert_eq!(problem, format!("path is `{bad}`, which has a control character: remove it"));
        }
        for good in ["/", "/me", "/a..b/...", "/%2e%2e%2e", "/имя/a b"] {
            assert!(path(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_webhook_url_is_http_or_https() {
        let at = Place::root("url");
        assert!(http_url("https://bot.example/x", &at).is_ok());
        assert!(http_url("HTTP://bot.example:8080", &at).is_ok());
        for bad in ["bot.example", "ftp://bot.example", "//bot.example", "", "https://", "https://bot.example:port"] {
            assert!(http_url(bad, &at).is_err(), "{bad}");
        }
    }

    #[test]
    fn accepts_absolute_urls_of_any_scheme() {
        let at = Place::root("url");
        for good in ["https://example.org/a b", "tel:+15550100", "mailto:a@example.org", "tamtam://chat/1", "HTTP://a"]
        {
            assert_eq!(url(good, &at), Ok(()), "{good}");
        }
        for bad in ["", "not a url", "example.org", "//example.org", "/path", "https://", "://a", "1a:b"] {
            let problem = url(bad, &at).unwrap_err().to_string();
            assert!(problem.starts_with("url is not an absolute URL (") && problem.contains("https://"), "{problem}");
        }
    }

    #[test]
    fn rejects_a_number_outside_its_range() {
        let at = Place::root("limit");
        for good in [1, 5, 1000] {
            assert_eq!(range(good, Some(1), Some(1000), &at), Ok(()));
        }
        let problem = |value, min, max| range(value, min, max, &at).unwrap_err().to_string();
        assert_eq!(problem(0, Some(1), Some(1000)), "limit is 0, expected from 1 to 1000");
        assert_eq!(problem(1001, Some(1), Some(1000)), "limit is 1001, expected from 1 to 1000");
        assert_eq!(problem(-1, Some(0), None), "limit is -1, expected at least 0");
        assert_eq!(problem(3, None, Some(2)), "limit is 3, expected at most 2");
        assert_eq!(range(i64::MIN, None, None, &at), Ok(()));
    }

    #[test]
    fn rejects_a_list_with_too_few_or_too_many_items() {
        let at = Place::root("commands");
        for good in [1, 32] {
            assert_eq!(items(good, Some(1), Some(32), &at), Ok(()));
        }
        let problem = |count, min, max| items(count, min, max, &at).unwrap_err().to_string();
        assert_eq!(problem(33, None, Some(32)), "commands has 33 items, the limit is 32: remove some");
        assert_eq!(problem(0, Some(1), None), "commands has 0 items, expected at least 1: add some, or omit it");
    }

    #[test]
    fn rejects_a_text_that_is_too_short() {
        let at = Place::root("text");
        assert_eq!(min_length("", 1, &at).unwrap_err().to_string(), "text is empty: set a text");
        assert_eq!(min_length("ы", 2, &at).unwrap_err().to_string(), "text has 1 characters, expected at least 2");
        assert_eq!(min_length("😀", 1, &at), Ok(()));
    }

    #[test]
    fn requires_at_least_one_of_the_fields() {
        let at = Place::root("body");
        assert_eq!(at_least_one(&[("message", false), ("notification", true)], &at), Ok(()));
        let none = at_least_one(&[("message", false), ("notification", false)], &at).unwrap_err();
        assert_eq!(none.to_string(), "body has none of message, notification: set at least one of them");
    }

    #[test]
    fn requires_exactly_one_of_the_parameters() {
        assert!(exactly_one(&[("user_id", true), ("chat_id", false)]).is_ok());
        let none = exactly_one(&[("user_id", false), ("chat_id", false)]).unwrap_err();
        assert_eq!(none.to_string(), "user_id, chat_id are all missing: set exactly one");
        let two = exactly_one(&[("user_id", true), ("chat_id", true)]).unwrap_err();
        assert_eq!(two.to_string(), "user_id, chat_id are exclusive, but 2 are set: set exactly one");
    }
}
