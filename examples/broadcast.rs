//! A broadcast to many dialogs that can be interrupted at any time and sends nothing twice. A pattern to copy.
//!
//! - The broadcast uses [`Bot::background`], so replies and polls of the same process do not wait for it.
//! - A [`Journal`] has a line before and after every message. A broadcast that is started again continues where the
//!   last one ended.
//! - After a kill or a broken connection, a message may have been posted or not. The broadcast then looks for it in the
//!   dialog.
//! - Users who have stopped the bot or removed the dialog are counted separately, so that you can remove them.
//!
//! `cargo run --example broadcast` runs it on a sandbox of MAX with 5,000 people. Connections break, the server asks
//! for a pause, and the process is killed three times. To run it on MAX, put the chat ids of dialogs into a file, one
//! per line:
//!
//! `MAX_TOKEN=... cargo run --example broadcast -- chats.txt "There is a new version"`

use std::{
    collections::HashMap,
    env,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    process::{Child, Command},
    sync::Mutex,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use tamtam::{Bot, BotBuilder, ChatDenied, ChatId, Error, UserId};
use tamtam_sandbox::{Fault, Person, RateLimit, Sandbox};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Number of messages that are sent at the same time.
const AT_A_TIME: usize = 32;
/// Time to wait after a kill, since the server may still be processing the last messages.
const STILL_AT_WORK: Duration = Duration::from_secs(3);
/// The assumed maximum difference between the clocks of the server and of this machine.
const CLOCK_DIFFERENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).init();
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => rehearse().await,
        [chats, text] => broadcast(BotBuilder::from_env()?.build()?, Path::new(chats), text).await,
        [chats, text, per_second] => {
            let pace = tamtam::Service::Max.pace().requests_per_second(per_second.parse::<u32>()?);
            broadcast(BotBuilder::from_env()?.pace(pace).no_proxy().build()?, Path::new(chats), text).await
        }
        _ => Err("usage: broadcast [chats.txt text [requests per second]]".into()),
    }
}

/// Sends the text to all chats in a file, except chats that already have it. Prints the number of chats in each state.
async fn broadcast(bot: Bot, chats: &Path, text: &str) -> Result<(), AnyError> {
    let journal = Journal::open(&chats.with_extension("journal"))?;
    let lines = fs::read_to_string(chats)?;
    let chats: Vec<ChatId> = lines.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    if !journal.counts().contains(&(State::Sending.name(), 0)) {
        tokio::time::sleep(STILL_AT_WORK).await;
    }
    let me = bot.me().await?.user_id;
    let broadcast = Broadcast { bot: bot.background(), me, text, journal };
    let bar = ProgressBar::new(chats.len() as u64)
        .with_style(ProgressStyle::with_template("{wide_bar} {pos} of {len}, {per_sec}, {eta} left")?);
    let (broadcast, bar) = (&broadcast, &bar);
    let sends = stream::iter(chats).map(|chat| async move {
        broadcast.send(chat).await?;
        bar.inc(1);
        Ok::<_, AnyError>(())
    });
    // An error here comes from the journal, or would repeat for all other messages.
    sends.buffer_unordered(AT_A_TIME).try_collect::<()>().await?;
    bar.finish();
    for (state, count) in broadcast.journal.counts() {
        println!("{count:>6} {state}");
    }
    Ok(())
}

struct Broadcast<'a> {
    bot: Bot,
    me: UserId,
    text: &'a str,
    journal: Journal,
}

impl Broadcast<'_> {
    /// Sends the text to a chat, unless the journal or the dialog already has it.
    async fn send(&self, chat: ChatId) -> Result<(), AnyError> {
        let state = match self.journal.state(chat) {
            Some(State::Sending | State::Unclear) => match self.was_sent(chat).await {
                Ok(true) => State::Sent,
                Ok(false) => self.try_send(chat).await?,
                Err(error) => state_after(&error)?,
            },
            Some(_) => return Ok(()),
            None => self.try_send(chat).await?,
        };
        Ok(self.journal.write(chat, state)?)
    }

    async fn try_send(&self, chat: ChatId) -> Result<State, AnyError> {
        self.journal.write(chat, State::Sending)?;
        match self.bot.send(chat, self.text).await {
            Ok(_) => Ok(State::Sent),
            Err(error) if error.may_have_been_applied() => match self.was_sent(chat).await {
                Ok(true) => Ok(State::Sent),
                // The server may still be processing the message. The next run checks again.
                Ok(false) => Ok(State::Unclear),
                Err(error) => state_after(&error),
            },
            Err(error) => state_after(&error),
        }
    }

    /// Returns whether the dialog has the message.
    async fn was_sent(&self, chat: ChatId) -> tamtam::Result<bool> {
        let mut messages = self.bot.messages(chat).since(self.journal.began);
        while let Some(message) = messages.try_next().await? {
            let is_ours = message.sender.as_ref().is_some_and(|sender| sender.user_id == self.me);
            if is_ours && message.text() == Some(self.text) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Returns the state of a message after an error. Fails on an error that would repeat for all other messages.
fn state_after(error: &Error) -> Result<State, AnyError> {
    if error.chat_denied() == Some(ChatDenied::BotStopped) {
        Ok(State::Stopped)
    } else if error.is_not_found() || error.is_forbidden() {
        Ok(State::Blocked)
    } else if error.may_have_been_applied() || error.is_retryable() {
        Ok(State::Unclear)
    } else {
        Err(format!("{error}; fix the cause and start the broadcast again").into())
    }
}

/// The state of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    /// If this is the last line about a chat, the process was killed, and the message may be posted.
    Sending,
    Sent,
    Stopped,
    Blocked,
    Unclear,
}

impl State {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Sent, "sent"),
        (Self::Stopped, "stopped"),
        (Self::Blocked, "blocked"),
        (Self::Unclear, "unclear"),
        (Self::Sending, "sending"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, name)| name)
    }
}

