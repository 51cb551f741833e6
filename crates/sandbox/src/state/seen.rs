//! Messages of bots, as people see them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message that a bot has posted or edited, as people saw it. Later edits do not change it.
///
/// With serde, it has the format of the sandbox's state file.
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
    /// Returns the text. Empty if the message has no text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the id of the message.
    pub fn mid(&self) -> &tamtam::MessageId {
        &self.mid
    }

    /// Returns the labels of the inline keyboard, row by row. Empty if there is no keyboard.
    pub fn buttons(&self) -> &[Vec<String>] {
        &self.buttons
    }

    /// Returns the attachments in the form of the API (`Attachment` in its document), including the keyboard.
    pub fn attachments(&self) -> &[Value] {
        self.message["body"]["attachments"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns the formatting of the text in the form of the API (`MarkupElement` in its document). Empty for plain
    /// text.
    pub fn markup(&self) -> &[Value] {
        self.message["body"]["markup"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns the whole message in the form of the API (`Message` in its document), with sender, recipient and link.
    pub fn message(&self) -> &Value {
        &self.message
    }

    /// Returns whether this is an edit of an earlier message, also by the answer to a pressed button. `false` for a new
    /// message.
    pub fn is_edit(&self) -> bool {
        self.is_edit
    }
}
