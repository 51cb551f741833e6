//! A bot with commands. A pattern for bots that grow: one `match` on the update, small functions, shared state, and
//! error replies to people.
//!
//! `cargo run --example commands` runs it on the sandbox: Alice and Bob try the commands in dialogs and in a group. The
//! conversation is printed as it happens. With a token in `MAX_TOKEN`, the same bot runs on MAX until
//! Ctrl-C.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tamtam::{
    Bot, ChatId, Command, Error, Message, Update, User, UserId, link::DeepLink, text::Text, types::BotStartedUpdate,
};
use tamtam_sandbox::Sandbox;

#[tokio::main]
async fn main() -> tamtam::Result<()> {
    // Logs failures and retries.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| std::env::var_os(name).is_none()) {
        return rehearse().await;
    }
    run(Bot::from_env()?, tamtam::shutdown_signal()).await
}

/// The commands with their descriptions, as clients show them.
const COMMANDS: [(&str, &str); 6] = [
    ("start", "Say hello"),
    ("help", "What I can do"),
    ("invite", "A link for your friends"),
    ("rules", "The full rules"),
    ("title", "Change the title of this chat (administrators)"),
    ("pin", "Pin the message you reply to (administrators)"),
];

/// A parsed command with its arguments.
#[derive(Debug)]
enum Order<'a> {
    Start { payload: &'a str },
    Help,
    Invite,
    Rules,
    Title(&'a str),
    Pin,
}

impl<'a> TryFrom<Command<'a>> for Order<'a> {
    type Error = Failure;

    fn try_from(command: Command<'a>) -> Result<Self, Failure> {
        Ok(match command.name {
            "start" => Self::Start { payload: command.rest },
            "help" => Self::Help,
            "invite" => Self::Invite,
            "rules" => Self::Rules,
            "title" if command.rest.is_empty() => return Err(Failure::told("Add a title: /title Our team")),
            "title" => Self::Title(command.rest),
            "pin" => Self::Pin,
            _ => return Err(Failure::UnknownCommand),
        })
    }
}

/// The reason why a command failed.
enum Failure {
    /// The command does not exist.
    UnknownCommand,
    /// The person can fix the problem. The text is sent as a reply.
    Told(String),
    /// An API call failed. The error is logged.
    Call(Error),
}

