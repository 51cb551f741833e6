//! HTTP/2 servers that refuse a stream, send GOAWAY, or freeze. They write frames to real sockets.

use std::{
    future::IntoFuture,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::join_all;
use tamtam::{Bot, ChatId, Error, ErrorKind, Update};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::timeout,
};

use crate::fault_server::quick;

/// Time limit of a call. A call that hangs fails its test.
const PATIENCE: Duration = Duration::from_secs(20);
/// The interval of pings.
const PING: Duration = Duration::from_millis(50);
/// The timeout of a ping: long, so that a busy machine is not mistaken for a frozen server.
const PONG: Duration = Duration::from_secs(1);

/// The debug data of a GOAWAY frame.
const DEBUG_DATA: &str = "GET /me?access_token=t0ken-in-goaway";
const ME: &str = r#"{"user_id":1,"name":"Bot","username":"bot","is_bot":true,"last_activity_time":1}"#;
const SENT: &str = r#"{"message":{"recipient":{"chat_id":1,"chat_type":"chat"},"timestamp":1,
    "body":{"mid":"mid.1","seq":1,"text":"hi"}}}"#;
const PAGE: &str = r#"{"updates":[{"update_type":"bot_started","timestamp":1,"chat_id":1,
    "user":{"user_id":1,"name":"A"}}],"marker":10}"#;
const NO_WEBHOOKS: &str = r#"{"subscriptions":[]}"#;

/// The reaction of a server to a request.
#[derive(Debug, Clone, Copy)]
enum Act {
    Answer(&'static str),
    /// An answer after this number of pings.
    AnswerAfterPings(usize, &'static str),
    /// RST_STREAM with REFUSED_STREAM: the request was certainly not processed (RFC 9113, 8.7).
    Refuse,
    /// RST_STREAM with another code.
    Reset,
    /// The beginning of an answer, then RST_STREAM with REFUSED_STREAM, which is not allowed after an answer has begun.
    ResetInBody,
    /// GOAWAY that names an earlier stream as the last one (RFC 9113, 6.8), then an open connection. Its debug data
    /// quote the request.
    GoAwayBelow,
    /// GOAWAY that names this stream as the last one. The connection is then closed.
    GoAwayAt,
    /// No more frames on this connection, which stays open.
    Freeze,
}

/// A server with one act for each request. It repeats the last act.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    /// Notified when a client closes a connection.
    closed: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    requests: usize,
}

impl Server {
    async fn start(acts: impl Into<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (acts, seen, closed) = (Arc::new(acts.into()), Arc::<Mutex<Seen>>::default(), Arc::<Notify>::default());
        let server =
            Self { address: listener.local_addr().unwrap(), seen: Arc::clone(&seen), closed: Arc::clone(&closed) };
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                seen.lock().unwrap().connections += 1;
                let (acts, seen, closed) = (Arc::clone(&acts), Arc::clone(&seen), Arc::clone(&closed));
                tokio::spawn(async move {
                    let _ = serve(connection, &acts, &seen).await;
                    closed.notify_one();
                });
            }
        });
        server
    }

    fn bot(&self) -> Bot {
        let builder = Bot::builder("token").base_url(format!("http://{}", self.address)).retry(quick());
        builder.http2_keep_alive(PING, PONG).http(|http| http.no_proxy().http2_prior_knowledge()).build().unwrap()
    }

    fn requests(&self) -> usize {
        self.seen.lock().unwrap().requests
    }

    fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING_FRAME: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const NO_ERROR: u32 = 0;
const REFUSED_STREAM: u32 = 7;
const CANCEL: u32 = 8;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Returns the frames of a 200 with this body.
fn success(stream: u32, body: &str) -> Vec<u8> {
    // `:status: 200` in HPACK.
    let mut answer = frame(HEADERS, END_HEADERS, stream, &[0x88]);
    answer.extend(frame(DATA, END_STREAM, stream, body.as_bytes()));
    answer
}

