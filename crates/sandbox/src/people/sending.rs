//! Messages of people with attachments, contacts, locations, forwards and replies.

use tamtam::NewMessageBody;

use super::actor::Actor;
use super::enclosure::Enclosure;
use super::person::Person;

impl Person {
    /// Writes a message with attachments and returns its id. The bot gets `message_created`.
    ///
    /// - `message`: a text, or another value that [`says`](Self::says) accepts. If the text is empty, the message has
    ///   only attachments.
    /// - `enclosures`: the attachments, in order.
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
    /// Panics in these cases:
    ///
    /// - If this person is not a member (in a group) or not an administrator with the right `write` (in a channel).
    /// - If both `message` and `enclosures` are empty.
    /// - If `message` contains buttons.
    /// - If the API of the service does not allow `message`.
    /// - If the attachments cannot be combined in one message: see [`Enclosure`].
    /// - If the latitude or longitude of a location is out of range.
    #[track_caller]
    pub fn says_with(
        &self,
        message: impl Into<NewMessageBody>,
        enclosures: impl IntoIterator<Item = Enclosure>,
    ) -> tamtam::MessageId {
        let enclosures = enclosures.into_iter().collect();
        self.must(|actor, state| actor.says(state, &message.into(), enclosures))
    }

    /// Sends this person's own contact card, and returns the id of the message. The bot gets `message_created`. On MAX,
    /// the card is signed with the token of the bot.
    ///
    /// A press of a `request_contact` button also sends the card. On MAX, this card is signed with the token of the bot
    /// that created the button.
    ///
    /// # Panics
    ///
    /// Panics if this person is not a member (in a group) or not an administrator with the right `write` (in a
    /// channel).
    #[track_caller]
    pub fn shares_contact(&self) -> tamtam::MessageId {
        self.must(Actor::shares_contact)
    }

    /// Sends a voice message. As on the real MAX, the bot gets `message_created` without the field `message`, and
    /// cannot read the voice message. MAX only.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person is not a member (in a group) or not an administrator with the right `write` (in a channel).
    /// - If the sandbox simulates TamTam.
    #[track_caller]
    pub fn sends_voice(&self) {
        self.must(Actor::sends_voice);
    }

    /// Sends a location and returns the id of the message. The bot gets `message_created`.
    ///
    /// - `latitude`: the latitude in degrees, from -90 to 90.
    /// - `longitude`: the longitude in degrees, from -180 to 180.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person is not a member (in a group) or not an administrator with the right `write` (in a channel).
    /// - If `latitude` or `longitude` is out of range.
    #[track_caller]
    pub fn sends_location(&self, latitude: f64, longitude: f64) -> tamtam::MessageId {
        self.must(|actor, state| actor.sends_location(state, latitude, longitude))
    }

    /// Forwards a message to this chat, and returns the id of the new message. The bot gets `message_created`.
    ///
    /// `mid`: the id of the message to forward, from any chat. If the message is itself a forward, the new message
    /// forwards the original message.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person is not a member (in a group) or not an administrator with the right `write` (in a channel).
    /// - If the message does not exist, or this person cannot read the message.
    #[track_caller]
    pub fn forwards(&self, mid: impl AsRef<str>) -> tamtam::MessageId {
        self.must(|actor, state| actor.forwards(state, mid.as_ref()))
    }

    /// Replies to a message of this chat, and returns the id of the new message. The bot gets `message_created`.
    ///
    /// - `mid`: the id of the message to reply to.
    /// - `text`: the text of the new message.
    ///
    /// # Panics
    ///
    /// Panics in these cases:
    ///
    /// - If this person is not a member (in a group) or not an administrator with the right `write` (in a channel).
    /// - If the message does not exist in this chat, or this person cannot read the message.
    #[track_caller]
    pub fn replies(&self, mid: impl AsRef<str>, text: impl Into<String>) -> tamtam::MessageId {
        self.must(|actor, state| actor.replies(state, mid.as_ref(), text.into()))
    }
}
