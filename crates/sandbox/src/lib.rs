//! TamTam in one process: a server on a loopback socket that behaves as the real one, and people
//! who write to your bot, press its buttons and read what it shows.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> tamtam::Result<()> {
//! use tamtam_sandbox::Sandbox;
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
//! a 401, what the API's document does not allow a 400 that names the field, and polls are held until
//! there is something to tell. What is tolerated beyond the document, such as the action
//! `sending_image`, is listed with its reasons in `openapi/tolerance.yaml`. The answers are written by hand from the API's document and what the server is known to do beyond
//! it, so that they can disagree with a client's models.
//!
//! [Testing your bot](crate::guide::testing) shows whole tests.
//!
//! # Webhooks
//!
//! While a bot has a webhook, its updates are sent there and polls are refused with 405, as the API's document has it;
//! so is a poll that is held when the webhook is subscribed. Each webhook gets the updates it asks for one at a time and
//! in order. What it does not answer with 200 is sent again after a pause
//! ([`SandboxBuilder::redelivery`]), beside the others and in no order, for 8 hours of the sandbox's clock, which
//! [`Sandbox::time_passes`] moves; then the webhook is unsubscribed. [`Sandbox::delivers`] waits until everything has
//! arrived, [`Sandbox::on_delivery`] tells of every attempt.
//!
//! Nothing is lost between the two ways: what waits for a poll goes to the webhook that is subscribed then, and what no
//! webhook has taken, or asked for, can be polled when the last one is gone.
//!
//! Webhooks must be on one of TamTam's ports, but on a loopback host any port will do. Whatever `version` they ask for,
//! updates have the shape of 0.5.6.
//!
//! # Faults
//!
//! [`Sandbox::fails`] lets requests of an operation go wrong: a status, a reset, a body that breaks off, an answer that
//! comes too late; [`Fault`] tells of each whether the operation was carried out all the same.
//! [`Sandbox::loses_deliveries`] and [`Sandbox::repeats_update`] do the like to updates, and [`Sandbox::pushes`] sends
//! one that nobody knows. Uploads have faults of their own ([`Uploads::fail_next`]).
//!
//! # State
//!
//! [`SandboxBuilder::state_file`] keeps everything in a file, from which a later sandbox goes on. [`Sandbox::demo`] is
//! something to begin with.
//!
//! # A program
//!
//! The feature `sandbox-bin` has the same as a program for bots in any language, which tells at its start where it is:
//! `cargo run --bin tamtam-sandbox --features sandbox-bin -- --port 8090 --seed demo`. By the endpoints of [`control`] a
//! test acts as people there, and makes things go wrong.
//!
//! # Limits
//!
//! The server has a thread of its own and lives in real time. A runtime whose clock is paused
//! (`start_paused`) lets its timeouts pass while it waits for a socket: do not use one with it.
//!
//! Files go to a host of their own, see [`Uploads`], on another port than the API.
//!
//! The server formats texts by the notations that the document tells of, Markdown and HTML, and where their authors
//! have left a question open it does as CommonMark and browsers do: a marker without a partner stays text, a tag that is
//! not closed reaches to the end.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

use std::fmt;
use std::panic::RefUnwindSafe;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

mod builder;
mod clock;
pub mod control;
mod demo;
mod faults;
pub mod guide;
mod markup;
mod operations;
mod people;
mod server;
mod snapshot;
mod state;
mod state_file;
mod tokens;
mod transcript;
mod updates;
mod uploads;
mod validation;
mod world;

pub use builder::{SandboxBuilder, StartError};
pub use demo::Demo;
pub use faults::Fault;
pub use people::{Account, Constructor, Enclosure, Group, Person, Prepared, Seen};
pub use server::exchange::Exchange;
pub use state_file::StateFileError;
pub use transcript::Event;
pub use updates::Delivery;
pub use uploads::{ReceivedFile, UploadFault, UploadRequest, UploadStatus, Uploads};

use people::actor::Actor;
use state_file::Keeper;
use tamtam::{Bot, UserId};
use world::World;

