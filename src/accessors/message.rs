//! Accessors of messages: sender, chat, text, attachments.

use super::{linked::link_accessors, non_empty::non_empty, sender::sender_accessors, vcard};
use crate::{
    api::types::{
        Attachment, AudioAttachment, ChatType, ContactAttachment, FileAttachment, LinkedMessage, LocationAttachment,
        Message, MessageBody, PhotoAttachment, ShareAttachment, StickerAttachment, User, VideoAttachment,
    },
    id::ChatId,
};

/// Methods that read the properties of a message.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// # let mid = alice.says_with("Look", [tamtam_sandbox::Enclosure::file("notes.txt", "Buy milk")]);
/// let message = bot.api().get_message_by_id(mid).await?;
/// let name = message.sender_name().unwrap_or("unknown");
/// println!("{name}: {}", message.text().unwrap_or_default());
/// for file in message.files() {
///     println!("{} of {} bytes at {}", file.filename, file.size, file.payload.url);
/// }
/// # assert_eq!(message.files().count(), 1);
/// # Ok(())
/// # }
/// ```
impl Message {
    /// Returns the text of the message. `None` if the text is missing or empty.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        non_empty(self.body.as_ref()?.text.as_deref())
    }

    /// Returns the id of the chat of the message. `None` if the id is missing.
    #[must_use]
    pub fn chat_id(&self) -> Option<ChatId> {
        self.recipient.chat_id
    }

    /// Returns whether the message is in a channel.
    #[must_use]
    pub fn is_channel(&self) -> bool {
        self.recipient.chat_type == ChatType::Channel
    }

    /// Returns whether the message is in a dialog.
    #[must_use]
    pub fn is_dialog(&self) -> bool {
        self.recipient.chat_type == ChatType::Dialog
    }

    sender_accessors!();

    /// Returns the original message, if this message is a forward or a reply. `None` if this message is neither.
    #[must_use]
    pub fn link(&self) -> Option<&LinkedMessage> {
        self.link.as_deref()
    }

    link_accessors!();
}

/// Implements the accessors of attachments by kind, for a type with a method `attachments`.
macro_rules! by_kind {
    ($ty:ident: $($(#[$doc:meta])* $name:ident = $variant:ident($attachment:ty),)*) => {
        impl $ty {
            /// Returns the URLs of the attachments: pictures, videos, audio recordings, files, stickers and previewed
            /// links. The URLs of links within the text are in [`MessageBody::markup`].
            pub fn urls(&self) -> impl Iterator<Item = &str> {
                self.attachments().iter().filter_map(Attachment::url)
            }

            $($(#[$doc])*
            pub fn $name(&self) -> impl Iterator<Item = &$attachment> {
                self.attachments().iter().filter_map(|attachment| match attachment {
                    Attachment::$variant(it) => Some(it),
                    _ => None,
                })
            })*
        }
    };
    ($($ty:ident)*) => {
        $(by_kind! {
            $ty:
            /// Returns the pictures among the attachments.
            photos = Image(PhotoAttachment),
            /// Returns the videos among the attachments.
            videos = Video(VideoAttachment),
            /// Returns the audio recordings among the attachments.
            audios = Audio(AudioAttachment),
            /// Returns the files among the attachments.
            files = File(FileAttachment),
            /// Returns the stickers among the attachments.
            stickers = Sticker(StickerAttachment),
            /// Returns the contact cards among the attachments.
            contacts = Contact(ContactAttachment),
            /// Returns the locations among the attachments.
            locations = Location(LocationAttachment),
            /// Returns the link previews among the attachments.
            shares = Share(ShareAttachment),
        })*
    };
}

by_kind! { Message MessageBody }

impl Message {
    /// Returns the attachments, including the keyboard. Empty if the message has no attachments. The attachments of
    /// a forwarded message are in `link`.
    #[must_use]
    pub fn attachments(&self) -> &[Attachment] {
        self.body.as_ref().map_or(&[], MessageBody::attachments)
    }
}

impl MessageBody {
    /// Returns the attachments, including the keyboard. Empty if the message has no attachments.
    #[must_use]
    pub fn attachments(&self) -> &[Attachment] {
        self.attachments.as_deref().unwrap_or_default()
    }
}

impl ContactAttachment {
    /// Returns the account of the person on the card. `None` if the server does not send the account.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        self.payload.max_info.as_deref().or(self.payload.tam_info.as_deref())
    }

    /// Returns the display name of the person's account ([`user`](Self::user)). If this name is missing, returns the
    /// name on the card, which is the first property `FN` of the vCard. `None` if both names are missing.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let user = self.user().map(|user| user.name.clone()).filter(|name| !name.is_empty());
        user.or_else(|| vcard::property(self.payload.vcf_info.as_deref()?, "FN"))
    }

    /// Returns the first phone number on the card, which is the first property `TEL` of the vCard. `None` if the card
    /// has no phone number.
    ///
    /// If the property is a `tel:` URI, this method removes the scheme and the parameters. The format of the number
    /// stays unchanged.
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
    /// let card = AttachmentRequest::contact_phone("Bob", "+15550100");
    /// let sent = bot.send(alice.chat_id(), card).await?.message;
    /// let contact = sent.contacts().next().expect("a contact");
    /// assert_eq!(contact.name().as_deref(), Some("Bob"));
    /// assert_eq!(contact.phone().as_deref(), Some("+15550100"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn phone(&self) -> Option<String> {
        vcard::phone(self.payload.vcf_info.as_deref()?)
    }
}
