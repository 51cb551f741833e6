//! The place where a check runs: a separate sandbox, or a real account.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use tamtam::{
    Bot, ChatId, Error, Message, MessageId, NewMessageBody, Result, Service, http::Method, request::RawRequest,
    reqwest, settings::RetryPolicy,
};
use tamtam_sandbox::{Group, Person, RateLimit, Sandbox};

use crate::{
    outcome::{Done, Skip, is_missing},
    recorder::Recorder,
    settings::Live,
};

/// The prefix of every text that the suite sends.
pub(crate) const MARK: &str = "[tamtam conformance]";

/// The people of a sandbox. Alice has started the bot. She owns the group; Bob and the bot are its members.
pub(crate) struct People {
    pub(crate) sandbox: Sandbox,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    pub(crate) group: Group,
    channel: OnceLock<Group>,
}

impl People {
    /// Returns a channel of Alice with comments. Bob is a subscriber. MAX only.
    pub(crate) fn channel(&self) -> &Group {
        self.channel.get_or_init(|| self.sandbox.channel("News", [&self.alice, &self.bob]).with_comments())
    }
}

type Cleanup = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// The place where a check runs. Clones share the same place.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) bot: Bot,
    pub(crate) recorder: Arc<Recorder>,
    kind: Arc<Kind>,
    cleanups: Arc<Mutex<Vec<Cleanup>>>,
}

enum Kind {
    Sandbox(Box<People>),
    Live(Box<Live>),
}

impl Place {
    /// Starts a sandbox of this service.
    pub(crate) async fn sandbox(service: &Service) -> Self {
        // With the rate limits of MAX, the suite would take minutes.
        let sandbox = Sandbox::builder().service(service.clone()).rate_limit(RateLimit::none()).start().await;
        let (alice, bob) = (sandbox.user("Alice").with_username("alice"), sandbox.user("Bob"));
        alice.starts();
        let group = sandbox.group("Conformance", [&alice, &bob]).with_public_link("conformance_group");
        let client = reqwest::Client::builder().no_proxy();
        let recorder = Recorder::start(service, sandbox.base_url(), client).await;
        let bot = Bot::builder(sandbox.token()).service(service.clone()).base_url(recorder.url()).no_proxy();
        let people = People { sandbox, alice, bob, group, channel: OnceLock::new() };
        Self::new(bot.build().unwrap(), recorder, Kind::Sandbox(Box::new(people)))
    }

    pub(crate) async fn live(live: Live) -> Self {
        let recorder = Recorder::start(&live.service, &live.base_url, trusting(&live.service)).await;
        let bot = Bot::builder(&live.token).service(live.service.clone()).base_url(recorder.url()).retry(patient());
        Self::new(bot.build().expect("a bot with this token"), recorder, Kind::Live(Box::new(live)))
    }

    fn new(bot: Bot, recorder: Recorder, kind: Kind) -> Self {
        Self { bot, recorder: Arc::new(recorder), kind: Arc::new(kind), cleanups: Arc::default() }
    }

    /// Returns a bot with a wrong token, sent in the way of `service`.
    pub(crate) fn stranger(&self, service: Service) -> Bot {
        Bot::builder("wrong_token").service(service).base_url(self.recorder.url()).no_proxy().build().unwrap()
    }

    /// Returns a group in which the bot is an administrator.
    pub(crate) fn chat(&self) -> Result<ChatId, Skip> {
        match &*self.kind {
            Kind::Sandbox(people) => Ok(people.group.chat_id()),
            Kind::Live(live) => live.chat.ok_or_else(|| {
                Skip::new(live.variable("LIVE_CHAT"), "the id of a group in which the bot is an administrator")
            }),
        }
    }

    /// Returns a channel with comments, in which the bot is an administrator. MAX only.
    pub(crate) fn channel(&self) -> Result<ChatId, Skip> {
        match &*self.kind {
            Kind::Sandbox(people) => Ok(people.channel().chat_id()),
            Kind::Live(live) => live.channel.ok_or_else(|| {
                Skip::new(live.variable("LIVE_CHANNEL"), "the id of a channel in which the bot is an administrator")
            }),
        }
    }

    /// Returns the people of the sandbox. A real account has none: the check is skipped.
    ///
    /// `what`: the action of the person that the check needs, such as "presses a button".
    pub(crate) fn people(&self, what: &str) -> Result<&People, Skip> {
        match &*self.kind {
            Kind::Sandbox(people) => Ok(people),
            Kind::Live(_) => Err(Skip::new("a person", format!("a person {what}"))),
        }
    }

    /// Passes on a sandbox. Skips a live check, because the behavior of the real server is unknown.
    pub(crate) fn sandbox_only(&self, what: &str) -> Done {
        match &*self.kind {
            Kind::Sandbox(_) => Ok(()),
            Kind::Live(_) => Err(Skip::new("a sandbox", what)),
        }
    }

