//! State files: a sandbox continues where an earlier one ended.

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::json;
use tamtam_sandbox::{Sandbox, SandboxBuilder, StartError, StateFileError};

use crate::client::Api;

/// Longer than any write takes.
const ENOUGH: Duration = Duration::from_secs(60);

/// A directory that is removed at the end of its test.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tamtam-state-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("state.json")
    }

    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn on(file: &Path) -> SandboxBuilder {
    Sandbox::builder().state_file(file)
}

#[tokio::test]
async fn a_restart_continues_the_transcript_without_repeating_events() {
    let directory = Directory::new("story");
    let tamtam = on(&directory.file()).start().await;
    let alice = tamtam.user("Alice");
    alice.says("Before");
    let (chat, id) = (alice.chat_id().0, tamtam.bot_id());
    drop((tamtam, alice));

    let tamtam = on(&directory.file()).start().await;
    let (send, told) = channel();
    tamtam.on_event(move |event| drop(send.send(event.to_string())));
    assert_eq!(tamtam.bot_id(), id);
    Api::of(&tamtam).say(chat, "After").await;
    assert_eq!(tamtam.transcript(), "Alice starts Sandbox Bot\nAlice: Before\nSandbox Bot: After\n");
    assert_eq!(told.recv_timeout(ENOUGH).unwrap(), "Sandbox Bot: After");
    assert_ne!(tamtam.user("Alice").user_id().0, chat ^ id.0, "ids must not be reused");
}

#[tokio::test]
async fn advanced_time_is_kept_after_a_restart() {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let directory = Directory::new("time");
    let tamtam = on(&directory.file()).start().await;
    tamtam.time_passes(YEAR);
    let demo = tamtam.demo();
    drop(tamtam);
    let tamtam = on(&directory.file()).start().await;
    let api = Api::of(&tamtam);
    let old = api.get(&format!("/messages/{}", demo.message_id)).await.ok();
    let new = api.post(demo.chat_id.0, json!({ "text": "Later" })).await.ok();
    assert!(new["message"]["timestamp"].as_i64() > old["timestamp"].as_i64());
}

#[tokio::test]
async fn a_restart_does_not_change_the_results_of_a_seed() {
    let directory = Directory::new("seed");
    drop(on(&directory.file()).seed(7).start().await);
    let with = on(&directory.file()).seed(8).start().await.demo();
    let without = Sandbox::builder().seed(7).start().await.demo();
    assert_eq!(with, without);
}

