//! The methods of `Bot` that most bots use: create, send, reply, edit, run.

use std::future::Future;

use crate::{
    api::types::{Message, Update},
    builder::BotBuilder,
    chats::{
        messages::{edit::EditRequest, send::SendRequest, sendable::Sendable},
        target::{IntoTarget, Target},
    },
    client::bot::Bot,
    error::Result,
    id::IntoMessageId,
    service::Service,
    updates::{handler::HandlerResult, run::Run, stream::Updates},
};

impl Bot {
    /// Creates a client of [TamTam](Service::TamTam) with the default settings.
    ///
    /// This function sends no request. If the token is wrong, the first call fails
    /// ([`ErrorKind::Unauthorized`](crate::ErrorKind::Unauthorized)).
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// let bot = tamtam::Bot::new("token")?;
    /// assert_eq!(bot.service().name(), "TamTam");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`BotBuilder::build`].
    pub fn new(token: impl Into<String>) -> Result<Self> {
        Self::builder(token).build()
    }

    /// Creates a client of [MAX](Service::Max) with the default settings.
    ///
    /// This function sends no request. If the token is wrong, the first call fails
    /// ([`ErrorKind::Unauthorized`](crate::ErrorKind::Unauthorized)).
    ///
    /// The client trusts the certificate authority of MAX (the Russian Trusted Root CA) in addition to the certificate
    /// authorities of the operating system: see [`BotBuilder::trust_service`].
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// let bot = tamtam::Bot::max("token")?;
    /// assert_eq!(bot.service().name(), "MAX");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`BotBuilder::build`].
    pub fn max(token: impl Into<String>) -> Result<Self> {
        Self::builder(token).service(Service::Max).build()
    }

