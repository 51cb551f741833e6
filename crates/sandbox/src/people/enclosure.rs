//! Attachments of people's messages.

use crate::state::State;
use crate::state::acts;
use crate::state::message::Attachment;

/// An attachment of a person's message, for [`Person::says_with`](crate::Person::says_with).
///
/// The sandbox accepts any bytes as a photo, a video, an audio recording or a file. The payload of such an attachment
/// has a `url` and a `token`. The bot can download the bytes from the `url`. With the `token`, the bot can send the
/// attachment again.
///
/// A message can combine several photos, videos, links and locations. An audio recording, a file, a sticker or a
/// contact card must be the only attachment of its message. Otherwise, [`Person::says_with`](crate::Person::says_with)
/// panics.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam_sandbox::{Enclosure, Sandbox};
///
/// let tamtam = Sandbox::start().await;
/// let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
/// let cats = [Enclosure::photo(b"first cat"), Enclosure::photo(b"second cat")];
/// let mid = alice.says_with("My cats", cats);
/// let message = bot.api().get_message_by_id(mid).await?;
/// assert_eq!(message.body.unwrap().attachments.unwrap().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Enclosure(Enclosed);

#[derive(Clone, Debug, PartialEq)]
enum Enclosed {
    Media { kind: &'static str, name: String, bytes: Vec<u8> },
    Sticker { code: String },
    Link { url: String },
    Contact { name: String, phone: String },
    Location { latitude: f64, longitude: f64 },
}

impl Enclosure {
    /// Creates a photo. `bytes`: the content of the photo.
    pub fn photo(bytes: impl Into<Vec<u8>>) -> Self {
        Self::media("image", String::new(), bytes.into())
    }

    /// Creates a video. `bytes`: the content of the video.
    pub fn video(bytes: impl Into<Vec<u8>>) -> Self {
        Self::media("video", String::new(), bytes.into())
    }

    /// Creates an audio recording. `bytes`: the content of the recording.
    pub fn audio(bytes: impl Into<Vec<u8>>) -> Self {
        Self::media("audio", String::new(), bytes.into())
    }

    /// Creates a file. `name`: the file name. `bytes`: the content of the file.
    pub fn file(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::media("file", name.into(), bytes.into())
    }

    /// Creates a sticker. `code`: the id of the sticker in the messenger. Any text is accepted.
    pub fn sticker(code: impl Into<String>) -> Self {
        Self(Enclosed::Sticker { code: code.into() })
    }

    /// Creates a link to a page. `url`: the URL of the page. The sandbox does not fetch the page, so the attachment
    /// contains no preview.
    pub fn link(url: impl Into<String>) -> Self {
        Self(Enclosed::Link { url: url.into() })
    }

    /// Creates a contact card. `name`: the name on the card. `phone`: the phone number on the card. Any text is
    /// accepted for both.
    ///
    /// [`Person::shares_contact`](crate::Person::shares_contact) sends the person's own card.
    pub fn contact(name: impl Into<String>, phone: impl Into<String>) -> Self {
        Self(Enclosed::Contact { name: name.into(), phone: phone.into() })
    }

    /// Creates a location. `latitude`: in degrees, from -90 to 90. `longitude`: in degrees, from -180 to 180. If a
    /// value is out of range, [`Person::says_with`](crate::Person::says_with) panics.
    pub fn location(latitude: f64, longitude: f64) -> Self {
        Self(Enclosed::Location { latitude, longitude })
    }

    fn media(kind: &'static str, name: String, bytes: Vec<u8>) -> Self {
        Self(Enclosed::Media { kind, name, bytes })
    }

    /// The `type` of the attachment.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.0 {
            Enclosed::Media { kind, .. } => kind,
            Enclosed::Sticker { .. } => "sticker",
            Enclosed::Link { .. } => "share",
            Enclosed::Contact { .. } => "contact",
            Enclosed::Location { .. } => "location",
        }
    }

    /// Returns latitude and longitude of a location.
    pub(crate) fn place(&self) -> Option<(f64, f64)> {
        match self.0 {
            Enclosed::Location { latitude, longitude } => Some((latitude, longitude)),
            _ => None,
        }
    }

    pub(crate) fn into_attachment(self, state: &mut State) -> Attachment {
        match self.0 {
            Enclosed::Media { kind, name, bytes } => state.keep_media(kind, name, bytes),
            Enclosed::Sticker { code } => Attachment::Sticker { code },
            Enclosed::Link { url } => Attachment::Share { url: Some(url), token: None },
            Enclosed::Contact { name, phone } => {
                let vcf = Some(acts::vcard(&name, Some(&phone)));
                Attachment::Contact { vcf, user: None, signed_for: None }
            }
            Enclosed::Location { latitude, longitude } => Attachment::Location { latitude, longitude },
        }
    }
}
