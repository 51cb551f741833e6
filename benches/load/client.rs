//! The client's side: the calls, and what the callers notice of the faults.

use std::{cell::Cell, collections::BTreeMap, sync::Mutex};

use tamtam::{Bot, ChatId, Error, ErrorKind, Result};

use crate::{faults::ConnectionFault, network::UnknownName};

/// How often a call is tried that gets no connection.
const ATTEMPTS: u32 = 3;

/// What the calls do, in turn: one of each class of the retry contract.
pub(crate) const METHODS: [&str; 4] = ["GET", "PUT", "DELETE", "POST"];

tokio::task_local! {
    /// The call that is under way: the hook that is told of a retry is not told whose it is.
    static UNDER_WAY: UnderWay;
}

struct UnderWay {
    method: &'static str,
    failures: Cell<Failures>,
}

/// The attempts of a call that failed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Failures {
    count: u32,
    /// How many of them for want of a connection.
    unconnected: u32,
    /// Whether one of them was sent and got no answer in time.
    pub(crate) timed_out: bool,
}

impl Failures {
    fn add(&mut self, error: &Error) {
        self.count += 1;
        self.unconnected += u32::from(error.kind() == ErrorKind::Connect);
        self.timed_out |= error.is_timeout() && error.kind() != ErrorKind::Connect;
    }
}

/// What a call came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) failures: Failures,
    /// Of a call that failed, whether the error says that the server may have done it all the same.
    pub(crate) error: Option<bool>,
}

impl Outcome {
    /// How often it was sent at most: each time that there was a connection.
    pub(crate) fn times_sent(&self) -> u32 {
        self.failures.count + u32::from(self.error.is_none()) - self.failures.unconnected
    }
}

/// What all callers together noticed.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) retries: usize,
    /// Attempts that failed for want of a connection and were followed by another, by fault and method.
    tried_again: BTreeMap<(ConnectionFault, &'static str), usize>,
    /// Calls that failed for want of a connection.
    given_up: BTreeMap<ConnectionFault, usize>,
    /// Those of them that were not tried as often as they may be.
    pub(crate) given_up_early: usize,
    /// Attempts that got no connection for any other reason: a reset that came during the handshake, a busy machine.
    pub(crate) other_reasons: BTreeMap<String, usize>,
}

impl Notes {
    pub(crate) fn tried_again(&self, fault: ConnectionFault, method: &'static str) -> usize {
        self.tried_again.get(&(fault, method)).copied().unwrap_or_default()
    }

    pub(crate) fn given_up(&self, fault: ConnectionFault) -> usize {
        self.given_up.get(&fault).copied().unwrap_or_default()
    }

    /// How many connections that failed were noticed by a call.
    pub(crate) fn noticed(&self, fault: ConnectionFault) -> usize {
        METHODS.iter().map(|method| self.tried_again(fault, method)).sum::<usize>() + self.given_up(fault)
    }

    /// Notes that the call that is under way has failed and is about to be tried again.
    pub(crate) fn retry(&mut self, error: &Error) {
        self.retries += 1;
        let method = UNDER_WAY.with(|call| {
            let mut failures = call.failures.get();
            failures.add(error);
            call.failures.set(failures);
            call.method
        });
        match fault(error) {
            _ if error.kind() != ErrorKind::Connect => {}
            Some(fault) => *self.tried_again.entry((fault, method)).or_default() += 1,
            None => self.other_reason(error),
        }
    }

    fn give_up(&mut self, error: &Error) {
        self.given_up_early += usize::from(error.attempts() < ATTEMPTS);
        match fault(error) {
            Some(fault) => *self.given_up.entry(fault).or_default() += 1,
            None => self.other_reason(error),
        }
    }

    fn other_reason(&mut self, error: &Error) {
        let reason = error.to_string();
        *self.other_reasons.entry(reason).or_default() += 1;
    }
}

/// Makes a call, with a bot whose retries are noted.
pub(crate) async fn call(bot: &Bot, number: usize, notes: &Mutex<Notes>) -> Outcome {
    let this = UnderWay { method: method(number), failures: Cell::default() };
    let sending = async { (send(bot, number).await, UNDER_WAY.with(|call| call.failures.get())) };
    let (result, mut failures) = UNDER_WAY.scope(this, sending).await;
    if let Err(error) = &result {
        failures.add(error);
        assert_eq!(error.attempts(), failures.count, "a failure but the last was not followed by a retry: {error:?}");
        if error.kind() == ErrorKind::Connect {
            notes.lock().unwrap().give_up(error);
        }
    }
    // Only what is judged is kept, so that memory says something of the client.
    Outcome { failures, error: result.err().map(|error| error.may_have_been_applied()) }
}

/// What a call does, by its number.
pub(crate) fn method(number: usize) -> &'static str {
    METHODS[number % METHODS.len()]
}

async fn send(bot: &Bot, number: usize) -> Result<()> {
    let mid = format!("mid.{number}");
    match method(number) {
        "GET" => bot.api().get_message_by_id(mid).await.map(drop),
        "PUT" => bot.edit(mid, "text").await,
        "DELETE" => bot.api().delete_message(mid).await,
        _ => bot.send(ChatId(1), mid).await.map(drop),
    }
}

/// Which fault it is that left a call without a connection, if it is one of ours. The error has the words of its cause.
fn fault(error: &Error) -> Option<ConnectionFault> {
    if error.kind() != ErrorKind::Connect {
        return None;
    }
    let words = error.to_string();
    let faults = [
        (UnknownName.to_string(), ConnectionFault::UnknownName),
        ("received corrupt message".to_owned(), ConnectionFault::NoTls),
        ("invalid peer certificate".to_owned(), ConnectionFault::WrongCertificate),
        ("Connection refused".to_owned(), ConnectionFault::Refused),
    ];
    faults.into_iter().find_map(|(cause, fault)| words.contains(&cause).then_some(fault))
}
