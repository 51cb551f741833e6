//! Conformance suite: checks the behavior of TamTam and MAX on the sandbox and on the real servers.
//!
//! `cargo test --test conformance` runs every check on sandboxes of both services. It uses no real account.
//!
//! With `TAMTAM_LIVE=1` or `MAX_LIVE=1` the suite runs against the real server of that service. It reports each check
//! and each skipped part. The names of the variables begin with the name of the service:
//!
//! | variable | |
//! |---|---|
//! | `MAX_TOKEN` | the token of the bot; required |
//! | `MAX_BASE_URL` | URL of the server; defaults to the URL of the service |
//! | `MAX_LIVE_CHAT` | id of a group in which the bot is an administrator; most checks need it |
//! | `MAX_LIVE_CHANNEL` | id of a channel with comments, in which the bot is an administrator; MAX only |
//! | `MAX_LIVE_VIDEO` | path of a short video |
//! | `MAX_LIVE_UPDATES` | 1 allows polls and webhooks; other programs of the bot then miss updates |
//!
//! A live run deletes its messages, restores title, pin and commands, and removes no members. It posts without
//! notifications, except in the channel: there MAX refuses posts without a notification. Every request of the bot goes
//! through a [`recorder`], which checks each answer against the OpenAPI document of the service.

#[path = "../it/document.rs"]
#[expect(dead_code, reason = "only the text of the documents is needed")]
mod document;
#[path = "../it/schemas.rs"]
mod schemas;

mod checks;
mod live;
mod media;
mod operations;
mod outcome;
mod place;
mod recorder;
mod report;
mod settings;

use settings::Live;
use tamtam::Service;

/// The services that the suite checks.
const SERVICES: [Service; 2] = [Service::TamTam, Service::Max];

#[tokio::test]
async fn the_server_does_what_is_documented() {
    let live = Live::from_env().unwrap_or_else(|why| panic!("{why}"));
    let mut problems = Vec::new();
    match live {
        Some(live) => problems.extend(report::live(live).await.problems()),
        None => {
            for service in SERVICES {
                problems.extend(report::on_sandboxes(service).await.problems());
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
