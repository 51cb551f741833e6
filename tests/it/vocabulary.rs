//! Common tasks of bots, on the sandbox: messages, keyboards, callbacks, constructors.

mod attachments;
mod callbacks;
mod constructors;
mod keyboards;
mod messages;

use std::{future::IntoFuture, time::Duration};

use tamtam::{Bot, ErrorKind, Message, Update, updates::Updates};
use tamtam_sandbox::{Person, Sandbox};

/// Starts a sandbox. Returns it, its bot, and Alice, who has started the bot.
async fn sandbox() -> (Sandbox, Bot, Person) {
    let tamtam = Sandbox::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    (tamtam, bot, alice)
}

/// Returns the first result of `pick` for the next updates.
async fn next<T>(updates: &mut Updates, pick: impl Fn(Update) -> Option<T>) -> T {
    let find = async {
        loop {
            let update = updates.try_next().await.unwrap().expect("the stream continues");
            if let Some(found) = pick(update) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), find).await.expect("an update")
}

/// Returns the next message of a person.
async fn next_message(updates: &mut Updates) -> Message {
    next(updates, |update| match update {
        Update::MessageCreated(update) => update.message.map(|message| *message),
        _ => None,
    })
    .await
}

/// Returns the reason why a request was not sent, without the prefix of the error.
async fn unsent<T>(request: impl IntoFuture<Output = tamtam::Result<T>>) -> String {
    let Err(error) = request.await else { panic!("the request was sent") };
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    let words = error.to_string();
    let (_, words) = words.split_once("not sent: ").unwrap_or_else(|| panic!("the request was sent: {words}"));
    words.to_owned()
}
