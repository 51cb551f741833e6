//! A bot with every kind of button of TamTam: it invites people to a party and counts their answers.
//!
//! `cargo run --example keyboard` runs it on the sandbox: Alice and Bob press all buttons, and the conversation is
//! printed as it happens. With a token in `TAMTAM_TOKEN`, the same bot runs on TamTam until Ctrl-C. It does not run on
//! MAX, which has no `chat` buttons. It sends an invitation to each chat where it is started or added.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tamtam::{Bot, Button, Keyboard, Message, MessageId, NewMessageBody, Update, UserId, types::MessageCallbackUpdate};
use tamtam_sandbox::Sandbox;

#[tokio::main]
async fn main() -> tamtam::Result<()> {
    // Logs failures and retries.
    tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).init();
    if std::env::var_os("TAMTAM_TOKEN").is_none() {
        return rehearse().await;
    }
    run(Bot::from_env()?, tamtam::shutdown_signal()).await
}

/// The payload of the buttons: a type of the bot's own.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Vote {
    Coming,
    NotComing,
}

/// The votes of people, by the message with the buttons.
#[derive(Default)]
struct Polls(Mutex<HashMap<MessageId, HashMap<UserId, Vote>>>);

impl Polls {
    /// Replaces the vote of this person. Returns the numbers of people who are coming and not coming.
    fn take(&self, poll: MessageId, user: UserId, vote: Vote) -> (usize, usize) {
        let mut polls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let votes = polls.entry(poll).or_default();
        votes.insert(user, vote);
        let coming = votes.values().filter(|vote| **vote == Vote::Coming).count();
        (coming, votes.len() - coming)
    }
}

/// Runs the bot. Its handlers share the votes.
async fn run(bot: Bot, end: impl Future + Send + 'static) -> tamtam::Result<()> {
    let polls = Arc::new(Polls::default());
    bot.run_with(polls, on_update).graceful_shutdown_on(end).await
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
        // The buttons for contact and location send messages.
        Update::MessageCreated(created) => {
            if let Some(message) = created.message {
                on_message(&bot, &message).await?;
            }
        }
        // The first press of the chat button has created a chat. The bot is a member of it.
        Update::MessageChatCreated(created) => {
            let about = created.start_payload.as_deref().unwrap_or("everything");
            bot.send(created.chat.chat_id, format!("Here you can talk about {about}.")).await?;
        }
        _ => {}
    }
    Ok(())
}

/// Returns the message with the buttons and these numbers of votes.
fn invitation(coming: usize, not_coming: usize) -> tamtam::Result<NewMessageBody> {
    let keyboard = Keyboard::default()
        // A row is an array of buttons of one kind, or a tuple of buttons of different kinds.
        .row([
            Button::callback_with("Coming", &Vote::Coming)?.positive(),
            Button::callback_with("Not coming", &Vote::NotComing)?.negative(),
        ])
        .row((Button::location("I am here").quick(true), Button::contact("Call me")))
        .row((
            Button::link("Map", "https://example.org/map"),
            Button::chat("Discuss", "Party").chat_description("Who brings what?").start_payload("the party"),
        ));
    Ok(NewMessageBody::from(format!("A party! Coming: {coming}, not coming: {not_coming}")).keyboard(keyboard))
}

/// Counts a vote and edits the message in place.
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

/// Replies to a contact or a location. Other messages are ignored.
async fn on_message(bot: &Bot, message: &Message) -> tamtam::Result<()> {
    if let Some(place) = message.locations().next() {
        bot.reply(message, format!("You are at {}, {}.", place.latitude, place.longitude)).await?;
    }
    if let Some(contact) = message.contacts().next() {
        // The person of a contact may have no account.
        let name = contact.user().map_or("the person on the card", |user| &user.name);
        bot.reply(message, format!("I will call {name}.")).await?;
    }
    Ok(())
}

/// Lets Alice and Bob talk to the bot on a sandbox. Panics if the bot does not answer as expected.
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
        assert_eq!(invitation.buttons(), [["Coming", "Not coming"], ["I am here", "Call me"], ["Map", "Discuss"]]);

        alice.presses("Coming");
        assert_eq!(alice.reads_notification().await, "See you!");
        assert_eq!(alice.reads().await.text(), "A party! Coming: 1, not coming: 0");
        bob.presses("Not coming");
        assert_eq!(bob.reads_notification().await, "A pity.");
        assert_eq!(alice.reads().await.text(), "A party! Coming: 1, not coming: 1");
        bob.presses("Coming"); // Bob changes his vote.
        assert_eq!(bob.reads_notification().await, "See you!");
        let counted = alice.reads().await;
        assert_eq!((counted.text(), counted.is_edit()), ("A party! Coming: 2, not coming: 0", true));

        alice.presses("I am here");
        assert!(alice.reads().await.text().starts_with("You are at "));
        alice.presses("Call me");
        assert_eq!(alice.reads().await.text(), "I will call Alice.");
        alice.presses("Map"); // The bot gets no update for a link.

        alice.presses("Discuss");
        let chats = bot.chats().all().await.expect("the bot can list its chats");
        let party = chats.iter().find(|chat| chat.title.as_deref() == Some("Party")).expect("there is a new chat");
        let party = alice.in_chat(&world.chat(party.chat_id));
        assert_eq!(party.reads().await.text(), "Here you can talk about the party.");
    };
    run(tamtam.bot(), party).await
}
