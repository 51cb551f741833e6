//! The messenger services: addresses, tokens, certificates, links and limits.

mod pace;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Mutex, PoisonError},
};

pub use pace::Pace;

use crate::validation::{Invalid, Place, max_length};

/// A messenger service with a Bot API. [`BotBuilder::service`](crate::BotBuilder::service) sets the service of a bot.
///
/// A `Service` contains these settings:
///
/// - the base URL of the API
/// - the name of the header or query parameter that contains the token
/// - the root certificate, if the service has its own
/// - the formats of links, such as [deep links](crate::link::DeepLink)
/// - the limits for messages, keyboards and files, and the default rate limits
///
/// [`Service::TamTam`] and [`Service::Max`] are generated from the official OpenAPI documents. For a gateway or your
/// own server, modify a copy of one of these constants with the methods `with_...` and `without_...`.
///
/// ```
/// use tamtam::{Bot, Service};
///
/// # fn main() -> tamtam::Result<()> {
/// let url = "https://bots.example/max";
/// let gateway = Service::Max.with_name("gateway").with_base_url(url);
/// let bot = Bot::builder("token").service(gateway).build()?;
/// assert_eq!(bot.service().name(), "gateway");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Service {
    pub(crate) name: Cow<'static, str>,
    /// The document of the service.
    pub(crate) document: Documents,
    pub(crate) base_url: Cow<'static, str>,
    pub(crate) token_place: TokenPlace,
    /// The place where a bot gets its token, for an error message.
    pub(crate) token_source: &'static str,
    /// The query parameter with the version of the API, and the version of the document.
    pub(crate) version: Option<(&'static str, &'static str)>,
    /// A certificate to trust, in PEM.
    pub(crate) root_certificate: Option<Cow<'static, str>>,
    /// The header in which the service sends the secret of a webhook.
    pub(crate) webhook_secret_header: Option<&'static str>,
    pub(crate) links: Links,
    /// The start of a link that mentions a user, before the id of the user.
    pub(crate) mention: &'static str,
    pub(crate) limits: Limits,
    pub(crate) pace: Pace,
}

/// The place of the token in requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenPlace {
    /// A query parameter.
    Query(Cow<'static, str>),
    /// A header, whose value is the token without a prefix.
    Header(Cow<'static, str>),
}

/// The link formats of a service. `{bot}`, `{payload}` and `{text}` are placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Links {
    /// The start of all links, such as `https://max.ru`.
    pub(crate) origin: &'static str,
    /// The rest of a link that starts a bot.
    pub(crate) start: &'static str,
    /// The rest of a link that opens a Mini App.
    pub(crate) app: Option<&'static str>,
    /// The rest of a link that shares a text.
    pub(crate) share: Option<&'static str>,
}

/// The limits that a service sets for messages, keyboards and files. [`Service::limits`] returns the limits, and
/// [`Service::with_limits`] sets the limits.
///
/// If a request exceeds a limit, the request is not sent, and the call fails
/// ([`InvalidRequest`](crate::ErrorKind::InvalidRequest)). `None` means that the limit is not checked. Requests that
/// [`Bot::request`](crate::Bot::request) creates are not checked.
///
/// ```
/// use tamtam::Service;
///
/// let mut limits = Service::Max.limits().clone();
/// assert_eq!(limits.keyboard_rows, Some(30));
/// limits.keyboard_rows = None;
/// let service = Service::Max.with_limits(limits);
/// # assert_eq!(service.limits().keyboard_rows, None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Maximum length of the text of a message or a comment, in characters (Unicode code points).
    pub text: Option<usize>,
    /// Maximum number of buttons in a keyboard.
    pub keyboard_buttons: Option<usize>,
    /// Maximum number of rows in a keyboard.
    pub keyboard_rows: Option<usize>,
    /// Maximum number of buttons in a row.
    pub row_buttons: Option<usize>,
    /// Maximum number of buttons in a row that contains at least one wide button. A button is wide if its type is in
    /// [`wide_buttons`](Self::wide_buttons).
    pub wide_row_buttons: Option<usize>,
    /// Types of wide buttons, for example `link`. [`Button::tag`](crate::Button::tag) returns the type of a button.
    pub wide_buttons: Cow<'static, [Cow<'static, str>]>,
    /// Maximum size of an image, in bytes.
    pub image_bytes: Option<u64>,
    /// Maximum size of a video, in bytes.
    pub video_bytes: Option<u64>,
    /// Maximum size of an audio file, in bytes.
    pub audio_bytes: Option<u64>,
    /// Maximum size of a file that [`Bot::upload_file`](crate::Bot::upload_file) uploads, in bytes.
    pub file_bytes: Option<u64>,
}

