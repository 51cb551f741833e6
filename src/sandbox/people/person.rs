//! People, who drive the sandbox: they write, press, read, as in the messenger.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use tokio::time::Instant;

use super::account::Account;
use super::group::Group;
use super::seen::Seen;
use crate::sandbox::Sandbox;
use crate::sandbox::state::State;
use crate::sandbox::state::chat::Chat;
use crate::sandbox::state::ids::{self, ChatId, Seq, UserId};
use crate::sandbox::state::message::{Action, Button, Content, Message};

/// Somebody who talks with the bot. Cheap to clone; every clone is the same person.
///
/// A person acts in one chat: in the dialog with the bot, or in the group of
/// [`in_chat`](Self::in_chat). "The bot" is the one that the sandbox started with, unless
/// [`with_bot`](Self::with_bot) says otherwise. What cannot be done in the messenger (pressing a button that is not
/// there, editing what somebody else wrote) panics, as an assertion does, at the line of the test.
#[derive(Clone)]
pub struct Person {
    pub(in crate::sandbox) sandbox: Sandbox,
    pub(in crate::sandbox) user_id: UserId,
    pub(in crate::sandbox) name: Arc<str>,
    /// The bot this person talks with.
    pub(in crate::sandbox) bot: UserId,
    /// The group this person acts in; `None` is the dialog with the bot.
    pub(in crate::sandbox) group: Option<ChatId>,
}

impl Person {
    /// The user's id, as updates and members have it.
    pub fn user_id(&self) -> crate::UserId {
        crate::UserId(self.user_id)
    }

    /// The visible name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the chat this person acts in: of the dialog with the bot, even if it was never
    /// opened, or of the group.
    pub fn chat_id(&self) -> crate::ChatId {
        crate::ChatId(self.chat())
    }

    fn chat(&self) -> ChatId {
        self.group.unwrap_or_else(|| ids::dialog(self.user_id, self.bot))
    }

    /// Gives this person a public username: `sandbox.user("Alice").with_username("alice")`.
    #[must_use]
    pub fn with_username(self, username: &str) -> Self {
        self.act(|state| {
            if let Some(user) = state.users.get_mut(&self.user_id) {
                user.username = Some(username.to_owned());
            }
        });
        self
    }

    /// The same person, acting in a group or a channel.
    #[must_use]
    pub fn in_chat(&self, group: &Group) -> Self {
        Self { group: Some(group.chat_id), ..self.clone() }
    }

    /// The same person with another bot: with whom the dialog is, and who is meant by
    /// [`adds_bot`](Self::adds_bot), [`opens_constructor`](Self::opens_constructor) and the like.
    #[must_use]
    pub fn with_bot(&self, account: &Account) -> Self {
        Self { bot: account.user_id, ..self.clone() }
    }

    /// Presses Start: the dialog is opened, or opened again after [`stops`](Self::stops), and the
    /// bot gets `bot_started`.
    ///
    /// # Panics
    ///
    /// In a group, which is not started.
    #[track_caller]
    pub fn starts(&self) {
        self.start(None);
    }

    /// Follows a deep link (`https://tt.me/bot/start/payload`) and presses Start. A payload of more
    /// than 128 characters does not reach the bot.
    ///
    /// # Panics
    ///
    /// In a group, which is not started.
    #[track_caller]
    pub fn starts_with(&self, payload: &str) {
        self.start(Some(payload));
    }

    #[track_caller]
    fn start(&self, payload: Option<&str>) {
        self.must_be_in_dialog("start the bot");
        self.act(|state| state.start(self.user_id, self.bot, payload));
    }

    /// Stops the bot: it can neither write to this person nor read the dialog, until the person
    /// starts it again or writes to it. The bot is not told.
    ///
    /// # Panics
    ///
    /// In a group, and if the bot was never started.
    #[track_caller]
    pub fn stops(&self) {
        self.must_be_in_dialog("stop the bot");
        self.must(|state, chat_id| {
            chat(state, chat_id)?;
            state.suspend(chat_id, true);
            let bot = state.name(self.bot).to_owned();
            state.record(chat_id, format!("{} stops {bot}", self.name));
            Ok(())
        });
    }

    /// Writes a message; the bot gets `message_created`. A dialog that is not open is started
    /// first, so that the bot gets `bot_started` before. Returns the id of the message.
    ///
    /// # Panics
    ///
    /// In a group of which this person is no member, and in a channel of which this person is no administrator.
    #[track_caller]
    pub fn says(&self, text: impl Into<String>) -> crate::MessageId {
        let text = text.into();
        self.must(|state, chat_id| self.post(state, chat_id, |_| Ok(Content::text(text))))
    }

