//! What is checked before a request is sent: only what can never be right, whatever the server's limits are today.

use std::collections::BTreeMap;

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

    const fn index(&'a self, index: usize) -> Self {
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
    // URLs take `%2e` for a dot, and drop tabs and line ends before they look.
    let leads_up = |segment: &str| {
        matches!(segment.replace(['\t', '\n', '\r'], "").to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
    };
    if path.starts_with('/') && !path.contains(['?', '#', '\\']) && !path.split('/').any(leads_up) {
        return Ok(());
    }
    Err(Invalid::new(
        &Place::root("path"),
        format!("is `{path}`, expected one that begins with a slash and leads down only; the query is set by `query`"),
    ))
}

/// An absolute `http` or `https` URL.
pub(crate) fn http_url(url: &str, at: &Place<'_>) -> Result<(), Invalid> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    // The URL of a webhook is a secret, whatever is wrong with it: of a scheme that is none, nothing is shown.
    let problem = match scheme {
        Some(scheme) if ["http", "https"].iter().any(|good| scheme.eq_ignore_ascii_case(good)) => return Ok(()),
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
        for good in ["/", "/me", "/a..b/...", "/%2e%2e%2e", "/имя/a b"] {
            assert!(path(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_webhook_url_is_http_or_https() {
        let at = Place::root("url");
        assert!(http_url("https://bot.example/x", &at).is_ok());
        assert!(http_url("HTTP://bot.example:8080", &at).is_ok());
        for bad in ["bot.example", "ftp://bot.example", "//bot.example", ""] {
            assert!(http_url(bad, &at).is_err(), "{bad}");
        }
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
