//! Acts of people, for the Rust API and the control endpoints. Each act changes the state, or is refused with a reason.
//!
//! A reason continues a sentence that begins with the person's name.

mod comments;
mod constructor;
mod dialog;
mod members;
mod mini_app;

use serde::Serialize;
use serde_json::{Map, Value};
use tamtam::MessageId;

use super::enclosure::Enclosure;
use crate::operations::attachments;
use crate::operations::draft::Draft;
use crate::protocol::error::ApiError;
use crate::protocol::service::Service;
use crate::state::State;
use crate::state::chat::Chat;
use crate::state::ids::{self, ChatId, Seq, UserId};
use crate::state::message::{Action, Attachment, Button, Content, Link, LinkKind, Message};
use crate::state::seen::Seen;

/// The result of an act. The error is the reason why the act is refused.
pub(crate) type Done<T> = Result<T, String>;

/// A person, and the chat in which the person acts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor {
    pub(crate) user_id: UserId,
    /// The bot that this person talks to.
    pub(crate) bot: UserId,
    /// The group in which this person acts. `None`: the dialog with the bot.
    pub(crate) group: Option<ChatId>,
}

impl Actor {
    pub(crate) fn chat_id(self) -> ChatId {
        self.group.unwrap_or_else(|| ids::dialog(self.user_id, self.bot))
    }

    pub(crate) fn starts(self, state: &mut State, payload: Option<&str>) -> Done<()> {
        self.check_dialog("start the bot")?;
        state.start(self.user_id, self.bot, payload);
        Ok(())
    }

    pub(crate) fn stops(self, state: &mut State) -> Done<()> {
        self.check_dialog("stop the bot")?;
        let is_stopped = self.chat(state)?.is_suspended();
        if is_stopped && state.service.traits().has_dialog_updates {
            return Err("has stopped the bot already".to_owned());
        }
        state.stop(self.chat_id());
        Ok(())
    }

    /// Posts a `NewMessageBody` and enclosures as a message of this person.
    pub(crate) fn says(self, state: &mut State, body: &impl Serialize, enclosures: Vec<Enclosure>) -> Done<MessageId> {
        let body = serde_json::to_value(body).map_err(|error| format!("cannot send this message: {error}"))?;
        let Value::Object(mut body) = body else { return Err("has nothing to say".to_owned()) };
        rewrite_mentions(&mut body, state.service);
        let given: &[Value] = body.get("attachments").and_then(Value::as_array).map_or(&[], Vec::as_slice);
        let added = enclosures.iter().map(|one| -> &str { one.kind() });
        let kinds = given.iter().filter_map(|one| one["type"].as_str()).chain(added);
        let kinds: Vec<_> = kinds.collect();
        if kinds.contains(&"inline_keyboard") {
            return Err("cannot send buttons, only bots can".to_owned());
        }
        let refused = |error: ApiError| format!("cannot send this message: {}", error.message());
        attachments::check_combination(&kinds).map_err(refused)?;
        enclosures.iter().filter_map(Enclosure::place).try_for_each(check_place)?;
        let mut content = Draft::read(state, self.user_id, &body).map_err(refused)?.into_content();
        content.text = content.text.filter(|text| !text.is_empty());
        if content.is_empty() && enclosures.is_empty() {
            return Err("has nothing to say".to_owned());
        }
        self.post(state, |state| {
            content.attachments.extend(enclosures.into_iter().map(|one| one.into_attachment(state)));
            Ok(content)
        })
    }

    pub(crate) fn shares_contact(self, state: &mut State) -> Done<MessageId> {
        let card = state.own_card(self.user_id, Some(self.bot));
        self.sends(state, card)
    }

    pub(crate) fn sends_location(self, state: &mut State, latitude: f64, longitude: f64) -> Done<MessageId> {
        check_place((latitude, longitude))?;
        self.sends(state, Attachment::Location { latitude, longitude })
    }

    pub(crate) fn forwards(self, state: &mut State, mid: &str) -> Done<MessageId> {
        self.post(state, |state| {
            let link = Link::to(self.find(state, mid, None)?, LinkKind::Forward);
            Ok(Content { link: Some(link), ..Content::default() })
        })
    }

