//! A bot that answers each message with a file, and shows a progress bar for the upload.
//!
//! `cargo run --example upload` runs it on the sandbox, with a file of 32 MiB and a connection that breaks in the
//! middle. With a token in `MAX_TOKEN`, `cargo run --example upload -- movie.mp4` sends this file to people on MAX,
//! until Ctrl-C.

use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use tamtam::{Bot, Message, Update};
use tamtam_sandbox::{Sandbox, UploadFault};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).map(PathBuf::from);
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| std::env::var_os(name).is_none()) {
        return rehearse(path).await;
    }
    let path = path.ok_or("no file given; run: cargo run --example upload -- movie.mp4")?;
    tokio::select! {
        result = run(Bot::from_env()?, &path) => Ok(result?),
        _ = tamtam::shutdown_signal() => Ok(()),
    }
}

/// Runs the bot. If the file cannot be sent to a person, prints the error and goes on with the next message.
async fn run(bot: Bot, path: &Path) -> tamtam::Result<()> {
    let mut updates = bot.updates();
    // Not `Bot::run`: a large file can take longer than the time limit of its handlers.
    while let Some(update) = updates.try_next().await? {
        if let Update::MessageCreated(created) = update
            && let Some(message) = created.message
        {
            send_file(&bot, &message, path).await.unwrap_or_else(|error| eprintln!("{error}"));
        }
    }
    Ok(())
}

/// Uploads the file, and sends it as soon as the server has processed it.
async fn send_file(bot: &Bot, to: &Message, path: &Path) -> tamtam::Result<()> {
    let bar = ProgressBar::new(0).with_style(style()).with_finish(ProgressFinish::Abandon);
    let progress = bar.clone();
    let upload = bot.upload_file(path).on_progress(move |p| {
        progress.set_length(p.total);
        progress.set_position(p.sent);
    });
    bot.reply(to, upload.text("Here you are")).await.map(drop)
}

fn style() -> ProgressStyle {
    let template = "{wide_bar} {bytes} of {total_bytes}, {bytes_per_sec}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Lets Alice write to the bot on a sandbox. Panics if the file does not arrive.
async fn rehearse(path: Option<PathBuf>) -> Result<(), Box<dyn std::error::Error>> {
    let tamtam = Sandbox::builder().bot_name("Librarian").start().await;
    tamtam.on_event(|event| println!("{event}"));
    tamtam.uploads().set_not_ready(2);
    tamtam.uploads().fail_next(UploadFault::ResetAt(20_000_000));
    let (path, is_ours) = match path {
        Some(path) => (path, false),
        None => (std::env::temp_dir().join(format!("tamtam-example-{}.bin", std::process::id())), true),
    };
    if is_ours {
        std::fs::File::create(&path)?.set_len(32 << 20)?;
    }
    let size = std::fs::metadata(&path)?.len();
    let alice = tamtam.user("Alice");
    let bot = Bot::builder(tamtam.token())
        .base_url(tamtam.base_url())
        .http(|http| http.no_proxy())
        .on_retry(|retry| eprintln!("{}; retrying", retry.error()))
        .build()?;
    let conversation = async {
        alice.says("Please send me the file");
        let seen = alice.reads().await;
        assert_eq!((seen.text(), &seen.attachments()[0]["size"]), ("Here you are", &size.into()));
    };
    let result = tokio::select! {
        result = run(bot, &path) => result.map_err(Into::into),
        () = conversation => Ok(()),
    };
    if is_ours {
        std::fs::remove_file(path)?;
    }
    result
}
