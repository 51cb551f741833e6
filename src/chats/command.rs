//! Commands in texts, such as `/start payload` or `/help@my_bot`, and the list of commands that messenger apps show.

use std::pin::Pin;

use crate::{
    api::{
        EditMyCommands,
        types::{BotCommand, BotCommandsPatch, BotPatch, Message, Update},
    },
    client::{
        bot::Bot,
        request::{self, Request as _, call_options},
        transport::CallOptions,
    },
    error::Result,
};

/// A command and the text after the command, such as `/remind@my_bot 10 min`. Returned by
/// [`Update::command`](crate::Update::command) and [`Message::command`](crate::Message::command).
///
/// To handle a command, match on the [`name`](Self::name), or implement `TryFrom<Command>` for your own type:
///
/// ```
/// use tamtam::Command;
///
/// #[derive(Debug, PartialEq)]
/// enum Order {
///     Help,
///     Weather { city: String },
///     Remind { minutes: u32, text: String },
/// }
///
/// impl TryFrom<Command<'_>> for Order {
///     type Error = String;
///
///     fn try_from(command: Command<'_>) -> Result<Self, String> {
///         match command.name {
///             "help" | "start" => Ok(Self::Help),
///             "weather" => Ok(Self::Weather { city: command.rest.to_owned() }),
///             "remind" => {
///                 let (minutes, text) = command.split_first();
///                 let minutes = minutes
///                     .parse()
///                     .map_err(|_| "After how many minutes? /remind 10 tea".to_owned())?;
///                 Ok(Self::Remind { minutes, text: text.to_owned() })
///             }
///             other => Err(format!("I do not know /{other}")),
///         }
///     }
/// }
///
/// let order = |text| Command::parse(text).map(Order::try_from);
/// let weather = Order::Weather { city: "New York".to_owned() };
/// assert_eq!(order("/weather New York"), Some(Ok(weather)));
/// let remind = Order::Remind { minutes: 10, text: "tea".to_owned() };
/// assert_eq!(order("/remind 10 tea"), Some(Ok(remind)));
/// assert!(order("/remind me").is_some_and(|order| order.is_err()));
/// assert_eq!(order("hello"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Command<'a> {
    /// The name of the command without the slash, such as `remind`. The case of the letters is preserved.
    pub name: &'a str,
    /// The username after the `@`, such as `my_bot`. `None` if the command names no bot.
    pub bot: Option<&'a str>,
    /// The text after the command, such as `10 min`, without white space at the start and the end. Empty if no text
    /// follows the command.
    pub rest: &'a str,
}

impl<'a> Command<'a> {
    /// Returns the command at the start of a text. `None` if the text does not start with a command.
    ///
    /// A command is a slash and a name, for example `/help`. An `@` and a username can follow the name. The name and
    /// the username consist of letters, digits, `_` and `-`. The command must be followed by white space or by the end
    /// of the text. For example, `/usr/bin` is not a command, because a slash follows `/usr`. White space before the
    /// command is ignored.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim().strip_prefix('/')?;
        let (word, rest) = split_word(text);
        let (name, bot) = match word.split_once('@') {
            Some((name, bot)) => (name, Some(bot)),
            None => (word, None),
        };
        let is_name = |name: &str| {
            !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-'))
        };
        (is_name(name) && bot.is_none_or(is_name)).then_some(Self { name, bot, rest })
    }

    /// Returns whether the command is for the bot with this username. Returns `true` if the command names this bot, or
    /// if the command names no bot.
    ///
    /// `username`: The username with or without the `@`. The comparison ignores the case of ASCII letters.
    ///
    /// ```
    /// use tamtam::Command;
    ///
    /// let help = Command::parse("/help@other_bot").expect("the text starts with a command");
    /// assert!(!help.is_for("my_bot"));
    /// ```
    #[must_use]
    pub fn is_for(&self, username: &str) -> bool {
        let username = username.strip_prefix('@').unwrap_or(username);
        self.bot.is_none_or(|bot| bot.eq_ignore_ascii_case(username))
    }

    /// Splits [`rest`](Self::rest) at white space, and returns an iterator over the words.
    pub fn args(&self) -> std::str::SplitWhitespace<'a> {
        self.rest.split_whitespace()
    }

    /// Returns the first word of [`rest`](Self::rest) and the remaining text. White space between the word and the
    /// remaining text is removed.
    ///
    /// If `rest` has only one word, the second string is empty. If `rest` is empty, both strings are empty.
    #[must_use]
    pub fn split_first(&self) -> (&'a str, &'a str) {
        split_word(self.rest)
    }
}

/// Returns the first word of a text that begins with a word, and the text after the space.
fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

impl Message {
    /// Returns the command at the start of the text, such as `/help`. `None` if the text does not start with a command.
    #[must_use]
    pub fn command(&self) -> Option<Command<'_>> {
        Command::parse(self.text()?)
    }
}

impl Update {
    /// Returns the command at the start of the text of a new message ([`MessageCreated`](Self::MessageCreated)), such
    /// as `/add 2 3`. `None` if the text does not start with a command, or if the update is of another kind.
    ///
    /// The payload of a deep link is not a command: see [`start_payload`](Self::start_payload).
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # let alice = tamtam.user("Alice");
    /// # alice.starts();
    /// # alice.says("/add 2 3");
    /// let mut updates = bot.updates();
    /// while let Some(update) = updates.try_next().await? {
    ///     let (Some(command), Some(chat)) = (update.command(), update.chat_id()) else {
    ///         continue;
    ///     };
    ///     match command.name {
    ///         "add" => {
    ///             let numbers = command.args().filter_map(|word| word.parse::<i64>().ok());
    ///             let sum: i64 = numbers.sum();
    ///             bot.send(chat, sum.to_string()).await?;
    ///         }
    ///         _ => drop(bot.send(chat, "I can only /add").await?),
    ///     }
    /// #   break;
    /// }
    /// # assert_eq!(alice.reads().await.text(), "5");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn command(&self) -> Option<Command<'_>> {
        match self {
            Self::MessageCreated(update) => update.message.as_ref()?.command(),
            _ => None,
        }
    }
}

