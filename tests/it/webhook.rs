//! Webhooks over real sockets, with valid and invalid deliveries.

mod answers;
mod deliveries;
mod routes;
mod sandbox;
mod secrets;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tamtam::{
    Bot, Update,
    reqwest::{self, StatusCode},
    webhook::{
        Webhook,
        axum::{self, Router},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
};

use crate::common::TOKEN;

/// A secret path. Its parts are easy to find in a text that must not contain them.
const PATH: &str = "/tamtam/h00kS3cr3t-9d2f4b6a8c0e1d3f5a7b9c";

/// Returns a bot that sends no requests.
fn bot() -> Bot {
    Bot::new(TOKEN).unwrap()
}

fn webhook() -> Webhook {
    Webhook::new(bot(), PATH).unwrap()
}

/// A server with a router.
struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, task }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Delivers a body like TamTam.
    async fn post(&self, body: impl Into<reqwest::Body>) -> StatusCode {
        self.post_to(PATH, body).await
    }

    async fn post_to(&self, path: &str, body: impl Into<reqwest::Body>) -> StatusCode {
        deliver(self.url(path), body).await
    }

    /// Delivers a body in the background.
    fn begin_to_post(&self, body: String) -> JoinHandle<StatusCode> {
        tokio::spawn(deliver(self.url(PATH), body))
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes, and closes the sending side. Returns the answer without its `date` header.
    async fn raw(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A reset also means that there is no answer.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        answer.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
    }
}

async fn deliver(url: String, body: impl Into<reqwest::Body>) -> StatusCode {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.post(url).body(body).send().await.unwrap().status()
}

/// Returns the text of a complete request.
fn request(method: &str, path: &str, body: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// Returns an update of this chat.
fn started(chat: i64) -> String {
    json!({"timestamp": 1, "chat_id": chat, "user": {"user_id": 7, "name": "A"}, "update_type": "bot_started"})
        .to_string()
}

/// The updates that a handler received, recorded by their chats.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, update: &Update) {
        let text = match update {
            Update::BotStarted(started) => started.chat_id.to_string(),
            other => other.tag().to_owned(),
        };
        self.0.lock().unwrap().push(text);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// A gate at which handlers wait. A test can wait until a handler reaches it.
#[derive(Clone)]
struct Gate {
    reached: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    fn closed() -> Self {
        Self { reached: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    /// Waits at the gate until the test lets the handler through.
    async fn pass(&self) {
        self.reached.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }

    /// Waits until another handler is at the gate.
    async fn is_reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    fn let_through(&self, handlers: usize) {
        self.open.add_permits(handlers);
    }
}
