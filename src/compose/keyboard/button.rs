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

/// Constructors of buttons, one per kind. Methods of the button set its optional properties:
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
/// Some kinds exist on one service only. A message with a button that the bot's service does not have is not sent
/// ([`Unsupported`](crate::ErrorKind::Unsupported)). These kinds are MAX only:
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
    /// Sends its payload to the bot when pressed. A payload has at most 1024 characters.
    #[must_use]
    pub fn callback(text: impl Into<String>, payload: impl Into<String>) -> CallbackButton {
        CallbackButton::new(text, payload)
    }

    /// Sends a value to the bot when pressed, as JSON of at most 1024 bytes.
    /// [`Callback::payload_as`](crate::Callback::payload_as) reads the value.
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
    /// If the value has more than 1024 bytes as JSON, or cannot be written as JSON.
    pub fn callback_with(text: impl Into<String>, value: &impl Serialize) -> Result<CallbackButton> {
        Ok(CallbackButton::new(text, json_field::write(value, "payload", json_field::CALLBACK_BYTES)?))
    }

    /// Opens a link. The bot gets no update when the button is pressed. The URL must be absolute:
    /// `https://example.org`, `tel:+15550100`. Otherwise the message is not sent
    /// ([`InvalidRequest`](crate::ErrorKind::InvalidRequest)).
    #[must_use]
    pub fn link(text: impl Into<String>, url: impl Into<String>) -> LinkButton {
        LinkButton::new(text, url)
    }

    /// Asks the user for their contact card. The card arrives as a message.
    #[must_use]
    pub fn contact(text: impl Into<String>) -> RequestContactButton {
        RequestContactButton::new(text)
    }

    /// Asks the user for their location. The location arrives as a message. With
    /// [`quick(true)`](RequestGeoLocationButton::quick), the client does not ask for confirmation.
    #[must_use]
    pub fn location(text: impl Into<String>) -> RequestGeoLocationButton {
        RequestGeoLocationButton::new(text)
    }

    /// Creates a chat about the message, with this title, when first pressed. Later presses open the chat.
    ///
    /// TamTam only.
    #[must_use]
    pub fn chat(text: impl Into<String>, title: impl Into<String>) -> ChatButton {
        ChatButton::new(text, title)
    }

    /// Posts its label as a message of the user who presses it. The bot receives it as any other message of the user:
    /// [`Update::MessageCreated`](crate::Update::MessageCreated).
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

    /// Opens a Mini App inside the messenger. The bot gets no update when the button is pressed.
    ///
    /// `bot`: the username of the bot whose Mini App to open, or the link to that bot. The Mini App receives the
    /// [`payload`](OpenAppButton::payload) as `start_param`: at most 512 ASCII letters, digits, `_` and `-`.
    /// [`contact_id`](OpenAppButton::contact_id) names the bot by its id.
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

    /// Copies its payload, of at most 1024 characters, to the clipboard of the user. The bot gets no update when the button
    /// is pressed.
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

    /// Returns the payload that a callback button sends to the bot. `None` for other buttons.
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        match self {
            Self::Callback(button) => Some(&button.payload),
            _ => None,
        }
    }
}

impl CallbackButton {
    /// Marks a button for agreeing or continuing. The same as `intent(Intent::Positive)`.
    #[must_use]
    pub fn positive(self) -> Self {
        self.intent(Intent::Positive)
    }

    /// Marks a button for refusing, cancelling or deleting. The same as `intent(Intent::Negative)`.
    #[must_use]
    pub fn negative(self) -> Self {
        self.intent(Intent::Negative)
    }
}