#[tokio::test]
async fn ids_that_a_kill_has_lost_are_not_reused() {
    let directory = Directory::new("killed");
    let mut tamtam = on(&directory.file()).seed(7).start().await;
    let before = std::fs::read(directory.file()).unwrap();
    let (mut given, mut marker) = (Vec::new(), 0);
    for _ in 0..2 {
        let bob = tamtam.user("Bob");
        let said = bob.says("hi");
        let page = Api::of(&tamtam).get(&format!("/updates?timeout=0&marker={marker}")).await.ok();
        let updates = page["updates"].as_array().unwrap();
        assert!(updates.iter().any(|update| update["update_type"] == "message_created"), "{page:?}");
        assert!(page["marker"].as_i64().unwrap() > marker);
        marker = page["marker"].as_i64().unwrap();
        let demo = tamtam.demo();
        let ids = [demo.callback_id.to_string(), demo.session_id.unwrap().to_string(), demo.chat_id.to_string()];
        given.push((said.to_string(), bob.user_id(), ids));
        // Simulates a kill: the file lacks everything since its last write.
        drop((tamtam, bob));
        std::fs::write(directory.file(), &before).unwrap();
        tamtam = on(&directory.file()).start().await;
    }
    let (first, second) = (&given[0], &given[1]);
    assert!(first.0 != second.0 && first.1 != second.1, "{given:?}");
    assert!(first.2.iter().all(|id| !second.2.contains(id)), "{given:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_symlink_to_the_state_file_is_kept_and_special_files_are_refused() {
    let directory = Directory::new("link");
    let link = directory.path().join("link.json");
    drop(on(&directory.file()).start().await);
    std::os::unix::fs::symlink(directory.file(), &link).unwrap();
    let tamtam = on(&link).start().await;
    tamtam.user("Zacharias");
    drop(tamtam);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::read_to_string(directory.file()).unwrap().contains("Zacharias"));
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [&pipe, Path::new("/dev/null"), Path::new("/dev/zero")] {
        let error = on(path).try_start().await.unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
    assert!(!Path::new("/dev/null.lock").exists());
}

#[tokio::test]
async fn a_state_file_in_use_is_refused_until_its_sandbox_ends() {
    let directory = Directory::new("in-use");
    let first = on(&directory.file()).start().await;
    let file = directory.path().join("..").join(directory.path().file_name().unwrap()).join("state.json");
    let error = on(&file).try_start().await.unwrap_err();
    assert!(matches!(&error, StartError::StateFile(StateFileError::InUse { .. })), "{error:?}");
    assert!(error.to_string().contains("state.json is open in another sandbox: end that sandbox"), "{error}");
    // The next write replaces the file, and the lock stays.
    first.user("Zacharias");
    let (send, saved) = channel();
    first.on_save(move |saved| {
        let _ = send.send(saved.is_ok());
    });
    first.user("Yolanda");
    assert!(saved.recv_timeout(ENOUGH).unwrap());
    on(&file).try_start().await.unwrap_err();
    drop(first);
    on(&file).try_start().await.unwrap();
}

#[tokio::test]
async fn a_start_removes_only_temporary_files_of_a_killed_sandbox() {
    let directory = Directory::new("left-behind");
    let names = || {
        let mut names = directory.names();
        names.sort();
        names
    };
    let foreign = ["another.json.0123456789abcdef.new", "state.json.new", "state.json.notes.new"];
    for name in foreign {
        std::fs::write(directory.path().join(name), "").unwrap();
    }
    let left_behind = directory.path().join("state.json.0123456789abcdef.new");
    std::fs::write(&left_behind, "{\"for").unwrap();
    let first = on(&directory.file()).start().await;
    assert_eq!(names(), [&foreign[..1], &["state.json", "state.json.lock"], &foreign[1..]].concat());
    // Simulates a write of the first sandbox.
    std::fs::write(&left_behind, "").unwrap();
    on(&directory.file()).try_start().await.unwrap_err();
    assert!(left_behind.exists(), "the file belongs to the running sandbox");
    drop(first);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_directory_that_cannot_be_written_is_refused() {
    let error = on(Path::new("/proc/state.json")).try_start().await.unwrap_err();
    assert!(error.to_string().starts_with("/proc/state.json: cannot create a file in its directory"), "{error}");
}

#[tokio::test]
async fn every_change_is_saved_while_the_sandbox_runs() {
    let directory = Directory::new("saved");
    let tamtam = on(&directory.file()).start().await;
    let (send, saved) = channel();
    tamtam.on_save(move |saved| {
        let _ = send.send(saved.as_ref().map_err(ToString::to_string).copied());
    });
    tamtam.user("Zacharias");
    loop {
        saved.recv_timeout(ENOUGH).unwrap().unwrap();
        if std::fs::read_to_string(directory.file()).unwrap().contains("Zacharias") {
            return;
        }
    }
}

#[tokio::test]
async fn a_failed_start_returns_the_reason() {
    let directory = Directory::new("fails");
    std::fs::write(directory.file(), "notes").unwrap();
    let error = on(&directory.file()).try_start().await.unwrap_err();
    assert!(matches!(&error, StartError::StateFile(StateFileError::NotAState { .. })), "{error:?}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    for builder in [Sandbox::builder().port(port), Sandbox::builder().upload_port(port)] {
        let error = builder.try_start().await.unwrap_err();
        assert!(matches!(&error, StartError::Port { port: told, .. } if *told == port), "{error:?}");
        assert!(std::error::Error::source(&error).is_none(), "the message already has the cause: {error}");
    }
}

#[tokio::test]
async fn uploads_use_the_chosen_port() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let tamtam = Sandbox::builder().upload_port(free.port()).start().await;
    assert_eq!(tamtam.uploads().base_url(), format!("http://{free}"));
    let (send, requests) = channel();
    tamtam.uploads().on_request(move |request| drop(send.send(request.clone())));
    tamtam.bot().upload_file(b"a file").file_name("a.txt").await.unwrap();
    let request = requests.recv_timeout(ENOUGH).unwrap();
    assert!(request.path().starts_with("/upload/"), "{request:?}");
    assert_eq!(request.status(), Some(200));
}
