//! A dialogue: a form of three questions, for each person in each chat. A pattern to copy, not a part of the crate.
//!
//! - The answers so far are a value of an enum, [`Form`]. Each state has the data that is known by then.
//!   [`Form::answer`], a plain function, returns the next state.
//! - Between two messages, a [`Storage`] has the value, by chat and person: in memory, in a file, or in your database.
//!   [`on_message`] has no other state, so the program may be killed at any time.
//! - After a kill, an update that was being handled comes again. The bot asks the next question before it saves the
//!   state. So a question may be asked twice, but is never lost. A [`Dialogue`] has the ids of its messages, so that no
//!   message is handled twice.
//!
//! `cargo run --example dialogue` runs it on the sandbox and prints the conversation. Alice and Bob order in a dialog
//! and in a group at the same time, and the bot is killed in the middle. With a token in `MAX_TOKEN`, the same bot
//! takes orders on MAX until Ctrl-C. It stores dialogues in the file of its first argument, which defaults to
//! `dialogues.json`.

use std::{collections::HashMap, env, fs, io, io::Write as _, path::PathBuf, process, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tamtam::{Bot, ChatId, Message, MessageId, Update, UserId};
use tamtam_sandbox::{Person, Sandbox};
use tokio::sync::Mutex;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    // Logs failures and retries.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| env::var_os(name).is_none()) {
        return rehearse().await;
    }
    let path = env::args_os().nth(1).unwrap_or_else(|| "dialogues.json".into());
    Ok(run(Bot::from_env()?, FileStorage::new(path), tamtam::shutdown_signal()).await?)
}

/// The answers so far. Each variant has one open question.
#[derive(Clone, Serialize, Deserialize)]
enum Form {
    Dish,
    Count { dish: String },
    Address { dish: String, count: u32 },
}

/// The step after a valid answer.
enum Next {
    Ask(Form),
    Done { dish: String, count: u32, address: String },
}

impl Form {
    fn question(&self) -> String {
        match self {
            Self::Dish => "What would you like? Pizza or soup?".to_owned(),
            Self::Count { dish } => format!("How many portions of {dish}?"),
            Self::Address { .. } => "What is the address?".to_owned(),
        }
    }

    /// Returns the next step, or the problem of the answer.
    fn answer(&self, text: &str) -> Result<Next, &'static str> {
        match (self, text.trim()) {
            (_, "") => Err("Please answer with text."),
            (Self::Dish, dish) => match dish.to_lowercase() {
                dish if ["pizza", "soup"].contains(&&*dish) => Ok(Next::Ask(Self::Count { dish })),
                _ => Err("We do not have that."),
            },
            (Self::Count { dish }, count) => match count.parse() {
                Ok(count @ 1..=20) => Ok(Next::Ask(Self::Address { dish: dish.clone(), count })),
                _ => Err("Please send a number from 1 to 20."),
            },
            (Self::Address { dish, count }, address) => {
                Ok(Next::Done { dish: dish.clone(), count: *count, address: address.to_owned() })
            }
        }
    }
}

/// A stored dialogue.
#[derive(Clone, Serialize, Deserialize)]
struct Dialogue {
    form: Form,
    /// The ids of the handled messages, including wrong answers.
    taken: Vec<MessageId>,
}

/// Maximum number of stored message ids. A poll returns at most 100 updates, so no more come again after a kill.
const MOST_TAKEN: usize = 100;

/// The key of a dialogue. The same person may have another dialogue in another chat.
type Key = (ChatId, UserId);

/// Stores dialogues between two messages.
trait Storage: Send + Sync + 'static {
    fn load(&self, key: Key) -> impl Future<Output = io::Result<Option<Dialogue>>> + Send;
    fn save(&self, key: Key, dialogue: Dialogue) -> impl Future<Output = io::Result<()>> + Send;
    fn remove(&self, key: Key) -> impl Future<Output = io::Result<()>> + Send;
}

/// A storage in memory. Its dialogues are lost when the program ends.
#[derive(Default)]
struct MemoryStorage(Mutex<HashMap<Key, Dialogue>>);

