//! A running sandbox: its bot, its clock, its hooks, and the faults of the server.

use std::fmt;
use std::panic::{Location, RefUnwindSafe};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tamtam::{Bot, UserId};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::protocol::service::Service;
use crate::server::delivery::Delivery;
use crate::server::exchange::Exchange;
use crate::server::faults::{self, Fault};
use crate::server::state_writer::{self, StateWriter};
use crate::server::world::World;
use crate::state::clock;
use crate::state::event::{self, Event};
use crate::state::file::StateFileError;

/// Time without activity after which bots count as idle. A request on the loopback interface takes less.
pub(crate) const QUIET: Duration = Duration::from_millis(50);

/// A running simulated messenger, [TamTam](Sandbox::start) or [MAX](Sandbox::max). A sandbox starts with one bot, and
/// [`add_bot`](Sandbox::add_bot) adds more bots.
///
/// A clone is cheap and refers to the same messenger. Each [`Person`](crate::Person), [`Group`](crate::Group),
/// [`Account`](crate::Account), [`Constructor`](crate::Constructor) and [`Uploads`](crate::Uploads) contains a clone.
/// When the last clone is dropped, the sandbox stops, closes its connections and frees its ports.
///
/// A hook is a function that the sandbox calls, for example for each event ([`on_event`](Self::on_event)). If a hook
/// owns a clone, the sandbox never stops.
///
/// On this page, "the bot" means the bot with which the sandbox started. A dialog is a private chat between one person
/// and a bot. A webhook is a URL to which the sandbox sends the updates of a bot. A poll is a request for updates. If
/// there is no update, the sandbox holds the poll until an update comes or the timeout of the poll expires.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam_sandbox::Sandbox;
///
/// let tamtam = Sandbox::start().await;
/// let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
/// alice.starts();
/// bot.send(alice.chat_id(), "Hello, Alice").await?;
/// assert_eq!(alice.reads().await.text(), "Hello, Alice");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) server: Arc<Server>,
}

/// The running server. Dropping it stops the server.
pub(crate) struct Server {
    pub(crate) world: Arc<World>,
    pub(crate) service: Service,
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) bot_id: i64,
    pub(crate) patience: Duration,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) thread: Option<JoinHandle<()>>,
    /// Dropped last, so that the state file has everything that the server did.
    pub(crate) _state_writer: Option<StateWriter>,
}

