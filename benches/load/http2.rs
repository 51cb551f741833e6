//! The server over HTTP/2, with streams that are refused or reset, and connections that freeze.

use std::{collections::VecDeque, future::pending, sync::Arc};

use bytes::Bytes;
use h2::{
    Reason,
    server::{Connection, SendResponse, handshake},
};
use http::{Request, Response};
use tokio::net::TcpStream;

use crate::{
    TASKS,
    faults::Fault,
    ledger::Ledger,
    server::{PIECE, Server, call_of, good},
};

impl Server {
    /// Answers the requests of a connection until it is closed or freezes.
    pub(crate) async fn serve_http2(self, connection: TcpStream) {
        let Ok(mut connection) = handshake(connection).await else { return };
        let mut calls = VecDeque::new();
        while let Some(Ok((request, respond))) = connection.accept().await {
            let Some((method, call)) = read(request, &mut connection).await else { return };
            let fault = self.chance.http2_fault();
            calls.push_back(call);
            // The answers to the latest calls may not have been sent yet.
            if calls.len() > TASKS {
                calls.pop_front();
            }
            let was_applied = self.ledger.request(&method, call, fault, self.chance.coin());
            if fault == Some(Fault::Frozen) {
                return freeze(&self.ledger, &calls, connection).await;
            }
            answer(fault, &good(&method, call, was_applied), respond);
        }
    }
}

/// Keeps the connection open until the end, without reading or writing.
async fn freeze(ledger: &Arc<Ledger>, calls: &VecDeque<usize>, connection: Connection<TcpStream, Bytes>) {
    ledger.frozen(calls);
    let _connection = connection;
    pending::<()>().await;
}

/// Returns the method and the call of a request.
async fn read(
    request: Request<h2::RecvStream>,
    connection: &mut Connection<TcpStream, Bytes>,
) -> Option<(String, usize)> {
    let (head, mut body) = request.into_parts();
    let mut text = head.uri.to_string();
    let reading = async {
        while let Some(Ok(piece)) = body.data().await {
            text.push_str(&String::from_utf8_lossy(&piece));
        }
        call_of(&text)
    };
    tokio::select! {
        call = reading => Some((head.method.to_string(), call?)),
        // A connection reads its streams only while it is polled.
        _ = std::future::poll_fn(|context| connection.poll_closed(context)) => None,
    }
}

fn answer(fault: Option<Fault>, good: &str, mut respond: SendResponse<Bytes>) {
    let (status, retry_after, body) = match fault {
        Some(Fault::RefusedStream) => return respond.send_reset(Reason::REFUSED_STREAM),
        Some(Fault::ResetStream) => return respond.send_reset(Reason::INTERNAL_ERROR),
        Some(Fault::TooMany) => (429, false, r#"{"code":"too.many.requests","message":""}"#),
        Some(Fault::UnavailableByApi) => (503, false, r#"{"code":"service.unavailable","message":""}"#),
        Some(Fault::UnavailableByCache) => (503, true, "<html>"),
        Some(Fault::EndlessBody) => (200, false, ""),
        _ => (200, false, good),
    };
    let mut head = Response::builder().status(status);
    if retry_after {
        head = head.header("retry-after", "0");
    }
    let head = head.body(()).expect("a head");
    let Ok(mut stream) = respond.send_response(head, false) else { return };
    if fault == Some(Fault::EndlessBody) {
        tokio::spawn(async move {
            loop {
                stream.reserve_capacity(PIECE.len());
                match std::future::poll_fn(|context| stream.poll_capacity(context)).await {
                    Some(Ok(_)) if stream.send_data(Bytes::from_static(PIECE), false).is_ok() => {}
                    _ => return,
                }
            }
        });
        return;
    }
    let _ = stream.send_data(Bytes::copy_from_slice(body.as_bytes()), true);
}
