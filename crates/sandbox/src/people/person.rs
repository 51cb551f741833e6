//! Simulated people: they write, press and read, as in the messenger.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use tamtam::NewMessageBody;
use tokio::time::Instant;

use super::account::Account;
use super::actor::{Actor, Done};
use super::group::Group;
use crate::sandbox::Sandbox;
use crate::state::State;
use crate::state::seen::Seen;

/// A simulated person who talks to the bot. Cheap to clone. Clones are the same person.
///
/// MAX has first and last names. The name up to the first space is the first name.
///
/// A person acts in one chat: in the dialog with the bot, or in the group of [`in_chat`](Self::in_chat). "The bot" is
/// the first bot of the sandbox. [`with_bot`](Self::with_bot) selects another bot. An act that the messenger does not
/// allow panics at the line of the test, like an assertion. Examples are pressing a button that does not exist, and
/// editing a message of another user.
#[derive(Clone)]
pub struct Person {
    pub(crate) sandbox: Sandbox,
    pub(crate) actor: Actor,
    pub(crate) name: Arc<str>,
}

impl Person {
    /// Returns the user id.
    pub fn user_id(&self) -> tamtam::UserId {
        tamtam::UserId(self.actor.user_id)
    }

    /// Returns the visible name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the id of the chat in which this person acts: of the group, or of the dialog with the bot, even if the
    /// dialog was never opened.
    pub fn chat_id(&self) -> tamtam::ChatId {
        tamtam::ChatId(self.actor.chat_id())
    }

    /// Sets the phone number of this person's contact card. Defaults to a made-up number on MAX, and to none on TamTam.
    #[must_use]
    pub fn with_phone(self, phone: &str) -> Self {
        self.act(|state| {
            if let Some(user) = state.users.get_mut(&self.actor.user_id) {
                user.phone = Some(phone.to_owned());
            }
        });
        self
    }

    /// Sets this person's public username: `sandbox.user("Alice").with_username("alice")`.
    #[must_use]
    pub fn with_username(self, username: &str) -> Self {
        self.act(|state| {
            if let Some(user) = state.users.get_mut(&self.actor.user_id) {
                user.username = Some(username.to_owned());
            }
        });
        self
    }

    /// Returns the same person, acting in a group or a channel.
    #[must_use]
    pub fn in_chat(&self, group: &Group) -> Self {
        Self { actor: Actor { group: Some(group.chat_id), ..self.actor }, ..self.clone() }
    }

    /// Returns the same person with another bot: the bot of the dialog, and of methods such as
    /// [`adds_bot`](Self::adds_bot) and [`opens_constructor`](Self::opens_constructor).
    #[must_use]
    pub fn with_bot(&self, account: &Account) -> Self {
        Self { actor: Actor { bot: account.user_id, ..self.actor }, ..self.clone() }
    }

    /// Presses Start. Opens the dialog, or opens it again after [`stops`](Self::stops). The bot gets `bot_started`.
    ///
    /// # Panics
    ///
    /// In a group.
    #[track_caller]
    pub fn starts(&self) {
        self.must(|actor, state| actor.starts(state, None));
    }

    /// Follows a deep link (`https://tt.me/bot/start/payload`) and presses Start. The bot gets `bot_started` with the
    /// payload, if the payload has at most 128 characters.
    ///
    /// # Panics
    ///
    /// In a group.
    #[track_caller]
    pub fn starts_with(&self, payload: &str) {
        self.must(|actor, state| actor.starts(state, Some(payload)));
    }

    /// Stops the bot. It can neither write to this person nor read the dialog until the person starts it again or
    /// writes to it. On MAX, the bot gets `bot_stopped`. On TamTam, it gets no update.
    ///
    /// # Panics
    ///
    /// In a group, if the bot was never started, or on MAX if it is stopped already.
    #[track_caller]
    pub fn stops(&self) {
        self.must(Actor::stops);
    }

