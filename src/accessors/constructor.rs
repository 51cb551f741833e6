//! Accessors of constructor updates: text and attachments.

use crate::api::types::{AttachmentRequest, ConstructedMessageBody, Update};

/// Methods for updates from a constructor (TamTam only).
impl Update {
    /// Returns the text of the first message in [`constructed_messages`](Self::constructed_messages) that has a text.
    /// If a user posted a message from the constructor, returns the text of the posted message. `None` if no message in
    /// the update has a text.
    #[must_use]
    pub fn constructed_text(&self) -> Option<&str> {
        match self {
            Self::MessageConstructed(update) => update.message.text(),
            Self::MessageConstructionRequest(update) => update.input.text(),
            _ => None,
        }
    }

    /// Returns the messages that a user typed in the constructor, with their attachments. Empty if the user opened
    /// the constructor, pressed a button or posted the message. Also empty for updates that are not from a constructor.
    #[must_use]
    pub fn constructed_messages(&self) -> &[ConstructedMessageBody] {
        match self {
            Self::MessageConstructionRequest(update) => update.input.messages(),
            _ => &[],
        }
    }

    /// Returns the attachments of the first message in [`constructed_messages`](Self::constructed_messages) that has
    /// attachments. Empty if these messages have no attachments.
    ///
    /// For the attachments of a posted message, use [`attachments`](Self::attachments).
    #[must_use]
    pub fn constructed_attachments(&self) -> &[AttachmentRequest] {
        let attached = self.constructed_messages().iter().filter_map(|typed| typed.attachments.as_deref());
        attached.into_iter().find(|attached| !attached.is_empty()).unwrap_or_default()
    }
}
