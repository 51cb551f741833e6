//! Attachments: constructors for each kind, and conversion of received attachments to send them again.

use crate::{
    api::types::{
        Attachment, AttachmentRequest, AudioAttachmentRequest, ContactAttachmentPayload, ContactAttachmentRequest,
        ContactAttachmentRequestPayload, FileAttachmentRequest, InlineKeyboardAttachmentRequest,
        InlineKeyboardAttachmentRequestPayload, Keyboard, LocationAttachmentRequest, PhotoAttachmentRequest,
        PhotoAttachmentRequestPayload, ShareAttachmentPayload, ShareAttachmentRequest, StickerAttachmentRequest,
        StickerAttachmentRequestPayload, UploadedInfo, VideoAttachmentRequest,
    },
    error::{Error, Reason},
    id::UserId,
    validation::{Invalid, Place},
};

/// Functions that create attachments.
///
/// A token identifies an uploaded photo, video, audio recording or file. The token comes from an upload or from a
/// received attachment. Tokens do not expire. To upload media, use methods such as
/// [`Bot::upload_photo`](crate::Bot::upload_photo).
///
/// A message with an audio recording, a file, a sticker or a contact card can have only one further attachment: a
/// keyboard.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// use tamtam::AttachmentRequest;
///
/// bot.send(alice.chat_id(), AttachmentRequest::location(59.9390, 30.3158)).await?;
///
/// let photo = AttachmentRequest::photo_url("https://example.org/cat.jpg");
/// bot.send(alice.chat_id(), "A cat").attach(photo).await?;
/// # assert_eq!(alice.reads().await.attachments()[0]["type"], "location");
/// # assert_eq!(alice.reads().await.attachments()[0]["type"], "image");
/// # Ok(())
/// # }
/// ```
impl AttachmentRequest {
    /// Creates a photo that the server downloads from `url`.
    #[must_use]
    pub fn photo_url(url: impl Into<String>) -> Self {
        PhotoAttachmentRequest::new(PhotoAttachmentRequestPayload::new().url(url)).into()
    }

    /// Creates a photo from a token.
    #[must_use]
    pub fn photo_token(token: impl Into<String>) -> Self {
        PhotoAttachmentRequest::new(PhotoAttachmentRequestPayload::new().token(token)).into()
    }

    /// Creates a video from a token.
    #[must_use]
    pub fn video(token: impl Into<String>) -> Self {
        VideoAttachmentRequest::new(UploadedInfo::new().token(token)).into()
    }

    /// Creates an audio recording from a token.
    #[must_use]
    pub fn audio(token: impl Into<String>) -> Self {
        AudioAttachmentRequest::new(UploadedInfo::new().token(token)).into()
    }

    /// Creates a file from a token.
    #[must_use]
    pub fn file(token: impl Into<String>) -> Self {
        FileAttachmentRequest::new(UploadedInfo::new().token(token)).into()
    }

    /// Creates a sticker from the code of a received sticker.
    #[must_use]
    pub fn sticker(code: impl Into<String>) -> Self {
        StickerAttachmentRequest::new(StickerAttachmentRequestPayload::new(code)).into()
    }

    /// Creates a contact card of the user with the id `user`.
    #[must_use]
    pub fn contact(user: impl Into<UserId>) -> Self {
        ContactAttachmentRequest::new(ContactAttachmentRequestPayload::new().contact_id(user)).into()
    }

    /// Creates a contact card from a complete vCard: `BEGIN:VCARD ... END:VCARD`.
    #[must_use]
    pub fn contact_vcard(vcard: impl Into<String>) -> Self {
        ContactAttachmentRequest::new(ContactAttachmentRequestPayload::new().vcf_info(vcard)).into()
    }

    /// Creates a contact card from a name and a phone number, such as `+441632960123`.
    #[must_use]
    pub fn contact_phone(name: impl Into<String>, phone: impl Into<String>) -> Self {
        ContactAttachmentRequest::new(ContactAttachmentRequestPayload::new().name(name).vcf_phone(phone)).into()
    }

    /// Creates a location, which users see as a place on a map.
    ///
    /// - `latitude`: The latitude in degrees, from -90 to 90. North is positive.
    /// - `longitude`: The longitude in degrees, from -180 to 180. East is positive.
    #[must_use]
    pub fn location(latitude: f64, longitude: f64) -> Self {
        LocationAttachmentRequest::new(latitude, longitude).into()
    }

    /// Creates a preview of the link `url`.
    #[must_use]
    pub fn share(url: impl Into<String>) -> Self {
        ShareAttachmentRequest::new(ShareAttachmentPayload::new().url(url)).into()
    }
}

/// Converts a keyboard into an attachment, which adds the keyboard to a message.
impl From<Keyboard> for AttachmentRequest {
    fn from(keyboard: Keyboard) -> Self {
        InlineKeyboardAttachmentRequest::new(InlineKeyboardAttachmentRequestPayload::new(keyboard.buttons)).into()
    }
}