    /// Returns a builder, which creates a client with your own settings.
    ///
    /// The service defaults to TamTam. To create a client of MAX, call [`BotBuilder::service`] with
    /// [`Service::Max`].
    ///
    /// ```
    /// # fn main() -> tamtam::Result<()> {
    /// use std::time::Duration;
    ///
    /// use tamtam::{Bot, Service};
    ///
    /// let bot = Bot::builder("token")
    ///     .service(Service::Max)
    ///     .timeout(Duration::from_secs(10))
    ///     .build()?;
    /// # let _ = bot;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(token: impl Into<String>) -> BotBuilder {
        BotBuilder::new(token.into())
    }

    /// Sends a message to a chat or a user. The response contains the posted message.
    ///
    /// - `to`: The recipient, for example a [`ChatId`](crate::ChatId) or a [`UserId`](crate::UserId).
    /// - `message`: A text, or another [`Sendable`] value.
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
    /// let sent = bot.send(alice.chat_id(), "Hello!").await?.message;
    ///
    /// let keyboard = Keyboard::column(Button::callback("Fine", "fine"));
    /// bot.send(alice.chat_id(), "How are you?").keyboard(keyboard).reply_to(&sent).await?;
    /// # assert_eq!(alice.sees(), ["Hello!", "How are you?"]);
    /// # alice.presses("Fine");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// If `message` is an upload, such as the result of [`upload_photo`](Self::upload_photo), the bot first uploads the
    /// file. The message is posted when the server has processed the file.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`SendRequest::send`].
    #[doc(alias = "send_message")]
    #[doc(alias = "send_photo")]
    pub fn send(&self, to: impl IntoTarget, message: impl Sendable) -> SendRequest {
        SendRequest::new(self, Some(to.into()), message.into_message())
    }

    /// Sends `message` as a reply to the message `to`, in the same chat. If `to` [has no id](Message::mid), the bot
    /// sends an ordinary message instead of a reply.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.says("How are you?");
    /// let mut updates = bot.updates();
    /// while let Some(update) = updates.try_next().await? {
    ///     if let Some(message) = update.message() {
    ///         bot.reply(message, "Fine, thank you").await?;
    /// #       break;
    ///     }
    /// }
    /// # assert_eq!(alice.reads().await.text(), "Fine, thank you");
    /// # Ok(())
    /// # }
    /// ```
    pub fn reply(&self, to: &Message, message: impl Sendable) -> SendRequest {
        let target = match (to.recipient.chat_id, &to.sender) {
            (Some(chat), _) => Some(Target::Chat(chat)),
            (None, Some(sender)) => Some(Target::User(sender.user_id)),
            // Without chat and sender, the check before sending fails.
            (None, None) => None,
        };
        let request = SendRequest::new(self, target, message.into_message());
        match to.mid() {
            Some(mid) => request.reply_to(mid),
            None => request,
        }
    }

    /// Edits a message of the bot.
    ///
    /// - `message`: The id of the message, the message itself, or the result of [`send`](Self::send).
    /// - `new`: The new content. If `new` has no text, the message keeps its text. If `new` has no attachments, the
    ///   message keeps its attachments.
    ///
    /// If `new` has attachments, they replace all attachments of the message. A keyboard is also an attachment. So if
    /// the only attachment of `new` is a keyboard, the edit removes the photos of the message.
    ///
    /// To remove all attachments, use [`no_attachments`](EditRequest::no_attachments).
    ///
    /// In a dialog on MAX, a message without a keyboard can be edited for 7 days after it was sent. On MAX,
    /// all other messages of the bot can be edited at any time.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// let sent = bot.send(alice.chat_id(), "Helo!").await?;
    /// bot.edit(&sent, "Hello!").await?;
    /// # assert_eq!(alice.sees(), ["Hello!"]);
    ///
    /// // Replaces all attachments with a picture:
    /// bot.edit(&sent, bot.upload_photo(b"a picture")).await?;
    /// # assert_eq!(alice.reads().await.attachments().len(), 0);
    /// # assert_eq!(alice.reads().await.text(), "Hello!");
    /// # assert_eq!(alice.reads().await.attachments().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "edit_message")]
    pub fn edit(&self, message: impl IntoMessageId, new: impl Sendable) -> EditRequest {
        EditRequest::new(self, message.into(), new.into_message())
    }

    /// Runs the bot: receives updates by long polling, and calls `handler` with each update. Await the returned [`Run`]
    /// to start the bot.
    ///
    /// In long polling, the server delays its response to a request for updates until an update arrives, by default for
    /// at most 30 s.
    ///
    /// Updates of one chat are handled in order. Updates of different chats are handled concurrently. [`Run`] describes
    /// the guarantees and the settings.
    ///
    /// To change the settings of polling, set them on the result of [`updates`](Self::updates), and then call
    /// [`Updates::run`].
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # let shutdown = async move { alice.reads().await };
    /// bot.run(async |bot, update| match update {
    ///     tamtam::Update::BotStarted(started) => {
    ///         bot.send(started.chat_id, "Hello!").await.map(drop)
    ///     }
    ///     _ => Ok(()),
    /// })
    /// // `shutdown` is a future such as `tamtam::shutdown_signal()`.
    /// .graceful_shutdown_on(shutdown)
    /// .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "start_polling")]
    pub fn run<H, F>(&self, handler: H) -> Run
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        self.updates().run(handler)
    }

    /// Returns a stream of the updates of the bot, received by long polling. The stream returns the updates in
    /// order. It returns each update at least once, unless MAX skips the update when the stream starts: see
    /// [`Updates`].
    ///
    /// Create the stream once, before your loop. A stream commits an update (confirms the update to the server) only
    /// when you request a later update. The server delivers uncommitted updates again to the next stream. So
    /// `loop { bot.updates().next().await }` receives the same update in each iteration.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # tamtam.user("Alice").says("hi");
    /// let mut updates = bot.updates();
    /// while let Some(update) = updates.try_next().await? {
    ///     println!("{update:?}");
    /// #   if update.text().is_some() { break }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "get_updates")]
    pub fn updates(&self) -> Updates {
        Updates::new(self.clone())
    }

    /// Runs the bot like [`run`](Self::run), and passes a clone of `state` to each call of the handler. Put large
    /// values into an [`Arc`](std::sync::Arc), because `state` is cloned for each update.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.says("hi");
    /// # let shutdown = async move { alice.reads().await };
    /// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
    ///
    /// use tamtam::{Bot, Update};
    ///
    /// async fn count(bot: Bot, update: Update, seen: Arc<AtomicU32>) -> tamtam::Result<()> {
    ///     if let Some(message) = update.message() {
    ///         let number = seen.fetch_add(1, Ordering::Relaxed) + 1;
    ///         bot.reply(message, format!("Message {number}")).await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// bot.run_with(Arc::new(AtomicU32::new(0)), count).graceful_shutdown_on(shutdown).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "fsm")]
    #[doc(alias = "dependency_injection")]
    pub fn run_with<S, H, F>(&self, state: S, handler: H) -> Run
    where
        S: Clone + Send + Sync + 'static,
        H: Fn(Bot, Update, S) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        self.updates().run_with(state, handler)
    }

    /// Creates a client from environment variables. `MAX_TOKEN` contains the token of a bot of MAX, and `TAMTAM_TOKEN`
    /// contains the token of a bot of TamTam. Set exactly one of these two variables.
    /// [`BotBuilder::from_env`] describes all variables.
    ///
    /// ```no_run
    /// # fn main() -> tamtam::Result<()> {
    /// // Reads `MAX_TOKEN` or `TAMTAM_TOKEN`.
    /// let bot = tamtam::Bot::from_env()?;
    /// # let _ = bot;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`BotBuilder::from_env`] and [`BotBuilder::build`].
    pub fn from_env() -> Result<Self> {
        BotBuilder::from_env()?.build()
    }
}
