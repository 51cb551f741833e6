//! People, who drive the sandbox: they write, press, read, as in the messenger.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use tokio::time::Instant;

use super::account::Account;
use super::actor::{Actor, Done};
use super::group::Group;
use crate::sandbox::Sandbox;
use crate::state::State;
use crate::state::seen::Seen;

/// Somebody who talks with the bot. Cheap to clone; every clone is the same person.
///
/// A person acts in one chat: in the dialog with the bot, or in the group of
/// [`in_chat`](Self::in_chat). "The bot" is the one that the sandbox started with, unless
/// [`with_bot`](Self::with_bot) says otherwise. What cannot be done in the messenger (pressing a button that is not
/// there, editing what somebody else wrote) panics, as an assertion does, at the line of the test.
#[derive(Clone)]
pub struct Person {
    pub(crate) sandbox: Sandbox,
    pub(crate) actor: Actor,
    pub(crate) name: Arc<str>,
}

impl Person {
    /// The user's id, as updates and members have it.
    pub fn user_id(&self) -> tamtam::UserId {
        tamtam::UserId(self.actor.user_id)
    }

    /// The visible name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id of the chat this person acts in: of the dialog with the bot, even if it was never
    /// opened, or of the group.
    pub fn chat_id(&self) -> tamtam::ChatId {
        tamtam::ChatId(self.actor.chat_id())
    }

    /// Gives this person a public username: `sandbox.user("Alice").with_username("alice")`.
    #[must_use]
    pub fn with_username(self, username: &str) -> Self {
        self.act(|state| {
            if let Some(user) = state.users.get_mut(&self.actor.user_id) {
                user.username = Some(username.to_owned());
            }
        });
        self
    }

    /// The same person, acting in a group or a channel.
    #[must_use]
    pub fn in_chat(&self, group: &Group) -> Self {
        Self { actor: Actor { group: Some(group.chat_id), ..self.actor }, ..self.clone() }
    }

    /// The same person with another bot: with whom the dialog is, and who is meant by
    /// [`adds_bot`](Self::adds_bot), [`opens_constructor`](Self::opens_constructor) and the like.
    #[must_use]
    pub fn with_bot(&self, account: &Account) -> Self {
        Self { actor: Actor { bot: account.user_id, ..self.actor }, ..self.clone() }
    }

    /// Presses Start: the dialog is opened, or opened again after [`stops`](Self::stops), and the
    /// bot gets `bot_started`.
    ///
    /// # Panics
    ///
    /// In a group, which is not started.
    #[track_caller]
    pub fn starts(&self) {
        self.must(|actor, state| actor.starts(state, None));
    }

    /// Follows a deep link (`https://tt.me/bot/start/payload`) and presses Start. A payload of more
    /// than 128 characters does not reach the bot.
    ///
    /// # Panics
    ///
    /// In a group, which is not started.
    #[track_caller]
    pub fn starts_with(&self, payload: &str) {
        self.must(|actor, state| actor.starts(state, Some(payload)));
    }

    /// Stops the bot: it can neither write to this person nor read the dialog, until the person
    /// starts it again or writes to it. The bot is not told.
    ///
    /// # Panics
    ///
    /// In a group, and if the bot was never started.
    #[track_caller]
    pub fn stops(&self) {
        self.must(Actor::stops);
    }

    /// Writes a message; the bot gets `message_created`. A dialog that is not open is started
    /// first, so that the bot gets `bot_started` before. Returns the id of the message.
    ///
    /// # Panics
    ///
    /// In a group of which this person is no member, and in a channel of which this person is no administrator.
    #[track_caller]
    pub fn says(&self, text: impl Into<String>) -> tamtam::MessageId {
        self.must(|actor, state| actor.says(state, text.into()))
    }

    /// Changes the text of a message of one's own; the bot gets `message_edited`.
    ///
    /// # Panics
    ///
    /// If there is no such message in this chat, or somebody else wrote it.
    #[track_caller]
    pub fn edits(&self, mid: impl AsRef<str>, text: impl Into<String>) {
        self.must(|actor, state| actor.edits(state, mid.as_ref(), text.into()));
    }

    /// Deletes a message of one's own, for everyone; the bot gets `message_removed`.
    ///
    /// # Panics
    ///
    /// If there is no such message in this chat, or somebody else wrote it.
    #[track_caller]
    pub fn deletes(&self, mid: impl AsRef<str>) {
        self.must(|actor, state| actor.deletes(state, mid.as_ref()));
    }

    /// Presses a button, by its label, of the newest message with a keyboard in this chat.
    ///
    /// A `callback` button sends the bot `message_callback`; `request_contact` and
    /// `request_geo_location` post a message with the contact or a location; a `link` is followed,
    /// of which the bot does not hear. The first press of a `chat` button creates its chat, with the
    /// author of the message as its owner and this person in it, and the bot gets
    /// `message_chat_created`; whoever presses later joins that chat, which
    /// [`Sandbox::chat`](Sandbox::chat) finds.
    ///
    /// # Panics
    ///
    /// If there is no button with this label: the message tells those that are there.
    #[track_caller]
    pub fn presses(&self, label: &str) {
        self.must(|actor, state| actor.presses(state, label));
    }

    /// The texts of this chat as they are now, the oldest first: without what was deleted, with
    /// what was edited as it is after the edit. A message without a text is an empty string. To the posts
    /// of a channel it is a view.
    pub fn sees(&self) -> Vec<String> {
        self.act(|state| self.actor.sees(state))
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
    /// [`SandboxBuilder::patience`](crate::SandboxBuilder::patience)), with the transcript.
    #[track_caller]
    pub fn reads(&self) -> impl Future<Output = Seen> + Send + use<> {
        let actor = self.actor;
        self.clone().waits("a message", Location::caller(), move |state| actor.reads(state))
    }

    /// Reads the next notification that a bot showed this person for a pressed button. Waits for it
    /// if there is none yet.
    ///
    /// # Panics
    ///
    /// As [`reads`](Self::reads) does.
    #[track_caller]
    pub fn reads_notification(&self) -> impl Future<Output = String> + Send + use<> {
        let actor = self.actor;
        self.clone().waits("a notification", Location::caller(), move |state| actor.reads_notification(state))
    }

    /// Waits until `look` finds something. An `async` function does not know its
    /// caller, so the verbs that wait find it out before they begin to.
    pub(crate) async fn waits<T>(
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
    pub(crate) fn must<T>(&self, act: impl FnOnce(Actor, &mut State) -> Done<T>) -> T {
        match self.act(|state| act(self.actor, state)) {
            Ok(value) => value,
            // Not in a closure: there the line would be this one.
            Err(why) => panic!("{} {why}\n{}", self.name, self.sandbox.told()),
        }
    }

    pub(crate) fn act<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.sandbox.world().act(change)
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = out.debug_struct("Person");
        out.field("user_id", &self.actor.user_id).field("name", &self.name);
        out.field("chat_id", &self.chat_id()).finish_non_exhaustive()
    }
}
