//! What is checked before a request is sent: only what can never be right, whatever the server's limits are today.

use std::collections::BTreeMap;

use reqwest::Url;

/// A request that was not sent, because no server would take it.
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

/// Where in a request a value stands, for messages: `body.attachments[0].payload`.
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

/// A type that may go into a request. The generated code says what of it is checked.
pub(crate) trait Check {
    /// Fails with the first value that can never be right.
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

/// A text of at most so many Unicode code points. Whatever the server counts, it never counts fewer.
pub(crate) fn max_length(text: &str, limit: usize, at: &Place<'_>) -> Result<(), Invalid> {
    // A code point takes at least one byte, so that a text this short need not be counted.
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

/// A text of at least so many Unicode code points.
pub(crate) fn min_length(text: &str, limit: usize, at: &Place<'_>) -> Result<(), Invalid> {
    match text.chars().take(limit).count() {
        length if length >= limit => Ok(()),
        0 => Err(Invalid::new(at, "is empty: give it a text")),
        length => Err(Invalid::new(at, format!("has {length} characters, at least {limit} are needed"))),
    }
}

/// A list of `min` to `max` items.
pub(crate) fn items(count: usize, min: Option<usize>, max: Option<usize>, at: &Place<'_>) -> Result<(), Invalid> {
    match (min, max) {
        (Some(min), _) if count < min => {
            Err(Invalid::new(at, format!("has {count} items, at least {min} are needed: add some, or leave it out")))
        }
        (_, Some(max)) if count > max => {
            Err(Invalid::new(at, format!("has {count} items, the limit is {max}: leave some out")))
        }
        _ => Ok(()),
    }
}

/// A number from `min` to `max`.
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

/// An id that is there at all.
pub(crate) fn id(id: impl AsRef<str>, at: &Place<'_>) -> Result<(), Invalid> {
    if id.as_ref().is_empty() { Err(Invalid::new(at, "is empty: give the id that the API answered")) } else { Ok(()) }
}

/// A string that can stand between two slashes: not empty, and nothing that a URL takes for a way to another resource.
pub(crate) fn path_segment(segment: impl AsRef<str>, at: &Place<'_>) -> Result<(), Invalid> {
    match segment.as_ref() {
        "" => Err(Invalid::new(at, "is empty: it names what the request is about")),
        dots @ ("." | "..") => Err(Invalid::new(at, format!("is `{dots}`, which in a URL leads to another resource"))),
        // URLs of http and https take a backslash for a slash.
        segment if segment.contains('\\') => {
            Err(Invalid::new(at, "has a backslash, which in a URL leads to another resource"))
        }
        _ => Ok(()),
    }
}

/// A path of the API as a user writes it: below the base URL, whatever a URL makes of its segments.
pub(crate) fn path(path: &str) -> Result<(), Invalid> {
    let place = Place::root("path");
    // A URL parser drops tabs and line ends, so a different path would be requested.
    if path.contains(char::is_control) {
        return Err(Invalid::new(&place, format!("is `{path}`, which has a control character: remove it")));
    }
    // URLs take `%2e` for a dot.
    let leads_up = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    if path.starts_with('/') && !path.contains(['?', '#', '\\']) && !path.split('/').any(leads_up) {
        return Ok(());
    }
    Err(Invalid::new(
        &place,
        format!("is `{path}`, expected one that begins with a slash and leads down only; the query is set by `query`"),
    ))
}

/// An absolute URL of any scheme.
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

/// An absolute `http` or `https` URL.
pub(crate) fn http_url(text: &str, at: &Place<'_>) -> Result<(), Invalid> {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme);
    // The URL of a webhook is a secret, whatever is wrong with it: of a scheme that is none, nothing is shown.
    let problem = match scheme {
        Some(scheme) if ["http", "https"].iter().any(|good| scheme.eq_ignore_ascii_case(good)) => return url(text, at),
        Some(scheme) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => format!("begins with {scheme}://"),
        _ => "begins with no scheme".to_owned(),
    };
    Err(Invalid::new(at, format!("{problem}, expected https:// or http://")))
}

/// Of these optional parameters one is given: not none, and not two.
pub(crate) fn exactly_one(parameters: &[(&str, bool)]) -> Result<(), Invalid> {
    let names: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
    let names = names.join(", ");
    match parameters.iter().filter(|(_, given)| *given).count() {
        1 => Ok(()),
        0 => Err(Invalid { field: names, problem: "are all missing: give exactly one of them".to_owned() }),
        count => Err(Invalid { field: names, problem: format!("are given {count} at once: give exactly one of them") }),
    }
}

/// Of these optional fields of a value one is given, or several.
pub(crate) fn at_least_one(fields: &[(&str, bool)], at: &Place<'_>) -> Result<(), Invalid> {
    if fields.iter().any(|(_, given)| *given) {
        return Ok(());
    }
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    Err(Invalid::new(at, format!("has none of {}: give at least one of them", names.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_measured_in_code_points_and_the_message_names_field_limit_and_size() {
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
    fn a_path_segment_leads_nowhere_else() {
        let at = Place::root("messageId");
        for bad in ["", ".", "..", "..\\me", "a\\b"] {
            assert!(path_segment(bad, &at).is_err(), "{bad}");
        }
        for good in ["mid.0a", "@name", "...", "a/b", "имя"] {
            assert!(path_segment(good, &at).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_path_begins_with_a_slash_and_leads_down() {
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
    fn a_link_is_an_absolute_url_of_any_scheme() {
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
    fn a_number_is_within_its_range_and_the_message_names_it() {
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
    fn a_list_has_as_many_items_as_allowed_and_the_message_names_the_limit() {
        let at = Place::root("commands");
        for good in [1, 32] {
            assert_eq!(items(good, Some(1), Some(32), &at), Ok(()));
        }
        let problem = |count, min, max| items(count, min, max, &at).unwrap_err().to_string();
        assert_eq!(problem(33, None, Some(32)), "commands has 33 items, the limit is 32: leave some out");
        assert_eq!(problem(0, Some(1), None), "commands has 0 items, at least 1 are needed: add some, or leave it out");
    }

    #[test]
    fn a_text_that_must_be_there_is_not_empty() {
        let at = Place::root("text");
        assert_eq!(min_length("", 1, &at).unwrap_err().to_string(), "text is empty: give it a text");
        assert_eq!(min_length("ы", 2, &at).unwrap_err().to_string(), "text has 1 characters, at least 2 are needed");
        assert_eq!(min_length("😀", 1, &at), Ok(()));
    }

    #[test]
    fn at_least_one_of_the_fields_is_given() {
        let at = Place::root("body");
        assert_eq!(at_least_one(&[("message", false), ("notification", true)], &at), Ok(()));
        let none = at_least_one(&[("message", false), ("notification", false)], &at).unwrap_err();
        assert_eq!(none.to_string(), "body has none of message, notification: give at least one of them");
    }

    #[test]
    fn exactly_one_of_the_parameters_is_given() {
        assert!(exactly_one(&[("user_id", true), ("chat_id", false)]).is_ok());
        let none = exactly_one(&[("user_id", false), ("chat_id", false)]).unwrap_err();
        assert_eq!(none.to_string(), "user_id, chat_id are all missing: give exactly one of them");
        let two = exactly_one(&[("user_id", true), ("chat_id", true)]).unwrap_err();
        assert_eq!(two.to_string(), "user_id, chat_id are given 2 at once: give exactly one of them");
    }
}