impl Failure {
    fn told(words: impl Into<String>) -> Self {
        Self::Told(words.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

/// The state that handlers share: for example settings, counters, or a database.
struct App {
    /// The bot's own username.
    username: String,
    /// The guests of each inviter. Lost at a restart: keep such data in a database.
    invited: Mutex<HashMap<UserId, HashSet<UserId>>>,
}

impl App {
    /// Adds a guest to an inviter. Returns the number of guests of the inviter.
    fn note_invited(&self, by: UserId, guest: UserId) -> usize {
        let mut invited = self.invited.lock().unwrap_or_else(PoisonError::into_inner);
        let guests = invited.entry(by).or_default();
        guests.insert(guest);
        guests.len()
    }
}

/// Runs the bot.
async fn run(bot: Bot, end: impl Future + Send + 'static) -> tamtam::Result<()> {
    bot.set_commands(COMMANDS).await?;
    let me = bot.me().await?;
    let app = Arc::new(App { username: me.username.unwrap_or_default(), invited: Mutex::default() });
    bot.run_with(app, on_update).graceful_shutdown_on(end).await
}

/// Dispatches each update to its function.
async fn on_update(bot: Bot, update: Update, app: Arc<App>) -> tamtam::Result<()> {
    match update {
        Update::BotStarted(started) => on_start(&bot, &started, &app).await,
        Update::BotAdded(added) => bot.send(added.chat_id, "Hello, everyone! Try /help").await.map(drop),
        Update::MessageCreated(created) => match created.message {
            Some(message) => on_message(&bot, &message, &app).await,
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Greets a person who pressed "Start". If a deep link brought a payload, thanks the inviter.
async fn on_start(bot: &Bot, started: &BotStartedUpdate, app: &App) -> tamtam::Result<()> {
    bot.send(started.chat_id, hello(&started.user)).await?;
    match started.payload.as_deref() {
        Some(payload) => thank(bot, payload, &started.user, app).await,
        None => Ok(()),
    }
}

/// Runs a command. Replies to the sender if the command fails and the sender can fix it.
async fn on_message(bot: &Bot, message: &Message, app: &App) -> tamtam::Result<()> {
    // In a group with several bots, people write "/help@other_bot". `is_for` also accepts a bare "/help". To require
    // the username of this bot, check `command.bot`.
    let Some(command) = message.command().filter(|command| command.is_for(&app.username)) else { return Ok(()) };
    match carry_out(bot, message, command, app).await {
        Ok(()) => Ok(()),
        Err(Failure::Told(words)) => bot.reply(message, words).await.map(drop),
        Err(Failure::UnknownCommand) if message.is_dialog() => {
            bot.reply(message, "Unknown command. Try /help").await.map(drop)
        }
        // In a group, the command may be for another bot.
        Err(Failure::UnknownCommand) => Ok(()),
        // The SDK logs the error and goes on with the next update.
        Err(Failure::Call(error)) => Err(error),
    }
}

async fn carry_out(bot: &Bot, message: &Message, command: Command<'_>, app: &App) -> Result<(), Failure> {
    // A post in a channel has no sender. Channels need no commands.
    let (Some(chat), Some(user)) = (message.chat_id(), &message.sender) else { return Ok(()) };
    match Order::try_from(command)? {
        Order::Start { payload } => {
            bot.reply(message, hello(user)).await?;
            if !payload.is_empty() {
                thank(bot, payload, user, app).await?;
            }
        }
        Order::Help => {
            bot.reply(message, help()).await?;
        }
        Order::Invite => {
            let link = DeepLink::new(&app.username, user.user_id.to_string())?;
            bot.reply(message, format!("I count the people who start me with this link: {link}")).await?;
        }
        Order::Rules => {
            // People see the bot typing until this arm ends.
            let _typing = bot.typing(chat);
            bot.send_long(chat, rules()).reply_to(message).await?;
        }
        Order::Title(title) => {
            check_admin(bot, message, chat, user.user_id).await?;
            bot.rename(chat, title).await?;
        }
        Order::Pin => {
            check_admin(bot, message, chat, user.user_id).await?;
            let replied = message.link().filter(|link| link.is_reply());
            let replied = replied.ok_or_else(|| Failure::told("Reply with /pin to the message to pin"))?;
            bot.pin(chat, &replied.message.mid).notify(false).await?;
        }
    }
    Ok(())
}

/// Fails unless the user is an administrator of the group.
async fn check_admin(bot: &Bot, message: &Message, chat: ChatId, user: UserId) -> Result<(), Failure> {
    if message.is_dialog() {
        return Err(Failure::told("This command works only in groups"));
    }
    match bot.is_admin(chat, user).await? {
        true => Ok(()),
        false => Err(Failure::told("Only administrators can use this command")),
    }
}

/// Thanks the inviter. Anyone can make a link with any payload, so an invalid payload is ignored.
async fn thank(bot: &Bot, payload: &str, guest: &User, app: &App) -> tamtam::Result<()> {
    let Ok(inviter) = payload.parse::<UserId>() else { return Ok(()) };
    let count = app.note_invited(inviter, guest.user_id);
    let thanks =
        Text::default().bold(&guest.name).plain(format!(" started me with your link. Number of guests: {count}."));
    match bot.send(inviter, thanks).await {
        // The person does not exist, or has stopped the bot.
        Err(error) if error.is_not_found() || error.chat_denied().is_some() => Ok(()),
        sent => sent.map(drop),
    }
}

fn hello(user: &User) -> Text {
    // `Text` needs no escaping of the name.
    Text::new("Hello, ").mention(&user.name, user.user_id).plain("! Try ").code("/help")
}

fn help() -> Text {
    let line = |(name, about)| Text::default().line().bold(format!("/{name}")).plain(format!(" - {about}"));
    Text::default().heading("What I can do") + COMMANDS.map(line).into_iter().collect::<Text>()
}

/// Returns a text that is too long for one message.
fn rules() -> Text {
    let rule = |number| Text::default().bold(format!("{number}.")).plain(" Be kind to each other, and to bots.\n");
    (1..=120).map(rule).collect()
}

/// Lets Alice and Bob talk to the bot on a sandbox. Panics if the bot does not answer as expected.
async fn rehearse() -> tamtam::Result<()> {
    let tamtam = Sandbox::builder().bot_name("Steward").bot_username("steward").start().await;
    tamtam.on_event(|event| println!("{}", event.to_string().chars().take(300).collect::<String>()));
    let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob <b>"));
    let (world, bot) = (tamtam.clone(), tamtam.bot());
    let conversation = async move {
        alice.starts();
        assert_eq!(alice.reads().await.text(), "Hello, Alice! Try /help");
        alice.says("/help");
        assert!(alice.reads().await.text().contains("/pin - Pin the message"));
        alice.says("/dance");
        assert_eq!(alice.reads().await.text(), "Unknown command. Try /help");

        alice.says("/invite");
        let link = alice.reads().await.text().split_once(": ").and_then(|(_, link)| link.parse::<DeepLink>().ok());
        bob.starts_with(link.expect("the bot sends a deep link").payload());
        assert_eq!(bob.reads().await.text(), "Hello, Bob <b>! Try /help");
        assert_eq!(alice.reads().await.text(), "Bob <b> started me with your link. Number of guests: 1.");
        bob.says("/start what is this?");
        assert_eq!(bob.reads().await.text(), "Hello, Bob <b>! Try /help");

        alice.says("/rules");
        assert!(alice.reads().await.text().starts_with("1. Be kind"));
        assert!(alice.reads().await.text().contains("120. Be kind"));
        alice.says("/pin");
        assert_eq!(alice.reads().await.text(), "This command works only in groups");

        let team = world.group("Team", [&alice, &bob]);
        let (alice, bob) = (alice.in_chat(&team), bob.in_chat(&team));
        assert_eq!(bob.reads().await.text(), "Hello, everyone! Try /help");
        // The bot ignores both.
        bob.says("/help@other_bot");
        bob.says("/dance");
        bob.says("/title Bob's team");
        assert_eq!(bob.reads().await.text(), "Only administrators can use this command");
        let idea = bob.says("Let us meet on Friday");
        alice.says("/title");
        assert_eq!(bob.reads().await.text(), "Add a title: /title Our team");
        alice.replies(&idea, "/pin@Steward");
        alice.says("/title Friday");
        // Updates of a chat are handled in order, so this answer comes after the others.
        alice.says("/help");
        assert!(bob.reads().await.text().starts_with("What I can do"));
        let pinned = bot.pinned(team.chat_id()).await.expect("the bot can read the pinned message").message;
        assert_eq!(pinned.expect("a message is pinned").mid(), Some(&idea));
        assert_eq!(team.title(), "Friday");
    };
    run(tamtam.bot(), conversation).await
}
