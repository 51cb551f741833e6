//! Links of TamTam: deep links that start a bot with a payload, and links and names of chats and people.

use std::{fmt, str::FromStr};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::{Error, Kind, Result};

/// Where all links begin.
const ORIGIN: &str = "https://tt.me";
/// The host of all links.
const HOST: &str = "tt.me";
/// The payload of a longer deep link is dropped on the way.
const PAYLOAD_CHARACTERS: usize = 128;
/// What URLs leave as it is (RFC 3986, "unreserved").
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A link that opens the dialog with a bot and hands it a payload: `https://tt.me/<bot>/start/<payload>`.
///
/// When the user starts the bot, the payload arrives as [`Update::start_payload`](crate::Update::start_payload). It has from
/// 1 to 128 characters, whatever they are: the URL has them encoded.
///
/// ```
/// # fn main() -> tamtam::Result<()> {
/// use tamtam::DeepLink;
///
/// let link = DeepLink::new("my_bot", "order 7/1")?;
/// assert_eq!(link.to_string(), "https://tt.me/my_bot/start/order%207%2F1");
///
/// let link: DeepLink = "https://tt.me/my_bot/start/order%207%2F1".parse()?;
/// assert_eq!((link.bot(), link.payload()), ("my_bot", "order 7/1"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeepLink {
    bot: String,
    payload: String,
}

impl DeepLink {
    /// A link to the bot of this username, with or without the `@`.
    ///
    /// # Errors
    ///
    /// When the username is none ([`Error::is_link`]), or the payload is empty, longer than 128 characters, or `.` or `..`,
    /// which no URL can carry.
    pub fn new(bot: impl AsRef<str>, payload: impl Into<String>) -> Result<Self> {
        let (bot, payload) = (bot.as_ref(), payload.into());
        let bot = name(bot.strip_prefix('@').unwrap_or(bot))?;
        match payload.as_str() {
            "" => return Err(bad("the payload is empty: a link without one is a `ChatLink` of the bot's name")),
            "." | ".." => return Err(bad(format!("the payload is `{payload}`, which in a URL leads elsewhere"))),
            _ => {}
        }
        match payload.chars().count() {
            0..=PAYLOAD_CHARACTERS => Ok(Self { bot: bot.to_owned(), payload }),
            length => Err(bad(format!(
                "the payload has {length} characters, and beyond {PAYLOAD_CHARACTERS} it is dropped on the way: shorten it"
            ))),
        }
    }

    /// The username of the bot, without the `@`.
    #[must_use]
    pub fn bot(&self) -> &str {
        &self.bot
    }

    /// The payload, as the bot gets it.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }
}

/// The URL.
impl fmt::Display for DeepLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ORIGIN}/{}/start/{}", self.bot, utf8_percent_encode(&self.payload, ENCODED))
    }
}

/// Reads the URL: with `https://`, `http://` or nothing before the host.
impl FromStr for DeepLink {
    type Err = Error;

    fn from_str(link: &str) -> Result<Self> {
        let parts = path(link).and_then(|path| path.split_once("/start/"));
        let (bot, payload) =
            parts.ok_or_else(|| bad(format!("`{link}` is no deep link: expected {ORIGIN}/<bot>/start/<payload>")))?;
        let payload = percent_decode_str(payload).decode_utf8();
        Self::new(bot, payload.map_err(|_| bad(format!("the payload of `{link}` is not UTF-8")))?)
    }
}

/// A link to a chat, or the name of a chat or a person: `https://tt.me/name`, `@name`, `name`, or
/// `https://tt.me/join/<invitation>`, which leads into a private chat.
///
/// [`Bot::chat_by_link`](crate::Bot::chat_by_link) finds the chat of a name.
///
/// ```
/// # fn main() -> tamtam::Result<()> {
/// use tamtam::ChatLink;
///
/// let link: ChatLink = "@all_news".parse()?;
/// assert_eq!(link.name(), Some("all_news"));
/// assert_eq!(link.to_string(), "https://tt.me/all_news");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ChatLink {
    /// `name`, or `join/invitation`.
    path: String,
}

/// What the path of an invitation begins with.
const JOIN: &str = "join/";

impl ChatLink {
    /// The name of the chat, channel or person; `None` of an invitation.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.invitation().is_none().then_some(&self.path)
    }

    /// The secret part of an invitation into a private chat; `None` of a name.
    #[must_use]
    pub fn invitation(&self) -> Option<&str> {
        self.path.strip_prefix(JOIN)
    }
}

/// What comes after the host: the name, or `join/` and the invitation.
impl AsRef<str> for ChatLink {
    fn as_ref(&self) -> &str {
        &self.path
    }
}

