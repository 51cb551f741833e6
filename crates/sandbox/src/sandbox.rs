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

/// A running messenger, TamTam or [MAX](Sandbox::max), with one bot. [`add_bot`](Sandbox::add_bot) adds more bots.
///
/// Cheap to clone. When the last clone, [`Person`](crate::Person) and [`Group`](crate::Group) are dropped, the server
/// stops: its port is free, and its connections are closed. A hook that owns a clone keeps the sandbox alive forever.
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

    /// Returns the bot's token, which looks like a real one. Runs with the same username and seed have the same token.
    pub fn token(&self) -> &str {
        &self.server.token
    }

    /// Returns the service that this sandbox simulates.
    pub fn service(&self) -> tamtam::Service {
        self.server.service.in_sdk()
    }

    /// Returns how many requests were refused with 429 because of a [limit](crate::RateLimit). A [`Fault`] with status
    /// 429 does not count.
    pub fn rate_limited(&self) -> u64 {
        self.world().act(|state| state.recent.refused)
    }

    /// Returns the bot's user id.
    pub fn bot_id(&self) -> UserId {
        UserId(self.server.bot_id)
    }

    /// Returns the bot, ready to use. Its [`Pace`](tamtam::settings::Pace) is the [`RateLimit`](crate::RateLimit) of the sandbox.
    /// Clones of the bot share the pace, bots of several calls do not.
    ///
    /// # Panics
    ///
    /// If the HTTP client cannot be set up.
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

    /// Returns everything that happened in conversations, one [`Event`] per line.
    ///
    /// If people talk to bots in several dialogs, each line of a dialog starts with the person: `(Alice) `. With a bot
    /// that was added, it starts with both: `(Alice, Helper) `. Each line of a group starts with the title: `(Team) `.
    pub fn transcript(&self) -> String {
        self.world().act(|state| event::render(&state.events))
    }

    /// Calls `hook` for every event of a conversation, in order, as it happens:
    /// `tamtam.on_event(|event| println!("{event}"))`.
    ///
    /// `hook` runs on the thread that causes the event. For acts of a bot, this is the server's thread. `hook` may let
    /// people act. Their events are reported after `hook` returns. `hook` must not wait for the bot.
    pub fn on_event(&self, hook: impl Fn(&Event) + Send + Sync + 'static) {
        self.world().on_event(Arc::new(hook));
    }

    /// Calls `hook` for every HTTP request, when its answer is ready and before the answer is sent. So when a client
    /// has its answer, `hook` has run. Polls whose client disconnects are not reported. Requests to the
    /// [`control`](crate::control) endpoints are reported without query and bodies.
    ///
    /// `hook` runs on the server's thread. If it panics, the client's connection is closed. So collect the values in
    /// `hook`, and check them in the test.
    pub fn on_exchange(&self, hook: impl Fn(&Exchange) + Send + Sync + 'static) {
        self.world().on_exchange(Arc::new(hook));
    }

    /// Calls `hook` after each attempt to write the [state file](crate::SandboxBuilder::state_file). A failure is also
    /// logged as an error, and the write is retried at the next change.
    ///
    /// `hook` runs on its own thread, for the last time when the sandbox ends.
    pub fn on_save(&self, hook: impl Fn(&Result<(), StateFileError>) + Send + Sync + 'static) {
        self.world().on_save(Arc::new(hook));
    }

    /// Moves the sandbox's clock forward by `time`, and returns at once. The times of messages, redeliveries and limits
    /// depend on this clock.
    ///
    /// Each redelivery that is due within `time` is attempted now, once. A webhook that has failed for 8 h is
    /// unsubscribed when this method returns. Polls are held in real time, so a held poll stays held.
    ///
    /// # Panics
    ///
    /// If the clock would move past about the year 6300. Later times do not fit into the ids of messages.
    #[track_caller]
    pub fn time_passes(&self, time: Duration) {
        let fits = self.world().act(|state| state.let_pass(time));
        assert!(fits, "{}: {time:?} is too long", clock::TOO_FAR);
    }

    /// Calls `hook` for every attempt to deliver an update to a webhook, after the webhook answered or failed.
    ///
    /// `hook` runs on the server's thread, and must not wait for the bot. When [`delivers`](Self::delivers) returns,
    /// `hook` has run for every update that a webhook has taken.
    pub fn on_delivery(&self, hook: impl Fn(&Delivery) + Send + Sync + 'static) {
        self.world().on_delivery(Arc::new(hook));
    }

    /// Injects a fault into the next requests of an operation, from any client. `operation`: an `operationId` of the
    /// API's document. Several faults of one operation happen one after the other, in the order in which they were
    /// added.
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
    /// tamtam.fails("sendMessage", Fault::status(503).times(2));
    /// bot.send(alice.chat_id(), "the third time").await?;
    ///
    /// tamtam.fails("sendMessage", Fault::reset().applied(true));
    /// let error = bot.send(alice.chat_id(), "posted, but the answer is lost").await.unwrap_err();
    /// assert!(error.may_have_been_applied());
    /// assert_eq!(alice.sees(), ["the third time", "posted, but the answer is lost"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the service has no such operation.
    #[track_caller]
    pub fn fails(&self, operation: &str, fault: Fault) {
        let service = self.server.service;
        let is_known = self.world().faults().add(service, operation, fault);
        assert!(is_known, "the API has no operation {operation}, use one of {}", faults::operations(service));
    }

    /// Drops the next `times` deliveries to webhooks. The webhook does not see them. Their updates are delivered again
    /// after a pause ([`SandboxBuilder::redelivery`](crate::SandboxBuilder::redelivery)), concurrently with later
    /// updates.
    pub fn loses_deliveries(&self, times: u32) {
        self.world().lose_deliveries(times);
    }

    /// Waits until the webhooks have taken all their updates. Returns at once if there are no webhooks.
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
    /// tamtam.on_delivery(|delivery| println!("{} -> {:?}", delivery.update(), delivery.status()));
    /// tamtam.user("Alice").says("hi");
    /// tamtam.delivers().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If updates are still undelivered after [`SandboxBuilder::patience`](crate::SandboxBuilder::patience). The
    /// message has the undelivered updates and the transcript.
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

    /// Waits until the bots are idle, so that a test can assert that a bot stays silent.
    ///
    /// Bots are idle if all of these hold:
    ///
    /// - Every update is handled: a poll has committed it, or a webhook has taken it.
    /// - No request is in flight, except held polls.
    /// - Nothing has happened for 50 ms.
    ///
    /// Work that continues after its update is handled is not detected until it sends a request. Examples are spawned
    /// tasks and handlers with a journal.
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
    /// If the bots are not idle within [`SandboxBuilder::patience`](crate::SandboxBuilder::patience). The message has
    /// the unhandled updates and the transcript. A bot that is not running never handles its updates.
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

    /// Waits until the sandbox holds `count` polls. A held poll waits for an update.
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
    /// If fewer polls are held after [`SandboxBuilder::patience`](crate::SandboxBuilder::patience). The message has the
    /// transcript.
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
