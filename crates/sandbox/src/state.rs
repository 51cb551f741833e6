//! The state of a sandbox: users, bots and chats, with lookups. The submodules change it.

pub(crate) mod acts;
pub(crate) mod chat;
mod chat_button;
pub(crate) mod clock;
mod comments;
mod constructors;
pub(crate) mod deliveries;
pub(crate) mod demo;
pub(crate) mod dialogs;
pub(crate) mod event;
pub(crate) mod file;
pub(crate) mod ids;
pub(crate) mod json;
pub(crate) mod media;
mod membership;
pub(crate) mod message;
pub(crate) mod prepared;
pub(crate) mod rate_limit;
pub(crate) mod seen;
pub(crate) mod session;
mod signatures;
mod snapshot;
pub(crate) mod tokens;
pub(crate) mod updates;
mod uploading;
pub(crate) mod uploads;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_with::serde_as;

use chat::{Chat, ChatKind};
use clock::{Clock, Millis};
use demo::Demo;
use event::Event;
use ids::{ChatId, Seq, UserId};
use message::{Message, Photo};
use rate_limit::{RateLimit, Recent};
use session::Session;
use updates::mailbox::Mailbox;
use uploads::store::Store;

use crate::protocol::service::Service;

/// Length of generated tokens, callback ids and other secrets, in characters. Those of TamTam are about as long.
const OPAQUE_LENGTH: usize = 43;

/// The gap in ids after the restart of a killed sandbox. Bots may have seen ids that were not saved, and these must not
/// be reused. The gap is larger than the number of events between two writes of a state file.
const LOST_AT_MOST: i64 = 1_000_000;

/// The whole state of a sandbox. A state file omits faults, logs, and the settings of the run.
#[serde_as]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    /// The service that the sandbox simulates.
    #[serde(default)]
    pub(crate) service: Service,
    pub(crate) clock: Clock,
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) bots: BTreeMap<UserId, BotRecord>,
    /// The bot that the sandbox started with.
    pub(crate) first_bot: Option<UserId>,
    pub(crate) chats: BTreeMap<ChatId, Chat>,
    pub(crate) callbacks: BTreeMap<String, Callback>,
    /// Chats created by chat buttons, by the message and the button's `uuid`.
    #[serde_as(as = "Vec<(_, _)>")]
    pub(crate) button_chats: BTreeMap<(ChatId, Seq, i64), ChatId>,
    /// Open constructors, by session id.
    pub(crate) sessions: BTreeMap<String, Session>,
    /// Photos by token. A photo can be attached again by its token.
    pub(crate) photos: BTreeMap<String, Photo>,
    /// The result of [`Sandbox::demo`](crate::Sandbox::demo), if it was called.
    pub(crate) demo: Option<Demo>,
    /// The pause between the first and the second attempt to deliver an update to a webhook, in milliseconds.
    #[serde(skip)]
    pub(crate) redelivery: Millis,
    #[serde(skip)]
    pub(crate) rate_limit: RateLimit,
    #[serde(skip)]
    pub(crate) recent: Recent,
    /// The upload host, and the uploaded media.
    pub(crate) uploads: Store,
    /// All events, in order.
    pub(crate) events: Vec<Event>,
    /// Whether something happened that a poll, a reader or the webhook sender may be waiting for.
    #[serde(skip)]
    pub(crate) touched: bool,
    /// The seed of ids and secrets. Sandboxes with different seeds have different ids and secrets.
    seed: Option<u64>,
    /// Whether the sandbox ended normally, so that no event is missing. False if it was killed.
    pub(crate) has_ended: bool,
    issued: i64,
    posted: u16,
}

/// A person or a bot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct User {
    pub(crate) user_id: UserId,
    pub(crate) name: String,
    pub(crate) username: Option<String>,
    /// The phone number of a person, if a test has set it.
    #[serde(default)]
    pub(crate) phone: Option<String>,
    pub(crate) is_bot: bool,
    pub(crate) last_activity: Millis,
}

/// The data of a bot that other users do not have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BotRecord {
    pub(crate) token: String,
    pub(crate) description: Option<String>,
    /// The name and the description of each command.
    pub(crate) commands: Vec<(String, Option<String>)>,
    pub(crate) avatar: Option<String>,
    pub(crate) mailbox: Mailbox,
}

/// A press of a callback button, which the bot can answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Callback {
    pub(crate) user: UserId,
    pub(crate) bot: UserId,
    pub(crate) chat: ChatId,
    pub(crate) seq: Seq,
}

impl State {
    pub(crate) fn new(service: Service) -> Self {
        Self { service, ..Self::default() }
    }

    /// Creates a state in which the same acts always lead to the same ids, secrets and times.
    pub(crate) fn seeded(service: Service, seed: u64) -> Self {
        Self { seed: Some(seed), clock: Clock::stepped(), ..Self::new(service) }
    }

    /// Continues after a restart. If the sandbox was killed, ids and markers skip [`LOST_AT_MOST`] numbers, and a
    /// stepped clock skips as many steps.
    pub(crate) fn resume(&mut self) {
        let lost = if std::mem::take(&mut self.has_ended) { 0 } else { LOST_AT_MOST };
        self.issued += lost;
        self.clock.skip(lost);
        let now = self.clock.now();
        for bot in self.bots.values_mut() {
            bot.mailbox.resume(now, lost);
        }
    }

