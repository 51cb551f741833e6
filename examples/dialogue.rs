//! A dialogue: a form of three questions, for each person in each chat. A pattern to copy, not a part of the crate.
//!
//! - What has been said so far is a value of an enum, [`Form`]: each state has the data that is known by then, and
//!   [`Form::answer`], a plain function, says what comes next.
//! - Between two messages the value is in a [`Storage`], by chat and person: in memory, in a file, or in a database of
//!   yours. [`on_message`] has no other state, so the program may be killed at any time.
//! - An update whose handling was cut off by that comes again. So the next question is asked first and saved then: it may
//!   be asked twice, but is never forgotten. And a [`Dialogue`] knows the messages it has taken, lest one is taken twice.
//!
//! `cargo run --example dialogue` rehearses it on the sandbox and prints the conversation: Alice and Bob order in a
//! dialog and in a group at the same time, and the bot is killed in the middle. With a token in `MAX_TOKEN` the same
//! bot takes orders on MAX until Ctrl-C, and keeps what was said in `dialogues.json`, or the file that it is given.

use std::{collections::HashMap, env, fs, io, io::Write as _, path::PathBuf, process, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tamtam::{Bot, ChatId, Message, MessageId, Update, UserId};
use tamtam_sandbox::{Person, Sandbox};
use tokio::sync::Mutex;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    // Tells of what fails, and of what is tried again.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| env::var_os(name).is_none()) {
        return rehearse().await;
    }
    let path = env::args_os().nth(1).unwrap_or_else(|| "dialogues.json".into());
    Ok(run(Bot::from_env()?, FileStorage::new(path), tokio::signal::ctrl_c()).await?)
}

/// What is known so far, and so which question is open.
#[derive(Clone, Serialize, Deserialize)]
enum Form {
    Dish,
    Count { dish: String },
    Address { dish: String, count: u32 },
}

/// What an answer leads to.
enum Next {
    Ask(Form),
    Done { dish: String, count: u32, address: String },
}

impl Form {
    fn question(&self) -> String {
        match self {
            Self::Dish => "What would you like? Pizza or soup?".to_owned(),
            Self::Count { dish } => format!("How many portions of {dish}?"),
            Self::Address { .. } => "Where to?".to_owned(),
        }
    }

    /// Takes an answer in, or says what is wrong with it.
    fn answer(&self, text: &str) -> Result<Next, &'static str> {
        match (self, text.trim()) {
            (_, "") => Err("In words, please."),
            (Self::Dish, dish) => match dish.to_lowercase() {
                dish if ["pizza", "soup"].contains(&&*dish) => Ok(Next::Ask(Self::Count { dish })),
                _ => Err("We have only those."),
            },
            (Self::Count { dish }, count) => match count.parse() {
                Ok(count @ 1..=20) => Ok(Next::Ask(Self::Address { dish: dish.clone(), count })),
                _ => Err("A number from 1 to 20, please."),
            },
            (Self::Address { dish, count }, address) => {
                Ok(Next::Done { dish: dish.clone(), count: *count, address: address.to_owned() })
            }
        }
    }
}

/// What is stored of a dialogue.
#[derive(Clone, Serialize, Deserialize)]
struct Dialogue {
    form: Form,
    /// The messages that brought it here, wrong answers included.
    taken: Vec<MessageId>,
}

/// How many messages a dialogue knows: no more updates than these come again after a kill, since a poll brings no more.
const MOST_TAKEN: usize = 100;

/// Whose dialogue: the same person may have another one in another chat.
type Key = (ChatId, UserId);

/// Where dialogues are between two messages.
trait Storage: Send + Sync + 'static {
    fn load(&self, key: Key) -> impl Future<Output = io::Result<Option<Dialogue>>> + Send;
    fn save(&self, key: Key, dialogue: Dialogue) -> impl Future<Output = io::Result<()>> + Send;
    fn remove(&self, key: Key) -> impl Future<Output = io::Result<()>> + Send;
}

/// Forgets everything when the program ends.
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

/// Keeps everything in one JSON file, which is replaced as a whole: whatever happens, it has what was saved last. Where
/// there are thousands of dialogues, a database does that better.
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
            // A list of pairs: the keys of a JSON object are strings.
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
    bot.run(move |bot, update| on_update(bot, update, storage.clone())).graceful_shutdown_on(end).await
}

