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

/// A simulated person who talks to a bot. Created by [`Sandbox::user`]. Clones are cheap, and refer to the same person.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam::{Button, Keyboard};
///
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
/// alice.says("Is there lunch?");
/// let keyboard = Keyboard::column(Button::callback("Yes", "yes"));
/// bot.send(alice.chat_id(), "Lunch at 12:00?").keyboard(keyboard).await?;
/// assert_eq!(alice.reads().await.text(), "Lunch at 12:00?");
/// alice.presses("Yes");
/// # Ok(())
/// # }
/// ```
///
/// # Chat and bot
///
/// A `Person` value acts in one chat and with one bot. By default, the bot is the one that [`Sandbox::bot`] returns,
/// and the chat is the dialog with this bot. A dialog is a private chat between one person and a bot. A dialog is
/// opened when the person starts the bot or writes a message.
///
/// [`in_chat`](Self::in_chat) returns a value that acts in a group or channel. [`with_bot`](Self::with_bot) returns a
/// value that acts with another bot. On this page, "the bot" and "this chat" mean the bot and the chat of the `Person`
/// value.
///
/// # Acts that are not allowed
///
/// If the messenger does not allow an act, the method panics. For example, [`presses`](Self::presses) panics if the
/// button does not exist. The panic message shows the line of the call.
///
/// # Updates
///
/// "The bot gets `message_created`" means that the sandbox sends an update of this type. In a dialog, only the bot gets
/// the update. In a group or channel, the bots in this table get the update:
///
/// | update | bots on TamTam | bots on MAX |
/// |---|---|---|
/// | about a message or comment | all bots in the chat | bots with the right `read_all_messages` |
/// | `user_added`, `user_removed` | bots that are administrators | bots with the right `read_all_messages` |
/// | `chat_title_changed` | all bots in the chat | all bots in the chat |
/// | `bot_added`, `bot_removed` | the bot that is added or removed | the bot that is added or removed |
/// | `message_callback` | the bot that created the button | the bot that created the button |
/// | `message_construction_request`, `message_constructed` | the bot of the constructor, even if this bot is not in the chat | no such update |
/// | `message_chat_created` | the bot that created the button | no such update |
///
/// Updates about comments are delivered only by webhook.
#[derive(Clone)]
pub struct Person {
    pub(crate) sandbox: Sandbox,
    pub(crate) actor: Actor,
    pub(crate) name: Arc<str>,
}

impl Person {
    /// Returns the user id of this person.
    pub fn user_id(&self) -> tamtam::UserId {
        tamtam::UserId(self.actor.user_id)
    }

    /// Returns the visible name of this person.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the id of the chat in which this person acts: a group, a channel, or the dialog with the bot. The dialog
    /// has an id even before it is opened.
    pub fn chat_id(&self) -> tamtam::ChatId {
        tamtam::ChatId(self.actor.chat_id())
    }

    /// Sets the phone number on this person's contact card. By default, the card has a generated number on MAX, and no
    /// number on TamTam.
    #[must_use]
    pub fn with_phone(self, phone: &str) -> Self {
        self.act(|state| {
            if let Some(user) = state.users.get_mut(&self.actor.user_id) {
                user.phone = Some(phone.to_owned());
            }
        });
        self
    }

    /// Sets this person's public username, without the `@`. By default, a person has no username.
    #[must_use]
    pub fn with_username(self, username: &str) -> Self {
        self.act(|state| {
            if let Some(user) = state.users.get_mut(&self.actor.user_id) {
                user.username = Some(username.to_owned());
            }
        });
        self
    }

    /// Returns a value that refers to the same person and acts in the group or channel `group`. The person need not be
    /// a member. For example, `alice.in_chat(&team).joins()` makes Alice a member.
    #[must_use]
    pub fn in_chat(&self, group: &Group) -> Self {
        Self { actor: Actor { group: Some(group.chat_id), ..self.actor }, ..self.clone() }
    }

    /// Returns a value that refers to the same person and acts with the bot of `account`. If this person acts in a
    /// dialog, the returned value acts in the dialog with this bot. If this person acts in a group or channel, the
    /// returned value acts in the same chat, and methods such as [`adds_bot`](Self::adds_bot) use this bot.
    #[must_use]
    pub fn with_bot(&self, account: &Account) -> Self {
        Self { actor: Actor { bot: account.user_id, ..self.actor }, ..self.clone() }
    }

    /// Presses the button "Start" of the dialog. The bot gets `bot_started`. The bot can then write in the dialog, even
    /// if this person had [stopped](Self::stops) the bot.
    ///
    /// # Panics
    ///
    /// Panics if this person acts in a group or channel.
    #[track_caller]
    pub fn starts(&self) {
        self.must(|actor, state| actor.starts(state, None));
    }

    /// Follows a deep link, such as `https://tt.me/bot/start/payload`, and presses "Start" in the dialog. The bot gets
    /// `bot_started`.
    ///
    /// `payload`: the last part of the link. If `payload` has more than 128 characters, the update does not contain the
    /// payload.
    ///
    /// # Panics
    ///
    /// Panics if this person acts in a group or channel.
    #[track_caller]
    pub fn starts_with(&self, payload: &str) {
        self.must(|actor, state| actor.starts(state, Some(payload)));
    }