/// A TamTam of its own, with one bot, and as many more as are [added](Sandbox::add_bot). Cheap to clone; when the last clone and the last [`Person`]
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
    /// Dropped last: what the server has done up to its end is kept.
    _keeper: Option<Keeper>,
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
        SandboxBuilder::default()
    }

    /// Where the API is, such as `http://127.0.0.1:40123`: without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.server.base_url
    }

    /// The bot's `access_token`. It looks like a real one, and for the same username (and seed, if there is one) it is
    /// the same in every run.
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
        self.bot_of(self.token())
    }

    /// The bot with this token.
    fn bot_of(&self, token: &str) -> Bot {
        // The environment's proxy has no way to this process.
        let builder = Bot::builder(token).base_url(self.base_url()).http(|http| http.no_proxy());
        match builder.build() {
            Ok(bot) => bot,
            Err(error) => panic!("the sandbox's bot cannot be made: {error}"),
        }
    }

    /// A new person. Each call makes another one, whatever the name.
    pub fn user(&self, name: impl Into<String>) -> Person {
        let name = name.into();
        let user_id = self.world().act(|state| state.add_person(name.clone()));
        let actor = Actor { user_id, bot: self.server.bot_id, group: None };
        Person { sandbox: self.clone(), actor, name: name.into() }
    }

    /// A new group of these people and the bot, which is an administrator. The first person is the
    /// owner, and adds the others and then the bot: it gets `bot_added`.
    ///
    /// # Panics
    ///
    /// If there are no people.
    #[track_caller]
    pub fn group<'a>(&self, title: impl Into<String>, people: impl IntoIterator<Item = &'a Person>) -> Group {
        self.found(title.into(), people, false)
    }

    /// A new channel of these people and the bot, which is an administrator. The first person is the owner; the
    /// others read it. The owner adds them and then the bot: it gets `bot_added`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let (bot, alice, bob) = (tamtam.bot(), tamtam.user("Alice"), tamtam.user("Bob"));
    /// let news = tamtam.channel("News", [&alice, &bob]).with_public_link("news");
    /// let post = bot.send(news.chat_id(), "The sun shines").await?;
    /// assert_eq!(bob.in_chat(&news).reads().await.text(), "The sun shines");
    /// let post = bot.api().get_message_by_id(&post).await?;
    /// assert_eq!(post.stat.unwrap().views, 1);
    /// assert!(post.sender.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If there are no people.
    #[track_caller]
    pub fn channel<'a>(&self, title: impl Into<String>, people: impl IntoIterator<Item = &'a Person>) -> Group {
        self.found(title.into(), people, true)
    }

    #[track_caller]
    fn found<'a>(&self, title: String, people: impl IntoIterator<Item = &'a Person>, is_channel: bool) -> Group {
        let mut people = people.into_iter().map(|person| person.actor.user_id);
        let Some(owner) = people.next() else { panic!("a chat needs an owner") };
        let bot = self.server.bot_id;
        let chat_id = self.world().act(|state| state.found_with(title, owner, people.chain([bot]), is_channel));
        Group { sandbox: self.clone(), chat_id }
    }

    /// A group or channel by its id, such as one that a chat button has created.
    ///
    /// # Panics
    ///
    /// If there is none with this id, or it is a dialog.
    #[track_caller]
    pub fn chat(&self, chat_id: tamtam::ChatId) -> Group {
        let found = self.world().act(|state| state.chats.get(&chat_id.0).is_some_and(|chat| !chat.is_dialog()));
        assert!(found, "there is no group or channel {chat_id}");
        Group { sandbox: self.clone(), chat_id: chat_id.0 }
    }

    /// Everything that happened, a line each; [`Event`] tells how a line looks. When people talk to
    /// bots in more than one dialog, the lines of a dialog begin with its person: `(Alice) `, and `(Alice, Helper) ` with
    /// a bot that was added. Those of a
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
    /// away is not answered, and not told. Requests to the [`control`] endpoints are told without what they say.
    ///
    /// It is called on the server's thread. If it panics, the client's connection is closed: keep
    /// what is to be checked, and check it in the test.
    pub fn on_exchange(&self, hook: impl Fn(&Exchange) + Send + Sync + 'static) {
        self.world().on_exchange(Arc::new(hook));
    }

    /// Calls `hook` when the [state file](SandboxBuilder::state_file) was written, or could not be: that is logged as an
    /// error as well, and tried again at the next change.
    ///
    /// It is called on a thread of its own, the last time when the sandbox ends.
    pub fn on_save(&self, hook: impl Fn(&Result<(), StateFileError>) + Send + Sync + 'static) {
        self.world().on_save(Arc::new(hook));
    }

    /// Lets time pass: moves the sandbox's clock forward, by which messages are dated and webhooks lose their patience.
    /// Nobody waits: `tamtam.time_passes(Duration::from_secs(8 * 60 * 60))` returns at once.
    ///
    /// What was to be delivered again in that time is delivered again now, once; a webhook that has refused an update
    /// for 8 hours is gone when this returns. A poll that is held goes on being held, in real time.
    ///
    /// # Panics
    ///
    /// If the clock would show a time after the year 6300 or so, for which the ids of messages have no room.
    #[track_caller]
    pub fn time_passes(&self, time: Duration) {
        let fits = self.world().act(|state| state.let_pass(time));
        assert!(fits, "{}: {time:?} is too long", clock::TOO_FAR);
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

/// A verb that panics leaves nothing half done: tests may catch it and go on.
impl RefUnwindSafe for Server {}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        state_file::join(self.thread.take());
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("Sandbox");
        out.field("base_url", &self.server.base_url).finish_non_exhaustive()
    }
}
