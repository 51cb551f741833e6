//! Actions, on the sandbox. Unit tests cover how often an action is repeated and when a guard gives up, because they
//! control the time.

use std::time::Duration;

use tamtam::{Bot, ChatId, request::ActionGuard, types::SenderAction};
use tokio::{sync::mpsc, time::timeout};

use crate::conformance::{self, Checked};

/// Time limit of each step; reached only if a test fails.
const LONG: Duration = Duration::from_secs(30);

/// A function that creates a guard.
type Guard = fn(&Bot, ChatId) -> ActionGuard;

/// Collects the actions that the sandbox receives from now on, with the status of each answer.
fn actions(tamtam: &Checked) -> mpsc::UnboundedReceiver<(String, u16)> {
    let (tell, told) = mpsc::unbounded_channel();
    tamtam.on_exchange(move |exchange| {
        if exchange.operation() == Some("sendAction") {
            let body = String::from_utf8(exchange.request_body().to_vec()).unwrap();
            let _ = tell.send((body, exchange.status()));
        }
    });
    told
}

#[tokio::test]
async fn every_guard_shows_its_action_at_once() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let mut shown = actions(&tamtam);
    let guards: [(Guard, &str); 5] = [
        (Bot::typing, "typing_on"),
        (Bot::sending_photo, "sending_photo"),
        (Bot::sending_video, "sending_video"),
        (Bot::sending_audio, "sending_audio"),
        (Bot::sending_file, "sending_file"),
    ];
    for (guard, action) in guards {
        let _guard = guard(&bot, alice.chat_id());
        let (body, status) = timeout(LONG, shown.recv()).await.unwrap().unwrap();
        assert_eq!((body, status), (format!(r#"{{"action":"{action}"}}"#), 200));
    }
}

#[tokio::test]
async fn an_action_without_a_guard_is_sent_once() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    let mut shown = actions(&tamtam);
    bot.mark_seen(alice.chat_id()).await.unwrap();
    bot.action(alice.chat_id(), SenderAction::SendingFile).await.unwrap();
    drop(tamtam);
    let mut bodies = Vec::new();
    while let Ok((body, _)) = shown.try_recv() {
        bodies.push(body);
    }
    assert_eq!(bodies, [r#"{"action":"mark_seen"}"#, r#"{"action":"sending_file"}"#]);
}

#[tokio::test]
async fn a_guard_ignores_a_refused_action() {
    let tamtam = conformance::start().await;
    let (bot, alice) = (tamtam.bot(), tamtam.user("Alice"));
    alice.starts();
    alice.stops();
    let mut shown = actions(&tamtam);
    let typing = bot.typing(alice.chat_id());
    assert_eq!(timeout(LONG, shown.recv()).await.unwrap().unwrap().1, 403);
    bot.me().await.unwrap();
    drop(typing);
    assert!(bot.mark_seen(alice.chat_id()).await.unwrap_err().is_forbidden());
}
