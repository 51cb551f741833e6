//! A server of canned answers. It is a separate process, so that its cost is not measured.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use crate::corpus::{self, MARKER_DIGITS, Tags};

/// The time for which a poll of [`IDLE_TOKEN`] is held.
const HOLD: Duration = Duration::from_millis(20);
/// The bot with this token gets no updates.
pub(crate) const IDLE_TOKEN: &str = "idle";

/// A prefix of the path. Every page has ten chats.
pub(crate) const TEN_CHATS: &str = "/ten-chats";
/// A prefix of the path. The first ten pages after a poll without a marker have 10,000 chats, and all others are empty.
pub(crate) const MANY_CHATS: &str = "/many-chats";
/// The number of pages of [`MANY_CHATS`].
const MANY_CHATS_PAGES: u64 = 10;

/// Prints its URL, and serves until the process is killed.
pub(crate) fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let answers: &'static Answers = Box::leak(Box::new(Answers::new()));
    for connection in listener.incoming() {
        thread::spawn(move || answers.serve(connection.unwrap()));
    }
}

struct Answers {
    sent: Vec<u8>,
    /// Pages without their markers. The server adds another marker each time.
    page: Vec<u8>,
    ten_chats: Vec<u8>,
    many_chats: LazyLock<Vec<Vec<u8>>>,
    pages: AtomicU64,
    empty: Vec<u8>,
    none: Vec<u8>,
    me: Vec<u8>,
}

impl Answers {
    fn new() -> Self {
        Self {
            sent: answer(&corpus::sent()),
            page: without_marker(&corpus::page(Tags::Last, 0)),
            ten_chats: without_marker(&corpus::page_of_ten_chats()),
            many_chats: LazyLock::new(|| {
                (0..MANY_CHATS_PAGES).map(|number| without_marker(&corpus::page_with_own_chats(number))).collect()
            }),
            pages: AtomicU64::new(0),
            empty: answer(r#"{"updates":[],"marker":1}"#),
            none: answer(r#"{"subscriptions":[]}"#),
            me: answer(r#"{"user_id":1,"name":"Bot"}"#),
        }
    }

    fn next(&self, page: &[u8]) -> Vec<u8> {
        with_marker(page, self.pages.fetch_add(1, Relaxed))
    }

    /// Returns the page of [`MANY_CHATS`] that follows the marker of a poll. The pages are numbered from 1.
    fn next_of_many_chats(&self, request: &str) -> Vec<u8> {
        let marker = request.split_once("marker=").map(|(_, marker)| marker.chars().take(MARKER_DIGITS).skip(1));
        let last: u64 = marker.map_or(0, |digits| digits.collect::<String>().parse().unwrap());
        match usize::try_from(last).ok().and_then(|number| self.many_chats.get(number)) {
            Some(page) => with_marker(page, last + 1),
            None => {
                thread::sleep(HOLD);
                answer(&format!(r#"{{"updates":[],"marker":{}}}"#, marker_of(last)))
            }
        }
    }

    fn serve(&self, mut connection: TcpStream) {
        connection.set_nodelay(true).unwrap();
        let mut reader = BufReader::new(connection.try_clone().unwrap());
        loop {
            let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
            if reader.read_line(&mut first).unwrap_or(0) == 0 {
                return;
            }
            while {
                line.clear();
                reader.read_line(&mut line).unwrap_or(0) > 2
            } {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            let (prefix, operation) = first.split(['?', ' ']).nth(1).unwrap().rsplit_once('/').unwrap();
            let answer = match operation {
                "subscriptions" => &self.none,
                "me" => &self.me,
                "updates" if first.contains(IDLE_TOKEN) => {
                    thread::sleep(HOLD);
                    &self.empty
                }
                "updates" if prefix == MANY_CHATS => &self.next_of_many_chats(&first),
                "updates" if prefix == TEN_CHATS => &self.next(&self.ten_chats),
                "updates" => &self.next(&self.page),
                _ => &self.sent,
            };
            if connection.write_all(answer).is_err() {
                return;
            }
        }
    }
}

/// Returns a response with this body.
fn answer(body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body.as_bytes()].concat()
}

/// Returns a response with this page, up to its marker.
fn without_marker(page: &str) -> Vec<u8> {
    let mut answer = answer(page);
    answer.truncate(answer.len() - MARKER_DIGITS - 1);
    answer
}

fn with_marker(page: &[u8], number: u64) -> Vec<u8> {
    [page, marker_of(number).as_bytes(), b"}"].concat()
}

fn marker_of(number: u64) -> String {
    format!("1{number:0width$}", width = MARKER_DIGITS - 1)
}
