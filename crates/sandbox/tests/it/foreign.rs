//! Helpers for the tests that run clients in other languages against the program.
//!
//! A missing interpreter or package fails these tests: they are never skipped.

use std::process::{Command, Output};

use serde_json::Value;

use crate::program::Program;

/// Runs a command and returns its stdout. `hint`: how to make a failing command work.
pub(super) async fn output(mut command: Command, hint: &str) -> String {
    let shown = command.get_program().display().to_string();
    // On another thread: requests of the test itself run on this one.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let Output { status, stdout, stderr } =
        output.unwrap_or_else(|error| panic!("cannot run `{shown}`: {error}; {hint}"));
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(status.success(), "`{shown}` failed ({status}); {hint}\n{stdout}{stderr}");
    stdout
}

/// The values that the program printed, as options of a script: `--chat-id=-7`.
pub(super) fn options(program: &Program, keys: &[&str]) -> Vec<String> {
    let option = |key: &&str| {
        let value = &program.ready[*key];
        assert!(!value.is_null(), "the program printed no {key}");
        // With an equals sign, because the id of a group begins with a minus.
        format!("--{}={}", key.replace('_', "-"), text(value))
    };
    keys.iter().map(option).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
