//! One bot on two services: the same handler runs on TamTam and on MAX.
//!
//! `cargo run --example both` runs it on a sandbox of each service, with the same people, and prints both transcripts.
//! It needs no token and ends by itself.

use tamtam::{Bot, Button, Keyboard, Service, Update, types::MessageCallbackUpdate};
use tamtam_sandbox::{RateLimit, Sandbox};

#[tokio::main]
async fn main() -> tamtam::Result<()> {
    // Logs failures and retries.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    let on_tamtam = rehearse(Service::TamTam).await?;
    let on_max = rehearse(Service::Max).await?;
    println!("On TamTam:\n{on_tamtam}\nOn MAX:\n{on_max}");
    assert_eq!(on_tamtam, on_max, "people see the same on both services");
    Ok(())
}

/// Handles the updates of both services.
async fn on_update(bot: Bot, update: Update) -> tamtam::Result<()> {
    match update {
        Update::BotStarted(started) => {
            bot.send(started.chat_id, format!("Hello, {}! I say everything back.", started.user.name)).await?;
        }
        Update::MessageCreated(created) => {
            // On MAX, the update about a voice message has no `message`.
            if let Some(message) = created.message {
                let buttons = [Button::callback("Louder", "louder"), Button::callback("Quieter", "quieter")];
                let text = message.text().unwrap_or("(no text)");
                bot.reply(&message, text).keyboard(Keyboard::default().row(buttons)).await?;
            }
        }
        Update::MessageCallback(pressed) => on_press(&bot, &pressed).await?,
        _ => {}
    }
    Ok(())
}

/// Changes the text of the message, and keeps the buttons.
async fn on_press(bot: &Bot, pressed: &MessageCallbackUpdate) -> tamtam::Result<()> {
    let Some(text) = pressed.message.as_ref().and_then(|message| message.text()) else {
        return bot.answer(pressed).notification("This message is gone").await;
    };
    let changed = match pressed.callback.payload.as_deref() {
        Some("louder") => text.to_uppercase(),
        _ => text.to_lowercase(),
    };
    bot.answer(pressed).edit(changed).notification("As you wish").await
}

/// Lets Alice and Bob talk to the bot. Panics if the bot does not answer as expected. Returns the transcript.
async fn rehearse(service: Service) -> tamtam::Result<String> {
    // MAX allows 2 polls per second, and Alice types faster. With the limit, the bot would wait.
    let builder = Sandbox::builder().service(service).rate_limit(RateLimit::none());
    let sandbox = builder.bot_name("Echo").start().await;
    let (alice, bob) = (sandbox.user("Alice Liddell"), sandbox.user("Bob"));
    let conversation = async move {
        alice.starts();
        assert_eq!(alice.reads().await.text(), "Hello, Alice Liddell! I say everything back.");
        alice.says("Good morning");
        let echo = alice.reads().await;
        assert_eq!(echo.text(), "Good morning");
        assert_eq!(echo.buttons(), [["Louder", "Quieter"]]);
        alice.presses("Louder");
        assert_eq!(alice.reads_notification().await, "As you wish");
        assert_eq!(alice.reads().await.text(), "GOOD MORNING");

        bob.starts();
        assert_eq!(bob.reads().await.text(), "Hello, Bob! I say everything back.");
        bob.says("Привет");
        assert_eq!(bob.reads().await.text(), "Привет");
        bob.presses("Quieter");
        assert_eq!(bob.reads_notification().await, "As you wish");
        assert_eq!(bob.reads().await.text(), "привет");
    };
    sandbox.bot().run(on_update).graceful_shutdown_on(conversation).await?;
    Ok(sandbox.transcript())
}