impl Storage for MemoryStorage {
    async fn load(&self, key: Key) -> io::Result<Option<Dialogue>> {
        Ok(self.0.lock().await.get(&key).cloned())
    }

    async fn save(&self, key: Key, dialogue: Dialogue) -> io::Result<()> {
        self.0.lock().await.insert(key, dialogue);
        Ok(())
    }

    async fn remove(&self, key: Key) -> io::Result<()> {
        self.0.lock().await.remove(&key);
        Ok(())
    }
}

/// A storage in one JSON file. Each change replaces the file as a whole, so a kill never leaves half a file. For
/// thousands of dialogues, use a database.
struct FileStorage {
    path: PathBuf,
    changing: Mutex<()>,
}

impl FileStorage {
    fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), changing: Mutex::default() }
    }

    fn read(&self) -> io::Result<HashMap<Key, Dialogue>> {
        match fs::read(&self.path) {
            // A list of pairs, since the keys of a JSON object must be strings.
            Ok(json) => Ok(serde_json::from_slice::<Vec<_>>(&json)?.into_iter().collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(HashMap::new()),
            Err(error) => Err(error),
        }
    }

    async fn change(&self, change: impl FnOnce(&mut HashMap<Key, Dialogue>)) -> io::Result<()> {
        let _alone = self.changing.lock().await;
        let mut dialogues = self.read()?;
        change(&mut dialogues);
        let new = self.path.with_extension("new");
        let mut file = fs::File::create(&new)?;
        file.write_all(&serde_json::to_vec(&Vec::from_iter(dialogues))?)?;
        file.sync_all()?;
        fs::rename(new, &self.path)
    }
}

impl Storage for FileStorage {
    async fn load(&self, key: Key) -> io::Result<Option<Dialogue>> {
        Ok(self.read()?.remove(&key))
    }

    async fn save(&self, key: Key, dialogue: Dialogue) -> io::Result<()> {
        self.change(|dialogues| drop(dialogues.insert(key, dialogue))).await
    }

    async fn remove(&self, key: Key) -> io::Result<()> {
        self.change(|dialogues| drop(dialogues.remove(&key))).await
    }
}

/// Runs the bot.
async fn run(bot: Bot, storage: impl Storage, end: impl Future + Send + 'static) -> tamtam::Result<()> {
    let storage = Arc::new(storage);
    bot.run_with(storage, on_update).graceful_shutdown_on(end).await
}

async fn on_update(bot: Bot, update: Update, storage: Arc<impl Storage>) -> Result<(), AnyError> {
    if let Update::MessageCreated(created) = update
        && let Some(message) = created.message
    {
        on_message(&bot, &message, &*storage).await?;
    }
    Ok(())
}

/// Runs one step of a dialogue. Updates of a chat are handled one after the other, so two steps never overlap.
async fn on_message(bot: &Bot, message: &Message, storage: &impl Storage) -> Result<(), AnyError> {
    let (Some(chat), Some(user), Some(mid)) = (message.chat_id(), message.user_id(), message.mid()) else {
        return Ok(());
    };
    let key = (chat, user);
    let ask = async |words: &str, form: Form, mut taken: Vec<MessageId>| -> Result<(), AnyError> {
        bot.reply(message, format!("{words}{}", form.question())).await?;
        taken.push(mid.clone());
        taken.drain(..taken.len().saturating_sub(MOST_TAKEN));
        Ok(storage.save(key, Dialogue { form, taken }).await?)
    };
    match (message.command().map(|command| command.name), storage.load(key).await?) {
        // The program was killed after it had handled this message.
        (_, Some(dialogue)) if dialogue.taken.contains(mid) => {}
        (Some("order"), _) => ask("", Form::Dish, Vec::new()).await?,
        (Some("cancel"), Some(_)) => {
            bot.reply(message, "Canceled.").await?;
            storage.remove(key).await?;
        }
        (_, Some(Dialogue { form, taken })) => match form.answer(message.text().unwrap_or_default()) {
            Ok(Next::Ask(form)) => ask("", form, taken).await?,
            Ok(Next::Done { dish, count, address }) => {
                // Place the order here, with `mid` as its key: after a kill, the same order may be placed twice.
                bot.reply(message, format!("Thank you! {count} x {dish}, {address}.")).await?;
                storage.remove(key).await?;
            }
            Err(problem) => ask(&format!("{problem} "), form, taken).await?,
        },
        (_, None) if message.is_dialog() => drop(bot.reply(message, "Send /order, and /cancel to stop.").await?),
        // In a group, people also talk about other things.
        (_, None) => {}
    }
    Ok(())
}