    /// Writes a message and returns its id. The bot gets `message_created`.
    ///
    /// **`says` starts the bot:** if the dialog is not open, the bot gets `bot_started` first.
    ///
    /// `message`: a text, a formatted [`Text`](tamtam::text::Text), or a [`NewMessageBody`] with attachments, a reply
    /// or a forward. People cannot send buttons.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam::{NewMessageBody, text::Text};
    ///
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let alice = tamtam.user("Alice");
    /// let first = alice.says("hi");
    /// alice.says(Text::new("It is ").bold("urgent"));
    /// alice.says(NewMessageBody::new().text("Hello?").reply_to(&first));
    /// # assert_eq!(alice.sees(), ["hi", "It is urgent", "Hello?"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If this person is not a member of the group, or not an administrator of the channel. If the message is empty, or
    /// has a part that people cannot send, such as buttons.
    #[track_caller]
    pub fn says(&self, message: impl Into<NewMessageBody>) -> tamtam::MessageId {
        self.must(|actor, state| actor.says(state, &message.into(), Vec::new()))
    }

    /// Edits the text of this person's message or comment. The bot gets `message_edited` or `comment_edited`.
    ///
    /// # Panics
    ///
    /// If there is no such message in this chat, if another user wrote it, or if it is a comment older than 26 h.
    #[track_caller]
    pub fn edits(&self, mid: impl AsRef<str>, text: impl Into<String>) {
        self.must(|actor, state| actor.edits(state, mid.as_ref(), text.into()));
    }

    /// Deletes this person's message or comment for everyone. The bot gets `message_removed` or `comment_removed`.
    ///
    /// # Panics
    ///
    /// If there is no such message in this chat, or if another user wrote it.
    #[track_caller]
    pub fn deletes(&self, mid: impl AsRef<str>) {
        self.must(|actor, state| actor.deletes(state, mid.as_ref()));
    }

    /// Presses a button of the newest message with a keyboard in this chat. `label`: the text of the button.
    ///
    /// | type of the button | what the bot gets |
    /// |---|---|
    /// | `callback` | `message_callback` |
    /// | `request_contact`, `request_geo_location` | a message with the contact or a location |
    /// | `message` | a message of this person with the label as text |
    /// | `link`, `clipboard` | nothing |
    /// | `open_app` | nothing; [`presses_app`](Self::presses_app) returns what the Mini App receives |
    /// | `chat` | `message_chat_created` for the first press |
    ///
    /// The first press of a `chat` button creates a chat, owned by the author of the message. Each person who presses
    /// the button joins that chat, which [`Sandbox::chat`] returns.
    ///
    /// # Panics
    ///
    /// If there is no button with this label. The message lists the existing buttons.
    #[track_caller]
    pub fn presses(&self, label: &str) {
        self.must(|actor, state| actor.presses(state, label));
    }

    /// Returns the texts of this chat as they are now, the oldest first.
    ///
    /// **`sees` includes messages of people, also this person's own.** To read what bots show, use
    /// [`reads`](Self::reads). Deleted and [cleared](Self::clears) messages are left out. Edited messages have their
    /// new text. A message without a text is an empty string. In a channel, each call counts as a view of its posts.
    pub fn sees(&self) -> Vec<String> {
        self.act(|state| self.actor.sees(state))
    }

    /// Waits for the next message or edit of a bot in this chat, and returns it.
    ///
    /// Each message and edit is returned once, in order, and as it was shown, even if it was changed or deleted since.
    /// So a test does not depend on how fast it reads. In a channel, a read counts as a view of the post.
    ///
    /// # Panics
    ///
    /// If nothing arrives within [`SandboxBuilder::patience`](crate::SandboxBuilder::patience). The message has the
    /// transcript.
    #[track_caller]
    pub fn reads(&self) -> impl Future<Output = Seen> + Send + use<> {
        let actor = self.actor;
        self.clone().waits("a message", Location::caller(), move |state| actor.reads(state))
    }

    /// Waits for the next notification that a bot shows this person for a pressed button, and returns its text.
    ///
    /// # Panics
    ///
    /// In the same case as [`reads`](Self::reads).
    #[track_caller]
    pub fn reads_notification(&self) -> impl Future<Output = String> + Send + use<> {
        let actor = self.actor;
        self.clone().waits("a notification", Location::caller(), move |state| actor.reads_notification(state))
    }

    /// Waits until `look` finds something. `#[track_caller]` has no effect on an `async` function, so the caller is
    /// passed in.
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

    /// Runs an act. If the act is refused, panics at the caller's line.
    #[track_caller]
    pub(crate) fn must<T>(&self, act: impl FnOnce(Actor, &mut State) -> Done<T>) -> T {
        match self.act(|state| act(self.actor, state)) {
            Ok(value) => value,
            // Not in a closure: `#[track_caller]` would have no effect there.
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
