//! A bot that answers each file with a link to it, its name and its size. Forwarded files work, too.
//!
//! `cargo run --example file_link` runs it on the sandbox: Alice sends files of all kinds and follows the links. The
//! conversation is printed as it happens. With a token in `MAX_TOKEN`, the same bot runs on MAX until Ctrl-C.

use tamtam::{Attachment, Bot, Message, Update, reqwest};
use tamtam_sandbox::{Enclosure, Sandbox};

#[tokio::main]
async fn main() -> tamtam::Result<()> {
    // Logs failures and retries.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| std::env::var_os(name).is_none()) {
        return rehearse().await;
    }
    Bot::from_env()?.run(on_update).graceful_shutdown_on(tamtam::shutdown_signal()).await
}

async fn on_update(bot: Bot, update: Update) -> tamtam::Result<()> {
    match update {
        Update::BotStarted(started) => {
            bot.send(started.chat_id, "Send or forward me a file, and I reply with a link to it.").await?;
        }
        Update::MessageCreated(created) => {
            if let Some(message) = created.message {
                on_message(&bot, &message).await?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Replies with the links. In a group, the bot ignores messages without links.
async fn on_message(bot: &Bot, message: &Message) -> tamtam::Result<()> {
    let links = links(message);
    if !links.is_empty() {
        bot.reply(message, links).await?;
    } else if message.is_dialog() {
        bot.reply(message, "This message has no file.").await?;
    }
    Ok(())
}

/// Returns a line for each file of the message, and for each file of the message that it forwards.
fn links(message: &Message) -> String {
    let forwarded = message.link().filter(|link| link.is_forward());
    let forwarded = forwarded.map(|link| link.message.attachments()).unwrap_or_default();
    let attachments = message.attachments().iter().chain(forwarded);
    let lines = attachments.filter_map(|attachment| {
        let url = attachment.url()?;
        Some(format!("{}: {url}", describe(attachment)))
    });
    // For the URLs alone, use `message.urls()` or `update.urls()`.
    lines.collect::<Vec<_>>().join("\n")
}

/// Describes an attachment. Only files have a name and a size, and only some videos have a width and a height.
fn describe(attachment: &Attachment) -> String {
    match attachment {
        Attachment::File(file) => format!("{}, {} bytes", file.filename, file.size),
        Attachment::Video(video) => match (video.width, video.height) {
            (Some(width), Some(height)) => format!("Video, {width} x {height}"),
            _ => "Video".to_owned(),
        },
        Attachment::Image(_) => "Photo".to_owned(),
        Attachment::Audio(_) => "Audio recording".to_owned(),
        Attachment::Sticker(_) => "Sticker".to_owned(),
        Attachment::Share(share) => share.title.clone().unwrap_or_else(|| "Page".to_owned()),
        // Contacts, locations and keyboards have no URL.
        _ => "Something else".to_owned(),
    }
}

/// Lets Alice talk to the bot on a sandbox. Panics if the bot does not answer as expected.
async fn rehearse() -> tamtam::Result<()> {
    let tamtam = Sandbox::builder().bot_name("Link").start().await;
    tamtam.on_event(|event| println!("{event}"));
    let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    let team = tamtam.group("Team", [&bob, &alice]);
    let conversation = async move {
        alice.starts();
        assert_eq!(alice.reads().await.text(), "Send or forward me a file, and I reply with a link to it.");

        alice.says_with("The rules", [Enclosure::file("rules.txt", "Be kind.")]);
        let answer = alice.reads().await;
        let url = answer.text().strip_prefix("rules.txt, 8 bytes: ").expect("name, size and link");
        assert_eq!(download(url).await.expect("the link works"), "Be kind.");

        alice.says_with("My cat", [Enclosure::photo("meow"), Enclosure::video("purr")]);
        let answer = alice.reads().await;
        let lines: Vec<_> = answer.text().lines().collect();
        assert!(lines.len() == 2 && lines[0].starts_with("Photo: http") && lines[1].starts_with("Video"), "{lines:?}");

        let song = bob.in_chat(&team).says_with("", [Enclosure::audio("la la la")]);
        assert!(bob.in_chat(&team).reads().await.text().starts_with("Audio recording: http"));
        alice.forwards(song);
        let answer = alice.reads().await;
        let url = answer.text().strip_prefix("Audio recording: ").expect("the link to the forwarded file");
        assert_eq!(download(url).await.expect("the link works"), "la la la");

        alice.says("No file this time");
        assert_eq!(alice.reads().await.text(), "This message has no file.");
    };
    tamtam.bot().run(on_update).graceful_shutdown_on(conversation).await
}

/// Downloads the file of a link, as a browser does.
async fn download(url: &str) -> reqwest::Result<String> {
    // A proxy of the environment cannot reach the sandbox.
    let browser = reqwest::Client::builder().no_proxy().build()?;
    browser.get(url).send().await?.error_for_status()?.text().await
}
