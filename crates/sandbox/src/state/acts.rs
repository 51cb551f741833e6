//! Acts in a chat: start, post, edit, delete, press and notify.
//!
//! An act changes the state and adds a line to the transcript. The other bots of the chat get an update. People see the
//! messages and edits of bots.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::chat::{Chat, ChatKind, Member, Permission};
use super::clock::Millis;
use super::event::Event;
use super::ids::{self, ChatId, Seq, UserId};
use super::message::{Action, Attachment, Content, Message, MessageBody};
use super::seen::Seen;
use super::updates::queue::Update;
use super::{Callback, State};
use crate::protocol::markup;
use crate::protocol::markup::element::Style;
use crate::protocol::wire;

/// The language of all people in the sandbox, as a BCP 47 tag, like in the API.
pub(crate) const LOCALE: &str = "en";
/// The maximum length of a deep link's payload, in characters. A longer payload does not reach the bot.
const START_PAYLOAD_CHARS: usize = 128;

impl State {
    /// Presses Start: opens the dialog, or reopens it after it was suspended or removed. The bot gets `bot_started`.
    pub(crate) fn start(&mut self, user: UserId, bot: UserId, payload: Option<&str>) -> ChatId {
        let chat_id = ids::dialog(user, bot);
        if !self.chats.contains_key(&chat_id) {
            let now = self.clock.tick();
            let chat = self.add_chat(chat_id, ChatKind::Dialog { user, bot, suspended: false });
            chat.enter(user, Member::new(now));
            chat.enter(bot, Member::new(now));
        }
        self.suspend(chat_id, false);
        self.with_chat(chat_id, |chat| chat.is_removed = false);
        let line = format!("{} starts {}", self.name(user), self.name(bot));
        self.record(chat_id, line);
        let now = self.happened(chat_id, user);
        let payload = payload.filter(|payload| payload.chars().count() <= START_PAYLOAD_CHARS);
        let mut fields = json!({
            "chat_id": chat_id,
            "user": self.user_json(user),
            "payload": payload,
            "user_locale": LOCALE,
        });
        self.omit_nulls(&mut fields);
        self.publish(&[bot], "bot_started", now, fields);
        chat_id
    }

    /// Suspends a dialog, so that its bot cannot write there. If `value` is false, resumes the dialog.
    pub(crate) fn suspend(&mut self, chat_id: ChatId, value: bool) {
        if let Some(ChatKind::Dialog { suspended, .. }) = self.chats.get_mut(&chat_id).map(|chat| &mut chat.kind) {
            *suspended = value;
        }
    }

    /// Posts a message.
    pub(crate) fn post(&mut self, chat_id: ChatId, sender: UserId, content: Content) -> Seq {
        self.post_made_with(None, chat_id, sender, content)
    }

    /// Posts a message. `constructor`: the bot in whose constructor the message was made, if any.
    pub(crate) fn post_made_with(
        &mut self,
        constructor: Option<UserId>,
        chat_id: ChatId,
        sender: UserId,
        content: Content,
    ) -> Seq {
        let timestamp = self.happened(chat_id, sender);
        let seq = self.next_seq(timestamp);
        let Content { text, markup, attachments, link } = self.with_mentions(chat_id, content);
        let body = MessageBody { chat: chat_id, seq, text, markup, attachments };
        let message = Message { sender, timestamp, link, body, constructor, viewers: BTreeSet::new(), post: None };
        self.record(chat_id, format!("{}: {message}", self.name(sender)));
        let json = self.message_json(&message);
        self.show(sender, &message, &json, false);
        let is_dialog = self.with_chat(chat_id, |chat| {
            chat.messages.insert(seq, message);
            chat.is_dialog()
        });
        let mut fields = json!({ "message": json });
        if is_dialog == Some(true) && !self.is_bot(sender) {
            fields["user_locale"] = json!(LOCALE);
        }
        let bots = self.bots_reading(chat_id, sender);
        self.publish(&bots, "message_created", timestamp, fields);
        seq
    }

