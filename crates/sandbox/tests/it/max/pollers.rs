//! Several polls with one token: each update goes to one of them, and no update is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tamtam::Update;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::dialog;
use crate::client::Api;
use crate::conformance::Checked;

/// Polls. Returns the texts of the page, and its marker.
async fn poll(api: &Api, query: &str) -> (Vec<String>, i64) {
    let page = api.get(&format!("/updates?{query}")).await.ok();
    let told = |update: &Value| update["message"]["body"]["text"].as_str().unwrap_or("-").to_owned();
    (page["updates"].as_array().unwrap().iter().map(told).collect(), page["marker"].as_i64().unwrap())
}

/// Returns a sandbox without waiting updates, two pollers, and Alice.
async fn pollers() -> (Checked, Api, Api, tamtam_sandbox::Person) {
    let (max, api, alice) = dialog().await;
    // Over a connection that is closed afterwards.
    api.apart().drain().await;
    let other = api.apart();
    (max, api, other, alice)
}

#[tokio::test]
async fn waiting_updates_are_split_between_pollers_and_each_commits_its_own() {
    let (_max, one, other, alice) = pollers().await;
    for text in ["1", "2", "3", "4", "5"] {
        alice.says(text);
    }
    let (first, marker) = poll(&one, "timeout=0&limit=2").await;
    let (second, other_marker) = poll(&other, "timeout=0&limit=2").await;
    assert_eq!((first, second), (vec!["1".to_owned(), "2".into()], vec!["3".to_owned(), "4".into()]));
    // The uncommitted updates of the other poller are kept.
    let (third, marker) = poll(&one, &format!("timeout=0&marker={marker}")).await;
    assert_eq!(third, ["5"]);
    let (none, _) = poll(&one, &format!("timeout=0&marker={marker}")).await;
    assert_eq!(none, [""; 0]);
    let (none, _) = poll(&other, &format!("timeout=0&marker={other_marker}")).await;
    assert_eq!(none, [""; 0]);
    drop((one, other.apart()));
    let (none, _) = poll(&other.apart(), "timeout=0").await;
    assert_eq!(none, [""; 0], "all updates must be committed");
}

#[tokio::test]
async fn an_update_wakes_one_of_the_held_polls() {
    let (max, one, other, alice) = pollers().await;
    let hold = |api: &Api| {
        let api = api.clone();
        tokio::spawn(async move { poll(&api, "timeout=90").await.0 })
    };
    let (first, second) = (hold(&one), hold(&other));
    max.holds_polls(2).await;
    alice.says("1");
    let mut held = [first, second];
    let woken = futures_util::future::select_all(&mut held).await;
    assert_eq!(woken.0.unwrap(), ["1"]);
    let left = &mut held[1 - woken.1];
    assert!(!left.is_finished());
    alice.says("2");
    assert_eq!(left.await.unwrap(), ["2"]);
}

#[tokio::test]
async fn a_marker_commits_a_page_over_another_connection() {
    let (max, api, _, alice) = pollers().await;
    alice.says("1");
    let (first, marker) = poll(&api, "timeout=0").await;
    assert_eq!(first, ["1"]);
    let again = api.apart();
    assert_eq!(poll(&again, &format!("timeout=0&marker={marker}")).await.0, [""; 0]);
    max.settles().await;
    drop((api, again));
    assert_eq!(poll(&Api::of(&max), "timeout=0").await.0, [""; 0], "the update must not come again");
}

#[tokio::test]
async fn uncommitted_updates_of_a_disconnected_poller_go_to_the_other_poller() {
    let (max, one, other, alice) = pollers().await;
    alice.says("1");
    assert_eq!(poll(&other, "timeout=0").await.0, ["1"]);
    let held = {
        let one = one.clone();
        tokio::spawn(async move { poll(&one, "timeout=90").await.0 })
    };
    max.holds_polls(1).await;
    drop(other);
    assert_eq!(held.await.unwrap(), ["1"]);
}

#[tokio::test]
async fn a_later_marker_of_another_poller_does_not_commit_updates_of_a_closed_connection() {
    let (_max, one, other, alice) = pollers().await;
    alice.says("1");
    assert_eq!(poll(&other, "timeout=0").await.0, ["1"]);
    alice.says("2");
    let (got, marker) = poll(&one, "timeout=0").await;
    assert_eq!(got, ["2"]);
    drop(other);
    // The closed connection is noticed before this poll, or wakes it.
    assert_eq!(poll(&one, &format!("timeout=90&marker={marker}")).await.0, ["1"]);
}

#[tokio::test]
async fn a_marker_of_an_empty_page_does_not_commit_updates_of_another_poller() {
    let (_max, one, other, alice) = pollers().await;
    alice.says("1");
    let (got, own) = poll(&other, "timeout=0").await;
    assert_eq!(got, ["1"]);
    let (none, marker) = poll(&one, "timeout=0").await;
    assert_eq!(none, [""; 0]);
    assert_eq!(poll(&one, &format!("timeout=0&marker={marker}")).await.0, [""; 0]);
    // The update is not committed: its poller gets it again.
    assert_eq!(poll(&other, "timeout=0").await.0, ["1"]);
    assert_eq!(poll(&other, &format!("timeout=0&marker={own}")).await.0, [""; 0]);
}

#[tokio::test]
async fn a_repeated_poll_over_another_connection_gets_its_page_after_ten_seconds() {
    const AFTER: Duration = Duration::from_secs(10);
    let (max, one, other, alice) = pollers().await;
    let (_, marker) = poll(&one, "timeout=0").await;
    alice.says("1");
    let query = format!("timeout=0&marker={marker}");
    assert_eq!(poll(&one, &query).await.0, ["1"]);
    assert_eq!(poll(&one, &query).await.0, ["1"], "the same connection gets the page again at once");
    assert_eq!(poll(&other, &query).await.0, [""; 0], "the other connection may be another bot");
    max.time_passes(AFTER);
    assert_eq!(poll(&other, &query).await.0, ["1"]);
}

/// Sends the texts of a bot's update stream to `told`.
async fn stream(bot: tamtam::Bot, told: UnboundedSender<String>) {
    let mut updates = bot.updates();
    while let Some(update) = updates.try_next().await.unwrap() {
        if let Update::MessageCreated(created) = update {
            told.send(created.message.unwrap().text().unwrap().to_owned()).unwrap();
        }
    }
}

#[tokio::test]
async fn two_bots_with_one_token_together_get_every_update_once() {
    let (max, _, _, alice) = pollers().await;
    let mut expected = BTreeSet::new();
    let mut say = |text: String| {
        alice.says(text.as_str());
        expected.insert(text);
    };
    (0..150).for_each(|number| say(format!("before {number}")));
    let (tell, mut told) = unbounded_channel();
    let tasks = [max.bot(), max.bot()].map(|bot| tokio::spawn(stream(bot, tell.clone())));
    max.holds_polls(2).await;
    for number in 0..100 {
        say(format!("after {number}"));
        // From time to time both polls are held again, so that either can get the next update.
        if number % 10 == 0 {
            max.holds_polls(2).await;
        }
    }
    max.settles().await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    let mut got = Vec::new();
    while let Ok(text) = told.try_recv() {
        got.push(text);
    }
    let count = got.len();
    assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), expected, "no update may be missing");
    assert_eq!(count, expected.len(), "no update may come twice");
}
