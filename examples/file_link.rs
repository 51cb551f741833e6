//! A bot that answers whatever file it is sent with a link to it, and with its name and size: also in what is forwarded.
//!
//! `cargo run --example file_link` rehearses it on the sandbox: Alice sends it files of all kinds and follows the links,
//! and the conversation is printed as it happens. With a token in `MAX_TOKEN` the same bot works on MAX until
//! Ctrl-C.

use tamtam::{Bot, Message, Update, reqwest, types::Attachment};
use tamtam_sandbox::{Enclosure, Sandbox};

#[tokio::main]
async fn main() -> tamtam::Result<()> {
    // Tells of what fails, and of what is tried again.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| std::env::var_os(name).is_none()) {
        return rehearse().await;
    }
    Bot::from_env()?.run(on_update).graceful_shutdown_on(tokio::signal::ctrl_c()).await
}

async fn on_update(bot: Bot, update: Update) -> tamtam::Result<()> {
    match update {
        Update::BotStarted(started) => {
            bot.send(started.chat_id, "Send or forward me a file, and I tell where it is.").await?;
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

/// Answers with the links. In a group the bot is silent about all the messages that have none.
async fn on_message(bot: &Bot, message: &Message) -> tamtam::Result<()> {
    let links = links(message);
    if !links.is_empty() {
        bot.reply(message, links).await?;
    } else if message.is_dialog() {
        bot.reply(message, "I see no file.").await?;
    }
    Ok(())
}

/// A line for each file of the message, and of the one that it forwards.
fn links(message: &Message) -> String {
    let forwarded = message.link().filter(|link| link.is_forward());
    let forwarded = forwarded.map(|link| link.message.attachments()).unwrap_or_default();
    let attachments = message.attachments().iter().chain(forwarded);
    let lines = attachments.filter_map(|attachment| {
        let url = attachment.url()?;
        Some(format!("{}: {url}", describe(attachment)))
    });
    // Who wants nothing but the URLs writes `message.urls()`, or `update.urls()`.
    lines.collect::<Vec<_>>().join("\n")
}

/// What is attached, as far as TamTam tells: names and sizes have files only, measures some videos.
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
        // Contacts, places and keyboards have no URL.
        _ => "Something else".to_owned(),
    }
}

/// Lets Alice try the bot on a TamTam of her own. It fails if the bot does not do as expected.
async fn rehearse() -> tamtam::Result<()> {
    let tamtam = Sandbox::builder().bot_name("Link").start().await;
    tamtam.on_event(|event| println!("{event}"));
    let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    let team = tamtam.group("Team", [&bob, &alice]);
    let conversation = async move {
        alice.starts();
        assert_eq!(alice.reads().await.text(), "Send or forward me a file, and I tell where it is.");

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
        let url = answer.text().strip_prefix("Audio recording: ").expect("the link to what is forwarded");
        assert_eq!(download(url).await.expect("the link works"), "la la la");

        alice.says("No file this time");
        assert_eq!(alice.reads().await.text(), "I see no file.");
    };
    tamtam.bot().run(on_update).graceful_shutdown_on(conversation).await
}

/// Follows a link, as a browser does.
async fn download(url: &str) -> reqwest::Result<String> {
    // The environment's proxy has no way to the sandbox.
    let browser = reqwest::Client::builder().no_proxy().build()?;
    browser.get(url).send().await?.error_for_status()?.text().await
}