    /// Posts what is made when it is certain that this person can write here.
    pub(in crate::sandbox) fn post(
        &self,
        state: &mut State,
        chat_id: ChatId,
        make: impl FnOnce(&mut State) -> Result<Content, String>,
    ) -> Result<crate::MessageId, String> {
        let open = state.chats.get(&chat_id).is_some_and(|chat| !chat.is_suspended());
        if self.group.is_none() && !open {
            state.start(self.user_id, self.bot, None);
        }
        self.check_writes(state, chat_id)?;
        let content = make(state)?;
        let seq = state.post(chat_id, self.user_id, content);
        Ok(ids::mid(chat_id, seq).into())
    }

    /// Changes the text of a message of one's own; the bot gets `message_edited`.
    ///
    /// # Panics
    ///
    /// If there is no such message in this chat, or somebody else wrote it.
    #[track_caller]
    pub fn edits(&self, mid: impl AsRef<str>, text: impl Into<String>) {
        let (mid, text) = (mid.as_ref(), text.into());
        self.must(|state, chat_id| {
            let (seq, content) = self.own(state, chat_id, mid)?;
            let content = Content { text: Some(text), markup: Vec::new(), ..content };
            state.edit(chat_id, seq, self.user_id, content);
            Ok(())
        });
    }

    /// Deletes a message of one's own, for everyone; the bot gets `message_removed`.
    ///
    /// # Panics
    ///
    /// If there is no such message in this chat, or somebody else wrote it.
    #[track_caller]
    pub fn deletes(&self, mid: impl AsRef<str>) {
        let mid = mid.as_ref();
        self.must(|state, chat_id| {
            let (seq, _) = self.own(state, chat_id, mid)?;
            state.delete(chat_id, seq, self.user_id);
            Ok(())
        });
    }

    /// Presses a button, by its label, of the newest message with a keyboard in this chat.
    ///
    /// A `callback` button sends the bot `message_callback`; `request_contact` and
    /// `request_geo_location` post a message with the contact or a location; a `link` is followed,
    /// of which the bot does not hear. The first press of a `chat` button creates its chat, with the
    /// author of the message as its owner and this person in it, and the bot gets
    /// `message_chat_created`; whoever presses later joins that chat, which
    /// [`Sandbox::chat`](super::Sandbox::chat) finds.
    ///
    /// # Panics
    ///
    /// If there is no button with this label: the message tells those that are there.
    #[track_caller]
    pub fn presses(&self, label: &str) {
        self.must(|state, chat_id| {
            self.check_member(state, chat_id)?;
            let (seq, action) = find_button(chat(state, chat_id)?, label)?;
            if matches!(action, Action::RequestContact | Action::RequestLocation { .. }) {
                self.check_writes(state, chat_id)?;
            }
            state.press(chat_id, seq, self.user_id, (label, &action));
            Ok(())
        });
    }

    /// The texts of this chat as they are now, the oldest first: without what was deleted, with
    /// what was edited as it is after the edit. A message without a text is an empty string. To the posts
    /// of a channel it is a view.
    pub fn sees(&self) -> Vec<String> {
        self.act(|state| {
            let messages = state.chats.get_mut(&self.chat()).into_iter();
            let messages = messages.flat_map(|chat| chat.messages.values_mut());
            let look = |message: &mut Message| {
                message.viewers.insert(self.user_id);
                message.body.text.clone().unwrap_or_default()
            };
            messages.map(look).collect()
        })
    }

    /// Reads the next thing that a bot showed in this chat: a new message, or one it edited. Waits
    /// for it if there is none yet.
    ///
    /// Everything is read once and in order, and as it was when it was shown, even if it has been
    /// changed or deleted since; so a test does not depend on how fast it reads. To a post of a channel
    /// it is a view.
    ///
    /// # Panics
    ///
    /// If nothing comes in time (see
    /// [`SandboxBuilder::patience`](super::SandboxBuilder::patience)), with the transcript.
    #[track_caller]
    pub fn reads(&self) -> impl Future<Output = Seen> + Send + use<> {
        let user_id = self.user_id;
        let chat_id = self.chat();
        self.clone().waits("a message", Location::caller(), move |state| {
            let chat = state.chats.get_mut(&chat_id)?;
            chat.members.get(&user_id)?;
            let read = chat.read.entry(user_id).or_default();
            let seen = chat.shown.get(*read).cloned();
            let seen = seen?;
            *read += 1;
            if let Some((_, seq)) = ids::parse_mid(seen.mid.as_str()) {
                chat.view(seq, user_id);
            }
            Some(seen)
        })
    }

