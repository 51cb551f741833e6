//! Setting a bot up: where the API is, which version of it, how long to wait, and how to get there.

use std::{fmt, sync::Arc, time::Duration};

use progenitor_client::ClientInfo;
use reqwest::Url;

use crate::{
    Bot, Error, Result, Retry, RetryPolicy,
    api::Client,
    clock::{self, Clock},
    error::root,
    token::Token,
    transport::{RetryHook, Timeouts, Transport},
};

/// Where TamTam serves its Bot API.
const BASE_URL: &str = "https://botapi.tamtam.chat";
/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a call may take, from sending it to the end of the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How much longer than the server holds a poll the client waits for it.
const POLL_MARGIN: Duration = Duration::from_secs(15);
/// How long an unused connection is kept.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// What the server sees as our name.
const USER_AGENT: &str = concat!("tamtam-rs/", env!("CARGO_PKG_VERSION"));

/// Settings of a [`Bot`]; made by [`Bot::builder`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct BotBuilder {
    token: String,
    base_url: String,
    version: String,
    connect_timeout: Duration,
    timeouts: Timeouts,
    retry: RetryPolicy,
    on_retry: Option<RetryHook>,
    gzip: bool,
    proxies: Vec<String>,
    root_certificates: Vec<Vec<u8>>,
    http: Option<Box<dyn FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send>>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for BotBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Proxies may carry a password, and the token never shows.
        f.debug_struct("BotBuilder")
            .field("base_url", &shown(&self.base_url))
            .field("version", &self.version)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .field("gzip", &self.gzip)
            .finish_non_exhaustive()
    }
}

impl BotBuilder {
    pub(crate) fn new(token: String) -> Self {
        Self {
            token,
            base_url: BASE_URL.to_owned(),
            version: <Client as ClientInfo<_>>::api_version().to_owned(),
            connect_timeout: CONNECT_TIMEOUT,
            timeouts: Timeouts { request: REQUEST_TIMEOUT, poll_margin: POLL_MARGIN },
            retry: RetryPolicy::default(),
            on_retry: None,
            gzip: true,
            proxies: Vec::new(),
            root_certificates: Vec::new(),
            http: None,
            clock: Arc::new(clock::Real),
        }
    }

