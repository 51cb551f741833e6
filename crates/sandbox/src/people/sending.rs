//! What people send beyond text: media, contacts, places, and other messages.

use tamtam::NewMessageBody;

use super::actor::Actor;
use super::enclosure::Enclosure;
use super::person::Person;

impl Person {
    /// Writes a message with something in it; an empty text is not sent. The message is what [`says`](Self::says) takes. The bot gets `message_created`. Returns the id of
    /// the message.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam_sandbox::Enclosure;
    ///
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    /// let mid = alice.says_with("My cat", [Enclosure::photo(b"bytes of a photo")]);
    /// let message = bot.api().get_message_by_id(mid).await?;
    /// assert_eq!(message.body.unwrap().attachments.unwrap().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// As [`says`](Self::says) does, if there is neither text nor anything else, and if the things cannot be in one
    /// message.
    #[track_caller]
    pub fn says_with(
        &self,
        message: impl Into<NewMessageBody>,
        enclosures: impl IntoIterator<Item = Enclosure>,
    ) -> tamtam::MessageId {
        let enclosures = enclosures.into_iter().collect();
        self.must(|actor, state| actor.says(state, &message.into(), enclosures))
    }

    /// Sends this person's own contact card, as a `request_contact` button does. On MAX the card is signed for the bot.
    /// Returns the id of the message.
    ///
    /// # Panics
    ///
    /// As [`says`](Self::says) does.
    #[track_caller]
    pub fn shares_contact(&self) -> tamtam::MessageId {
        self.must(Actor::shares_contact)
    }

    /// Sends a voice message. MAX tells a bot of it by a `message_created` without a message, and does not list it.
    ///
    /// # Panics
    ///
    /// As [`says`](Self::says) does, and on TamTam.
    #[track_caller]
    pub fn sends_voice(&self) {
        self.must(Actor::sends_voice);
    }

    /// Sends a place: latitude and longitude in degrees. Returns the id of the message.
    ///
    /// # Panics
    ///
    /// As [`says`](Self::says) does, and if there is no such place on the map.
    #[track_caller]
    pub fn sends_location(&self, latitude: f64, longitude: f64) -> tamtam::MessageId {
        self.must(|actor, state| actor.sends_location(state, latitude, longitude))
    }

    /// Forwards a message, by its id, from any chat that this person can read to this one. A forward of a forward shows
    /// the first message. Returns the id of the new message.
    ///
    /// # Panics
    ///
    /// As [`says`](Self::says) does, and if this person sees no such message.
    #[track_caller]
    pub fn forwards(&self, mid: impl AsRef<str>) -> tamtam::MessageId {
        self.must(|actor, state| actor.forwards(state, mid.as_ref()))
    }

    /// Replies to a message of this chat, by its id. Returns the id of the new message.
    ///
    /// # Panics
    ///
    /// As [`says`](Self::says) does, and if there is no such message here.
    #[track_caller]
    pub fn replies(&self, mid: impl AsRef<str>, text: impl Into<String>) -> tamtam::MessageId {
        self.must(|actor, state| actor.replies(state, mid.as_ref(), text.into()))
    }
}
