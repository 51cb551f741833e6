//! Runs a script that makes every call of the official MAX client for Node.js, `@maxhub/max-bot-api`, to the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::foreign;
use crate::program::Program;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/max_bot_api");
const FILES: [&str; 3] = ["package.json", "package-lock.json", "calls.mjs"];
/// The values of the program's line that the script needs.
const KEYS: [&str; 8] =
    ["base_url", "token", "chat_id", "user_id", "message_id", "callback_ids", "channel_id", "post_id"];
const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

#[tokio::test]
async fn every_call_of_the_node_client_is_accepted() {
    let folder = install().await;
    let program = Program::start(&["--service", "max", "--seed", "demo", "--rate-limit", "none"]).await;
    let mut script = Command::new("node");
    script.arg("calls.mjs").args(foreign::options(&program, &KEYS)).current_dir(folder);
    let said = foreign::output(script, "see the lines with FAILED").await;
    assert!(said.contains(" calls, 0 failed"), "{said}");
}

/// Installs the client in a copy of the source folder. An installation by the same lock file is reused.
async fn install() -> PathBuf {
    for program in ["node", NPM] {
        let mut version = Command::new(program);
        version.arg("--version");
        foreign::output(version, "install Node.js 20.19 or later with npm").await;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("max_bot_api");
    fs::create_dir_all(&folder).unwrap();
    for file in FILES {
        fs::copy(Path::new(SOURCE).join(file), folder.join(file)).unwrap();
    }
    let lock = fs::read(folder.join("package-lock.json")).unwrap();
    // Written last, and removed by `npm ci` together with the folder, so an interrupted installation is not reused.
    let installed = folder.join("node_modules").join(".installed-lock.json");
    if !fs::read(&installed).is_ok_and(|old| old == lock) {
        let mut npm = Command::new(NPM);
        npm.args(["ci", "--engine-strict", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
        foreign::output(npm, "it needs Node.js 20.19 or later and the npm registry").await;
        fs::write(installed, lock).unwrap();
    }
    folder
}
