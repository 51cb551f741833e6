//! The builder of a bot: service, API version, timeouts, retries, proxies and certificates.

mod environment;

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, header};
use reqwest::Url;

use crate::{
    client::{
        bot::Bot,
        clock::{self, Clock},
        pace::Gate,
        proxy,
        retry::{Retry, RetryPolicy},
        tls,
        token::Token,
        transport::{RetryHook, SizeLimits, Timeouts, Transport},
    },
    error::{Error, HttpError, Result},
    redaction::{HiddenUrl, Secret, Secrets},
    service::{ApiVersion, Pace, Service, TokenPlace},
};

/// The default time limit for opening a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The default time limit of an attempt, from sending it to the end of the response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The default time to wait for a poll, in addition to the time that the server holds it.
const POLL_MARGIN: Duration = Duration::from_secs(15);
/// The time after which an unused connection is closed.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// The default interval of HTTP/2 pings, and the time limit for their answer.
const KEEP_ALIVE: KeepAlive = KeepAlive { interval: Duration::from_secs(10), timeout: Duration::from_secs(10) };
/// Effectively no pings. The HTTP client panics if a longer interval overflows `Instant`.
const LONGEST_KEEP_ALIVE: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Headers that requests already use. The token cannot be sent in them.
const OWN_HEADERS: [HeaderName; 10] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::USER_AGENT,
];
/// The `User-Agent` of all requests.
const USER_AGENT: &str = concat!("tamtam-rs/", env!("CARGO_PKG_VERSION"));

/// The settings of HTTP/2 pings, which detect a frozen connection.
#[derive(Debug, Clone, Copy)]
struct KeepAlive {
    interval: Duration,
    timeout: Duration,
}

/// A builder for a [`Bot`]. Created by [`Bot::builder`] or [`BotBuilder::from_env`].
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> tamtam::Result<()> {
/// let bot = tamtam::Bot::builder("token")
///     .service(tamtam::Service::Max)
///     .timeout(Duration::from_secs(20))
///     .build()?;
/// # let _ = bot;
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct BotBuilder {
    token: String,
    service: Service,
    trusts_service: bool,
    base_url: Option<String>,
    version: Option<ApiVersion>,
    log_name: Option<String>,
    connect_timeout: Duration,
    timeouts: Timeouts,
    keep_alive: KeepAlive,
    size_limits: SizeLimits,
    pace: Option<Pace>,
    retry: RetryPolicy,
    on_retry: Option<RetryHook>,
    gzip: bool,
    proxies: Vec<String>,
    no_proxy: bool,
    root_certificates: Vec<Vec<u8>>,
    http: Option<Box<dyn FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for BotBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the token and the proxies, whose URLs may contain a password.
        f.debug_struct("BotBuilder")
            .field("service", &self.service)
            .field("base_url", &self.base_url.as_deref().map(HiddenUrl))
            .field("version", &self.version)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeouts", &self.timeouts)
            .field("keep_alive", &self.keep_alive)
            .field("size_limits", &self.size_limits)
            .field("pace", &self.pace)
            .field("retry", &self.retry)
            .field("gzip", &self.gzip)
            .finish_non_exhaustive()
    }
}

impl BotBuilder {
    pub(crate) fn new(token: String) -> Self {
        Self {
            token,
            service: Service::TamTam,
            trusts_service: true,
            base_url: None,
            log_name: None,
            version: None,
            connect_timeout: CONNECT_TIMEOUT,
            timeouts: Timeouts { request: REQUEST_TIMEOUT, poll_margin: POLL_MARGIN },
            keep_alive: KEEP_ALIVE,
            size_limits: SizeLimits::default(),
            pace: None,
            retry: RetryPolicy::default(),
            on_retry: None,
            gzip: true,
            proxies: Vec::new(),
            no_proxy: false,
            root_certificates: Vec::new(),
            http: None,
            clock: Arc::new(clock::Real),
        }
    }

