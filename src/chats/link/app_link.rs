//! Links that open Mini Apps.

use std::{fmt, str::FromStr};

use super::template::{self, Template, bad};
use crate::{
    client::bot::Bot,
    error::{Error, Reason, Result},
    service::Service,
};

/// The limit of MAX, in characters.
const PAYLOAD_CHARACTERS: usize = 512;

/// A link that opens the Mini App of a bot: `https://max.ru/<bot>?startapp=<payload>`. MAX only.
///
/// A Mini App is a web page that MAX shows inside the messenger.
///
/// The payload is a text that the Mini App receives as `start_param`. The payload consists of at most 512 ASCII
/// letters, digits, `_` and `-`. If the payload is empty, the link ends with `?startapp`.
///
/// ```
/// # fn main() -> tamtam::Result<()> {
/// use tamtam::link::AppLink;
///
/// let link = AppLink::new("my_bot", "order-7")?;
/// assert_eq!(link.to_string(), "https://max.ru/my_bot?startapp=order-7");
///
/// let link: AppLink = "https://max.ru/my_bot?startapp".parse()?;
/// assert_eq!((link.bot(), link.payload()), ("my_bot", ""));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AppLink {
    template: Template,
    bot: String,
    payload: String,
}

impl AppLink {
    /// Creates a MAX link to the Mini App of a bot.
    ///
    /// - `bot`: Username of the bot, with or without the `@`.
    /// - `payload`: Text that the Mini App receives (0-512 characters).
    ///
    /// # Errors
    ///
    /// Returns an error of the kind [`ErrorKind::Link`](crate::ErrorKind::Link) in these cases:
    ///
    /// - If `bot`, without the optional `@`, is empty or contains characters other than ASCII letters, digits, `_` and
    ///   `-`.
    /// - If the payload has more than 512 characters.
    /// - If the payload contains characters other than ASCII letters, digits, `_` and `-`.
    pub fn new(bot: impl AsRef<str>, payload: impl Into<String>) -> Result<Self> {
        Self::of(&Service::Max, bot.as_ref(), payload.into())
    }

    fn of(service: &Service, bot: &str, payload: String) -> Result<Self> {
        let unsupported = || Error::new(Reason::Unsupported(format!("{} has no Mini Apps", service.name())));
        Self::with(Template::app(service).ok_or_else(unsupported)?, bot, payload)
    }

    fn with(template: Template, bot: &str, payload: String) -> Result<Self> {
        let bot = template::username(bot)?.to_owned();
        if !payload.bytes().all(template::is_of_a_name) {
            return Err(bad(format!("the payload is `{payload}`: use ASCII letters, digits, `_` and `-` only")));
        }
        match payload.len() {
            0..=PAYLOAD_CHARACTERS => Ok(Self { template, bot, payload }),
            length => {
                Err(bad(format!("the payload has {length} characters, the limit is {PAYLOAD_CHARACTERS}: shorten it")))
            }
        }
    }

    /// Returns the username of the bot, without the `@`.
    #[must_use]
    pub fn bot(&self) -> &str {
        &self.bot
    }

    /// Returns the payload, which the Mini App receives as `start_param`. Empty if the link has no payload.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }
}

/// Writes the URL.
impl fmt::Display for AppLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let link = self.template.write(&[&self.bot, &self.payload]);
        // Without a payload, the key of the query has no `=`.
        f.write_str(link.strip_suffix('=').unwrap_or(&link))
    }
}

/// Parses a URL. The URL begins with `https://`, `http://` or the host. Other parameters of the query are ignored.
impl FromStr for AppLink {
    type Err = Error;

    fn from_str(link: &str) -> Result<Self> {
        let (template, [bot, payload]) = template::read::<2>(link, "a link to a Mini App", Template::app)?;
        Self::with(template, &bot, template::decode(&payload)?)
    }
}

impl Bot {
    /// Creates a link that opens the Mini App of a bot. MAX only. A Mini App is a web page inside MAX.
    ///
    /// - `username`: Username of the bot with the Mini App, with or without the `@`.
    /// - `payload`: Text that the Mini App receives, at most 512 characters. Allowed characters are ASCII letters,
    ///   digits, `_` and `-`. The payload can be empty.
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// use tamtam::{Bot, ErrorKind};
    ///
    /// let bot = Bot::max("token")?;
    /// let link = bot.app_link("my_bot", "order-7")?;
    /// assert_eq!(link.to_string(), "https://max.ru/my_bot?startapp=order-7");
    ///
    /// let error = Bot::new("token")?.app_link("my_bot", "order-7").unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Unsupported);
    /// assert_eq!(error.to_string(), "TamTam has no Mini Apps");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// - If [`AppLink::new`] returns an error.
    /// - If the service has no Mini Apps ([`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported)).
    pub fn app_link(&self, username: impl AsRef<str>, payload: impl Into<String>) -> Result<AppLink> {
        AppLink::of(self.service(), username.as_ref(), payload.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_app_link_is_parsed_back_from_its_url() {
        for (payload, url) in
            [("order_7-A", "https://max.ru/My_bot-1?startapp=order_7-A"), ("", "https://max.ru/My_bot-1?startapp")]
        {
            let link = AppLink::new("@My_bot-1", payload).unwrap();
            assert_eq!(link.to_string(), url);
            assert_eq!(url.parse::<AppLink>().unwrap(), link);
            // No client changes the link when it parses the URL.
            assert_eq!(reqwest::Url::parse(url).unwrap().as_str(), url);
        }
    }

    #[test]
    fn the_payload_of_an_app_has_up_to_512_letters_digits_underscores_and_hyphens() {
        assert!(AppLink::new("bot", "a".repeat(512)).is_ok());
        for bad in ["a".repeat(513), "a b".to_owned(), "a.b".to_owned(), "ы".to_owned(), "=".to_owned()] {
            assert!(AppLink::new("bot", bad.as_str()).unwrap_err().kind() == ErrorKind::Link, "{bad}");
        }
        for bad in ["", "@", "a b", "a/b", "бот"] {
            assert!(AppLink::new(bad, "x").unwrap_err().kind() == ErrorKind::Link, "{bad}");
        }
    }

    #[test]
    fn app_links_are_parsed_in_every_spelling() {
        for written in ["http://MAX.ru/bot/?startapp=a-b", "max.ru/@bot?utm=1&startapp=a%2Db&start=c#x"] {
            let link: AppLink = written.parse().unwrap();
            assert_eq!((link.bot(), link.payload()), ("bot", "a-b"), "{written}");
        }
        assert_eq!("https://max.ru/bot?startapp=".parse::<AppLink>().unwrap().payload(), "");
        for bad in [
            "",
            "https://max.ru/bot",
            "https://max.ru/bot?start=x",
            "https://max.ru/bot?startapp=a+b",
            "https://max.ru/bot?startapp=%ff",
            "https://max.ru/?startapp=x",
            "https://tt.me/bot?startapp=x",
        ] {
            assert_eq!(bad.parse::<AppLink>().unwrap_err().kind(), ErrorKind::Link, "{bad}");
        }
    }
}