    /// Replaces the content of a message.
    pub(crate) fn edit(&mut self, chat_id: ChatId, seq: Seq, editor: UserId, content: Content) {
        let now = self.happened(chat_id, editor);
        let content = self.with_mentions(chat_id, content);
        let edited = self.with_chat(chat_id, |chat| {
            let message = chat.messages.get_mut(&seq)?;
            message.body.text = content.text;
            message.body.markup = content.markup;
            message.body.attachments = content.attachments;
            message.link = content.link;
            Some(message.clone())
        });
        let Some(message) = edited.flatten() else { return };
        self.record(chat_id, format!("{} edits: {message}", self.name(editor)));
        let json = self.message_json(&message);
        self.show(editor, &message, &json, true);
        let bots = self.bots_reading(chat_id, editor);
        self.publish(&bots, "message_edited", now, json!({ "message": json }));
    }

    /// Marks the users that the text mentions by username. A mention has the username in a dialog, and the user id
    /// elsewhere, as observed on TamTam.
    fn with_mentions(&self, chat_id: ChatId, mut content: Content) -> Content {
        let is_dialog = self.chats.get(&chat_id).is_some_and(Chat::is_dialog);
        let mention = |username: &str| {
            let user = self.users.values().find(|user| user.username.as_deref() == Some(username))?;
            Some(Style::Mention {
                user_link: is_dialog.then(|| format!("@{username}")),
                user_id: (!is_dialog).then_some(user.user_id),
            })
        };
        if let Some(text) = &content.text {
            markup::mention(text, &mut content.markup, mention);
        }
        content
    }

    /// Deletes a message and its comments for everyone.
    pub(crate) fn delete(&mut self, chat_id: ChatId, seq: Seq, who: UserId) {
        let removed = self.with_chat(chat_id, |chat| {
            chat.pinned = chat.pinned.filter(|pinned| *pinned != seq);
            chat.comments.retain(|_, comment| comment.post != Some(seq));
            chat.messages.remove(&seq)
        });
        let Some(message) = removed.flatten() else { return };
        let now = self.happened(chat_id, who);
        self.record(chat_id, format!("{} deletes: {message}", self.name(who)));
        let fields = json!({ "message_id": message.mid(), "chat_id": chat_id, "user_id": who });
        let bots = self.bots_reading(chat_id, who);
        self.publish(&bots, "message_removed", now, fields);
    }

    /// Presses a button of a message. Returns the id of the callback if it is a callback button.
    pub(crate) fn press(&mut self, chat_id: ChatId, seq: Seq, user: UserId, button: (&str, &Action)) -> Option<String> {
        let (label, action) = button;
        self.record(chat_id, format!("{} presses [{label}]", self.name(user)));
        match action {
            Action::Callback { payload, .. } => return self.call_back(chat_id, seq, user, payload),
            Action::Chat(button) => self.open_button_chat(chat_id, seq, user, button),
            // The person's client follows the link, opens the Mini App or copies the text. The bot gets no update.
            Action::Link { .. } | Action::OpenApp(_) | Action::Clipboard { .. } => {
                self.happened(chat_id, user);
            }
            Action::Message => {
                self.post(chat_id, user, Content::text(label));
            }
            Action::RequestContact => {
                let bot = self.message(chat_id, seq).map(Message::button_bot);
                let card = self.own_card(user, bot);
                self.post_attachment(chat_id, user, card);
            }
            Action::RequestLocation { .. } => {
                let (latitude, longitude) = WHERE_PEOPLE_ARE;
                self.post_attachment(chat_id, user, Attachment::Location { latitude, longitude });
            }
        }
        None
    }

