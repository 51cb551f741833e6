//! Constructors of bots, opened by people.

use std::panic::Location;

use super::actor::Actor;
use super::person::Person;
use crate::state::State;
use crate::state::prepared::Prepared;

/// A constructor of a bot, opened by a person to compose a message for a chat. Returned by
/// [`Person::opens_constructor`].
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
///     let answer = ConstructorAnswer::new().messages([ConstructedMessageBody::new().text("Happy birthday!")]);
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
    /// Opens the bot's constructor, to compose a message for this chat. The bot gets `message_construction_request`
    /// with an input without messages. The bot need not be in the chat.
    ///
    /// # Panics
    ///
    /// If this person is not a member of the group, if the dialog was never opened, or on MAX, which has no
    /// constructors.
    #[track_caller]
    pub fn opens_constructor(&self) -> Constructor {
        let session_id = self.must(Actor::opens_constructor);
        Constructor { person: self.clone(), session_id }
    }
}

impl Constructor {
    /// Returns the id of the session, which the bot answers.
    pub fn session_id(&self) -> tamtam::types::SessionId {
        self.session_id.as_str().into()
    }

    /// Types a message. The bot gets `message_construction_request` with the message and with the data of its last
    /// answer.
    ///
    /// # Panics
    ///
    /// If the bot allows no input, or after [`posts`](Self::posts).
    #[track_caller]
    pub fn types(&self, text: &str) {
        self.person.must(|actor, state| actor.types(state, &self.session_id, text));
    }

    /// Presses a button of the bot's keyboard in this constructor. `label`: the text of the button. For a `callback`
    /// button, the bot gets `message_construction_request` with the payload. For a `link` button, it gets no update.
    ///
    /// # Panics
    ///
    /// If there is no button with this label, if the button has another type, or after [`posts`](Self::posts).
    #[track_caller]
    pub fn presses(&self, label: &str) {
        self.person.must(|actor, state| actor.presses_in(state, &self.session_id, label));
    }

    /// Waits for the bot's next answer in this constructor, and returns it. Each answer is returned once, in order.
    ///
    /// # Panics
    ///
    /// If no answer arrives within [`SandboxBuilder::patience`](crate::SandboxBuilder::patience). The message has the
    /// transcript.
    #[track_caller]
    pub fn reads(&self) -> impl Future<Output = Prepared> + Send + use<> {
        let (actor, id) = (self.person.actor, self.session_id.clone());
        let look = move |state: &mut State| actor.reads_prepared(state, &id);
        self.person.clone().waits("an answer in the constructor", Location::caller(), look)
    }

    /// Posts the messages that the bot has prepared, in this person's name, and returns their ids. The bot gets
    /// `message_constructed` for each message. Then the session ends.
    ///
    /// # Panics
    ///
    /// If the bot has prepared no message, if the messages are already posted, or if this person can no longer write in
    /// the chat.
    #[track_caller]
    pub fn posts(&self) -> Vec<tamtam::MessageId> {
        self.person.must(|actor, state| actor.posts(state, &self.session_id))
    }
}
