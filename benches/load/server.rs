//! The server over HTTP/1.1: one good answer, and every way to fail a request.

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

/// A connection that can be broken off.
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

/// What a connection is served with.
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
                // Whatever the client is about to send, or has just sent.
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
                    // Until the client has had enough.
                    let _ = connection.read(&mut [0; 1]).await;
                    return;
                }
                _ => {}
            }
        }
    }
}

/// A piece of a body without an end.
pub(crate) const PIECE: &[u8] = &[b' '; 4096];

/// What the API answers to a request.
pub(crate) fn good(method: &str, call: usize, was_applied: bool) -> String {
    match method {
        "GET" => message(call),
        "POST" => format!(r#"{{"message":{}}}"#, message(call)),
        "DELETE" if was_applied => r#"{"success":false,"message":"already deleted"}"#.to_owned(),
        _ => r#"{"success":true}"#.to_owned(),
    }
}

/// As much of an answer as the fault lets through.
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
        Some(Fault::RefusedStream | Fault::ResetStream | Fault::Frozen) => unreachable!("they are of HTTP/2"),
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

/// Method and call of the next request, once it is there whole.
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

/// The call that a request belongs to: the number of the message that it is about.
pub(crate) fn call_of(request: &str) -> Option<usize> {
    let digits: String = request.split("mid.").nth(1)?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
