//! The settings of a sandbox, and its start.

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
use crate::server::save_signal::SaveSignal;
use crate::server::state_writer::StateWriter;
use crate::server::world::World;
use crate::state::State;
use crate::state::clock;
use crate::state::file::{StateFile, StateFileError};
use crate::state::rate_limit::RateLimit;

/// The default of [`SandboxBuilder::patience`].
const PATIENCE: Duration = Duration::from_secs(5);

/// A builder for a [`Sandbox`]. Created by [`Sandbox::builder`].
///
/// Every sandbox starts with one bot. On this page, "the bot" means this bot. A webhook is a URL to which the sandbox
/// sends the updates of a bot.
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
    /// Sets the service that the sandbox simulates: `Service::TamTam` or `Service::Max`. With any other service, the
    /// sandbox does not start ([`StartError::Service`]). Defaults to the service in the [state file](Self::state_file),
    /// or to TamTam if there is no such file.
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

    /// Sets the rate limits of the bots. Defaults to [`RateLimit::max`] on MAX, and to [`RateLimit::none`] on TamTam.
    /// [`Sandbox::rate_limited`] returns the number of requests that were refused because of a limit.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = Some(limit);
        self
    }

    /// Sets the bot's visible name. Defaults to "Sandbox Bot". Ignored if the [state file](Self::state_file) exists.
    pub fn bot_name(mut self, name: impl Into<String>) -> Self {
        self.bot_name = name.into();
        self
    }

    /// Sets the bot's username, without the `@`. Defaults to `sandbox_bot`. Ignored if the
    /// [state file](Self::state_file) exists.
    pub fn bot_username(mut self, username: impl Into<String>) -> Self {
        self.bot_username = username.into();
        self
    }

    /// Sets the bot's token. Defaults to the token in the [state file](Self::state_file). If there is no such file, the
    /// default is a generated token. The generated token depends only on [`bot_username`](Self::bot_username) and
    /// [`seed`](Self::seed).
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Sets a seed, which makes runs reproducible. Two runs with the same seed, settings and order of events have the
    /// same transcript, ids, tokens and times. Ignored if the [state file](Self::state_file) exists.
    ///
    /// With a seed, the sandbox's clock starts in 2025, and moves in steps of 1 s. For example, each new message moves
    /// the clock. By default, there is no seed, and the clock shows real time. In both cases, [`Sandbox::time_passes`]
    /// moves the clock forward.
    ///
    /// Even with a seed, these values differ between runs: ports, the URLs of media (which contain a port), and the
    /// times in the launch data of Mini Apps.
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

    /// Sets the maximum time that methods such as [`Person::reads`](crate::Person::reads) and [`Sandbox::settles`]
    /// wait. After this time, the method panics. Defaults to 5 s.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Sets the pause before the first redelivery of an update. The sandbox redelivers an update if the webhook does
    /// not respond with the status 200 in time ([`delivery_timeout`](Self::delivery_timeout)). All pauses before
    /// redeliveries pass in real time, unless [`Sandbox::time_passes`] skips them.
    ///
    /// | | on TamTam | on MAX |
    /// |---|---|---|
    /// | default | 200 ms (the real TamTam waits 30 to 60 s) | 60 s, as on the real MAX |
    /// | further pauses | as long as the first pause | 2.5 times the previous pause |
    /// | redeliveries of an update | unlimited for 8 h; then the webhook is removed | at most 10; then the update is lost |
    pub fn redelivery(mut self, pause: Duration) -> Self {
        self.redelivery = Some(pause);
        self
    }

    /// Sets the maximum time of a delivery to a webhook, in real time. This time includes connecting and waiting for
    /// the response. A delivery that takes longer fails. Defaults to 5 s on TamTam, and to 30 s on MAX, as on the real
    /// MAX.
    pub fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.delivery_timeout = Some(timeout);
        self
    }

    /// Sets the port of the API on the loopback interface. Defaults to 0, which stands for any free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Adds the HTTP endpoints of [`control`] to the API's port. With these endpoints, a test in any language can
    /// control the simulated people and inject faults. The endpoints need no token, and refuse cross-origin requests of
    /// web pages. By default, a sandbox does not have these endpoints.
    pub fn control_endpoints(mut self) -> Self {
        self.has_control = true;
        self
    }

    /// Sets the port of the upload host on the loopback interface. The upload host is the server to which bots upload
    /// files. The URLs of media, such as photos, contain this port. Defaults to 0, which stands for any free port.
    pub fn upload_port(mut self, port: u16) -> Self {
        self.upload_port = port;
        self
    }

    /// Keeps the state of the sandbox in the file at `path`. If the file exists, the sandbox continues from the state
    /// in the file. If the file does not exist, the sandbox creates it. By default, the state is lost when the sandbox
    /// stops.
    ///
    /// | state | kept in the file |
    /// |---|---|
    /// | people, chats, messages, button presses, open [constructors](crate::Constructor) | yes |
    /// | bots with their tokens, commands, webhooks and waiting updates | yes |
    /// | media with their bytes, the transcript, the time of the clock | yes |
    /// | faults ([`Sandbox::fails`], [`Sandbox::loses_deliveries`], [`Uploads::fail_next`](crate::Uploads::fail_next)), settings of [`Uploads`](crate::Uploads) | no |
    /// | [requests](crate::Uploads::requests) and [received files](crate::Uploads::received) of the upload host, unfinished uploads | no |
    ///
    /// # If the file exists
    ///
    /// - If [`token`](Self::token) is set, it replaces the token in the file.
    /// - The sandbox simulates the service in the file. If [`service`](Self::service) sets another service, the sandbox
    ///   does not start ([`StateFileError::OtherService`]).
    /// - If the previous sandbox stopped during the delivery of an update to a webhook, the update is delivered again.
    /// - The URLs of media contain the current port of the upload host.
    ///
    /// # When the file is written
    ///
    /// The file is written when the sandbox starts, after changes, and when the sandbox stops. If there are changes,
    /// the pause between two writes is 0.1 s to 0.5 s. Each write replaces the whole file, so the file is never
    /// incomplete. To detect failed writes, use [`Sandbox::on_save`].
    ///
    /// If the process is killed, the changes since the start of the last complete write are lost. The next sandbox does
    /// not reuse ids and markers of the lost changes. A marker is a position in the updates of a bot.
    ///
    /// During a write, the directory of the file also contains a temporary file such as
    /// `state.json.0123456789abcdef.new`. If a killed process leaves this file, the next sandbox removes the file.
    ///
    /// Only one sandbox at a time can open the file. A second sandbox does not start ([`StateFileError::InUse`]). The
    /// sandbox locks an empty file such as `state.json.lock` in the same directory. The lock file is never removed.
    ///
    /// The format of the file is JSON. Later versions of this crate may change the format: see the changelog.
    ///
    /// # Example
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
    /// Panics if [`try_start`](Self::try_start) returns an error.
    pub async fn start(self) -> Sandbox {
        self.try_start().await.unwrap_or_else(|error| panic!("cannot start the sandbox: {error}"))
    }

    /// Starts the sandbox, or returns an error. [`start`](Self::start) panics instead.
    ///
    /// # Errors
    ///
    /// - [`StartError::Port`]: if the [port](Self::port) or the [upload port](Self::upload_port) is not available.
    /// - [`StartError::Thread`]: if the operating system cannot start a thread.
    /// - [`StartError::StateFile`]: if the [state file](Self::state_file) cannot be used. [`StateFileError`] lists the
    ///   reasons.
    /// - [`StartError::Service`]: if the [service](Self::service) is not exactly `Service::TamTam` or `Service::Max`.
    ///   For example, the builder refuses a `Service::Max` with a changed base URL.
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
            // Reports a file that cannot be written at the start, not at the first change.
            file.write(&state)?;
        }
        let save_signal = file.is_some().then(Arc::<SaveSignal>::default);
        let world = Arc::new(World::new(state, save_signal.clone()));
        let state_writer =
            file.zip(save_signal).map(|(file, save_signal)| StateWriter::start(file, Arc::clone(&world), save_signal));
        let state_writer = state_writer.transpose().map_err(StartError::Thread)?;
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
                _state_writer: state_writer,
            }),
        })
    }
}

