//! Messages of people with attachments, contacts, locations, forwards and replies.

use tamtam::NewMessageBody;

use super::actor::Actor;
use super::enclosure::Enclosure;
use super::person::Person;

impl Person {
    /// Writes a message with attachments and returns its id. The bot gets `message_created`. `message`: as in
    /// [`says`](Self::says). An empty text is left out.
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
    /// In the same cases as [`says`](Self::says), and if the attachments cannot be in one message.
    #[track_caller]
    pub fn says_with(
        &self,
        message: impl Into<NewMessageBody>,
        enclosures: impl IntoIterator<Item = Enclosure>,
    ) -> tamtam::MessageId {
        let enclosures = enclosures.into_iter().collect();
        self.must(|actor, state| actor.says(state, &message.into(), enclosures))
    }

    /// Sends this person's contact card, as a `request_contact` button does, and returns the id of the message. On MAX,
    /// the card is signed for the bot.
    ///
    /// # Panics
    ///
    /// In the same cases as [`says`](Self::says).
    #[track_caller]
    pub fn shares_contact(&self) -> tamtam::MessageId {
        self.must(Actor::shares_contact)
    }

    /// Sends a voice message. The bot gets `message_created` without a message, and the message is not listed. MAX
    /// only.
    ///
    /// # Panics
    ///
    /// In the same cases as [`says`](Self::says), and on TamTam.
    #[track_caller]
    pub fn sends_voice(&self) {
        self.must(Actor::sends_voice);
    }

    /// Sends a location and returns the id of the message. `latitude`, `longitude`: in degrees.
    ///
    /// # Panics
    ///
    /// In the same cases as [`says`](Self::says), and if the latitude or the longitude is out of range.
    #[track_caller]
    pub fn sends_location(&self, latitude: f64, longitude: f64) -> tamtam::MessageId {
        self.must(|actor, state| actor.sends_location(state, latitude, longitude))
    }

    /// Forwards a message from any chat that this person can read to this chat. Returns the id of the new message.
    /// `mid`: the id of the message. A forward of a forward shows the first message.
    ///
    /// # Panics
    ///
    /// In the same cases as [`says`](Self::says), and if this person sees no such message.
    #[track_caller]
    pub fn forwards(&self, mid: impl AsRef<str>) -> tamtam::MessageId {
        self.must(|actor, state| actor.forwards(state, mid.as_ref()))
    }

    /// Replies to a message of this chat. Returns the id of the new message. `mid`: the id of the message.
    ///
    /// # Panics
    ///
    /// In the same cases as [`says`](Self::says), and if this chat has no such message.
    #[track_caller]
    pub fn replies(&self, mid: impl AsRef<str>, text: impl Into<String>) -> tamtam::MessageId {
        self.must(|actor, state| actor.replies(state, mid.as_ref(), text.into()))
    }
}
