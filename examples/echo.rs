//! A bot that repeats each message, and repeats it in capitals at the press of a button.
//!
//! `cargo run --example echo` runs it on the sandbox: Alice talks to the bot, and the conversation is printed as it
//! happens. With a token in `MAX_TOKEN`, the same bot runs on MAX until Ctrl-C.

use tamtam::{Bot, Button, Keyboard, NewMessageBody, Update};
use tamtam_sandbox::Sandbox;

#[tokio::main]
async fn main() -> tamtam::Result<()> {
    // Logs failures and retries.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| std::env::var_os(name).is_none()) {
        return rehearse().await;
    }
    Bot::from_env()?.run(answer).graceful_shutdown_on(tamtam::shutdown_signal()).await
}

/// Handles an update. An error is logged and does not stop the bot.
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
        // Other updates, for example about members or edits, are ignored.
        _ => {}
    }
    Ok(())
}

/// Returns the text with a button to repeat it in capitals.
fn echo(text: &str) -> NewMessageBody {
    // A payload has at most 1024 characters, so longer texts are cut.
    let payload: String = text.chars().take(1024).collect();
    NewMessageBody::from(text).keyboard(Keyboard::column(Button::callback("Louder!", payload)))
}

/// Lets Alice talk to the bot on a sandbox. Panics if the bot does not answer as expected.
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
