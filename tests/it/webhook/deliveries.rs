//! Unusual deliveries: truncated, too large, canceled, repeated, concurrent.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tamtam::{updates::Recovery, webhook::axum::Router};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Gate, PATH, Seen, Server, bot, request, started, webhook};
use tamtam::webhook::Webhook;

/// Returns a router that records its updates.
fn noting(seen: &Seen) -> Router {
    let seen = seen.clone();
    // These tests expect no failures.
    let webhook = webhook().on_error(|failed| -> Recovery { panic!("{failed:?}") });
    webhook.router(move |_, update| {
        seen.add(&update);
        async {}
    })
}

/// Returns a router whose handlers record their update, wait at a gate, and then fail if `fail` is set.
fn waiting(seen: &Seen, gate: &Gate, fail: bool) -> Router {
    let (seen, gate) = (seen.clone(), gate.clone());
    webhook().on_error(|_| Recovery::Retry).router(move |_, update| {
        seen.add(&update);
        let gate = gate.clone();
        async move {
            gate.pass().await;
            if fail { Err("no luck") } else { Ok(()) }
        }
    })
}

/// Lets all other tasks run, so that unwanted effects have the time to happen.
async fn a_while() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_truncated_body_is_not_answered_with_200_and_not_handled() {
    let seen = Seen::default();
    let server = Server::start(noting(&seen)).await;
    let whole = started(1);
    let head = |headers: &str| format!("POST {PATH} HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n");
    // The received part is itself a valid update.
    let cut = head(&format!("content-length: {}", whole.len() + 1)) + &whole;
    let cut_in_a_chunk = head("transfer-encoding: chunked") + &format!("{:x}\r\n{whole}", whole.len() + 1);
    let without_last_chunk = head("transfer-encoding: chunked") + &format!("{:x}\r\n{whole}\r\n", whole.len());
    for request in [cut, cut_in_a_chunk, without_last_chunk, head("content-length: 5")] {
        let answer = server.raw(&request).await;
        assert!(!answer.contains("200"), "{request} -> {answer}");
    }
    assert_eq!(seen.count(), 0);
    // The complete body, in chunks.
    let whole = head("transfer-encoding: chunked\r\nconnection: close")
        + &format!("5\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", &whole[..5], whole.len() - 5, &whole[5..]);
    let answer = server.raw(&whole).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(seen.all(), ["1"]);
}

#[tokio::test]
async fn a_body_over_the_limit_is_answered_with_413() {
    let seen = Seen::default();
    let theirs = seen.clone();
    let update = started(1);
    let router = webhook().body_limit(update.len()).router(move |_, update| {
        theirs.add(&update);
        async {}
    });
    let server = Server::start(router).await;
    assert_eq!(server.post(update.clone()).await, 200);
    assert_eq!(server.post(update.clone() + " ").await, 413);
    let chunked = format!("{:x}\r\n{update} \r\n0\r\n\r\n", update.len() + 1);
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    let answer = server.raw(&(head + &chunked)).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(seen.count(), 1);
}

#[tokio::test]
async fn the_default_body_limit_is_4_mib() {
    const LIMIT: usize = 4 * 1024 * 1024;
    let seen = Seen::default();
    let server = Server::start(noting(&seen)).await;
    let update = started(1);
    let spaces = " ".repeat(LIMIT - update.len());
    assert_eq!(server.post(update.clone() + &spaces).await, 200);
    assert_eq!(server.post(update + &spaces + " ").await, 413);
    assert_eq!(seen.count(), 1);
}

#[tokio::test]
async fn the_content_type_is_ignored() {
    let seen = Seen::default();
    let server = Server::start(noting(&seen)).await;
    let headers =
        ["", "content-type: text/plain\r\n", "content-type: application/xml; charset=utf-16\r\n", "content-type: \r\n"];
    for (chat, header) in (1..).zip(headers) {
        let body = started(chat);
        let length = body.len();
        let request = format!(
            "POST {PATH} HTTP/1.1\r\nhost: x\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        let answer = server.raw(&request).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{header} -> {answer}");
    }
    assert_eq!(seen.count(), 4);
}

