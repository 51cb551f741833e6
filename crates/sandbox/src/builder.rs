//! What can be chosen about a sandbox, and its start.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io, thread};

use tokio::sync::oneshot;

use crate::control;
use crate::control::context::Control;
use crate::protocol::service::Service;
use crate::sandbox::{Sandbox, Server};
use crate::server;
use crate::server::bell::Bell;
use crate::server::keeper::Keeper;
use crate::server::world::World;
use crate::state::State;
use crate::state::clock;
use crate::state::file::{StateFile, StateFileError};
use crate::state::rate_limit::RateLimit;

/// How long a person waits for the bot, unless the builder says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// What can be chosen about a [`Sandbox`] before it starts.
#[derive(Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct SandboxBuilder {
    bot_name: String,
    bot_username: String,
    token: Option<String>,
    seed: Option<u64>,
    port: u16,
    upload_port: u16,
    state_file: Option<PathBuf>,
    patience: Duration,
    service: Option<tamtam::Service>,
    rate_limit: Option<RateLimit>,
    delivery_timeout: Option<Duration>,
    redelivery: Option<Duration>,
    has_control: bool,
}

impl Default for SandboxBuilder {
    fn default() -> Self {
        Self {
            bot_name: "Sandbox Bot".to_owned(),
            bot_username: "sandbox_bot".to_owned(),
            token: None,
            seed: None,
            port: 0,
            upload_port: 0,
            state_file: None,
            patience: PATIENCE,
            service: None,
            rate_limit: None,
            delivery_timeout: None,
            redelivery: None,
            has_control: false,
        }
    }
}

impl SandboxBuilder {
    /// The service that the sandbox plays: `Service::TamTam`, which is the default, or `Service::Max`. Without this setting,
    /// a [state file](Self::state_file) decides.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam::Service;
    /// use tamtam_sandbox::Sandbox;
    ///
    /// let max = Sandbox::builder().service(Service::Max).bot_name("News").start().await;
    /// assert_eq!(max.bot().service().name(), "MAX");
    /// # Ok(())
    /// # }
    /// ```
    pub fn service(mut self, service: tamtam::Service) -> Self {
        self.service = Some(service);
        self
    }

