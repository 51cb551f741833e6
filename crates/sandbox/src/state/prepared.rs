//! What a person sees in a constructor.

use serde::{Deserialize, Serialize};

/// What a bot has put into a constructor, as it was at that moment.
///
/// Written with serde it has what a sandbox's state file keeps of it.
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
    /// The texts of the messages that are ready to be posted; a message without a text is an empty string.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The labels of the keyboard, row by row; empty if there is none.
    pub fn buttons(&self) -> &[Vec<String>] {
        &self.buttons
    }

    /// The text above the keyboard.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The text in the input field while it is empty.
    pub fn placeholder(&self) -> Option<&str> {
        self.placeholder.as_deref()
    }

    /// Whether the person may type; a bot that does not say allows it.
    pub fn allows_input(&self) -> bool {
        self.allows_input
    }
}
