//! The Python library botapitamtam: every call of it, as it really sends it, made by a script of ours.

use std::process::{Command, Output};

use serde_json::json;

use crate::sandbox::client::{callback, dialog, keyboard, mid};

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
    let (tamtam, api, alice) = dialog().await;
    tamtam.uploads().set_not_ready(1);
    let bob = tamtam.user("Bob");
    bob.starts();
    let team = tamtam.group("Team", [&alice, &bob]);
    let asked = json!({ "text": "?", "attachments": [keyboard(json!([[callback("Yes", "y")]]))] });
    let message = mid(&api.post(team.chat_id().0, asked).await.ok()["message"]);
    alice.in_chat(&team).presses("Yes");
    let (updates, _) = api.updates().await;
    let pressed = updates.last().unwrap()["callback"]["callback_id"].as_str().unwrap().to_owned();

    let mut arguments = vec![SCRIPT.to_owned()];
    for (name, value) in [
        ("--base-url", tamtam.base_url().to_owned()),
        ("--token", tamtam.token().to_owned()),
        ("--message-id", message),
        ("--callback-id", pressed),
        ("--session-id", alice.opens_constructor().session_id().to_string()),
    ] {
        arguments.extend([name.to_owned(), value]);
    }
    // With an equals sign: the id of a group begins with a minus.
    arguments.push(format!("--chat-id={}", team.chat_id()));
    arguments.push(format!("--user-id={}", bob.user_id()));
    let output = python(arguments).await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("calls, 0 failed"), "{said}");
    let membership = api.get(&format!("/chats/{}/members/me", team.chat_id())).await;
    membership.fails(403, "chat.denied");
}
