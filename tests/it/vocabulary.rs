//! What a bot author writes a hundred times a day, on the sandbox: messages, keyboards, callbacks, constructors.

mod attachments;
mod callbacks;
mod constructors;
mod keyboards;
mod messages;

use std::{future::IntoFuture, time::Duration};

use tamtam::{Bot, ErrorKind, Message, Update, Updates};
use tamtam_sandbox::{Person, Sandbox};

/// A sandbox, its bot, and Alice, who has started it.
async fn sandbox() -> (Sandbox, Bot, Person) {
    let tamtam = Sandbox::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    (tamtam, bot, alice)
}

/// The next update of which `pick` makes something.
async fn next<T>(updates: &mut Updates, pick: impl Fn(Update) -> Option<T>) -> T {
    let find = async {
        loop {
            let update = updates.try_next().await.unwrap().expect("the stream goes on");
            if let Some(found) = pick(update) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), find).await.expect("an update")
}

/// The next message that somebody writes.
async fn next_message(updates: &mut Updates) -> Message {
    next(updates, |update| match update {
        Update::MessageCreated(update) => update.message.map(|message| *message),
        _ => None,
    })
    .await
}

/// Why a request was not sent: the error's words without those that all of them have.
async fn unsent<T>(request: impl IntoFuture<Output = tamtam::Result<T>>) -> String {
    let Err(error) = request.await else { panic!("it was sent") };
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    let words = error.to_string();
    let (_, words) = words.split_once("not sent: ").unwrap_or_else(|| panic!("it was sent: {words}"));
    words.to_owned()
}
