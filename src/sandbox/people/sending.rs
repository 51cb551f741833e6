//! What people send beyond text: media, contacts, places, and other messages.

use super::Person;
use super::enclosure::Enclosure;
use crate::sandbox::state::State;
use crate::sandbox::state::acts;
use crate::sandbox::state::attachments;
use crate::sandbox::state::chat::Chat;
use crate::sandbox::state::ids::ChatId;
use crate::sandbox::state::message::{Attachment, Content, Link, LinkKind, Message};

impl Person {
    /// Writes a message with something in it; an empty text is none. The bot gets `message_created`. Returns the id of
    /// the message.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// use tamtam::sandbox::Enclosure;
    ///
    /// # let tamtam = tamtam::sandbox::Sandbox::start().await;
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
        text: impl Into<String>,
        enclosures: impl IntoIterator<Item = Enclosure>,
    ) -> crate::MessageId {
        let (text, enclosures) = (text.into(), enclosures.into_iter().collect::<Vec<_>>());
        let text = Some(text).filter(|text| !text.is_empty());
        self.must(|state, chat_id| {
            let kinds: Vec<_> = enclosures.iter().map(Enclosure::kind).collect();
            attachments::check_company(&kinds).map_err(|fault| format!("cannot send that: {}", fault.message()))?;
            if text.is_none() && enclosures.is_empty() {
                return Err("has nothing to say".to_owned());
            }
            self.post(state, chat_id, |state| {
                let attachments = enclosures.into_iter().map(|one| one.into_attachment(state)).collect();
                Ok(Content { text, attachments, ..Content::default() })
            })
        })
    }

    /// Sends this person's own contact card, as a `request_contact` button does. Returns the id of the message.
    ///
    /// # Panics
    ///
    /// As [`says`](Self::says) does.
    #[track_caller]
    pub fn shares_contact(&self) -> crate::MessageId {
        let vcf = Some(acts::vcard(&self.name, None));
        self.sends(Attachment::Contact { vcf, user: Some(self.user_id) })
    }

    /// Sends a place: latitude and longitude in degrees. Returns the id of the message.
    ///
    /// # Panics
    ///
    /// As [`says`](Self::says) does, and if there is no such place on the map.
    #[track_caller]
    pub fn sends_location(&self, latitude: f64, longitude: f64) -> crate::MessageId {
        let is_place = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        assert!(is_place, "{latitude}, {longitude} is no place on the map");
        self.sends(Attachment::Location { latitude, longitude })
    }

    /// Forwards a message, by its id, from any chat that this person can read to this one. A forward of a forward shows
    /// the first message. Returns the id of the new message.
    ///
    /// # Panics
    ///
    /// As [`says`](Self::says) does, and if this person sees no such message.
    #[track_caller]
    pub fn forwards(&self, mid: impl AsRef<str>) -> crate::MessageId {
        self.must(|state, chat_id| {
            self.post(state, chat_id, |state| {
                let link = Link::to(self.find(state, mid.as_ref(), None)?, LinkKind::Forward);
                Ok(Content { link: Some(link), ..Content::default() })
            })
        })
    }

    /// Replies to a message of this chat, by its id. Returns the id of the new message.
    ///
    /// # Panics
    ///
    /// As [`says`](Self::says) does, and if there is no such message here.
    #[track_caller]
    pub fn replies(&self, mid: impl AsRef<str>, text: impl Into<String>) -> crate::MessageId {
        let text = text.into();
        self.must(|state, chat_id| {
            self.post(state, chat_id, |state| {
                let link = Link::to(self.find(state, mid.as_ref(), Some(chat_id))?, LinkKind::Reply);
                Ok(Content { link: Some(link), ..Content::text(text) })
            })
        })
    }

    #[track_caller]
    fn sends(&self, attachment: Attachment) -> crate::MessageId {
        let content = Content { attachments: vec![attachment], ..Content::default() };
        self.must(|state, chat_id| self.post(state, chat_id, |_| Ok(content)))
    }

    /// A message that this person can read, in one chat or in any.
    fn find<'a>(&self, state: &'a State, mid: &str, place: Option<ChatId>) -> Result<&'a Message, String> {
        let is_reader = |chat: &Chat| chat.members.contains_key(&self.user_id);
        let found = state.find(mid).filter(|(chat, _)| place.is_none_or(|place| place == *chat));
        let found = found.filter(|(chat, _)| state.chats.get(chat).is_some_and(is_reader));
        let message = found.and_then(|(chat, seq)| state.message(chat, seq));
        message.ok_or_else(|| format!("finds no message {mid}"))
    }
}
