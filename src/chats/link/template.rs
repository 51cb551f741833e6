//! Templates that write and read the links of a service.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{
    error::{Error, Reason, Result},
    service::Service,
};

/// All characters except the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The form of one kind of link on one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Template {
    /// The beginning of the links, such as `https://max.ru`.
    origin: &'static str,
    /// The rest, such as `/{bot}?start={payload}`.
    rest: &'static str,
}

impl Template {
    /// Links that start a bot.
    pub(super) fn start(service: &Service) -> Self {
        Self { origin: service.links.origin, rest: service.links.start }
    }

    /// Links that open a Mini App. `None` if the service has no Mini Apps.
    pub(super) fn app(service: &Service) -> Option<Self> {
        Some(Self { origin: service.links.origin, rest: service.links.app? })
    }

    /// Links that share a text. `None` if the service has no such links.
    pub(super) fn share(service: &Service) -> Option<Self> {
        Some(Self { origin: service.links.origin, rest: service.links.share? })
    }

    /// Writes a link. The values are in the order of the placeholders.
    pub(super) fn write(&self, values: &[&str]) -> String {
        let mut values = values.iter();
        let mut link = self.origin.to_owned();
        for (index, piece) in self.rest.split(['{', '}']).enumerate() {
            // Every second piece is the name of a placeholder.
            match index % 2 {
                0 => link.push_str(piece),
                _ => link.extend(values.next().map(|value| utf8_percent_encode(value, ENCODED).to_string())),
            }
        }
        link
    }

    /// Returns the values of a link in the order of the placeholders, percent-encoded. `None` if the link does not fit
    /// the template. Other keys of the query and the fragment are ignored.
    fn values<const N: usize>(&self, link: &str) -> Option<[String; N]> {
        let (path, query) = path_and_query(self.origin, link)?;
        let (path_template, pair_template) = match self.rest.split_once('?') {
            Some((path, pair)) => (path, Some(pair)),
            None => (self.rest, None),
        };
        let mut values = fit(path_template.strip_prefix('/')?, path)?;
        if let Some((key, _)) = pair_template.and_then(|pair| pair.split_once('=')) {
            values.push(value_of(key, query)?);
        }
        values.try_into().ok()
    }
}

/// The template as an error message shows it: `https://max.ru/<bot>?start=<payload>`.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.rest.replace('{', "<").replace('}', ">"))
    }
}

/// Reads a link of any service. `what` names the kind of link with its article, and `template` chooses it. The values
/// are percent-encoded: see [`decode`].
pub(super) fn read<const N: usize>(
    link: &str,
    what: &str,
    template: impl Fn(&Service) -> Option<Template>,
) -> Result<(Template, [String; N])> {
    let templates: Vec<Template> = Service::ALL.iter().filter_map(template).collect();
    let found = templates.iter().find_map(|template| Some((*template, template.values(link)?)));
    found.ok_or_else(|| {
        let expected: Vec<String> = templates.iter().map(Template::to_string).collect();
        bad(format!("`{link}` is not {what}: expected {}", expected.join(" or ")))
    })
}

/// Decodes a percent-encoded value of a link.
pub(super) fn decode(value: &str) -> Result<String> {
    let decoded = percent_decode_str(value).decode_utf8();
    decoded.map(String::from).map_err(|_| bad(format!("`{value}` in a link does not decode to UTF-8")))
}

/// Returns the path of a link, without query, fragment and a slash at the end. `None` if the link has another origin.
pub(super) fn path<'a>(origin: &str, link: &'a str) -> Option<&'a str> {
    path_and_query(origin, link).map(|(path, _)| path)
}

/// Returns a name if links can have it unencoded, or an error.
pub(super) fn name(name: &str) -> Result<&str> {
    if !name.is_empty() && name.bytes().all(is_of_a_name) {
        return Ok(name);
    }
    Err(bad(format!("`{name}` is not a name: expected ASCII letters, digits, `_` and `-`")))
}

/// Returns a name without the `@` before it.
pub(super) fn username(username: &str) -> Result<&str> {
    name(username.strip_prefix('@').unwrap_or(username))
}

/// Returns whether names and payloads of Mini Apps may have this byte.
pub(super) const fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Returns the error of a link.
pub(super) fn bad(problem: impl Into<String>) -> Error {
    Error::new(Reason::Link(problem.into()))
}

/// Returns the path of a link, without the slashes around it, and the query. `None` if the link has another origin. The
/// scheme of the link may be `http` or missing.
fn path_and_query<'a>(origin: &str, link: &'a str) -> Option<(&'a str, &'a str)> {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let rest = ["https://", "http://"].iter().find_map(|scheme| strip_prefix(link, scheme)).unwrap_or(link);
    let rest = strip_prefix(rest, host)?.strip_prefix('/')?;
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Some((path.strip_suffix('/').unwrap_or(path), query))
}

/// Returns the parts of a text at the placeholders of a template. `None` if the text does not fit the template.
fn fit(template: &str, text: &str) -> Option<Vec<String>> {
    // Every second piece is the name of a placeholder.
    let mut literals = template.split(['{', '}']).step_by(2);
    let mut rest = text.strip_prefix(literals.next()?)?;
    let mut values = Vec::new();
    for literal in literals {
        let at = if literal.is_empty() { rest.len() } else { rest.find(literal)? };
        values.push(rest[..at].to_owned());
        rest = &rest[at + literal.len()..];
    }
    rest.is_empty().then_some(values)
}

/// Returns the value of a key in a query, empty if the key has no `=`. `None` if the query does not have the key.
fn value_of(key: &str, query: &str) -> Option<String> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(name, _)| *name == key)?;
    // Forms write a space as `+`.
    Some(value.replace('+', "%20"))
}

/// As `str::strip_prefix`, but ignores the case of ASCII letters.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_of_any_form_are_written_and_read() {
        for (rest, values, link) in [
            ("/{bot}/start/{payload}", ["a", "b/c d"], "https://x.example/a/start/b%2Fc%20d"),
            ("/{bot}?start={payload}", ["a", "b/c d"], "https://x.example/a?start=b%2Fc%20d"),
            ("/start/{payload}-{bot}", ["a", "b"], "https://x.example/start/a-b"),
        ] {
            let template = Template { origin: "https://x.example", rest };
            assert_eq!(template.write(&values), link);
            let read: [String; 2] = template.values(link).unwrap();
            assert_eq!(read.map(|value| decode(&value).unwrap()), values);
        }
    }

    #[test]
    fn a_link_that_does_not_fit_its_template_is_not_read() {
        let template = Template { origin: "https://x.example", rest: "/:share?text={text}" };
        for link in [
            "",
            "https://x.example",
            "https://x.example/",
            "https://x.example/:share",
            "https://x.example/:share?texts=a",
            "https://x.example/:share/b?text=a",
            "https://x.example/share?text=a",
            "https://x.example/:share#?text=a",
            "https://y.example/:share?text=a",
        ] {
            assert_eq!(template.values::<1>(link), None, "{link}");
        }
        for link in ["https://x.example/:share?a&text=b#c", "X.example/:share/?text=b&text=c"] {
            assert_eq!(template.values::<1>(link), Some(["b".to_owned()]), "{link}");
        }
        assert_eq!(template.to_string(), "https://x.example/:share?text=<text>");
    }
}
