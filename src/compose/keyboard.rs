//! Keyboards: built row by row, and read from received messages.

mod button;
mod row;

use crate::api::types::{Attachment, Button, Keyboard, Message, MessageBody};

pub use row::Buttons;

/// Creates a keyboard without buttons. [`Keyboard::row`] adds a row.
impl Default for Keyboard {
    fn default() -> Self {
        Self { buttons: Vec::new() }
    }
}

/// Methods that build a keyboard. The rows can have different lengths and different kinds of buttons:
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// use tamtam::{Button, Keyboard};
///
/// let keyboard = Keyboard::default()
///     .row([
///         Button::callback("Yes", "yes").positive(),
///         Button::callback("No", "no").negative(),
///     ])
///     .row((Button::location("I am here").quick(true), Button::contact("Call me")))
///     .row(Button::link("Where is it?", "https://example.org/map"));
/// bot.send(alice.chat_id(), "Coming?").keyboard(keyboard).await?;
/// # let rows = alice.reads().await.buttons().iter().map(Vec::len).collect::<Vec<_>>();
/// # assert_eq!(rows, [2, 2, 1]);
/// # Ok(())
/// # }
/// ```
///
/// Before a keyboard is sent, the crate checks the lengths of the labels, payloads, URLs, titles and descriptions of
/// all buttons. On MAX, the crate also checks the
/// [number of buttons](crate::types::InlineKeyboardAttachmentRequestPayload::buttons), of rows, and of buttons per row.
///
/// If a check fails, the call fails with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest). For a wrong
/// length, the error message contains the path of the field, for example
/// `body.attachments[0].payload.buttons[2][1].text`. Indexes start at 0, so `buttons[2][1]` is the second button of the
/// third row.
impl Keyboard {
    /// Creates a keyboard with one button per row, from top to bottom.
    #[must_use]
    pub fn column<K>(buttons: impl Buttons<K>) -> Self {
        Self::grid(1, buttons)
    }

    /// Creates a keyboard with `columns` buttons per row. The last row can have fewer buttons. If `columns` is 0, each
    /// row has one button.
    ///
    /// ```
    /// use tamtam::{Button, Keyboard};
    ///
    /// // 30 days make 4 rows of 7 buttons, and a last row of 2 buttons.
    /// let days = (1..=30).map(|day| Button::callback(day.to_string(), day.to_string()));
    /// let month = Keyboard::grid(7, days);
    /// assert_eq!(month.buttons.len(), 5);
    /// assert_eq!(month.buttons[4].len(), 2);
    /// ```
    #[must_use]
    pub fn grid<K>(columns: usize, buttons: impl Buttons<K>) -> Self {
        let mut rest = buttons.into_buttons().into_iter().peekable();
        let mut keyboard = Self::default();
        while rest.peek().is_some() {
            keyboard = keyboard.row(rest.by_ref().take(columns.max(1)));
        }
        keyboard
    }

    /// Creates a keyboard from rows of the same Rust type, for example arrays of callback buttons. If the rows have
    /// different types, use [`row`](Self::row). Empty rows are not added.
    #[must_use]
    pub fn rows<K>(rows: impl IntoIterator<Item = impl Buttons<K>>) -> Self {
        rows.into_iter().fold(Self::default(), Self::row)
    }

    /// Adds a row at the bottom of the keyboard. An empty row is not added.
    ///
    /// `buttons` has one of these forms:
    ///
    /// - one button
    /// - an array, a `Vec` or an iterator of buttons of one Rust type
    /// - a tuple of at most eight buttons, which can have different Rust types
    #[must_use]
    pub fn row<K>(mut self, buttons: impl Buttons<K>) -> Self {
        let buttons = buttons.into_buttons();
        if !buttons.is_empty() {
            self.buttons.push(buttons);
        }
        self
    }
}

/// Methods that read or change a keyboard. This example removes a button from a sent message:
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// use tamtam::{Button, Keyboard, NewMessageBody};
///
/// let drinks = [Button::callback("Tea", "tea"), Button::callback("Coffee", "coffee")];
/// let keyboard = Keyboard::column(drinks);
/// let sent = bot.send(alice.chat_id(), "What would you like?").keyboard(keyboard).await?;
///
/// // Later, when the coffee has run out:
/// let message = bot.api().get_message_by_id(&sent).await?;
/// if let Some(mut keyboard) = message.keyboard().cloned() {
///     keyboard.retain(|button| button.payload() != Some("coffee"));
///     bot.edit(&message, NewMessageBody::new().keyboard(keyboard)).await?;
/// }
/// # assert_eq!(alice.reads().await.buttons().len(), 2);
/// # assert_eq!(alice.reads().await.buttons(), [["Tea"]]);
/// # Ok(())
/// # }
/// ```
impl Keyboard {
    /// Returns an iterator over all buttons, row by row from top to bottom.
    pub fn iter(&self) -> impl Iterator<Item = &Button> {
        self.buttons.iter().flatten()
    }

    /// Returns the first button whose label is `text`. `None` if no button has this label.
    #[must_use]
    pub fn find_text(&self, text: &str) -> Option<&Button> {
        self.iter().find(|button| button.text() == Some(text))
    }

    /// Returns the first callback button with this payload. `None` if no callback button has the payload.
    #[must_use]
    pub fn find_payload(&self, payload: &str) -> Option<&Button> {
        self.iter().find(|button| button.payload() == Some(payload))
    }

    /// Keeps the buttons for which `keep` returns `true`, and removes empty rows.
    pub fn retain(&mut self, mut keep: impl FnMut(&Button) -> bool) {
        self.buttons.iter_mut().for_each(|row| row.retain(&mut keep));
        self.buttons.retain(|row| !row.is_empty());
    }
}

impl MessageBody {
    /// Returns the keyboard of the message. `None` if the message has no keyboard.
    #[must_use]
    pub fn keyboard(&self) -> Option<&Keyboard> {
        self.attachments().iter().find_map(|attachment| match attachment {
            Attachment::InlineKeyboard(keyboard) => Some(&keyboard.payload),
            _ => None,
        })
    }
}

impl Message {
    /// Returns the keyboard of the message. `None` if the message has no keyboard.
    #[must_use]
    pub fn keyboard(&self) -> Option<&Keyboard> {
        self.body.as_ref()?.keyboard()
    }
}
