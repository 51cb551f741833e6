//! A bot that sends images from bytes, from a path and by a link, and sends known images again without an upload.
//!
//! `cargo run --example image` runs it on the sandbox, and the conversation is printed as it happens. With a token in
//! `MAX_TOKEN`, `cargo run --example image -- logo.png` runs the same bot with this logo on MAX, until Ctrl-C.

use std::{path::PathBuf, sync::Arc};

use tamtam::{AttachmentRequest, Bot, Command, Message, Update, types::PhotoAttachmentRequest};
use tamtam_sandbox::{Enclosure, Sandbox};
use tokio::sync::OnceCell;

const HELP: &str = "/draw 255 128 0 - a drawing in this color\n/logo - my logo\n/web https://... - an image from the web\n\
                    Send me a photo, and I send it back.";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Logs failures and retries.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| std::env::var_os(name).is_none()) {
        return rehearse().await;
    }
    let path = std::env::args_os().nth(1).ok_or("no logo given; run: cargo run --example image -- logo.png")?;
    Ok(run(Bot::from_env()?, Logo::new(path), tamtam::shutdown_signal()).await?)
}

/// An image that is sent to many people, but uploaded only once.
struct Logo {
    path: PathBuf,
    uploaded: OnceCell<PhotoAttachmentRequest>,
}

impl Logo {
    fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), uploaded: OnceCell::new() }
    }

    /// Returns the uploaded photo. The first call uploads it, and concurrent calls wait for this upload.
    async fn photo(&self, bot: &Bot) -> tamtam::Result<PhotoAttachmentRequest> {
        self.uploaded.get_or_try_init(|| bot.upload_photo(&self.path).send()).await.cloned()
    }
}

/// Runs the bot. Its handlers share the logo.
async fn run(bot: Bot, logo: Logo, end: impl Future + Send + 'static) -> tamtam::Result<()> {
    let logo = Arc::new(logo);
    bot.run_with(logo, on_update).graceful_shutdown_on(end).await
}

async fn on_update(bot: Bot, update: Update, logo: Arc<Logo>) -> tamtam::Result<()> {
    match update {
        Update::BotStarted(started) => {
            bot.send(started.chat_id, HELP).await?;
        }
        Update::MessageCreated(created) => {
            if let Some(message) = created.message {
                match message.command() {
                    Some(command) => on_command(&bot, &message, command, &logo).await?,
                    None => send_back(&bot, &message).await?,
                }
            }
        }
        _ => {}
    }
    Ok(())
}

async fn on_command(bot: &Bot, message: &Message, command: Command<'_>, logo: &Logo) -> tamtam::Result<()> {
    // People see the bot sending a photo until this function ends.
    let _sending = message.chat_id().map(|chat| bot.sending_photo(chat));
    match command.name {
        "draw" => {
            let mut numbers = command.args().map_while(|word| word.parse().ok());
            let color = [(); 3].map(|()| numbers.next().unwrap_or(0));
            // Uploads and sends in one step. The file name gives the server the type of the image, too.
            bot.reply(message, bot.upload_photo(drawing(color)).file_name("drawing.bmp").text("For you")).await?;
        }
        "logo" => {
            bot.reply(message, logo.photo(bot).await?).await?;
        }
        // The server downloads the image.
        "web" if command.rest.starts_with("https://") => {
            bot.reply(message, AttachmentRequest::photo_url(command.rest)).await?;
        }
        _ => {
            bot.reply(message, HELP).await?;
        }
    }
    Ok(())
}

/// Sends the attachments of a message with photos back. The server has them, so nothing is downloaded or uploaded.
async fn send_back(bot: &Bot, message: &Message) -> tamtam::Result<()> {
    if message.photos().next().is_none() {
        return Ok(());
    }
    let mut reply = bot.reply(message, "The same to you");
    for attachment in message.attachments() {
        reply = reply.attach(AttachmentRequest::try_from(attachment)?);
    }
    reply.await.map(drop)
}

/// Returns a BMP file: a square in this color (red, green, blue) that fades from top to bottom.
fn drawing([red, green, blue]: [u8; 3]) -> Vec<u8> {
    const SIDE: u32 = 64;
    const HEADERS: u32 = 14 + 40;
    let size = HEADERS + SIDE * SIDE * 3;
    let mut file = b"BM".to_vec();
    for number in [size, 0, HEADERS, 40, SIDE, SIDE, 1 | 24 << 16, 0, SIDE * SIDE * 3, 0, 0, 0, 0] {
        file.extend(number.to_le_bytes());
    }
    for y in 0..SIDE {
        let fade = |part: u8| (u32::from(part) * (y + 1) / SIDE) as u8;
        for _ in 0..SIDE {
            file.extend([blue, green, red].map(fade));
        }
    }
    file
}

/// Lets Alice and Bob talk to the bot on a sandbox. Panics if the bot does not answer as expected.
async fn rehearse() -> Result<(), Box<dyn std::error::Error>> {
    let tamtam = Sandbox::builder().bot_name("Painter").start().await;
    tamtam.on_event(|event| println!("{event}"));
    let logo = std::env::temp_dir().join(format!("tamtam-example-{}.bmp", std::process::id()));
    std::fs::write(&logo, drawing([0, 128, 255]))?;
    let (bot, host) = (tamtam.bot(), tamtam.uploads());
    let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    let conversation = async move {
        for person in [&alice, &bob] {
            person.starts();
            assert_eq!(person.reads().await.text(), HELP);
        }

        alice.says("/draw 255 128 0");
        let seen = alice.reads().await;
        assert_eq!((seen.text(), &seen.attachments()[0]["type"]), ("For you", &"image".into()));
        assert_eq!(host.received()[0].bytes(), Some(&drawing([255, 128, 0])[..]));

        // The logo is sent three times, but uploaded once.
        for person in [&alice, &bob, &alice] {
            person.says("/logo");
            assert_eq!(person.reads().await.attachments()[0]["type"], "image");
        }
        assert_eq!(host.received().len(), 2);

        alice.says("/web https://example.org/cat.jpg");
        assert_eq!(alice.reads().await.attachments()[0]["type"], "image");
        alice.says("/web");
        assert_eq!(alice.reads().await.text(), HELP);

        alice.says_with("My cat", [Enclosure::photo("meow"), Enclosure::photo("purr")]);
        let seen = alice.reads().await;
        assert_eq!((seen.text(), seen.attachments().len()), ("The same to you", 2));
        assert_eq!(host.received().len(), 2);
    };
    let result = run(bot, Logo::new(&logo), conversation).await;
    std::fs::remove_file(logo)?;
    Ok(result?)
}