    /// Limits of the server. Without this setting, a sandbox of MAX has [`RateLimit::max`] and one of TamTam has
    /// [`RateLimit::none`]. [`Sandbox::rate_limited`] counts the requests that were refused.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = Some(limit);
        self
    }

    /// The bot's visible name.
    pub fn bot_name(mut self, name: impl Into<String>) -> Self {
        self.bot_name = name.into();
        self
    }

    /// The bot's username, without the `@`.
    pub fn bot_username(mut self, username: impl Into<String>) -> Self {
        self.bot_username = username.into();
        self
    }

    /// The bot's token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Lets the same run give the same transcript, ids, tokens and times: they depend on this number and on what happens,
    /// in which order, and on nothing else. The clock begins in 2025 and goes on by a second with everything that
    /// happens, and as [`Sandbox::time_passes`] says.
    ///
    /// What the system chooses is another in every run: the ports, and with them the addresses of media. Webhooks are
    /// waited for in real time.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam_sandbox::Sandbox;
    ///
    /// let run = async || {
    ///     let tamtam = Sandbox::builder().seed(7).start().await;
    ///     tamtam.user("Alice").says("hi")
    /// };
    /// assert_eq!(run().await, run().await);
    /// # Ok(())
    /// # }
    /// ```
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// How long [`Person::reads`](crate::Person::reads) and its like wait for the bot before they panic: 5 seconds,
    /// unless it is set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The pause before a webhook gets an update again that it did not take.
    ///
    /// - TamTam: each pause is this long. Defaults to 200 ms. The real TamTam takes 30 to 60 s.
    /// - MAX: each further pause is 2.5 times as long, and after 10 retries the update is lost. Defaults to 60 s, as on the
    ///   real MAX, which [`Sandbox::time_passes`] can skip.
    pub fn redelivery(mut self, pause: Duration) -> Self {
        self.redelivery = Some(pause);
        self
    }

    /// How long a webhook may take to answer, from connecting on, in real time. Defaults to 5 s for TamTam, and to 30 s for
    /// MAX, as on the real MAX.
    pub fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.delivery_timeout = Some(timeout);
        self
    }

    /// The port of the loopback interface to listen on: a free one, unless it is set.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Adds the endpoints of [`control`] to the API's port, by which a test in any language acts as
    /// people and makes things go wrong. They want no token. Requests of web pages are refused.
    pub fn control_endpoints(mut self) -> Self {
        self.has_control = true;
        self
    }

    /// The port of the loopback interface that the upload host listens on: a free one, unless it is set. It is part of
    /// the `url` of media.
    pub fn upload_port(mut self, port: u16) -> Self {
        self.upload_port = port;
        self
    }

    /// Keeps everything in this file: the next sandbox with it goes on where this one ended, with the same users, chats
    /// and messages, bots with their tokens, commands, webhooks and updates that wait, open constructors, callbacks,
    /// media with their bytes, the transcript and the clock. If there is no such file yet, one is begun.
    ///
    /// Of the first bot the builder's name and username count only when the file is begun, and so does
    /// [`seed`](Self::seed); a [`token`](Self::token) that is set replaces the one that is kept. An update that was
    /// being sent to a webhook is sent again. The host of uploads may have another address: what was kept is found
    /// there. What goes wrong ([`Sandbox::fails`] and the like, the settings of [`Uploads`](crate::Uploads)), what was
    /// logged of requests, and uploads that have not ended are not kept.
    ///
    /// The file is written after changes, mostly within a tenth of a second, and when the sandbox ends; always as a whole,
    /// so that it is never half of one. If the process is killed, what happened in its last moment is lost: half a second
    /// and as long as it takes to write the file. Ids, markers and places of messages that were given then are never given
    /// again: after a kill they go on at a distance. Beside it a file such as `state.json.0123456789abcdef.new` comes and
    /// goes; one that a kill left behind is removed at the next start. [`Sandbox::on_save`] tells when writing fails.
    ///
    /// The file is JSON. Its format may change in later versions of this crate, which say so. Only one sandbox at a
    /// time can open the file; a second one does not start ([`StateFileError::InUse`]). The lock is an empty file
    /// `state.json.lock` in the same directory, which is not removed.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use tamtam_sandbox::Sandbox;
    ///
    /// # let directory = std::env::temp_dir().join(format!("tamtam-doc-state-{}", std::process::id()));
    /// # std::fs::create_dir_all(&directory)?;
    /// # let path = directory.join("state.json");
    /// let tamtam = Sandbox::builder().state_file(&path).try_start().await?;
    /// let team = tamtam.group("Team", [&tamtam.user("Alice")]).chat_id();
    /// drop(tamtam);
    ///
    /// let tamtam = Sandbox::builder().state_file(&path).try_start().await?;
    /// assert_eq!(tamtam.bot().api().get_chat(team).await?.title.as_deref(), Some("Team"));
    /// # std::fs::remove_dir_all(&directory)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// Starts the sandbox.
    ///
    /// # Panics
    ///
    /// Where [`try_start`](Self::try_start) gives an error.
    pub async fn start(self) -> Sandbox {
        self.try_start().await.unwrap_or_else(|error| panic!("the sandbox does not start: {error}"))
    }

    /// Starts the sandbox.
    ///
    /// # Errors
    ///
    /// If the port or a thread is not available. If the [state file](Self::state_file) cannot be read or written, is
    /// open in another sandbox, is not a state file, or is one of the other service. If the
    /// [service](Self::service) is one of your own.
    pub async fn try_start(self) -> Result<Sandbox, StartError> {
        let service = self
            .service
            .as_ref()
            .map(|service| Service::of(service).ok_or_else(|| StartError::Service { name: service.name().to_owned() }));
        let service = service.transpose()?;
        let (listener, base_url) = listen(self.port)?;
        let (upload_listener, upload_url) = listen(self.upload_port)?;
        let mut file = self.state_file.map(StateFile::open).transpose()?;
        let kept = file.as_ref().map(|file| file.read(&upload_url, service)).transpose()?.flatten();
        let service = kept.as_ref().map(|state| state.service).or(service).unwrap_or_default();
        let fresh = || self.seed.map_or_else(|| State::new(service), |seed| State::seeded(service, seed));
        let mut state = kept.unwrap_or_else(fresh);
        let traits = service.traits();
        state.redelivery = self.redelivery.map_or(traits.webhook.redelivery, clock::millis);
        state.rate_limit = self.rate_limit.unwrap_or_else(|| RateLimit::of(service));
        state.uploads.settings.retval = traits.gives_upload_tokens;
        state.uploads.base_url = upload_url;
        let (bot_id, token) = state.first_bot(self.bot_name, self.bot_username, self.token);
        if let Some(file) = &mut file {
            // Better now than at the first change.
            file.write(&state)?;
        }
        let bell = file.is_some().then(Arc::<Bell>::default);
        let world = Arc::new(World::new(state, bell.clone()));
        let keeper = file.zip(bell).map(|(file, bell)| Keeper::start(file, Arc::clone(&world), bell));
        let keeper = keeper.transpose().map_err(StartError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let timeout = self.delivery_timeout.unwrap_or(Duration::from_millis(traits.webhook.timeout));
        let shared = Arc::clone(&world);
        let control = self.has_control.then(|| {
            control::router(Control { world: Arc::clone(&world), base_url: base_url.clone(), patience: self.patience })
        });
        let thread = thread::Builder::new().name("tamtam-sandbox".to_owned());
        let thread = thread
            .spawn(move || server::run(listener, upload_listener, shared, timeout, control, stopped))
            .map_err(StartError::Thread)?;
        Ok(Sandbox {
            server: Arc::new(Server {
                world,
                service,
                base_url,
                token,
                bot_id,
                patience: self.patience,
                stop: Some(stop),
                thread: Some(thread),
                _keeper: keeper,
            }),
        })
    }
}