    /// Replaces the real clock.
    #[cfg(test)]
    pub(crate) fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Creates a builder from environment variables.
    ///
    /// - `TAMTAM_TOKEN` or `MAX_TOKEN`: The token of the bot. The name of the variable selects the service.
    /// - `TAMTAM_BASE_URL` or `MAX_BASE_URL`: The base URL of the API. The builder reads only the variable of the
    ///   selected service. Defaults to the URL of the service.
    ///
    /// A blank value is empty or contains only white space. A blank base URL counts as not set. A blank token is
    /// ignored if the other token is not blank. If all tokens that are set are blank, [`build`](Self::build) fails.
    ///
    /// # Errors
    ///
    /// Returns an error of the kind [`Build`](crate::ErrorKind::Build) in these cases:
    ///
    /// - If neither token is set.
    /// - If both tokens are set and not blank.
    /// - If a variable is not UTF-8.
    pub fn from_env() -> Result<Self> {
        let (service, token) = environment::service()?;
        let url = environment::base_url(&service)?;
        let builder = Self::new(token).service(service);
        Ok(match url {
            Some(url) => builder.base_url(url),
            None => builder,
        })
    }

    /// Sets the messenger service. Defaults to [`Service::TamTam`].
    ///
    /// ```
    /// use tamtam::{Bot, Service};
    ///
    /// # fn main() -> tamtam::Result<()> {
    /// let bot = Bot::builder("token").service(Service::Max).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn service(mut self, service: Service) -> Self {
        self.service = service;
        self
    }

    /// Sets whether the bot trusts the root certificate of the [`Service`], in addition to the root certificates of the
    /// platform (the operating system). Defaults to `true`.
    ///
    /// The root certificate of MAX belongs to a certificate authority (CA), the Russian Trusted Root CA. Windows, macOS
    /// and most Linux distributions do not trust this CA by default. If you set `false` on a platform
    /// without this CA, connections to MAX fail, unless you do one of the following:
    ///
    /// - Add the certificate with [`root_certificates`](Self::root_certificates) (not with `rustls` on Android).
    /// - Install the certificate on the platform.
    ///
    /// With `true`, the bot accepts certificates of this CA from every host to which the bot connects, such as upload
    /// hosts. The setting does not affect other HTTP clients in the process.
    ///
    /// On Android, the feature `rustls` supports only the certificates of the platform. So [`build`](Self::build) fails
    /// for MAX, unless you set `false`.
    ///
    /// For a bot of TamTam, the setting has no effect, because TamTam has no root certificate of its own.
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// let bot = tamtam::Bot::builder("token")
    ///     .service(tamtam::Service::Max)
    ///     .trust_service(false)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn trust_service(mut self, trust: bool) -> Self {
        self.trusts_service = trust;
        self
    }

    /// Sets the base URL of the API, for example to the URL of a gateway. Defaults to the URL of the [`Service`].
    ///
    /// `url`: The scheme (`https` or `http`) and the host, with an optional port and path. The path of each operation
    /// is appended to this URL.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// Sets the version of the TamTam API. Defaults to 0.5.6. Every request to TamTam contains the version in the query
    /// parameter `v`.
    ///
    /// The server sends responses in the format of this version. The types of this crate can read the responses of all
    /// versions that have a constant in [`ApiVersion`]. [`Bot::subscribe_webhook`] requests updates in the format of
    /// the same version.
    ///
    /// Requests to MAX have no version. If you set a version for a bot of MAX, [`build`](Self::build) fails.
    pub fn version(mut self, version: impl Into<ApiVersion>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the name of the bot in the log and in the `Debug` output of [`Bot`]. In the log, the spans of polls,
    /// handlers and webhooks contain the name in the field `bot`: see [`guide::logging`](crate::guide::logging).
    ///
    /// Defaults to 8 hexadecimal digits of a hash of the token. The digits distinguish bots and do not reveal the
    /// token.
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// let bot = tamtam::Bot::builder("token").log_name("weather").build()?;
    /// assert!(format!("{bot:?}").contains("weather"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn log_name(mut self, name: impl Into<String>) -> Self {
        self.log_name = Some(name.into());
        self
    }

    /// Sets the time limit of each attempt (the first try or a retry) of a call. The time limit includes the time to
    /// connect and to read the response. Defaults to 30 s.
    ///
    /// Polls (requests for updates) and transfers of files have other limits instead: see
    /// [`poll_margin`](Self::poll_margin) and [`Upload::idle_timeout`](crate::upload::Upload::idle_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.request = timeout;
        self
    }

    /// Sets how long the bot waits for the response to a poll (a request for updates) after the hold time. Defaults to
    /// 15 s.
    ///
    /// The server delays the response to a poll until there is an update, but at most for the hold time. The hold time
    /// is 30 s by default, and is set with [`Updates::timeout`](crate::updates::Updates::timeout). If no response
    /// arrives within the hold time plus `margin`, the poll fails and is retried.
    pub fn poll_margin(mut self, margin: Duration) -> Self {
        self.timeouts.poll_margin = margin;
        self
    }

    /// Sets the time limit for opening a connection. Defaults to 10 s.
    ///
    /// The maximum is half of the [time limit of an attempt](Self::timeout). A larger value is reduced to this maximum.
    /// If no connection can be opened, the error has the kind [`ErrorKind::Connect`](crate::ErrorKind::Connect): the
    /// request was not sent.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Configures the pings that detect a frozen HTTP/2 connection. A frozen connection stays open, but the server no
    /// longer responds.
    ///
    /// - `interval`: Time without data from the server, after which the bot sends a ping, even if no call is running.
    ///   Defaults to 10 s. [`Duration::MAX`] turns pings off.
    /// - `timeout`: Time to wait for the response to a ping. Defaults to 10 s.
    ///
    /// If the server does not respond to a ping, the calls on the connection fail, and later calls open a new
    /// connection. As a result, a call on a frozen connection fails after at most `interval` + `timeout`.
    ///
    /// HTTP/1.1 has no pings. If a call over HTTP/1.1 times out, its connection is not used again.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # fn main() -> tamtam::Result<()> {
    /// // A call on a frozen connection fails after at most 10 s.
    /// let interval = Duration::from_secs(5);
    /// let timeout = Duration::from_secs(5);
    /// let bot = tamtam::Bot::builder("token").http2_keep_alive(interval, timeout).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http2_keep_alive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.keep_alive = KeepAlive { interval, timeout };
        self
    }

    /// Sets the maximum size of the body of a response, in bytes after decompression. Defaults to 16 MiB. The responses
    /// to polls (requests for updates) have a separate limit, [`max_page_bytes`](Self::max_page_bytes).
    ///
    /// If a body is larger, the call fails with an error of the kind [`TooLarge`](crate::ErrorKind::TooLarge). The bot
    /// stops reading the body at the limit.
    pub fn max_response_bytes(mut self, bytes: usize) -> Self {
        self.size_limits.response.bytes = bytes;
        self
    }

    /// Sets the maximum size of a page of updates, in bytes after decompression. A page is the response to one poll (a
    /// request for updates). Defaults to 64 MiB.
    ///
    /// If a page is larger, [`Bot::updates`] and [`Bot::run`] request the page again with half as many updates. If a
    /// single update exceeds the limit, polling ends with an error of the kind
    /// [`TooLarge`](crate::ErrorKind::TooLarge).
    pub fn max_page_bytes(mut self, bytes: usize) -> Self {
        self.size_limits.page.bytes = bytes;
        self
    }

    /// Sets the rate limits of the bot, in requests per second. A request that would exceed a limit is delayed.
    /// Defaults to the limits of the [`Service`]: see the table of [`Pace`].
    ///
    /// ```
    /// use tamtam::{Bot, Service, settings::Pace};
    ///
    /// # fn main() -> tamtam::Result<()> {
    /// // Two processes use the same token, so each process sets half of the default limits.
    /// let pace = Service::Max.pace().requests_per_second(15).polls_per_second(1);
    /// let bot = Bot::builder("token").service(Service::Max).pace(pace).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }

    /// Sets how often and for how long a failed call is retried. By default, a call has at most 3 attempts and a time
    /// budget of 30 s. See [`RetryPolicy`].
    ///
    /// The default [`timeout`](Self::timeout) of an attempt is also 30 s. So if the first attempt times out, the budget
    /// is spent, and the call is not retried. To retry after a timeout, set a larger budget or a smaller `timeout`.
    ///
    /// The policy does not apply to the polls of [`Bot::updates`] and [`Bot::run`]. A poll that fails with a temporary
    /// error is retried until it succeeds.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Sets a function that the bot calls before each retry delay, for example to count retries. The function must not
    /// block, because it runs on the task that awaits the call.
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// let bot = tamtam::Bot::builder("token")
    ///     .on_retry(|retry| eprintln!("{}; retry in {:?}", retry.error(), retry.delay()))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_retry(mut self, hook: impl Fn(&Retry<'_>) + Send + Sync + 'static) -> Self {
        self.on_retry = Some(Arc::new(hook));
        self
    }

    /// Sets whether the server may compress its responses with gzip. Defaults to `true`. Compression reduces the
    /// responses to polls (requests for updates) to about a quarter of their size.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Sets a proxy through which the bot sends its requests.
    ///
    /// `url`: A URL with the scheme `http` or `https`. The feature `socks` adds the schemes `socks4`, `socks4a`,
    /// `socks5` and `socks5h`. With `socks4a` and `socks5h`, the proxy resolves host names. The URL may contain
    /// `user:password@`.
    ///
    /// If `proxy` is called several times, the bot uses the proxy of the first call. If neither `proxy` nor
    /// [`no_proxy`](Self::no_proxy) is called, the bot uses these environment variables:
    ///
    /// - `HTTPS_PROXY`: The proxy for requests to `https` URLs. Defaults to `ALL_PROXY`.
    /// - `HTTP_PROXY`: The proxy for requests to `http` URLs. Defaults to `ALL_PROXY`.
    /// - `NO_PROXY`: The hosts to which the bot connects without a proxy, separated by commas.
    ///
    /// The names of the variables may also be in lower case.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxies.push(url.into());
        self
    }

    /// Makes the bot ignore the environment variables listed at [`proxy`](Self::proxy). The bot still uses a proxy that
    /// you set with the method `proxy`.
    ///
    /// Call `no_proxy`, for example, if the bot connects to a server on the same machine:
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// let url = "http://localhost:8080";
    /// let bot = tamtam::Bot::builder("token").base_url(url).no_proxy().build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn no_proxy(mut self) -> Self {
        self.no_proxy = true;
        self
    }

    /// Adds trusted root certificates, for example the certificate of a company proxy. The bot also trusts the root
    /// certificates of the platform.
    ///
    /// `pem`: The content of a PEM file with one or more certificates.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Sets a closure that changes the settings of the HTTP client. Use the closure for settings that have no method in
    /// `BotBuilder`. If `http` is called again, the new closure replaces the previous closure.
    ///
    /// `settings`: Receives the builder of the HTTP client, and returns the changed builder.
    ///
    /// The closure cannot turn on these settings:
    ///
    /// - Redirects, the `Referer` header and verbose logs, which would reveal the token.
    /// - The retries of the HTTP client, which would bypass the [`RetryPolicy`] of the bot.
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// let bot = tamtam::Bot::builder("token").http(|http| http.tcp_nodelay(true)).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http(
        mut self,
        settings: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + 'static,
    ) -> Self {
        self.http = Some(Box::new(settings));
        self
    }

    /// Creates the bot. This method sends no request. If the token is wrong, the first call fails.
    ///
    /// # TLS
    ///
    /// A bot with [`root_certificates`](Self::root_certificates) or [`http`](Self::http) has its own TLS configuration,
    /// and reads the root certificates of the platform. All other bots that trust the same root certificates share one
    /// TLS configuration and its TLS sessions. Each configuration reads the root certificates of the platform once.
    ///
    /// Each bot has its own connections.
    ///
    /// # Errors
    ///
    /// Returns an error of the kind [`Build`](crate::ErrorKind::Build) in these cases:
    ///
    /// - If the token is blank.
    /// - If the [`Service`] (such as MAX) expects the token in a header, and the token contains characters that are not
    ///   allowed in a header.
    /// - If the base URL cannot be parsed, or has a scheme other than `http` and `https`.
    /// - If the base URL has a user, a query or a fragment.
    /// - If the base URL has the scheme `https`, and no TLS feature (`rustls` or `native-tls`) is enabled.
    /// - If a `version` is set for a service without versions, such as MAX.
    /// - If a root certificate is not PEM.
    /// - If `root_certificates` is called, and no TLS feature is enabled.
    /// - If the platform does not support the root certificate of the service: see
    ///   [`trust_service`](Self::trust_service).
    /// - If `timeout`, `connect_timeout`, `max_response_bytes`, `max_page_bytes` or a value of `http2_keep_alive` is
    ///   zero.
    /// - If a proxy URL cannot be parsed, or has a scheme that [`proxy`](Self::proxy) does not support. If
    ///   `http` is called, the URLs in environment variables are not checked.
    /// - If a proxy URL has the scheme `https`, and no TLS feature is enabled.
    /// - If the [`Service`] sends the token in a header or query parameter whose name is invalid or reserved.
    /// - If the HTTP client cannot be created, for example because `http` set an invalid value.
    pub fn build(self) -> Result<Bot> {
        let token = self.token.trim();
        if token.is_empty() {
            let source = self.service.token_source;
            return Err(Error::build(format!("the token is empty: get one from {source}")));
        }
        for (is_zero, setting) in [
            (self.timeouts.request.is_zero(), "timeout"),
            (self.connect_timeout.is_zero(), "connect_timeout"),
            (self.keep_alive.interval.is_zero() || self.keep_alive.timeout.is_zero(), "http2_keep_alive"),
            (self.size_limits.response.bytes == 0, "max_response_bytes"),
            (self.size_limits.page.bytes == 0, "max_page_bytes"),
        ] {
            if is_zero {
                return Err(Error::build(format!("`{setting}` is zero, so every call would fail: raise it")));
            }
        }
        let token = Token::new(token.to_owned());
        let base_url = base_url(self.base_url.as_deref().unwrap_or(self.service.base_url()), &token)?;
        let version = match (self.service.version, self.version) {
            (Some((_, version)), None) => Some(version.into()),
            (Some(_), Some(version)) => Some(version),
            (None, None) => None,
            (None, Some(_)) => {
                let service = self.service.name();
                return Err(Error::build(format!("`version` is set, but {service} has no versions: remove it")));
            }
        };
        let token_header = token_header(&self.service, &token)?;
        let log_name = match &self.log_name {
            // The name may contain the token.
            Some(name) => Secrets::of(token.secret()).clean(name).into_owned(),
            None => token.fingerprint(),
        };
        let mut http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(self.connect_timeout.min(self.timeouts.request / 2))
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .http2_keep_alive_interval(self.keep_alive.interval.min(LONGEST_KEEP_ALIVE))
            .http2_keep_alive_timeout(self.keep_alive.timeout.min(LONGEST_KEEP_ALIVE))
            .http2_keep_alive_while_idle(true)
            .gzip(self.gzip);
        if self.no_proxy {
            http = http.no_proxy();
        } else if self.proxies.is_empty() && self.http.is_none() {
            proxy::check_environment(&base_url, |name| std::env::var(name).ok())?;
        }
        for url in &self.proxies {
            http = http.proxy(proxy::proxy(url)?);
        }
        let of_service = self.service.root_certificate.as_deref().filter(|_| self.trusts_service);
        // Also with an `http` base URL: upload URLs may be `https`.
        let of_service = of_service.filter(|_| cfg!(any(feature = "rustls", feature = "native-tls")));
        // The closure may set up TLS, which a shared configuration would silently replace.
        if self.root_certificates.is_empty() && self.http.is_none() {
            http = tls::share(http, of_service)?;
        } else if let Some(pem) = of_service {
            http = add_root_certificates(http, pem.as_bytes())?;
        }
        for pem in &self.root_certificates {
            http = add_root_certificates(http, pem)?;
        }
        if let Some(settings) = self.http {
            http = settings(http);
        }
        let http = http
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connection_verbose(false)
            .build()
            .map_err(|error| {
                Error::build(format!("cannot create the HTTP client: {}", HttpError::from(error).root()))
            })?;
        let pace = self.pace.unwrap_or(self.service.pace);
        let transport = Transport {
            http,
            token,
            base_path: Secret::beyond_the_origin(base_url.as_str()),
            token_header,
            service: self.service,
            version,
            timeouts: self.timeouts,
            size_limits: self.size_limits,
            retry: self.retry,
            on_retry: self.on_retry,
            gate: Arc::new(Gate::new(pace, Arc::clone(&self.clock))),
            clock: self.clock,
        };
        Ok(Bot::new_with_transport(Arc::new(transport), base_url, log_name))
    }
}

