//! Helpers for tests of requests: a token that is easy to find, mock servers, and JSON fixtures of TamTam.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tamtam::{Bot, BotBuilder, Service, settings::RetryPolicy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

/// A token whose URL-encoded form differs, so that tests must search for both forms.
pub(crate) const TOKEN: &str = "s3cr3t/+tok=n é";
/// [`TOKEN`] as it is encoded in a query.
pub(crate) const ENCODED_TOKEN: &str = "s3cr3t%2F%2Btok%3Dn+%C3%A9";
/// The beginning of both forms of the token. A search for it also finds a truncated token.
pub(crate) const TOKEN_BEGINNING: &str = "s3cr3t";

/// All services, for tests that run on each of them.
pub(crate) const SERVICES: [Service; 2] = [Service::TamTam, Service::Max];

/// Returns settings of a bot for the server at `url`, without retries: other tests cover retries.
pub(crate) fn bot_at(url: impl Into<String>) -> BotBuilder {
    // The proxy settings of the machine must not affect the tests.
    Bot::builder(TOKEN).base_url(url).retry(RetryPolicy::none()).no_proxy()
}

/// Returns a bot for this server.
pub(crate) fn bot(server: &MockServer) -> Bot {
    bot_of(&Service::TamTam, server)
}

/// Returns a bot of this service for this server.
pub(crate) fn bot_of(service: &Service, server: &MockServer) -> Bot {
    bot_at(server.uri()).service(service.clone()).build().unwrap()
}

/// Starts a new server. `MockServer::start` reuses servers of a pool, which may still receive requests of an earlier
/// test.
pub(crate) async fn mock_server() -> MockServer {
    MockServer::builder().start().await
}

/// Starts a server that gives this answer to every request.
pub(crate) async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = mock_server().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// Starts a server that answers every request with 200 and this JSON.
pub(crate) async fn answering_json(answer: &Value) -> MockServer {
    answering(ResponseTemplate::new(200).set_body_json(answer)).await
}

/// Returns the requests that the server has received so far.
pub(crate) async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("wiremock records requests by default")
}

/// Returns the only request that the server has received.
pub(crate) async fn only_request(server: &MockServer) -> Request {
    let mut requests = requests(server).await;
    assert_eq!(requests.len(), 1, "{requests:?}");
    requests.remove(0)
}

/// Returns the decoded query of a request.
pub(crate) fn query(request: &Request) -> Vec<(String, String)> {
    request.url.query_pairs().into_owned().collect()
}

/// Returns the values of a parameter in the query of a request.
pub(crate) fn parameter(request: &Request, name: &str) -> Vec<String> {
    query(request).into_iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect()
}

/// A server that sends raw bytes, also invalid ones, or no answer at all. It records the bytes of each request.
pub(crate) struct RawServer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl RawServer {
    /// Starts a server that answers every request with these bytes, and closes the connection.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        Self::start(answer.into(), true).await
    }

    /// Starts a server that answers every request with these bytes, and keeps the connection open.
    pub(crate) async fn answering_and_waiting(answer: impl Into<Vec<u8>>) -> Self {
        Self::start(answer.into(), false).await
    }

    /// Starts a server that reads requests and never answers.
    pub(crate) async fn silent() -> Self {
        Self::answering_and_waiting("").await
    }

    async fn start(answer: Vec<u8>, closing: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let server = Self { address, seen: Arc::clone(&seen) };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, seen) = (answer.clone(), Arc::clone(&seen));
                tokio::spawn(async move {
                    let Some(request) = read_request(&mut stream).await else { return };
                    seen.lock().unwrap().push(request);
                    // The client may have disconnected, which the test checks on the client's side.
                    let _ = stream.write_all(&answer).await;
                    if !closing {
                        std::future::pending::<()>().await;
                    }
                });
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the bytes of the requests so far, head and body, as text.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns the first line of the only request that the server has received.
    pub(crate) fn request_line(&self) -> String {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests[0].lines().next().unwrap().to_owned()
    }
}

/// Reads one request. Returns `None` if the client disconnects before the request is complete.
pub(crate) async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.parse().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Returns the bytes of a complete answer.
pub(crate) fn http_answer(status: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
}

/// Returns the bytes of an answer whose body is truncated.
pub(crate) fn cut_answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len() + 100)
}

/// Returns a URL that refuses connections. The socket reserves the port until it is dropped.
pub(crate) fn refusing() -> (TcpSocket, String) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    (socket, url)
}

/// Returns the JSON of a user.
pub(crate) fn user(id: i64, name: &str) -> Value {
    json!({
        "user_id": id,
        "name": name,
        "username": name.to_lowercase(),
        "is_bot": false,
        "last_activity_time": 1_577_880_000_123_i64,
    })
}

/// Returns the JSON of the bot's profile.
pub(crate) fn bot_info() -> Value {
    json!({
        "user_id": 591_579_394_001_i64,
        "name": "Погода",
        "username": "pogoda_bot",
        "is_bot": true,
        "last_activity_time": 1_577_880_000_123_i64,
        "description": "Tells the weather.",
        "avatar_url": "https://i.example/small.webp",
        "full_avatar_url": "https://i.example/large.webp",
        "commands": [{"name": "help", "description": "What I can do"}, {"name": "stop"}],
    })
}

/// Returns the JSON of a group member.
pub(crate) fn member(id: i64, name: &str) -> Value {
    json!({
        "user_id": id,
        "name": name,
        "username": name.to_lowercase(),
        "is_bot": false,
        "last_activity_time": 1_577_880_000_123_i64,
        "last_access_time": 1_577_880_000_456_i64,
        "is_owner": false,
        "is_admin": true,
        "join_time": 1_577_800_000_000_i64,
        "permissions": ["write", "pin_message"],
    })
}

/// Returns the JSON of a group with a pinned message.
pub(crate) fn chat(id: i64, title: &str) -> Value {
    json!({
        "chat_id": id,
        "type": "chat",
        "status": "active",
        "title": title,
        "icon": {"url": "https://i.example/icon.webp"},
        "last_event_time": 1_577_880_000_789_i64,
        "participants_count": 2,
        "owner_id": 101,
        "participants": {"101": 1_577_880_000_123_i64, "102": 0},
        "is_public": true,
        "link": "https://tt.example/team",
        "description": "All of us.",
        "messages_count": 5,
        "chat_message_id": "mid.00000000000000010000000000000002",
        "pinned_message": message("mid.1", "Read me"),
    })
}

/// Returns the JSON of a message in a group. A floating-point number cannot hold its `seq` exactly.
pub(crate) fn message(mid: &str, text: &str) -> Value {
    json!({
        "sender": user(101, "Alice"),
        "recipient": {"chat_id": -7, "chat_type": "chat"},
        "timestamp": 1_577_880_000_123_i64,
        "body": {"mid": mid, "seq": 103_411_943_473_037_313_i64, "text": text, "attachments": []},
        "url": "https://tt.example/team/1",
    })
}

/// The environment variable that is set for a test in a separate process.
pub(crate) const CHILD: &str = "TAMTAM_TEST_CHILD";

/// Runs one test of this executable in a separate process with these environment variables, so that other tests are not
/// affected. Returns the output of the process.
pub(crate) async fn in_a_process_of_its_own(test: &'static str, variables: &[(&'static str, String)]) -> String {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]);
    // The proxy settings of the machine must not affect the tests.
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.env(CHILD, "1").env_remove("TAMTAM_TOKEN").env_remove("TAMTAM_BASE_URL").envs(variables.iter().cloned());
    // The server for the other process may run on this thread, so do not block it.
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = format!("{}{}", String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    text
}
