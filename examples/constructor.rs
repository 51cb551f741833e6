//! A bot with a constructor: people compose greeting cards with it and post them in any chat.
//!
//! `cargo run --example constructor` runs it on the sandbox: Alice composes a card for a group without the bot. The
//! conversation is printed as it happens. With a token in `TAMTAM_TOKEN`, the same bot runs on TamTam until Ctrl-C.
//! Constructor mode must be enabled in PrimeBot.

use serde::{Deserialize, Serialize};
use tamtam::{
    AttachmentRequest, Bot, Button, Keyboard, Update,
    types::{ConstructedMessageBody, ConstructorInput, MessageConstructionRequest},
};
use tamtam_sandbox::Sandbox;

#[tokio::main]
async fn main() -> tamtam::Result<()> {
    // Logs failures and retries.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if std::env::var_os("TAMTAM_TOKEN").is_none() {
        return rehearse().await;
    }
    Bot::from_env()?.run(answer).graceful_shutdown_on(tamtam::shutdown_signal()).await
}

/// The occasion of a card: the payload of the buttons.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Occasion {
    Birthday,
    NewYear,
}

/// The input so far. TamTam stores it between the steps, so the bot needs no state.
#[derive(Default, Serialize, Deserialize)]
struct Card {
    occasion: Option<Occasion>,
    name: Option<String>,
}

/// Handles an update.
async fn answer(bot: Bot, update: Update) -> tamtam::Result<()> {
    match update {
        Update::MessageConstructionRequest(request) => construct(&bot, &request).await?,
        Update::MessageConstructed(done) => {
            println!("posted in session {}: {:?}", done.session_id, done.message.text().unwrap_or("(no text)"));
        }
        // The button of the card sends presses to the bot, also from chats without the bot.
        Update::MessageCallback(pressed) => bot.answer(&pressed).notification("Thank you!").await?,
        _ => {}
    }
    Ok(())
}

/// Runs one step: takes the input of the person and shows the next question or the card.
async fn construct(bot: &Bot, request: &MessageConstructionRequest) -> tamtam::Result<()> {
    let mut card: Card = request.data_as()?.unwrap_or_default();
    match &request.input {
        ConstructorInput::Callback(pressed) => card.occasion = Some(pressed.payload_as()?),
        typed => card.name = typed.text().map(str::to_owned).or(card.name),
    }
    let step = bot.construct(request).data(&card)?;
    match (card.occasion, &card.name) {
        (None, _) => {
            let occasions = Keyboard::default().row([
                Button::callback_with("Birthday", &Occasion::Birthday)?,
                Button::callback_with("New Year", &Occasion::NewYear)?,
            ]);
            step.hint("What is the card for?").keyboard(occasions).allow_user_input(false).await
        }
        (Some(_), None) => step.hint("Who is the card for?").placeholder("A name").allow_user_input(true).await,
        // Typing again changes the name until the card is posted.
        (Some(occasion), Some(name)) => step.message(greeting(occasion, name)).allow_user_input(true).await,
    }
}

/// Returns the card.
fn greeting(occasion: Occasion, name: &str) -> ConstructedMessageBody {
    let (words, picture) = match occasion {
        Occasion::Birthday => ("Happy birthday", "cake"),
        Occasion::NewYear => ("Happy New Year", "fireworks"),
    };
    ConstructedMessageBody::from(format!("{words}, {name}!"))
        .attach(AttachmentRequest::photo_url(format!("https://example.org/{picture}.jpg")))
        .keyboard(Keyboard::column(Button::callback("Thanks!", "thanks").positive()))
}

/// Lets Alice talk to the bot on a sandbox. Panics if the bot does not answer as expected.
async fn rehearse() -> tamtam::Result<()> {
    let tamtam = Sandbox::builder().bot_name("Cards").start().await;
    tamtam.on_event(|event| println!("{event}"));
    let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    let team = tamtam.group("Team", [&alice, &bob]);
    let (alice, bob) = (alice.in_chat(&team), bob.in_chat(&team));
    let composing = async move {
        alice.removes_bot();
        let card = alice.opens_constructor();
        assert_eq!(card.reads().await.buttons(), [["Birthday", "New Year"]]);
        card.presses("Birthday");
        assert_eq!(card.reads().await.hint(), Some("Who is the card for?"));
        card.types("Bob");
        assert_eq!(card.reads().await.texts(), ["Happy birthday, Bob!"]);
        card.posts();
        bob.presses("Thanks!");
        assert_eq!(bob.reads_notification().await, "Thank you!");
    };
    tamtam.bot().run(answer).graceful_shutdown_on(composing).await
}