/// Returns the header with the token. `None` if the service expects the token in the query.
fn token_header(service: &Service, token: &Token) -> Result<Option<(HeaderName, HeaderValue)>> {
    let name = match &service.token_place {
        TokenPlace::Header(name) => name,
        TokenPlace::Query(name)
            if name.is_empty() || service.version.is_some_and(|(version, _)| version == &**name) =>
        {
            return Err(Error::build(format!(
                "cannot send the token in the query parameter `{name}`: use another name"
            )));
        }
        TokenPlace::Query(_) => return Ok(None),
    };
    let header = HeaderName::try_from(&**name)
        .map_err(|_| Error::build(format!("`{name}` is not a valid header name: correct it in the `Service`")))?;
    if OWN_HEADERS.contains(&header) {
        return Err(Error::build(format!("the header `{name}` is reserved: send the token in another header")));
    }
    let value = token
        .header()
        .ok_or_else(|| Error::build("the token has characters that are not allowed in a header: copy it again"))?;
    Ok(Some((header, value)))
}

/// Returns the scheme and host of a base URL that cannot be parsed. User, path and query may be secret.
fn without_path(text: &str) -> String {
    let (scheme, rest) = text.split_once("//").map_or(("", text), |(scheme, rest)| (&text[..scheme.len() + 2], rest));
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let more = if authority.len() < rest.len() { "/..." } else { "" };
    format!("{scheme}{host}{more}")
}