    fn call_back(&mut self, chat_id: ChatId, seq: Seq, user: UserId, payload: &str) -> Option<String> {
        let message = self.message(chat_id, seq)?;
        let (bot, is_constructed) = (message.button_bot(), message.constructor.is_some());
        let json = self.message_json(message);
        let callback_id = self.secret("callback");
        let now = self.happened(chat_id, user);
        let fields = json!({
            "callback": {
                "timestamp": now,
                "callback_id": callback_id,
                "payload": payload,
                "user": self.user_json(user),
            },
            "message": json,
            "user_locale": LOCALE,
        });
        self.callbacks.insert(callback_id.clone(), Callback { user, bot, chat: chat_id, seq });
        // Buttons made in a constructor also reach its bot from chats without the bot.
        let is_heard = is_constructed || self.bots_in(chat_id, user).contains(&bot);
        let bots: &[UserId] = if is_heard { &[bot] } else { &[] };
        self.publish(bots, "message_callback", now, fields);
        Some(callback_id)
    }

    /// Returns the contact card of a user, signed for a bot.
    pub(crate) fn own_card(&self, user: UserId, bot: Option<UserId>) -> Attachment {
        let vcf = Some(vcard(self.name(user), self.phone(user).as_deref()));
        Attachment::Contact { vcf, user: Some(user), signed_for: bot }
    }

    /// Returns the phone number of a user. On MAX, every user has one.
    fn phone(&self, user: UserId) -> Option<String> {
        /// The number of generated phone numbers: 10 digits after `7`.
        const NUMBERS: i64 = 10_000_000_000;
        let own = self.users.get(&user).and_then(|user| user.phone.clone());
        let made = || self.service.traits().signs_contacts.then(|| format!("7{:010}", user.rem_euclid(NUMBERS)));
        own.or_else(made)
    }

    fn post_attachment(&mut self, chat_id: ChatId, user: UserId, attachment: Attachment) {
        let attachments = vec![attachment];
        self.post(chat_id, user, Content { attachments, ..Content::default() });
    }

    /// Shows a one-time notification to a user.
    pub(crate) fn notify(&mut self, chat_id: ChatId, bot: UserId, user: UserId, text: &str) {
        let line = format!("{} notifies {}: {text}", self.name(bot), self.name(user));
        self.record(chat_id, line);
        self.happened(chat_id, bot);
        self.with_chat(chat_id, |chat| {
            chat.notifications.entry(user).or_default().push_back(text.to_owned());
        });
    }

    /// Writes a line of the transcript.
    pub(crate) fn record(&mut self, chat_id: ChatId, what: String) {
        let Some(chat) = self.chats.get(&chat_id) else { return };
        let dialog_with = match chat.kind {
            ChatKind::Dialog { user, bot, .. } if self.first_bot != Some(bot) => {
                Some(format!("{}, {}", self.name(user), self.name(bot)))
            }
            ChatKind::Dialog { user, .. } => Some(self.name(user).to_owned()),
            ChatKind::Group { .. } => None,
        };
        let chat_title = chat.title().map(str::to_owned);
        self.events.push(Event { chat_id, chat_title, dialog_with, what });
        self.touched = true;
    }

    /// Records the time of an act in the chat, in the membership, and in the user. Returns the time.
    pub(crate) fn happened(&mut self, chat_id: ChatId, who: UserId) -> Millis {
        let now = self.clock.tick();
        // The time of a bot does not change: a message that it fetches must equal the posted message, sender
        // included.
        if let Some(user) = self.users.get_mut(&who).filter(|user| !user.is_bot) {
            user.last_activity = now;
        }
        self.with_chat(chat_id, |chat| {
            chat.last_event = now;
            if let Some(member) = chat.members.get_mut(&who) {
                member.last_access = now;
            }
        });
        now
    }

    /// Puts an update into the mailboxes of these bots.
    pub(crate) fn publish(&mut self, bots: &[UserId], kind: &'static str, now: Millis, mut fields: Value) {
        fields["timestamp"] = json!(now);
        fields["update_type"] = json!(kind);
        let update = self.update(kind.to_owned(), &fields);
        let meant = self.clock.now();
        for bot in bots {
            if let Some(bot) = self.bots.get_mut(bot) {
                bot.mailbox.push(update.clone(), meant);
            }
        }
        self.touched = true;
    }

