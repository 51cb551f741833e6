//! The bot: the entry point of the crate, cheap to clone.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use reqwest::Url;

use crate::{
    client::{pace::Priority, transport::Transport},
    error::Result,
    redaction::HiddenUrl,
    service::{ApiVersion, Service},
    validation::{self, Invalid, Place},
};

/// A client of the Bot API of MAX or TamTam. A `Bot` contains the token of one bot and a pool of HTTP connections.
///
/// Clones are cheap, and share the token, the connections and the rate limits.
///
/// For common operations, `Bot` has short methods such as [`send`](Self::send). To call any operation of the API,
/// use [`api`](Self::api).
///
/// Most methods return a request. Set the options of the request, and then send it with `.await`. The methods
/// [`typing`](Self::typing) and `sending_...` return a guard, which needs no `.await`.
///
/// The words "MAX only" and "TamTam only" mark methods for one service. On the other service, the call fails
/// ([`Unsupported`](crate::ErrorKind::Unsupported)).
///
/// In the examples, `alice`, `bob` and `carol` are users, and `team` is a group. `alice.chat_id()` is the id of the
/// chat between Alice and the bot.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// println!("I am {}", bot.me().await?.name);
/// bot.send(alice.user_id(), "Hello!").await?;
/// # assert_eq!(alice.reads().await.text(), "Hello!");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Bot {
    shared: Arc<Shared>,
    priority: Priority,
}

struct Shared {
    transport: Arc<Transport>,
    base_url: Url,
    /// The base URL without a trailing slash, for the generated client.
    base_url_text: String,
    /// The host of the base URL, with a port unless it is the default port.
    host: String,
    log_name: String,
    /// Detects a loop that creates a new stream of updates for every update: [`NOT_SEEN`], [`SEEN`] or [`TOLD`].
    stream_loop: AtomicU8,
}

const NOT_SEEN: u8 = 0;
const SEEN: u8 = 1;
const TOLD: u8 = 2;

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot")
            .field("log_name", &self.log_name())
            .field("base_url", &HiddenUrl(&self.shared.base_url_text))
            .field("service", &self.service().name())
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

impl Bot {
    pub(crate) fn new_with_transport(transport: Arc<Transport>, base_url: Url, log_name: String) -> Self {
        let base_url_text = base_url.as_str().trim_end_matches('/').to_owned();
        let port = base_url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{}{port}", base_url.host_str().unwrap_or_default());
        Self {
            shared: Arc::new(Shared {
                transport,
                base_url,
                base_url_text,
                host,
                log_name,
                stream_loop: AtomicU8::new(NOT_SEEN),
            }),
            priority: Priority::Normal,
        }
    }

    /// Returns the name of the bot in the log.
    pub(crate) fn log_name(&self) -> &str {
        &self.shared.log_name
    }

    /// Records that a stream of updates was dropped after its first update.
    pub(crate) fn stream_ends_early(&self) {
        let _ = self.shared.stream_loop.compare_exchange(NOT_SEEN, SEEN, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Returns whether an earlier stream [ended early](Self::stream_ends_early). Returns `true` only once.
    pub(crate) fn is_stream_restarted(&self) -> bool {
        self.shared.stream_loop.compare_exchange(SEEN, TOLD, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Returns the host of the API, for the log.
    pub(crate) fn host(&self) -> &str {
        &self.shared.host
    }

    pub(crate) fn priority(&self) -> Priority {
        self.priority
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.shared.transport
    }

    pub(crate) fn base_url(&self) -> &Url {
        &self.shared.base_url
    }

    pub(crate) fn base_url_text(&self) -> &str {
        &self.shared.base_url_text
    }

    /// Returns the URL of a path of the API. Fails if the path is invalid.
    pub(crate) fn join(&self, path: &str) -> Result<Url, Invalid> {
        validation::path(path)?;
        Url::parse(&format!("{}{path}", self.base_url_text()))
            .map_err(|error| Invalid::new(&Place::root("path"), format!("`{path}` does not form a valid URL: {error}")))
    }

    /// Returns a clone of the bot for broadcasts and other work that can wait. The requests of the clone use only the
    /// part of [`Pace::requests_per_second`](crate::settings::Pace::requests_per_second) that the original bot leaves
    /// free.
    ///
    /// A tenth of `requests_per_second` is reserved for the original bot. The clone sends no bursts: by default, its
    /// requests on MAX are at least 38 ms apart. So a reply or a poll (a request for updates) of the original bot waits
    /// for at most one request of the clone.
    ///
    /// The other limits (for polls, and for the messages to one chat) apply to the original bot and the clone
    /// together. If the original bot has no limit of requests per second (the default on TamTam), the clone does not
    /// wait between its requests.
    ///
    /// Call [`run`](Self::run) and [`updates`](Self::updates) on the original bot. On the clone, polls would wait for
    /// the requests of the original bot.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let max = tamtam_sandbox::Sandbox::max().await;
    /// # let bot = max.bot();
    /// # let people: Vec<_> = ["Alice", "Bob"].map(|name| max.user(name)).into();
    /// # people.iter().for_each(|person| { person.starts(); });
    /// # let subscribers: Vec<_> = people.iter().map(|person| person.user_id()).collect();
    /// let news = bot.background();
    /// for user in subscribers {
    ///     news.send(user, "There is a new version.").await?;
    /// }
    /// # assert_eq!(people[1].reads().await.text(), "There is a new version.");
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "broadcast")]
    #[must_use]
    pub fn background(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), priority: Priority::Background }
    }

    /// Returns the API version that the bot sends with each request, such as `0.5.6`. `None` on MAX, whose API has no
    /// versions.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.transport().version.as_ref().map(ApiVersion::as_str)
    }

    /// Returns the service of the bot, such as MAX or TamTam.
    #[must_use]
    pub fn service(&self) -> &Service {
        &self.transport().service
    }
}