/// Lets Alice, Bob and Carol talk to the bot on a sandbox. Panics if the bot does not answer as expected.
async fn rehearse() -> Result<(), AnyError> {
    let tamtam = Sandbox::builder().bot_name("Kitchen").patience(Duration::from_secs(30)).start().await;
    tamtam.on_event(|event| println!("{event}"));
    let file = env::temp_dir().join(format!("tamtam-example-{}.json", process::id()));
    let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    let team = tamtam.group("Team", [&alice, &bob]);
    let (alice_at_work, bob_at_work) = (alice.in_chat(&team), bob.in_chat(&team));
    // In a group, all members read all answers. An update that was being handled at the kill may be answered twice.
    let hears = async |person: &Person, words| while person.reads().await.text() != words {};

    let bot = Program::start(&tamtam, &file)?;
    for person in [&alice, &alice_at_work, &bob_at_work] {
        person.says("/order");
        hears(person, "What would you like? Pizza or soup?").await;
    }
    alice.says("Pizza");
    hears(&alice, "How many portions of pizza?").await;
    alice_at_work.says("Soup");
    hears(&alice_at_work, "How many portions of soup?").await;
    bob_at_work.says("Sushi");
    hears(&bob_at_work, "We do not have that. What would you like? Pizza or soup?").await;

    drop(bot);
    println!("  (the bot is killed)");
    alice.says("2");
    bob_at_work.says("Pizza");
    let bot = Program::start(&tamtam, &file)?;
    hears(&alice, "What is the address?").await;
    hears(&bob_at_work, "How many portions of pizza?").await;
    alice_at_work.says("Many");
    hears(&alice_at_work, "Please send a number from 1 to 20. How many portions of soup?").await;
    alice_at_work.says("/cancel");
    hears(&alice_at_work, "Canceled.").await;
    bob_at_work.says("3");
    hears(&bob_at_work, "What is the address?").await;
    bob_at_work.says("to the office");
    hears(&bob_at_work, "Thank you! 3 x pizza, to the office.").await;
    alice.says("to Main Street 1");
    hears(&alice, "Thank you! 2 x pizza, to Main Street 1.").await;
    drop(bot);
    fs::remove_file(file)?;

    println!("  (the same with the storage in memory)");
    let tamtam = Sandbox::builder().bot_name("Kitchen").start().await;
    tamtam.on_event(|event| println!("{event}"));
    let carol = tamtam.user("Carol");
    let conversation = async move {
        carol.says("/order");
        assert_eq!(carol.reads().await.text(), "What would you like? Pizza or soup?");
        carol.says("/cancel");
        assert_eq!(carol.reads().await.text(), "Canceled.");
        carol.says("Soup");
        assert_eq!(carol.reads().await.text(), "Send /order, and /cancel to stop.");
    };
    Ok(run(tamtam.bot(), MemoryStorage::default(), conversation).await?)
}

/// This program as a child process with a token. Dropping it kills the process.
struct Program(process::Child);

impl Program {
    fn start(tamtam: &Sandbox, file: &PathBuf) -> io::Result<Self> {
        let mut program = process::Command::new(env::current_exe()?);
        // A proxy of the environment cannot reach the sandbox.
        program.arg(file).env("NO_PROXY", "127.0.0.1");
        program.env("TAMTAM_TOKEN", tamtam.token()).env("TAMTAM_BASE_URL", tamtam.base_url());
        Ok(Self(program.spawn()?))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}
