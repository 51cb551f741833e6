//! Deep links: they start a bot with a payload.

use std::{fmt, str::FromStr};

use super::template::{self, Template, bad};
use crate::{
    client::bot::Bot,
    error::{Error, Result},
    service::Service,
};

/// Maximum length of a payload, in characters. The services drop a longer payload.
const PAYLOAD_CHARACTERS: usize = 128;

/// A link that opens the chat between a user and a bot. When the user starts the bot, the bot receives the payload of
/// the link.
///
/// - TamTam: `https://tt.me/<bot>/start/<payload>`
/// - MAX: `https://max.ru/<bot>?start=<payload>`
///
/// The payload is a text of 1 to 128 characters. The payloads `.` and `..` are not allowed. In the URL, the payload is
/// percent-encoded. To read the payload from an update, call [`Update::start_payload`](crate::Update::start_payload).
///
/// ```
/// # fn main() -> tamtam::Result<()> {
/// use tamtam::{Service, link::DeepLink};
///
/// let link = DeepLink::new("my_bot", "order 7/1")?;
/// assert_eq!(link.to_string(), "https://tt.me/my_bot/start/order%207%2F1");
/// let link = link.on(&Service::Max);
/// assert_eq!(link.to_string(), "https://max.ru/my_bot?start=order%207%2F1");
///
/// let link: DeepLink = "https://max.ru/my_bot?start=order%207%2F1".parse()?;
/// assert_eq!((link.bot(), link.payload()), ("my_bot", "order 7/1"));
/// assert!(link.is_on(&Service::Max));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeepLink {
    template: Template,
    bot: String,
    payload: String,
}

impl DeepLink {
    /// Creates a TamTam link that opens the chat between a user and a bot.
    ///
    /// - `bot`: Username of the bot, with or without the `@`.
    /// - `payload`: Text that the bot receives when the user starts the bot (1-128 characters).
    ///
    /// To convert the link to a link of MAX, call [`on`](Self::on). To create a link for the service of a [`Bot`], call
    /// [`Bot::deep_link`].
    ///
    /// # Errors
    ///
    /// Returns an error of the kind [`ErrorKind::Link`](crate::ErrorKind::Link) in these cases:
    ///
    /// - If `bot`, without the optional `@`, is empty or contains characters other than ASCII letters, digits, `_` and
    ///   `-`.
    /// - If the payload is empty or has more than 128 characters.
    /// - If the payload is `.` or `..`, because URL parsers would remove this payload from the path of a TamTam link.
    pub fn new(bot: impl AsRef<str>, payload: impl Into<String>) -> Result<Self> {
        Self::with(Template::start(&Service::TamTam), bot.as_ref(), payload.into())
    }

    fn with(template: Template, bot: &str, payload: String) -> Result<Self> {
        let bot = template::username(bot)?.to_owned();
        match payload.as_str() {
            "" => return Err(bad("the payload is empty: for a link without a payload, use a `ChatLink`")),
            "." | ".." => {
                return Err(bad(format!(
                    "the payload is `{payload}`, which has a special meaning in a URL: use another payload"
                )));
            }
            _ => {}
        }
        match payload.chars().count() {
            0..=PAYLOAD_CHARACTERS => Ok(Self { template, bot, payload }),
            length => {
                Err(bad(format!("the payload has {length} characters, the limit is {PAYLOAD_CHARACTERS}: shorten it")))
            }
        }
    }

    /// Converts the link to a link of `service`, with the same username and payload.
    #[must_use]
    pub fn on(mut self, service: &Service) -> Self {
        self.template = Template::start(service);
        self
    }

    /// Returns whether the link is a link of `service`.
    #[must_use]
    pub fn is_on(&self, service: &Service) -> bool {
        self.template == Template::start(service)
    }

    /// Returns the username of the bot, without the `@`.
    #[must_use]
    pub fn bot(&self) -> &str {
        &self.bot
    }

    /// Returns the payload without percent-encoding, as the bot receives it.
    #[must_use]
    pub fn payload(&self) -> &str {
        &self.payload
    }
}

/// Writes the URL.
impl fmt::Display for DeepLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.template.write(&[&self.bot, &self.payload]))
    }
}

/// Parses a URL of TamTam or MAX. The URL begins with `https://`, `http://` or the host. Other parameters of the query
/// are ignored.
impl FromStr for DeepLink {
    type Err = Error;

    fn from_str(link: &str) -> Result<Self> {
        let start = |service: &Service| Some(Template::start(service));
        let (template, [bot, payload]) = template::read::<2>(link, "a deep link", start)?;
        Self::with(template, &bot, template::decode(&payload)?)
    }
}

