//! TamTam in one process: a server on a loopback socket that behaves as the real one, and people
//! who write to your bot, press its buttons and read what it shows.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! use tamtam::sandbox::Sandbox;
//!
//! let tamtam = Sandbox::start().await;
//! let bot = tamtam.bot();
//! let alice = tamtam.user("Alice");
//! alice.says("hi");
//! bot.send(alice.chat_id(), "Hello, Alice").await?;
//! assert_eq!(alice.reads().await.text(), "Hello, Alice");
//! assert_eq!(tamtam.transcript(), "Alice starts Sandbox Bot\nAlice: hi\nSandbox Bot: Hello, Alice\n");
//! # Ok(())
//! # }
//! ```
//!
//! Requests go over real sockets and are judged as strictly as TamTam judges them: a wrong token is
//! a 401, a text that is too long a 400, and polls are held until there is something to tell. The
//! answers are written by hand from the API's document and what the server is known to do beyond
//! it, so that they can disagree with a client's models.
//!
//! The server has a thread of its own and lives in real time. A runtime whose clock is paused
//! (`start_paused`) lets its timeouts pass while it waits for a socket: do not use one with it.
//!
//! Files go to a host of their own, see [`Uploads`], on another port than the API.
//!
//! Operations that are not there yet answer 501. `format` of a message is taken and not applied:
//! the text stays as it was sent.

use std::fmt;
use std::net::{Ipv4Addr, TcpListener};
use std::panic::RefUnwindSafe;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

mod access;
mod acts;
mod attachments;
mod chat;
mod clock;
mod draft;
mod error;
mod exchange;
mod fields;
mod group;
mod ids;
mod json;
mod keyboard;
mod membership;
mod message;
mod operations;
mod people;
mod queue;
mod request;
mod routes;
mod seen;
mod server;
mod state;
mod transcript;
mod uploads;
mod wire;
mod world;

pub use exchange::Exchange;
pub use group::Group;
pub use people::Person;
pub use seen::Seen;
pub use transcript::Event;
pub use uploads::{ReceivedFile, UploadFault, UploadRequest, UploadStatus, Uploads};

use crate::{Bot, UserId};
use state::State;
use world::World;

/// How long a person waits for the bot, unless the builder says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

/// A TamTam of its own, with one bot. Cheap to clone; when the last clone and the last [`Person`]
/// and [`Group`] are gone, the server stops: its port is free and its connections are closed.
///
/// A hook that keeps a clone keeps the sandbox alive for ever.
#[derive(Clone)]
pub struct Sandbox {
    server: Arc<Server>,
}

/// The running server, stopped by dropping it.
struct Server {
    world: Arc<World>,
    base_url: String,
    token: String,
    bot_id: i64,
    patience: Duration,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What can be chosen about a [`Sandbox`] before it starts.
#[derive(Clone)]
#[must_use = "a builder does nothing until it is started"]
pub struct SandboxBuilder {
    bot_name: String,
    bot_username: String,
    token: Option<String>,
    patience: Duration,
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

