//! A bot of commands, and a pattern for bots that grow: one `match` on the update, small functions, shared state, and
//! failures that people are told of.
//!
//! `cargo run --example commands` rehearses it on the sandbox: Alice and Bob try the commands in dialogs and in a group,
//! and the conversation is printed as it happens. With a token in `MAX_TOKEN` the same bot works on MAX until
//! Ctrl-C.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tamtam::{
    Bot, ChatId, Command, DeepLink, Error, Message, Update, UserId,
    text::Text,
    types::{BotStartedUpdate, User},
};
use tamtam_sandbox::Sandbox;

#[tokio::main]
async fn main() -> tamtam::Result<()> {
    // Tells of what fails, and of what is tried again.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| std::env::var_os(name).is_none()) {
        return rehearse().await;
    }
    run(Bot::from_env()?, tokio::signal::ctrl_c()).await
}

/// The commands, as clients offer them.
const COMMANDS: [(&str, &str); 6] = [
    ("start", "Say hello"),
    ("help", "What I can do"),
    ("invite", "A link for your friends"),
    ("rules", "The rules, all of them"),
    ("title", "Give this chat another title (administrators)"),
    ("pin", "Pin the message you reply to (administrators)"),
];

/// A command as this bot understands it: what comes after the name is read here, and nowhere else.
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
            "title" if command.rest.is_empty() => return Err(Failure::told("Which title? /title Our team")),
            "title" => Self::Title(command.rest),
            "pin" => Self::Pin,
            _ => return Err(Failure::UnknownCommand),
        })
    }
}

