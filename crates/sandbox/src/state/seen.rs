//! What a person sees of a message.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message as a bot showed it to people: a new one, or one that was edited. It stays as it was at
/// that moment, whatever happens to the message later.
///
/// Written with serde it has what a sandbox's state file keeps of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Seen {
    pub(crate) mid: tamtam::MessageId,
    pub(crate) text: String,
    pub(crate) buttons: Vec<Vec<String>>,
    pub(crate) message: Value,
    pub(crate) is_edit: bool,
}

impl Seen {
    /// The text; empty if the message has none.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The id of the message.
    pub fn mid(&self) -> &tamtam::MessageId {
        &self.mid
    }

    /// The labels of the inline keyboard, row by row; empty if there is none.
    pub fn buttons(&self) -> &[Vec<String>] {
        &self.buttons
    }

    /// The attachments as the API shows them (`Attachment` in its document), the keyboard included.
    pub fn attachments(&self) -> &[Value] {
        self.message["body"]["attachments"].as_array().map_or(&[], Vec::as_slice)
    }

    /// How parts of the text look, as the API shows it (`MarkupElement` in its document); empty for plain text.
    pub fn markup(&self) -> &[Value] {
        self.message["body"]["markup"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The whole message as the API shows it (`Message` in its document): sender, recipient, link.
    pub fn message(&self) -> &Value {
        &self.message
    }

    /// Whether a message that was there before has been edited, by an edit or by the answer to a
    /// pressed button; otherwise it is new.
    pub fn is_edit(&self) -> bool {
        self.is_edit
    }
}
