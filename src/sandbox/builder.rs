//! What can be chosen about a sandbox, and its start.

use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::control::Control;
use super::state::State;
use super::world::World;
use super::{Sandbox, Server, clock, server};

/// How long a person waits for the bot, unless the builder says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same for a webhook's answer.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a webhook is left alone with an update it did not take, unless the builder says otherwise: TamTam's 30 to
/// 60 seconds are too long for tests.
const REDELIVERY: Duration = Duration::from_millis(200);

/// What can be chosen about a [`Sandbox`] before it starts.
#[derive(Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct SandboxBuilder {
    bot_name: String,
    bot_username: String,
    token: Option<String>,
    seed: Option<u64>,
    port: u16,
    patience: Duration,
    delivery_timeout: Duration,
    redelivery: Duration,
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
            patience: PATIENCE,
            delivery_timeout: DELIVERY_TIMEOUT,
            redelivery: REDELIVERY,
            has_control: false,
        }
    }
}

impl SandboxBuilder {
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
    /// use tamtam::sandbox::Sandbox;
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

    /// How long [`Person::reads`] and its like wait for the bot before they panic: 5 seconds,
    /// unless it is set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long a webhook that did not take an update is left alone before it gets the update again: 200 milliseconds
    /// unless it is set. TamTam takes 30 to 60 seconds, which [`Sandbox::time_passes`] can skip.
    pub fn redelivery(mut self, pause: Duration) -> Self {
        self.redelivery = pause;
        self
    }

    /// How long a webhook may take to answer, from connecting on: 5 seconds unless it is set.
    pub fn delivery_timeout(mut self, timeout: Duration) -> Self {
        self.delivery_timeout = timeout;
        self
    }

    /// The port of the loopback interface to listen on: a free one, unless it is set.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Adds the endpoints of [`control`](super::control) to the API's port, by which a test in any language acts as
    /// people and makes things go wrong. They want no token.
    pub fn control_endpoints(mut self) -> Self {
        self.has_control = true;
        self
    }

    /// Starts the sandbox.
    ///
    /// # Panics
    ///
    /// If the system does not give the port, or no thread.
    pub async fn start(self) -> Sandbox {
        let mut state = self.seed.map_or_else(State::default, State::seeded);
        let token = self.token.unwrap_or_else(|| state.default_token(&self.bot_username));
        state.redelivery = clock::millis(self.redelivery);
        let bot_id = state.add_bot(self.bot_name, self.bot_username, token.clone());
        let (listener, base_url) = listen(self.port);
        let (upload_listener, upload_url) = listen(0);
        state.uploads.base_url = upload_url;
        let world = Arc::new(World::new(state));
        let (stop, stopped) = oneshot::channel();
        let (shared, timeout) = (Arc::clone(&world), self.delivery_timeout);
        let control = self.has_control.then(|| Control {
            world: Arc::clone(&world),
            base_url: base_url.clone(),
            patience: self.patience,
        });
        let thread = thread::Builder::new().name("tamtam-sandbox".to_owned());
        let thread = thread
            .spawn(move || server::run(listener, upload_listener, shared, timeout, control, stopped))
            .expect("a thread");
        Sandbox {
            server: Arc::new(Server {
                world,
                base_url,
                token,
                bot_id,
                patience: self.patience,
                stop: Some(stop),
                thread: Some(thread),
            }),
        }
    }
}

/// A socket on a port, a free one if it is 0, and the URL that leads to it.
fn listen(port: u16) -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a free port");
    listener.set_nonblocking(true).expect("a socket that does not block");
    let url = format!("http://{}", listener.local_addr().expect("a bound socket"));
    (listener, url)
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("SandboxBuilder");
        out.field("bot_name", &self.bot_name).field("bot_username", &self.bot_username);
        out.field("patience", &self.patience).field("delivery_timeout", &self.delivery_timeout);
        out.field("seed", &self.seed).field("redelivery", &self.redelivery).finish_non_exhaustive()
    }
}
