//! The bot: a cheap clone that everything is reached from.

use std::{env::VarError, fmt, sync::Arc};

use http::Method;
use reqwest::Url;

use crate::{
    BotBuilder, ChatId, Error, HandlerResult, Message, RawRequest, Result, Run, Sendable, Update, Updates, UserId,
    api::{Api, GetMyInfo},
    check::{self, Invalid, Place},
    id::MessageId,
    secret::HiddenUrl,
    transport::Transport,
    types::{MessageLinkType, NewMessageLink},
};

/// The environment variable with the token.
const TOKEN_VARIABLE: &str = "TAMTAM_TOKEN";
/// The environment variable with the base URL, if it is not TamTam's.
const BASE_URL_VARIABLE: &str = "TAMTAM_BASE_URL";

/// A bot: token, API and HTTP connections. Cloning it is cheap, and clones share all of that.
///
/// What everyone does has a short verb here; every operation of the API is under [`api`](Self::api).
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> tamtam::Result<()> {
/// # let tamtam = tamtam_sandbox::Sandbox::start().await;
/// # let bot = tamtam.bot();
/// # let alice = tamtam.user("Alice");
/// # alice.starts();
/// println!("I am {}", bot.me().await?.name);
/// bot.send(alice.user_id(), "Hello!").await?;
/// # assert_eq!(alice.reads().await.text(), "Hello!");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Bot {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Arc<Transport>,
    base_url: Url,
    /// The base URL without a slash at its end, as the generated client wants it.
    base_url_text: String,
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot")
            .field("base_url", &HiddenUrl(&self.shared.base_url_text))
            .field("version", &self.version())
            .finish_non_exhaustive()
    }
}

impl Bot {
    /// A bot with the default settings, on the real API.
    ///
    /// # Errors
    ///
    /// As [`BotBuilder::build`].
    pub fn new(token: impl Into<String>) -> Result<Self> {
        Self::builder(token).build()
    }

    /// Settings for a bot.
    pub fn builder(token: impl Into<String>) -> BotBuilder {
        BotBuilder::new(token.into())
    }

    /// A bot with the token in `TAMTAM_TOKEN`, and, if it is set, the base URL in `TAMTAM_BASE_URL`.
    ///
    /// # Errors
    ///
    /// When `TAMTAM_TOKEN` is not set, or as [`BotBuilder::build`].
    pub fn from_env() -> Result<Self> {
        let token = std::env::var(TOKEN_VARIABLE)
            .map_err(|_| Error::build(format!("{TOKEN_VARIABLE} is not set: put the bot's token into it")))?;
        let mut builder = Self::builder(token);
        match std::env::var(BASE_URL_VARIABLE) {
            Ok(url) => builder = builder.base_url(url),
            Err(VarError::NotPresent) => {}
            Err(VarError::NotUnicode(_)) => return Err(Error::build(format!("{BASE_URL_VARIABLE} is not UTF-8"))),
        }
        builder.build()
    }

    pub(crate) fn new_with_transport(transport: Arc<Transport>, base_url: Url) -> Self {
        let base_url_text = base_url.as_str().trim_end_matches('/').to_owned();
        Self { shared: Arc::new(Shared { transport, base_url, base_url_text }) }
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.shared.transport
    }

    pub(crate) fn base_url(&self) -> &Url {
        &self.shared.base_url
    }

    pub(crate) fn base_url_text(&self) -> &str {
        &self.shared.base_url_text
    }

    /// The URL of a path of this API, or why there is none.
    pub(crate) fn join(&self, path: &str) -> Result<Url, Invalid> {
        check::path(path)?;
        Url::parse(&format!("{}{path}", self.base_url_text()))
            .map_err(|error| Invalid::new(&Place::root("path"), format!("`{path}` makes no URL: {error}")))
    }

    /// The version of the API that this bot asks for (`v`).
    #[must_use]
    pub fn version(&self) -> &str {
        &self.transport().version
    }