impl Sandbox {
    /// Returns the URL of the API, such as `http://127.0.0.1:40123`, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.server.base_url
    }

    /// Returns the bot's token. To set the token, use [`SandboxBuilder::token`](crate::SandboxBuilder::token).
    pub fn token(&self) -> &str {
        &self.server.token
    }

    /// Returns the service that this sandbox simulates.
    pub fn service(&self) -> tamtam::Service {
        self.server.service.in_sdk()
    }

    /// Returns the number of requests that were refused with the status 429 because of a
    /// [rate limit](crate::RateLimit). Requests that get the status 429 from a [`Fault`] do not count.
    pub fn rate_limited(&self) -> u64 {
        self.world().act(|state| state.recent.refused)
    }

    /// Returns the bot's user id.
    pub fn bot_id(&self) -> UserId {
        UserId(self.server.bot_id)
    }

    /// Returns a [`Bot`] with the URL of the sandbox and the token of the bot. The returned `Bot` delays its requests
    /// ([`Pace`](tamtam::settings::Pace)) to stay within the [`RateLimit`](crate::RateLimit) of the sandbox.
    ///
    /// Clones of the returned `Bot` share one `Pace`. Each call of this method returns a `Bot` with its own `Pace`, so
    /// two of these `Bot` values together can exceed the `RateLimit`.
    ///
    /// # Panics
    ///
    /// Panics if the HTTP client cannot be created.
    #[must_use]
    pub fn bot(&self) -> Bot {
        self.bot_of(self.token())
    }

    /// Returns the bot with this token.
    pub(crate) fn bot_of(&self, token: &str) -> Bot {
        // A proxy of the environment cannot reach this process.
        let service = self.server.service.in_sdk();
        let pace = self.world().act(|state| state.rate_limit.pace());
        let builder = Bot::builder(token).service(service).base_url(self.base_url()).pace(pace).no_proxy();
        match builder.build() {
            Ok(bot) => bot,
            Err(error) => panic!("cannot build the sandbox's bot: {error}"),
        }
    }

    /// Returns the transcript: all events in all chats as text. Each [`Event`] starts a new line. If a message has
    /// several lines, all lines after the first are indented.
    ///
    /// The start of the first line of an event names the chat:
    ///
    /// | chat | start of the line |
    /// |---|---|
    /// | group or channel | its title: `(Team) ` |
    /// | the only dialog in the transcript | nothing |
    /// | one of several dialogs, with the bot | the name of the person: `(Alice) ` |
    /// | one of several dialogs, with another bot | the names of the person and the bot: `(Alice, Helper) ` |
    pub fn transcript(&self) -> String {
        self.world().act(|state| event::render(&state.events))
    }

    /// Adds a hook that is called for each new event in any chat, in the order of the events. For example,
    /// `tamtam.on_event(|event| println!("{event}"))` prints the events.
    ///
    /// `hook` can run on any thread that causes events, for example on the server's thread. So `hook` must not wait for
    /// a bot.
    ///
    /// `hook` may call methods of [`Person`](crate::Person) that do not wait for a bot. The events of these calls are
    /// reported after `hook` returns.
    pub fn on_event(&self, hook: impl Fn(&Event) + Send + Sync + 'static) {
        self.world().on_event(Arc::new(hook));
    }

    /// Adds a hook that is called for each HTTP request to the API, before the sandbox sends the response. These
    /// rules apply:
    ///
    /// - If the client disconnects while it waits for the response, for example during a held poll, `hook` is not
    ///   called.
    /// - `hook` is also called for a request to the [`control`](crate::control) endpoints. The [`Exchange`] of this
    ///   request contains neither the query nor the bodies.
    /// - `hook` is not called for a request to the [upload host](crate::Uploads). For these requests, use
    ///   [`Uploads::on_request`](crate::Uploads::on_request).
    ///
    /// `hook` runs on the server's thread, and must not wait for a bot. A panic in `hook` closes the client's
    /// connection and does not fail the test. So collect the exchanges in `hook`, and check them in the test.
    pub fn on_exchange(&self, hook: impl Fn(&Exchange) + Send + Sync + 'static) {
        self.world().on_exchange(Arc::new(hook));
    }

    /// Adds a hook that is called after each attempt to write the [state file](crate::SandboxBuilder::state_file). A
    /// failed write is also logged at the level ERROR. The write is retried at the next change of the state, or when
    /// the sandbox stops.
    ///
    /// `hook` runs on the thread that writes the file. The last call happens when the sandbox stops.
    pub fn on_save(&self, hook: impl Fn(&Result<(), StateFileError>) + Send + Sync + 'static) {
        self.world().on_save(Arc::new(hook));
    }

    /// Moves the sandbox's clock forward by `time`, and returns at once. The skipped time affects:
    ///
    /// - The times of messages, and the time in the launch data of a Mini App.
    /// - The pauses before redeliveries (repeated deliveries of an update to a webhook), and the 8 h after which a
    ///   failing webhook is removed.
    /// - The per-second limits, and the time that an update waits for a poll ([`RateLimit`](crate::RateLimit)).
    /// - On MAX, the time in which a message of a bot, or a comment, can be edited.
    /// - On MAX, the time for which a dialog is muted ([`Person::mutes_for`](crate::Person::mutes_for)).
    ///
    /// If the next redelivery of an update is due within `time`, the sandbox attempts this redelivery at once. One call
    /// of this method causes at most one redelivery of each update, even if `time` is longer than several pauses. Polls
    /// are held in real time, so this method does not end a held poll.
    ///
    /// On TamTam, the sandbox removes a webhook if one update is not accepted for 8 h. On MAX, the sandbox removes a
    /// webhook if all deliveries fail for 8 h. If the 8 h end within `time`, the webhook is removed before the call
    /// returns.
    ///
    /// # Panics
    ///
    /// Panics if the new time is after the year 6300 (approximately).
    #[track_caller]
    pub fn time_passes(&self, time: Duration) {
        let fits = self.world().act(|state| state.let_pass(time));
        assert!(fits, "{}: {time:?} is too long", clock::TOO_FAR);
    }

    /// Adds a hook that is called after every attempt to deliver an update to a webhook, successful or not.
    ///
    /// `hook` runs on the server's thread, and must not wait for a bot. [`delivers`](Self::delivers) returns after
    /// `hook` has run for every accepted update.
    pub fn on_delivery(&self, hook: impl Fn(&Delivery) + Send + Sync + 'static) {
        self.world().on_delivery(Arc::new(hook));
    }

    /// Injects a fault into the next requests of an operation. The requests can come from any client.
    ///
    /// - `operation`: the `operationId` in the API's OpenAPI document, for example `sendMessage`.
    /// - `fault`: the fault. [`Fault::times`] sets the number of requests that get the fault.
    ///
    /// If you call this method several times for one operation, the faults happen in the order of the calls.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam_sandbox::{Fault, Sandbox};
    ///
    /// let tamtam = Sandbox::start().await;
    /// # let fast = tamtam::settings::RetryPolicy::default().backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
    /// # let bot = tamtam::Bot::builder(tamtam.token()).base_url(tamtam.base_url()).retry(fast).http(|http| http.no_proxy()).build()?;
    /// # /*
    /// let bot = tamtam.bot();
    /// # */
    /// let alice = tamtam.user("Alice");
    /// alice.starts();
    /// // Two requests get the fault. The bot retries, and the third request succeeds.
    /// tamtam.fails("sendMessage", Fault::status(503).times(2));
    /// bot.send(alice.chat_id(), "the third time").await?;
    ///
    /// // The server posts the message, but the client gets no response.
    /// tamtam.fails("sendMessage", Fault::reset().applied(true));
    /// let error = bot.send(alice.chat_id(), "posted, but unconfirmed").await.unwrap_err();
    /// assert!(error.may_have_been_applied());
    /// assert_eq!(alice.sees(), ["the third time", "posted, but unconfirmed"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the API of the service does not have `operation`. The panic message lists all operations.
    #[track_caller]
    pub fn fails(&self, operation: &str, fault: Fault) {
        let service = self.server.service;
        let is_known = self.world().faults().add(service, operation, fault);
        assert!(is_known, "the API has no operation {operation}, use one of {}", faults::operations(service));
    }

    /// Drops the next `times` deliveries to webhooks. A dropped delivery counts as failed, so the sandbox delivers the
    /// update again after a pause ([`SandboxBuilder::redelivery`](crate::SandboxBuilder::redelivery)). Later updates do
    /// not wait for this redelivery.
    pub fn loses_deliveries(&self, times: u32) {
        self.world().lose_deliveries(times);
    }

    /// Waits until the webhooks have accepted all their updates with the status 200. If there are no webhooks, the
    /// method returns at once. On MAX, an update is lost after ten failed redeliveries. The method does not wait for
    /// lost updates.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use axum::{Router, routing::post};
    /// use tamtam::types::SubscriptionRequestBody;
    /// use tamtam_sandbox::Sandbox;
    ///
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let url = format!("http://{}/a-secret-path", listener.local_addr()?);
    /// # let webhook = Router::new().route("/a-secret-path", post(async || "OK"));
    /// # tokio::spawn(axum::serve(listener, webhook).into_future());
    /// let tamtam = Sandbox::start().await;
    /// tamtam.bot().api().subscribe(SubscriptionRequestBody::new(url)).await?;
    /// tamtam.on_delivery(|sent| println!("{:?} {}", sent.status(), sent.update()));
    /// tamtam.user("Alice").says("hi");
    /// tamtam.delivers().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if some updates are still undelivered after
    /// [`SandboxBuilder::patience`](crate::SandboxBuilder::patience). The panic message lists the undelivered updates,
    /// and contains the transcript.
    #[track_caller]
    pub fn delivers(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sandbox, caller) = (self.clone(), Location::caller());
        // `#[track_caller]` has no effect on an `async` function.
        async move {
            let patience = sandbox.patience();
            let deadline = Instant::now() + patience;
            let done = sandbox.world().wait(deadline, |state| state.is_all_delivered().then_some(())).await;
            if done.is_none() {
                let undelivered = sandbox.world().act(|state| state.undelivered());
                let told = sandbox.told();
                panic!("{caller}: not everything was delivered in {patience:?}:\n{undelivered}{told}");
            }
        }
    }

    /// Waits until the bots are idle. A test can then assert that a bot has sent nothing.
    ///
    /// Bots are idle if all of these conditions hold:
    ///
    /// - Every update counts as handled. An update counts as handled when a later poll has confirmed it, or when a
    ///   webhook has accepted it with the status 200. An update that is lost after ten failed redeliveries (on MAX)
    ///   also counts as handled. If the latest poll of a bot selects types of updates, updates of other types are
    ///   ignored.
    /// - Every request that is not a held poll has a response.
    /// - For 50 ms, there was no request and no event.
    ///
    /// A bot may still be working on an update that counts as handled, for example in a spawned task. A bot with a
    /// [`Journal`](tamtam::updates::Journal), a queue of updates on disk, confirms its updates before it handles them.
    /// In both cases, `settles` can return before the bot has finished its work.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # use tamtam::{Bot, Update};
    /// # use tamtam_sandbox::Sandbox;
    /// async fn ignore(_bot: Bot, _update: Update) -> tamtam::Result<()> {
    ///     Ok(())
    /// }
    ///
    /// let tamtam = Sandbox::start().await;
    /// tokio::spawn(tamtam.bot().run(ignore).run());
    /// let alice = tamtam.user("Alice");
    /// alice.says("Good morning");
    /// tamtam.settles().await;
    /// assert_eq!(alice.sees(), ["Good morning"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the bots are not idle within [`SandboxBuilder::patience`](crate::SandboxBuilder::patience), for
    /// example because a bot is not running. The panic message lists the unhandled updates, and contains the
    /// transcript.
    #[track_caller]
    pub fn settles(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sandbox, caller) = (self.clone(), Location::caller());
        async move {
            let patience = sandbox.patience();
            if !sandbox.world().settles(QUIET, Instant::now() + patience).await {
                let unhandled = sandbox.world().act(|state| state.unhandled());
                let told = sandbox.told();
                panic!("{caller}: the bots were not idle in {patience:?}:\n{unhandled}{told}");
            }
        }
    }

    /// Waits until the sandbox holds at least `count` polls.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # use tamtam_sandbox::Sandbox;
    /// let tamtam = Sandbox::start().await;
    /// let alice = tamtam.user("Alice");
    /// let bot = tamtam.bot();
    /// let poll = tokio::spawn(async move { bot.api().get_updates().await });
    /// tamtam.holds_polls(1).await;
    /// alice.starts();
    /// let page = poll.await.unwrap()?;
    /// # assert_eq!(page.updates.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the sandbox does not hold `count` polls within
    /// [`SandboxBuilder::patience`](crate::SandboxBuilder::patience). The panic message contains the transcript.
    #[track_caller]
    pub fn holds_polls(&self, count: usize) -> impl Future<Output = ()> + Send + use<> {
        let (sandbox, caller) = (self.clone(), Location::caller());
        async move {
            let patience = sandbox.patience();
            if !sandbox.world().holds_polls(count, Instant::now() + patience).await {
                let told = sandbox.told();
                panic!("{caller}: fewer than {count} polls were held in {patience:?}\n{told}");
            }
        }
    }

    pub(crate) fn world(&self) -> &World {
        &self.server.world
    }

    pub(crate) fn patience(&self) -> Duration {
        self.server.patience
    }

    /// Returns the transcript, for the message of a panic.
    pub(crate) fn told(&self) -> String {
        format!("The transcript:\n{}", self.transcript())
    }
}

/// A method that panics leaves the state consistent, so a test may catch the panic and continue.
impl RefUnwindSafe for Server {}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        state_writer::join(self.thread.take());
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("Sandbox");
        out.field("base_url", &self.server.base_url).finish_non_exhaustive()
    }
}
