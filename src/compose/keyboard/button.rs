//! Constructors of buttons, one per kind.

use serde::Serialize;

use crate::{
    api::types::{
        Button, CallbackButton, ChatButton, ClipboardButton, Intent, LinkButton, MessageButton, OpenAppButton,
        RequestContactButton, RequestGeoLocationButton,
    },
    compose::json_field,
    error::Result,
};

/// Constructors of buttons, one per kind. `text` is the label. The returned buttons have setters for optional fields:
///
/// ```
/// use tamtam::{Button, Keyboard};
///
/// let keyboard = Keyboard::column((
///     Button::callback("Delete", "delete").negative(),
///     Button::link("Read more", "https://example.org"),
///     Button::contact("Call me"),
///     Button::location("I am here").quick(true),
///     Button::chat("Discuss", "About the party")
///         .chat_description("Who brings what?")
///         .start_payload("party"),
/// ));
/// assert_eq!(keyboard.iter().count(), 5);
/// ```
///
/// Some kinds exist on one service only. If the bot's service does not have a kind, sending the message fails with
/// [`Unsupported`](crate::ErrorKind::Unsupported). These kinds exist on MAX only:
///
/// ```
/// use tamtam::{Button, Keyboard};
///
/// let keyboard = Keyboard::column((
///     Button::message("What is new?"),
///     Button::open_app("Open the shop", "my_bot").payload("order-7"),
///     Button::clipboard("Copy the code", "4711"),
/// ));
/// assert_eq!(keyboard.iter().count(), 3);
/// ```
impl Button {
    /// Creates a callback button. If a user presses the button, the bot receives `payload`, of at most 1024 characters.
    #[must_use]
    pub fn callback(text: impl Into<String>, payload: impl Into<String>) -> CallbackButton {
        CallbackButton::new(text, payload)
    }

    /// Creates a callback button with a value as its payload. The value is stored as JSON of at most 1024 bytes.
    ///
    /// If a user presses the button, [`Callback::payload_as`](crate::Callback::payload_as) reads the value.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// use serde::{Deserialize, Serialize};
    /// use tamtam::{Button, Keyboard, Update};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Vote {
    ///     poll: u64,
    ///     coming: bool,
    /// }
    ///
    /// let keyboard = Keyboard::default().row([
    ///     Button::callback_with("Yes", &Vote { poll: 7, coming: true })?,
    ///     Button::callback_with("No", &Vote { poll: 7, coming: false })?,
    /// ]);
    /// bot.send(alice.chat_id(), "Coming?").keyboard(keyboard).await?;
    /// # alice.presses("Yes");
    ///
    /// # let mut updates = bot.updates();
    /// while let Some(update) = updates.try_next().await? {
    ///     if let Update::MessageCallback(pressed) = update {
    ///         let vote: Vote = pressed.callback.payload_as()?;
    ///         let words = if vote.coming { "See you!" } else { "A pity." };
    ///         bot.answer(&pressed).notification(words).await?;
    /// #       break;
    ///     }
    /// }
    /// # assert_eq!(alice.reads_notification().await, "See you!");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If `value` cannot be written as JSON, or if the JSON has more than 1024 bytes.
    pub fn callback_with(text: impl Into<String>, value: &impl Serialize) -> Result<CallbackButton> {
        Ok(CallbackButton::new(text, json_field::write(value, "payload", json_field::CALLBACK_BYTES)?))
    }

    /// Creates a button that opens the link `url`. The bot receives no update when a user presses the button.
    ///
    /// The URL must be absolute, such as `https://example.org` or `tel:+15550100`. Otherwise sending the message fails
    /// with [`InvalidRequest`](crate::ErrorKind::InvalidRequest).
    #[must_use]
    pub fn link(text: impl Into<String>, url: impl Into<String>) -> LinkButton {
        LinkButton::new(text, url)
    }

    /// Creates a button that asks the user for their contact card. The bot receives the card in a message.
    #[must_use]
    pub fn contact(text: impl Into<String>) -> RequestContactButton {
        RequestContactButton::new(text)
    }

    /// Creates a button that asks the user for their location. The bot receives the location in a message. With
    /// [`quick(true)`](RequestGeoLocationButton::quick), the messenger app does not ask for confirmation.
    #[must_use]
    pub fn location(text: impl Into<String>) -> RequestGeoLocationButton {
        RequestGeoLocationButton::new(text)
    }

    /// Creates a button for a chat about the message. The first press creates the chat with the title `title`. Later
    /// presses open the chat.
    ///
    /// TamTam only.
    #[must_use]
    pub fn chat(text: impl Into<String>, title: impl Into<String>) -> ChatButton {
        ChatButton::new(text, title)
    }

    /// Creates a button that posts its label as a message of the user who presses the button. The bot receives the
    /// message as [`Update::MessageCreated`](crate::Update::MessageCreated).
    ///
    /// MAX only.
    ///
    /// ```
    /// let button = tamtam::Button::message("What is new?");
    /// assert_eq!(button.text, "What is new?");
    /// ```
    #[must_use]
    pub fn message(text: impl Into<String>) -> MessageButton {
        MessageButton::new(text)
    }

    /// Creates a button that opens a Mini App, which is a web page inside the messenger. The bot receives no update
    /// when a user presses the button.
    ///
    /// `bot` is the username of the bot that has the Mini App, or the link to this bot. The Mini App receives the
    /// [`payload`](OpenAppButton::payload) as `start_param`. The payload has at most 512 ASCII letters, digits, `_` and
    /// `-`. [`contact_id`](OpenAppButton::contact_id) sets the id of the bot.
    ///
    /// MAX only.
    ///
    /// ```
    /// use tamtam::Button;
    ///
    /// let button = Button::open_app("Open the shop", "my_bot")
    ///     .payload("order-7")
    ///     .contact_id(42);
    /// assert_eq!(button.web_app, "my_bot");
    /// assert_eq!(button.payload.as_deref(), Some("order-7"));
    /// ```
    #[must_use]
    pub fn open_app(text: impl Into<String>, bot: impl Into<String>) -> OpenAppButton {
        OpenAppButton::new(text, bot)
    }

    /// Creates a button that copies `payload` to the clipboard of the user. `payload` has at most 1024 characters. The
    /// bot receives no update when a user presses the button.
    ///
    /// MAX only.
    ///
    /// ```
    /// let button = tamtam::Button::clipboard("Copy the code", "4711");
    /// assert_eq!(button.payload, "4711");
    /// ```
    #[must_use]
    pub fn clipboard(text: impl Into<String>, payload: impl Into<String>) -> ClipboardButton {
        ClipboardButton::new(text, payload)
    }

    /// Returns the payload of a callback button. `None` for other buttons.
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        match self {
            Self::Callback(button) => Some(&button.payload),
            _ => None,
        }
    }
}

impl CallbackButton {
    /// Sets the appearance of a button to agree or to continue. The same as `intent(Intent::Positive)`.
    #[must_use]
    pub fn positive(self) -> Self {
        self.intent(Intent::Positive)
    }

    /// Sets the appearance of a button to refuse, cancel or delete. The same as `intent(Intent::Negative)`.
    #[must_use]
    pub fn negative(self) -> Self {
        self.intent(Intent::Negative)
    }
}
