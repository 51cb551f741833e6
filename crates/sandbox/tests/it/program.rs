//! The program `tamtam-sandbox`: its output, its state file, and its exit codes.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tamtam::types::{CallbackAnswer, ConstructorAnswer, SubscriptionRequestBody, UploadType};
use tamtam::{Bot, ChatId, settings::Pace};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use crate::common::SERVICES;
use crate::state_file::Directory;
use crate::webhook::{Reply, Webhook};

/// Longer than anything here takes on the slowest machine.
const ENOUGH: Duration = Duration::from_secs(60);
/// Interval between checks of a condition that sends no event.
const LOOK: Duration = Duration::from_millis(20);

/// A running program. It is killed at the end of its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(arguments: &[&str]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tamtam-sandbox"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Running(command.spawn().unwrap())
}

/// The lines of an output.
struct Lines(UnboundedReceiver<String>);

impl Lines {
    fn of(source: impl Read + Send + 'static) -> Self {
        let (send, lines) = unbounded_channel();
        std::thread::spawn(move || {
            BufReader::new(source).lines().map_while(Result::ok).try_for_each(|line| send.send(line))
        });
        Self(lines)
    }

    /// Returns the next line, or `None` at the end.
    async fn next(&mut self) -> Option<String> {
        timeout(ENOUGH, self.0.recv()).await.expect("a line or the end within a minute")
    }

    /// Returns all lines up to the end.
    async fn rest(&mut self) -> String {
        let mut text = String::new();
        while let Some(line) = self.next().await {
            text += &format!("{line}\n");
        }
        text
    }
}

/// Runs the program to its end. Returns its exit code, stdout and stderr.
pub(super) async fn output(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut program = run(arguments);
    let mut stdout = Lines::of(program.0.stdout.take().unwrap());
    let mut stderr = Lines::of(program.0.stderr.take().unwrap());
    let (stdout, stderr) = (stdout.rest().await, stderr.rest().await);
    (program.0.wait().unwrap().code(), stdout, stderr)
}

/// A running program, with the line that it printed.
pub(super) struct Program {
    running: Running,
    /// The line of JSON.
    line: String,
    pub(super) ready: Value,
    log: Lines,
}

impl Program {
    /// Starts the program on free ports, unless the arguments set others.
    pub(super) async fn start(arguments: &[&str]) -> Self {
        let mut running = run(&[&["--port", "0"], arguments].concat());
        let mut stdout = Lines::of(running.0.stdout.take().unwrap());
        let log = Lines::of(running.0.stderr.take().unwrap());
        let line = stdout.next().await.expect("a line of JSON");
        let ready = serde_json::from_str(&line).unwrap();
        Self { running, line, ready, log }
    }

    pub(super) fn text(&self, key: &str) -> String {
        self.ready[key].as_str().unwrap().to_owned()
    }

    pub(super) fn chat(&self) -> ChatId {
        ChatId(self.ready["chat_id"].as_i64().unwrap())
    }

    pub(super) fn bot(&self) -> Bot {
        let service = SERVICES.into_iter().find(|one| self.ready["service"] == one.name()).unwrap();
        let bot = Bot::builder(self.text("token")).service(service).base_url(self.text("base_url"));
        bot.pace(Pace::none()).http(|http| http.no_proxy()).build().unwrap()
    }

    /// Returns the ids of the demo.
    fn ids(&self) -> Vec<Value> {
        ["chat_id", "user_id", "message_id", "callback_id", "session_id"].map(|key| self.ready[key].clone()).into()
    }

