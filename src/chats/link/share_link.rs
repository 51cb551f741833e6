//! Links that share a text.

use std::{fmt, str::FromStr};

use super::template::{self, Template};
use crate::{
    error::{Error, Result},
    service::Service,
};

/// A link that shares a text in a chat that the user chooses: `https://max.ru/:share?text=<text>`. MAX only.
///
/// ```
/// # fn main() -> tamtam::Result<()> {
/// use tamtam::link::ShareLink;
///
/// let link = ShareLink::new("Look: https://example.org");
/// let url = "https://max.ru/:share?text=Look%3A%20https%3A%2F%2Fexample.org";
/// assert_eq!(link.to_string(), url);
///
/// let link: ShareLink = "https://max.ru/:share?text=Hello%21".parse()?;
/// assert_eq!(link.text(), "Hello!");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShareLink {
    template: Template,
    text: String,
}

impl ShareLink {
    /// Creates a MAX link that shares `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let template = Template::share(&Service::Max).expect("MAX has links that share a text");
        Self { template, text: text.into() }
    }

    /// Returns the text to share, without percent-encoding.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Writes the URL.
impl fmt::Display for ShareLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.template.write(&[&self.text]))
    }
}

/// Parses a URL. The URL begins with `https://`, `http://` or the host. Other parameters of the query are ignored.
impl FromStr for ShareLink {
    type Err = Error;

    fn from_str(link: &str) -> Result<Self> {
        let (template, [text]) = template::read::<1>(link, "a link that shares a text", Template::share)?;
        Ok(Self { template, text: template::decode(&text)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_share_link_is_parsed_back_from_its_url() {
        for text in ["", "a", "a b+c", "a/b?c#d&e=f%20", "Привет,\nмир!", "🎉", "https://x.example/?a=b&c"] {
            let link = ShareLink::new(text);
            let url = link.to_string();
            let rest = url.strip_prefix("https://max.ru/:share?text=").unwrap();
            assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{url}");
            assert_eq!(url.parse::<ShareLink>().unwrap(), link, "{url}");
            // No client changes the link when it parses the URL.
            assert_eq!(reqwest::Url::parse(&url).unwrap().as_str(), url);
        }
    }

    #[test]
    fn share_links_are_parsed_in_every_spelling() {
        for written in ["http://MAX.ru/:share/?text=a b", "max.ru/:share?utm=1&text=a+b#x"] {
            assert_eq!(written.parse::<ShareLink>().unwrap().text(), "a b", "{written}");
        }
        for bad in ["", "https://max.ru/:share", "https://max.ru/share?text=a", "https://tt.me/:share?text=a"] {
            assert_eq!(bad.parse::<ShareLink>().unwrap_err().kind(), ErrorKind::Link, "{bad}");
        }
    }
}