async fn on_update(bot: Bot, update: Update, storage: Arc<impl Storage>) -> Result<(), AnyError> {
    if let Update::MessageCreated(created) = update
        && let Some(message) = created.message
    {
        on_message(&bot, &message, &*storage).await?;
    }
    Ok(())
}

/// One step of a dialogue. The updates of a chat are handled one after the other, so nobody else takes it meanwhile.
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
        // The program was killed after it had dealt with it.
        (_, Some(dialogue)) if dialogue.taken.contains(mid) => {}
        (Some("order"), _) => ask("", Form::Dish, Vec::new()).await?,
        (Some("cancel"), Some(_)) => {
            bot.reply(message, "Cancelled.").await?;
            storage.remove(key).await?;
        }
        (_, Some(Dialogue { form, taken })) => match form.answer(message.text().unwrap_or_default()) {
            Ok(Next::Ask(form)) => ask("", form, taken).await?,
            Ok(Next::Done { dish, count, address }) => {
                // Here the order goes to the kitchen, by the id of this message: after a kill it may come twice.
                bot.reply(message, format!("Thank you! {count} x {dish}, {address}.")).await?;
                storage.remove(key).await?;
            }
            Err(problem) => ask(&format!("{problem} "), form, taken).await?,
        },
        (_, None) if message.is_dialog() => drop(bot.reply(message, "Say /order, and later /cancel.").await?),
        // In a group people talk about other things.
        (_, None) => {}
    }
    Ok(())
}

/// Lets Alice and Bob try the bot on a TamTam of their own. It fails if the bot does not do as expected.
async fn rehearse() -> Result<(), AnyError> {
    let tamtam = Sandbox::builder().bot_name("Kitchen").patience(Duration::from_secs(30)).start().await;
    tamtam.on_event(|event| println!("{event}"));
    let file = env::temp_dir().join(format!("tamtam-example-{}.json", process::id()));
    let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    let team = tamtam.group("Team", [&alice, &bob]);
    let (alice_at_work, bob_at_work) = (alice.in_chat(&team), bob.in_chat(&team));
    // In a group everybody reads all answers; and what was being handled at the kill may be answered twice.
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
    hears(&bob_at_work, "We have only those. What would you like? Pizza or soup?").await;

    drop(bot);
    println!("  (the bot is killed)");
    alice.says("2");
    bob_at_work.says("Pizza");
    let bot = Program::start(&tamtam, &file)?;
    hears(&alice, "Where to?").await;
    hears(&bob_at_work, "How many portions of pizza?").await;
    alice_at_work.says("Many");
    hears(&alice_at_work, "A number from 1 to 20, please. How many portions of soup?").await;
    alice_at_work.says("/cancel");
    hears(&alice_at_work, "Cancelled.").await;
    bob_at_work.says("3");
    hears(&bob_at_work, "Where to?").await;
    bob_at_work.says("to the office");
    hears(&bob_at_work, "Thank you! 3 x pizza, to the office.").await;
    alice.says("to Main Street 1");
    hears(&alice, "Thank you! 2 x pizza, to Main Street 1.").await;
    drop(bot);
    fs::remove_file(file)?;

    println!("  (the same in memory)");
    let tamtam = Sandbox::builder().bot_name("Kitchen").start().await;
    tamtam.on_event(|event| println!("{event}"));
    let carol = tamtam.user("Carol");
    let conversation = async move {
        carol.says("/order");
        assert_eq!(carol.reads().await.text(), "What would you like? Pizza or soup?");
        carol.says("/cancel");
        assert_eq!(carol.reads().await.text(), "Cancelled.");
        carol.says("Soup");
        assert_eq!(carol.reads().await.text(), "Say /order, and later /cancel.");
    };
    Ok(run(tamtam.bot(), MemoryStorage::default(), conversation).await?)
}

/// This program once more, as it is with a token; dropping it kills it.
struct Program(process::Child);

impl Program {
    fn start(tamtam: &Sandbox, file: &PathBuf) -> io::Result<Self> {
        let mut program = process::Command::new(env::current_exe()?);
        // The environment's proxy has no way to the sandbox.
        program.arg(file).env("NO_PROXY", "127.0.0.1");
        program.env("TAMTAM_TOKEN", tamtam.token()).env("TAMTAM_BASE_URL", tamtam.base_url());
        Ok(Self(program.spawn()?))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}