/// Parses and checks the base URL of the API.
fn base_url(text: &str, token: &Token) -> Result<Url> {
    let fail = |problem: &str| Error::build(format!("the base URL {problem}"));
    let secrets = Secrets::of(token.secret());
    let url = Url::parse(text)
        .map_err(|error| fail(&format!("`{}` is not a URL: {error}", secrets.clean(&without_path(text)))))?;
    match url.scheme() {
        "http" => {}
        "https" if cfg!(any(feature = "rustls", feature = "native-tls")) => {}
        "https" => {
            return Err(fail("is https, but no TLS is compiled in: enable the feature `rustls` or `native-tls`"));
        }
        other => return Err(fail(&format!("has the scheme `{other}`, expected https or http"))),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(fail("has a user, a query or a fragment: set only scheme, host, port and path"));
    }
    Ok(url)
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn add_root_certificates(http: reqwest::ClientBuilder, pem: &[u8]) -> Result<reqwest::ClientBuilder> {
    let certificates = reqwest::Certificate::from_pem_bundle(pem)
        .map_err(|error| Error::build(format!("the root certificates are not PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(Error::build("the root certificates are not PEM: no certificate found"));
    }
    Ok(certificates.into_iter().fold(http, reqwest::ClientBuilder::add_root_certificate))
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn add_root_certificates(_: reqwest::ClientBuilder, _: &[u8]) -> Result<reqwest::ClientBuilder> {
    Err(Error::build("root certificates need TLS: enable the feature `rustls` or `native-tls`"))
}