impl Bot {
    /// Creates a link that opens the chat between a user and a bot. The link is for the service of this `Bot`. See
    /// [`DeepLink`].
    ///
    /// - `username`: Username of the bot in the link, with or without the `@`.
    /// - `payload`: Text that the bot receives when the user starts the bot (1-128 characters).
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// use tamtam::Bot;
    ///
    /// let bot = Bot::max("token")?;
    /// let link = bot.deep_link("my_bot", "order-7")?;
    /// assert_eq!(link.to_string(), "https://max.ru/my_bot?start=order-7");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`DeepLink::new`].
    pub fn deep_link(&self, username: impl AsRef<str>, payload: impl Into<String>) -> Result<DeepLink> {
        Ok(DeepLink::new(username, payload)?.on(self.service()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_deep_link_is_parsed_back_from_its_url() {
        for payload in ["a", "order_7-1.~", "a b", "a/b?c#d&e=f%20+", "Привет, мир!", "🎉", "...", "\n\0", "start/x/"]
        {
            for (service, start) in
                [(Service::TamTam, "https://tt.me/My_bot-1/start/"), (Service::Max, "https://max.ru/My_bot-1?start=")]
            {
                let link = DeepLink::new("@My_bot-1", payload).unwrap().on(&service);
                let url = link.to_string();
                let rest = url.strip_prefix(start).unwrap();
                assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)), "{url}");
                assert_eq!(url.parse::<DeepLink>().unwrap(), link, "{url}");
                // No client changes the link when it parses the URL.
                assert_eq!(reqwest::Url::parse(&url).unwrap().as_str(), url);
            }
        }
    }

    #[test]
    fn a_payload_has_up_to_128_characters() {
        assert!(DeepLink::new("bot", "ы".repeat(128)).is_ok());
        let error = DeepLink::new("bot", "ы".repeat(129)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Link);
        assert!(error.to_string().starts_with("the payload has 129 characters, the limit is 128"), "{error}");
        for bad in ["", ".", ".."] {
            assert!(DeepLink::new("bot", bad).unwrap_err().kind() == ErrorKind::Link, "{bad}");
        }
        for bad in ["", "@", "a b", "a/b", "бот"] {
            assert!(DeepLink::new(bad, "x").unwrap_err().kind() == ErrorKind::Link, "{bad}");
        }
    }

    #[test]
    fn deep_links_are_parsed_in_every_spelling() {
        for written in ["https://tt.me/bot/start/a%20b", "http://TT.me/bot/start/a b", "tt.me/bot/start/a%20b?utm=1#x"]
        {
            let link: DeepLink = written.parse().unwrap();
            assert_eq!((link.bot(), link.payload()), ("bot", "a b"), "{written}");
            assert!(link.is_on(&Service::TamTam) && !link.is_on(&Service::Max), "{written}");
        }
        for written in [
            "https://max.ru/bot?start=a%20b",
            "http://MAX.ru/bot/?start=a b",
            "max.ru/@bot?utm=1&start=a+b&start=c#x",
            "https://max.ru/bot?startapp=x&start=a%20b&utm=1",
        ] {
            let link: DeepLink = written.parse().unwrap();
            assert_eq!((link.bot(), link.payload()), ("bot", "a b"), "{written}");
            assert!(link.is_on(&Service::Max) && !link.is_on(&Service::TamTam), "{written}");
        }
    }

    #[test]
    fn other_texts_are_no_deep_links() {
        for bad in [
            "",
            "https://tt.me/bot",
            "https://tt.me/bot/start",
            "https://tt.me/bot/start/",
            "https://tt.me//start/x",
            "https://tt.me/bot/start/%ff",
            "https://tt.me/bot?start=x",
            "https://tt.me.evil.example/bot/start/x",
            "https://evil.example/bot/start/x",
            "ftp://tt.me/bot/start/x",
            "https://max.ru/bot",
            "https://max.ru/bot?start",
            "https://max.ru/bot?start=",
            "https://max.ru/bot?startapp=x",
            "https://max.ru/bot?start=%ff",
            "https://max.ru/?start=x",
            "https://max.ru?start=x",
            "https://max.ru/bot/start/x",
            "https://max.ru.evil.example/bot?start=x",
            "ы",
        ] {
            assert_eq!(bad.parse::<DeepLink>().unwrap_err().kind(), ErrorKind::Link, "{bad}");
        }
        let error = "x".parse::<DeepLink>().unwrap_err().to_string();
        let expected = "expected https://tt.me/<bot>/start/<payload> or https://max.ru/<bot>?start=<payload>";
        assert_eq!(error, format!("`x` is not a deep link: {expected}"));
    }

    #[test]
    fn a_bot_makes_links_of_its_own_service() {
        let link = |bot: Bot| bot.deep_link("@my_bot", "x").unwrap().to_string();
        assert_eq!(link(Bot::new("token").unwrap()), "https://tt.me/my_bot/start/x");
        assert_eq!(link(Bot::max("token").unwrap()), "https://max.ru/my_bot?start=x");
    }
}