/// Why a command came to nothing.
enum Failure {
    /// There is no such command.
    UnknownCommand,
    /// The person can do something about it, and is told.
    Told(String),
    /// A call failed: that is for the log.
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

/// What the handlers share: settings, state, a database.
struct App {
    /// The bot's own username.
    username: String,
    /// Who has come by whose link. What is to survive a restart belongs into a database.
    invited: Mutex<HashMap<UserId, HashSet<UserId>>>,
}

impl App {
    /// Notes who has come by whose link, and counts: how many have come by it.
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
    bot.run(move |bot, update| on_update(bot, update, app.clone())).graceful_shutdown_on(end).await
}

/// All that can happen, and who deals with it.
async fn on_update(bot: Bot, update: Update, app: Arc<App>) -> tamtam::Result<()> {
    match update {
        Update::BotStarted(started) => on_start(&bot, &started, &app).await,
        Update::BotAdded(added) => bot.send(added.chat_id, "Hello, all of you! Try /help").await.map(drop),
        Update::MessageCreated(created) => match created.message {
            Some(message) => on_message(&bot, &message, &app).await,
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Somebody has pressed "Start", perhaps behind a deep link.
async fn on_start(bot: &Bot, started: &BotStartedUpdate, app: &App) -> tamtam::Result<()> {
    bot.send(started.chat_id, hello(&started.user)).await?;
    match started.payload.as_deref() {
        Some(payload) => thank(bot, payload, &started.user, app).await,
        None => Ok(()),
    }
}

/// Carries a command out, and tells who gave it if that does not work.
async fn on_message(bot: &Bot, message: &Message, app: &App) -> tamtam::Result<()> {
    // In a group there may be other bots, and people say "/help@other_bot". A bare "/help" is for all of them: who wants
    // only what is addressed looks at `command.bot`.
    let Some(command) = message.command().filter(|command| command.is_for(&app.username)) else { return Ok(()) };
    match carry_out(bot, message, command, app).await {
        Ok(()) => Ok(()),
        Err(Failure::Told(words)) => bot.reply(message, words).await.map(drop),
        Err(Failure::UnknownCommand) if message.is_dialog() => {
            bot.reply(message, "I do not know that. Try /help").await.map(drop)
        }
        // Another bot may know it.
        Err(Failure::UnknownCommand) => Ok(()),
        // The log has it, and the next update comes.
        Err(Failure::Call(error)) => Err(error),
    }
}

async fn carry_out(bot: &Bot, message: &Message, command: Command<'_>, app: &App) -> Result<(), Failure> {
    // A post in a channel has no sender, and a channel is no place for commands.
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
            bot.reply(message, format!("Whoever starts me by this link is counted: {link}")).await?;
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
            let replied =
                replied.ok_or_else(|| Failure::told("Reply with /pin to the message that is to be pinned"))?;
            bot.pin(chat, &replied.message.mid).silent().await?;
        }
    }
    Ok(())
}

/// Lets administrators pass, and nobody else.
async fn check_admin(bot: &Bot, message: &Message, chat: ChatId, user: UserId) -> Result<(), Failure> {
    if message.is_dialog() {
        return Err(Failure::told("That is for groups"));
    }
    match bot.admins(chat).await {
        Ok(admins) if admins.members.iter().any(|admin| admin.user_id == user) => Ok(()),
        Ok(_) => Err(Failure::told("Only administrators may do that")),
        Err(error) if error.is_forbidden() => Err(Failure::told("Make me an administrator first")),
        Err(error) => Err(error.into()),
    }
}

/// Tells the one whose link it was. The payload comes from a link that anybody can write: it may be anything.
async fn thank(bot: &Bot, payload: &str, guest: &User, app: &App) -> tamtam::Result<()> {
    let Ok(inviter) = payload.parse::<UserId>() else { return Ok(()) };
    let count = app.note_invited(inviter, guest.user_id);
    let thanks = Text::default().bold(&guest.name).plain(format!(" has come by your link. You have invited {count}."));
    match bot.send(inviter, thanks).await {
        // There is no such person, or they have stopped the bot.
        Err(error) if error.is_not_found() || error.chat_denied().is_some() => Ok(()),
        sent => sent.map(drop),
    }
}

fn hello(user: &User) -> Text {
    // Whatever is in the name, it needs no escaping.
    Text::new("Hello, ").mention(&user.name, user.user_id).plain("! Try ").code("/help")
}

fn help() -> Text {
    let line = |(name, about)| Text::default().line().bold(format!("/{name}")).plain(format!(" - {about}"));
    Text::default().heading("What I can do") + COMMANDS.map(line).into_iter().collect::<Text>()
}

/// More than one message holds.
fn rules() -> Text {
    let rule = |number| Text::default().bold(format!("{number}.")).plain(" Be kind to each other, and to bots.\n");
    (1..=120).map(rule).collect()
}

/// Lets Alice and Bob try the bot on a TamTam of their own. It fails if the bot does not do as expected.
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
        assert_eq!(alice.reads().await.text(), "I do not know that. Try /help");

        alice.says("/invite");
        let link = alice.reads().await.text().split_once(": ").and_then(|(_, link)| link.parse::<DeepLink>().ok());
        bob.starts_with(link.expect("the bot sends a deep link").payload());
        assert_eq!(bob.reads().await.text(), "Hello, Bob <b>! Try /help");
        assert_eq!(alice.reads().await.text(), "Bob <b> has come by your link. You have invited 1.");
        bob.says("/start what is this?");
        assert_eq!(bob.reads().await.text(), "Hello, Bob <b>! Try /help");

        alice.says("/rules");
        assert!(alice.reads().await.text().starts_with("1. Be kind"));
        assert!(alice.reads().await.text().contains("120. Be kind"));
        alice.says("/pin");
        assert_eq!(alice.reads().await.text(), "That is for groups");

        let team = world.group("Team", [&alice, &bob]);
        let (alice, bob) = (alice.in_chat(&team), bob.in_chat(&team));
        assert_eq!(bob.reads().await.text(), "Hello, all of you! Try /help");
        bob.says("/help@other_bot"); // not this bot's business
        bob.says("/dance"); // nor is that
        bob.says("/title Bob's team");
        assert_eq!(bob.reads().await.text(), "Only administrators may do that");
        let idea = bob.says("Let us meet on Friday");
        alice.says("/title");
        assert_eq!(bob.reads().await.text(), "Which title? /title Our team");
        alice.replies(&idea, "/pin@Steward");
        alice.says("/title Friday");
        alice.says("/help"); // a chat's updates are handled in order: with this answer the others are done
        assert!(bob.reads().await.text().starts_with("What I can do"));
        let pinned = bot.pinned(team.chat_id()).await.expect("the bot may see what is pinned").message;
        assert_eq!(pinned.expect("something is pinned").mid(), Some(&idea));
        assert_eq!(team.title(), "Friday");
    };
    run(tamtam.bot(), conversation).await
}
