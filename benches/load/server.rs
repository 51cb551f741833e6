//! The server over HTTP/1.1: the good answers, and all faults of requests.

use std::sync::Arc;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use crate::{
    faults::{Chance, FAULTS, Fault},
    ledger::Ledger,
};

/// A connection that can be reset.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Unpin {
    fn reset(self);
}

impl Connection for TcpStream {
    fn reset(self) {
        let _ = self.set_zero_linger();
    }
}

impl Connection for TlsStream<TcpStream> {
    fn reset(self) {
        self.into_inner().0.reset();
    }
}

/// The server, as shared by all connections.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) chance: Arc<Chance>,
    pub(crate) ledger: Arc<Ledger>,
}

impl Server {
    /// Answers the requests of a connection until a fault ends it.
    pub(crate) async fn serve(self, mut connection: impl Connection) {
        let mut read = Vec::new();
        loop {
            let fault = self.chance.fault(&FAULTS);
            if fault == Some(Fault::ResetBeforeReading) {
                // The request that the client is sending, or is about to send, is lost.
                self.ledger.reset();
                return connection.reset();
            }
            let Some((method, call)) = next_request(&mut connection, &mut read).await else { return };
            let was_applied = self.ledger.request(&method, call, fault, self.chance.coin());
            if fault == Some(Fault::ResetAfterReading) {
                return connection.reset();
            }
            let good = good(&method, call, was_applied);
            let _ = connection.write_all(answer(fault, &good).as_bytes()).await;
            match fault {
                Some(Fault::CutBody | Fault::CutBodyOfUnknownLength) => return,
                Some(Fault::EndlessBody) => {
                    let chunk = [format!("{:x}\r\n", PIECE.len()).as_bytes(), PIECE, b"\r\n"].concat();
                    while connection.write_all(&chunk).await.is_ok() {}
                    return;
                }
                Some(Fault::Silence | Fault::StalledBody) => {
                    // Waits until the client gives up.
                    let _ = connection.read(&mut [0; 1]).await;
                    return;
                }
                _ => {}
            }
        }
    }
}

/// A piece of an endless body.
pub(crate) const PIECE: &[u8] = &[b' '; 4096];

/// Returns the answer of the API to a request.
pub(crate) fn good(method: &str, call: usize, was_applied: bool) -> String {
    match method {
        "GET" => message(call),
        "POST" => format!(r#"{{"message":{}}}"#, message(call)),
        "DELETE" if was_applied => r#"{"success":false,"message":"already deleted"}"#.to_owned(),
        _ => r#"{"success":true}"#.to_owned(),
    }
}

/// Returns the answer, changed by the fault.
fn answer(fault: Option<Fault>, good: &str) -> String {
    let status = |line: &str, body: &str| format!("HTTP/1.1 {line}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (length, half) = (good.len(), &good[..good.len() / 2]);
    match fault {
        None => status("200 OK", good),
        Some(Fault::ResetBeforeReading | Fault::ResetAfterReading | Fault::Silence) => String::new(),
        Some(Fault::CutBody | Fault::StalledBody) => {
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{half}")
        }
        Some(Fault::CutBodyOfUnknownLength) => format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{half}"),
        Some(Fault::GarbageBody) => status("200 OK", "garbage"),
        Some(Fault::MisfitBody) => status("200 OK", "[[]]"),
        Some(Fault::TooMany) => status("429 X", r#"{"code":"too.many.requests","message":""}"#),
        Some(Fault::TooManyWithRetryAfter) => status("429 X\r\nretry-after: 0", ""),
        Some(Fault::UnavailableByApi) => status("503 X", r#"{"code":"service.unavailable","message":""}"#),
        Some(Fault::UnavailableByProxy) => status("503 X", "<html>"),
        Some(Fault::UnavailableByCache) => status("503 X\r\nretry-after: 0", "<html>"),
        Some(Fault::EndlessBody) => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
        Some(Fault::RefusedStream | Fault::ResetStream | Fault::Frozen) => unreachable!("faults of HTTP/2 only"),
        Some(Fault::Internal) => status("500 X", r#"{"code":"internal.error","message":"1"}"#),
        Some(Fault::BadGateway) => status("502 X", "<html>"),
        Some(Fault::RequestTimeout) => status("408 X", ""),
        Some(Fault::NotReady) => status("400 X", r#"{"code":"attachment.not.ready","message":""}"#),
    }
}

fn message(call: usize) -> String {
    format!(
        r#"{{"recipient":{{"chat_id":1,"chat_type":"chat"}},"timestamp":1,"body":{{"mid":"mid.{call}","seq":1,"text":"t"}}}}"#
    )
}

/// Reads the next whole request, and returns its method and call.
async fn next_request(connection: &mut impl Connection, read: &mut Vec<u8>) -> Option<(String, usize)> {
    loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..end]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
            let whole = end + 4 + length;
            if read.len() >= whole {
                let request = String::from_utf8_lossy(&read[..whole]).into_owned();
                read.drain(..whole);
                return Some((head.split(' ').next()?.to_owned(), call_of(&request)?));
            }
        }
        if connection.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}

/// Returns the call of a request: the number in its message id.
pub(crate) fn call_of(request: &str) -> Option<usize> {
    let digits: String = request.split("mid.").nth(1)?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
