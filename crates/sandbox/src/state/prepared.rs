//! The content of a constructor, as a person sees it.

use serde::{Deserialize, Serialize};

/// The content of a constructor after one answer of the bot. Returned by
/// [`Constructor::reads`](crate::Constructor::reads). Later answers do not change this value.
///
/// A constructor is a window in which a bot helps a person to compose a message.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// use tamtam::types::{ConstructedMessageBody, ConstructorAnswer};
///
/// let tamtam = tamtam_sandbox::Sandbox::start().await;
/// let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
/// alice.starts();
/// let card = alice.opens_constructor();
/// let message = ConstructedMessageBody::new().text("Happy birthday!");
/// let answer = ConstructorAnswer::new().messages([message]);
/// bot.api().construct(card.session_id(), answer).await?;
/// let prepared = card.reads().await;
/// assert_eq!(prepared.texts(), ["Happy birthday!"]);
/// assert!(prepared.buttons().is_empty());
/// # Ok(())
/// # }
/// ```
///
/// `Serialize` and `Deserialize` use the format of the [state file](crate::SandboxBuilder::state_file). Later versions
/// of this crate may change this format.
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
    /// Returns the texts of the messages that the person can post. For a message without text, the slice contains an
    /// empty string.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Returns the texts of the buttons, row by row. The slice is empty if there is no keyboard.
    pub fn buttons(&self) -> &[Vec<String>] {
        &self.buttons
    }

    /// Returns the text that is shown above the keyboard. `None` if the bot did not set a hint.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns the placeholder text of the input field. `None` if the bot did not set a placeholder.
    pub fn placeholder(&self) -> Option<&str> {
        self.placeholder.as_deref()
    }

    /// Returns whether the person may type a message. `true` if the bot did not set `allow_user_input`.
    pub fn allows_input(&self) -> bool {
        self.allows_input
    }
}
