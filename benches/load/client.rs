//! The client: makes the calls, and records their failures and retries.

use std::{cell::Cell, collections::BTreeMap, sync::Mutex};

use tamtam::{Bot, ChatId, Error, ErrorKind, Result};

use crate::{faults::ConnectionFault, network::UnknownName};

/// Attempts of a call that gets no connection.
const ATTEMPTS: u32 = 3;

/// The methods of the calls, in turn: one of each class of the retry contract.
pub(crate) const METHODS: [&str; 4] = ["GET", "PUT", "DELETE", "POST"];

tokio::task_local! {
    /// The running call, because the hook for retries does not receive the call.
    static UNDER_WAY: UnderWay;
}

struct UnderWay {
    method: &'static str,
    failures: Cell<Failures>,
}

/// The failed attempts of a call.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Failures {
    count: u32,
    /// Attempts without a connection.
    unconnected: u32,
    /// Whether an attempt was sent and got no answer in time.
    pub(crate) timed_out: bool,
}

impl Failures {
    fn add(&mut self, error: &Error) {
        self.count += 1;
        self.unconnected += u32::from(error.kind() == ErrorKind::Connect);
        self.timed_out |= error.is_timeout();
    }
}

/// The outcome of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    pub(crate) failures: Failures,
    /// `None` after a success. Otherwise, whether the error says that the server may have applied the call.
    pub(crate) error: Option<bool>,
}

impl Outcome {
    /// Returns how often the call was sent at most: the number of attempts with a connection.
    pub(crate) fn times_sent(&self) -> u32 {
        self.failures.count + u32::from(self.error.is_none()) - self.failures.unconnected
    }
}

/// The records of all callers.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) retries: usize,
    /// Attempts that failed without a connection and were retried, by fault and method.
    tried_again: BTreeMap<(ConnectionFault, &'static str), usize>,
    /// Calls that failed without a connection.
    given_up: BTreeMap<ConnectionFault, usize>,
    /// Calls that failed without a connection before their last attempt.
    pub(crate) given_up_early: usize,
    /// Attempts that got no connection for other reasons, such as a reset during the handshake or a busy machine.
    pub(crate) other_reasons: BTreeMap<String, usize>,
}

impl Notes {
    pub(crate) fn tried_again(&self, fault: ConnectionFault, method: &'static str) -> usize {
        self.tried_again.get(&(fault, method)).copied().unwrap_or_default()
    }

    pub(crate) fn given_up(&self, fault: ConnectionFault) -> usize {
        self.given_up.get(&fault).copied().unwrap_or_default()
    }

    /// Returns the number of failed connections that a call noticed.
    pub(crate) fn noticed(&self, fault: ConnectionFault) -> usize {
        METHODS.iter().map(|method| self.tried_again(fault, method)).sum::<usize>() + self.given_up(fault)
    }

    /// Records that the running call has failed and will be retried.
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

/// Makes a call, with a bot whose retries are recorded.
pub(crate) async fn call(bot: &Bot, number: usize, notes: &Mutex<Notes>) -> Outcome {
    let this = UnderWay { method: method(number), failures: Cell::default() };
    let sending = async { (send(bot, number).await, UNDER_WAY.with(|call| call.failures.get())) };
    let (result, mut failures) = UNDER_WAY.scope(this, sending).await;
    if let Err(error) = &result {
        failures.add(error);
        assert_eq!(error.attempts(), failures.count, "a failure before the last one was not retried: {error:?}");
        if error.kind() == ErrorKind::Connect {
            notes.lock().unwrap().give_up(error);
        }
    }
    // Keeps only what is checked, so that the memory is that of the client.
    Outcome { failures, error: result.err().map(|error| error.may_have_been_applied()) }
}

/// Returns the method of a call, by its number.
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

/// Returns the injected fault that left a call without a connection, if any. The error contains the text of its cause.
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
