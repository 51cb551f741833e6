//! Messages of bots, as people see them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A new or edited message of a bot. Returned by [`Person::reads`](crate::Person::reads). The value contains the
/// message as the bot sent or edited it. Later edits do not change the value.
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
/// `Serialize` and `Deserialize` use the format of the [state file](crate::SandboxBuilder::state_file). Later versions
/// of this crate may change this format.
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

    /// Returns the texts of the buttons, row by row. The slice is empty if the message has no keyboard.
    pub fn buttons(&self) -> &[Vec<String>] {
        &self.buttons
    }

    /// Returns the attachments, including the keyboard, in the JSON format of the API. The schema of each attachment is
    /// `Attachment` in the API's OpenAPI document. The slice is empty if the message has no attachments.
    pub fn attachments(&self) -> &[Value] {
        self.message["body"]["attachments"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns the formatting of the text in the JSON format of the API. The schema of each element is `MarkupElement`
    /// in the API's OpenAPI document. The slice is empty if the text has no formatting.
    pub fn markup(&self) -> &[Value] {
        self.message["body"]["markup"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns the whole message in the JSON format of the API. The schema is `Message` in the API's OpenAPI document.
    /// The JSON also contains the sender (if the message has one), the recipient, and the original message of a forward
    /// or reply.
    pub fn message(&self) -> &Value {
        &self.message
    }

    /// Returns `true` if the bot edited an earlier message, and `false` if the message is new. If the bot changes a
    /// message in its answer to a pressed button, the change also counts as an edit.
    pub fn is_edit(&self) -> bool {
        self.is_edit
    }
}
