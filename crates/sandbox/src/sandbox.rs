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
use crate::server::keeper::{self, Keeper};
use crate::server::world::World;
use crate::state::clock;
use crate::state::event::{self, Event};
use crate::state::file::StateFileError;

/// How long nothing must happen for bots to be idle. A request of a bot on this machine takes less.
pub(crate) const QUIET: Duration = Duration::from_millis(50);

/// A messenger of its own, TamTam or [MAX](Sandbox::max), with one bot, and as many more as are [added](Sandbox::add_bot). Cheap to clone. When the last
/// clone, [`Person`](crate::Person) and [`Group`](crate::Group) are dropped, the server stops: its port is free and its
/// connections are closed.
///
/// A hook that keeps a clone keeps the sandbox alive for ever.
#[derive(Clone)]
pub struct Sandbox {
    pub(crate) server: Arc<Server>,
}

/// The running server, stopped by dropping it.
pub(crate) struct Server {
    pub(crate) world: Arc<World>,
    pub(crate) service: Service,
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) bot_id: i64,
    pub(crate) patience: Duration,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) thread: Option<JoinHandle<()>>,
    /// Dropped last: what the server has done up to its end is kept.
    pub(crate) _keeper: Option<Keeper>,
}

impl Sandbox {
    /// Where the API is, such as `http://127.0.0.1:40123`: without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.server.base_url
    }

    /// The bot's `access_token`. It looks like a real one, and for the same username (and seed, if there is one) it is
    /// the same in every run.
    pub fn token(&self) -> &str {
        &self.server.token
    }

    /// The service that this sandbox plays.
    pub fn service(&self) -> tamtam::Service {
        self.server.service.in_sdk()
    }

    /// How many requests were refused with 429 because they were over a [limit](crate::RateLimit).
    /// A [`Fault`] with that status does not count.
    pub fn rate_limited(&self) -> u64 {
        self.world().act(|state| state.recent.refused)
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
    pub(crate) fn bot_of(&self, token: &str) -> Bot {
        // The environment's proxy has no way to this process.
        let service = self.server.service.in_sdk();
        let builder = Bot::builder(token).service(service).base_url(self.base_url()).no_proxy();
        match builder.build() {
            Ok(bot) => bot,
            Err(error) => panic!("the sandbox's bot cannot be made: {error}"),
        }
    }

    /// Everything that happened, a line each; [`Event`] tells how a line looks. When people talk to
    /// bots in more than one dialog, the lines of a dialog begin with its person: `(Alice) `, and `(Alice, Helper) ` with
    /// a bot that was added. Those of a
    /// group always begin with its title: `(Team) `.
    pub fn transcript(&self) -> String {
        self.world().act(|state| event::render(&state.events))
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
    /// away is not answered, and not told. Requests to the [`control`](crate::control) endpoints are told without what they say.
    ///
    /// It is called on the server's thread. If it panics, the client's connection is closed: keep
    /// what is to be checked, and check it in the test.
    pub fn on_exchange(&self, hook: impl Fn(&Exchange) + Send + Sync + 'static) {
        self.world().on_exchange(Arc::new(hook));
    }

    /// Calls `hook` when the [state file](crate::SandboxBuilder::state_file) was written, or could not be: that is logged as an
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

    /// Calls `hook` for every update that was sent to a webhook, when the webhook has answered or failed to.
    ///
    /// It is called on the server's thread, and must not wait for the bot. It has heard of everything that the webhooks
    /// have taken by the time [`delivers`](Self::delivers) returns.
    pub fn on_delivery(&self, hook: impl Fn(&Delivery) + Send + Sync + 'static) {
        self.world().on_delivery(Arc::new(hook));
    }

    /// Lets requests of an operation go wrong, whoever sends them; `operation` is the `operationId` of the API's
    /// document. Several faults of one operation happen one after the other, in the order in which they were given.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam_sandbox::{Fault, Sandbox};
    ///
    /// let tamtam = Sandbox::start().await;
    /// # let fast = tamtam::RetryPolicy::default().backoff(std::time::Duration::ZERO, std::time::Duration::ZERO);
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
    /// let error = bot.send(alice.chat_id(), "posted, but who knows").await.unwrap_err();
    /// assert!(error.may_have_been_applied());
    /// assert_eq!(alice.sees(), ["the third time", "posted, but who knows"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the API has no such operation.
    #[track_caller]
    pub fn fails(&self, operation: &str, fault: Fault) {
        let service = self.server.service;
        let is_known = self.world().faults().add(service, operation, fault);
        assert!(is_known, "the API has no operation {operation}, but {}", faults::operations(service));
    }

    /// Drops the next `times` deliveries to webhooks on their way: the webhook does not see them, and gets them again
    /// after a pause ([`SandboxBuilder::redelivery`](crate::SandboxBuilder::redelivery)), beside the others.
    pub fn loses_deliveries(&self, times: u32) {
        self.world().lose_deliveries(times);
    }

    /// Waits until the webhooks have taken every update that was meant for them, or there are no webhooks.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use axum::{Router, routing::post};
    /// use tamtam::types::SubscriptionRequestBody;
    /// use tamtam_sandbox::Sandbox;
    ///
    /// # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// # let url = format!("http://{}/a-path-nobody-guesses", listener.local_addr()?);
    /// # let webhook = Router::new().route("/a-path-nobody-guesses", post(async || "OK"));
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
    /// If that is not so in time (see [`SandboxBuilder::patience`](crate::SandboxBuilder::patience)), with what was not
    /// delivered and the transcript.
    #[track_caller]
    pub fn delivers(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sandbox, caller) = (self.clone(), Location::caller());
        // An `async` function does not know its caller.
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
    /// A bot is idle when it has handled every update (a poll has committed it, or a webhook has taken it), has no request
    /// under way but a poll that waits, and has done nothing for 50 ms. Work that a bot does beside its updates, such as
    /// in a task of its own or from a journal, is not seen until it sends a request.
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
    /// alice.says("Nobody answers");
    /// tamtam.settles().await;
    /// assert_eq!(alice.sees(), ["Nobody answers"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If that is not so in time (see [`SandboxBuilder::patience`](crate::SandboxBuilder::patience)), with what was not
    /// handled and the transcript. A bot that does not run never handles its updates.
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

    /// Waits until the sandbox holds this many polls: each waits for an update. Whatever happens then wakes them.
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
    /// If that is not so in time (see [`SandboxBuilder::patience`](crate::SandboxBuilder::patience)), with the transcript.
    #[track_caller]
    pub fn holds_polls(&self, count: usize) -> impl Future<Output = ()> + Send + use<> {
        let (sandbox, caller) = (self.clone(), Location::caller());
        async move {
            let patience = sandbox.patience();
            if !sandbox.world().holds_polls(count, Instant::now() + patience).await {
                let told = sandbox.told();
                panic!("{caller}: not {count} polls were held in {patience:?}\n{told}");
            }
        }
    }

    pub(crate) fn world(&self) -> &World {
        &self.server.world
    }

    pub(crate) fn patience(&self) -> Duration {
        self.server.patience
    }

    /// The transcript, for the message of a panic.
    pub(crate) fn told(&self) -> String {
        format!("The transcript:\n{}", self.transcript())
    }
}

/// A verb that panics leaves nothing half done: tests may catch it and go on.
impl RefUnwindSafe for Server {}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        keeper::join(self.thread.take());
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("Sandbox");
        out.field("base_url", &self.server.base_url).finish_non_exhaustive()
    }
}