/// Converts a received attachment into an attachment that sends the same content again, without an upload.
///
/// The new attachment has the token of the received media, or the URL of an image without a token. Other attachments
/// are copied.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
/// # bob.starts();
/// # let mid = alice.says_with("My cat", [tamtam_sandbox::Enclosure::photo(b"meow")]);
/// # let message = bot.api().get_message_by_id(mid).await?;
/// use tamtam::{AttachmentRequest, NewMessageBody};
///
/// let mut copy = NewMessageBody::from("Alice has a cat:");
/// for attachment in message.attachments() {
///     copy = copy.attach(AttachmentRequest::try_from(attachment)?);
/// }
/// bot.send(bob.user_id(), copy).await?;
/// # assert_eq!(bob.reads().await.attachments()[0]["type"], "image");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Returns an error in these cases:
///
/// - If the attachment is [`Unknown`](Attachment::Unknown).
/// - If a video, an audio recording or a file has no token.
/// - If a contact card has neither a vCard nor a user.
impl TryFrom<&Attachment> for AttachmentRequest {
    type Error = Error;

    fn try_from(attachment: &Attachment) -> Result<Self, Error> {
        Ok(match attachment {
            Attachment::Image(photo) => match &photo.payload.token {
                Some(token) => Self::photo_token(token),
                None => Self::photo_url(&photo.payload.url),
            },
            Attachment::Video(video) => Self::video(token(&video.payload.token, attachment)?),
            Attachment::Audio(audio) => Self::audio(token(&audio.payload.token, attachment)?),
            Attachment::File(file) => Self::file(token(&file.payload.token, attachment)?),
            Attachment::Sticker(sticker) => Self::sticker(&sticker.payload.code),
            Attachment::Contact(contact) => card(&contact.payload)?,
            Attachment::InlineKeyboard(keyboard) => keyboard.payload.clone().into(),
            // A share with both a token and a URL is sent by its token only.
            Attachment::Share(share) => match &share.payload.token {
                Some(token) => ShareAttachmentRequest::new(ShareAttachmentPayload::new().token(token)).into(),
                None => ShareAttachmentRequest::new(share.payload.clone()).into(),
            },
            Attachment::Location(place) => Self::location(place.latitude, place.longitude),
            Attachment::Unknown(unknown) => {
                let why = unknown.error.as_deref().unwrap_or("this version of the crate does not support it");
                return Err(cannot_be_sent(format!("of type `{}` cannot be sent again: {why}", unknown.tag)));
            }
        })
    }
}

fn token<'a>(token: &'a Option<String>, attachment: &Attachment) -> Result<&'a str, Error> {
    let missing = || cannot_be_sent(format!("of type `{}` cannot be sent again: it has no token", attachment.tag()));
    token.as_deref().ok_or_else(missing)
}

fn card(contact: &ContactAttachmentPayload) -> Result<AttachmentRequest, Error> {
    let mut payload = ContactAttachmentRequestPayload::new();
    payload.vcf_info.clone_from(&contact.vcf_info);
    if let Some(user) = contact.max_info.as_deref().or(contact.tam_info.as_deref()) {
        payload = payload.contact_id(user.user_id);
        payload.name = Some(user.name.clone()).filter(|name| !name.is_empty());
    }
    if payload == ContactAttachmentRequestPayload::new() {
        return Err(cannot_be_sent("of type `contact` cannot be sent again: it has neither a vCard nor a user"));
    }
    Ok(ContactAttachmentRequest::new(payload).into())
}

fn cannot_be_sent(problem: impl Into<String>) -> Error {
    Error::new(Reason::Invalid(Invalid::new(&Place::root("attachment"), problem)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn again(received: Value) -> Result<Value, String> {
        let received: Attachment = serde_json::from_value(received).unwrap();
        let again = AttachmentRequest::try_from(&received).map_err(|error| error.to_string())?;
        Ok(serde_json::to_value(again).unwrap())
    }

    #[test]
    fn a_received_contact_card_is_sent_with_all_its_fields() {
        let user = json!({"user_id": 3, "name": "Alice"});
        assert_eq!(
            again(json!({"type": "contact", "payload": {"vcf_info": "BEGIN:VCARD", "tam_info": user}})),
            Ok(json!({"type": "contact", "payload": {"vcf_info": "BEGIN:VCARD", "contact_id": 3, "name": "Alice"}}))
        );
        assert_eq!(
            again(json!({"type": "contact", "payload": {"tam_info": null}})).unwrap_err(),
            "not sent: attachment of type `contact` cannot be sent again: it has neither a vCard nor a user"
        );
    }

    #[test]
    fn a_received_preview_is_sent_by_its_token_or_by_its_link() {
        let link = json!({"url": "https://example.org"});
        assert_eq!(
            again(json!({"type": "share", "payload": link, "title": "Example"})),
            Ok(json!({"type": "share", "payload": link}))
        );
        assert_eq!(
            again(json!({"type": "share", "payload": {"url": "https://example.org", "token": "t"}})),
            Ok(json!({"type": "share", "payload": {"token": "t"}}))
        );
    }

    #[test]
    fn an_image_without_a_token_is_sent_by_its_url_and_a_video_is_refused() {
        let payload = json!({"url": "https://example.org/1"});
        assert_eq!(
            again(json!({"type": "image", "payload": payload})),
            Ok(json!({"type": "image", "payload": payload}))
        );
        let video = again(json!({"type": "video", "payload": payload})).unwrap_err();
        assert_eq!(video, "not sent: attachment of type `video` cannot be sent again: it has no token");
    }

    #[test]
    fn an_attachment_that_cannot_be_read_cannot_be_sent_again() {
        let hologram = again(json!({"type": "hologram"})).unwrap_err();
        assert!(hologram.contains("`hologram` cannot be sent again: this version"), "{hologram}");
        let broken = again(json!({"type": "sticker", "payload": {}})).unwrap_err();
        assert!(broken.contains("`sticker` cannot be sent again: missing field"), "{broken}");
    }
}