    /// Another time than the real one.
    #[cfg(test)]
    pub(crate) fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where the API is, instead of `https://botapi.tamtam.chat`: a sandbox or a gateway of yours. A path is kept.
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = url.into();
        self
    }

    /// The version of the API that the server is asked for (`v` in every request), instead of the one this crate was
    /// generated from.
    ///
    /// It changes what the server sends, not the crate's types: these read what every version since 0.5.0 sends. Pin it
    /// when you depend on how a certain version behaves; webhooks want the same version in their subscription.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// How long a call may take, from sending it to the end of its answer; 30 s if not set. Long polls take as long as
    /// the server holds them, and [`poll_margin`](Self::poll_margin) more.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeouts.request = timeout;
        self
    }

    /// How much longer than the server holds a poll the client waits for its answer; 15 s if not set. A connection that
    /// died without a word is noticed after that.
    pub fn poll_margin(mut self, margin: Duration) -> Self {
        self.timeouts.poll_margin = margin;
        self
    }

    /// How long making a connection may take; 10 s if not set, and never more than half of [`timeout`](Self::timeout), so
    /// that a call which got no connection is known not to have been sent.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How often and for how long failed calls are tried again; three times within 30 s if not set. The polls of
    /// [`Bot::updates`] and [`Bot::run`] go by another rule: they are tried again for as long as it takes.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Is told of every call that failed and will be tried again, before the wait for it: to count them, say. It is
    /// called where the call is awaited, so it must not block.
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// let bot = tamtam::Bot::builder("token")
    ///     .on_retry(|retry| eprintln!("{}; again in {:?}", retry.error(), retry.delay()))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_retry(mut self, hook: impl Fn(&Retry<'_>) + Send + Sync + 'static) -> Self {
        self.on_retry = Some(Arc::new(hook));
        self
    }

    /// Whether answers may come compressed; they may if not set. A page of updates shrinks to about a quarter.
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Goes through a proxy (`http://`, `https://`), which may carry `user:password@`. Without one the environment's
    /// settings count (`HTTPS_PROXY` and its like).
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxies.push(url.into());
        self
    }

    /// Trusts the certificates in a PEM file besides the platform's, such as those of a company's proxy.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// Any other setting of the HTTP client. Redirects, referer, verbose logs and retries of its own stay off whatever
    /// the closure does: the first three would give the token away, the last would go past the bot's own policy. A second
    /// closure takes the place of the first.
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

    /// Makes the bot. Nothing is sent: a wrong token shows at the first call.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, with a message that names it: an empty token, a base URL that is none, an `https` one
    /// without a TLS feature, a proxy or certificate that cannot be read.
    pub fn build(self) -> Result<Bot> {
        let token = self.token.trim();
        if token.is_empty() {
            return Err(Error::build("the token is empty: PrimeBot (https://tt.me/primebot) gives one to every bot"));
        }
        let token = Token::new(token.to_owned());
        let base_url = base_url(&self.base_url, &token)?;
        let mut http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(self.connect_timeout.min(self.timeouts.request / 2))
            .pool_idle_timeout(POOL_IDLE_TIMEOUT)
            .gzip(self.gzip);
        for url in &self.proxies {
            // The URL may carry a password, so the message does not repeat it.
            let proxy =
                reqwest::Proxy::all(url).map_err(|_| Error::build("the proxy is not a URL that can be used"))?;
            http = http.proxy(proxy);
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
            .map_err(|error| Error::build(format!("the HTTP client cannot be set up: {}", root(&error))))?;
        let transport = Transport {
            http,
            token,
            version: self.version,
            timeouts: self.timeouts,
            retry: self.retry,
            on_retry: self.on_retry,
            clock: self.clock,
        };
        Ok(Bot::new_with_transport(Arc::new(transport), base_url))
    }
}

/// As much of a base URL as may be seen: no user, password or query, whatever is wrong with it.
fn shown(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_owned(),
        (_, None) => text.to_owned(),
    }
}

/// A URL under which paths can be put.
fn base_url(text: &str, token: &Token) -> Result<Url> {
    let fail = |problem: &str| Error::build(format!("the base URL {problem}"));
    let url = Url::parse(text)
        .map_err(|error| fail(&format!("`{}` is not a URL: {error}", token.secret().redact(&shown(text)))))?;
    match url.scheme() {
        "http" => {}
        "https" if cfg!(any(feature = "rustls", feature = "native-tls")) => {}
        "https" => {
            return Err(fail("is https, but no TLS is compiled in: enable the feature `rustls` or `native-tls`"));
        }
        other => return Err(fail(&format!("has the scheme `{other}`, expected https or http"))),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(fail("has a user, a query or a fragment: give scheme, host, port and path only"));
    }
    Ok(url)
}

#[cfg(any(feature = "rustls", feature = "native-tls"))]
fn add_root_certificates(http: reqwest::ClientBuilder, pem: &[u8]) -> Result<reqwest::ClientBuilder> {
    let certificates = reqwest::Certificate::from_pem_bundle(pem)
        .map_err(|error| Error::build(format!("the root certificates are not PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(Error::build("the root certificates are not PEM: there is no certificate in them"));
    }
    Ok(certificates.into_iter().fold(http, reqwest::ClientBuilder::add_root_certificate))
}

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
fn add_root_certificates(_: reqwest::ClientBuilder, _: &[u8]) -> Result<reqwest::ClientBuilder> {
    Err(Error::build("root certificates need TLS: enable the feature `rustls` or `native-tls`"))
}
