//! A bot that says everything back, and louder when asked to.
//!
//! `cargo run --example echo` rehearses it on the sandbox: Alice talks to it, and the conversation is printed as it
//! happens. With a token in `MAX_TOKEN` the same bot talks to people on MAX until Ctrl-C.

use tamtam::{Bot, Button, Keyboard, NewMessageBody, Update};
use tamtam_sandbox::Sandbox;

#[tokio::main]
async fn main() -> tamtam::Result<()> {
    // Tells of what fails, and of what is tried again.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| std::env::var_os(name).is_none()) {
        return rehearse().await;
    }
    Bot::from_env()?.run(answer).graceful_shutdown_on(tokio::signal::ctrl_c()).await
}

/// The bot: what it does about an update. If that fails, the failure is logged, and the others do not notice.
async fn answer(bot: Bot, update: Update) -> tamtam::Result<()> {
    match update {
        Update::BotStarted(started) => {
            bot.send(started.chat_id, "Hello! I say everything back.").await?;
        }
        Update::MessageCreated(created) => {
            if let Some(message) = created.message {
                bot.reply(&message, echo(message.text().unwrap_or("(no text)"))).await?;
            }
        }
        Update::MessageCallback(pressed) => {
            let shout = pressed.callback.payload.as_deref().unwrap_or_default().to_uppercase();
            bot.answer(&pressed).edit(shout).notification("As you wish").await?;
        }
        // Joining, leaving, editing: not this bot's business.
        _ => {}
    }
    Ok(())
}

/// What was said, with a button to have it said louder.
fn echo(text: &str) -> NewMessageBody {
    // A payload holds 1024 characters: a longer text is as loud as it gets.
    let payload: String = text.chars().take(1024).collect();
    NewMessageBody::from(text).keyboard(Keyboard::column(Button::callback("Louder!", payload)))
}

/// Lets Alice try the bot on a TamTam of her own. It fails if the bot does not do as expected.
async fn rehearse() -> tamtam::Result<()> {
    let tamtam = Sandbox::builder().bot_name("Echo").start().await;
    tamtam.on_event(|event| println!("{event}"));
    let alice = tamtam.user("Alice");
    let conversation = async move {
        alice.starts();
        assert_eq!(alice.reads().await.text(), "Hello! I say everything back.");
        alice.says("Good morning, dear bot");
        assert_eq!(alice.reads().await.text(), "Good morning, dear bot");
        alice.presses("Louder!");
        assert_eq!(alice.reads().await.text(), "GOOD MORNING, DEAR BOT");
        assert_eq!(alice.reads_notification().await, "As you wish");
        alice.says("Ура! 🎉");
        assert_eq!(alice.reads().await.text(), "Ура! 🎉");
    };
    tamtam.bot().run(answer).graceful_shutdown_on(conversation).await
}
