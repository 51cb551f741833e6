//! A server of canned answers, in a process of its own: what it costs is nobody's figure.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    thread,
    time::Duration,
};

use crate::corpus::{self, MARKER_DIGITS, Tags};

/// For how long a poll of [`IDLE_TOKEN`] is held.
const HOLD: Duration = Duration::from_millis(20);
/// The bot with this token gets no updates.
pub(crate) const IDLE_TOKEN: &str = "idle";

/// Serves until the process is killed; prints its URL.
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
    /// A page up to its marker, which is another one each time.
    page: Vec<u8>,
    pages: AtomicU64,
    empty: Vec<u8>,
    none: Vec<u8>,
}

impl Answers {
    fn new() -> Self {
        let answer = |body: &str| {
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
            [head.as_bytes(), body.as_bytes()].concat()
        };
        let mut page = answer(&corpus::page(Tags::Last, 0));
        page.truncate(page.len() - MARKER_DIGITS - 1);
        Self {
            sent: answer(&corpus::sent()),
            page,
            pages: AtomicU64::new(0),
            empty: answer(r#"{"updates":[],"marker":1}"#),
            none: answer(r#"{"subscriptions":[]}"#),
        }
    }

    fn next_page(&self) -> Vec<u8> {
        let number = self.pages.fetch_add(1, Relaxed);
        [&*self.page, format!("1{number:0width$}}}", width = MARKER_DIGITS - 1).as_bytes()].concat()
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
            let answer = match first.split(['?', ' ']).nth(1).unwrap() {
                "/subscriptions" => &self.none,
                "/updates" if first.contains(IDLE_TOKEN) => {
                    thread::sleep(HOLD);
                    &self.empty
                }
                "/updates" => &self.next_page(),
                _ => &self.sent,
            };
            if connection.write_all(answer).is_err() {
                return;
            }
        }
    }
}