    pub(crate) fn replies(self, state: &mut State, mid: &str, text: String) -> Done<MessageId> {
        self.post(state, |state| {
            let link = Link::to(self.find(state, mid, Some(self.chat_id()))?, LinkKind::Reply);
            Ok(Content { link: Some(link), ..Content::text(text) })
        })
    }

    pub(crate) fn edits(self, state: &mut State, mid: &str, text: String) -> Done<()> {
        if let Some(comment) = self.own_comment(state, mid)? {
            return self.edits_comment(state, &comment, text);
        }
        let (seq, content) = self.own(state, mid)?;
        let content = Content { text: Some(text), markup: Vec::new(), ..content };
        state.edit(self.chat_id(), seq, self.user_id, content);
        Ok(())
    }

    pub(crate) fn deletes(self, state: &mut State, mid: &str) -> Done<()> {
        if let Some(comment) = self.own_comment(state, mid)? {
            state.delete_comment(self.chat_id(), comment.body.seq, self.user_id);
            return Ok(());
        }
        let (seq, _) = self.own(state, mid)?;
        state.delete(self.chat_id(), seq, self.user_id);
        Ok(())
    }

    /// Presses a button. Returns the id of the callback, if the button has one.
    pub(crate) fn presses(self, state: &mut State, label: &str) -> Done<Option<String>> {
        self.check_member(state)?;
        let (seq, action) = self.find_button(state, label)?;
        if matches!(action, Action::RequestContact | Action::RequestLocation { .. } | Action::Message) {
            self.check_writes(state)?;
        }
        Ok(state.press(self.chat_id(), seq, self.user_id, (label, &action)))
    }

    pub(crate) fn sees(self, state: &mut State) -> Vec<String> {
        let Some(chat) = state.chats.get_mut(&self.chat_id()) else { return Vec::new() };
        let first = chat.first_seen_by(self.user_id);
        let messages = chat.messages.range_mut(first..).map(|(_, message)| message);
        let look = |message: &mut Message| {
            message.viewers.insert(self.user_id);
            message.body.text.clone().unwrap_or_default()
        };
        messages.map(look).collect()
    }

    /// Returns the next unread message or edit of a bot in this chat.
    pub(crate) fn reads(self, state: &mut State) -> Option<Seen> {
        let chat = state.chats.get_mut(&self.chat_id())?;
        chat.members.get(&self.user_id)?;
        let read = chat.read.entry(self.user_id).or_default();
        let seen = chat.shown.get(*read).cloned()?;
        *read += 1;
        if let Some((_, seq)) = ids::parse_mid(seen.mid.as_str()) {
            chat.view(seq, self.user_id);
        }
        Some(seen)
    }

    /// Returns the next unread notification in this chat.
    pub(crate) fn reads_notification(self, state: &mut State) -> Option<String> {
        state.chats.get_mut(&self.chat_id())?.notifications.get_mut(&self.user_id)?.pop_front()
    }

    /// Posts the content that `make` returns. `make` runs only if this person can write here.
    fn post(self, state: &mut State, make: impl FnOnce(&mut State) -> Done<Content>) -> Done<MessageId> {
        let chat_id = self.chat_id();
        self.opens(state);
        self.check_writes(state)?;
        let content = make(state)?;
        let seq = state.post(chat_id, self.user_id, content);
        Ok(ids::mid(chat_id, seq).into())
    }

    /// Starts the bot if the dialog is not open.
    fn opens(self, state: &mut State) {
        let open = state.chats.get(&self.chat_id()).is_some_and(|chat| !chat.is_suspended());
        if self.group.is_none() && !open {
            state.start(self.user_id, self.bot, None);
        }
    }

    fn sends(self, state: &mut State, attachment: Attachment) -> Done<MessageId> {
        let content = Content { attachments: vec![attachment], ..Content::default() };
        self.post(state, |_| Ok(content))
    }

    fn chat(self, state: &State) -> Done<&Chat> {
        state.chats.get(&self.chat_id()).ok_or_else(|| "has not opened this chat".to_owned())
    }

    /// Fails on TamTam. `what`: the act, for the message.
    fn check_max(self, state: &State, what: &str) -> Done<()> {
        let is_max = state.service == Service::Max;
        if is_max { Ok(()) } else { Err(format!("cannot {what} on TamTam, only on MAX: use Sandbox::max()")) }
    }

