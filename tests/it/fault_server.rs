//! A server on a real socket that fails like real networks and servers. A script has one step for each connection.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tamtam::{Bot, BotBuilder, settings::RetryPolicy};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The behavior of the server for one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The request gets a good answer of the API.
    Good,
    /// The connection is reset as soon as it is accepted.
    ResetBeforeReading,
    /// The request is read, then the connection is reset.
    ResetAfterReading,
    /// The request is read, and no answer is sent.
    Silence,
    /// A success whose body is shorter than its `Content-Length`.
    CutBody,
    /// A success without a `Content-Length`, whose body is truncated.
    CutBodyOfUnknownLength,
    /// A success whose body stalls on an open connection.
    StalledBody,
    /// A success whose body is not JSON.
    GarbageBody,
    /// A success whose JSON does not fit the document.
    MisfitBody,
    /// An error status whose body stalls on an open connection.
    StalledErrorBody(u16),
    /// A status with a body and an optional `Retry-After`.
    Status(u16, &'static str, Option<&'static str>),
}

/// The body of an error of the API.
pub(crate) const BY_API: &str = r#"{"code":"some.code","message":"some words"}"#;
/// The body of an error of a cache that got no answer in time. It sends `Retry-After` although it has forwarded the
/// request.
pub(crate) const BY_CACHE: &str =
    "<!DOCTYPE html>\n<html>\n  <head><title>503 Backend fetch failed</title></head>\n  <body>Guru</body>\n</html>\n";
/// The body of an error of a gateway: JSON, with a number as its code.
pub(crate) const BY_GATEWAY: &str = r#"{"code":503,"message":"upstream request timeout"}"#;
/// The body of an error of a proxy.
pub(crate) const BY_PROXY: &str = "<html><body><h1>Sorry</h1></body></html>";

/// The server. It follows its script, and repeats the last step.
pub(crate) struct FaultServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for FaultServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FaultServer {
    pub(crate) async fn start(script: impl Into<Vec<Step>>) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), script)
    }

    /// Starts a server on this listener.
    pub(crate) fn on(listener: TcpListener, script: impl Into<Vec<Step>>) -> Self {
        let script = script.into();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let task = tokio::spawn(async move {
            for number in 0.. {
                let Ok((connection, _)) = listener.accept().await else { return };
                let step = script.get(number).or(script.last()).copied().unwrap_or(Step::Good);
                tokio::spawn(serve(connection, step, Arc::clone(&seen)));
            }
        });
        Self { address, requests, task }
    }

    /// Returns the requests that were read completely: first line, headers and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a bot with the default number of retries, but short delays and timeouts.
    pub(crate) fn bot(&self) -> Bot {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> BotBuilder {
        Bot::builder("token")
            .base_url(self.base_url())
            .timeout(Duration::from_millis(200))
            .retry(quick())
            .http(|http| http.no_proxy())
    }
}

/// Returns the default retry policy with delays of 1 to 2 ms, to keep tests fast.
pub(crate) fn quick() -> RetryPolicy {
    let (first, most) = (Duration::from_millis(1), Duration::from_millis(2));
    RetryPolicy::default().backoff(first, most).attachment_backoff(first, most)
}

async fn serve(mut connection: TcpStream, step: Step, requests: Arc<Mutex<Vec<String>>>) {
    if step == Step::ResetBeforeReading {
        return reset(connection);
    }
    let Some(request) = read_request(&mut connection).await else { return };
    let good = good_body(&request);
    requests.lock().unwrap().push(request);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let length = good.len();
    let answer = match step {
        Step::Good => format!("{head}content-length: {length}\r\n\r\n{good}"),
        Step::CutBody | Step::StalledBody => format!("{head}content-length: {length}\r\n\r\n{}", &good[..length / 2]),
        Step::CutBodyOfUnknownLength => format!("{head}\r\n{}", &good[..length / 2]),
        Step::GarbageBody => format!("{head}\r\n\u{0}\u{1}garbage"),
        Step::MisfitBody => format!("{head}\r\n[[]]"),
        Step::Status(status, body, retry_after) => {
            let retry_after = retry_after.map(|value| format!("retry-after: {value}\r\n")).unwrap_or_default();
            let length = body.len();
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\n{retry_after}content-length: {length}\r\n\r\n{body}")
        }
        Step::StalledErrorBody(status) => format!("HTTP/1.1 {status} X\r\ncontent-length: 10\r\n\r\nSor"),
        Step::ResetAfterReading => return reset(connection),
        Step::Silence => String::new(),
        Step::ResetBeforeReading => unreachable!(),
    };
    let _ = connection.write_all(answer.as_bytes()).await;
    if matches!(step, Step::Silence | Step::StalledBody | Step::StalledErrorBody(_)) {
        // Waits until the client disconnects.
        let _ = connection.read(&mut [0; 1]).await;
    }
}

/// Resets a connection instead of closing it.
fn reset(connection: TcpStream) {
    connection.set_zero_linger().unwrap();
}

async fn read_request(connection: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            if read.len() >= end + 4 + length {
                return Some(String::from_utf8_lossy(&read).into_owned());
            }
        }
        if connection.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}

/// Returns the answer of the API to a request of the tests.
fn good_body(request: &str) -> String {
    let mut line = request.split([' ', '?']);
    let body = match (line.next(), line.next()) {
        (Some("GET"), Some("/subscriptions")) => r#"{"subscriptions":[]}"#,
        (Some("GET"), Some("/updates")) => {
            r#"{"updates":[{"update_type":"bot_started","timestamp":1,"chat_id":1,"user":{"user_id":1,"name":"A"}}],
                "marker":10}"#
        }
        (Some("GET"), _) => r#"{"user_id":1,"name":"Bot","username":"bot","is_bot":true,"last_activity_time":1}"#,
        (Some("POST"), _) => {
            r#"{"message":{"recipient":{"chat_id":1,"chat_type":"chat"},"timestamp":1,
                "body":{"mid":"mid.1","seq":1,"text":"hi"}}}"#
        }
        _ => r#"{"success":true}"#,
    };
    body.to_owned()
}
