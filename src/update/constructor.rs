//! What people type into a constructor and post from it.

use crate::{
    Update,
    types::{AttachmentRequest, ConstructedMessageBody, ConstructorInput},
};

/// What comes from a constructor.
impl Update {
    /// The text that a person typed in the constructor, or posted from it.
    #[must_use]
    pub fn constructed_text(&self) -> Option<&str> {
        match self {
            Self::MessageConstructed(update) => update.message.body.text.as_deref(),
            _ => self.constructed_messages().first()?.text.as_deref(),
        }
    }

    /// What a person typed in the constructor, with what they attached; empty if they have just opened it.
    #[must_use]
    pub fn constructed_messages(&self) -> &[ConstructedMessageBody] {
        match self {
            Self::MessageConstructionRequest(update) => match &update.input {
                ConstructorInput::Message(input) => input.messages.as_deref().unwrap_or_default(),
                _ => &[],
            },
            _ => &[],
        }
    }

    /// What a person attached to what they typed in the constructor; empty if there is nothing. That of a posted message is
    /// in its [`attachments`](Self::attachments).
    #[must_use]
    pub fn constructed_attachments(&self) -> &[AttachmentRequest] {
        self.constructed_messages().first().and_then(|typed| typed.attachments.as_deref()).unwrap_or_default()
    }
}
