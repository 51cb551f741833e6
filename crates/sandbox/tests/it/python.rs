//! The Python library botapitamtam: every call of it, as it really sends it, made by a script of ours on the program.

use std::process::{Command, Output};

use serde_json::json;

use crate::program::Program;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/botapitamtam_calls.py");

/// Not on this thread, where the test's own requests run. `None` without Python.
async fn python(arguments: Vec<String>) -> Option<Output> {
    tokio::task::spawn_blocking(move || Command::new("python3").args(arguments).output().ok()).await.unwrap()
}

#[tokio::test]
async fn every_call_of_the_python_library_is_taken() {
    let probe = python(vec!["-c".to_owned(), "import requests".to_owned()]).await;
    if !probe.is_some_and(|probe| probe.status.success()) {
        eprintln!("skipped: python3 with `requests` is not there");
        return;
    }
    let program = Program::start(&["--seed", "demo"]).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let not_ready = http.post(format!("{}/sandbox/uploads/not_ready", program.text("base_url")));
    assert_eq!(not_ready.json(&json!({ "times": 1 })).send().await.unwrap().status(), 200);

    let mut arguments = vec![SCRIPT.to_owned()];
    for key in ["base_url", "token", "chat_id", "user_id", "message_id", "callback_id", "session_id"] {
        let value = program.ready[key].as_str().map_or_else(|| program.ready[key].to_string(), str::to_owned);
        // With an equals sign: the id of a group begins with a minus.
        arguments.push(format!("--{}={value}", key.replace('_', "-")));
    }
    let output = python(arguments).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("calls, 0 failed"), "{said}");
    let left = program.bot().membership(program.chat()).await.unwrap_err();
    assert_eq!(left.code().map(ToString::to_string).as_deref(), Some("chat.denied"));
}
