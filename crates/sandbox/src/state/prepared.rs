//! The content of a constructor, as a person sees it.

use serde::{Deserialize, Serialize};

/// The content that a bot has put into a constructor. Later answers of the bot do not change it.
///
/// With serde, it has the format of the sandbox's state file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Prepared {
    pub(crate) texts: Vec<String>,
    pub(crate) buttons: Vec<Vec<String>>,
    pub(crate) hint: Option<String>,
    pub(crate) placeholder: Option<String>,
    pub(crate) allows_input: bool,
}

impl Prepared {
    /// Returns the texts of the messages that are ready to be posted. A message without text is an empty string.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Returns the labels of the keyboard, row by row. Empty if there is no keyboard.
    pub fn buttons(&self) -> &[Vec<String>] {
        &self.buttons
    }

    /// Returns the text above the keyboard.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns the placeholder of the input field.
    pub fn placeholder(&self) -> Option<&str> {
        self.placeholder.as_deref()
    }

    /// Returns whether the person may type. Defaults to `true` if the bot does not set it.
    pub fn allows_input(&self) -> bool {
        self.allows_input
    }
}
