//! The update stream, over real sockets.

use tamtam::Update;

use crate::conformance;

#[tokio::test]
async fn hands_out_what_people_say_and_answers_them() {
    let tamtam = conformance::start().await;
    let alice = tamtam.user("Alice");
    alice.says("hi");
    let bot = tamtam.bot();
    let mut updates = bot.updates();
    let started = updates.try_next().await.unwrap().unwrap();
    assert!(matches!(started, Update::BotStarted(_)), "{started:?}");
    let Some(Update::MessageCreated(created)) = updates.try_next().await.unwrap() else { panic!() };
    let message = created.message.unwrap();
    assert_eq!(message.body.as_ref().unwrap().text.as_deref(), Some("hi"));
    bot.reply(&message, "hello").await.unwrap();
    assert_eq!(alice.reads().await.text(), "hello");
    bot.send(alice.chat_id(), "again").await.unwrap();
    assert_eq!(alice.reads().await.text(), "again");
}
