//! People, who drive the sandbox: they write, press, read, as in the messenger.

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

/// Somebody who talks with the bot. Cheap to clone; every clone is the same person.
///
/// MAX has first and last names: the name up to the first space is the first name.
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

    /// Gives this person a phone number, which contact cards have. Without it, a person of MAX has a made-up number, and one
    /// of TamTam has none.
    #[must_use]
    pub fn with_phone(self, phone: &str) -> Self {
        self.act(|state| {
            if let Some(user) = state.users.get_mut(&self.actor.user_id) {
                user.phone = Some(phone.to_owned());
            }
        });
        self
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
    /// starts it again or writes to it. On MAX the bot gets `bot_stopped`; on TamTam the bot is not told.
    ///
    /// # Panics
    ///
    /// In a group, and if the bot was never started.
    #[track_caller]
    pub fn stops(&self) {
        self.must(Actor::stops);
    }

    /// Writes a message; the bot gets `message_created`. Returns the id of the message.
    ///
    /// **`says` starts the bot:** if the dialog is not open, the bot gets `bot_started` first.
    ///
    /// A message is what a bot can send too, but for buttons: a text, a formatted [`Text`](tamtam::text::Text), or a
    /// [`NewMessageBody`] with attachments, a reply or a forward.
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
    /// In a group of which this person is no member, and in a channel of which this person is no administrator. If
    /// there is nothing in the message, or something that people cannot send.
    #[track_caller]
    pub fn says(&self, message: impl Into<NewMessageBody>) -> tamtam::MessageId {
        self.must(|actor, state| actor.says(state, &message.into(), Vec::new()))
    }

    /// Changes the text of a message or a comment of one's own; the bot gets `message_edited` or `comment_edited`.
    ///
    /// # Panics
    ///
    /// If there is no such message in this chat, or somebody else wrote it. After 26 h a comment cannot be edited.
    #[track_caller]
    pub fn edits(&self, mid: impl AsRef<str>, text: impl Into<String>) {
        self.must(|actor, state| actor.edits(state, mid.as_ref(), text.into()));
    }

    /// Deletes a message or a comment of one's own, for everyone; the bot gets `message_removed` or `comment_removed`.
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
    /// | type of the button | what the bot gets |
    /// |---|---|
    /// | `callback` | `message_callback` |
    /// | `request_contact`, `request_geo_location` | a message with the contact or a location |
    /// | `message` | a message of this person with the label as its text |
    /// | `link`, `clipboard` | nothing |
    /// | `open_app` | nothing; [`presses_app`](Self::presses_app) returns what the Mini App receives |
    /// | `chat` | `message_chat_created` for the first press |
    ///
    /// The first press of a `chat` button creates a chat, owned by the author of the message. Each person who presses the
    /// button joins that chat, which [`Sandbox::chat`] returns.
    ///
    /// # Panics
    ///
    /// If there is no button with this label: the message tells those that are there.
    #[track_caller]
    pub fn presses(&self, label: &str) {
        self.must(|actor, state| actor.presses(state, label));
    }

    /// The texts of this chat as they are now, the oldest first.
    ///
    /// **`sees` includes the messages of people, this person's own among them.** To read what bots show, use
    /// [`reads`](Self::reads). Deleted messages are not there, edited ones are as they are after the edit, and a message
    /// without a text is an empty string. In a channel, each call counts as a view of its posts.
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
