//! Where the suite runs: on a sandbox of its own, or against a real account.

use std::{
    env, fmt,
    pin::Pin,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tamtam::{Bot, ChatId, Error, Message, MessageId, NewMessageBody, RawRequest, Result, reqwest};
use tamtam_sandbox::{Group, Person, Sandbox};

use crate::{DOCUMENT, recorder::Recorder};

/// Marks what the suite writes, for whoever comes upon it.
pub(crate) const MARK: &str = "[tamtam conformance]";

/// The settings of a live run.
#[derive(Clone)]
pub(crate) struct Live {
    token: String,
    base_url: String,
    /// A group in which the bot is an administrator.
    chat: Option<ChatId>,
    /// Whether the suite may take updates of the bot, by polls and webhooks: whoever else serves the bot misses them.
    takes_updates: bool,
    /// A video file, since the server does not process any bytes.
    video: Option<String>,
}

impl Live {
    /// The settings in the environment; none unless `TAMTAM_LIVE` is 1, whatever else is there.
    pub(crate) fn from_env() -> Result<Option<Self>, String> {
        let get = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        if get("TAMTAM_LIVE").as_deref() != Some("1") {
            return Ok(None);
        }
        let token = get("TAMTAM_TOKEN").ok_or("TAMTAM_LIVE=1 wants the bot's token in TAMTAM_TOKEN")?;
        let chat = get("TAMTAM_LIVE_CHAT").map(|id| id.parse());
        let chat = chat.transpose().map_err(|_| "TAMTAM_LIVE_CHAT is not the id of a chat, such as -70000000000000")?;
        let server = DOCUMENT["servers"][0]["url"].as_str().map(str::to_owned);
        let base_url = get("TAMTAM_BASE_URL").or(server).ok_or("the document names no server: set TAMTAM_BASE_URL")?;
        let takes_updates = get("TAMTAM_LIVE_UPDATES").as_deref() == Some("1");
        Ok(Some(Self { token, base_url, chat, takes_updates, video: get("TAMTAM_LIVE_VIDEO") }))
    }
}

/// The people of a sandbox. Alice has started the bot, and owns the group in which Bob and the bot are.
pub(crate) struct People {
    pub(crate) tamtam: Sandbox,
    pub(crate) alice: Person,
    pub(crate) bob: Person,
    pub(crate) group: Group,
}

/// Why a check, or the rest of it, was not made.
#[derive(Debug)]
pub(crate) struct Skip {
    needs: &'static str,
    what: String,
}

impl Skip {
    pub(crate) fn new(needs: &'static str, what: impl Into<String>) -> Self {
        Self { needs, what: what.into() }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "skipped (needs {}): {}", self.needs, self.what)
    }
}

/// What a check comes to; what is wrong makes it panic.
pub(crate) type Done = Result<(), Skip>;

type Cleanup = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Where a check is made. Clones are the same place.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) bot: Bot,
    pub(crate) recorder: Arc<Recorder>,
    kind: Arc<Kind>,
    cleanups: Arc<Mutex<Vec<Cleanup>>>,
}

enum Kind {
    Sandbox(Box<People>),
    Live(Live),
}

impl Place {
    pub(crate) async fn sandbox() -> Self {
        let tamtam = Sandbox::start().await;
        let (alice, bob) = (tamtam.user("Alice").with_username("alice"), tamtam.user("Bob"));
        alice.starts();
        let group = tamtam.group("Conformance", [&alice, &bob]).with_public_link("conformance_group");
        let recorder = Recorder::start(tamtam.base_url(), reqwest::Client::builder().no_proxy()).await;
        let bot = Bot::builder(tamtam.token()).base_url(recorder.url()).http(|http| http.no_proxy());
        Self::new(bot.build().unwrap(), recorder, Kind::Sandbox(Box::new(People { tamtam, alice, bob, group })))
    }

    pub(crate) async fn live(live: Live) -> Self {
        let recorder = Recorder::start(&live.base_url, reqwest::Client::builder()).await;
        let bot = Bot::builder(&live.token).base_url(recorder.url()).build();
        Self::new(bot.expect("a bot with this token"), recorder, Kind::Live(live))
    }

    fn new(bot: Bot, recorder: Recorder, kind: Kind) -> Self {
        Self { bot, recorder: Arc::new(recorder), kind: Arc::new(kind), cleanups: Arc::default() }
    }

    /// A bot with a token that is nobody's.
    pub(crate) fn stranger(&self) -> Bot {
        Bot::builder("nobodys_token").base_url(self.recorder.url()).build().unwrap()
    }

    /// A group in which the bot is an administrator.
    pub(crate) fn chat(&self) -> Result<ChatId, Skip> {
        match &*self.kind {
            Kind::Sandbox(people) => Ok(people.group.chat_id()),
            Kind::Live(live) => live
                .chat
                .ok_or_else(|| Skip::new("TAMTAM_LIVE_CHAT", "the id of a group in which the bot is an administrator")),
        }
    }