/// The URL.
impl fmt::Display for ChatLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ORIGIN}/{}", self.path)
    }
}

/// Reads a URL, with `https://`, `http://` or nothing before the host, or a name, with or without the `@`.
impl FromStr for ChatLink {
    type Err = Error;

    fn from_str(link: &str) -> Result<Self> {
        let path = beyond_the_origin(link);
        match path.strip_prefix(JOIN) {
            Some(invitation) => name(invitation)?,
            None => name(path.strip_prefix('@').unwrap_or(path))?,
        };
        Ok(Self { path: path.strip_prefix('@').unwrap_or(path).to_owned() })
    }
}

/// What comes after the host of a link, or the text itself if it is no link.
pub(crate) fn beyond_the_origin(link: &str) -> &str {
    path(link).unwrap_or(link)
}

/// What comes after the host of a link, without query, fragment and a slash at the end.
fn path(link: &str) -> Option<&str> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| strip_prefix(link, scheme)).unwrap_or(link);
    let path = strip_prefix(rest, HOST)?.strip_prefix('/')?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Some(path.strip_suffix('/').unwrap_or(path))
}

/// As `str::strip_prefix`, in upper or lower case.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// A name as links have it.
fn name(name: &str) -> Result<&str> {
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        return Ok(name);
    }
    Err(bad(format!("`{name}` is no name of TamTam's: expected letters, digits, `_` and `-`")))
}

fn bad(problem: impl Into<String>) -> Error {
    Error::new(Kind::Link(problem.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_link_comes_back_as_it_was() {
        for payload in ["a", "order_7-1.~", "a b", "a/b?c#d&e=f%20+", "Привет, мир!", "🎉", "...", "\n\0", "start/x/"]
        {
            let link = DeepLink::new("@My_bot-1", payload).unwrap();
            let url = link.to_string();
            let path = url.strip_prefix("https://tt.me/My_bot-1/start/").unwrap();
            assert!(path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{url}");
            assert_eq!(url.parse::<DeepLink>().unwrap(), link, "{url}");
            // Nothing on its way makes another link of it.
            assert_eq!(reqwest::Url::parse(&url).unwrap().as_str(), url);
        }
    }

    #[test]
    fn a_payload_has_up_to_128_characters() {
        assert!(DeepLink::new("bot", "ы".repeat(128)).is_ok());
        let error = DeepLink::new("bot", "ы".repeat(129)).unwrap_err();
        assert!(error.is_link());
        assert!(error.to_string().starts_with("the payload has 129 characters, and beyond 128"), "{error}");
        for bad in ["", ".", ".."] {
            assert!(DeepLink::new("bot", bad).unwrap_err().is_link(), "{bad}");
        }
        for bad in ["", "@", "a b", "a/b", "бот"] {
            assert!(DeepLink::new(bad, "x").unwrap_err().is_link(), "{bad}");
        }
    }

    #[test]
    fn deep_links_are_read_however_they_are_written() {
        for written in ["https://tt.me/bot/start/a%20b", "http://TT.me/bot/start/a b", "tt.me/bot/start/a%20b?utm=1#x"]
        {
            let link: DeepLink = written.parse().unwrap();
            assert_eq!((link.bot(), link.payload()), ("bot", "a b"), "{written}");
        }
        for bad in [
            "",
            "https://tt.me/bot",
            "https://tt.me/bot/start",
            "https://tt.me/bot/start/",
            "https://tt.me//start/x",
            "https://tt.me/bot/start/%ff",
            "https://tt.me.evil.example/bot/start/x",
            "https://evil.example/bot/start/x",
            "ftp://tt.me/bot/start/x",
            "ы",
        ] {
            assert!(bad.parse::<DeepLink>().unwrap_err().is_link(), "{bad}");
        }
    }

    #[test]
    fn chats_and_people_are_found_by_link_or_name() {
        for written in ["name", "@name", "https://tt.me/name", "HTTP://tt.me/@name", "tt.me/name/?x=1"] {
            let link: ChatLink = written.parse().unwrap();
            assert_eq!((link.name(), link.invitation()), (Some("name"), None), "{written}");
            assert_eq!((link.to_string().as_str(), link.as_ref()), ("https://tt.me/name", "name"));
        }
        let link: ChatLink = "https://tt.me/join/S3c-r_t".parse().unwrap();
        assert_eq!((link.name(), link.invitation()), (None, Some("S3c-r_t")));
        assert_eq!(link.to_string(), "https://tt.me/join/S3c-r_t");
        for bad in
            ["", "@", "https://tt.me", "https://tt.me/", "a b", "https://tt.me/bot/start/x", "https://x.example/a"]
        {
            assert!(bad.parse::<ChatLink>().unwrap_err().is_link(), "{bad}");
        }
    }
}