impl Bot {
    /// Sets the commands that messenger apps show to users of the bot. Returns the new list of commands.
    ///
    /// `commands`: The new commands, as [`BotCommand`] values or as pairs of name and description. The new commands
    /// replace all previous commands. A slash at the start of a name is removed.
    ///
    /// A bot can have at most 32 commands. A name has 1 to 64 characters, and a description has 1 to 128 characters.
    ///
    /// The request calls [`Api::edit_my_info`](crate::api::Api::edit_my_info) on TamTam, and
    /// [`Api::edit_my_commands`](crate::api::Api::edit_my_commands) on MAX.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// let commands = bot.set_commands([("start", "Begin"), ("help", "What I can do")]).await?;
    /// assert_eq!(commands.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_commands(&self, commands: impl IntoIterator<Item = impl Into<BotCommand>>) -> SetCommands {
        let commands = commands.into_iter().map(|command| {
            let mut command: BotCommand = command.into();
            if let Some(name) = command.name.strip_prefix('/') {
                command.name = name.to_owned();
            }
            command
        });
        SetCommands { bot: self.clone(), options: CallOptions::default(), commands: commands.collect() }
    }

    /// Removes all commands that messenger apps show to users of the bot. Returns the new list of commands, which is
    /// empty.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> tamtam::Result<()> {
    /// # let tamtam = tamtam_sandbox::Sandbox::start().await;
    /// # let bot = tamtam.bot();
    /// # bot.set_commands([("start", "Begin")]).await?;
    /// assert!(bot.remove_commands().await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn remove_commands(&self) -> SetCommands {
        self.set_commands(Vec::<BotCommand>::new())
    }
}

/// A request that sets the commands of a bot. Created by [`Bot::set_commands`] and [`Bot::remove_commands`].
#[derive(Debug, Clone)]
#[must_use = "a request does nothing until it is awaited or sent"]
pub struct SetCommands {
    bot: Bot,
    options: CallOptions,
    commands: Vec<BotCommand>,
}

impl SetCommands {
    /// Sends the request, and returns the new list of commands. `request.await` is a shorter form of
    /// `request.send().await`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Api::edit_my_info`](crate::api::Api::edit_my_info) on TamTam, or of
    /// [`Api::edit_my_commands`](crate::api::Api::edit_my_commands) on MAX.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the call is abandoned. The server may already have applied the request.
    pub async fn send(self) -> Result<Vec<BotCommand>> {
        let Self { bot, options, commands } = self;
        let commands = if bot.service().has(EditMyCommands::OPERATION.documents) {
            let request = bot.api().edit_my_commands(BotCommandsPatch::new().commands(commands));
            request::send(request, bot, options).await?.commands
        } else {
            let request = bot.api().edit_my_info(BotPatch::new().commands(commands));
            request::send(request, bot, options).await?.commands
        };
        Ok(commands.unwrap_or_default())
    }
}

call_options!(
    SetCommands,
    options,
    "`true`, because applying the request twice has the same effect as applying it once."
);

impl IntoFuture for SetCommands {
    type Output = Result<Vec<BotCommand>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// Creates a command from a pair of name and description.
impl<N: Into<String>, D: Into<String>> From<(N, D)> for BotCommand {
    fn from((name, description): (N, D)) -> Self {
        Self::new(name).description(description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(&str, Option<&str>, &str)> {
        Command::parse(text).map(|command| (command.name, command.bot, command.rest))
    }

    #[test]
    fn a_command_has_a_name_perhaps_a_bot_and_a_rest() {
        assert_eq!(parsed("/start"), Some(("start", None, "")));
        assert_eq!(parsed("/start payload"), Some(("start", None, "payload")));
        assert_eq!(parsed(" /Cmd@My_Bot  a\t b \n"), Some(("Cmd", Some("My_Bot"), "a\t b")));
        assert_eq!(parsed("/note\nbuy milk"), Some(("note", None, "buy milk")));
        assert_eq!(parsed("/помощь@bot-1 мне"), Some(("помощь", Some("bot-1"), "мне")));
        assert_eq!(parsed("/a /b @c"), Some(("a", None, "/b @c")));
    }

    #[test]
    fn other_texts_are_no_commands() {
        for text in ["", " ", "/", "/ start", "//", "//x", "/@bot", "/a@", "/a@b@c", "/usr/bin", "/a!", "start", "a /b"]
        {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn a_command_is_for_the_bot_that_it_names_or_for_all() {
        let command = |text| Command::parse(text).unwrap();
        assert!(command("/a").is_for("my_bot"));
        assert!(command("/a@My_Bot").is_for("my_bot"));
        assert!(command("/a@my_bot").is_for("@my_bot"));
        assert!(!command("/a@other").is_for("my_bot"));
        assert!(!command("/a@my_bot2").is_for("my_bot"));
    }

    #[test]
    fn the_rest_can_be_read_word_by_word() {
        let command = Command::parse("/a  one  two three ").unwrap();
        assert_eq!(command.args().collect::<Vec<_>>(), ["one", "two", "three"]);
        assert_eq!(command.split_first(), ("one", "two three"));
        assert_eq!(Command::parse("/a").unwrap().split_first(), ("", ""));
    }
}
