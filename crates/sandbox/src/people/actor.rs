//! What people do, whoever asks for it: each act is done to the state, or refused with the reason why it cannot be.
//!
//! Reasons continue a sentence that begins with the person's name.

mod constructor;
mod group;

use tamtam::MessageId;

use super::enclosure::Enclosure;
use crate::operations::attachments;
use crate::state::State;
use crate::state::acts;
use crate::state::chat::Chat;
use crate::state::ids::{self, ChatId, Seq, UserId};
use crate::state::message::{Action, Attachment, Button, Content, Link, LinkKind, Message};
use crate::state::seen::Seen;

/// What an act comes to.
pub(crate) type Done<T> = Result<T, String>;

/// Who acts, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor {
    pub(crate) user_id: UserId,
    /// The bot this person talks with.
    pub(crate) bot: UserId,
    /// The group this person acts in; `None` is the dialog with the bot.
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
        let chat_id = self.chat_id();
        self.chat(state)?;
        state.suspend(chat_id, true);
        let line = format!("{} stops {}", state.name(self.user_id), state.name(self.bot));
        state.record(chat_id, line);
        Ok(())
    }

    pub(crate) fn says(self, state: &mut State, text: String) -> Done<MessageId> {
        self.post(state, |_| Ok(Content::text(text)))
    }

    pub(crate) fn says_with(self, state: &mut State, text: String, enclosures: Vec<Enclosure>) -> Done<MessageId> {
        let text = Some(text).filter(|text| !text.is_empty());
        let kinds: Vec<_> = enclosures.iter().map(Enclosure::kind).collect();
        attachments::check_company(&kinds).map_err(|error| format!("cannot send that: {}", error.message()))?;
        if text.is_none() && enclosures.is_empty() {
            return Err("has nothing to say".to_owned());
        }
        self.post(state, |state| {
            let attachments = enclosures.into_iter().map(|one| one.into_attachment(state)).collect();
            Ok(Content { text, attachments, ..Content::default() })
        })
    }

    pub(crate) fn shares_contact(self, state: &mut State) -> Done<MessageId> {
        let vcf = Some(acts::vcard(state.name(self.user_id), None));
        self.sends(state, Attachment::Contact { vcf, user: Some(self.user_id) })
    }

    pub(crate) fn sends_location(self, state: &mut State, latitude: f64, longitude: f64) -> Done<MessageId> {
        let is_place = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        if !is_place {
            return Err(format!("cannot be there: {latitude}, {longitude} is no place on the map"));
        }
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
        let (seq, content) = self.own(state, mid)?;
        let content = Content { text: Some(text), markup: Vec::new(), ..content };
        state.edit(self.chat_id(), seq, self.user_id, content);
        Ok(())
    }

    pub(crate) fn deletes(self, state: &mut State, mid: &str) -> Done<()> {
        let (seq, _) = self.own(state, mid)?;
        state.delete(self.chat_id(), seq, self.user_id);
        Ok(())
    }

    /// Presses a button; the id of the callback, if it is a button that has one.
    pub(crate) fn presses(self, state: &mut State, label: &str) -> Done<Option<String>> {
        self.check_member(state)?;
        let (seq, action) = find_button(self.chat(state)?, label)?;
        if matches!(action, Action::RequestContact | Action::RequestLocation { .. }) {
            self.check_writes(state)?;
        }
        Ok(state.press(self.chat_id(), seq, self.user_id, (label, &action)))
    }

    pub(crate) fn sees(self, state: &mut State) -> Vec<String> {
        let messages = state.chats.get_mut(&self.chat_id()).into_iter();
        let messages = messages.flat_map(|chat| chat.messages.values_mut());
        let look = |message: &mut Message| {
            message.viewers.insert(self.user_id);
            message.body.text.clone().unwrap_or_default()
        };
        messages.map(look).collect()
    }

    /// The next thing that was shown here and not read yet.
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

    /// The next notification that was shown here and not read yet.
    pub(crate) fn reads_notification(self, state: &mut State) -> Option<String> {
        state.chats.get_mut(&self.chat_id())?.notifications.get_mut(&self.user_id)?.pop_front()
    }

    /// Posts what is made when it is certain that this person can write here.
    fn post(self, state: &mut State, make: impl FnOnce(&mut State) -> Done<Content>) -> Done<MessageId> {
        let chat_id = self.chat_id();
        let open = state.chats.get(&chat_id).is_some_and(|chat| !chat.is_suspended());
        if self.group.is_none() && !open {
            state.start(self.user_id, self.bot, None);
        }
        self.check_writes(state)?;
        let content = make(state)?;
        let seq = state.post(chat_id, self.user_id, content);
        Ok(ids::mid(chat_id, seq).into())
    }

    fn sends(self, state: &mut State, attachment: Attachment) -> Done<MessageId> {
        let content = Content { attachments: vec![attachment], ..Content::default() };
        self.post(state, |_| Ok(content))
    }

    fn chat(self, state: &State) -> Done<&Chat> {
        state.chats.get(&self.chat_id()).ok_or_else(|| "has not opened this chat".to_owned())
    }

    fn check_dialog(self, what: &str) -> Done<()> {
        let is_dialog = self.group.is_none();
        if is_dialog { Ok(()) } else { Err(format!("can {what} in the dialog only, not in a group")) }
    }

    fn check_member(self, state: &State) -> Done<()> {
        let is_member = self.chat(state)?.members.contains_key(&self.user_id);
        if is_member { Ok(()) } else { Err("is no member of this chat".to_owned()) }
    }

    /// Whether this person can write here just now.
    fn check_writes(self, state: &State) -> Done<()> {
        self.check_member(state)?;
        let chat = self.chat(state)?;
        if chat.is_suspended() {
            return Err("has stopped the bot, and writes to it no more".to_owned());
        }
        if !chat.may_post(self.user_id) {
            return Err("is no administrator of this channel, and cannot post in it".to_owned());
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

    /// A message that this person can read, in one chat or in any.
    fn find<'a>(self, state: &'a State, mid: &str, place: Option<ChatId>) -> Done<&'a Message> {
        let is_reader = |chat: &Chat| chat.members.contains_key(&self.user_id);
        let found = state.find(mid).filter(|(chat, _)| place.is_none_or(|place| place == *chat));
        let found = found.filter(|(chat, _)| state.chats.get(chat).is_some_and(is_reader));
        let message = found.and_then(|(chat, seq)| state.message(chat, seq));
        message.ok_or_else(|| format!("finds no message {mid}"))
    }
}

/// The button of the newest message with a keyboard.
fn find_button(chat: &Chat, label: &str) -> Done<(Seq, Action)> {
    let mut newest_first = chat.messages.iter().rev();
    let keyboard = newest_first.find_map(|(seq, one)| Some((*seq, one.body.keyboard()?)));
    let (seq, rows) = keyboard.ok_or("sees no message with buttons in this chat")?;
    Ok((seq, button(rows, label)?))
}

/// What a button with this label does.
fn button(rows: &[Vec<Button>], label: &str) -> Done<Action> {
    let found = rows.iter().flatten().find(|button| button.label == label);
    found.map(|button| button.action.clone()).ok_or_else(|| {
        let labels = rows.iter().flatten().map(|button| format!("[{}]", button.label));
        format!("sees no button [{label}], but {}", labels.collect::<Vec<_>>().join(" "))
    })
}
