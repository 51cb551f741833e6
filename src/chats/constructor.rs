//! Constructors: a person composes a message with the bot's help, step by step.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    accessors::text::non_empty,
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
    /// The state that the last answer left by [`Construct::data`]; `None` at the start of a session, and after an answer
    /// without.
    ///
    /// # Errors
    ///
    /// When the state is no JSON of that type ([`Payload`](crate::ErrorKind::Payload)), such as that of an older
    /// version of the bot.
    pub fn data_as<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        json_field::read(self.data.as_deref().filter(|data| !data.is_empty()), "data")
    }
}

impl From<&MessageConstructionRequest> for SessionId {
    fn from(request: &MessageConstructionRequest) -> Self {
        request.session_id.clone()
    }
}

impl ConstructorInput {
    /// What the person typed; empty when the constructor was just opened, and when a button was pressed.
    #[must_use]
    pub fn messages(&self) -> &[ConstructedMessageBody] {
        match self {
            Self::Message(input) => input.messages.as_deref().unwrap_or_default(),
            _ => &[],
        }
    }

    /// The text that the person typed: that of the first message which has one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.messages().iter().find_map(|message| non_empty(message.text.as_deref()))
    }

    /// The payload of the button that was pressed, as it is; [`CallbackConstructorInput::payload_as`] reads what
    /// [`Button::callback_with`](crate::Button::callback_with) wrote.
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        match self {
            Self::Callback(input) => Some(&input.payload),
            _ => None,
        }
    }
}

impl CallbackConstructorInput {
    /// The payload as the value that [`Button::callback_with`](crate::Button::callback_with) was given.
    ///
    /// # Errors
    ///
    /// As [`Callback::payload_as`](crate::Callback::payload_as).
    pub fn payload_as<T: DeserializeOwned>(&self) -> Result<T> {
        json_field::read(Some(&self.payload), "payload")
    }
}

impl ConstructedMessage {
    /// The text, if it has any.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        non_empty(self.body.text.as_deref())
    }
}

impl Bot {
    /// Answers a constructor: says what it shows next. Whatever it showed before is gone, the state included.
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
    /// # let mut updates = bot.updates();
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
    /// As [`Api::construct`](crate::api::Api::construct).
    pub fn construct(&self, session: impl Into<SessionId>) -> Construct {
        self.api().construct(session, ConstructorAnswer::new())
    }
}

/// What the constructor shows: all of it optional.
impl Construct {
    /// Adds a message that is ready to be posted in the person's name, once the person decides to.
    pub fn message(mut self, message: impl Into<ConstructedMessageBody>) -> Self {
        self.body.messages.get_or_insert_default().push(message.into());
        self
    }

    /// Text above the keyboard.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.body = self.body.hint(hint);
        self
    }

    /// Text in the input field while it is empty.
    pub fn placeholder(mut self, placeholder: impl Into<String>) -> Self {
        self.body = self.body.placeholder(placeholder);
        self
    }

    /// Buttons, of which the bot hears by the input of its next request. A keyboard without buttons is none.
    pub fn keyboard(mut self, keyboard: impl Into<Keyboard>) -> Self {
        let keyboard = keyboard.into();
        if keyboard.iter().next().is_some() {
            self.body = self.body.keyboard(keyboard);
        }
        self
    }

    /// Whether the person may type. The default is not documented, so say it either way.
    pub fn allow_user_input(mut self, allow: bool) -> Self {
        self.body = self.body.allow_user_input(allow);
        self
    }

    /// State of the session, which the next request has again: a value of the bot's own as JSON of at most 8192 bytes,
    /// which [`MessageConstructionRequest::data_as`] reads.
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
    ///     bot.construct(&request).message(list.join("\n") + "\n(to buy)").data(&list)?.allow_user_input(true).await?;
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
    /// When the value makes more JSON than that, or cannot be written as JSON.
    pub fn data(mut self, state: &impl Serialize) -> Result<Self> {
        self.body = self.body.data(json_field::write(state, "data", json_field::DATA_BYTES)?);
        Ok(self)
    }
}