impl Sandbox {
    /// Starts a sandbox on a free port of the loopback interface.
    ///
    /// # Panics
    ///
    /// If the system gives no port or no thread.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Starts a sandbox of MAX on a free port of the loopback interface, with the limits of MAX ([`RateLimit::max`]).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// let max = tamtam_sandbox::Sandbox::max().await;
    /// let (bot, alice) = (max.bot(), max.user("Alice Liddell"));
    /// alice.says("hi");
    /// bot.send(alice.chat_id(), "Hello, Alice").await?;
    /// assert_eq!(alice.reads().await.text(), "Hello, Alice");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the system gives no port or no thread.
    pub async fn max() -> Self {
        Self::builder().service(tamtam::Service::Max).start().await
    }

    /// A sandbox with a bot of your choice.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The system does not give the port.
    #[error("port {port} of {host} is not to be had: {error}", host = Ipv4Addr::LOCALHOST)]
    Port {
        /// The port; 0 is any free one.
        port: u16,
        /// What the system says.
        error: io::Error,
    },
    /// The system gives no thread.
    #[error("no thread is to be had: {0}")]
    Thread(io::Error),
    /// The service is neither TamTam nor MAX.
    #[error("a sandbox cannot play {name}: use Service::TamTam or Service::Max unchanged")]
    Service {
        /// The name of the service.
        name: String,
    },
    /// The state file cannot be used.
    #[error(transparent)]
    StateFile(#[from] StateFileError),
}

/// A socket on a port, a free one if it is 0, and the URL that leads to it.
fn listen(port: u16) -> Result<(TcpListener, String), StartError> {
    let bind = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        Ok((listener, url))
    };
    bind().map_err(|error| StartError::Port { port, error })
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("SandboxBuilder");
        out.field("bot_name", &self.bot_name).field("bot_username", &self.bot_username);
        out.field("patience", &self.patience).field("delivery_timeout", &self.delivery_timeout);
        out.field("state_file", &self.state_file).field("service", &self.service);
        out.field("rate_limit", &self.rate_limit);
        out.field("seed", &self.seed).field("redelivery", &self.redelivery).finish_non_exhaustive()
    }
}