    /// People, of whom a real account has none; `what` they are to do continues "somebody".
    pub(crate) fn people(&self, what: &str) -> Result<&People, Skip> {
        match &*self.kind {
            Kind::Sandbox(people) => Ok(people),
            Kind::Live(_) => Err(Skip::new("a person", format!("somebody {what}"))),
        }
    }

    /// Passes if the bot's updates may be taken, and nobody else takes them by a webhook.
    pub(crate) async fn may_take_updates(&self) -> Done {
        if matches!(&*self.kind, Kind::Live(live) if !live.takes_updates) {
            return Err(Skip::new("TAMTAM_LIVE_UPDATES=1", "it takes updates away from whoever serves the bot"));
        }
        if !self.bot.api().get_subscriptions().await.unwrap().subscriptions.is_empty() {
            return Err(Skip::new("a bot without a webhook", "this one has a webhook, which is left alone"));
        }
        Ok(())
    }

    /// The bytes of a video.
    pub(crate) fn video(&self) -> Result<Vec<u8>, Skip> {
        match &*self.kind {
            Kind::Sandbox(_) => Ok(b"moving pictures".to_vec()),
            Kind::Live(Live { video: Some(path), .. }) => Ok(std::fs::read(path).expect("TAMTAM_LIVE_VIDEO is a file")),
            Kind::Live(_) => Err(Skip::new("TAMTAM_LIVE_VIDEO", "the path of a video file")),
        }
    }

    /// A message with the suite's mark, of which nobody is notified.
    pub(crate) fn text(&self, text: &str) -> NewMessageBody {
        NewMessageBody::new().text(format!("{MARK} {text}")).notify(false)
    }

    /// Posts a message, which is deleted when the check is over.
    pub(crate) async fn post(&self, chat: ChatId, body: impl Into<NewMessageBody>) -> Message {
        let message = *self.bot.send(chat, body.into().notify(false)).await.unwrap().message;
        self.deletes_afterwards(&message.body.as_ref().unwrap().mid);
        message
    }

    /// Posts what should be refused, as it is. If it is not, it is deleted when the check is over.
    pub(crate) async fn try_post(&self, request: RawRequest) -> Result<Value> {
        let answer = request.await?;
        let mid = answer["message"]["body"]["mid"].as_str().unwrap_or_default();
        self.deletes_afterwards(&mid.into());
        Ok(answer)
    }

    /// A sandbox takes its time with the next file, as real servers do by themselves.
    pub(crate) fn takes_time_to_process(&self) {
        if let Kind::Sandbox(people) = &*self.kind {
            people.tamtam.uploads().set_not_ready(1);
        }
    }

    /// Deletes a message when the check is over.
    pub(crate) fn deletes_afterwards(&self, mid: &MessageId) {
        let (bot, mid) = (self.bot.clone(), mid.clone());
        self.afterwards(async move {
            match bot.api().delete_message(mid.clone()).await {
                // A check may have deleted it itself.
                Err(_) if bot.api().get_message_by_id(mid).await.is_err_and(|error| is_missing(&error)) => Ok(()),
                done => done,
            }
        });
    }

    /// Does something when the check is over, passed or failed; the latest first.
    pub(crate) fn afterwards(&self, cleanup: impl Future<Output = Result<()>> + Send + 'static) {
        self.cleanups.lock().unwrap().push(Box::pin(cleanup));
    }

    /// Takes back what a check has done; what could not be taken back.
    pub(crate) async fn clean_up(&self) -> Vec<Error> {
        let mut failed = Vec::new();
        loop {
            let Some(cleanup) = self.cleanups.lock().unwrap().pop() else { return failed };
            failed.extend(cleanup.await.err());
        }
    }

    /// What happened, if it can be told.
    pub(crate) fn transcript(&self) -> Option<String> {
        match &*self.kind {
            Kind::Sandbox(people) => Some(people.tamtam.transcript()),
            Kind::Live(_) => None,
        }
    }
}

/// Whether the server says that there is no such thing: with 404, or 400 for an id that it cannot read.
pub(crate) fn is_missing(error: &Error) -> bool {
    error.code().is_some() && matches!(error.status().map(|status| status.as_u16()), Some(400 | 404))
}

/// Fails unless the server refused with this status and this code.
#[track_caller]
pub(crate) fn assert_refused<T: fmt::Debug>(answer: Result<T>, status: u16, code: &str) {
    let error = answer.expect_err("the server should have refused this");
    let found = (error.status().map(|status| status.as_u16()), error.code().map(|code| code.as_str()));
    assert_eq!(found, (Some(status), Some(code)), "{error}");
}