    /// Stops the bot. On MAX, the bot gets `bot_stopped`. On TamTam, the bot gets no update.
    ///
    /// In the dialog, the bot can then neither write nor list messages. The bot gets no update if this person edits or
    /// deletes a message, or presses a `callback` button in a message that the bot sent. These restrictions end when
    /// this person starts the bot again or writes a message.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person acts in a group or channel.
    /// - If this person has never started the bot.
    /// - On MAX, if the bot is already stopped.
    #[track_caller]
    pub fn stops(&self) {
        self.must(Actor::stops);
    }

    /// Writes a message and returns its id. The bot gets `message_created`.
    ///
    /// **In a dialog, `says` first starts the bot** if this person has never started the bot, or has stopped it. The
    /// bot then gets `bot_started` before `message_created`. These methods do the same: [`says_with`](Self::says_with),
    /// [`replies`](Self::replies), [`forwards`](Self::forwards), [`shares_contact`](Self::shares_contact),
    /// [`sends_location`](Self::sends_location) and [`sends_voice`](Self::sends_voice).
    ///
    /// `message`: a text, a formatted [`Text`](tamtam::text::Text), or a [`NewMessageBody`], for example a reply.
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
    /// Panics in these cases:
    ///
    /// - If this person is not a member (in a group) or not an administrator with the right `write` (in a channel).
    /// - If `message` is empty or contains buttons.
    /// - If the API of the service does not allow `message`, for example because `message` replies to a message that
    ///   does not exist.
    #[track_caller]
    pub fn says(&self, message: impl Into<NewMessageBody>) -> tamtam::MessageId {
        self.must(|actor, state| actor.says(state, &message.into(), Vec::new()))
    }

    /// Replaces the text of a message or comment that this person wrote in this chat. The bot gets `message_edited`, or
    /// `comment_edited` for a comment.
    ///
    /// - `mid`: the id of the message or comment.
    /// - `text`: the new text, without formatting. The attachments of a message do not change.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this chat has no message or comment with this id.
    /// - If another user wrote the message or comment.
    /// - If the comment is older than 26 h on the sandbox's [clock](Sandbox::time_passes).
    #[track_caller]
    pub fn edits(&self, mid: impl AsRef<str>, text: impl Into<String>) {
        self.must(|actor, state| actor.edits(state, mid.as_ref(), text.into()));
    }

    /// Deletes a message or comment that this person wrote in this chat. The deletion applies to all members. The bot
    /// gets `message_removed`, or `comment_removed` for a comment.
    ///
    /// `mid`: the id of the message or comment.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this chat has no message or comment with this id.
    /// - If another user wrote the message or comment.
    #[track_caller]
    pub fn deletes(&self, mid: impl AsRef<str>) {
        self.must(|actor, state| actor.deletes(state, mid.as_ref()));
    }

    /// Presses a button of the newest message with buttons in this chat. `label`: the text of the button.
    ///
    /// | type of the button | update that the bot gets |
    /// |---|---|
    /// | `callback` | `message_callback` |
    /// | `request_contact` | `message_created` with the contact card of this person |
    /// | `request_geo_location` | `message_created` with a fixed location |
    /// | `message` | `message_created` with `label` as the text |
    /// | `link`, `clipboard` | no update |
    /// | `open_app` | no update; [`presses_app`](Self::presses_app) returns the launch data of the Mini App |
    /// | `chat` | `message_chat_created` at the first press; `user_added` if a later press adds a member |
    ///
    /// The first press of a `chat` button, by any person, creates a chat. The owner of the new chat is the sender of
    /// the message with the button. Each person who presses the button becomes a member. To get the new chat, pass the
    /// chat id in `message_chat_created` to [`Sandbox::chat`].
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person is not a member of this chat.
    /// - If there is no button with this label. The panic message lists the existing buttons.
    /// - If the press would send a message, and this person cannot write in this chat.
    #[track_caller]
    pub fn presses(&self, label: &str) {
        self.must(|actor, state| actor.presses(state, label));
    }

    /// Returns the current texts of the messages in this chat, the oldest first.
    ///
    /// **The result includes the messages of bots and of all people, including this person.** [`reads`](Self::reads)
    /// returns only messages of bots.
    ///
    /// The result does not include deleted or [cleared](Self::clears) messages. An edited message has its new text. For
    /// a message without text, the result contains an empty string. In a channel, each post in the result counts as
    /// viewed by this person. The result does not include comments: see [`sees_comments`](Self::sees_comments).
    pub fn sees(&self) -> Vec<String> {
        self.act(|state| self.actor.sees(state))
    }

    /// Waits for the next message or edit of a bot in this chat, and returns the content of the message. Comments of
    /// bots count as messages.
    ///
    /// Each message and each edit is returned once, the oldest first. In a group or channel, messages and edits from
    /// before this person became a member are skipped. Later edits and deletions do not change the returned content. In
    /// a channel, the returned post counts as viewed by this person.
    ///
    /// # Panics
    ///
    /// Panics if no message or edit arrives within [`SandboxBuilder::patience`](crate::SandboxBuilder::patience). The
    /// panic message contains the [transcript](Sandbox::transcript).
    #[track_caller]
    pub fn reads(&self) -> impl Future<Output = Seen> + Send + use<> {
        let actor = self.actor;
        self.clone().waits("a message", Location::caller(), move |state| actor.reads(state))
    }

    /// Waits for the next notification in this chat, and returns the text of the notification. A notification is a
    /// short text that a bot shows to this person as the answer to a press of a button. Each notification is returned
    /// once, the oldest first.
    ///
    /// # Panics
    ///
    /// Panics if no notification arrives within [`SandboxBuilder::patience`](crate::SandboxBuilder::patience). The
    /// panic message contains the [transcript](Sandbox::transcript).
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