    fn check_tamtam(self, state: &State, what: &str) -> Done<()> {
        let has_constructors = state.service.traits().has_constructors;
        if has_constructors {
            Ok(())
        } else {
            Err(format!("cannot {what} on MAX, only on TamTam: use Sandbox::start()"))
        }
    }

    fn check_dialog(self, what: &str) -> Done<()> {
        let is_dialog = self.group.is_none();
        if is_dialog { Ok(()) } else { Err(format!("can {what} in the dialog only, not in a group")) }
    }

    fn check_member(self, state: &State) -> Done<()> {
        let is_member = self.chat(state)?.members.contains_key(&self.user_id);
        if is_member { Ok(()) } else { Err("is not a member of this chat".to_owned()) }
    }

    /// Fails if this person cannot write here now.
    fn check_writes(self, state: &State) -> Done<()> {
        self.check_member(state)?;
        let chat = self.chat(state)?;
        if chat.is_suspended() {
            return Err("has stopped the bot: start it again first".to_owned());
        }
        if !chat.may_post(self.user_id) {
            return Err("is not an administrator of this channel, and cannot post in it".to_owned());
        }
        Ok(())
    }

    fn own(self, state: &State, mid: &str) -> Done<(Seq, Content)> {
        let found = state.find(mid).filter(|(chat, _)| *chat == self.chat_id());
        let message = found.and_then(|(chat, seq)| state.message(chat, seq));
        let message = message.ok_or_else(|| format!("finds no message {mid} in this chat"))?;
        if message.sender != self.user_id {
            return Err(format!("did not write message {mid}, {} did", state.name(message.sender)));
        }
        Ok((message.body.seq, Content::of(message)))
    }

    /// Returns a message that this person can read. `place`: the chat of the message. `None`: any chat.
    fn find<'a>(self, state: &'a State, mid: &str, place: Option<ChatId>) -> Done<&'a Message> {
        let is_reader = |chat: &Chat| chat.members.contains_key(&self.user_id);
        let found = state.find(mid).filter(|(chat, _)| place.is_none_or(|place| place == *chat));
        let found = found.filter(|(chat, _)| state.chats.get(chat).is_some_and(is_reader));
        let is_seen = |chat: &Chat, seq| seq >= chat.first_seen_by(self.user_id);
        let found = found.filter(|(chat, seq)| state.chats.get(chat).is_some_and(|chat| is_seen(chat, *seq)));
        let message = found.and_then(|(chat, seq)| state.message(chat, seq));
        message.ok_or_else(|| format!("finds no message {mid}"))
    }

    /// Finds a button of the newest message with a keyboard that this person sees.
    fn find_button(self, state: &State, label: &str) -> Done<(Seq, Action)> {
        let chat = self.chat(state)?;
        let mut newest_first = chat.messages.range(chat.first_seen_by(self.user_id)..).rev();
        let keyboard = newest_first.find_map(|(seq, one)| Some((*seq, one.body.keyboard()?)));
        let (seq, rows) = keyboard.ok_or("sees no message with buttons in this chat")?;
        Ok((seq, button(rows, label)?))
    }
}

fn check_place((latitude, longitude): (f64, f64)) -> Done<()> {
    let is_place = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    if is_place {
        Ok(())
    } else {
        Err(format!("cannot send {latitude}, {longitude}: a latitude is -90 to 90, a longitude -180 to 180 degrees"))
    }
}

/// Converts the mentions in a formatted text to the form of the service. The SDK writes them in the form of TamTam, and
/// converts them only when it sends.
fn rewrite_mentions(body: &mut Map<String, Value>, service: Service) {
    let (own, written) = (service.traits().mention, Service::TamTam.traits().mention);
    let is_formatted = body.get("format").is_some_and(|format| !format.is_null());
    if let (Some(Value::String(text)), true) = (body.get_mut("text"), is_formatted && own != written) {
        *text = text.replace(written, own);
    }
}

/// Returns the action of the button with this label.
fn button(rows: &[Vec<Button>], label: &str) -> Done<Action> {
    let found = rows.iter().flatten().find(|button| button.label == label);
    found.map(|button| button.action.clone()).ok_or_else(|| {
        let labels = rows.iter().flatten().map(|button| format!("[{}]", button.label));
        format!("sees no button [{label}]; existing buttons: {}", labels.collect::<Vec<_>>().join(" "))
    })
}
