//! A bot's constructor, as the person has it open.

use std::panic::Location;

use super::actor::Actor;
use super::person::Person;
use crate::state::State;
use crate::state::prepared::Prepared;

/// A bot's constructor that a person has opened, to compose a message for the chat the person acts in.
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
#[must_use = "a constructor that nobody uses posts nothing"]
pub struct Constructor {
    person: Person,
    session_id: String,
}

impl Person {
    /// Opens the bot's constructor, to compose a message for this chat. The bot gets `message_construction_request`
    /// without an input. The bot need not be in the chat.
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
    /// The session that the bot is to answer.
    pub fn session_id(&self) -> tamtam::SessionId {
        self.session_id.as_str().into()
    }

    /// Types a message; the bot gets `message_construction_request` with it, and with the data of its last answer.
    ///
    /// # Panics
    ///
    /// If the bot allows no input, and when the message is posted already.
    #[track_caller]
    pub fn types(&self, text: &str) {
        self.person.must(|actor, state| actor.types(state, &self.session_id, text));
    }

    /// Presses a button of the keyboard that the bot has put here. `label`: the text of the button. For a `callback`
    /// button, the bot gets `message_construction_request` with the payload. For a `link` button, it gets no update.
    ///
    /// # Panics
    ///
    /// If there is no button with this label, if it is one of another type, and when the message is posted already.
    #[track_caller]
    pub fn presses(&self, label: &str) {
        self.person.must(|actor, state| actor.presses_in(state, &self.session_id, label));
    }

    /// Reads the next thing that the bot has put into this constructor. Waits for it if there is none yet.
    ///
    /// # Panics
    ///
    /// If nothing comes in time (see [`SandboxBuilder::patience`](crate::SandboxBuilder::patience)), with the
    /// transcript.
    #[track_caller]
    pub fn reads(&self) -> impl Future<Output = Prepared> + Send + use<> {
        let (actor, id) = (self.person.actor, self.session_id.clone());
        let look = move |state: &mut State| actor.reads_prepared(state, &id);
        self.person.clone().waits("an answer in the constructor", Location::caller(), look)
    }

    /// Posts the messages that the bot has prepared, in this person's name, and returns their ids. The bot gets
    /// `message_constructed` for each, and that is the end of the session.
    ///
    /// # Panics
    ///
    /// If the bot has prepared no message, if they are posted already, and if this person cannot write in the chat any
    /// more.
    #[track_caller]
    pub fn posts(&self) -> Vec<tamtam::MessageId> {
        self.person.must(|actor, state| actor.posts(state, &self.session_id))
    }
}
