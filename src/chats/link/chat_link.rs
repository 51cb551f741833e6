//! Links and names of chats and people.

use std::{fmt, str::FromStr};

use super::template::{self, name, username};
use crate::{
    error::{Error, Result},
    service::Service,
};

/// The prefix of the path of an invitation.
const JOIN: &str = "join/";

/// A link to a group, a channel or a user. The link contains either a name (for a user, the username), or an invitation
/// to a private group or channel.
///
/// A `ChatLink` is parsed from one of these forms:
///
/// | form | TamTam | MAX |
/// |---|---|---|
/// | URL with a name | `https://tt.me/<name>` | `https://max.ru/<name>` |
/// | URL with an invitation | `https://tt.me/join/<invitation>` | `https://max.ru/join/<invitation>` |
/// | name without a URL | `@<name>` or `<name>` | (not supported) |
///
/// A name without a URL becomes a link of TamTam. To convert this link to a link of MAX, call [`on`](Self::on).
///
/// If the link contains a name, [`Bot::chat_by_link`](crate::Bot::chat_by_link) (TamTam only) returns the group, the
/// channel, or the dialog with the user.
///
/// ```
/// # fn main() -> tamtam::Result<()> {
/// use tamtam::{Service, link::ChatLink};
///
/// let link: ChatLink = "@all_news".parse()?;
/// assert_eq!(link.name(), Some("all_news"));
/// assert_eq!(link.to_string(), "https://tt.me/all_news");
/// assert_eq!(link.on(&Service::Max).to_string(), "https://max.ru/all_news");
///
/// let link: ChatLink = "https://max.ru/join/S3cret".parse()?;
/// assert_eq!(link.invitation(), Some("S3cret"));
/// assert_eq!(link.to_string(), "https://max.ru/join/S3cret");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChatLink {
    /// The beginning of the link, such as `https://tt.me`.
    origin: &'static str,
    /// `name`, or `join/invitation`.
    path: String,
}

impl ChatLink {
    /// Converts the link to a link of `service`, with the same name or invitation.
    #[must_use]
    pub fn on(mut self, service: &Service) -> Self {
        self.origin = service.links.origin;
        self
    }

    /// Returns whether the link is a link of `service`.
    #[must_use]
    pub fn is_on(&self, service: &Service) -> bool {
        self.origin == service.links.origin
    }

    /// Returns the name of the group or channel, or the username of the user, without the `@`. `None` if the link
    /// contains an invitation.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.invitation().is_none().then_some(&self.path)
    }

    /// Returns the invitation, which is the secret part of the URL after `join/`. `None` if the link contains a name.
    #[must_use]
    pub fn invitation(&self) -> Option<&str> {
        self.path.strip_prefix(JOIN)
    }
}

/// Returns the part of the URL after the host: the name, or `join/` and the invitation.
impl AsRef<str> for ChatLink {
    fn as_ref(&self) -> &str {
        &self.path
    }
}

/// Writes the URL.
impl fmt::Display for ChatLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.origin, self.path)
    }
}

/// Parses a name (with or without the `@`) or a URL of TamTam or MAX. The URL begins with `https://`, `http://` or the
/// host.
impl FromStr for ChatLink {
    type Err = Error;

    fn from_str(link: &str) -> Result<Self> {
        let (origin, path) = origin_and_path(link).unwrap_or((Service::TamTam.links.origin, link));
        let path = match path.strip_prefix(JOIN) {
            Some(invitation) => name(invitation).map(|_| path)?,
            None => username(path)?,
        };
        Ok(Self { origin, path: path.to_owned() })
    }
}

/// Returns the part of a link after the host, or the whole text if it is not a link of a service.
pub(crate) fn beyond_the_origin(link: &str) -> &str {
    origin_and_path(link).map_or(link, |(_, path)| path)
}

/// Returns the origin of the service of a link, and the part after the host.
fn origin_and_path(link: &str) -> Option<(&'static str, &str)> {
    Service::ALL.iter().find_map(|service| Some((service.links.origin, template::path(service.links.origin, link)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn links_and_names_of_chats_and_people_are_parsed() {
        for written in ["name", "@name", "https://tt.me/name", "HTTP://tt.me/@name", "tt.me/name/?x=1"] {
            let link: ChatLink = written.parse().unwrap();
            assert_eq!((link.name(), link.invitation()), (Some("name"), None), "{written}");
            assert_eq!((link.to_string().as_str(), link.as_ref()), ("https://tt.me/name", "name"));
            assert!(link.is_on(&Service::TamTam) && !link.is_on(&Service::Max), "{written}");
        }
        for written in ["https://max.ru/name", "HTTP://MAX.ru/@name", "max.ru/name/?start=1#x"] {
            let link: ChatLink = written.parse().unwrap();
            assert_eq!((link.name(), link.invitation()), (Some("name"), None), "{written}");
            assert_eq!((link.to_string().as_str(), link.as_ref()), ("https://max.ru/name", "name"));
            assert!(link.is_on(&Service::Max) && !link.is_on(&Service::TamTam), "{written}");
            assert_eq!(link.on(&Service::TamTam), "name".parse().unwrap());
        }
        for bad in [
            "",
            "@",
            "https://tt.me",
            "https://tt.me/",
            "https://max.ru/",
            "a b",
            "https://tt.me/bot/start/x",
            "https://max.ru/:share?text=a",
            "https://x.example/a",
        ] {
            assert_eq!(bad.parse::<ChatLink>().unwrap_err().kind(), ErrorKind::Link, "{bad}");
        }
    }

    #[test]
    fn an_invitation_is_written_as_it_was_read() {
        for url in ["https://tt.me/join/S3c-r_t", "https://max.ru/join/S3c-r_t"] {
            let link: ChatLink = url.parse().unwrap();
            assert_eq!((link.name(), link.invitation()), (None, Some("S3c-r_t")));
            assert_eq!(link.to_string(), url);
        }
        for bad in ["https://tt.me/join//", "https://max.ru/join/a/b", "https://max.ru/@join/a"] {
            assert_eq!(bad.parse::<ChatLink>().unwrap_err().kind(), ErrorKind::Link, "{bad}");
        }
    }

    #[test]
    fn the_path_of_a_link_is_the_part_after_the_host_of_a_service() {
        for (link, path) in [
            ("https://tt.me/name", "name"),
            ("max.ru/@name/?x=1", "@name"),
            ("https://x.example/name", "https://x.example/name"),
            ("name", "name"),
        ] {
            assert_eq!(beyond_the_origin(link), path);
        }
    }
}
