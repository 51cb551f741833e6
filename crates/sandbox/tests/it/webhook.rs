//! A webhook on a real socket, with configurable replies and a record of its requests.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinHandle;

use crate::common::{http_answer, read_request};

/// The reply to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reply {
    Status(u16),
    /// No response, and the connection stays open.
    Nothing,
    /// No response, and the connection is closed.
    Close,
}

type Handler = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A webhook. Dropping it frees its port.
pub(crate) struct Webhook {
    address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Inner {
    requests: Vec<String>,
    replies: VecDeque<Reply>,
    handler: Option<Handler>,
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Webhook {
    /// Starts a webhook that accepts all updates.
    pub(crate) async fn start() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self::on(socket).await
    }

    /// Starts a webhook on a bound socket.
    pub(crate) async fn on(socket: TcpSocket) -> Self {
        let listener = socket.listen(1024).unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::<Mutex<Inner>>::default();
        let shared = Arc::clone(&inner);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { address, inner, task }
    }

    /// Sets the replies to the next requests. Later requests are answered with 200.
    pub(crate) fn answers(&self, replies: impl IntoIterator<Item = Reply>) {
        self.inner.lock().unwrap().replies.extend(replies);
    }

    /// Calls `handler` with the body of each request, before the reply.
    pub(crate) fn on_update<F>(&self, handler: impl Fn(String) -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.inner.lock().unwrap().handler = Some(Arc::new(move |body| Box::pin(handler(body))));
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook?secret=x", self.address)
    }

    /// Returns the unchanged requests so far, with head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.inner.lock().unwrap().requests.clone()
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        let requests = self.requests();
        requests.iter().map(|request| request.split_once("\r\n\r\n").unwrap().1.to_owned()).collect()
    }
}

async fn serve(mut stream: TcpStream, inner: Arc<Mutex<Inner>>) {
    let Some(request) = read_request(&mut stream).await else { return };
    let body = request.split_once("\r\n\r\n").unwrap().1.to_owned();
    let (reply, handler) = {
        let mut inner = inner.lock().unwrap();
        inner.requests.push(request);
        (inner.replies.pop_front().unwrap_or(Reply::Status(200)), inner.handler.clone())
    };
    if let Some(handler) = handler {
        handler(body).await;
    }
    match reply {
        // The sandbox may have closed the connection.
        Reply::Status(status) => drop(stream.write_all(http_answer(&format!("{status} X"), &[], "").as_bytes()).await),
        Reply::Nothing => std::future::pending().await,
        Reply::Close => {}
    }
}