    /// Skips the check unless the suite may poll the bot's updates and the bot has no webhook.
    pub(crate) async fn may_take_updates(&self) -> Done {
        if let Kind::Live(live) = &*self.kind
            && !live.takes_updates
        {
            let needs = format!("{}=1", live.variable("LIVE_UPDATES"));
            return Err(Skip::new(needs, "other programs of the bot miss these updates"));
        }
        if !self.bot.subscriptions().await.unwrap().subscriptions.is_empty() {
            return Err(Skip::new("a bot without a webhook", "the webhook of this bot is left alone"));
        }
        Ok(())
    }

    /// Returns the bytes of a video.
    pub(crate) fn video(&self) -> Result<Vec<u8>, Skip> {
        match &*self.kind {
            Kind::Sandbox(_) => Ok(b"moving pictures".to_vec()),
            Kind::Live(live) => match &live.video {
                Some(path) => Ok(std::fs::read(path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))),
                None => Err(Skip::new(live.variable("LIVE_VIDEO"), "the path of a video file")),
            },
        }
    }

    /// Returns a message with the suite's mark. It is posted without a notification.
    pub(crate) fn text(&self, text: &str) -> NewMessageBody {
        NewMessageBody::new().text(marked(text)).notify(false)
    }

    /// Posts a message without a notification. It is deleted after the check.
    pub(crate) async fn post(&self, chat: ChatId, body: impl Into<NewMessageBody>) -> Message {
        self.send(chat, body.into().notify(false)).await
    }

    /// Posts a text in the channel. It is deleted after the check.
    pub(crate) async fn publish(&self, text: &str) -> Result<Message, Skip> {
        // MAX refuses posts without a notification.
        Ok(self.send(self.channel()?, marked(text).into()).await)
    }

    async fn send(&self, chat: ChatId, body: NewMessageBody) -> Message {
        let message = *self.bot.send(chat, body).await.unwrap().message;
        self.deletes_afterwards(&MessageId::from(&message));
        message
    }

    /// Returns a request that posts a message without the checks of the client.
    pub(crate) fn unchecked(&self, body: &impl Serialize) -> RawRequest {
        self.bot.request(Method::POST, "/messages").json(body)
    }

    /// Sends a request that posts a message. If the server accepts the message, it is deleted after the check.
    pub(crate) async fn try_post(&self, request: RawRequest) -> Result<Value> {
        let answer = request.await?;
        let mid = answer["message"]["body"]["mid"].as_str().unwrap_or_default();
        self.deletes_afterwards(&mid.into());
        Ok(answer)
    }

    /// Makes a sandbox refuse the next file once, as real servers do while they process it.
    pub(crate) fn takes_time_to_process(&self) {
        if let Kind::Sandbox(people) = &*self.kind {
            people.sandbox.uploads().set_not_ready(1);
        }
    }

    /// Deletes a message after the check.
    pub(crate) fn deletes_afterwards(&self, mid: &MessageId) {
        let (bot, mid) = (self.bot.clone(), mid.clone());
        self.afterwards(async move {
            match bot.delete(mid.clone()).await {
                // The check may have deleted the message.
                Err(_) if bot.api().get_message_by_id(mid).await.is_err_and(|error| is_missing(&error)) => Ok(()),
                done => done,
            }
        });
    }

    /// Runs a cleanup after the check, even if the check fails. The latest cleanup runs first.
    pub(crate) fn afterwards(&self, cleanup: impl Future<Output = Result<()>> + Send + 'static) {
        self.cleanups.lock().unwrap().push(Box::pin(cleanup));
    }

    /// Runs the cleanups, and returns the errors.
    pub(crate) async fn clean_up(&self) -> Vec<Error> {
        let mut failed = Vec::new();
        loop {
            let Some(cleanup) = self.cleanups.lock().unwrap().pop() else { return failed };
            failed.extend(cleanup.await.err());
        }
    }

    /// Returns the transcript of the sandbox, or `None` for a real account.
    pub(crate) fn transcript(&self) -> Option<String> {
        match &*self.kind {
            Kind::Sandbox(people) => Some(people.sandbox.transcript()),
            Kind::Live(_) => None,
        }
    }
}

/// Returns the text with the suite's mark.
pub(crate) fn marked(text: &str) -> String {
    format!("{MARK} {text}")
}

/// The retry policy of a live run. The suite sends faster than the 2 messages per second to one chat that MAX allows.
fn patient() -> RetryPolicy {
    RetryPolicy::default()
        .attempts(20)
        .backoff(Duration::from_secs(1), Duration::from_secs(5))
        .budget(Duration::from_secs(60))
}

/// An HTTP client that trusts the service. The root certificate of MAX is in no public root store.
fn trusting(service: &Service) -> reqwest::ClientBuilder {
    let client = reqwest::Client::builder();
    if *service != Service::Max {
        return client;
    }
    let root = reqwest::Certificate::from_pem_bundle(include_bytes!("../../openapi/max-root-ca.pem"));
    client.tls_certs_merge(root.expect("a certificate in PEM"))
}
