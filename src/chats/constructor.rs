//! Constructors: a person composes a message step by step, with the help of the bot.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    accessors::non_empty::non_empty,
    api::{
        Construct,
        types::{
            CallbackConstructorInput, ConstructedMessage, ConstructedMessageBody, ConstructorAnswer, ConstructorInput,
            Keyboard, MessageConstructionRequest,
        },
    },
    client::bot::Bot,
    compose::json_field,
    error::Result,
    id::SessionId,
};

impl MessageConstructionRequest {
    /// Returns the state of the constructor session, deserialized from JSON as `T`. The bot sets the state with
    /// [`Construct::data`]. Returns `None` if the session has just started, or if the last answer set no state.
    ///
    /// # Errors
    ///
    /// Returns an error if the state cannot be deserialized into `T`
    /// ([`ErrorKind::Payload`](crate::ErrorKind::Payload)), for example because an older version of the bot set the
    /// state.
    pub fn data_as<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        json_field::read(self.data.as_deref().filter(|data| !data.is_empty()), "data")
    }
}

/// Returns the id of the constructor session.
impl From<&MessageConstructionRequest> for SessionId {
    fn from(request: &MessageConstructionRequest) -> Self {
        request.session_id.clone()
    }
}

impl ConstructorInput {
    /// Returns the messages that the user typed. Empty if the user has just opened the constructor or pressed a button.
    #[must_use]
    pub fn messages(&self) -> &[ConstructedMessageBody] {
        match self {
            Self::Message(input) => input.messages.as_deref().unwrap_or_default(),
            _ => &[],
        }
    }

    /// Returns the text of the first typed message that has a text. `None` if no message has a text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.messages().iter().find_map(|message| non_empty(message.text.as_deref()))
    }

    /// Returns the payload of the pressed button, unchanged. `None` if the user pressed no button.
    ///
    /// To read a value that was passed to [`Button::callback_with`](crate::Button::callback_with), use
    /// [`CallbackConstructorInput::payload_as`].
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        match self {
            Self::Callback(input) => Some(&input.payload),
            _ => None,
        }
    }
}

impl CallbackConstructorInput {
    /// Deserializes the payload of the pressed button. `T` is the type of the value that was passed to
    /// [`Button::callback_with`](crate::Button::callback_with).
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Callback::payload_as`](crate::Callback::payload_as).
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T> {
        json_field::read(Some(&self.payload), "payload")
    }
}

impl ConstructedMessage {
    /// Returns the text of the posted message. `None` if the message has no text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        non_empty(self.body.text.as_deref())
    }
}

impl Bot {
    /// Sets the content that a message constructor shows. TamTam only.
    ///
    /// In a message constructor, a user composes a message with the help of the bot, and then posts it under their own
    /// name. When the user opens the constructor, types a text or presses a button, the bot receives the update
    /// [`MessageConstructionRequest`].
    ///
    /// Answer each of these updates with this method. An answer replaces the content and the state of the previous
    /// answer. The state is a value that you set with [`Construct::data`]. The next
    /// `MessageConstructionRequest` contains this state.
    ///
    /// `session`: The `MessageConstructionRequest`, or its [`session_id`](MessageConstructionRequest::session_id).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # let card = alice.opens_constructor();
    /// # card.types("Bob");
    /// use tamtam::Update;
    ///
    /// let mut updates = bot.updates();
    /// while let Some(update) = updates.try_next().await? {
    ///     let Update::MessageConstructionRequest(request) = update else { continue };
    ///     let answer = bot.construct(&request).allow_user_input(true);
    ///     match request.input.text() {
    ///         None => answer.hint("Whom do you congratulate?").placeholder("A name").await?,
    ///         Some(name) => answer.message(format!("Happy birthday, {name}!")).await?,
    ///     }
    /// #   if request.input.text().is_some() { break }
    /// }
    /// # assert_eq!(card.reads().await.hint(), Some("Whom do you congratulate?"));
    /// # assert_eq!(card.reads().await.texts(), ["Happy birthday, Bob!"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Api::construct`](crate::api::Api::construct).
    pub fn construct(&self, session: impl Into<SessionId>) -> Construct {
        self.api().construct(session, ConstructorAnswer::new())
    }
}

/// To start with an empty answer, create this request with [`Bot::construct`]. These methods set the parts of the
/// answer. All parts except `allow_user_input` are optional.
impl Construct {
    /// Adds a message that the user can post under their own name.
    pub fn message(mut self, message: impl Into<ConstructedMessageBody>) -> Self {
        self.body.messages.get_or_insert_default().push(message.into());
        self
    }

    /// Sets the text above the keyboard.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.body = self.body.hint(hint);
        self
    }

    /// Sets the text that the input field shows while the field is empty.
    pub fn placeholder(mut self, placeholder: impl Into<String>) -> Self {
        self.body = self.body.placeholder(placeholder);
        self
    }

    /// Sets the buttons that the constructor shows to the user. If the user presses a callback button, the next
    /// [`MessageConstructionRequest`] contains the payload of this button. A keyboard without buttons is not sent.
    pub fn keyboard(mut self, keyboard: impl Into<Keyboard>) -> Self {
        let keyboard = keyboard.into();
        if keyboard.iter().next().is_some() {
            self.body = self.body.keyboard(keyboard);
        }
        self
    }

    /// Sets whether the user can type text. With `false`, the user can only press buttons. Set this value in every
    /// answer, because the documentation of the API states no default.
    pub fn allow_user_input(mut self, allow: bool) -> Self {
        self.body = self.body.allow_user_input(allow);
        self
    }

    /// Sets the state of the session. The state is sent as JSON and can have at most 8192 bytes. To read the state from
    /// the next [`MessageConstructionRequest`], call [`MessageConstructionRequest::data_as`].
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # let card = alice.opens_constructor();
    /// use tamtam::Update;
    ///
    /// # let mut updates = bot.updates();
    /// while let Some(update) = updates.try_next().await? {
    ///     let Update::MessageConstructionRequest(request) = update else { continue };
    ///     let mut list: Vec<String> = request.data_as()?.unwrap_or_default();
    ///     list.extend(request.input.text().map(str::to_owned));
    ///     bot.construct(&request)
    ///         .message(list.join("\n") + "\n(to buy)")
    ///         .data(&list)?
    ///         .allow_user_input(true)
    ///         .await?;
    /// #   match list.len() { 0 => card.types("Milk"), 1 => card.types("Bread"), _ => break }
    /// }
    /// # card.posts();
    /// # assert_eq!(alice.sees(), ["Milk\nBread\n(to buy)"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error of the kind [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) in these cases:
    ///
    /// - If the state cannot be serialized as JSON.
    /// - If the JSON has more than 8192 bytes.
    pub fn data(mut self, state: &impl Serialize) -> Result<Self> {
        self.body = self.body.data(json_field::write(state, "data", json_field::DATA_BYTES)?);
        Ok(self)
    }
}