    /// Returns the next line of the log that contains `part`.
    async fn logs(&mut self, part: &str) -> String {
        loop {
            let line = self.log.next().await.unwrap_or_else(|| panic!("no line of the log contains {part}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Sends a signal, as a service manager does. Returns the exit code and the rest of the log.
    #[cfg(unix)]
    pub(super) async fn ends(mut self, signal: &str) -> (Option<i32>, String) {
        let id = self.running.0.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let rest = self.log.rest().await;
        (self.running.0.wait().unwrap().code(), rest)
    }
}

/// Waits until the file contains `part`.
async fn kept(file: &str, part: &str) {
    let look = async {
        while !std::fs::read_to_string(file).unwrap().contains(part) {
            sleep(LOOK).await;
        }
    };
    timeout(ENOUGH, look).await.unwrap_or_else(|_| panic!("the file does not contain {part}"));
}

#[tokio::test]
async fn the_program_prints_one_json_line_with_addresses_and_ids() {
    let program = Program::start(&["--seed", "demo", "--token", "t0k/en"]).await;
    let keys: Vec<_> = program.line.split('"').filter(|part| program.ready.get(part).is_some()).collect();
    let ids = ["chat_id", "user_id", "message_id", "callback_id", "callback_ids", "session_id"];
    assert_eq!(keys, [&["service", "base_url", "upload_url", "token"][..], &ids[..]].concat());
    assert_eq!(program.text("service"), "TamTam");
    assert_eq!(program.text("token"), "t0k/en");
    let bot = program.bot();
    let upload = bot.api().get_upload_url(UploadType::File).await.unwrap().url;
    assert!(upload.starts_with(&program.text("upload_url")), "{upload}");
    let message = bot.api().get_message_by_id(program.text("message_id")).await.unwrap();
    assert_eq!(message.sender.unwrap().user_id, bot.me().await.unwrap().user_id);
    let me = bot.api().get_membership(program.chat()).await.unwrap();
    assert!(me.is_admin);
    let members = bot.api().get_members(program.chat()).await.unwrap().members;
    assert!(members.iter().any(|member| json!(member.user_id) == program.ready["user_id"] && member.name == "Bob"));
    let answer = CallbackAnswer::new().notification("Well done");
    bot.api().answer_on_callback(program.text("callback_id"), answer).await.unwrap();
    let answer = ConstructorAnswer::new().hint("Hm?");
    bot.api().construct(program.text("session_id"), answer).await.unwrap();
}

#[tokio::test]
async fn without_a_demo_there_are_no_ids() {
    let program = Program::start(&["--bot-name", "Echo", "--bot-username", "echo_bot"]).await;
    let keys: Vec<_> = program.ready.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["service", "base_url", "upload_url", "token"]);
    let me = program.bot().me().await.unwrap();
    assert_eq!((me.name.as_str(), me.username.as_deref()), ("Echo", Some("echo_bot")));
    assert_eq!(program.bot().api().get_chats().await.unwrap().chats.len(), 0);
}

#[cfg(unix)]
#[tokio::test]
async fn every_request_is_logged_without_the_token() {
    const TOKEN: &str = "s3cr3t/token";
    let mut program = Program::start(&["--seed", "demo", "--token", TOKEN]).await;
    let (bot, chat) = (program.bot(), program.chat());
    let webhook = Webhook::start().await;
    webhook.answers([Reply::Status(500)]);
    bot.api().get_chats().count(5).await.unwrap();
    bot.upload_file(b"a file").file_name("a.txt").await.unwrap();
    let base = program.text("base_url");
    let odd =
        [format!("{base}/{TOKEN}?a=s3cr3t%2Ftoken"), format!("{base}/s3cr3t%2Ftoken"), format!("{base}/a?b=c%0Ad")];
    for url in odd {
        reqwest::get(url).await.unwrap();
    }
    bot.api().subscribe(SubscriptionRequestBody::new(format!("{}&token={TOKEN}", webhook.url()))).await.unwrap();
    let mut lines = program.logs("getChats").await;
    assert!(lines.ends_with(" GET /chats?count=5&v=0.5.6 200 getChats"), "{lines}");
    for part in [
        "200 (upload host)",
        " GET ... 401 -",
        "GET /a?b=c%0Ad 401 -",
        "subscribe",
        "(webhook, attempt 1)",
        "(webhook, attempt 2)",
    ] {
        lines += &program.logs(part).await;
    }
    bot.send(chat, "Goodbye").await.unwrap();
    let (code, rest) = program.ends("-INT").await;
    assert_eq!(code, Some(0), "{rest}");
    lines += &rest;
    assert!(lines.contains("sendMessage") && lines.contains(" 500 "), "{lines}");
    assert!(!lines.contains("s3cr3t"), "{lines}");
}

#[tokio::test]
async fn requests_of_web_pages_are_refused_and_logged() {
    let mut program = Program::start(&[]).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let users = format!("{}/sandbox/users", program.text("base_url"));
    let post = || http.post(&users).body(r#"{"name":"Mallory"}"#);
    for (request, status) in [
        (post().header("Content-Type", "text/plain").header("Origin", "http://evil.example"), 403),
        (post().header("Content-Type", "text/plain"), 415),
        (post().header("Content-Type", "application/json").header("Host", "evil.example"), 403),
        (post().header("Content-Type", "application/json"), 200),
    ] {
        assert_eq!(request.send().await.unwrap().status(), status);
        let line = program.logs("/sandbox/users").await;
        assert!(line.ends_with(&format!(" POST /sandbox/users {status} -")), "{line}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn an_unread_log_does_not_block_requests() {
    /// Number of lines, and bytes per line. Together, they exceed the capacity of a pipe.
    const MUCH: (usize, usize) = (60, 4_096);
    let mut program = run(&["--port", "0"]);
    let line = Lines::of(program.0.stdout.take().unwrap()).next().await.unwrap();
    let base = serde_json::from_str::<Value>(&line).unwrap()["base_url"].as_str().unwrap().to_owned();
    for _ in 0..MUCH.0 {
        let answer = timeout(ENOUGH, reqwest::get(format!("{base}/?{}", "a".repeat(MUCH.1)))).await;
        assert_eq!(answer.expect("an answer").unwrap().status(), 401);
    }
    let id = program.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let ends = async {
        loop {
            if let Some(status) = program.0.try_wait().unwrap() {
                return status;
            }
            sleep(LOOK).await;
        }
    };
    assert_eq!(timeout(ENOUGH, ends).await.expect("the program must end").code(), Some(0));
}

#[tokio::test]
async fn quiet_disables_the_log() {
    let mut program = Program::start(&["--quiet"]).await;
    program.bot().me().await.unwrap();
    program.running.0.kill().unwrap();
    assert_eq!(program.log.next().await, None);
}

#[cfg(unix)]
#[tokio::test]
async fn the_whole_state_is_kept_after_a_restart() {
    let directory = Directory::new("program-restart");
    let file = directory.file().to_str().unwrap().to_owned();
    let start = async |more: &[&str]| Program::start(&[&["--seed", "demo", "--state", &file], more].concat()).await;

    let program = start(&["--bot-username", "kept_bot"]).await;
    let (bot, chat, ids, token) = (program.bot(), program.chat(), program.ids(), program.text("token"));
    let page = bot.api().get_updates().timeout(0).limit(1).await.unwrap();
    let (first, marker) = (serde_json::to_value(&page.updates[0]).unwrap(), page.marker.unwrap());
    let photo = bot.upload_photo(b"a photo").file_name("a.jpg").await.unwrap();
    let sent = bot.send(chat, "Look").attach(photo).await.unwrap().message;
    let mid = sent.body.as_ref().unwrap().mid.clone();
    assert_eq!(program.ends("-TERM").await.0, Some(0));
    let mut names = directory.names();
    names.sort();
    assert_eq!(names, ["state.json", "state.json.lock"]);

    let program = start(&["--bot-username", "another_bot"]).await;
    assert_eq!((program.ids(), program.text("token")), (ids.clone(), token));
    let bot = program.bot();
    assert_eq!(bot.me().await.unwrap().username.as_deref(), Some("kept_bot"));
    let message = serde_json::to_value(bot.api().get_message_by_id(mid.clone()).await.unwrap()).unwrap();
    assert_eq!(message["body"]["text"], "Look");
    let url = message["body"]["attachments"][0]["payload"]["url"].as_str().unwrap();
    assert!(url.starts_with(&program.text("upload_url")), "{url}");
    assert_eq!(reqwest::get(url).await.unwrap().bytes().await.unwrap(), &b"a photo"[..]);
    let page = bot.api().get_updates().timeout(0).marker(marker).await.unwrap();
    let updates = page.updates.iter().map(|update| serde_json::to_value(update).unwrap()).collect::<Vec<_>>();
    assert!(!updates.is_empty() && !updates.contains(&first), "the marker must stay valid: {updates:?}");
    let later = bot.send(chat, "Later").await.unwrap().message;
    assert!(later.timestamp > sent.timestamp && later.body.unwrap().seq > sent.body.unwrap().seq);
    bot.api().subscribe(SubscriptionRequestBody::new("http://127.0.0.1:9/hook")).await.unwrap();
    kept(&file, "127.0.0.1:9/hook").await;
    // The program cannot handle this signal.
    assert_eq!(program.ends("-KILL").await.0, None);

    let program = start(&["--token", "another"]).await;
    assert_eq!((program.ids(), program.text("token")), (ids, "another".to_owned()));
    let subscriptions = program.bot().api().get_subscriptions().await.unwrap().subscriptions;
    assert_eq!(subscriptions[0].url, "http://127.0.0.1:9/hook");
    assert!(program.bot().api().get_message_by_id(mid).await.is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn an_unfinished_delivery_is_sent_again_after_a_restart() {
    let directory = Directory::new("program-delivery");
    let file = directory.file().to_str().unwrap().to_owned();
    let arguments = ["--seed", "demo", "--state", &file, "--delivery-timeout", "3600000"];
    let program = Program::start(&arguments).await;
    let webhook = Webhook::start().await;
    webhook.answers([Reply::Nothing]);
    program.bot().api().subscribe(SubscriptionRequestBody::new(webhook.url())).await.unwrap();
    kept(&file, r#""attempts":1"#).await;
    let arrives = async {
        while webhook.bodies().is_empty() {
            sleep(LOOK).await;
        }
    };
    timeout(ENOUGH, arrives).await.expect("a delivery");
    program.ends("-KILL").await;

    let mut program = Program::start(&arguments).await;
    program.logs("(webhook, attempt 2)").await;
    let bodies = webhook.bodies();
    assert_eq!(bodies[0], bodies[1], "the unfinished delivery must come again, before the others");
}

#[tokio::test]
async fn a_port_in_use_is_a_one_line_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, option) in [
        (["--port", &port, "--upload-port", "0"], "--port"),
        (["--port", "0", "--upload-port", &port], "--upload-port"),
    ] {
        let (code, stdout, told) = output(&arguments).await;
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{told}");
        assert!(told.starts_with(&format!("tamtam-sandbox: cannot listen on port {port} of 127.0.0.1: ")), "{told}");
        assert!(told.ends_with(&format!(" {option}\n")) && told.lines().count() == 1, "{told}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_a_state_is_refused_and_kept() {
    let directory = Directory::new("program-garbage");
    let file = directory.file().to_str().unwrap().to_owned();
    let older = r#"{"format":"tamtam-sandbox-0","upload_url":""}"#;
    for (text, problem) in [("", "EOF"), ("somebody's notes", "expected"), ("{}", "format"), (older, "another version")]
    {
        std::fs::write(&file, text).unwrap();
        let (code, stdout, told) = output(&["--port", "0", "--state", &file]).await;
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{told}");
        assert!(told.starts_with(&format!("tamtam-sandbox: {file} is not a sandbox's state (")), "{told}");
        assert!(told.contains(problem) && told.contains("start over") && told.lines().count() == 1, "{told}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    }
    let nowhere = directory.path().join("nowhere").join("state.json");
    let (code, _, told) = output(&["--port", "0", "--state", nowhere.to_str().unwrap()]).await;
    assert_eq!(code, Some(1));
    assert!(told.contains("nowhere/state.json: "), "{told}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_state_that_cannot_be_saved_is_logged_and_sets_the_exit_code() {
    let directory = Directory::new("program-unsaved");
    let file = directory.file();
    let mut program = Program::start(&["--seed", "demo", "--state", file.to_str().unwrap()]).await;
    // No write is pending.
    kept(file.to_str().unwrap(), &program.text("session_id")).await;
    std::fs::remove_dir_all(directory.path()).unwrap();
    program.bot().send(program.chat(), "Lost").await.unwrap();
    program.logs("the state is not saved: ").await;
    let (code, told) = program.ends("-TERM").await;
    assert_eq!(code, Some(1));
    assert!(told.ends_with("tamtam-sandbox: the state is not saved\n"), "{told}");
}

#[tokio::test]
async fn deterministic_makes_the_demo_the_same_in_every_run() {
    let arguments = ["--seed", "demo", "--deterministic", "7"];
    let (one, other) = (Program::start(&arguments).await, Program::start(&arguments).await);
    assert_eq!((one.ids(), one.text("token")), (other.ids(), other.text("token")));
    assert_ne!(one.ids(), Program::start(&["--seed", "demo", "--deterministic", "8"]).await.ids());
}

#[tokio::test]
async fn help_lists_every_option_and_a_wrong_option_is_refused() {
    let help = output(&["--help"]).await.1;
    let options = [
        "--port <PORT>",
        "--upload-port <PORT>",
        "--service <NAME>",
        "--rate-limit <WHICH>",
        "--seed <WHAT>",
        "--token <TOKEN>",
        "--bot-name <NAME>",
        "--bot-username <NAME>",
        "--state <FILE>",
        "--deterministic <NUMBER>",
        "--redelivery <MS>",
        "--delivery-timeout <MS>",
        "--quiet",
        "--help",
        "--version",
    ];
    for option in options {
        assert!(help.contains(option), "{option} is missing:\n{help}");
    }
    assert_eq!(
        help.matches("      --").count() + help.matches("  -h, ").count() + help.matches("  -V, ").count(),
        options.len(),
        "{help}"
    );
    for part in [
        "curl",
        "/sandbox/users \\\n      -H 'Content-Type: application/json' -d",
        "Control endpoints",
        "Exit status",
        "[default: 8090]",
        "empty",
        "demo",
    ] {
        assert!(help.contains(part), "{part} is missing:\n{help}");
    }
    for wrong in
        [&["--prot", "1"][..], &["--port", "70000"], &["--seed", "demos"], &["--token", ""], &["--redelivery", "0"]]
    {
        let (code, _, told) = output(wrong).await;
        assert_eq!(code, Some(2), "{wrong:?}: {told}");
        assert!(told.contains(wrong[0]), "{told}");
    }
}