    /// A sandbox with a bot of your choice.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder {
            bot_name: "Sandbox Bot".to_owned(),
            bot_username: "sandbox_bot".to_owned(),
            token: None,
            patience: PATIENCE,
        }
    }

    /// Where the API is, such as `http://127.0.0.1:40123`: without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.server.base_url
    }

    /// The bot's `access_token`. It looks like a real one, and for the same username it is the same
    /// in every run.
    pub fn token(&self) -> &str {
        &self.server.token
    }

    /// The bot's user id.
    pub fn bot_id(&self) -> UserId {
        UserId(self.server.bot_id)
    }

    /// The bot itself, ready to use.
    ///
    /// # Panics
    ///
    /// If the HTTP client cannot be set up.
    #[must_use]
    pub fn bot(&self) -> Bot {
        // The environment's proxy has no way to this process.
        let builder = Bot::builder(self.token()).base_url(self.base_url()).http(|http| http.no_proxy());
        match builder.build() {
            Ok(bot) => bot,
            Err(error) => panic!("the sandbox's bot cannot be made: {error}"),
        }
    }

    /// A new person. Each call makes another one, whatever the name.
    pub fn user(&self, name: impl Into<String>) -> Person {
        let name = name.into();
        let user_id = self.world().act(|state| state.add_person(name.clone()));
        Person { sandbox: self.clone(), user_id, name: name.into(), group: None }
    }

    /// A new group of these people and the bot, which is an administrator. The first person is the
    /// owner, and adds the others and then the bot: it gets `bot_added`.
    ///
    /// # Panics
    ///
    /// If there are no people.
    #[track_caller]
    pub fn group<'a>(&self, title: impl Into<String>, people: impl IntoIterator<Item = &'a Person>) -> Group {
        let mut people = people.into_iter().map(|person| person.user_id);
        let Some(owner) = people.next() else { panic!("a group needs an owner") };
        let (title, bot) = (title.into(), self.server.bot_id);
        let chat_id = self.world().act(|state| {
            let chat_id = state.found_group(title, owner);
            for user in people.chain([bot]) {
                state.take_in(chat_id, user, Some(owner));
            }
            chat_id
        });
        Group { sandbox: self.clone(), chat_id }
    }

    /// Everything that happened, a line each; [`Event`] tells how a line looks. When people talk to
    /// the bot in more than one dialog, the lines of a dialog begin with its person: `(Alice) `. Those of a
    /// group always begin with its title: `(Team) `.
    pub fn transcript(&self) -> String {
        self.world().act(|state| transcript::render(&state.events))
    }

    /// Calls `hook` for everything that happens in a conversation, in order, as it happens:
    /// `tamtam.on_event(|event| println!("{event}"))`.
    ///
    /// It is called on the thread of whoever did it, which is the server's for what the bot does. It
    /// may use people: what it makes happen is told after it returns. It must not wait for the bot.
    pub fn on_event(&self, hook: impl Fn(&Event) + Send + Sync + 'static) {
        self.world().on_event(Arc::new(hook));
    }

    /// Calls `hook` for every HTTP request, when its answer is ready and has not been sent yet: a
    /// client that has an answer can be sure that the hook has seen it. A poll whose client went
    /// away is not answered, and not told.
    ///
    /// It is called on the server's thread. If it panics, the client's connection is closed: keep
    /// what is to be checked, and check it in the test.
    pub fn on_exchange(&self, hook: impl Fn(&Exchange) + Send + Sync + 'static) {
        self.world().on_exchange(Arc::new(hook));
    }

    /// The host that takes uploads: what has arrived there, and what is to go wrong.
    pub fn uploads(&self) -> Uploads {
        Uploads::new(self.clone())
    }

    fn world(&self) -> &World {
        &self.server.world
    }

    fn patience(&self) -> Duration {
        self.server.patience
    }

    /// The transcript, for the message of a panic.
    fn told(&self) -> String {
        format!("The transcript:\n{}", self.transcript())
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

    /// How long [`Person::reads`] and its like wait for the bot before they panic: 5 seconds,
    /// unless it is set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts the sandbox on a free port of the loopback interface.
    ///
    /// # Panics
    ///
    /// If the system gives no port or no thread.
    pub async fn start(self) -> Sandbox {
        let token = self.token.unwrap_or_else(|| state::default_token(&self.bot_username));
        let mut state = State::default();
        let bot_id = state.add_bot(self.bot_name, self.bot_username, token.clone());
        let (listener, base_url) = listen();
        let (upload_listener, upload_url) = listen();
        state.uploads.base_url = upload_url;
        let world = Arc::new(World::new(state));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&world);
        let thread = thread::Builder::new().name("tamtam-sandbox".to_owned());
        let thread = thread.spawn(move || server::run(listener, upload_listener, shared, stopped)).expect("a thread");
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

/// A socket on a free port, and the URL that leads to it.
fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.set_nonblocking(true).expect("a socket that does not block");
    let url = format!("http://{}", listener.local_addr().expect("a bound socket"));
    (listener, url)
}

/// A verb that panics leaves nothing half done: tests may catch it and go on.
impl RefUnwindSafe for Server {}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else { return };
        // The last clone may have been in a hook, which runs on that very thread.
        if thread.thread().id() != thread::current().id() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("Sandbox");
        out.field("base_url", &self.server.base_url).finish_non_exhaustive()
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("SandboxBuilder");
        out.field("bot_name", &self.bot_name).field("bot_username", &self.bot_username);
        out.field("patience", &self.patience).finish_non_exhaustive()
    }
}