    /// Reads the next notification that a bot showed this person for a pressed button. Waits for it
    /// if there is none yet.
    ///
    /// # Panics
    ///
    /// As [`reads`](Self::reads) does.
    #[track_caller]
    pub fn reads_notification(&self) -> impl Future<Output = String> + Send + use<> {
        let user_id = self.user_id;
        let chat_id = self.chat();
        self.clone().waits("a notification", Location::caller(), move |state| {
            state.chats.get_mut(&chat_id)?.notifications.get_mut(&user_id)?.pop_front()
        })
    }

    /// Waits until `look` finds something. An `async` function does not know its
    /// caller, so the verbs that wait find it out before they begin to.
    pub(in crate::sandbox) async fn waits<T>(
        self,
        what: &'static str,
        caller: &'static Location<'static>,
        look: impl FnMut(&mut State) -> Option<T>,
    ) -> T {
        let patience = self.sandbox.patience();
        let deadline = Instant::now() + patience;
        let found = self.sandbox.world().wait(deadline, look).await;
        found.unwrap_or_else(|| {
            let (name, told) = (&self.name, self.sandbox.told());
            panic!("{caller}: {name} expected {what} and got none in {patience:?}\n{told}")
        })
    }

    /// Does something that may be impossible, and then panics at the caller's line.
    #[track_caller]
    pub(in crate::sandbox) fn must<T>(&self, change: impl FnOnce(&mut State, ChatId) -> Result<T, String>) -> T {
        match self.act(|state| change(state, self.chat())) {
            Ok(value) => value,
            // Not in a closure: there the line would be this one.
            Err(why) => panic!("{} {why}\n{}", self.name, self.sandbox.told()),
        }
    }

    pub(in crate::sandbox) fn act<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.sandbox.world().act(change)
    }

    #[track_caller]
    fn must_be_in_dialog(&self, what: &str) {
        assert!(self.group.is_none(), "{} can {what} in the dialog only, not in a group", self.name);
    }

    pub(in crate::sandbox) fn check_member(&self, state: &State, chat_id: ChatId) -> Result<(), String> {
        let chat = chat(state, chat_id)?;
        let is_member = chat.members.contains_key(&self.user_id);
        if is_member { Ok(()) } else { Err("is no member of this chat".to_owned()) }
    }

    /// Whether this person can write here just now.
    pub(in crate::sandbox) fn check_writes(&self, state: &State, chat_id: ChatId) -> Result<(), String> {
        self.check_member(state, chat_id)?;
        if chat(state, chat_id)?.is_suspended() {
            return Err("has stopped the bot, and writes to it no more".to_owned());
        }
        if !chat(state, chat_id)?.may_post(self.user_id) {
            return Err("is no administrator of this channel, and cannot post in it".to_owned());
        }
        Ok(())
    }

    fn own(&self, state: &State, chat_id: ChatId, mid: &str) -> Result<(Seq, Content), String> {
        let found = state.find(mid).filter(|(chat, _)| *chat == chat_id);
        let message = found.and_then(|(chat, seq)| state.message(chat, seq));
        let message = message.ok_or_else(|| format!("finds no message {mid} in this chat"))?;
        if message.sender != self.user_id {
            return Err(format!("did not write message {mid}, {} did", state.name(message.sender)));
        }
        Ok((message.body.seq, Content::of(message)))
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("Person");
        out.field("user_id", &self.user_id).field("name", &self.name);
        out.field("chat_id", &self.chat_id()).finish_non_exhaustive()
    }
}

pub(in crate::sandbox) fn chat(state: &State, chat_id: ChatId) -> Result<&Chat, String> {
    state.chats.get(&chat_id).ok_or_else(|| "has not opened this chat".to_owned())
}

/// The button of the newest message with a keyboard.
fn find_button(chat: &Chat, label: &str) -> Result<(Seq, Action), String> {
    let mut newest_first = chat.messages.iter().rev();
    let keyboard = newest_first.find_map(|(seq, one)| Some((*seq, one.body.keyboard()?)));
    let (seq, rows) = keyboard.ok_or("sees no message with buttons in this chat")?;
    Ok((seq, button(rows, label)?))
}

/// What a button with this label does.
pub(in crate::sandbox) fn button(rows: &[Vec<Button>], label: &str) -> Result<Action, String> {
    let found = rows.iter().flatten().find(|button| button.label == label);
    found.map(|button| button.action.clone()).ok_or_else(|| {
        let labels = rows.iter().flatten().map(|button| format!("[{}]", button.label));
        format!("sees no button [{label}], but {}", labels.collect::<Vec<_>>().join(" "))
    })
}