/// A file with a line for every change of state. Each line is written at once, so a kill loses no line. To
/// survive a loss of power as well, call [`File::sync_data`] after each line.
struct Journal {
    /// [`CLOCK_DIFFERENCE`] before the start of the broadcast, by the clock of this machine, in Unix milliseconds.
    began: i64,
    states: Mutex<HashMap<ChatId, State>>,
    file: Mutex<File>,
}

impl Journal {
    fn open(path: &Path) -> Result<Self, AnyError> {
        let mut file = OpenOptions::new().append(true).create(true).open(path)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.saturating_sub(CLOCK_DIFFERENCE);
        let mut journal =
            Self { began: now.as_millis() as i64, states: Mutex::default(), file: Mutex::new(file.try_clone()?) };
        let text = fs::read_to_string(path)?;
        // On a full disk or after a loss of power, the last line may be torn. The chat then has the state before it.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(whole as u64)?;
        let mut lines = text[..whole].lines();
        match lines.next() {
            Some(began) => journal.began = began.parse()?,
            None => writeln!(file, "{}", journal.began)?,
        }
        let states = journal.states.get_mut().unwrap();
        for line in lines {
            let (chat, name) =
                line.split_once(' ').ok_or_else(|| format!("{}: no state in {line:?}", path.display()))?;
            let state = State::ALL.iter().find(|(_, known)| *known == name);
            let (state, _) = state.ok_or_else(|| format!("{}: unknown state in {line:?}", path.display()))?;
            states.insert(chat.parse()?, *state);
        }
        Ok(journal)
    }

    fn state(&self, chat: ChatId) -> Option<State> {
        self.states.lock().unwrap().get(&chat).copied()
    }

    fn write(&self, chat: ChatId, state: State) -> io::Result<()> {
        self.states.lock().unwrap().insert(chat, state);
        let line = format!("{} {}\n", chat.0, state.name());
        self.file.lock().unwrap().write_all(line.as_bytes())
    }

    fn counts(&self) -> Vec<(&'static str, usize)> {
        let states = self.states.lock().unwrap();
        let count = |state| states.values().filter(|other| **other == state).count();
        State::ALL.iter().map(|(state, name)| (*name, count(*state))).collect()
    }
}

/// People in the rehearsal.
const PEOPLE: usize = 5_000;
/// The rehearsal is ten times as fast as MAX, so that it takes seconds.
const PER_SECOND: u32 = 300;
const TEXT: &str = "There is a new version.";

/// Broadcasts to people on a sandbox. Fails if a person does not get the message exactly once.
async fn rehearse() -> Result<(), AnyError> {
    let limit = RateLimit::max().requests_per_second(PER_SECOND);
    let max = Sandbox::builder().service(tamtam::Service::Max).rate_limit(limit).start().await;
    let people: Vec<Person> = (0..PEOPLE).map(|number| max.user(format!("Person {number}"))).collect();
    for (number, person) in people.iter().enumerate() {
        person.starts();
        match number % 100 {
            7 => person.stops(),
            8 => person.removes_dialog(),
            _ => {}
        }
    }
    let folder = env::temp_dir().join(format!("tamtam-broadcast-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let chats = folder.join("chats.txt");
    let ids: Vec<String> = people.iter().map(|person| person.chat_id().0.to_string()).collect();
    fs::write(&chats, ids.join("\n"))?;

    for killed_at in [1_000, 2_000, 3_000] {
        // The messages are posted, but the bot does not get the answers.
        max.fails("sendMessage", Fault::reset().applied(true).times(5));
        max.fails("sendMessage", Fault::status(429).retry_after(1));
        let mut process = start(&max, &chats)?;
        while texts(&people) < killed_at {
            assert!(process.try_wait()?.is_none(), "the broadcast ended early");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        process.kill()?;
        process.wait()?;
        println!("Killed after {} messages", texts(&people));
    }
    // The second run checks the messages that the first run left unclear.
    for _ in 0..2 {
        assert!(start(&max, &chats)?.wait()?.success(), "the broadcast failed");
    }
    for (number, person) in people.iter().enumerate() {
        let expected = usize::from(!matches!(number % 100, 7 | 8));
        assert_eq!(texts(std::slice::from_ref(person)), expected, "{}", person.name());
    }
    println!(
        "Each of {} people got the message exactly once. Refused requests: {}",
        texts(&people),
        max.rate_limited()
    );
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// Starts the broadcast in a process of its own.
fn start(max: &Sandbox, chats: &Path) -> io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command.env("MAX_TOKEN", max.token()).env("MAX_BASE_URL", max.base_url());
    command.arg(chats).args([TEXT, &PER_SECOND.to_string()]).spawn()
}

/// Returns the number of messages of the broadcast that people see.
fn texts(people: &[Person]) -> usize {
    people.iter().flat_map(Person::sees).filter(|text| text == TEXT).count()
}