    /// Every operation of the API, typed.
    #[must_use]
    pub fn api(&self) -> Api {
        Api { bot: self.clone() }
    }

    /// Any request at all, for what the document does not have yet. The path is that of the API: `/chats`.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// let chats = bot.request(tamtam::http::Method::GET, "/chats").query("count", 5).await?;
    /// assert!(chats["chats"].is_array());
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(&self, method: Method, path: impl Into<String>) -> RawRequest {
        RawRequest::new(self.clone(), method, path.into())
    }

    /// Who the bot is: its id, name, and what people see of it.
    pub fn me(&self) -> GetMyInfo {
        self.api().get_my_info()
    }

    /// Sends a message to a chat or a user. The answer has the message as it was posted.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// let sent = bot.send(alice.chat_id(), "Hello!").await?.message;
    /// # assert_eq!(alice.sees(), ["Hello!"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// What [`upload_photo`](Self::upload_photo) and its like make is a message as well: it is uploaded, and sent when
    /// TamTam has processed it.
    pub fn send<M: Sendable>(&self, to: impl Into<Target>, message: M) -> M::Request {
        message.request(self, Some(to.into()), None)
    }

    /// Answers a message in its own chat, as a reply to it.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.says("How are you?");
    /// # let mut updates = bot.updates();
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
    pub fn reply<M: Sendable>(&self, to: &Message, message: M) -> M::Request {
        let link = to.mid().map(|mid| NewMessageLink::new(MessageLinkType::Reply, mid));
        let target = match (to.recipient.chat_id, &to.sender) {
            (Some(chat), _) => Some(Target::Chat(chat)),
            (None, Some(sender)) => Some(Target::User(sender.user_id)),
            // Neither is known: the check before sending says so.
            (None, None) => None,
        };
        message.request(self, target, link)
    }

    /// Changes a message of the bot's, given by its id, by itself, or by what [`send`](Self::send) answered.
    ///
    /// What is not given stays: a new text keeps the attachments. Those that are given take the place of all that the
    /// message has, so that a new keyboard alone takes a photo away;
    /// [`no_attachments`](crate::NewMessageBody::no_attachments) removes them all, the keyboard included.
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
    /// // A picture instead of whatever was attached:
    /// bot.edit(&sent, bot.upload_photo(b"a picture")).await?;
    /// # assert_eq!(alice.reads().await.attachments().len(), 0);
    /// # assert_eq!(alice.reads().await.text(), "Hello!");
    /// # assert_eq!(alice.reads().await.attachments().len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn edit<M: Sendable>(&self, message: impl Into<MessageId>, new: M) -> M::Edit {
        new.edit(self, message.into())
    }

    /// The updates of the bot by long polling, each at least once and in order.
    ///
    /// See [`Updates`] for what is promised.
    pub fn updates(&self) -> Updates {
        Updates::new(self.clone())
    }

    /// Runs the bot: handles every update by an async function, concurrently between chats and in order within a chat.
    /// [`Run`] says what is promised, and has the settings; those of polling are on [`Updates`], which can be
    /// [run](Updates::run), too.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # let ctrl_c = async move { alice.reads().await };
    /// bot.run(async |bot, update| match update {
    ///     tamtam::Update::BotStarted(started) => bot.send(started.chat_id, "Hello!").await.map(drop),
    ///     _ => Ok(()),
    /// })
    /// .graceful_shutdown_on(ctrl_c)
    /// .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn run<H, F>(&self, handler: H) -> Run
    where
        H: Fn(Bot, Update) -> F + Send + Sync + 'static,
        F: Future<Output: HandlerResult> + Send + 'static,
    {
        self.updates().run(handler)
    }
}

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// A dialog, group or channel.
    Chat(ChatId),
    /// The dialog with a user, who must have started the bot.
    User(UserId),
}

impl From<ChatId> for Target {
    fn from(chat: ChatId) -> Self {
        Self::Chat(chat)
    }
}

impl From<UserId> for Target {
    fn from(user: UserId) -> Self {
        Self::User(user)
    }
}