impl Sandbox {
    /// Starts a sandbox of TamTam with the default settings, on free ports of the loopback interface.
    ///
    /// # Panics
    ///
    /// Panics if no port or no thread is available.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Starts a sandbox of MAX with the default settings, on free ports of the loopback interface. The sandbox has the
    /// rate limits of MAX ([`RateLimit::max`]).
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
    /// Panics if no port or no thread is available.
    pub async fn max() -> Self {
        Self::builder().service(tamtam::Service::Max).start().await
    }

    /// Creates a builder, which configures and starts a sandbox.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }
}

/// The error of [`SandboxBuilder::try_start`], with the reason why the sandbox did not start.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam_sandbox::{Sandbox, StartError};
///
/// let first = Sandbox::start().await;
/// let port = first.base_url().rsplit(':').next().unwrap().parse().unwrap();
/// let error = Sandbox::builder().port(port).try_start().await.unwrap_err();
/// assert!(matches!(error, StartError::Port { port: taken, .. } if taken == port));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The port of the API or of the upload host is not available.
    #[error("cannot listen on port {port} of {host}: {error}", host = Ipv4Addr::LOCALHOST)]
    Port {
        /// The requested port. 0 stands for any free port.
        port: u16,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The operating system could not start a thread of the sandbox.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The [service](SandboxBuilder::service) is not exactly `Service::TamTam` or `Service::Max`. For example, the
    /// service is a `Service::Max` with a changed base URL.
    #[error("the sandbox does not simulate {name}: use Service::TamTam or Service::Max unchanged")]
    Service {
        /// The name of the service that [`SandboxBuilder::service`] sets.
        name: String,
    },
    /// The [state file](SandboxBuilder::state_file) cannot be used. The inner error contains the reason.
    #[error(transparent)]
    StateFile(#[from] StateFileError),
}

/// Listens on a port. 0 stands for any free port. Returns the socket and its URL.
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