/// Serves a connection until an act ends it. Fails when the client closes it.
async fn serve(mut connection: TcpStream, acts: &[Act], seen: &Mutex<Seen>) -> std::io::Result<()> {
    connection.read_exact(&mut [0; 24]).await?;
    connection.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    let mut frozen = false;
    let mut waiting = None;
    loop {
        let mut head = [0; 9];
        connection.read_exact(&mut head).await?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        connection.read_exact(&mut payload).await?;
        let (kind, flags, stream) = (head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]));
        let answer = match kind {
            HEADERS => {
                let act = {
                    let mut seen = seen.lock().unwrap();
                    seen.requests += 1;
                    *acts.get(seen.requests - 1).or(acts.last()).unwrap()
                };
                match act {
                    Act::Answer(body) => success(stream, body),
                    Act::AnswerAfterPings(pings, body) => {
                        waiting = Some((pings, stream, body));
                        Vec::new()
                    }
                    Act::Refuse => frame(RST_STREAM, 0, stream, &REFUSED_STREAM.to_be_bytes()),
                    Act::ResetInBody => [
                        frame(HEADERS, END_HEADERS, stream, &[0x88]),
                        frame(DATA, 0, stream, b"{"),
                        frame(RST_STREAM, 0, stream, &REFUSED_STREAM.to_be_bytes()),
                    ]
                    .concat(),
                    Act::Reset => frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()),
                    Act::GoAwayBelow | Act::GoAwayAt => {
                        let last = if matches!(act, Act::GoAwayAt) { stream } else { stream - 1 };
                        let payload =
                            [&last.to_be_bytes()[..], &NO_ERROR.to_be_bytes(), DEBUG_DATA.as_bytes()].concat();
                        frame(GOAWAY, 0, 0, &payload)
                    }
                    Act::Freeze => {
                        frozen = true;
                        Vec::new()
                    }
                }
            }
            SETTINGS if flags & ACK == 0 => frame(SETTINGS, ACK, 0, &[]),
            PING_FRAME if flags & ACK == 0 => {
                let mut answer = frame(PING_FRAME, ACK, 0, &payload);
                if let Some((pings, stream, body)) = &mut waiting {
                    *pings -= 1;
                    if *pings == 0 {
                        answer.extend(success(*stream, body));
                        waiting = None;
                    }
                }
                answer
            }
            _ => Vec::new(),
        };
        if !frozen {
            connection.write_all(&answer).await?;
            if kind == HEADERS && answer.get(3) == Some(&GOAWAY) && answer[9..13] == stream.to_be_bytes() {
                return connection.shutdown().await;
            }
        }
    }
}

/// Waits for a call, for at most [`PATIENCE`].
async fn soon<T>(call: impl IntoFuture<Output = T>) -> T {
    timeout(PATIENCE, call.into_future()).await.expect("the call hangs")
}