/// A set of documents, as a bit per document in the order of the generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Documents(pub(crate) u8);

impl Documents {
    fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Service {
    /// Returns the name of the service, such as `MAX`. Errors and logs show the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the base URL of the API. [`BotBuilder::base_url`](crate::BotBuilder::base_url) overrides this URL.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the limits for messages, keyboards and files. If a request exceeds a limit, the request is not
    /// sent, and the call fails ([`InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Returns the default rate limits of bots on this service. [`BotBuilder::pace`](crate::BotBuilder::pace) overrides
    /// these limits.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Sets the name of the service.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Cow::Owned(name.into());
        self
    }

    /// Sets the base URL of the API: scheme and host, with an optional port and path.
    #[must_use]
    pub fn with_base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Cow::Owned(url.into());
        self
    }

    /// Sets the request header that contains the token, and replaces the previous header or query parameter. The value
    /// of the header is the token without a prefix such as `Bearer`.
    #[must_use]
    pub fn with_token_header(mut self, name: impl Into<String>) -> Self {
        self.token_place = TokenPlace::Header(Cow::Owned(name.into()));
        self
    }

    /// Sets the query parameter that contains the token, and replaces the previous header or query parameter.
    #[must_use]
    pub fn with_token_parameter(mut self, name: impl Into<String>) -> Self {
        self.token_place = TokenPlace::Query(Cow::Owned(name.into()));
        self
    }

    /// Sets the root certificate of the service, and replaces the previous root certificate. Bots trust this
    /// certificate in addition to the root certificates of the platform (the operating system). If
    /// [`BotBuilder::trust_service`](crate::BotBuilder::trust_service) is `false`, bots do not trust this certificate.
    ///
    /// `pem`: The content of a PEM file.
    #[must_use]
    pub fn with_root_certificate(mut self, pem: impl Into<String>) -> Self {
        self.root_certificate = Some(Cow::Owned(pem.into()));
        self
    }

    /// Removes the root certificate of the service.
    #[must_use]
    pub fn without_root_certificate(mut self) -> Self {
        self.root_certificate = None;
        self
    }

    /// Sets the limits for messages, keyboards and files.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the default rate limits of bots on this service. [`BotBuilder::pace`](crate::BotBuilder::pace) overrides
    /// these limits.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Returns whether the service has one of these documents.
    pub(crate) fn has(&self, documents: Documents) -> bool {
        documents.has(self.document)
    }

    /// Returns the error for an item that the service does not support.
    pub(crate) fn unsupported(&self, what: &str) -> Unsuited {
        Unsuited::Unsupported(format!("{} has no {what}", self.name))
    }

    /// Logs that an optional value was left out. Once per field and process.
    pub(crate) fn left_out(&self, field: &'static str) {
        static LOGGED: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
        if LOGGED.lock().unwrap_or_else(PoisonError::into_inner).insert(field) {
            tracing::warn!(field, service = &*self.name, "unsupported field omitted");
        }
    }

    /// Rewrites links that mention users to the format of this service. Only targets of links in HTML or Markdown are
    /// rewritten.
    pub(crate) fn own_mentions(&self, text: &mut String, others: &[&str]) {
        for other in others.iter().filter(|other| **other != self.mention) {
            for opening in ["href=\"", "href='", "href=", "](", "](<"] {
                let theirs = format!("{opening}{other}");
                if text.contains(&theirs) {
                    *text = text.replace(&theirs, &format!("{opening}{}", self.mention));
                }
            }
        }
    }

    /// Fails if a text is over the limit.
    pub(crate) fn check_text(&self, text: &str, at: &Place<'_>) -> Result<(), Unsuited> {
        match self.limits.text {
            Some(limit) => max_length(text, limit, at).map_err(Unsuited::Invalid),
            None => Ok(()),
        }
    }

    /// Fails if a keyboard with buttons of these types is over a limit.
    pub(crate) fn check_keyboard(&self, rows: &[Vec<&str>], at: &Place<'_>) -> Result<(), Unsuited> {
        let Limits { keyboard_buttons, keyboard_rows, row_buttons, wide_row_buttons, wide_buttons, .. } = &self.limits;
        let over = |at: &Place<'_>, count: usize, limit: Option<usize>, what: &str| match limit {
            Some(limit) if count > limit => {
                let problem = format!("has {count} {what}, the limit of {} is {limit}: remove some", self.name);
                Err(Unsuited::Invalid(Invalid::new(at, problem)))
            }
            _ => Ok(()),
        };
        over(at, rows.len(), *keyboard_rows, "rows")?;
        over(at, rows.iter().map(Vec::len).sum(), *keyboard_buttons, "buttons")?;
        for (index, row) in rows.iter().enumerate() {
            let at = at.index(index);
            over(&at, row.len(), *row_buttons, "buttons")?;
            if let Some(wide) = row.iter().find(|tag| wide_buttons.iter().any(|wide| wide == *tag)) {
                over(&at, row.len(), *wide_row_buttons, &format!("buttons, one of the type `{wide}`"))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("name", &self.name).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The reason why a request cannot be sent to a service.
#[derive(Debug)]
pub(crate) enum Unsuited {
    Invalid(Invalid),
    Unsupported(String),
}

/// A part of a request that is adapted to the service before sending. Implemented by the generator.
pub(crate) trait Adapt {
    /// Removes optional values that the service does not support. Fails if a required value is not supported.
    fn adapt(&mut self, service: &Service, at: &Place<'_>) -> Result<(), Unsuited>;
}

impl<T: Adapt> Adapt for Option<T> {
    fn adapt(&mut self, service: &Service, at: &Place<'_>) -> Result<(), Unsuited> {
        self.as_mut().map_or(Ok(()), |value| value.adapt(service, at))
    }
}

impl<T: Adapt> Adapt for Box<T> {
    fn adapt(&mut self, service: &Service, at: &Place<'_>) -> Result<(), Unsuited> {
        (**self).adapt(service, at)
    }
}

impl<T: Adapt> Adapt for Vec<T> {
    fn adapt(&mut self, service: &Service, at: &Place<'_>) -> Result<(), Unsuited> {
        self.iter_mut().enumerate().try_for_each(|(index, value)| value.adapt(service, &at.index(index)))
    }
}

impl<T: Adapt> Adapt for BTreeMap<String, T> {
    fn adapt(&mut self, service: &Service, at: &Place<'_>) -> Result<(), Unsuited> {
        self.iter_mut().try_for_each(|(key, value)| value.adapt(service, &at.field(key)))
    }
}

/// A version of the TamTam API. Set with [`BotBuilder::version`](crate::BotBuilder::version). Defaults to 0.5.6. The
/// MAX API has no versions.
///
/// The server sends responses in the format of this version. This crate can parse the responses of all versions that
/// have a constant. To use another version, convert its number: `ApiVersion::from("0.4.0")`.
///
/// ```
/// use tamtam::{Bot, settings::ApiVersion};
///
/// # fn main() -> tamtam::Result<()> {
/// let bot = Bot::builder("token").version(ApiVersion::V0_5_6).build()?;
/// assert_eq!(bot.version(), Some("0.5.6"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ApiVersion(pub(crate) Cow<'static, str>);

impl ApiVersion {
    /// Returns the version as text, such as `0.5.6`. Each request contains this text in the query parameter `v`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Creates a version from its number, such as `0.5.6`. Use this conversion for versions that have no constant.
impl From<&str> for ApiVersion {
    fn from(version: &str) -> Self {
        Self(Cow::Owned(version.to_owned()))
    }
}

impl From<String> for ApiVersion {
    fn from(version: String) -> Self {
        Self(Cow::Owned(version))
    }
}
