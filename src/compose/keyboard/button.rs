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

/// Functions that create buttons. The created buttons have methods that set optional properties:
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
/// The label of a button must have 1-128 characters. If the label is empty, or if a property exceeds its limit, sending
/// the message fails with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest).
///
/// If the [`Service`](crate::Service) of the bot does not support a button, sending the message fails with
/// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported). Only TamTam supports [`chat`](Self::chat) buttons. Only
/// MAX supports these buttons:
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
    /// Creates a button that sends its payload to the bot when a user presses the button. If the button is below a
    /// message, the bot receives an [`Update::MessageCallback`](crate::Update::MessageCallback).
    ///
    /// - `text`: The label of the button.
    /// - `payload`: The text that the bot receives, at most 1024 characters. Users do not see this text.
    #[must_use]
    pub fn callback(text: impl Into<String>, payload: impl Into<String>) -> CallbackButton {
        CallbackButton::new(text, payload)
    }

    /// Creates a button that sends a value to the bot when a user presses the button. To read the value, call
    /// [`Callback::payload_as`](crate::Callback::payload_as).
    ///
    /// - `text`: The label of the button.
    /// - `value`: The value to send, at most 1024 bytes of JSON.
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
    /// let mut updates = bot.updates();
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
    /// Returns an error of the kind [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) in these cases:
    ///
    /// - If the value cannot be serialized as JSON.
    /// - If the JSON has more than 1024 bytes.
    pub fn callback_with(text: impl Into<String>, value: &impl Serialize) -> Result<CallbackButton> {
        Ok(CallbackButton::new(text, json_field::write(value, "payload", json_field::CALLBACK_BYTES)?))
    }

    /// Creates a button that opens a link. The bot receives no update when a user presses the button.
    ///
    /// - `text`: The label of the button.
    /// - `url`: An absolute URL of at most 2048 characters, such as `https://example.org` or `tel:+15550100`. If the
    ///   URL is invalid, sending the message fails with
    ///   [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest).
    #[must_use]
    pub fn link(text: impl Into<String>, url: impl Into<String>) -> LinkButton {
        LinkButton::new(text, url)
    }

    /// Creates a button that asks the user to send their contact card. If the user agrees, the bot receives a message
    /// with the card as an attachment.
    ///
    /// `text`: The label of the button.
    #[must_use]
    pub fn contact(text: impl Into<String>) -> RequestContactButton {
        RequestContactButton::new(text)
    }

    /// Creates a button that asks the user to send their location.
    ///
    /// `text`: The label of the button.
    ///
    /// By default, the messenger app asks the user for confirmation. If
    /// [`quick(true)`](RequestGeoLocationButton::quick) is set, the app sends the location immediately. The bot
    /// receives a message with the location as an attachment.
    #[must_use]
    pub fn location(text: impl Into<String>) -> RequestGeoLocationButton {
        RequestGeoLocationButton::new(text)
    }

    /// Creates a button that creates a chat about the message that contains the button. The first press creates the
    /// chat, and later presses open the chat. TamTam only.
    ///
    /// - `text`: The label of the button.
    /// - `title`: The title of the created chat, at most 200 characters.
    #[must_use]
    pub fn chat(text: impl Into<String>, title: impl Into<String>) -> ChatButton {
        ChatButton::new(text, title)
    }

    /// Creates a button that posts its label as a message of the user who presses the button. MAX only.
    ///
    /// `text`: The label of the button.
    ///
    /// The bot receives the message as an [`Update::MessageCreated`](crate::Update::MessageCreated).
    ///
    /// ```
    /// let button = tamtam::Button::message("What is new?");
    /// assert_eq!(button.text, "What is new?");
    /// ```
    #[must_use]
    pub fn message(text: impl Into<String>) -> MessageButton {
        MessageButton::new(text)
    }

    /// Creates a button that opens a Mini App. MAX only. The bot that sent the button receives no update when a
    /// user presses the button.
    ///
    /// - `text`: The label of the button.
    /// - `bot`: The username of the bot that has the Mini App, or a link to this bot.
    ///
    /// Optional properties of the created button:
    ///
    /// - [`payload`](OpenAppButton::payload): The text that the Mini App receives as `start_param`, at most 512
    ///   characters. Allowed characters are ASCII letters, digits, `_` and `-`.
    /// - [`contact_id`](OpenAppButton::contact_id): The user id of the bot that has the Mini App. Usually, `bot` is
    ///   enough to identify this bot.
    ///
    /// ```
    /// use tamtam::Button;
    ///
    /// let button = Button::open_app("Open the shop", "my_bot").payload("order-7");
    /// assert_eq!(button.web_app, "my_bot");
    /// assert_eq!(button.payload.as_deref(), Some("order-7"));
    /// ```
    #[must_use]
    pub fn open_app(text: impl Into<String>, bot: impl Into<String>) -> OpenAppButton {
        OpenAppButton::new(text, bot)
    }

    /// Creates a button that copies its payload (a text) to the clipboard of the user who presses the button. MAX only.
    /// The bot receives no update when a user presses the button.
    ///
    /// - `text`: The label of the button.
    /// - `payload`: The text to copy, at most 1024 characters.
    ///
    /// ```
    /// let button = tamtam::Button::clipboard("Copy the code", "4711");
    /// assert_eq!(button.payload, "4711");
    /// ```
    #[must_use]
    pub fn clipboard(text: impl Into<String>, payload: impl Into<String>) -> ClipboardButton {
        ClipboardButton::new(text, payload)
    }

    /// Returns the payload that a callback button sends to the bot. `None` for all other kinds, including
    /// [`OpenApp`](Self::OpenApp) and [`Clipboard`](Self::Clipboard), whose payloads are not sent to the bot.
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        match self {
            Self::Callback(button) => Some(&button.payload),
            _ => None,
        }
    }
}

impl CallbackButton {
    /// Marks the button as a positive choice, such as "Agree" or "Continue". Sets `intent` to [`Intent::Positive`].
    ///
    /// TamTam only. Requests to MAX do not contain the `intent` of a button.
    #[must_use]
    pub fn positive(self) -> Self {
        self.intent(Intent::Positive)
    }

    /// Marks the button as a negative choice, such as "Cancel" or "Delete". Sets `intent` to [`Intent::Negative`].
    ///
    /// TamTam only. Requests to MAX do not contain the `intent` of a button.
    #[must_use]
    pub fn negative(self) -> Self {
        self.intent(Intent::Negative)
    }
}
