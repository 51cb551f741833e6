//! One suite for the sandbox and the real API: what a server of TamTam's Bot API does.
//!
//! `cargo test --test conformance` runs it on sandboxes, and touches no account whatever the environment says. With
//! `TAMTAM_LIVE=1` it runs against the account of the token in `TAMTAM_TOKEN`, and tells what it did and what it left out:
//!
//! | variable | |
//! |---|---|
//! | `TAMTAM_BASE_URL` | another server than TamTam's |
//! | `TAMTAM_LIVE_CHAT` | the id of a group in which the bot is an administrator; most checks need one |
//! | `TAMTAM_LIVE_VIDEO` | the path of a short video |
//! | `TAMTAM_LIVE_UPDATES` | 1 lets the suite poll and subscribe; whoever serves the bot misses those updates |
//!
//! It deletes what it posts, puts title, pin and commands back as they were, and removes nobody. Whatever the bot is asked
//! goes through a [`recorder`] that holds every answer against the OpenAPI document.

#[path = "../it/document.rs"]
#[expect(dead_code, reason = "of the document only its text is needed")]
mod document;
#[path = "../it/schemas.rs"]
mod schemas;

mod checks;
mod live;
mod media;
mod place;
mod recorder;

use std::{collections::BTreeSet, io::Write, sync::LazyLock};

use checks::CHECKS;
use place::{Live, Place, Skip};
use recorder::Found;
use serde_json::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document::load("tamtam"));

/// What came of the suite.
#[derive(Default)]
struct Report {
    passed: usize,
    skipped: Vec<String>,
    failed: Vec<String>,
    found: Found,
}

#[tokio::test]
async fn the_server_does_what_is_documented() {
    let live = Live::from_env().unwrap_or_else(|why| panic!("{why}"));
    // Past the capture of the test harness: who runs it live wants to see what it does.
    let is_live = live.is_some();
    let say = |line: &str| if is_live { drop(writeln!(std::io::stderr(), "{line}")) } else { println!("{line}") };
    let report = match live {
        Some(live) => run_live(live, say).await,
        None => run_on_sandboxes(say).await,
    };
    let (all, asked) = (operations(), &report.found.operations);
    let unasked: Vec<_> = all.difference(asked).collect();
    say(&format!("{} passed, {} skipped, {} failed", report.passed, report.skipped.len(), report.failed.len()));
    for line in report.skipped.iter().chain(&report.failed) {
        say(&format!("  {line}"));
    }
    say(&format!("{} of {} operations were called", asked.len(), all.len()));
    unasked.iter().for_each(|operation| say(&format!("  not {operation}")));
    for difference in &report.found.differences {
        say(&format!("not as documented: {difference}"));
    }
    assert!(is_live || unasked.is_empty(), "on the sandbox every operation is called, but not {unasked:?}");
    assert!(is_live || report.skipped.is_empty(), "on the sandbox nothing is skipped: {:?}", report.skipped);
    assert!(report.failed.is_empty(), "{} checks failed", report.failed.len());
    assert!(report.found.differences.is_empty(), "{} answers were not as documented", report.found.differences.len());
}

/// Each check has a sandbox of its own.
async fn run_on_sandboxes(say: impl Fn(&str)) -> Report {
    say("on the sandbox");
    let mut report = Report::default();
    for check in CHECKS {
        let place = Place::sandbox().await;
        report.run(check, &place, &say).await;
        let found = place.recorder.found();
        report.found.operations.extend(found.operations);
        report.found.differences.extend(found.differences);
    }
    report
}

/// All checks share the account, one after the other.
async fn run_live(live: Live, say: impl Fn(&str)) -> Report {
    say("live: everything that is posted is deleted again");
    let mut report = Report::default();
    let place = Place::live(live).await;
    for check in CHECKS {
        report.run(check, &place, &say).await;
    }
    report.found = place.recorder.found();
    report
}

impl Report {
    /// Makes a check and cleans up after it. One that fails does not keep the others from being made.
    async fn run(&mut self, (name, check): &checks::Check, place: &Place, say: impl Fn(&str)) {
        let done = tokio::spawn(check(place.clone())).await;
        let left_behind = place.clean_up().await;
        match done {
            Err(panic) => {
                let panic = panic.into_panic();
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
                let told = place.transcript().map(|told| format!("\n{told}")).unwrap_or_default();
                self.fail(name, &format!("{text}{told}"), &say);
            }
            Ok(_) if !left_behind.is_empty() => {}
            Ok(Err(why)) => self.skip(name, &why, &say),
            Ok(Ok(())) => {
                self.passed += 1;
                say(&format!("passed: {name}"));
            }
        }
        if !left_behind.is_empty() {
            self.fail(name, &format!("could not clean up: {left_behind:?}"), &say);
        }
    }

    fn skip(&mut self, name: &str, why: &Skip, say: impl Fn(&str)) {
        self.skipped.push(format!("{why} ({name})"));
        say(&format!("{why} ({name})"));
    }

    fn fail(&mut self, name: &str, why: &str, say: impl Fn(&str)) {
        self.failed.push(name.to_owned());
        say(&format!("FAILED: {name}: {why}"));
    }
}

/// All operations of the document.
fn operations() -> BTreeSet<String> {
    let methods = DOCUMENT["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let ids = methods.filter_map(|methods| methods.as_object()).flat_map(|methods| methods.values());
    ids.filter_map(|operation| operation["operationId"].as_str().map(str::to_owned)).collect()
}