#[tokio::test]
async fn a_connection_carries_several_deliveries() {
    let seen = Seen::default();
    let server = Server::start(noting(&seen)).await;
    let body = |chat| started(chat);
    let first = format!("POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{}", body(1).len(), body(1));
    let answers = server.raw(&(first + &request("POST", PATH, &body(2)))).await;
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    assert_eq!(seen.all(), ["1", "2"]);
}

#[tokio::test]
async fn a_disconnected_client_does_not_stop_the_handler() {
    let (gate, done) = (Gate::closed(), Arc::new(AtomicUsize::new(0)));
    let (theirs, counted) = (gate.clone(), Arc::clone(&done));
    let router = webhook().router(move |_, _| {
        let (gate, done) = (theirs.clone(), Arc::clone(&counted));
        async move {
            gate.pass().await;
            done.fetch_add(1, Ordering::SeqCst);
            gate.reached.add_permits(1);
        }
    });
    let server = Server::start(router).await;
    let mut connection = server.connect().await;
    connection.write_all(request("POST", PATH, &started(1)).as_bytes()).await.unwrap();
    gate.is_reached().await;
    drop(connection);
    a_while().await;
    gate.let_through(1);
    gate.is_reached().await;
    assert_eq!(done.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_redelivery_while_the_handler_runs_waits_and_gets_its_answer() {
    for (fail, expected) in [(false, 200), (true, 503)] {
        let (seen, gate) = (Seen::default(), Gate::closed());
        let server = Server::start(waiting(&seen, &gate, fail)).await;
        // The first client disconnects, so the server delivers again.
        let mut first = server.connect().await;
        first.write_all(request("POST", PATH, &started(1)).as_bytes()).await.unwrap();
        gate.is_reached().await;
        drop(first);
        let again: Vec<_> = (0..3).map(|_| server.begin_to_post(started(1))).collect();
        a_while().await;
        assert!(again.iter().all(|delivery| !delivery.is_finished()));
        gate.let_through(1);
        for delivery in again {
            assert_eq!(delivery.await.unwrap(), expected);
        }
        assert_eq!(seen.all(), ["1"], "the handler ran once");
    }
}

#[tokio::test]
async fn a_redelivery_after_the_answer_is_not_handled_again() {
    let seen = Seen::default();
    let server = Server::start(noting(&seen)).await;
    for _ in 0..3 {
        assert_eq!(server.post(started(1)).await, 200);
    }
    assert_eq!(seen.all(), ["1"]);
}

#[tokio::test]
async fn different_updates_are_handled_concurrently() {
    const MANY: i64 = 20;
    let (seen, gate) = (Seen::default(), Gate::closed());
    let server = Server::start(waiting(&seen, &gate, false)).await;
    let deliveries: Vec<_> = (0..MANY).map(|chat| server.begin_to_post(started(chat))).collect();
    for _ in 0..MANY {
        // All handlers must be at the gate at the same time.
        gate.is_reached().await;
    }
    gate.let_through(deliveries.len());
    for delivery in deliveries {
        assert_eq!(delivery.await.unwrap(), 200);
    }
    assert_eq!(seen.count(), 20);
}

#[tokio::test]
async fn the_same_update_for_two_bots_is_handled_by_each() {
    const OTHER: &str = "/other/s0meOtherSecret-0a1b2c3d4e5f60718293";
    let (seen, gate) = (Seen::default(), Gate::closed());
    let (other_seen, theirs) = (Seen::default(), gate.clone());
    let noted = other_seen.clone();
    let other = Webhook::new(bot(), OTHER).unwrap().router(move |_, update| {
        noted.add(&update);
        let gate = theirs.clone();
        async move { gate.pass().await }
    });
    let server = Server::start(waiting(&seen, &gate, false).merge(other)).await;
    let (one, other) = tokio::join!(server.post(started(1)), async {
        gate.is_reached().await;
        let other = tokio::spawn(super::deliver(server.url(OTHER), started(1)));
        gate.is_reached().await;
        gate.let_through(2);
        other.await.unwrap()
    });
    assert_eq!((one, other), (200.try_into().unwrap(), 200.try_into().unwrap()));
    assert_eq!((seen.count(), other_seen.count()), (1, 1));
}

#[tokio::test]
async fn the_answer_has_no_body() {
    let server = Server::start(noting(&Seen::default())).await;
    let mut connection = server.connect().await;
    connection.write_all(request("POST", PATH, &started(1)).as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
}
