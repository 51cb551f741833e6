//! Runs a script that sends every request of the Python library botapitamtam to the program.

use std::process::Command;

use serde_json::json;

use crate::foreign;
use crate::program::Program;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/botapitamtam_calls.py");
/// The values of the program's line that the script needs.
const KEYS: [&str; 7] = ["base_url", "token", "chat_id", "user_id", "message_id", "callback_id", "session_id"];

#[tokio::test]
async fn every_call_of_the_python_library_is_accepted() {
    let mut probe = Command::new("python3");
    probe.args(["-c", "import requests"]);
    foreign::output(probe, "install Python 3 and its package: python3 -m pip install requests").await;

    let program = Program::start(&["--seed", "demo"]).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let not_ready = http.post(format!("{}/sandbox/uploads/not_ready", program.text("base_url")));
    assert_eq!(not_ready.json(&json!({ "times": 1 })).send().await.unwrap().status(), 200);

    let mut script = Command::new("python3");
    script.arg(SCRIPT).args(foreign::options(&program, &KEYS));
    let said = foreign::output(script, "see the lines with FAILED").await;
    assert!(said.contains(" calls, 0 failed"), "{said}");
    let left = program.bot().membership(program.chat()).await.unwrap_err();
    assert_eq!(left.code().map(ToString::to_string).as_deref(), Some("chat.denied"));
}
