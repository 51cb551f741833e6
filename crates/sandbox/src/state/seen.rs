//! Messages of bots, as people see them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A new or edited message of a bot, returned by [`Person::reads`](crate::Person::reads). The value has the content of
/// the message at the time of the event. Later edits do not change the value.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam::{Button, Keyboard};
///
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
/// alice.starts();
/// let buttons = (Button::callback("Yes", "y"), Button::callback("No", "n"));
/// let keyboard = Keyboard::column(buttons);
/// bot.send(alice.chat_id(), "Lunch?").keyboard(keyboard).await?;
/// let seen = alice.reads().await;
/// assert_eq!(seen.text(), "Lunch?");
/// assert_eq!(seen.buttons(), [["Yes"], ["No"]]);
/// assert!(!seen.is_edit());
/// # Ok(())
/// # }
/// ```
///
/// `Serialize` and `Deserialize` use the format of the [state file](crate::SandboxBuilder::state_file).
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
    /// Returns the text of the message, or an empty string if the message has no text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the id of the message.
    pub fn mid(&self) -> &tamtam::MessageId {
        &self.mid
    }

    /// Returns the texts of the buttons, row by row. The slice is empty if there is no inline keyboard.
    pub fn buttons(&self) -> &[Vec<String>] {
        &self.buttons
    }

    /// Returns the attachments as JSON of the API, including the keyboard. The schema is `Attachment` in the API's
    /// OpenAPI document.
    pub fn attachments(&self) -> &[Value] {
        self.message["body"]["attachments"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns the formatting of the text as JSON of the API. The schema is `MarkupElement` in the API's OpenAPI
    /// document. The slice is empty if the text has no formatting.
    pub fn markup(&self) -> &[Value] {
        self.message["body"]["markup"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns the whole message as JSON of the API, including the sender, the recipient and the linked message. A
    /// linked message is the message that this message forwards or replies to. The schema is `Message` in the API's
    /// OpenAPI document.
    pub fn message(&self) -> &Value {
        &self.message
    }

    /// Returns `true` if the bot edited an earlier message, and `false` if the message is new. A bot can also edit a
    /// message by its answer to a press of a button.
    pub fn is_edit(&self) -> bool {
        self.is_edit
    }
}
