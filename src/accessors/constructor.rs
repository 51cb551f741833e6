//! The text and attachments of constructors.

use crate::api::types::{AttachmentRequest, ConstructedMessageBody, Update};

/// What comes from a constructor.
impl Update {
    /// The text that a person typed in the constructor, or posted from it.
    #[must_use]
    pub fn constructed_text(&self) -> Option<&str> {
        match self {
            Self::MessageConstructed(update) => update.message.text(),
            Self::MessageConstructionRequest(update) => update.input.text(),
            _ => None,
        }
    }

    /// What a person typed in the constructor, with what they attached; empty if they have just opened it.
    #[must_use]
    pub fn constructed_messages(&self) -> &[ConstructedMessageBody] {
        match self {
            Self::MessageConstructionRequest(update) => update.input.messages(),
            _ => &[],
        }
    }

    /// What a person attached to what they typed in the constructor, to the first message that has something; empty if
    /// there is nothing. That of a posted message is in its [`attachments`](Self::attachments).
    #[must_use]
    pub fn constructed_attachments(&self) -> &[AttachmentRequest] {
        let attached = self.constructed_messages().iter().filter_map(|typed| typed.attachments.as_deref());
        attached.into_iter().find(|attached| !attached.is_empty()).unwrap_or_default()
    }
}
