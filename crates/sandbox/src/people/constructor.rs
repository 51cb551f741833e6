//! Constructors of bots, opened by people.

use std::panic::Location;

use super::actor::Actor;
use super::person::Person;
use crate::state::State;
use crate::state::prepared::Prepared;

/// A window in which a bot helps a person to compose a message. Returned by [`Person::opens_constructor`]. TamTam only.
///
/// The person types text and presses buttons. The bot answers with messages to post, with a keyboard, or with both.
/// Finally, the person posts the messages of the latest answer in the chat for which the constructor was opened.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
/// # let bob = tamtam.user("Bob");
/// # let team = tamtam.group("Team", [&alice, &bob]);
/// use tamtam::{Update, types::{ConstructedMessageBody, ConstructorAnswer}};
///
/// let card = alice.in_chat(&team).opens_constructor();
/// # let mut updates = bot.updates();
/// while let Some(update) = updates.try_next().await? {
///     let Update::MessageConstructionRequest(request) = update else { continue };
///     let message = ConstructedMessageBody::new().text("Happy birthday!");
///     let answer = ConstructorAnswer::new().messages([message]);
///     bot.api().construct(request.session_id, answer).await?;
///     break;
/// }
/// assert_eq!(card.reads().await.texts(), ["Happy birthday!"]);
/// card.posts();
/// assert_eq!(bob.in_chat(&team).sees(), ["Happy birthday!"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a constructor posts nothing until `posts` is called"]
pub struct Constructor {
    person: Person,
    session_id: String,
}

impl Person {
    /// Opens the bot's [`Constructor`], a window in which the bot helps this person to compose a message for this chat.
    /// The bot gets `message_construction_request`. In this update, the field `input` contains no messages. The bot
    /// need not be a member of this chat. TamTam only.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person is not a member (in a group) or not an administrator with the right `write` (in a channel).
    /// - In a dialog, if the dialog was never opened, or if this person has stopped the bot.
    /// - If the sandbox simulates MAX.
    #[track_caller]
    pub fn opens_constructor(&self) -> Constructor {
        let session_id = self.must(Actor::opens_constructor);
        Constructor { person: self.clone(), session_id }
    }
}

impl Constructor {
    /// Returns the id of the session. A session begins when the person opens the constructor, and ends when
    /// [`posts`](Self::posts) returns. The bot gets the id of the session in updates, and passes this id to
    /// `Api::construct`.
    pub fn session_id(&self) -> tamtam::types::SessionId {
        self.session_id.as_str().into()
    }

    /// Types the message `text` in the constructor. The bot gets the update `message_construction_request`. The update
    /// contains the message, and the value `data` of the bot's latest answer. If there is no answer or no `data`, this
    /// value is null.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If `allow_user_input` is `false` in the bot's latest answer.
    /// - If [`posts`](Self::posts) has ended the session.
    #[track_caller]
    pub fn types(&self, text: &str) {
        self.person.must(|actor, state| actor.types(state, &self.session_id, text));
    }

    /// Presses a button in the constructor. `label`: the text of the button.
    ///
    /// For a `callback` button, the bot gets the update `message_construction_request`. The update contains the payload
    /// of the button, and the value `data` of the bot's latest answer. If the answer has no `data`, this value is null.
    /// For a `link` button, the bot gets no update.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If there is no button with this label.
    /// - If the type of the button is neither `callback` nor `link`.
    /// - If [`posts`](Self::posts) has ended the session.
    #[track_caller]
    pub fn presses(&self, label: &str) {
        self.person.must(|actor, state| actor.presses_in(state, &self.session_id, label));
    }

    /// Waits for the bot's next answer in this constructor, and returns the content of the constructor after this
    /// answer. Each answer is returned once, the oldest first. [`posts`](Self::posts) discards the answers that were
    /// not returned.
    ///
    /// # Panics
    ///
    /// Panics if there is no answer within [`SandboxBuilder::patience`](crate::SandboxBuilder::patience). The panic
    /// message contains the [transcript](crate::Sandbox::transcript).
    #[track_caller]
    pub fn reads(&self) -> impl Future<Output = Prepared> + Send + use<> {
        let (actor, id) = (self.person.actor, self.session_id.clone());
        let look = move |state: &mut State| actor.reads_prepared(state, &id);
        self.person.clone().waits("an answer in the constructor", Location::caller(), look)
    }

    /// Posts the messages of the bot's latest answer, and returns the ids of the posted messages. In the chat, the
    /// person is the sender. For each message, the bot gets the update `message_constructed`, and all bots in the chat
    /// get `message_created`. Then the session ends.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If the bot's latest answer contains no message, or the bot has not answered yet.
    /// - If [`posts`](Self::posts) has already ended the session.
    /// - If the person can no longer write in the chat.
    #[track_caller]
    pub fn posts(&self) -> Vec<tamtam::MessageId> {
        self.person.must(|actor, state| actor.posts(state, &self.session_id))
    }
}