    /// Returns the id and the token of the first bot, and creates the bot if it does not exist. A given `token`
    /// replaces the token of an existing bot. A new bot without `token` gets its default token.
    pub(crate) fn first_bot(&mut self, name: String, username: String, token: Option<String>) -> (UserId, String) {
        if let Some((user_id, bot)) = self.first_bot.and_then(|id| self.bots.get_key_value(&id)) {
            let (user_id, token) = (*user_id, token.unwrap_or_else(|| bot.token.clone()));
            if let Some(bot) = self.bots.get_mut(&user_id) {
                bot.token.clone_from(&token);
            }
            return (user_id, token);
        }
        let token = token.unwrap_or_else(|| self.default_token(&username));
        (self.add_bot(name, username, token.clone()), token)
    }

    pub(crate) fn add_bot(&mut self, name: String, username: String, token: String) -> UserId {
        let user_id = ids::bot(self.issue_id());
        // Markers begin at the current time. This number needs more than 32 bits, and is greater than any marker that a
        // client may have kept from an earlier sandbox.
        let mailbox = Mailbox::new(self.clock.tick());
        let bot = BotRecord { token, description: None, commands: Vec::new(), avatar: None, mailbox };
        self.bots.insert(user_id, bot);
        self.first_bot.get_or_insert(user_id);
        self.add_user(user_id, name, Some(username), true);
        user_id
    }

    /// Adds a further bot with its default token. Returns `None` if the token or the username is in use.
    pub(crate) fn add_another_bot(&mut self, name: String, username: String) -> Option<(UserId, String)> {
        let token = self.default_token(&username);
        let is_known = self.bot_by_token(&token).is_some() || self.has_username(&username);
        (!is_known).then(|| (self.add_bot(name, username, token.clone()), token))
    }

    pub(crate) fn add_person(&mut self, name: String) -> UserId {
        let user_id = ids::person(self.issue_id());
        self.add_user(user_id, name, None, false);
        user_id
    }

    fn add_user(&mut self, user_id: UserId, name: String, username: Option<String>, is_bot: bool) {
        let last_activity = self.clock.tick();
        self.users.insert(user_id, User { user_id, name, username, phone: None, is_bot, last_activity });
    }

    pub(crate) fn add_chat(&mut self, chat_id: ChatId, kind: ChatKind) -> &mut Chat {
        let number = self.issue();
        let now = self.clock.tick();
        self.chats.entry(chat_id).or_insert_with(|| Chat::new(chat_id, number, kind, now))
    }

    /// Moves the clock forward, and unsubscribes webhooks that have failed for too long by then. Returns false, and
    /// does not move the clock, if the new time is beyond the clock's end.
    pub(crate) fn let_pass(&mut self, time: Duration) -> bool {
        let fits = self.clock.advance(time);
        self.end_given_up();
        self.touched = true;
        fits
    }

    /// Returns the next number of the counter that ids are made of.
    pub(crate) fn issue(&mut self) -> i64 {
        self.issued += 1;
        self.issued
    }

    /// Returns the next number for the id of a user or a group. Such ids differ from seed to seed.
    pub(crate) fn issue_id(&mut self) -> i64 {
        let number = self.issue();
        self.seed.map_or(number, |seed| ids::offset(seed).wrapping_add(number))
    }

    /// Returns a unique string for `purpose`, which looks like a secret.
    pub(crate) fn secret(&mut self, purpose: &str) -> String {
        let number = self.issue().cast_unsigned();
        ids::opaque(&self.seeded_text(purpose), number, OPAQUE_LENGTH)
    }

    /// Returns the token of a bot for which the test does not choose one.
    pub(crate) fn default_token(&self, username: &str) -> String {
        ids::opaque(&self.seeded_text(username), 0, OPAQUE_LENGTH)
    }

    fn seeded_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.seed.map_or(Cow::Borrowed(text), |seed| Cow::Owned(format!("{seed} {text}")))
    }

    /// Returns the `seq` of a message posted at `timestamp`.
    pub(crate) fn next_seq(&mut self, timestamp: Millis) -> Seq {
        self.posted = self.posted.wrapping_add(1);
        ids::seq(timestamp, self.posted)
    }

    pub(crate) fn name(&self, user: UserId) -> &str {
        self.users.get(&user).map_or("an unknown user", |user| &user.name)
    }

    /// Returns the first and the last name. A bot has an empty last name.
    pub(crate) fn names(&self, user: UserId) -> (&str, &str) {
        let name = self.name(user);
        if self.is_bot(user) { (name, "") } else { name.split_once(' ').unwrap_or((name, "")) }
    }

    pub(crate) fn is_bot(&self, user: UserId) -> bool {
        self.bots.contains_key(&user)
    }

    pub(crate) fn has_username(&self, username: &str) -> bool {
        self.users.values().any(|user| user.username.as_deref() == Some(username))
    }

    pub(crate) fn bot_by_token(&self, token: &str) -> Option<UserId> {
        self.bots.iter().find(|(_, bot)| bot.token == token).map(|(user_id, _)| *user_id)
    }

    pub(crate) fn message(&self, chat: ChatId, seq: Seq) -> Option<&Message> {
        self.chats.get(&chat)?.messages.get(&seq)
    }

    /// Returns the chat and the `seq` of the message with this `mid`, if it exists.
    pub(crate) fn find(&self, mid: &str) -> Option<(ChatId, Seq)> {
        let (chat, seq) = ids::parse_mid(mid)?;
        self.message(chat, seq).map(|_| (chat, seq))
    }
}