#[tokio::test]
async fn a_stream_that_was_refused_unprocessed_is_sent_again_for_every_operation() {
    for act in [Act::Refuse, Act::GoAwayBelow] {
        let server = Server::start([act, Act::Answer(SENT)]).await;
        soon(server.bot().send(ChatId(1), "hi")).await.unwrap();
        assert_eq!(server.requests(), 2, "{act:?}");
        let server = Server::start([act, Act::Answer(ME)]).await;
        soon(server.bot().me()).await.unwrap();
        assert_eq!(server.requests(), 2, "{act:?}");
        let server = Server::start([act, Act::Answer(r#"{"success":true}"#)]).await;
        soon(server.bot().edit("mid.1", "hi")).await.unwrap();
        assert_eq!(server.requests(), 2, "{act:?}");
    }
}

#[tokio::test]
async fn an_error_after_unprocessed_streams_says_that_nothing_was_applied() {
    for act in [Act::Refuse, Act::GoAwayBelow] {
        let server = Server::start([act]).await;
        let error = soon(server.bot().send(ChatId(1), "hi")).await.unwrap_err();
        assert_eq!((error.attempts(), server.requests()), (3, 3), "{act:?}: {error:?}");
        assert!(
            !error.may_have_been_applied() && error.is_retryable() && error.kind() != ErrorKind::Connect,
            "{act:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn the_debug_data_of_a_goaway_are_not_shown() {
    for act in [Act::GoAwayBelow, Act::GoAwayAt] {
        let server = Server::start([act]).await;
        let error = soon(server.bot().me()).await.unwrap_err();
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(error) = next {
            let text = format!("{error} {error:?}");
            assert!(!text.contains("t0ken-in-goaway"), "{act:?}: {text}");
            next = error.source();
        }
    }
}

#[tokio::test]
async fn a_goaway_does_not_prove_that_a_request_without_a_body_was_not_processed() {
    let server = Server::start([Act::GoAwayBelow, Act::Answer(ME)]).await;
    let error = soon(server.bot().request(http::Method::POST, "/new").into_future()).await.unwrap_err();
    assert!(error.may_have_been_applied() && error.attempts() == 1, "{error:?}");
}

#[tokio::test]
async fn a_reset_in_the_middle_of_an_answer_is_retried_for_read_only_calls() {
    let server = Server::start([Act::ResetInBody, Act::Answer(ME)]).await;
    soon(server.bot().me()).await.unwrap();
    assert_eq!(server.requests(), 2);
    let server = Server::start([Act::ResetInBody, Act::Answer(SENT)]).await;
    let error = soon(server.bot().send(ChatId(1), "hi")).await.unwrap_err();
    assert!(error.may_have_been_applied() && error.attempts() == 1, "{error:?}");
}

#[tokio::test]
async fn a_stream_that_may_have_been_processed_is_retried_for_read_only_calls() {
    for act in [Act::Reset, Act::GoAwayAt] {
        let server = Server::start([act, Act::Answer(SENT)]).await;
        let error = soon(server.bot().send(ChatId(1), "hi")).await.unwrap_err();
        assert_eq!((error.attempts(), server.requests()), (1, 1), "{act:?}: {error:?}");
        assert!(error.may_have_been_applied(), "{act:?}: {error:?}");
        let server = Server::start([act, Act::Answer(ME)]).await;
        soon(server.bot().me()).await.unwrap();
        assert_eq!(server.requests(), 2, "{act:?}");
    }
}

#[tokio::test]
async fn calls_on_a_frozen_connection_are_retried_on_a_new_one() {
    let calls = 24;
    let mut acts = vec![Act::Answer(ME)];
    acts.extend(vec![Act::Freeze; calls]);
    acts.push(Act::Answer(ME));
    let server = Server::start(acts).await;
    let bot = server.bot();
    soon(bot.me()).await.unwrap();
    let done = soon(join_all((0..calls).map(|_| bot.me().into_future()))).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_message_on_a_frozen_connection_fails_and_is_not_sent_again() {
    let server = Server::start([Act::Freeze, Act::Answer(SENT)]).await;
    let bot = server.bot();
    let error: Error = soon(bot.send(ChatId(1), "hi")).await.unwrap_err();
    assert!(error.may_have_been_applied() && error.is_retryable(), "{error:?}");
    assert_eq!((error.attempts(), server.requests()), (1, 1));
    soon(bot.send(ChatId(1), "hi")).await.unwrap();
    assert_eq!(server.connections(), 2, "later calls use a new connection");
}

#[tokio::test]
async fn a_poll_on_a_frozen_connection_is_retried_on_a_new_one() {
    let server = Server::start([Act::Answer(NO_WEBHOOKS), Act::Freeze, Act::Answer(PAGE)]).await;
    let moment = Duration::from_millis(1);
    let mut updates = server.bot().updates().backoff(moment, moment);
    let update = soon(updates.try_next()).await.unwrap();
    assert!(matches!(update, Some(Update::BotStarted(_))), "{update:?}");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_freezes_while_it_is_idle_is_given_up_before_the_next_call() {
    let server = Server::start([Act::Answer(ME), Act::Freeze, Act::Answer(SENT)]).await;
    let bot = server.bot();
    soon(bot.me()).await.unwrap();
    // A canceled call leaves the connection idle and frozen.
    tokio::select! {
        done = bot.me().into_future() => panic!("{done:?}"),
        () = async { while server.requests() < 2 { tokio::task::yield_now().await } } => {}
    }
    soon(server.closed.notified()).await;
    soon(bot.send(ChatId(1), "hi")).await.unwrap();
    assert_eq!((server.connections(), server.requests()), (2, 3));
}

#[tokio::test]
async fn a_slow_server_that_answers_pings_is_not_given_up() {
    // Without answers to pings, the connection would be given up after the first ping.
    let server = Server::start([Act::AnswerAfterPings(5, ME)]).await;
    assert_eq!(soon(server.bot().me()).await.unwrap().name, "Bot");
    assert_eq!((server.connections(), server.requests()), (1, 1));
}
