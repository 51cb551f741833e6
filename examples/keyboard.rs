//! A bot with buttons of every kind: it invites people to a party, and counts who is coming as they press.
//!
//! `cargo run --example keyboard` rehearses it on the sandbox: Alice and Bob press everything there is, and the
//! conversation is printed as it happens. With a token in `MAX_TOKEN` the same bot invites people on MAX, wherever
//! it is started or added, until Ctrl-C.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tamtam::{Bot, Button, Keyboard, Message, MessageId, NewMessageBody, Update, UserId, types::MessageCallbackUpdate};
use tamtam_sandbox::Sandbox;

#[tokio::main]
async fn main() -> tamtam::Result<()> {
    // Tells of what fails, and of what is tried again.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if ["MAX_TOKEN", "TAMTAM_TOKEN"].iter().all(|name| std::env::var_os(name).is_none()) {
        return rehearse().await;
    }
    run(Bot::from_env()?, tokio::signal::ctrl_c()).await
}

/// What a button brings when it is pressed: a value of the bot's own.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Vote {
    Coming,
    NotComing,
}

/// Who said what, by the message that has the buttons.
#[derive(Default)]
struct Polls(Mutex<HashMap<MessageId, HashMap<UserId, Vote>>>);

impl Polls {
    /// Takes a vote in place of the one that this person gave before, and counts: how many come, and how many do not.
    fn take(&self, poll: MessageId, user: UserId, vote: Vote) -> (usize, usize) {
        let mut polls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let votes = polls.entry(poll).or_default();
        votes.insert(user, vote);
        let coming = votes.values().filter(|vote| **vote == Vote::Coming).count();
        (coming, votes.len() - coming)
    }
}

/// Runs the bot, with what its handlers share.
async fn run(bot: Bot, end: impl Future + Send + 'static) -> tamtam::Result<()> {
    let polls = Arc::new(Polls::default());
    bot.run(move |bot, update| on_update(bot, update, polls.clone())).graceful_shutdown_on(end).await
}

async fn on_update(bot: Bot, update: Update, polls: Arc<Polls>) -> tamtam::Result<()> {
    match update {
        Update::BotStarted(started) => {
            bot.send(started.chat_id, invitation(0, 0)?).await?;
        }
        Update::BotAdded(added) => {
            bot.send(added.chat_id, invitation(0, 0)?).await?;
        }
        Update::MessageCallback(pressed) => on_vote(&bot, &pressed, &polls).await?,
        // The buttons for contact and location have people send messages.
        Update::MessageCreated(created) => {
            if let Some(message) = created.message {
                on_message(&bot, &message).await?;
            }
        }
        // Somebody has pressed the chat button first. The bot is in that chat, too.
        Update::MessageChatCreated(created) => {
            let about = created.start_payload.as_deref().unwrap_or("everything");
            bot.send(created.chat.chat_id, format!("Here you can talk about {about}.")).await?;
        }
        _ => {}
    }
    Ok(())
}

/// The message with the buttons, as it is when so many have voted.
fn invitation(coming: usize, not_coming: usize) -> tamtam::Result<NewMessageBody> {
    let keyboard = Keyboard::default()
        // Buttons of one kind make an array, those of different kinds a tuple.
        .row([
            Button::callback_with("Coming", &Vote::Coming)?.positive(),
            Button::callback_with("Not coming", &Vote::NotComing)?.negative(),
        ])
        .row((Button::location("I am here").quick(true), Button::contact("Call me")))
        .row((
            Button::link("The map", "https://example.org/map"),
            Button::chat("Discuss", "Party").chat_description("Who brings what?").start_payload("the party"),
        ));
    Ok(NewMessageBody::from(format!("A party! Coming: {coming}, not coming: {not_coming}")).keyboard(keyboard))
}

/// Counts a vote, and changes the message in place.
async fn on_vote(bot: &Bot, pressed: &MessageCallbackUpdate, polls: &Polls) -> tamtam::Result<()> {
    let vote = pressed.callback.payload_as()?;
    let Some(message) = &pressed.message else {
        return bot.answer(pressed).notification("This invitation is gone").await;
    };
    let (coming, not_coming) = polls.take(message.into(), pressed.callback.user.user_id, vote);
    let words = match vote {
        Vote::Coming => "See you!",
        Vote::NotComing => "A pity.",
    };
    bot.answer(pressed).edit(invitation(coming, not_coming)?).notification(words).await
}

/// Thanks for a contact or a location. In a group there is no end of other messages.
async fn on_message(bot: &Bot, message: &Message) -> tamtam::Result<()> {
    if let Some(place) = message.locations().next() {
        bot.reply(message, format!("You are at {}, {}.", place.latitude, place.longitude)).await?;
    }
    if let Some(contact) = message.contacts().next() {
        // A card may be of somebody who is not on TamTam.
        let name = contact.user().map_or("the one on the card", |user| &user.name);
        bot.reply(message, format!("I will call {name}.")).await?;
    }
    Ok(())
}

/// Lets Alice and Bob try the bot on a TamTam of their own. It fails if the bot does not do as expected.
async fn rehearse() -> tamtam::Result<()> {
    let tamtam = Sandbox::builder().bot_name("Host").start().await;
    tamtam.on_event(|event| println!("{event}"));
    let (alice, bob) = (tamtam.user("Alice"), tamtam.user("Bob"));
    let team = tamtam.group("Team", [&alice, &bob]);
    let (alice, bob) = (alice.in_chat(&team), bob.in_chat(&team));
    let (world, bot) = (tamtam.clone(), tamtam.bot());
    let party = async move {
        let invitation = alice.reads().await;
        assert_eq!(invitation.text(), "A party! Coming: 0, not coming: 0");
        assert_eq!(invitation.buttons(), [["Coming", "Not coming"], ["I am here", "Call me"], ["The map", "Discuss"]]);

        alice.presses("Coming");
        assert_eq!(alice.reads_notification().await, "See you!");
        assert_eq!(alice.reads().await.text(), "A party! Coming: 1, not coming: 0");
        bob.presses("Not coming");
        assert_eq!(bob.reads_notification().await, "A pity.");
        assert_eq!(alice.reads().await.text(), "A party! Coming: 1, not coming: 1");
        bob.presses("Coming"); // on second thoughts
        assert_eq!(bob.reads_notification().await, "See you!");
        let counted = alice.reads().await;
        assert_eq!((counted.text(), counted.is_edit()), ("A party! Coming: 2, not coming: 0", true));

        alice.presses("I am here");
        assert!(alice.reads().await.text().starts_with("You are at "));
        alice.presses("Call me");
        assert_eq!(alice.reads().await.text(), "I will call Alice.");
        alice.presses("The map"); // of which the bot does not hear

        alice.presses("Discuss");
        let chats = bot.chats().all().await.expect("the bot can list its chats");
        let party = chats.iter().find(|chat| chat.title.as_deref() == Some("Party")).expect("there is a new chat");
        let party = alice.in_chat(&world.chat(party.chat_id));
        assert_eq!(party.reads().await.text(), "Here you can talk about the party.");
    };
    run(tamtam.bot(), party).await
}