    fn update(&self, kind: String, json: &Value) -> Update {
        let is_pushed_only = self.service.traits().webhook_only.contains(&kind.as_str());
        let time = self.clock.dated();
        Update { kind: kind.into(), json: wire::to_text(json).into(), time, is_pushed_only }
    }

    /// Removes the null fields of an object, if the service omits them.
    pub(crate) fn omit_nulls(&self, value: &mut Value) {
        if let (true, Some(fields)) = (self.service.traits().omits_nulls, value.as_object_mut()) {
            fields.retain(|_, value| !value.is_null());
        }
    }

    /// Puts any update into the mailbox of a bot. Returns false if the bot does not exist.
    pub(crate) fn push_update(&mut self, bot: UserId, update: &Value) -> bool {
        let kind = update["update_type"].as_str().unwrap_or_default().to_owned();
        // A test may push any update, also one that is otherwise only delivered by webhook.
        let update = Update { is_pushed_only: false, ..self.update(kind, update) };
        let now = self.clock.tick();
        self.touched = true;
        self.bots.get_mut(&bot).map(|bot| bot.mailbox.push(update, now)).is_some()
    }

    /// Puts the latest update into the mailbox of a bot again. Returns false if there is no update or no bot.
    pub(crate) fn repeat_update(&mut self, bot: UserId) -> bool {
        let now = self.clock.tick();
        self.touched = true;
        self.bots.get_mut(&bot).is_some_and(|bot| bot.mailbox.repeat(now))
    }

    /// Returns the bots that get updates of a chat: all bots in it except `except`, which acted. A suspended dialog has
    /// none.
    pub(crate) fn bots_in(&self, chat_id: ChatId, except: UserId) -> Vec<UserId> {
        let chat = self.chats.get(&chat_id).filter(|chat| !chat.is_suspended());
        let members = chat.into_iter().flat_map(|chat| chat.members.keys());
        members.copied().filter(|user| *user != except && self.is_bot(*user)).collect()
    }

    /// Returns the bots of [`bots_in`](Self::bots_in) that may read the messages of the chat.
    pub(crate) fn bots_reading(&self, chat_id: ChatId, except: UserId) -> Vec<UserId> {
        let mut bots = self.bots_in(chat_id, except);
        if let Some(chat) = self.chats.get(&chat_id).filter(|chat| !chat.is_dialog())
            && self.service.traits().hides_messages
        {
            bots.retain(|bot| chat.may(*bot, Permission::ReadAllMessages));
        }
        bots
    }

    /// Shows people what a bot posted or edited.
    pub(crate) fn show(&mut self, actor: UserId, message: &Message, json: &Value, is_edit: bool) {
        if !self.is_bot(actor) {
            return;
        }
        let seen = Seen {
            mid: message.mid().into(),
            text: message.body.text.clone().unwrap_or_default(),
            buttons: message.body.labels(),
            message: json.clone(),
            is_edit,
        };
        self.with_chat(message.body.chat, |chat| chat.shown.push(seen));
    }

    pub(crate) fn with_chat<T>(&mut self, chat_id: ChatId, change: impl FnOnce(&mut Chat) -> T) -> Option<T> {
        self.chats.get_mut(&chat_id).map(change)
    }
}

/// Latitude and longitude that every person shares. They have more digits than an `f32` keeps.
const WHERE_PEOPLE_ARE: (f64, f64) = (59.939_098_437_5, 30.315_811_157_226);

/// Returns a contact card in the format vCard 3.0, which messengers send.
pub(crate) fn vcard(name: &str, phone: Option<&str>) -> String {
    let phone = phone.map(|phone| format!("TEL;TYPE=cell:{}\r\n", escaped(phone))).unwrap_or_default();
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\n{phone}FN:{}\r\nEND:VCARD\r\n", escaped(name))
}

/// Escapes a text for a value of a contact card.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace(',', r"\,").replace(';', r"\;");
    text.replace("\r\n", r"\n").replace(['\r', '\n'], r"\n")
}
