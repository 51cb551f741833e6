//! A bot with a webhook: it subscribes at its start, answers the updates of each delivery, and unsubscribes at its end.
//!
//! `cargo run --example webhook` runs it on the sandbox: Alice talks to the bot, and the conversation and the
//! deliveries are printed as they happen. With a token in `MAX_TOKEN` and a URL in `WEBHOOK_URL`, the same bot runs on
//! MAX until Ctrl-C. The path of the URL is a secret: make it with `openssl rand -hex 32`. A proxy must terminate TLS
//! and forward requests to 127.0.0.1:8080.

use std::error::Error;

use tamtam::{
    Bot, Update, UpdateType,
    reqwest::Url,
    updates::Recovery,
    webhook::{Webhook, axum},
};
use tamtam_sandbox::Sandbox;
use tokio::{net::TcpListener, sync::oneshot};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Ok(url) = std::env::var("WEBHOOK_URL") else { return rehearse().await };
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    serve(Bot::from_env()?, listener, url, tamtam::shutdown_signal()).await
}

/// Runs the bot until `end`. The messenger sends updates to `url`, and a proxy forwards them to `listener`.
async fn serve(
    bot: Bot,
    listener: TcpListener,
    url: String,
    end: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Box<dyn Error>> {
    let webhook = Webhook::new(bot.clone(), Url::parse(&url)?.path())?.on_error(|failed| {
        eprintln!("{}", failed.cause());
        // The messenger retries a delivery for hours. Retry only a call that may succeed later and was not applied.
        match failed.call_error() {
            Some(error) if error.is_retryable() && !error.may_have_been_applied() => Recovery::Retry,
            _ => Recovery::Skip,
        }
    });
    bot.subscribe_webhook(&url, [UpdateType::BotStarted, UpdateType::MessageCreated]).await?;
    let unsubscribed = async move {
        end.await;
        // Unsubscribe only if the bot ends for good or changes to polling. For a restart, stay subscribed: the missed
        // updates are delivered afterwards.
        if let Err(error) = bot.api().unsubscribe(&url).await {
            eprintln!("{error}");
        }
    };
    // Running handlers finish before the server stops.
    axum::serve(listener, webhook.router(on_update)).with_graceful_shutdown(unsubscribed).await?;
    Ok(())
}

async fn on_update(bot: Bot, update: Update) -> tamtam::Result<()> {
    match update {
        Update::BotStarted(started) => bot.send(started.chat_id, "Hello! Say something.").await.map(drop),
        Update::MessageCreated(created) => match created.message {
            Some(message) => bot.reply(&message, "I heard you.").await.map(drop),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Lets Alice talk to the bot on a sandbox. Panics if the bot does not answer as expected.
async fn rehearse() -> Result<(), Box<dyn Error>> {
    let tamtam = Sandbox::builder().bot_name("Listener").start().await;
    tamtam.on_event(|event| println!("{event}"));
    tamtam.on_delivery(|delivery| match delivery.status() {
        Some(status) => println!("  (delivered: {status})"),
        None => println!("  (not delivered: {})", delivery.error().unwrap_or_default()),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    // On the sandbox, the path need not be secret.
    let url = format!("http://{}/rehearsal-0f6b1c9e8d7a4b3c2d1e0f9a8b7c6d5e", listener.local_addr()?);
    let (end, ended) = oneshot::channel::<()>();
    let bot = tokio::spawn({
        let bot = tamtam.bot();
        async move { serve(bot, listener, url, async { drop(ended.await) }).await.map_err(|error| error.to_string()) }
    });
    let alice = tamtam.user("Alice");
    alice.starts();
    assert_eq!(alice.reads().await.text(), "Hello! Say something.");
    tamtam.delivers().await;
    alice.says("Good morning, dear bot");
    assert_eq!(alice.reads().await.text(), "I heard you.");
    tamtam.delivers().await;
    drop(end);
    bot.await??;
    let left = tamtam.bot().api().get_subscriptions().await?;
    assert!(left.subscriptions.is_empty(), "the bot must unsubscribe its webhook");
    Ok(())
}
