//! Attachments of people's messages.

use crate::state::State;
use crate::state::acts;
use crate::state::message::Attachment;

/// An attachment of a person's message, for [`Person::says_with`](crate::Person::says_with).
///
/// The bytes of media may be anything. The bot can download them from the `url` of the attachment, and send the
/// attachment again by its token.
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
    /// Creates a photo.
    pub fn photo(bytes: impl Into<Vec<u8>>) -> Self {
        Self::media("image", String::new(), bytes.into())
    }

    /// Creates a video.
    pub fn video(bytes: impl Into<Vec<u8>>) -> Self {
        Self::media("video", String::new(), bytes.into())
    }

    /// Creates an audio recording. It must be the only attachment of its message.
    pub fn audio(bytes: impl Into<Vec<u8>>) -> Self {
        Self::media("audio", String::new(), bytes.into())
    }

    /// Creates a file. It must be the only attachment of its message.
    pub fn file(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::media("file", name.into(), bytes.into())
    }

    /// Creates a sticker. It must be the only attachment of its message.
    pub fn sticker(code: impl Into<String>) -> Self {
        Self(Enclosed::Sticker { code: code.into() })
    }

    /// Creates the preview of a link.
    pub fn link(url: impl Into<String>) -> Self {
        Self(Enclosed::Link { url: url.into() })
    }

    /// Creates a contact card, of a user or of any other person. It must be the only attachment of its message.
    /// [`Person::shares_contact`](crate::Person::shares_contact) sends a person's own card.
    pub fn contact(name: impl Into<String>, phone: impl Into<String>) -> Self {
        Self(Enclosed::Contact { name: name.into(), phone: phone.into() })
    }

    /// Creates a location. `latitude`, `longitude`: in degrees.
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
