//! Webhooks: over real sockets, with deliveries as TamTam makes them, and as it should not.

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

/// A secret path. Its parts are easy to find in a text that should not have them.
const PATH: &str = "/tamtam/h00kS3cr3t-9d2f4b6a8c0e1d3f5a7b9c";

/// A bot that calls nobody.
fn bot() -> Bot {
    Bot::new(TOKEN).unwrap()
}

fn webhook() -> Webhook {
    Webhook::new(bot(), PATH).unwrap()
}

/// A router on a socket.
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

    /// Delivers as TamTam does.
    async fn post(&self, body: impl Into<reqwest::Body>) -> StatusCode {
        self.post_to(PATH, body).await
    }

    async fn post_to(&self, path: &str, body: impl Into<reqwest::Body>) -> StatusCode {
        deliver(self.url(path), body).await
    }

    /// Begins to deliver, and goes on meanwhile.
    fn begin_to_post(&self, body: String) -> JoinHandle<StatusCode> {
        tokio::spawn(deliver(self.url(PATH), body))
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// What comes back for these bytes, after which nothing more is sent: the head in lines without the date, and the
    /// body.
    async fn raw(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A reset is no answer either.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        answer.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
    }
}

async fn deliver(url: String, body: impl Into<reqwest::Body>) -> StatusCode {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    http.post(url).body(body).send().await.unwrap().status()
}

/// A request as it stands on the wire, whole.
fn request(method: &str, path: &str, body: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

/// An update of this chat.
fn started(chat: i64) -> String {
    json!({"timestamp": 1, "chat_id": chat, "user": {"user_id": 7, "name": "A"}, "update_type": "bot_started"})
        .to_string()
}

/// The updates that a handler got, told by their chats.
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

/// A gate at which handlers wait, and a test waits for them.
#[derive(Clone)]
struct Gate {
    reached: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Gate {
    fn closed() -> Self {
        Self { reached: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }

    /// A handler comes to the gate, and goes on when it is let through.
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
